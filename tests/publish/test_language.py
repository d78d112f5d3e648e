"""Batches in another language: what is said, who is told, what is made again or kept apart."""

import ast
import datetime as dt
import re
import string
from pathlib import Path

import pandas as pd
import pytest
import texts
from babel.messages.catalog import Catalog
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from tiny_batch import make_params, write_notebooks

from salesnb import language
from salesnb.errors import ParameterError
from salesnb.language import LANGUAGE
from salesnb.measures.cache import load_measures, share_folder
from salesnb.measures.privacy import People
from salesnb.params import PurposeParams, read_params
from salesnb.publish.batch import run_batch
from salesnb.publish.export import render_report
from salesnb.publish.mail import render_plain_mail
from salesnb.publish.manifest import About
from salesnb.publish.plan import make_plan
from salesnb.publish.portal import render_portal
from salesnb.publish.run import _read_facts
from salesnb.views.blocks import Headline, Headlines, Table

KINDS = ("team_review", "company_review", "data_quality")
TOLD = (
    "import os\nfrom salesnb.language import format_number, language\n"
    f"print(1)\n[os.environ[{LANGUAGE!r}], language(), format_number(1234.5, 1)]"
)
SAID = {
    "# Where do we stand?": "# Wo stehen wir?",
    "## Definitions and limits": "## Definitionen und Grenzen",
    "Team review": "Teambericht",
    "Data quality": "Datenqualität",
    "All reports": "Alle Berichte",
    "Same team": "Dasselbe Team",
    "Other teams": "Andere Teams",
    "Data as of {day}": "Datenstand: {day}",
    "Also found": "Weitere Befunde",
    "{n} of {all} reports": "{n} von {all} Berichten",
    "They are for the people named and those who lead them.": "Sie sind für die Genannten.",
    "Strong evidence": "Starke Belege",
    "person": ("Person", "Personen"),
}


@pytest.fixture
def german(tmp_path, monkeypatch):
    """A catalogue of a few words: what the package's says is no matter of these tests.

    There are two more languages, of no words at all.
    """
    folder = tmp_path / "locale"
    folder.mkdir()
    for code, words in {"de": SAID, "nl": {}, "tr": {}}.items():
        catalogue = Catalog(locale=code)
        for text, said in words.items():
            many = isinstance(said, tuple)
            catalogue.add((text, "people") if many else text, said)
        (folder / f"{code}.po").write_bytes(texts.render(catalogue))
    monkeypatch.setattr(language, "CATALOGUES", folder)
    for kept in (language._catalogue, language._known_languages):
        kept.cache_clear()
    yield
    for kept in (language._catalogue, language._known_languages):
        kept.cache_clear()


@pytest.fixture
def plan(tiny_company, tmp_path, german):
    cells = ("# Where do we stand?", TOLD, "## Definitions and limits", "## My own words")
    write_notebooks(tmp_path / "notebooks", **dict.fromkeys(KINDS, cells))
    return lambda **changes: make_plan(
        make_params(tiny_company, tmp_path, reports=KINDS, **changes)
    )


def read(folder, name):
    return (folder / name).read_text(encoding="utf-8")


def test_a_language_without_a_catalogue_is_refused(tmp_path, german):
    path = tmp_path / "params.yaml"
    path.write_text("snapshot: ''\nlanguage: fr\n", encoding="utf-8")
    with pytest.raises(
        ParameterError, match=r"language: .*there is no catalogue of 'fr'. Known: en, de, nl, tr"
    ):
        read_params(path)
    assert read_params(path, language="de").language == "de"


def test_reports_of_another_language_have_another_fingerprint_and_the_same_file(plan):
    english, german = plan(), plan(language="de")
    assert [job.slug for job in english.jobs] == [job.slug for job in german.jobs]
    both = [{job.fingerprint for job in one.jobs} for one in (english, german)]
    assert not both[0] & both[1]
    assert {job.kind for job in german.jobs} == {job.kind for job in english.jobs}
    assert {job.title for job in german.jobs} - {job.title for job in english.jobs} == {
        "Datenqualität"
    }
    assert language.language() == "en"


def test_a_batch_speaks_its_language_and_leaves_other_reports_theirs(plan):
    run_batch(plan(), workers=2)
    done = run_batch(plan(language="de", teams=("North",)), workers=2)
    assert [item.job.slug for item in done.done if not item.is_new] == []
    folder = done.portal.parent
    page = read(folder, "north.html")
    assert '<html lang="de"' in page
    assert "['de', 'de', '1.234,5']" in page.replace("&#39;", "'").replace("&quot;", '"')
    assert '<p class="question">Wo stehen wir?</p>' in page
    assert ">Definitionen und Grenzen</h2>" in page
    assert ">My own words</h2>" in page
    assert "· Teambericht</p>" in page
    assert re.search(r"Datenstand: <time datetime=.{12}>\d+\. Juni 2026</time> · 2 Personen", page)
    assert "Sie sind für die Genannten." in page
    assert '<a href="index.html">Alle Berichte</a>' in page
    assert "<summary>Andere Teams</summary>" in page
    other = read(folder, "r-d-red-x-red.html")
    assert '<html lang="en"' in other
    assert "<summary>Other teams</summary>" in other
    portal = read(folder, "index.html")
    assert '<html lang="de"' in portal
    assert '<option value="Team review">Teambericht</option>' in portal
    assert portal.count('data-kind="Team review"') == 2
    assert 'data-words="{n} von {all} Berichten"' in portal
    assert "Weitere Befunde" in read(folder, "mail_summary.txt")
    again = run_batch(plan(language="de"), workers=2)
    assert [item.job.slug for item in again.done if item.is_new] == ["r-d-red-x-red"]
    assert '<html lang="de"' in read(folder, "r-d-red-x-red.html")


