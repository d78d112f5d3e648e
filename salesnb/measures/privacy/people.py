"""Who the people of a snapshot are, what they are called, and where a text names them."""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from salesnb.language import tr
from salesnb.schema import feedback, memberships, ratings, reps
from salesnb.sources.snapshot import Snapshot

_WORD = re.compile(r"[^\W_]+")
_MAIL = re.compile(r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+")
_SHORTEST_ID = 6
"""Characters below which an id in a text may well be something else."""
_SHORTEST_NAME = 3
_LETTERS, _DIGITS = "ABCDEFGHJKLMNPQRSTUVWXYZ", "23456789"


@dataclass(frozen=True)
class People:
    """Everybody a snapshot knows by id: reps with their names, and raters, authors and managers.

    Attributes
    ----------
    names
        Id of each rep -> name.
    others
        Ids of those who are no reps.
    """

    names: dict[str, str]
    others: tuple[str, ...]

    @property
    def ids(self) -> tuple[str, ...]:
        """All ids."""
        return (*self.names, *self.others)

    def pseudonyms(self, key: str, pattern: str = "{kind} {code}") -> dict[str, str]:
        """Give everybody a code that nobody finds without the key.

        Parameters
        ----------
        key
            Another key gives other codes.
        pattern
            How a code is written; `kind` is Rep or, of others, Person.

        Returns
        -------
        dict of str to str
            Id -> pseudonym; no two are the same. Somebody new changes nobody's but, one time in
            hundreds, one that would be the same.
        """
        order = sorted((_digest(key, one, 0), one) for one in self.ids)
        taken: dict[str, str] = {}
        for _, one in order:
            attempt = 0
            while (code := _spell(_digest(key, one, attempt))) in taken:
                attempt += 1
            taken[code] = one
        kinds = {one: "Rep" if one in self.names else "Person" for one in taken.values()}
        return {one: pattern.format(kind=kinds[one], code=code) for code, one in taken.items()}

    def hide(self, text: str, by: Callable[[str], str] = lambda _: tr("[name]")) -> str:
        """Replace whom a text names: full names in either order, ids, and any e-mail address.

        A name of one word counts where it is written as it is; an id that is short, or has no
        digit, may be something else and is left.

        Parameters
        ----------
        text
            Of a CRM, or of a message.
        by
            Gives what stands for an id.
        """
        parts, end = [], 0
        for start, stop, one in self._find(text):
            parts += [text[end:start], by(one)]
            end = stop
        return _MAIL.sub(tr("[e-mail]"), "".join([*parts, text[end:]]))

    def names_in(self, text: str) -> bool:
        """Whether a text of ours names anybody: by a name of several words, an id or an address."""
        return any(mark in text for mark in (*self._long_names, *self._long_ids))

    def without_words(self, text: str) -> str:
        """Leave all words of names out of a text, first names too."""
        return _WORD.sub(lambda hit: "" if _plain(hit[0]) in self._words else hit[0], text)

    def _find(self, text: str) -> Iterator[tuple[int, int, str]]:
        """Find where somebody is named: start, end and id, in order, the longest first."""
        hits = list(_WORD.finditer(text))
        words = [_plain(hit[0]) for hit in hits]
        at = 0
        while at < len(hits):
            found = next(
                (
                    (len(sequence), one)
                    for sequence, exact, one in self._sequences.get(words[at], ())
                    if tuple(words[at : at + len(sequence)]) == sequence
                    and (not exact or hits[at][0] == exact)
                ),
                None,
            )
            if found is None:
                at += 1
                continue
            length, one = found
            yield hits[at].start(), hits[at + length - 1].end(), one
            at += length

    @cached_property
    def _sequences(self) -> dict[str, list[tuple[tuple[str, ...], str, str]]]:
        """First word -> sequences of words with how a lone word must be written, and whose."""
        found: dict[str, list[tuple[tuple[str, ...], str, str]]] = defaultdict(list)
        for one, text in [*((one, one) for one in self.ids), *self.names.items()]:
            is_name = one != text
            for words in _orders(text):
                alone = len(words) == 1
                if alone and not (is_name or _is_long_id(text)):
                    continue
                if alone and is_name and len(text) < _SHORTEST_NAME:
                    continue
                found[words[0]].append((words, text if alone else "", one))
        for sequences in found.values():
            sequences.sort(key=lambda item: -len(item[0]))
        return dict(found)

    @cached_property
    def _words(self) -> frozenset[str]:
        texts = (*self.ids, *self.names.values())
        return frozenset(_plain(word) for text in texts for word in _WORD.findall(text))

    @cached_property
    def _long_names(self) -> tuple[str, ...]:
        texts = (*self.names.values(), *self.ids)
        return tuple(text for text in texts if len(_WORD.findall(text)) > 1)

    @cached_property
    def _long_ids(self) -> tuple[str, ...]:
        return tuple(one for one in self.ids if _is_long_id(one))


def read_people(snapshot: Snapshot) -> People:
    """List the people of a snapshot."""
    rows = snapshot.read("reps")
    names = {
        str(one): str(name)
        for one, name in zip(rows[reps.rep_id], rows[reps.name].fillna(""), strict=True)
    }
    others = {
        str(one)
        for column in (memberships.manager_id, ratings.rater_id, feedback.author_id)
        if snapshot.has(column.table, column)
        for one in snapshot.read(column.table)[column].dropna().unique()
    }
    return People(names, tuple(sorted(others - set(names) - {""})))


def _orders(text: str) -> Iterable[tuple[str, ...]]:
    """Give a name's words as written and turned round, as in a list by surname."""
    words = tuple(_plain(word) for word in _WORD.findall(text))
    return [] if not words else dict.fromkeys([words, (words[-1], *words[:-1])])


def _is_long_id(one: str) -> bool:
    return len(one) >= _SHORTEST_ID and any(letter.isdigit() for letter in one)


def _plain(word: str) -> str:
    """Write a word without accents and capitals."""
    apart = unicodedata.normalize("NFKD", word)
    return "".join(c for c in apart if not unicodedata.combining(c)).casefold()


def _digest(key: str, one: str, attempt: int) -> bytes:
    return hmac.new(bytes.fromhex(key), f"{attempt} {one}".encode(), hashlib.sha256).digest()


def _spell(digest: bytes) -> str:
    """Write a digest as letter, digit, letter, digit, without those that look alike."""
    number = int.from_bytes(digest[:8], "big")
    code = ""
    for signs in (_LETTERS, _DIGITS, _LETTERS, _DIGITS):
        number, place = divmod(number, len(signs))
        code += signs[place]
    return code
