"""The errors a user meets: where, what broke, how much, examples, one action."""

from collections.abc import Iterable


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


def join_problems(problems: list[str], *, heading: str) -> str:
    """Put all problems under one heading, a line each.

    >>> print(join_problems(["a.csv: empty"], heading="1 problem"))
    1 problem:
      a.csv: empty
    """
    return "\n".join([f"{heading}:", *(f"  {problem}" for problem in problems)])
