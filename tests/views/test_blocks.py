import math
import re
from html.parser import HTMLParser

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from salesnb.errors import ParameterError
from salesnb.language import format_share, speaking
from salesnb.views import blocks, theme
from salesnb.views.blocks import (
    Cell,
    Definition,
    Definitions,
    Figure,
    Headline,
    Headlines,
    Matrix,
    Note,
    Remark,
    Remarks,
    Table,
    Tile,
    Tiles,
)
from salesnb.views.blocks.base import FACTS_MIME
from salesnb.views.blocks.matrix import render_sparkline
from salesnb.views.blocks.table import read_number

HOSTILE = "<script>x()</script>\"><img src=x onerror='x()'>"
ALT = "Dot plot of two win rates, 20 and 30 percent, intervals overlap."


def make_figure(**changes):
    words = {"title": "No rep stands out", "caption": "Win rate, n = 20", "alt": ALT}
    fields = {"how_to_read": "", "numbers": None, "svg": '<svg viewBox="0 0 1 1"></svg>'}
    return Figure(**{**words, **fields, **changes})


def list_tags(html):
    """Return each start tag with its attributes' names."""
    found = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attributes: found.append((tag, dict(attributes)))
    parser.feed(html)
    return found


def all_blocks_saying(words):
    frame = pd.DataFrame({words: [words]})
    return [
        make_figure(title=words, caption=words, alt=words * 10, how_to_read=words, numbers=frame),
        Table.from_frame(frame, title=words, caption=words, key=(words,)),
        Matrix(words, words, (words,), [(words, [Cell(words, note=words, words=words)])]),
        Headlines((Headline(words, words, "strong", words),)),
        Tiles((Tile(words, words, words, "up", words),)),
        Note(words),
        Definitions((Definition(words, words, words),)),
        Remarks(words, words, ((words, (Remark(words, words, (words,), words),)),)),
    ]


@pytest.mark.parametrize(
    "block", all_blocks_saying(HOSTILE), ids=lambda block: type(block).__name__
)
def test_no_block_lets_a_name_become_markup(block):
    html = block.render_html()
    assert "&lt;script&gt;x()&lt;/script&gt;" in html
    found = list_tags(html)
    assert not {"script", "img"} & {tag for tag, _ in found}
    assert not [name for _, names in found for name in names if name.startswith("on")]


@pytest.mark.parametrize("block", all_blocks_saying("Ana"), ids=lambda block: type(block).__name__)
def test_a_notebook_gets_html_with_its_own_style_and_plain_text(block):
    bundle = block._repr_mimebundle_()
    assert bundle["text/html"] == (
        f'<style>{blocks.base.notebook_style()}</style><div class="snb">{block.render_html()}</div>'
    )
    assert "Ana" in bundle["text/plain"]
    assert "<" not in bundle["text/plain"]


@pytest.mark.parametrize("title", ["", "  "])
def test_a_figure_without_a_finding_is_refused(title):
    with pytest.raises(ParameterError, match="has no title; expected the finding"):
        make_figure(title=title)


def test_a_figure_with_a_short_alternative_text_is_refused():
    with pytest.raises(ParameterError, match="has 29 characters; expected at least 30"):
        make_figure(alt="x" * 29 + "   ")
    assert make_figure(alt="x" * 30).alt == "x" * 30


def test_a_figure_shows_only_the_folds_it_has():
    assert "<details" not in make_figure().render_html()
    numbers = pd.DataFrame({"Rep": ["Ana"], "Deals": [1200]})
    html = make_figure(how_to_read="Look left.", numbers=numbers).render_html()
    assert "<summary>How to read this</summary><p>Look left.</p>" in html
    assert '<th scope="row"><bdi>Ana</bdi></th><td>1,200</td>' in html
    assert '<table class="t r1">' in html


def test_a_figure_describes_both_its_drawings():
    html = make_figure(narrow_svg='<svg viewBox="0 0 2 2"></svg>').render_html()
    assert html.count(f'<svg role="img" aria-label="{ALT}"') == 2


def test_a_figure_made_from_axes_closes_the_drawing():
    with theme.use_theme():
        drawing, axes = plt.subplots()
    axes.set_xlabel("Closed deals")
    figure = Figure.from_axes(axes, title="A", caption="B", alt=ALT, anchor="fig-x")
    assert ">Closed deals</text>" in figure.svg
    assert '<figure class="fig" id="fig-x">' in figure.render_html()
    assert not plt.fignum_exists(drawing.number)


def test_a_figure_is_linked_to_by_its_title_when_it_has_no_anchor():
    assert 'id="fig-no-rep-stands-out"' in make_figure().render_html()


def test_a_table_aligns_numbers_and_leaves_text_left():
    frame = pd.DataFrame(
        {
            "Rep": ["Ana", "Bo"],
            "Deals": [1303, None],
            "Rate": ["27%", "31%"],
            "Score": [2.5, -3.0],
            "Won": [True, False],
            "On": pd.to_datetime(["2026-10-05", None]),
        }
    )
    table = Table.from_frame(frame, title="Actions")
    assert table.numeric == {1, 2, 3}
    assert table.rows == (
        ("Ana", "1,303", "27%", "2.5", "yes", "2026-10-05"),
        ("Bo", "–", "31%", "−3.0", "no", "–"),
    )


def test_a_table_of_no_rows_still_has_its_heading():
    table = Table.from_frame(pd.DataFrame({"Rep": []}), title="None")
    assert '<th scope="col">Rep</th></tr></thead><tbody></tbody>' in table.render_html()


