import re
from xml.etree import ElementTree

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest

from salesnb.errors import ParameterError
from salesnb.language import speaking
from salesnb.views import theme
from salesnb.views.svg import clean_svg, render_svg

WRAP = (
    '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" {}>{}</svg>'
)


def draw(colour=theme.BETTER, label="Ana", marks=3, *, is_cut=False):
    with theme.use_theme():
        figure, axes = plt.subplots(figsize=(4, 2))
        axes.scatter(np.arange(marks), np.arange(marks), color=colour)
        axes.set_ylabel(label)
        if is_cut:
            axes.plot([0, 9], [0, 9], color=colour)
            axes.set_xlim(0, 1)
        svg = render_svg(figure)
    plt.close(figure)
    return svg


def clean(content):
    return clean_svg(WRAP.format('viewBox="0 0 60 30"', content))


def find_ids(svg):
    return set(re.findall(r' id="([^"]+)"', svg))


def find_texts(svg):
    return re.findall(r">([^<>]+)</text>", svg)


def test_equal_drawings_give_equal_bytes():
    assert draw() == draw()


def test_plain_numbers_on_axes_are_written_as_the_language_does():
    english = find_texts(draw(marks=2))
    with speaking("de"):
        german = find_texts(draw(marks=2))
    assert "0.2" in english
    assert "0,2" in german
    assert [text.replace(",", ".") for text in german] == english


def test_different_drawings_share_no_id():
    one, two = (find_ids(draw(colour, is_cut=True)) for colour in (theme.BETTER, theme.WORSE))
    assert len(one) == 1  # the clip of the line that reaches out of the axes
    assert not one & two


def test_every_reference_leads_to_an_id():
    svg = draw(is_cut=True)
    used = re.findall(r'url\(#([^)]+)\)|href="#([^"]+)"', svg)
    assert {left or right for left, right in used} == find_ids(svg)


def test_palette_colours_become_variables_and_others_stay():
    assert "stroke:var(--blue)" in draw(theme.BETTER)
    assert "#0b5cad" not in draw(theme.BETTER)
    assert "stroke:#123456" in draw("#123456")


def test_a_name_stays_text_and_is_never_mathematics_or_markup():
    svg = draw(label="<b>$x$ & محمد")
    assert ">&lt;b&gt;$x$ &amp; محمد</text>" in svg


def test_a_name_that_looks_like_a_reference_is_left_alone():
    assert '>url(#p1) id="p1"</text>' in draw(label='url(#p1) id="p1"')


def test_control_characters_in_a_name_do_not_break_the_drawing():
    assert ">Ana</text>" in draw(label="A\x0bna")


def test_the_view_box_keeps_its_case_and_the_document_its_frame_only():
    svg = draw()
    assert re.match(r'<svg viewBox="0 0 288 144" style="fill:none[^"]*" width="384">', svg)
    for leftover in ("<?xml", "<!DOCTYPE", "<metadata", "<style", "font-family", "xmlns"):
        assert leftover not in svg


def test_the_result_is_well_formed_and_small():
    svg = draw(marks=60)
    ElementTree.fromstring(svg)
    assert len(svg) < 2_500


def test_labels_of_all_cells_of_a_grid_lie_inside_the_drawing():
    # The boxes are those of another renderer, which rounds letters to whole points: 4 of slack.
    with theme.use_theme():
        figure, grid = plt.subplots(2, 2, figsize=(6, 4), gridspec_kw={"width_ratios": (3, 1)})
        for axes in grid.ravel():
            axes.set_xlabel("Below")
            axes.set_ylabel("Beside")
            axes.set_yticks([0, 1], ["a long name of a row", "another"])
        render_svg(figure)
        boxes = [axes.get_tightbbox() for axes in grid.ravel()]
    plt.close(figure)
    assert min(box.x0 for box in boxes) >= -4
    assert max(box.x1 for box in boxes) <= 6 * 72 + 4
    assert min(box.y0 for box in boxes) >= -4
    assert max(box.y1 for box in boxes) <= 4 * 72 + 4
    assert not any(
        one.overlaps(two) for place, one in enumerate(boxes) for two in boxes[place + 1 :]
    )
    left, right = grid[0]
    assert left.bbox.width == pytest.approx(3 * right.bbox.width)


def test_a_crowded_layer_becomes_pixels():
    assert "<image" not in draw(marks=theme.CROWDED)
    crowded = draw(marks=theme.CROWDED + 1)
    assert 'href="data:image/png;base64,' in crowded
    assert len(crowded) < 15_000


@pytest.mark.parametrize(
    "content",
    [
        "<script>x()</script>",
        '<path d="M0 0L1 1" onclick="x()"/>',
        '<a xlink:href="javascript:x()"><path d="M0 0L1 1"/></a>',
        '<use xlink:href="https://example.org/a.svg#x"/>',
        '<image xlink:href="https://example.org/a.png"/>',
        '<image xlink:href="data:image/svg+xml;base64,AAAA"/>',
        '<path d="M0 0L1 1" style="fill: url(https://example.org/x)"/>',
        '<path d="M0 0L1 1" style="fill: URL(x)"/>',
        '<path d="M0 0L1 1" clip-path="url(https://example.org/#x)"/>',
        "<foreignObject><p>x</p></foreignObject>",
        '<animate attributeName="href" values="javascript:x()"/>',
        "<style>@import url(https://example.org)</style>",
    ],
)
def test_nothing_that_runs_or_fetches_survives(content):
    cleaned = clean(content)
    for trace in ("script", "onclick", "example", "foreign", "animate", "import", "svg+xml", "URL"):
        assert trace not in cleaned


def test_a_link_is_removed_and_what_it_held_stays():
    assert clean('<a xlink:href="javascript:x()"><text x="1">Ana</text></a>') == (
        '<svg viewBox="0 0 60 30" style="fill:var(--ink);stroke-linejoin:round" width="80">'
        '<text x="1">Ana</text></svg>'
    )


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("<svg><g></svg>", "expected well-formed XML"),
        ("<html></html>", "starts with <html>; expected <svg>"),
        ('<!DOCTYPE svg [<!ENTITY a "b">]><svg>&a;</svg>', "declares an entity"),
    ],
)
def test_what_is_not_a_drawing_is_refused(source, message):
    with pytest.raises(ParameterError, match=message):
        clean_svg(source)


def test_the_theme_puts_matplotlib_back_as_it_was():
    before = dict(mpl.rcParams)
    with theme.use_theme():
        assert mpl.rcParams["svg.fonttype"] == "none"
        assert not mpl.rcParams["axes.spines.right"]
    assert dict(mpl.rcParams) == before


def test_both_palettes_name_the_same_colours_and_each_light_hex_is_unique():
    assert set(theme.LIGHT) == set(theme.DARK)
    assert len(set(theme.LIGHT.values())) == len(theme.LIGHT)
