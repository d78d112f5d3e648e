"""Path data of an SVG: read what matplotlib writes, and write it in few characters.

Coordinates are kept to a tenth of a point, an eighth of a CSS pixel.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

Command = tuple[str, tuple[float, ...]]
"""A letter of M, L, C, Q or Z with absolute coordinates, or DOT with none."""

Box = tuple[float, float, float, float]
"""Left, top, right and bottom."""

DOT = "."
"""A line of no length after an M: with round ends, a dot."""

_TOKEN = re.compile(r"[A-Za-z]|-?[\d.]+(?:e[-+]?\d+)?")
_SIZES = {"M": 2, "L": 2, "Q": 4, "C": 6, "Z": 0}
_TOLERANCE = 0.6
"""How far a line may move when its points are thinned out, in tenths of a point."""


def read_path(data: str) -> list[Command]:
    """Read path data of absolute commands.

    >>> read_path("M 1 2 L 3 4 z")
    [('M', (1.0, 2.0)), ('L', (3.0, 4.0)), ('Z', ())]

    Raises
    ------
    ValueError
        When a command is none of M, L, C, Q and Z.
    """
    tokens = _TOKEN.findall(data)
    commands, place = [], 0
    while place < len(tokens):
        letter = tokens[place].upper()
        if letter not in _SIZES or tokens[place] in "mlqc":
            raise ValueError(f"path: {tokens[place]!r}; expected M, L, C, Q or Z.")
        end = place + 1 + _SIZES[letter]
        commands.append((letter, tuple(float(token) for token in tokens[place + 1 : end])))
        place = end
    return commands


def move_path(commands: Iterable[Command], dx: float, dy: float) -> list[Command]:
    """Shift a path."""
    return [
        (letter, tuple(v + (dy if i % 2 else dx) for i, v in enumerate(values)))
        for letter, values in commands
    ]


def find_box(commands: Iterable[Command], *, margin: float = 0.0) -> Box:
    """Return the box around a path's points, `margin` wider on each side."""
    values = [value for _, values in commands for value in values]
    across, down = values[::2], values[1::2]
    return (
        min(across) - margin, min(down) - margin, max(across) + margin, max(down) + margin,
    )  # fmt: skip


def read_circle(commands: Sequence[Command]) -> tuple[float, float, float] | None:
    """Return centre and radius when a path is a circle as matplotlib draws one."""
    if "".join(letter for letter, _ in commands) != "MCCCCCCCCZ":
        return None
    left, top, right, bottom = find_box([("L", values[-2:]) for _, values in commands[:-1]])
    if abs((right - left) - (bottom - top)) > 0.02 * (right - left):
        return None
    return (left + right) / 2, (top + bottom) / 2, (right - left) / 2


def write_path(commands: Iterable[Command]) -> str:
    """Write a path by steps from point to point, in tenths.

    >>> write_path([("M", (10, 20)), ("L", (10, 32.04)), ("L", (4, 32)), ("Z", ())])
    'm10 20v12h-6z'
    """
    x = y = start_x = start_y = 0
    written, last = "", ""
    for letter, values in thin_out(commands):
        if letter in (DOT, "Z"):
            kind, numbers = ("h", [0]) if letter == DOT else ("z", [])
            if letter == "Z":
                x, y = start_x, start_y
        else:
            steps = [int(v) - (y if i % 2 else x) for i, v in enumerate(values)]
            x, y = int(values[-2]), int(values[-1])
            kind, numbers = _shortest(letter, steps)
            if letter == "M":
                start_x, start_y = x, y
        is_implied = kind != "m" and kind == last or (kind == "l" and last == "m")
        written += _join(numbers, head="" if is_implied else kind, after=written)
        last = kind
    return written


def write_number(tenths: int) -> str:
    """Write tenths as a decimal number.

    >>> write_number(125), write_number(-5), write_number(30)
    ('12.5', '-.5', '3')
    """
    whole, part = divmod(abs(tenths), 10)
    digits = f"{whole or ''}.{part}" if part else str(whole)
    return f"-{digits}" if tenths < 0 else digits


def thin_out(commands: Iterable[Command]) -> Iterator[Command]:
    """Round to tenths, given as whole numbers, and leave out points that nobody would miss."""
    run: list[tuple[int, int]] = []
    start = (0, 0)
    for letter, values in commands:
        at = tuple(round(10 * value) for value in values)
        if letter == "L":
            run.append((at[0], at[1]))
            continue
        kept = _thin_line(run)
        if letter == "Z" and kept and kept[-1] == start:
            kept = kept[:-1]
        yield from (("L", point) for point in kept[1:])
        yield letter, at
        if letter == "M":
            start = (at[0], at[1])
        run = [(at[-2], at[-1])] if at else [start]
    yield from (("L", point) for point in _thin_line(run)[1:])


def _thin_line(points: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Keep the ends of a line and what lies off the straight between them (Douglas-Peucker)."""
    if len(points) < 3:
        return points if len(points) < 2 or points[0] != points[1] else points[:1]
    (x0, y0), (x1, y1) = points[0], points[-1]
    dx, dy = x1 - x0, y1 - y0
    length = (dx * dx + dy * dy) ** 0.5
    inner = points[1:-1]
    if length:
        off = [abs(dy * (x - x0) - dx * (y - y0)) / length for x, y in inner]
        beyond = [((x - x0) * dx + (y - y0) * dy) / length for x, y in inner]
        off = [
            max(far, -along, along - length) for far, along in zip(off, beyond, strict=True)
        ]  # fmt: skip
    else:
        off = [((x - x0) ** 2 + (y - y0) ** 2) ** 0.5 for x, y in inner]
    furthest = max(range(len(off)), key=off.__getitem__)
    if off[furthest] <= _TOLERANCE:
        return [points[0], points[-1]] if length else points[:1]
    middle = furthest + 1
    return _thin_line(points[: middle + 1])[:-1] + _thin_line(points[middle:])


def _shortest(letter: str, steps: list[int]) -> tuple[str, list[int]]:
    if letter == "L" and steps[1] == 0:
        return "h", steps[:1]
    if letter == "L" and steps[0] == 0:
        return "v", steps[1:]
    return letter.lower(), steps


def _join(numbers: Iterable[int], *, head: str, after: str) -> str:
    """Write numbers with as few separators as the grammar of paths allows."""
    written = head
    for number in numbers:
        shown = write_number(number)
        before = written[-1:] or after[-1:]
        is_apart = before.isalpha() or shown[0] == "-"
        written += shown if is_apart else f" {shown}"
    return written