def test_a_ragged_table_is_refused():
    with pytest.raises(ParameterError, match=r"1 rows \(e.g. 'Bo'\) do not have 2 cells"):
        Table("T", "", ("Rep", "n"), (("Ana", "1"), ("Bo",)))


@pytest.mark.parametrize(
    ("shown", "number"),
    [("€11.4k", 11400), ("−3 pts", -3), ("58 days", 58), ("8–14", None), ("Q3", None), ("–", None)],
)
def test_a_shown_number_can_be_read_back(shown, number):
    assert read_number(shown) == number


@pytest.mark.parametrize(
    ("shown", "number"),
    [("1.303", 1303), ("1.303,5", 1303.5), ("−0,3", -0.3), ("11,4 €", 11.4), ("30.09.2026", None),
     ("1,303.5", None)],
)  # fmt: skip
def test_a_shown_number_is_read_back_in_the_language_it_was_written_in(shown, number):
    with speaking("de"):
        assert read_number(shown) == number
        assert read_number(format_share(0.256, 1)) == 25.6


def test_days_sort_by_what_they_mean_and_stand_left_in_every_language():
    days = pd.to_datetime(["2026-10-05", "2026-02-28", None])
    frame = pd.DataFrame({"Rep": ["Ana", "Bo", "Cy"], "On": days})
    assert "data-v" not in Table.from_frame(frame, title="Actions").render_html()
    with speaking("de"):
        table = Table.from_frame(frame, title="Actions")
        html = table.render_html()
    assert table.rows[0] == ("Ana", "05.10.2026")
    assert not table.numeric
    later, earlier = (float(value) for value in re.findall(r'data-v="([^"]+)"', html))
    assert later > earlier
    with speaking("de"):
        html = Table("T", "", ("Rep", "On"), (("Ana", "99.99.2026"),)).render_html()
    assert "99.99.2026" in html


def test_a_tinted_cell_says_its_meaning_in_sign_and_words():
    html = Cell("22%", note="10–12", tint=-2).render_html()
    assert html.startswith('<td class="n2" data-v="22">')
    assert "▼" in html
    assert '<span class="sr">, worse</span>' in html
    assert "<small>10–12</small>" in html


def test_a_plain_cell_has_words_but_no_colour_or_sign():
    html = Cell("22%").render_html()
    assert "class=" not in html.partition(">")[0]
    assert '<span class="sr">, about the team level</span>' in html
    assert "aria-hidden" not in html


@pytest.mark.parametrize("tint", [4, -4, 1.5])
def test_a_tint_off_the_scale_is_refused(tint):
    with pytest.raises(ParameterError, match="expected a whole -3 to 3"):
        Cell("1", tint=tint)


def test_a_matrix_row_of_the_wrong_length_is_refused():
    with pytest.raises(ParameterError, match=r"\(e.g. 'Ana'\) do not have 2 cells"):
        Matrix("M", "", ("a", "b"), [("Ana", [Cell("1")])])


def test_the_reference_row_stands_apart_from_the_rows_that_sort():
    row = [Cell("1")]
    html = Matrix("M", "", ("a",), [("Ana", row)], reference=("Team", row)).render_html()
    team, reps = html.split("</tbody>")[:2]
    assert '<tbody class="ref"><tr><th scope="row"><bdi>Team' in team
    assert "Ana" in reps
    assert "Team" not in reps


def test_a_sparkline_leaves_a_gap_where_a_value_is_missing():
    html = render_sparkline((0.0, math.nan, 2.0, 1.0))
    assert 'd="m3 17m31.3-14 15.7 7"' in html


@pytest.mark.parametrize("values", [(), (1.0,), (math.nan, 1.0)])
def test_fewer_than_two_values_draw_no_sparkline(values):
    assert render_sparkline(values) == ""


def test_a_flat_sparkline_runs_through_the_middle():
    assert 'd="m3 10h47"' in render_sparkline((5.0, 5.0))


def test_no_findings_are_said_to_be_none():
    assert "No finding stands out" in Headlines(()).render_html()


def test_a_headline_names_its_evidence_and_links_to_it():
    html = Headlines((Headline("A", "B", "moderate", "fig-x"),)).render_html()
    assert '<span class="ev ev2"><i></i><i></i><i></i>Moderate evidence</span>' in html
    assert '<a class="see" href="#fig-x">See the evidence</a>' in html


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Headline("A", "B", "weak"), "evidence 'weak'; expected one of 'strong'"),
        (lambda: Tile("A", "1", direction="good"), "direction 'good'; expected one of 'up'"),
        (lambda: Note("A", kind="bad"), "kind 'bad'; expected one of 'missing'"),
    ],
)
def test_a_word_outside_its_vocabulary_is_refused(make, message):
    with pytest.raises(ParameterError, match=message):
        make()


def test_a_block_tells_the_portal_what_it_found_and_the_others_tell_nothing():
    headlines = Headlines((Headline("A", "B", "moderate"), Headline("C", "D", "strong")))
    assert headlines._repr_mimebundle_()[FACTS_MIME] == {"headline": "A", "evidence": "moderate"}
    assert FACTS_MIME not in Headlines(())._repr_mimebundle_()
    assert FACTS_MIME not in Note("A")._repr_mimebundle_()


def test_a_better_tile_has_a_sign_and_a_hidden_word():
    html = Tiles((Tile("Cycle", "58 days", "−6 days", "up"),)).render_html()
    assert '<span class="up"><span aria-hidden="true">▲</span>' in html
    assert '<span class="sr">better: </span>−6 days' in html


def test_control_characters_in_a_name_are_dropped():
    assert ">Ana</b>" in Headlines((Headline("A\x00n\x08a", "", "strong"),)).render_html()
