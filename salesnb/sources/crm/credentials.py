"""Credentials: from the environment or the system's keyring, from nowhere else.

They are never taken from the command line, a file or an address, where others could read them,
and never written: no message, log, state or file of a fetch holds one.
"""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from salesnb.errors import ParameterError

SERVICE = "salesnb"
"""Under which the keyring holds them; the name of the variable is the user name."""

_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def read_credential(variable: str) -> str | None:
    """Read a credential or setting from the environment, else from the keyring.

    Returns
    -------
    str or None
        Without blanks around it; none where neither holds it, or there is no keyring.

    Raises
    ------
    ParameterError
        It cannot be sent in a header. The message does not show it.
    """
    value = (os.environ.get(variable) or _read_keyring(variable) or "").strip()
    if not (value.isascii() and value.isprintable()):
        raise ParameterError(
            f"{variable}: holds characters no credential has (line ends, accents). Copy it again."
        )
    return value or None


def need_credentials(*variables: str) -> tuple[str, ...]:
    """Read credentials that are all needed.

    Raises
    ------
    ParameterError
        Some are not set; the message names them.
    """
    values = {variable: read_credential(variable) for variable in variables}
    absent = [variable for variable, value in values.items() if value is None]
    if absent:
        raise ParameterError(
            f"{' and '.join(absent)}: not set. Set {'it' if len(absent) == 1 else 'them'} in the "
            f"environment, or store in the keyring: keyring set {SERVICE} {absent[0]}"
        )
    return tuple(value for value in values.values() if value)


def check_address(variable: str, value: str) -> str:
    """Check an API's address and reduce it to scheme and host.

    Raises
    ------
    ParameterError
        It is not https (only this machine may be spoken to without), or holds more than a host.
    """
    parts = urlsplit(value)
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    if not is_safe or not parts.hostname:
        raise ParameterError(f"{variable}: expected an address such as https://NAME.example.com.")
    if "@" in parts.netloc or parts.path.strip("/") or parts.query or parts.fragment:
        raise ParameterError(
            f"{variable}: expected scheme and host only, https://NAME.example.com; "
            "no user, path or query."
        )
    return f"{parts.scheme}://{parts.netloc}"


def _read_keyring(variable: str) -> str | None:
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        return None
    try:
        return keyring.get_password(SERVICE, variable)
    except KeyringError:
        return None  # no keyring on this machine, or locked: as if it held nothing
