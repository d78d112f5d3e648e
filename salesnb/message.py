"""Messages: English texts that know what they were made of, to be said later in another language.

An import writes them into the snapshot once, in English; its reports may be made in any language.
A message is a `str`, so it is compared, printed and put into errors as it reads. Beside it, the
index keeps the text of the catalogue and the values in it, numbers as numbers. A plain `str`, as
older snapshots have, is said as it is.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from string import Formatter
from typing import Annotated, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    PlainSerializer,
    SerializationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)

from salesnb.language import (
    ENGLISH,
    format_number,
    format_share,
    language,
    tr,
    tr_many,
    write_day,
)

AS_TEXT = {"as_text": True}
"""Context of serialisation in which messages are plain texts: for other programs."""


class Message(str):
    """An English text that knows what it was made of; see `message` and its like."""

    __slots__ = ("made_of",)
    made_of: Sentence | Figure | Day | Listing

    def __new__(cls, text: str, made_of: Sentence | Figure | Day | Listing) -> Message:
        """Make the text with what it was made of."""
        self = super().__new__(cls, text)
        self.made_of = made_of
        return self

    def __getnewargs__(self) -> tuple[str, Sentence | Figure | Day | Listing]:  # type: ignore[override]
        """Let a copy or a pickle be the message it was."""
        return str(self), self.made_of


def _read(value: object, read_text: ValidatorFunctionWrapHandler) -> str:
    if isinstance(value, Message):
        return value
    if isinstance(value, dict):
        kept = _Kept.model_validate(value)
        return Message(kept.text, kept.made_of)
    text: str = read_text(value)
    return text


def _write(value: str, info: SerializationInfo) -> object:
    if not isinstance(value, Message) or info.context == AS_TEXT:
        return str(value)
    return _Kept(text=str(value), made_of=value.made_of).model_dump(mode="json")


AnyText = Annotated[str, WrapValidator(_read), PlainSerializer(_write, when_used="json")]
"""A field that holds a message or a plain text, and keeps either."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Sentence(_Frozen):
    """A text of the catalogue with its values; of one that counts, both forms and the number."""

    text: str
    many: str = ""
    n: int = 0
    values: dict[str, AnyText] = {}

    @model_validator(mode="after")
    def _check_places(self) -> Self:
        """Refuse places that are not the plain name of a value, for anybody may write an index."""
        known = {*self.values, "n"} if self.many else set(self.values)
        for form in (self.text, self.many) if known else ():
            for _, place, width, conversion in Formatter().parse(form):
                if place is not None and (place not in known or width or conversion):
                    raise ValueError(f"{form!r}: {place!r} is no value's name")
        return self

    def say(self) -> str:
        """Say it in the language spoken."""
        values = {name: tell(value) for name, value in self.values.items()}
        if self.many:
            return tr_many(self.text, self.many, self.n, **values)
        return tr(self.text, **values)

    def changed(self, change: Callable[[str], str]) -> Sentence:
        """Change what is not of the catalogue."""
        values = {name: change_text(value, change) for name, value in self.values.items()}
        return self.model_copy(update={"values": values})


class Figure(_Frozen):
    """A number with its decimal places, or a share as a percentage."""

    number: float
    digits: int = 0
    is_share: bool = False

    def say(self) -> str:
        """Write it with the signs of the language spoken."""
        write = format_share if self.is_share else format_number
        return write(self.number, self.digits)

    def changed(self, _: Callable[[str], str]) -> Figure:
        """Stay as it is."""
        return self


class Day(_Frozen):
    """A day."""

    day: dt.date

    def say(self) -> str:
        """Write it as the language spoken does."""
        return write_day(self.day)

    def changed(self, _: Callable[[str], str]) -> Day:
        """Stay as it is."""
        return self


class Listing(_Frozen):
    """Several texts, one after the other, each in quotes or as it is."""

    items: tuple[AnyText, ...]
    between: str = ", "
    is_quoted: bool = False

    def say(self) -> str:
        """Say each."""
        return self.between.join(_quote(tell(item), self.is_quoted) for item in self.items)

    def changed(self, change: Callable[[str], str]) -> Listing:
        """Change each, those in quotes with their quotes."""
        if not self.is_quoted:
            items = [change_text(item, change) for item in self.items]
        else:
            items = [change(repr(str(item)))[1:-1] for item in self.items]
        return self.model_copy(update={"items": tuple(items)})


class _Kept(_Frozen):
    """How the index keeps a message."""

    text: str
    made_of: Sentence | Figure | Day | Listing


def tell(text: str) -> str:
    """Say a message in the language spoken; a plain text as it is.

    >>> tell(message_many("{n} lead", "{n} leads", 1200)), tell("of old")
    ('1,200 leads', 'of old')
    """
    if not isinstance(text, Message) or language() == ENGLISH:
        return str(text)
    return text.made_of.say()


def change_text(text: str, change: Callable[[str], str]) -> str:
    """Change a text, such as to hide names; of a message also its values, but not its wording.

    >>> change_text(message("{name} left", name="Ana"), lambda text: text.replace("Ana", "X"))
    'X left'
    """
    if isinstance(text, Message):
        return Message(change(str(text)), text.made_of.changed(change))
    return change(text)


def message(text: str, /, **values: str) -> Message:
    """Make a message.

    Parameters
    ----------
    text
        A literal, which is thereby in the catalogue.
    values
        What `{name}` stands for: messages, `figure` and its like, or texts of the data.
    """
    said = text.format(**values) if values else text
    return Message(said, Sentence(text=text, values=values))


def message_many(one: str, many: str, n: int, /, **values: str) -> Message:
    """Make a message whose form hangs on a number, which is `{n}` in it.

    >>> message_many("{n} of {whole} lead", "{n} of {whole} leads", 3, whole=figure(5))
    '3 of 5 leads'
    """
    said = (one if n == 1 else many).format(n=f"{n:,}", **values)
    return Message(said, Sentence(text=one, many=many, n=int(n), values=values))


def figure(number: float, digits: int = 0) -> Message:
    """Write a number.

    >>> figure(1234.5, 1)
    '1,234.5'
    """
    return Message(f"{number:,.{digits}f}", Figure(number=number, digits=digits))


def percentage(share: float, digits: int = 0) -> Message:
    """Write a share as a percentage.

    >>> percentage(0.256)
    '26%'
    """
    return Message(f"{share:.{digits}%}", Figure(number=share, digits=digits, is_share=True))


def day_text(day: dt.date) -> Message:
    """Write a day.

    >>> day_text(dt.date(2026, 10, 5))
    '2026-10-05'
    """
    return Message(f"{day:%Y-%m-%d}", Day(day=day))


def listing(items: Iterable[str], *, between: str = ", ", is_quoted: bool = False) -> Message:
    """List texts.

    >>> listing(["o1", "o2"], is_quoted=True)
    "'o1', 'o2'"
    """
    kept = tuple(items)
    said = between.join(_quote(str(item), is_quoted) for item in kept)
    return Message(said, Listing(items=kept, between=between, is_quoted=is_quoted))


def _quote(text: str, is_quoted: bool) -> str:
    return repr(text) if is_quoted else text
