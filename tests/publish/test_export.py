import base64
import hashlib
import re

import pandas as pd
import pytest
from nbconvert.exporters import get_exporter
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from salesnb.publish.export import render_report
from salesnb.publish.sanitise import clean_html, safe_link
from salesnb.publish.shorten import shorten_page
from salesnb.views.blocks import (
    Cell,
    Definition,
    Definitions,
    Figure,
    Headline,
    Headlines,
    Matrix,
    Note,
    Table,
    Tile,
    Tiles,
)
from salesnb.views.svg import clean_svg

NAME = 'R&D "Ana" <script>x()</script> O\'Hara\u00a0محمد'
DRAWING = clean_svg(
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 60 30"><defs><clipPath id="a">'
    '<rect x="0" y="0" width="9.123" height="9"/></clipPath><pattern id="p" width="2" height="2" '
    'patternUnits="userSpaceOnUse"><path d="M 0 0 L 1 1" style="stroke: #000000"/></pattern>'
    '</defs><g clip-path="url(#a)"><path d="M 0 0 L 60 30" style="fill: url(#p); stroke: #0b5cad; '
    'stroke-dasharray: 5.55,2.4"/><text x="3" style="font: 10px \'Arial\'" '
    'transform="rotate(-90 3 4)">R&amp;D &lt;b&gt;</text></g></svg>'
)
BLOCKS = [
    Figure(
        title=NAME,
        caption=NAME,
        alt=NAME * 2,
        how_to_read=NAME,
        numbers=pd.DataFrame({NAME: [NAME], "n": [1.5]}),
        svg=DRAWING,
        narrow_svg=clean_svg('<svg viewBox="0 0 6 3"><circle cx="1" cy="1" r="1"/></svg>'),
    ),
    Table.from_frame(pd.DataFrame({NAME: [NAME], "n": [1.5]}), title=NAME, key=(NAME,)),
    Table.from_frame(pd.DataFrame({f"{NAME} {n}": [NAME] for n in range(5)}), title=NAME),
    Matrix(NAME, NAME, (NAME,), [(NAME, [Cell(NAME, NAME, 3, NAME, (1, 3, 2))])]),
    Headlines((Headline(NAME, NAME, "moderate"),)),
    Tiles((Tile(NAME, NAME, NAME, "down", NAME),)),
    Note(NAME, kind="limit"),
    Definitions((Definition(NAME, NAME, NAME),)),
]


def run(*contents, **info):
    """Make an executed notebook: texts become markdown, data bundles and outputs code cells."""
    cells = []
    for content in contents:
        if isinstance(content, str):
            cells.append(new_markdown_cell(content))
        else:
            output = content if "output_type" in content else show(content)
            cells.append(new_code_cell("secret_code()", outputs=[output], execution_count=77))
    return new_notebook(cells=cells, metadata={"salesnb": info} if info else {})


def show(data, **metadata):
    return new_output("display_data", data=data, metadata=metadata)


def fail(name, message):
    return new_output("error", ename=name, evalue=message, traceback=["Traceback: secret.py"])


def body_of(page):
    """Return the page without its style sheet and script."""
    return re.sub(r"<(style|script)>.*?</\1>", "", page, flags=re.DOTALL)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: type(block).__name__)
def test_a_block_reaches_the_page_byte_for_byte(block):
    html = block.render_html()
    assert clean_html(html) == html
    page = render_report(run(block._repr_mimebundle_()))
    assert shorten_page(f'<body><div class="snb">{html}</div>').partition("<body>")[2] in page


def test_equal_notebooks_give_equal_bytes():
    notebook = run("# Q", "## A", BLOCKS[0]._repr_mimebundle_(), title="North")
    assert render_report(notebook) == render_report(notebook)


def test_nbconvert_finds_the_exporter_by_name():
    page, resources = get_exporter("salesnb")().from_notebook_node(run("# Who leads?"))
    assert page == render_report(run("# Who leads?"))
    assert resources["output_extension"] == ".html"


def test_a_bare_notebook_makes_a_page():
    page = render_report(new_notebook())
    assert "<h1><bdi>Report</bdi></h1>" in page
    assert '<html lang="en"' in page
    assert "banner" not in body_of(page)
    assert "About this report" not in page


def test_the_header_says_what_the_metadata_say():
    page = render_report(
        run(
            "# How does my team stand?",
            title="Team <North>",
            company="Acme & Co",
            quarter="2026 Q3",
            as_of="2026-10-05",
            meta="14 reps",
            lang="pt",
            links=[["All reports", "../index.html"]],
        )
    )
    assert "<h1><bdi>Team &lt;North&gt;</bdi> <span>2026 Q3</span></h1>" in page
    assert '<p class="question">How does my team stand?</p>' in page
    assert "Acme &amp; Co · Sales performance report" in page
    assert 'Data as of <time datetime="2026-10-05">5 October 2026</time> · 14 reps</p>' in page
    assert '<html lang="pt"' in page
    assert '<a href="../index.html">All reports</a>' in page
    assert "<title>Team &lt;North&gt; – 2026 Q3 – Sales performance report</title>" in page


