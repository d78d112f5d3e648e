"""Every public result shows itself: in a notebook, a terminal and a log, whatever names hold."""

import inspect
import pickle
import re
import typing
from dataclasses import dataclass
from functools import cached_property
from html import unescape
from html.parser import HTMLParser
from io import StringIO

import every_result
import pytest
from every_result import HOSTILE, NO_RESULTS
from IPython.core.formatters import DisplayFormatter
from rich.console import Console

import salesnb as sn
from salesnb.analysis.result import Result
from salesnb.summary import Summarised, printable

RESULTS = sorted(set(sn.__all__) - NO_RESULTS)
LONGEST = 4000
SHOWS = ("<table", "<svg", "<dl", "<ol", 'class="note')
TAG = re.compile(r"<[^>]*>")


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    return every_result.make_all(tmp_path_factory.mktemp("hostile"))


@dataclass
class Showing:
    """A result and all the ways it is shown, each made once."""

    result: Summarised

    @cached_property
    def data(self):
        return DisplayFormatter().format(self.result)[0]

    @cached_property
    def figure(self):
        return self.result.plot() if isinstance(self.result, Result) else self.result

    @cached_property
    def figure_html(self):
        views = [Result._views.get((type(self.result), kind)) for kind in ("table", "plot")]
        is_same = views[0] == views[1]
        return self.data["text/html"] if is_same else self.figure._repr_html_()

    @cached_property
    def terminal(self):
        out = StringIO()
        Console(file=out, width=200).print(self.result)
        return out.getvalue()


@pytest.fixture(scope="module")
def showings(found):
    return {name: Showing(result) for name, result in found.items()}


@pytest.fixture(params=RESULTS)
def shown(request, showings):
    return showings[request.param]


class Tags(HTMLParser):
    """Collects what an HTML text would do beside showing words."""

    def __init__(self, html):
        super().__init__()
        self.active = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        if tag in ("script", "img") or any(name.startswith("on") for name, _ in attrs):
            self.active.append((tag, attrs))


def squeeze(text):
    return " ".join(printable(text).split())


def read(html):
    return squeeze(unescape(TAG.sub(" ", re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL))))


def test_every_public_name_that_gives_a_result_is_made_here(found):
    assert sorted(found) == RESULTS


@pytest.mark.parametrize("name", RESULTS)
def test_a_function_says_what_it_gives(name, found):
    hint = typing.get_type_hints(inspect.unwrap(getattr(sn, name)))["return"]
    (given,) = {*(typing.get_args(hint) or (hint,))} - {type(None)}
    assert issubclass(given, Summarised)
    assert type(found[name]) is given


def test_what_gives_no_result_gives_something_else():
    for name in NO_RESULTS - {"views", "PlanLimits", "SkillSegmenter"}:
        hint = typing.get_type_hints(inspect.unwrap(getattr(sn, name)))["return"]
        assert "salesnb" not in str(hint)


def test_a_notebook_shows_finding_picture_and_caveat(shown):
    assert shown.data["text/plain"] == repr(shown.result)
    assert any(mark in shown.data["text/html"] for mark in SHOWS)
    said = read(shown.data["text/html"]).replace(" ", "")
    for words in (shown.result.finding, shown.result.caveat):
        assert squeeze(words).replace(" ", "") in said


def test_views_know_every_result(shown):
    if isinstance(shown.result, Result):
        assert (type(shown.result), "table") in Result._views
        assert '<div class="snb">' in shown.data["text/html"]
        assert any(mark in shown.figure_html for mark in SHOWS)


def test_a_log_and_a_terminal_get_a_short_text(shown):
    plain = repr(shown.result)
    assert squeeze(shown.result.finding) in squeeze(plain)
    assert squeeze(shown.result.finding)[:60] in squeeze(shown.terminal)
    assert len(plain) < LONGEST


def test_names_are_no_markup_and_steer_no_terminal(shown):
    plain = (repr(shown.result), repr(shown.figure), shown.terminal)
    html = (shown.data["text/html"], shown.figure_html)
    assert [text for text in (*plain, *html) if "\x1b" in text] == []
    assert [Tags(text).active for text in html] == [[], []]


def test_the_reader_of_tags_sees_what_runs():
    assert len(Tags(HOSTILE).active) == 2
    assert Tags('<svg aria-label="a onerror=1">&lt;script&gt;</svg>').active == []


def test_hostile_names_are_really_shown(found):
    for name in ("performance_matrix", "contributions", "load_pipeline", "estimate_rates"):
        assert "<script>" in repr(found[name]) or "&lt;script&gt;" in found[name]._repr_html_()


def test_a_result_can_be_kept_and_read_back(shown):
    assert repr(pickle.loads(pickle.dumps(shown.result))) == repr(shown.result)


def test_what_is_cut_says_so(found):
    snapshot = found["load_snapshot"]
    assert f"The first of {len(snapshot.to_frame())} rows and 7 columns; all" in repr(snapshot)
