"""The sample company's reports in German: no English word is left, and figures are German ones."""

import re
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from babel.dates import get_month_names
from bs4 import BeautifulSoup, Comment, Doctype
from page_checks import MOST_BYTES
from texts import forms_of, read_translation

import salesnb as sn
from salesnb.language import CATALOGUES
from salesnb.params import RunParams
from salesnb.publish.batch import run_batch
from salesnb.publish.export import render_report
from salesnb.publish.plan import make_plan
from salesnb.schema import TABLES

GERMAN = CATALOGUES / "de.po"
NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
KINDS = (
    "team_review", "company_review", "pipeline_priorities", "sales_process", "marketing_alignment",
    "skill_segments", "training_impact", "data_quality",
)  # fmt: skip
SHOWN = ("alt", "title", "aria-label", "placeholder", "data-label")
SHORTEST = 3
NAMES = re.compile(r"\w+\.(?:csv|ipynb)|\w+ \d+(?:\.\d+)+|\b[0-9a-f]{12}\b|\w*…")
"""Files, packages with their versions, ids, and names that a figure has no room for."""
ENGLISH_FIGURE = re.compile(r"(?<![\d.,/-])[1-9]\d{0,2}(?:,\d{3})+(?![\d,])|\d\.\d+ ?%|\d%")
"""A comma before three digits, a decimal point before a percent sign, or no space before it."""


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """The portal, and a report of each kind."""
    folder = tmp_path_factory.mktemp("german")
    params = RunParams(
        snapshot="", quarter="2026Q3", reports=KINDS, teams=("North",),
        programmes=("NEG-220 2026-01",), notebooks=NOTEBOOKS, out=folder, language="de",
    )  # fmt: skip
    result = run_batch(make_plan(params), workers=2)
    assert result.failed == ()
    made = {
        item.job.notebook.stem: (result.portal.parent / f"{item.job.slug}.html").read_text()
        for item in result.done
    }
    return {**made, "portal": result.portal.read_text()}


@pytest.fixture(scope="module")
def english():
    """Words of the English texts, and of all reports as they are committed in English."""
    texts = [text for message in read_translation(GERMAN) for text in forms_of(message.id)]
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        texts += texts_in(render_report(nbformat.read(path, as_version=4)))
    return words_of(" ".join(texts))


@pytest.fixture(scope="module")
def german():
    """Words of the German texts, and of what a company writes itself."""
    said = [text for message in read_translation(GERMAN) for text in forms_of(message.string)]
    snapshot = sn.load_snapshot()
    written = []
    for path in sorted(snapshot.folder.rglob("*.parquet")):
        frame = pd.read_parquet(path)
        columns = frame.select_dtypes(include=["object", "string", "category"])
        written += [str(value) for name in columns for value in set(columns[name].map(str))]
    written += TABLES  # they are called as in the files
    months = get_month_names("wide", locale="de").values()
    return words_of(" ".join((*said, *written, *months)))


def test_all_texts_are_translated():
    open_ones = [
        one.id for one in read_translation(GERMAN) if one.id and not all(forms_of(one.string))
    ]
    assert open_ones == []


@pytest.mark.parametrize("kind", [*KINDS, "portal"])
def test_no_english_word_is_left(pages, english, german, kind):
    left = {
        word: text.strip()[:120]
        for text in texts_in(pages[kind])
        for word in words_of(text) & english - german
    }
    assert left == {}


@pytest.mark.parametrize("kind", [*KINDS, "portal"])
def test_figures_are_written_as_in_german(pages, kind):
    assert [text for text in texts_in(pages[kind]) if ENGLISH_FIGURE.search(text)] == []


@pytest.mark.parametrize("kind", [*KINDS, "portal"])
def test_a_page_in_german_is_as_small(pages, kind):
    assert len(pages[kind].encode()) <= MOST_BYTES


def texts_in(page):
    """List what a page shows or says aloud."""
    soup = BeautifulSoup(page, "html.parser")
    for gone in soup(["script", "style"]):
        gone.decompose()
    texts = [
        NAMES.sub(" ", text)
        for text in soup.find_all(string=True)
        if not isinstance(text, Comment | Doctype) and text.strip()
    ]
    return texts + [
        tag[name]
        for tag in soup.find_all()
        for name in SHOWN
        if tag.get(name) and tag.name != "meta"
    ]


def words_of(text):
    return {word.lower() for word in re.findall(r"[^\W\d_]+", text) if len(word) >= SHORTEST}