def test_the_question_is_the_title_when_there_is_no_other():
    page = render_report(run("# Who leads?"))
    assert "<h1><bdi>Who leads?</bdi></h1>" in page
    assert 'class="question"' not in page


def test_sections_have_anchors_and_a_table_of_contents():
    page = render_report(run("# Q", "## Are *they* real?\n\nYes.", "### How\n\n## Are they real?"))
    assert '<h2 id="are-they-real">Are <em>they</em> real?</h2>' in page
    assert '<h2 id="are-they-real-2">' in page
    assert '<h3 id="how">How</h3>' in page
    assert '<li><a href="#are-they-real">Are they real?</a></li>' in page
    assert '<li><a href="#are-they-real-2">Are they real?</a></li>' in page


def test_code_its_chatter_and_counts_are_not_shown():
    chatter = [new_output("stream", name=name, text="noise") for name in ("stdout", "stderr")]
    page = render_report(run("# Q", *chatter, {"text/plain": "42"}))
    assert "<pre>42</pre>" in page
    for hidden in ("secret_code", "noise", "77", "In ["):
        assert hidden not in body_of(page)


@pytest.mark.parametrize("tag", ["remove-cell", "remove-output", "papermill-error-cell-tag"])
def test_a_cell_tagged_away_is_not_shown(tag):
    notebook = run("An exception was encountered")
    notebook.cells[0].metadata["tags"] = [tag]
    assert "An exception" not in render_report(notebook)


def test_the_richest_form_of_an_output_is_shown():
    page = render_report(run({"text/html": "<p>rich</p>", "text/plain": "plain"}))
    assert "<p>rich</p>" in page
    assert "plain" not in body_of(page)


@pytest.mark.parametrize("shown", ["<Axes: xlabel='x'>", "Text(0.5, 1, 'x')", "None"])
def test_the_name_of_an_object_is_no_result(shown):
    assert 'class="out' not in render_report(run({"text/plain": shown}))


def test_other_kinds_of_output_are_left_out():
    page = body_of(render_report(run({"application/javascript": "x()", "text/latex": "y"})))
    assert "x()" not in page
    assert 'class="out' not in page


def test_a_picture_with_words_is_shown_and_one_without_is_named():
    shown = render_report(run(show({"image/png": "iVBO\nRw0="}, alt='A "line" rises')))
    assert '<img src="data:image/png;base64,iVBORw0=" alt="A &quot;line&quot; rises">' in shown
    named = render_report(run({"image/png": "iVBORw0="}))
    assert "A picture has no alternative text and is not shown." in named
    assert "<img" not in named


@pytest.mark.parametrize("kind", ["text/html", "text/markdown"])
def test_a_picture_inside_other_output_needs_words_too(kind):
    page = render_report(run({kind: '<p><img src="data:image/png;base64,AAAA" alt=""></p>'}))
    assert "<em>A picture has no alternative text and is not shown.</em>" in page
    assert "<img" not in page


def test_a_foreign_drawing_is_cleaned_like_our_own():
    source = '<svg viewBox="0 0 6 3" onload="x()"><path d="M 0 0 L 1 1"/></svg>'
    page = render_report(run(show({"image/svg+xml": source}, **{"image/svg+xml": {"alt": "Up"}})))
    assert '<svg role="img" aria-label="Up" viewBox="0 0 6 3"' in page
    assert "onload" not in body_of(page)


def test_a_frame_is_put_in_a_box_that_scrolls_and_keeps_no_empty_heading():
    page = render_report(run({"text/html": pd.DataFrame({"n": [1]}).to_html()}))
    assert '<div class="out scroll" tabindex="0" role="group" aria-label="Result">' in page
    assert "<th></th>" not in page
    assert "border=" not in body_of(page)


