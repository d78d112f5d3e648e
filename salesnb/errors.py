"""The errors a user meets: where, what broke, how much, examples, one action."""

from collections.abc import Iterable
from difflib import get_close_matches


class SalesnbError(Exception):
    """Base of every error salesnb raises on purpose."""

    exit_code = 1


class DataError(SalesnbError):
    """The data cannot be used as they are; the message lists every problem found."""

    exit_code = 3


class ParameterError(SalesnbError):
    """A parameter, setting or argument is wrong; nothing was run."""

    exit_code = 2


def quote_examples(values: Iterable[object], *, most: int = 5) -> str:
    """Join up to `most` distinct values as quoted examples, in first-seen order.

    >>> quote_examples(["GTXPro", "GTXPro", "MG"])
    "'GTXPro', 'MG'"
    """
    return ", ".join(repr(str(value)) for value in list(dict.fromkeys(values))[:most])


def nearest(name: object, known: Iterable[object]) -> str:
    """Find the known name that was probably meant; '' where none is like it.

    >>> nearest("winrate", ["bookings", "win_rate"])
    'win_rate'
    """
    plain = {_plain(one): str(one) for one in reversed(list(known))}
    found = get_close_matches(_plain(name), plain, n=1, cutoff=0.6)
    return plain[found[0]] if found else ""


def _plain(name: object) -> str:
    return "".join(letter for letter in str(name).casefold() if letter.isalnum())


def meant(name: object, known: Iterable[object]) -> str:
    """Ask whether another name was meant, to end a message with; '' where none is like it.

    >>> meant("Nort", ["East", "North"])
    " Did you mean 'North'?"
    """
    found = nearest(name, known)
    return f" Did you mean {found!r}?" if found else ""


def join_problems(problems: list[str], *, heading: str) -> str:
    """Put all problems under one heading, a line each.

    >>> print(join_problems(["a.csv: empty"], heading="1 problem"))
    1 problem:
      a.csv: empty
    """
    return "\n".join([f"{heading}:", *(f"  {problem}" for problem in problems)])
