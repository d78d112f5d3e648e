import re

import pytest

from salesnb.publish.shorten import shorten_page

HEAD = "<html><head><style>p{}</style></head><body>"
GREY = 'style="fill:var(--grey)"'


def shorten(body):
    return shorten_page(HEAD + body).partition("<body>")[2]


def test_end_tags_go_only_where_the_next_tag_implies_them():
    row = "<tr><th>a</th><td>b</td></tr>"
    assert shorten(f"<table><thead>{row}</thead><tbody>{row}</tbody></table>") == (
        "<table><thead><tr><th>a<td>b<tbody><tr><th>a<td>b</table>"
    )
    apart = "<table><tr><td>a</td> <td>b</td></tr></table>"  # the blank would join the cell
    assert shorten(apart) == "<table><tr><td>a</td> <td>b</table>"


def test_empty_elements_of_drawings_close_themselves_and_others_do_not():
    assert shorten('<svg><path d="m0 0h1"></path><text x="1"></text></svg><p></p>') == (
        '<svg><path d="m0 0h1"/><text x="1"/></svg><p></p>'
    )


def test_a_style_drawings_repeat_becomes_a_rule():
    body = f'<svg><path {GREY}></path><g {GREY}><text style="fill:red">a</text></g></svg>'
    page = shorten_page(HEAD + body)
    assert "<style>p{}._a{fill:var(--grey)}</style>" in page
    assert '<path class="_a"/><g class="_a"><text style="fill:red">a</text></g>' in page


def test_a_style_beside_a_class_or_outside_a_drawing_stays():
    kept = f'<svg><path class="l" {GREY}/><path class="d" {GREY}/></svg><table {GREY}></table>'
    assert shorten(kept + kept) == kept + kept


def test_many_styles_have_names_of_their_own():
    styles = [f"stroke-width:{number}" for number in range(60)]
    body = "".join(f'<path style="{style}"></path>' * 2 for style in styles)
    page = shorten_page(HEAD + body)
    rules = dict(re.findall(r"\.(_\w+)\{(.*?)\}", page))
    assert sorted(rules.values()) == sorted(styles)
    drawn = re.findall(r'<path class="(_\w+)"/>', page)
    assert [rules[name] for name in drawn] == [style for style in styles for _ in range(2)]


@pytest.mark.parametrize("words", ["&lt;/td&gt;&lt;td&gt;", ' style="fill:var(--grey)"', "</ td>"])
def test_words_are_left_alone(words):
    body = f"<svg><text>{words}</text><text>{words}</text></svg><p>{words}</p>"
    assert shorten(body) == body
