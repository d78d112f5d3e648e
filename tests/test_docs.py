"""What the documentation is made of: every name, KPI, fact and column has its place."""

import ast
import re
from html import unescape
from pathlib import Path
from typing import get_args

import pandas as pd
import pytest
from maker import kpis, model, noise, pages
from maker.commands import commands_page
from maker.face import TOPICS, face_pages, find_result
from maker.figures import SHOWN

import salesnb
from salesnb import views
from salesnb.analysis.matrix import PerformanceMatrix
from salesnb.analysis.segments import SkillSegments
from salesnb.cli import app
from salesnb.measures.catalogue import CATALOGUE, Direction, Fact, Family, Unit
from salesnb.params import RunParams
from salesnb.schema import TABLES
from salesnb.sources.mapping import Company

DOCS = Path(__file__).parents[1] / "docs"
TEXTS = sorted(DOCS.glob("**/*.md")) if DOCS.is_dir() else []
TEXTS = [path for path in TEXTS if "generated" not in path.parts]


def test_every_public_name_is_on_one_page():
    named = [name for _, _, names in TOPICS.values() for name in names]
    assert sorted(named) == sorted(salesnb.__all__)
    assert set(views.__all__) <= set(re.findall(r"\w+", face_pages()["api/views.rst"]))


def test_a_function_is_followed_by_the_result_it_returns():
    assert find_result(salesnb.performance_matrix) is PerformanceMatrix
    assert find_result(salesnb.segments_before) is SkillSegments
    assert find_result(salesnb.skill_framework) is None


def test_every_kpi_has_words_for_what_it_is():
    assert set(kpis.LEFT_OUT) == set(get_args(Fact))
    assert set(kpis.UNITS) == set(get_args(Unit))
    assert set(kpis.DIRECTIONS) == set(get_args(Direction))
    assert set(kpis.FAMILIES) | {"plain"} == set(get_args(Family))
    assert [kpi for group in kpis.grouped().values() for kpi in group] == list(CATALOGUE)
    assert all(hasattr(salesnb, function) for _, function in kpis.FAMILIES.values())


def test_what_a_kpi_leaves_out_follows_from_what_it_is_made_of():
    found = {kpi.kpi: " ".join(kpis.left_out(kpi)) for kpi in CATALOGUE}
    assert "`closed_on`" in found["win_rate"]
    assert "Amounts" not in found["win_rate"]
    assert "Amounts that are missing" in found["deal_size"]
    assert "`maturity_days`" in found["close_rate"]
    assert "fewer than half of the lost" in found["win_rate_value"]
    assert "fewer than two raters" in found["skill_gap"]


def test_the_pages_of_parameters_and_tables_name_all_there_are():
    params, tables = model.params_page(), model.model_page()
    keys = set(re.findall(r"^\| `([\w.]+)`", params, re.M))
    assert {name.partition(".")[0] for name in keys} == {
        *RunParams.model_fields, *Company.model_fields,
    }  # fmt: skip
    assert {"plan.budget", "plan.hours"} < keys
    for name, table in TABLES.items():
        section = tables.split(f"\n## {name}\n")[1].split("\n## ")[0]
        assert list(table.columns) == re.findall(r"^\| `(\w+)`", section, re.M)
    assert "| `snapshot` | snapshot folder; empty for the sample company | text |" in params
    assert "| `timeout_seconds` | longest time for one cell | whole number | `600` |" in params


def test_the_page_of_commands_names_all_there_are():
    page = unescape(commands_page())
    for command in app.registered_commands:
        name = command.name or command.callback.__name__
        section = page.split(f"\n## `salesnb {name}`\n")[1].split("\n## ")[0]
        assert command.callback.__doc__.split(".")[0].split(":")[0] in section
    assert "`--guess`" in page


def test_regression_weighs_people_by_the_next_quarters_records(monkeypatch):
    rows = pd.DataFrame(
        {
            "raw": [0.8, 0.4, 0.1], "estimate": [0.5, 0.4, 0.3], "fifth": [0, 0, 4],
            "next_won": [1.0, 6.0, 2.0], "next_n": [5.0, 15.0, 10.0],
        }
    )  # fmt: skip
    monkeypatch.setattr(noise, "pairs", lambda: rows)
    noise.regression.cache_clear()
    found = noise.regression()
    noise.regression.cache_clear()
    assert found.loc[0].to_dict() == pytest.approx(
        {"raw": 0.5, "estimate": 0.425, "after": 7 / 20, "people": 2}
    )
    assert found.loc[4, "after"] == pytest.approx(0.2)


def test_pages_that_no_page_lists_come_last_in_the_how_to(tmp_path):
    (tmp_path / "index.md").write_text("# A\n```{toctree}\nfirst\nTitle <second>\n```\n")
    for name in ("first", "second", "third"):
        (tmp_path / f"{name}.md").write_text("# B\n")
    assert pages.list_more(tmp_path).splitlines()[1:-1] == [":caption: More", "", "third"]
    (tmp_path / "third.md").unlink()
    assert pages.list_more(tmp_path) == ""


def test_every_figure_that_is_made_is_shown_on_a_page():
    asked = {
        name
        for path in TEXTS
        for name in re.findall(r"^```{shown} (\w+)", path.read_text(encoding="utf-8"), re.M)
    }
    assert asked == set(SHOWN)


def public_names(tree):
    """List the names of the package that code asks `sn` and `sn.views` for."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            match node.value:
                case ast.Name(id="sn"):
                    yield salesnb.__all__, node.attr
                case ast.Attribute(value=ast.Name(id="sn"), attr="views"):
                    yield views.__all__, node.attr


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.stem)
def test_code_in_the_pages_is_code_and_names_what_exists(path):
    text = path.read_text(encoding="utf-8")
    for block in re.findall(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
        for known, name in public_names(ast.parse(block)):
            assert name in known
