"""What every notebook in notebooks/ keeps to; that their outputs are right is nbval's to say."""

import ast
from functools import cache
from pathlib import Path

import nbformat
import pytest

from salesnb.params import REPORTS
from salesnb.publish.lint import lint_file
from salesnb.sources.sample.teams import PATCHES

FOLDER = Path(__file__).parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
each = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


@cache
def read(path):
    return nbformat.read(path, as_version=4)


def code_of(path):
    return [cell for cell in read(path).cells if cell.cell_type == "code"]


def tagged(path, tag):
    return [cell for cell in read(path).cells if tag in cell.metadata.get("tags", [])]


def shown_by(path):
    """Join all a notebook shows as plain text."""
    outputs = [output for cell in code_of(path) for output in cell.outputs]
    return "\n".join(output.get("data", {}).get("text/plain", "") for output in outputs)


def test_the_reports_a_batch_can_ask_for_have_notebooks():
    assert set(REPORTS) <= {path.stem for path in NOTEBOOKS}


@each
def test_it_is_made_as_notebooks_are(path):
    assert lint_file(path) == ()


@each
def test_only_salesnb_is_imported(path):
    trees = [ast.parse(cell.source) for cell in code_of(path)]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    imports = [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
    assert [ast.unparse(node) for node in imports] == ["import salesnb as sn"]


@each
def test_it_was_run_before_it_was_committed(path):
    assert code_of(path)[0].execution_count == 1, "run `make notebooks`"


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
