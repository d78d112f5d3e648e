"""What every notebook in notebooks/ keeps to; that their outputs are right is nbval's to say."""

import ast
import re
from functools import cache
from pathlib import Path

import nbformat
import pytest

from salesnb.params import REPORTS
from salesnb.publish.plan import needed_tables, parameter_names
from salesnb.schema import TABLES
from salesnb.sources.sample.teams import PATCHES

FOLDER = Path(__file__).parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
LONGEST = 5
LOGIC = (
    ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda, ast.For, ast.AsyncFor,
    ast.While, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.If, ast.Try,
)  # fmt: skip
WRITES = re.compile(r"open|write\w*|to_(csv|parquet|excel|html|json|pickle|sql)|save\w*|print")
NOT_ABOUT_THE_DATA = ("Three wins in four tries is not 75% yet",)
"""Sentences that may hold a digit: arithmetic the reader can do, true of any data."""

each = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


@cache
def read(path):
    return nbformat.read(path, as_version=4)


def code_of(path):
    return [cell for cell in read(path).cells if cell.cell_type == "code"]


def prose_of(path):
    return [cell.source for cell in read(path).cells if cell.cell_type == "markdown"]


def tagged(path, tag):
    return [cell for cell in read(path).cells if tag in cell.metadata.get("tags", [])]


def is_load(cell):
    return "import salesnb" in cell.source


def nodes_of(path):
    return [node for cell in code_of(path) for node in ast.walk(ast.parse(cell.source))]


def shown_by(path):
    """Join all a notebook shows as plain text."""
    outputs = [output for cell in code_of(path) for output in cell.outputs]
    return "\n".join(output.get("data", {}).get("text/plain", "") for output in outputs)


def test_the_reports_a_batch_can_ask_for_have_notebooks():
    assert set(REPORTS) <= {path.stem for path in NOTEBOOKS}


@each
def test_it_opens_with_its_one_heading_a_question(path):
    headings = [line for text in prose_of(path) for line in text.splitlines() if line[:2] == "# "]
    assert len(headings) == 1
    assert headings[0].endswith("?")
    assert read(path).cells[0].source.startswith(headings[0])


@each
def test_sections_have_second_level_headings(path):
    others = [text for text in prose_of(path)[1:] if not text.startswith("## ")]
    assert others == []


@each
def test_parameters_are_json_scalars_in_one_cell(path):
    (cell,) = tagged(path, "parameters")
    body = ast.parse(cell.source).body
    assert all(isinstance(node, ast.Assign) for node in body)
    assert all(isinstance(node.value, ast.Constant) for node in body)
    assert {type(node.value.value) for node in body} <= {str, int, float, bool, type(None)}
    assert parameter_names(read(path)) == {node.targets[0].id for node in body}


@each
def test_the_data_are_loaded_in_one_cell_after_the_parameters(path):
    code = code_of(path)
    assert [position for position, cell in enumerate(code) if is_load(cell)] == [1]
    assert "parameters" in code[0].metadata["tags"]


@each
def test_it_ends_with_checks_that_no_report_shows(path):
    (cell,) = tagged(path, "checks")
    assert cell is read(path).cells[-1]
    assert "remove-cell" in cell.metadata["tags"]
    assert "check" in cell.source


@each
def test_there_is_no_logic_in_it(path):
    assert [ast.unparse(node) for node in nodes_of(path) if isinstance(node, LOGIC)] == []


@each
def test_nothing_is_written_or_printed(path):
    calls = [node.func for node in nodes_of(path) if isinstance(node, ast.Call)]
    names = [getattr(call, "attr", getattr(call, "id", "")) for call in calls]
    assert [name for name in names if WRITES.fullmatch(name)] == []


@each
def test_only_salesnb_is_imported(path):
    imports = [node for node in nodes_of(path) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert [ast.unparse(node) for node in imports] == ["import salesnb as sn"]


@each
def test_cells_are_short_and_end_without_a_semicolon(path):
    given = tagged(path, "parameters")
    sources = [cell.source for cell in code_of(path) if not is_load(cell) and cell not in given]
    assert [text for text in sources if len(text.splitlines()) > LONGEST] == []
    assert [text for text in sources if text.rstrip().endswith(";")] == []


@each
def test_no_number_is_typed_that_the_data_decide(path):
    typed = prose_of(path)
    for sentence in NOT_ABOUT_THE_DATA:
        typed = [text.replace(sentence, "") for text in typed]
    assert [text for text in typed if re.search(r"\d", text)] == []


def test_every_sentence_that_may_hold_a_digit_is_still_there():
    prose = "\n".join(text for path in NOTEBOOKS for text in prose_of(path))
    assert [sentence for sentence in NOT_ABOUT_THE_DATA if sentence not in prose] == []


@each
def test_a_section_left_out_loses_its_heading_too(path):
    section = []
    for cell in read(path).cells:
        needed = needed_tables(cell)
        assert set(needed) <= set(TABLES)
        if cell.cell_type == "markdown":
            section = needed
        assert set(section) <= set(needed), cell.source


@each
def test_it_was_run_from_top_to_bottom_without_an_error(path):
    code = code_of(path)
    if not any(cell.outputs or cell.execution_count for cell in code):
        pytest.skip("not executed yet: run `make notebooks`")
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    kinds = {output.output_type for cell in code for output in cell.outputs}
    assert kinds <= {"execute_result", "display_data"}


@each
def test_it_was_run_on_the_sample_company(path):
    (cell,) = tagged(path, "parameters")
    given = {node.targets[0].id: node.value.value for node in ast.parse(cell.source).body}
    assert given.get("snapshot", "") == ""
    assert (given.get("team") or PATCHES[0].name) in {patch.name for patch in PATCHES}
    assert tagged(path, "injected-parameters") == []
    assert "papermill" not in read(path).metadata


def test_the_company_review_shows_the_sample_companys_teams():
    shown = shown_by(FOLDER / "company_review.ipynb")
    assert [patch.name for patch in PATCHES if patch.name not in shown] == []


@each
def test_its_file_is_as_nbformat_writes_it(path):
    assert path.read_text(encoding="utf-8").rstrip("\n") == nbformat.writes(read(path)).rstrip("\n")
