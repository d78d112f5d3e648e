"""What a table's columns have in common, said once on the table instead of in every cell.

Columns are counted from the last: a row whose first cell spans several rows has one cell less.
On a phone each row stands as a block, and the style sheet puts the column's name before each
value; it finds the names in custom properties of the table.
"""

import re
from collections.abc import Collection, Sequence

FEWEST_STACKED = 4
"""Columns from which the rows of a table stand as blocks on a phone; fewer fit side by side."""

LONG = 28
"""Letters of a text that needs a phone's width for itself, so that three columns stand too."""

SHORT = 10
"""Letters up to which a column is kept on one line."""

STYLE = re.compile(r"(--h\d{1,2}:'(?:[\w .,:/()%+–·-]|\\[0-9a-f]+ )*';?)*")
"""What `name_columns` writes; nothing in it can end the text it stands in."""

_NAMED = re.compile(r'<table class="[^"]*" style="--h(\d+):')


def is_stacked(header: Sequence[str], rows: Collection[Sequence[str]] = ()) -> bool:
    """Whether rows stand as blocks on a phone."""
    longest = max((len(shown) for row in rows for shown in row[1:]), default=0)
    return len(header) >= FEWEST_STACKED or (len(header) == FEWEST_STACKED - 1 and longest > LONG)


def name_columns(header: Sequence[str]) -> str:
    """Return the attribute that names the columns.

    >>> print(name_columns(["Rep", "Low, 90%", "n"]))
     style="--h3:'Rep';--h2:'Low, 90%';--h1:'n'"
    """
    names = (f"--h{len(header) - place}:'{_write_css(name)}'" for place, name in enumerate(header))
    return f' style="{";".join(names)}"'


def align_columns(
    header: Sequence[str], rows: Collection[Sequence[str]], numeric: Collection[int]
) -> list[str]:
    """Return the classes that align columns of numbers and keep short texts on one line."""
    classes = []
    for place in range(1, len(header)):
        if place in numeric:
            classes.append(f"r{len(header) - place}")
        elif max((len(row[place]) for row in rows), default=0) <= SHORT:
            classes.append(f"w{len(header) - place}")
    return classes


def column_rules(n_columns: int, *, within: str = "") -> str:
    """Return the style rules behind the classes of `align_columns`.

    >>> print(column_rules(1))
    .r1 tr>:nth-last-child(1){text-align:right}
    .r1 td:nth-last-child(1),.w1 td:nth-last-child(1){white-space:nowrap}
    """
    places = range(1, n_columns + 1)
    right = [f"{within}.r{place} tr>:nth-last-child({place})" for place in places]
    whole = [
        f"{within}.{letter}{place} td:nth-last-child({place})"
        for place in places
        for letter in "rw"
    ]
    return f"{','.join(right)}{{text-align:right}}\n{','.join(whole)}{{white-space:nowrap}}"


def name_rules(n_columns: int) -> str:
    """Return the style rules that put the names of `name_columns` before the values."""
    return "".join(
        f".k td:nth-last-child({place})::before{{content:var(--h{place})}}"
        for place in range(1, n_columns + 1)
    )


def count_columns(page: str) -> int:
    """Return the columns of the widest table that has named its own.

    >>> count_columns(f'<table class="t k"{name_columns(["Rep", "Won", "n", "Low"])}>')
    4
    """
    return max((int(hit) for hit in _NAMED.findall(page)), default=0)


def _write_css(name: str) -> str:
    r"""Write a name as the inside of a CSS text.

    >>> _write_css("a'}</style>")
    'a\\27 \\7d \\3c /style\\3e '
    """
    return re.sub(r"[^\w .,:/()%+–·-]", lambda hit: f"\\{ord(hit[0]):x} ", name)
