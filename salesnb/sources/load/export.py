"""The export: its sources and their columns, each opened when it is first asked for."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping as Headers
from pathlib import Path

import duckdb

from salesnb.errors import DataError
from salesnb.sources.mapping import FileOptions, Mapping
from salesnb.sources.readers import Found, SourcePart, find_sources, group, open_part
from salesnb.sources.snapshot import Snapshot


class Export(Headers[str, tuple[str, ...]]):
    """The sources of an export and their columns; each is opened when it is first asked for.

    Appending, the sources of the snapshot are known too, by what they were.
    """

    def __init__(
        self, db: duckdb.DuckDBPyConnection, source: str, mapping: Mapping | None,
        appended: Snapshot | None, workspace: Path,
    ) -> None:  # fmt: skip
        self.source = source
        self.problems: list[str] = []
        self._db = db
        self._workspace = workspace
        self.found = group(find_sources(source), mapping.sources if mapping else ())
        self._mapping = mapping
        self._parts: dict[str, list[SourcePart]] = {}
        self._known: dict[str, tuple[str, ...]] = {}
        for part in appended.index.parts if appended else ():
            if part.source:
                self._known[part.source] = _union(self._known.get(part.source, ()), part.columns)

    def __iter__(self) -> Iterator[str]:
        """Names of the sources."""
        return iter({**self.found, **self._known})

    def __len__(self) -> int:
        """Count the sources."""
        return len({**self.found, **self._known})

    def __getitem__(self, name: str) -> tuple[str, ...]:
        """Columns of a source: of all its parts together."""
        if name not in self.found and name not in self._known:
            raise KeyError(name)
        columns = self._known.get(name, ())
        for part in self.parts(name):
            columns = _union(columns, part.columns)
        return columns

    def parts(self, name: str) -> list[SourcePart]:
        """Open the parts of a source; those that cannot be are among the problems."""
        if name not in self._parts:
            self._parts[name] = []
            for found in self.found.get(name, ()):
                self._open(name, found)
        return self._parts[name]

    def _open(self, name: str, found: Found) -> None:
        number = sum(map(len, self._parts.values()))
        options = self._mapping.options(name) if self._mapping else FileOptions()
        try:
            part = open_part(self._db, found, options, workspace=self._workspace, number=number)
        except DataError as error:
            self.problems.append(str(error))
        else:
            self._parts[name].append(part)

    @property
    def used(self) -> tuple[str, ...]:
        """Names of the sources that were opened, and of those known from before."""
        return tuple({**self._parts, **self._known})

    @property
    def broken(self) -> tuple[str, ...]:
        """Names of the opened sources of which a part could not be opened."""
        return tuple(
            name
            for name, parts in self._parts.items()
            if len(parts) < len(self.found.get(name, ()))
        )

    @property
    def labels(self) -> dict[str, str]:
        """Names of the sources in messages: a single file's own."""
        return {name: f[0].label for name, f in self.found.items() if len(f) == 1}

    def unused(self) -> tuple[str, ...]:
        """List the files that nothing was read from."""
        rest = [f for name, items in self.found.items() if name not in self._parts for f in items]
        return tuple(dict.fromkeys(found.label for found in rest))


def _union(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*first, *second)))