@pytest.mark.parametrize(
    "harm",
    [
        "<script>x()</script>",
        '<img src="https://example.org/a.png" onerror="x()">',
        '<img src="data:image/svg+xml;base64,AAAA">',
        '<a href="javascript:x()">a</a>',
        '<a href=" java\nscript:x()">a</a>',
        '<a href="data:text/html,x()">a</a>',
        '<iframe src="https://example.org"></iframe>',
        '<form action="https://example.org"><input name="a"></form>',
        '<link rel="stylesheet" href="https://example.org">',
        '<meta http-equiv="refresh" content="0;https://example.org">',
        '<base href="https://example.org">',
        '<div style="position:fixed">a</div>',
        '<table style="position:fixed"><tr><td>a</td></tr></table>',
        "<table style=\"--h1:'a';--h2:url(https://example.org)\"><tr><td>a</td></tr></table>",
        "<style>@import 'https://example.org'</style>",
        '<svg><use href="https://example.org#x"></use></svg>',
        '<svg><a xlink:href="javascript:x()"><text>a</text></a></svg>',
        '<svg><image href="https://example.org/a.png"></image></svg>',
        '<svg><path style="fill:url(https://example.org)"></path></svg>',
        "<math><mi xlink:href='javascript:x()'>a</mi></math>",
        '<object data="https://example.org"></object>',
        '<p id="page-theme" onclick="x()" tabindex="5">a</p>',
        '<svg></p><style><a id="</style><img src=1 onerror=x()>">',
    ],
)
@pytest.mark.parametrize("kind", ["text/html", "text/markdown", "cell"])
def test_marked_up_harm_is_left_out(kind, harm):
    page = body_of(render_report(run(harm if kind == "cell" else {kind: harm})))
    main = page[page.index("<main") :]
    live = re.sub(r"&lt;.*?&gt;", "", main)
    for trace in ("x()", "example.org", "<iframe", "<form", "style=", "page-theme", "onclick"):
        assert trace not in live


def test_a_failed_step_gives_a_banner_and_a_note_but_no_traceback():
    page = render_report(run("## A", fail("KeyError", "'secret'"), "## B"))
    assert "<b>This report is incomplete</b>" in page
    assert "A step of this report stopped before its end" in page
    assert "This step did not finish" in page
    assert page.index("This step did not finish") < page.index('<h2 id="b">')
    for hidden in ("Traceback", "KeyError", "secret"):
        assert hidden not in body_of(page)


def test_our_own_error_is_told_in_its_words_escaped():
    page = render_report(run(fail("DataError", "a.csv: 'amount' is <empty>")))
    assert "a.csv: &#39;amount&#39; is &lt;empty&gt;" in page


def test_a_reason_given_is_the_reason_shown():
    page = render_report(run(fail("DataError", "other"), status="incomplete", reason="Too slow."))
    assert "<p>Too slow.</p></div>" in page
    assert "other" not in body_of(page)


def test_what_was_left_out_and_where_it_comes_from_close_the_page():
    page = render_report(
        run(
            "## A",
            left_out=[{"section": "Leads", "needs": "the leads table"}],
            provenance=[["Snapshot", "<3f9c>"]],
        )
    )
    assert "<li><b>Leads</b> needs the leads table</li>" in page
    assert "<dt>Snapshot</dt><dd>&lt;3f9c&gt;</dd>" in page
    assert '<a href="#page-about">About this report</a>' in page


def test_a_headline_whose_figure_is_missing_loses_its_link():
    headlines = Headlines(
        (Headline("A", "B", "strong", "def-win-rate"), Headline("C", "D", "strong", "fig-gone"))
    )
    definitions = Definitions((Definition("Win rate", "Won / closed"),))
    page = render_report(run(headlines._repr_mimebundle_(), definitions._repr_mimebundle_()))
    assert page.count("See the evidence") == 1
    assert 'href="#def-win-rate"' in page
    assert "#fig-gone" not in page


def test_a_figure_shown_twice_does_not_repeat_an_id():
    bundle = BLOCKS[0]._repr_mimebundle_()
    ids = re.findall(r' id="([^"]+)"', body_of(render_report(run(bundle, bundle))))
    assert len(ids) == len(set(ids))


def test_the_policy_allows_our_script_and_nothing_else():
    page = render_report(new_notebook())
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)[1]
    script = re.findall(r"<script>(.*?)</script>", page, flags=re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script[0].encode()).digest()).decode()
    assert policy == (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
    assert len(script) == 1
    assert len(script[0].encode()) < 4096
    assert '<meta name="robots" content="noindex">' in page


def test_an_unsafe_link_of_the_metadata_is_left_out():
    page = render_report(run(links=[["Bad", "javascript:x()"], ["Good", "b.html"]]))
    assert "Bad" not in body_of(page)
    assert '<a href="b.html">Good</a>' in page


@pytest.mark.parametrize(
    ("href", "safe"),
    [
        ("a%20b/c.html?x=1#y", "a%20b/c.html?x=1#y"),
        ("https://example.org/", "https://example.org/"),
        ("java\tscript:x()", ""),
        ("\\\\example.org", ""),
        ("/\\example.org", ""),
        ("file:///etc/passwd", ""),
    ],
)
def test_a_link_stays_in_the_reports_or_opens_a_web_page(href, safe):
    assert safe_link(href) == safe
