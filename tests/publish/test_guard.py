import sys
from pathlib import Path

import pytest

from salesnb.measures.privacy import People
from salesnb.privacy import NAMED, Privacy
from salesnb.publish.export import render_report
from salesnb.publish.guard import inspect_page, inspect_people, without_paths
from salesnb.publish.page import load_assets
from salesnb.publish.portal import render_portal

PEOPLE = People({"005Nw0000004C93IAE": "Sabine O'Hara"}, ())


@pytest.fixture(scope="module")
def page():
    from nbformat.v4 import new_markdown_cell, new_notebook

    return render_report(new_notebook(cells=[new_markdown_cell("# Q?\n\nthese-words")]))


def test_our_pages_pass(page):
    assert inspect_page(page) == ()
    assert inspect_page(render_portal([], title="Acme", as_of="")) == ()


@pytest.mark.parametrize(
    ("added", "problem"),
    [
        ("<script>x()</script>", "it has a script that is not ours"),
        ("<SCRIPT>x()</SCRIPT >", "it has a script that is not ours"),
        ('<script src="https://e.example/x.js"></script>', "it loads something from elsewhere"),
        ('<p onclick="x()">', "it has an event handler"),
        ("<p/onclick=x()>", "it has an event handler"),
        ('<a href="javascript:x()">a</a>', "it has a link that runs a script"),
        ('<a href=" &#106;avascript:x()">a</a>', "it has a link that runs a script"),
        ('<a href="data:text/html,x">a</a>', "it has a link that runs a script"),
        ('<img src="//e.example/x.png">', "it loads something from elsewhere"),
        ('<img src="x.png">', "it loads something from elsewhere"),
        ('<svg><use xlink:href="https://e.example/x.svg#a"/></svg>',
         "it loads something from elsewhere"),
        ('<link rel="stylesheet" href="https://e.example/x.css">',
         "it loads something from elsewhere"),
        ('<p style="background:url(https://e.example/x)">',
         "its styles load something from elsewhere"),
        ("<style>@import 'https://e.example/x';</style>",
         "its styles load something from elsewhere"),
        ('<svg><rect fill="url(https://e.example/x)"/></svg>',
         "its styles load something from elsewhere"),
        ("<iframe></iframe>", "it has an element that no report has (<iframe>)"),
        ("<form></form>", "it has an element that no report has (<form>)"),
        ("<svg><animate/></svg>", "it has an element that no report has (<animate>)"),
        ('<meta http-equiv="refresh" content="0">',
         "it has a meta element that no report has (refresh)"),
        ('<meta http-equiv="Content-Security-Policy" content="">',
         "its content policy is not ours"),
        (f"{Path.home().resolve()}/x" if len(str(Path.home())) > 5 else f"{sys.prefix}/x",
         "it shows a path of this machine"),
        (f"{Path(sys.prefix)}/bin", "it shows a path of this machine"),
        ("-----BEGIN PRIVATE KEY-----", "it shows what looks like a private key"),
        ("postgres://a:b&#64;c", "it shows what looks like an address with a password"),
    ],
)  # fmt: skip
def test_what_no_page_may_hold_is_found(page, added, problem):
    assert problem in inspect_page(page.replace("these-words", f"these-words {added}"))


@pytest.mark.parametrize(
    "added",
    [
        '<a href="https://e.example">a</a>', '<a href="index.html#x">a</a>',
        '<img src="data:image/png;base64,AAAA" alt="a">', '<svg><use href="#a"/></svg>',
        '<svg><rect fill="url(#a)"/></svg>', "&lt;script&gt;x()&lt;/script&gt; onclick=x()",
        "url(https://e.example) javascript:x()", "/usr/share/x and C:\\x", "password reset",
    ],
)  # fmt: skip
def test_what_a_page_may_hold_passes(page, added):
    assert inspect_page(page.replace("these-words", added)) == ()


def test_a_script_that_does_not_end_is_found(page):
    assert "it has a script that does not end" in inspect_page(f"{page}<script>x()")


def test_a_page_without_its_policy_is_refused(page):
    assert inspect_page(page.replace(load_assets().policy, "default-src *")) == (
        "its content policy is not ours",
    )


def test_a_problem_is_told_without_what_it_found(page):
    told = inspect_page(
        page.replace("these-words", "postgres://ann:hunter2@c <script>hunter2</script>")
    )
    assert len(told) == 2
    assert "hunter2" not in "".join(told)


def test_paths_of_the_machine_are_left_out_of_messages():
    assert without_paths(f"{Path.cwd()}/params/x.yaml: no") == "…/params/x.yaml: no"


@pytest.mark.parametrize(
    ("mode", "text", "problems"),
    [
        ("named", "Sabine O'Hara ‹K7M4›", 0),
        ("pseudonyms", "Sabine O&#x27;Hara", 1),
        ("pseudonyms", "005Nw0000004C93IAE", 1),
        ("pseudonyms", "Rep K7M4 ‹K7M4›", 0),
        ("team_only", "‹K7M4›", 1),
        ("team_only", "&lsaquo;K7M4&rsaquo; of Sabine O'Hara", 2),
        ("pseudonyms", "Sabine O'H<wbr>ara", 1),
        ("team_only", "North", 0),
    ],
)
def test_a_page_tells_of_people_only_what_was_chosen(mode, text, problems):
    privacy = NAMED if mode == "named" else Privacy(mode, "ab" * 32)
    assert len(inspect_people(text, PEOPLE, privacy)) == problems
