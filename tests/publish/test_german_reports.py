"""The sample company's reports in German: no English word is left, and figures are German ones."""

import re
from pathlib import Path

import pandas as pd
import pytest
from babel.dates import get_month_names
from babel.messages.pofile import read_po
from bs4 import BeautifulSoup, Comment, Doctype

import salesnb as sn
from salesnb.language import CATALOGUES, speaking
from salesnb.params import RunParams
from salesnb.publish.batch import run_batch
from salesnb.publish.plan import make_plan

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
def batches(tmp_path_factory):
    """Reports of one quarter and team, of each kind, by language."""
    made = {}
    for code in ("en", "de"):
        folder = tmp_path_factory.mktemp(code)
        params = RunParams(
            snapshot="", quarter="2026Q3", reports=KINDS, teams=("North",),
            programmes=("NEG-220 2026-01",), notebooks=NOTEBOOKS, out=folder, language=code,
        )  # fmt: skip
        with speaking(code):
            result = run_batch(make_plan(params))
        assert result.failed == ()
        made[code] = {
            item.job.notebook.stem: (result.portal.parent / f"{item.job.slug}.html").read_text()
            for item in result.done
        }
        made[code]["portal"] = result.portal.read_text()
    return made


@pytest.fixture(scope="module")
def german():
    """Words of the German texts, and of what a company writes itself."""
    with (CATALOGUES / "de.po").open("rb") as stream:
        catalogue = read_po(stream, locale="de")
    said = [text for message in catalogue for text in _forms(message.string)]
    snapshot = sn.load_snapshot()
    written = []
    for path in sorted(snapshot.folder.rglob("*.parquet")):
        frame = pd.read_parquet(path)
        columns = frame.select_dtypes(include=["object", "string", "category"])
        written += [str(value) for name in columns for value in set(columns[name].map(str))]
        written.append(str(path.relative_to(snapshot.folder)))  # tables are called as in the files
    months = get_month_names("wide", locale="de").values()
    return words_of(" ".join((*said, *written, *months)))


def test_all_texts_are_translated():
    with (CATALOGUES / "de.po").open("rb") as stream:
        catalogue = read_po(stream, locale="de")
    open_ones = [one.id for one in catalogue if one.id and not all(_forms(one.string))]
    assert open_ones == []


@pytest.mark.parametrize("kind", [*KINDS, "portal"])
def test_no_english_word_is_left(batches, german, kind):
    assert leftovers(batches, german, kind) == {}


@pytest.mark.parametrize("kind", [*KINDS, "portal"])
def test_figures_are_written_as_in_german(batches, kind):
    assert [text for text in texts_in(batches["de"][kind]) if ENGLISH_FIGURE.search(text)] == []


def leftovers(batches, german, name):
    """English words of a German page, each with a text it is in."""
    english = words_of(" ".join(texts_in(batches["en"][name])))
    found = {}
    for text in texts_in(batches["de"][name]):
        for word in words_of(text) & english - german:
            found.setdefault(word, text.strip()[:120])
    return found


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


def _forms(text):
    return [text] if isinstance(text, str) else list(text)