def test_what_is_kept_with_texts_is_kept_apart(tiny_company, german):
    here = load_measures(tiny_company)
    with language.speaking("de"):
        there = load_measures(tiny_company)
    assert share_folder(here) != share_folder(there)
    assert share_folder(there).parent.name == f"{share_folder(here).parent.name}-de"


def test_only_the_usual_purpose_is_translated(german):
    own = PurposeParams(use="Team review")
    with language.speaking("de"):
        assert own.text.startswith("Team review Sie sind für die Genannten. No figure")
    assert own.text.startswith("Team review They are for the people named")


def test_findings_are_read_back_in_any_language(german):
    people = People({"r1": "Ana Lima"}, ())
    said = [Headline(f"{who} gewann", "", "strong") for who in ("Ana Lima", "Nord")]
    with language.speaking("de"):
        data = Headlines(tuple(said))._repr_mimebundle_()
        cell = new_code_cell(outputs=[new_output("display_data", data)])
        found = _read_facts(new_notebook(cells=[cell]), people)
    assert (found["headline"], found["evidence"]) == ("Nord gewann", "strong")


@pytest.mark.parametrize(
    ("code", "day", "share"),
    [
        ("en", "2026-10-05", "−2.5%"), ("de", "05.10.2026", "−2,5\N{NO-BREAK SPACE}%"),
        ("nl", "5-10-2026", "−2,5%"), ("tr", "05.10.2026", "%−2,5"),
    ],
)  # fmt: skip
def test_days_in_tables_are_numbers_and_signs_stand_where_a_language_has_them(
    german, code, day, share
):
    days = pd.to_datetime(["2026-10-05", "2026-02-28"])
    frame = pd.DataFrame({"Rep": ["Ana", "Bo"], "On": days})
    with language.speaking(code):
        assert language.write_day(dt.date(2026, 10, 5)) == day
        assert language.format_share(-0.025, 1) == share
        sorted_by = re.findall(r'data-v="(\d+)"', Table.from_frame(frame, title="T").render_html())
    assert len(sorted_by) == (0 if code == "en" else 2)
    assert sorted_by == sorted(sorted_by, reverse=True)


def test_columns_of_a_table_have_names_of_their_own_in_all_languages():
    """Frames are made of texts that were said: two that read alike would be one column."""
    alike = []
    for code in language.languages():
        with language.speaking(code):
            for path in sorted(Path(language.__file__).parent.rglob("*.py")):
                for names in _find_columns(path.read_text(encoding="utf-8")):
                    said = [language.tr(name) for name in names]
                    alike += [(path.name, *names)] if len(set(said)) < len(set(names)) else []
    assert alike == []


def _find_columns(code):
    """Find the literal keys of each mapping, and names of columns that stand in a row."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Dict | ast.List | ast.Tuple | ast.Set):
            keys = node.keys if isinstance(node, ast.Dict) else node.elts
            found = [key.args[0] for key in keys if _is_said(key)]
            yield [text.value for text in found if isinstance(text, ast.Constant)]


def _is_said(node):
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "tr"


def test_a_page_that_names_no_language_is_in_the_one_spoken(german):
    notebook = new_notebook(cells=[new_markdown_cell("# Q?")])
    with language.speaking("de"):
        assert '<html lang="de"' in render_report(notebook)
        assert '<html lang="de"' in render_portal([], title="", as_of="")
        assert "Alle Berichte" not in render_plain_mail([], About(), "2026Q2")
    notebook.metadata["salesnb"] = {"lang": "de", "as_of": "2026-10-05"}
    assert "Datenstand: <time" in render_report(notebook)
    assert "5. Oktober 2026" in render_report(notebook)


def test_the_catalogue_lists_all_texts():
    assert texts.LIST.read_bytes() == texts.render(texts.collect()), "run: make texts"


@pytest.mark.parametrize("code", language.languages()[1:])
def test_translations_have_the_places_of_their_texts(code):
    found = texts.read_translation(language.CATALOGUES / f"{code}.po")
    wrong = []
    for message in found:
        one, *_, many = [_places(text) for text in texts.forms_of(message.id) * 2]
        said = [text for text in texts.forms_of(message.string) if text]
        # a form of few need not name the number: one column is simply "the column"
        wrong += [text for text in said if not one <= _places(text) <= many]
        wrong += [text for text in said[-1:] if _places(text) != many]
    assert wrong == []
    # a letter that follows a name would make another word of it, which is not found as a name
    said = [text for message in found for text in texts.forms_of(message.string)]
    assert [text for text in said if re.search(r"\{(?!n\})\w+\}[^\W\d_]", text)] == []


def _places(text):
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
