"""Drawings get smaller and stay the same picture."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salesnb.views.svg.clean import clean_drawing, parse_svg
from salesnb.views.svg.paths import DOT, find_box, read_circle, read_path, write_path
from salesnb.views.svg.shrink import shrink

WRAP = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 60 30">{}</svg>'
GREY, BLUE = "stroke: #7a828c; fill: none", "stroke: #0b5cad; fill: none"
TENTHS = st.integers(-3000, 3000).map(lambda number: number / 10)
POINTS = st.lists(st.tuples(TENTHS, TENTHS), min_size=2, max_size=12)


def draw(content):
    return clean_drawing(shrink(parse_svg(WRAP.format(content))))


def line(style, *points, more=""):
    data = " L ".join(f"{x} {y}" for x, y in points)
    return f'<path d="M {data}" style="{style}"{more}/>'


def paths(svg):
    return re.findall(r'<path style="([^"]*)" d="([^"]*)"', svg)


def walk(data):
    """Read path data of steps back into points."""
    points, x, y, kind = [], 0.0, 0.0, ""
    tokens = re.findall(r"[a-z]|-?(?:\d+\.\d|\.\d|\d+)", data)
    while tokens:
        if tokens[0].isalpha():
            kind = tokens.pop(0)
        x += float(tokens.pop(0)) if kind in "mlh" else 0.0
        y += float(tokens.pop(0)) if kind in "mlv" else 0.0
        kind = "l" if kind == "m" else kind
        points.append((round(x, 1), round(y, 1)))
    return points


def distance(point, one, two):
    (x, y), (x0, y0), (x1, y1) = point, one, two
    dx, dy = x1 - x0, y1 - y0
    along = ((x - x0) * dx + (y - y0) * dy) / ((dx * dx + dy * dy) or 1.0)
    along = min(max(along, 0.0), 1.0)
    return ((x - x0 - along * dx) ** 2 + (y - y0 - along * dy) ** 2) ** 0.5


@given(POINTS)
def test_a_written_line_passes_all_its_points(points):
    commands = [("M" if place == 0 else "L", point) for place, point in enumerate(points)]
    kept = walk(write_path(commands))
    assert kept[0] == points[0]
    if len(kept) > 1:
        assert kept[-1] == points[-1]
    pairs = list(zip(kept, kept[1:], strict=False)) or [(kept[0], kept[0])]
    assert all(min(distance(point, *pair) for pair in pairs) <= 0.0601 for point in points)


def test_a_straight_run_of_points_is_one_line_and_a_dot_stays_a_dot():
    run = [("M", (0, 0)), *(("L", (x / 10, 0)) for x in range(100))]
    assert write_path(run) == "m0 0h9.9"
    assert write_path([("M", (1, 2)), (DOT, ()), ("M", (1.5, 2)), (DOT, ())]) == "m1 2h0m.5 0h0"


def test_steps_are_counted_from_where_a_closed_shape_began():
    square = read_path("M 1 1 L 3 1 L 3 3 L 1 1 z M 5 5 L 6 5")
    assert write_path(square) == "m1 1h2v2zm4 4h1"


def test_a_command_that_is_not_known_is_refused():
    with pytest.raises(ValueError, match="'a'; expected M, L, C, Q or Z"):
        read_path("M 0 0 a 1 1 0 0 1 2 2")


def test_marks_of_one_look_share_a_path():
    found = paths(draw(line(GREY, (0, 0), (9, 0)) + line(GREY, (0, 5), (9, 5))))
    assert found == [("stroke:var(--grey)", "m0 0h9m-9 5h9")]


def test_a_mark_keeps_its_place_among_those_it_touches():
    across, under = line(BLUE, (0, 2), (9, 2)), line(GREY, (0, 5), (9, 5))
    apart = paths(draw(line(GREY, (0, 0), (9, 0)) + across + under))
    assert [style for style, _ in apart] == ["stroke:var(--grey)", "stroke:var(--blue)"]
    crossing = line(GREY, (4, 0), (4, 9))
    kept = paths(draw(line(GREY, (0, 0), (9, 0)) + across + crossing))
    assert [style for style, _ in kept] == [
        "stroke:var(--grey)", "stroke:var(--blue)", "stroke:var(--grey)",
    ]  # fmt: skip


@pytest.mark.parametrize("style", ["fill: #0b5cad", f"{BLUE}; stroke-opacity: 0.5"])
def test_shapes_that_overlap_mix_only_where_that_shows_nothing(style):
    box = '<path d="M {0} 0 L {1} 0 L {1} 9 L {0} 9 z" style="{2}"/>'
    assert len(paths(draw(box.format(0, 5, style) + box.format(4, 9, style)))) == 2
    assert len(paths(draw(box.format(0, 5, style) + box.format(7, 9, style)))) == 1


def test_a_clip_goes_where_it_cuts_nothing_and_what_lies_outside_it_goes_too():
    clip = '<defs><clipPath id="c"><rect x="0" y="0" width="20" height="20"/></clipPath></defs>'
    more = ' clip-path="url(#c)"'
    inside = line(GREY, (1, 1), (9, 1), more=more)
    over = line(BLUE, (1, 5), (40, 5), more=more)
    outside = line("stroke: #c2500a; fill: none", (30, 30), (40, 30), more=more)
    svg = draw(clip + inside + over + outside)
    assert svg.count("clip-path=") == 1
    assert [style for style, _ in paths(svg)] == ["stroke:var(--grey)", "stroke:var(--blue)"]


def test_a_clip_of_another_shape_stays_with_what_it_cuts():
    clip = '<defs><clipPath id="c"><path d="M 0 0 L 9 0 L 0 9 z"/></clipPath></defs>'
    svg = draw(clip + line(GREY, (0, 0), (9, 9), more=' clip-path="url(#c)"'))
    assert re.search(r' clip-path="url\(#s[0-9a-f]{8}-0\)"', svg)
    assert "M0 0L9 9" in svg


CIRCLE = (
    "M 0 3 C 0.795609 3 1.55874 2.683901 2.12132 2.12132 C 2.683901 1.55874 3 0.795609 3 0 "
    "C 3 -0.795609 2.683901 -1.55874 2.12132 -2.12132 C 1.55874 -2.683901 0.795609 -3 0 -3 "
    "C -0.795609 -3 -1.55874 -2.683901 -2.12132 -2.12132 C -2.683901 -1.55874 -3 -0.795609 -3 0 "
    "C -3 0.795609 -2.683901 1.55874 -2.12132 2.12132 C -1.55874 2.683901 -0.795609 3 0 3 z"
)


def test_circles_become_dots_of_one_path_and_a_rim_a_larger_dot_beneath():
    assert read_circle(read_path(CIRCLE)) == pytest.approx((0, 0, 3))
    marks = f'<defs><path id="m" d="{CIRCLE}" style="stroke: #ffffff"/></defs>' + "".join(
        f'<use href="#m" x="{x}" y="9" style="fill: #0b5cad"/>' for x in (9, 29)
    )
    assert paths(draw(marks)) == [
        ("stroke:var(--paper);stroke-linecap:round;stroke-width:7", "m9 9h0m20 0h0"),
        ("stroke:var(--blue);stroke-linecap:round;stroke-width:5", "m9 9h0m20 0h0"),
    ]


def test_texts_of_one_style_are_a_group_on_top():
    text = '<text style="font: 10px \'Arial\'; fill: #454c55" x="{}" y="4">{}</text>'
    svg = draw(text.format(1, "a") + line(GREY, (0, 0), (9, 9)) + text.format(2.52, "b"))
    assert svg.index("<path") < svg.index("<text")
    assert '<text x="1" y="4">a</text><text x="2.5" y="4">b</text></g>' in svg


def test_what_is_not_known_is_kept_and_nothing_passes_it():
    strange = '<g transform="rotate(3)"><path d="M 0 0 L 9 9" style="stroke: #0b5cad"/></g>'
    svg = draw(line(GREY, (0, 0), (9, 0)) + strange + line(GREY, (0, 5), (9, 5)))
    assert svg.count('<path style="stroke:var(--grey)"') == 2
    assert '<g transform="rotate(3)"><path d="M0 0L9 9" style="stroke:var(--blue)">' in svg


def test_a_box_holds_all_points_and_its_margin():
    assert find_box([("M", (1, 2)), ("L", (5, -3)), ("Z", ())], margin=1) == (0, -4, 6, 3)
