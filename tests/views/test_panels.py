import math
import re

import pytest

from salesnb.views.blocks import Figure, Panel

GAP = math.nan


def panel(values=(1.0, 3.0, 2.0), **changes):
    fields = {
        "title": "Win <rate>", "values": values, "low": [GAP, 1.0, 2.0], "high": [GAP, 3.0, 4.0],
        "span": (0.0, 4.0), "write": "{:.0f}%".format, "ends": ("2025Q1", "2026Q3 so far"),
    }  # fmt: skip
    return Panel(**fields | changes).render_html()


def path(html, name):
    hits = re.findall(rf'<path class="{name}"[^>]* d="([^"]*)"', html)
    return hits[0] if hits else ""


def test_a_panel_names_its_axis_ends_and_itself():
    html = panel()
    for words in ("Win &lt;rate&gt;", ">0%<", ">3%<", ">2025Q1<", ">2026Q3 so far<"):
        assert words in html
    assert 'aria-hidden="true"' in html


def test_a_missing_value_interrupts_the_line_and_the_band():
    assert path(panel([1.0, 2.0, GAP, 3.0], low=[GAP] * 4, high=[GAP] * 4), "l").count("m") == 2
    band = path(panel([1.0] * 5, low=[1, 1, GAP, 1, 1], high=[2, 2, GAP, 2, 2]), "b")
    assert band.count("z") == 2


def test_only_the_last_value_has_a_dot_unless_all_have():
    assert path(panel(), "d").count("h0") == 1
    assert path(panel(is_dotted=True), "d").count("h0") == 3
    assert path(panel([1.0, 2.0, GAP]), "d") == ""


def test_a_value_that_is_not_final_is_hollow_and_apart():
    html = panel(is_open=True)
    assert '<circle class="o"' in html
    assert path(html, "d") == ""
    assert len(re.findall(r"[ml ]", path(html, "l"))) < len(
        re.findall(r"[ml ]", path(panel(), "l"))
    )


def test_a_stepped_band_is_wide_around_its_places_and_ends_at_the_last():
    straight, stepped = path(panel(), "b"), path(panel(is_stepped=True), "b")
    assert stepped.count("v") > straight.count("v")


def test_marks_have_their_colour():
    assert 'style="fill:var(--blue)"' in panel(marked=[(1, "var(--blue)")])


def test_one_value_is_a_dot_without_a_line():
    html = panel([2.0], low=[GAP], high=[GAP], ends=("2026Q3", "2026Q3"))
    assert html.count("2026Q3") == 1
    assert path(html, "d").endswith("h0")


def test_panels_are_one_picture_with_words():
    figure = Figure.from_panels(
        [], title="It rose", caption="", alt="Two small line charts, both of which rise.",
        numbers=None,
    )  # fmt: skip
    assert (
        '<div role="img" aria-label="Two small line charts, both of which rise." class="pn">'
        in (figure.render_html())
    )


@pytest.mark.parametrize("name", ["a\x00b", '"><script>x()</script>'])
def test_a_hostile_title_stays_text(name):
    assert "<script" not in panel(title=name)
