"""What looks like a secret: no parameter may hold one, and no page may show one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from salesnb.language import mark

_KEYS = re.compile(
    r"(?:^|[_\-. ])(?:pass(?:word|wd|phrase|code)?|pwd|secret|token|api[_\-. ]?key|apikey|"
    r"access[_\-. ]?key|private[_\-. ]?key|credentials?|auth(?:orization)?|bearer)(?:$|[_\-. ])",
    re.IGNORECASE,
)
_MARKS = {
    mark("a private key"): r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
    mark("an address with a password"): r"[A-Za-z][\w+.-]{0,30}://[^\s/:@]{0,200}:[^\s/@]{1,200}@[^\s/]",
    mark("a connection string with a password"):
        r"(?i)(?:^|[;?&\s\"'])(?:password|pwd|passwd|accountkey|sharedaccesskey|(?:access_?)?token|api_?key)\s*=\s*[^;&\s\"']+",
    mark("an access key of a cloud"): r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bAIza[\w-]{35}\b",
    mark("a token"): r"\b(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_\w{30,}|glpat-[\w-]{20,}|"
        r"xox[abeprs]-[\w-]{10,}|sk-[\w-]{20,}|sk_live_\w{16,}|npm_\w{30,}|pat-(?:na|eu)\d-[\w-]{20,}|"
        r"00D[A-Za-z0-9]{12,15}![\w.]{20,})",
    mark("a signed token"): r"\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}",
    mark("a password"): r"(?i)\bbearer\s+[\w.~+/-]{20,}",
}  # fmt: skip
# repetitions are bounded where any place can begin one: a page may hold a word of a million letters
_FOUND = {what: re.compile(pattern) for what, pattern in _MARKS.items()}


def find_secret(text: str) -> str:
    """Say what kind of secret is in a text; "" where none is seen. It is never repeated.

    >>> find_secret("postgresql://ann:hunter2@db/crm"), find_secret("postgresql://ann@db/crm")
    ('an address with a password', '')
    """
    return next((what for what, sign in _FOUND.items() if sign.search(text)), "")


def name_secrets(settings: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Name the settings that hold a secret, or are called like one, and say what it looks like.

    Parameters
    ----------
    settings
        As YAML gives them: mappings, lists and texts within one another.

    Returns
    -------
    iterator of (str, str)
        Keys from the outermost on, joined by dots, and the kind of secret.

    >>> list(name_secrets({"plan": {"db_password": "x"}, "title": "Token of thanks"}))
    [('plan.db_password', 'a secret by its name')]
    """
    if isinstance(settings, Mapping):
        for key, value in settings.items():
            place = f"{path}.{key}" if path else str(key)
            if what := find_secret(str(key)):
                yield path or "a key", what  # the key itself is the secret
            elif _KEYS.search(str(key)) and value not in ("", None):
                yield place, "a secret by its name"
            else:
                yield from name_secrets(value, place)
    elif isinstance(settings, list | tuple):
        for value in settings:
            yield from name_secrets(value, path)
    elif what := find_secret(str(settings)):
        yield path, what
