"""What a table's columns have in common, said once on the table instead of in every cell.

Columns are counted from the last: a row whose first cell spans several rows has one cell less.
On a phone each row stands as a block, and the style sheet puts the column's name before each
value; it finds the names in custom properties of the table.
"""

import re
from collections.abc import Collection, Sequence

FEWEST_STACKED = 4
"""Columns from which the rows of a table stand as blocks on a phone; fewer fit side by side."""

SHORT = 14
"""Letters up to which a column is kept on one line."""

STYLE = re.compile(r"(--h\d+:'(?:[\w .,:/()%+–·-]|\\[0-9a-f]+ )*';?)*")
"""What `name_columns` writes; nothing in it can end the text it stands in."""

_NAME = re.compile(r"--h(\d+):")


def name_columns(header: Sequence[str]) -> str:
    """Return the attribute that names the columns, "" when there are few.

    >>> name_columns(["Rep", "Won", "n", "Low's"])
    ' style="--h4:\\'Rep\\';--h3:\\'Won\\';--h2:\\'n\\';--h1:\\'Low\\\\27 s\\'"'
    """
    if len(header) < FEWEST_STACKED:
        return ""
    names = (
        f"--h{len(header) - place}:'{_write_css(name)}'" for place, name in enumerate(header)
    )
    return f' style="{";".join(names)}"'


def align_columns(
    header: Sequence[str], rows: Collection[Sequence[str]], numeric: Collection[int]
) -> list[str]:
    """Return the classes that align columns of numbers and keep short texts on one line."""
    classes = ["k"] if len(header) >= FEWEST_STACKED else []
    for place in range(1, len(header)):
        if place in numeric:
            classes.append(f"r{len(header) - place}")
        elif max((len(row[place]) for row in rows), default=0) <= SHORT:
            classes.append(f"w{len(header) - place}")
    return classes


def column_rules(n_columns: int, *, within: str = "") -> str:
    """Return the style rules behind the classes of `align_columns`.

    >>> print(column_rules(2))
    .r1 tr>:nth-last-child(1),.r2 tr>:nth-last-child(2){text-align:right;white-space:nowrap}
    .w1 tr>:nth-last-child(1),.w2 tr>:nth-last-child(2){white-space:nowrap}
    """
    rules = (("r", "text-align:right;white-space:nowrap"), ("w", "white-space:nowrap"))
    return "\n".join(
        ",".join(
            f"{within}.{letter}{place} tr>:nth-last-child({place})"
            for place in range(1, n_columns + 1)
        )
        + f"{{{rule}}}"
        for letter, rule in rules
    )


def name_rules(n_columns: int) -> str:
    """Return the style rules that put the names of `name_columns` before the values."""
    return "".join(
        f".k td:nth-last-child({place})::before{{content:var(--h{place})}}"
        for place in range(1, n_columns + 1)
    )


def count_columns(page: str) -> int:
    """Return the columns of the widest table that has named its own.

    >>> count_columns(name_columns(["Rep", "Won", "n", "Low"]))
    4
    """
    return max((int(hit) for hit in _NAME.findall(page)), default=0)


def _write_css(name: str) -> str:
    r"""Write a name as the inside of a CSS text.

    >>> _write_css("a'}</style>")
    'a\\27 \\7d \\3c /style\\3e '
    """
    return re.sub(r"[^\w .,:/()%+–·-]", lambda hit: f"\\{ord(hit[0]):x} ", name)
