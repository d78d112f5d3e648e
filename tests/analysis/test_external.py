"""Figures from outside: what is read of them, and what is refused by entry and with an action."""

import datetime as dt
import re
from dataclasses import replace
from pathlib import Path

import pytest
from made_company import make_measures

from salesnb.analysis.external import read_external
from salesnb.errors import ParameterError

PAGE = (Path(__file__).parents[2] / "docs" / "benchmarks.md").read_text(encoding="utf-8")
GOOD = "{kpi: win_rate, value: 0.25, source: A study, dated: 2026-01-31}"
ROWS = [("A1", "A", "2026Q2", "win_rate", 3.0, 10.0, 10, 0.0, 0.0)]


def read(tmp_path, text):
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    measures = make_measures(ROWS, kpis=("win_rate", "deal_size"))
    return read_external(path, replace(measures, missing={"leads": "the leads table"}))


def test_an_empty_path_is_no_figure():
    assert read_external("", make_measures(ROWS, kpis=("win_rate",))) == ()


def test_an_entry_is_read_as_it_is_written(tmp_path):
    entry = GOOD.replace("}", ", low: 0.2, high: 0.3, definition: by number}")
    (figure,) = read(tmp_path, f"benchmarks: [{entry}]")
    assert figure.model_dump() == {
        "kpi": "win_rate", "value": 0.25, "source": "A study", "dated": dt.date(2026, 1, 31),
        "definition": "by number", "low": 0.2, "high": 0.3,
    }  # fmt: skip


def test_a_kpi_that_the_data_cannot_measure_is_known(tmp_path):
    (figure,) = read(tmp_path, f"benchmarks: [{GOOD.replace('win_rate', 'leads')}]")
    assert figure.kpi == "leads"


@pytest.mark.parametrize(
    ("was", "becomes", "match"),
    [
        (", source: A study", "", r"source: Field required\. Name who published"),
        ("A study", "'  '", r"source: String should have at least 1 .*Name who published"),
        (", dated: 2026-01-31", "", r"dated: Field required\. Give the day"),
        ("2026-01-31", "last year", r"dated: Input should be a valid date.*Give the day"),
        ("win_rate", "win", r"entry 1 \(win\): kpi: 'win' is unknown\. Use an id that `salesnb"),
        ("0.25", "25", r"value: 25 is not within 0 to 1, as win_rate is\. .*a share as 0\.25"),
        ("0.25", "nan", r"value: Input should be a finite number"),
        ("}", ", low: 0.2}", r"low and high come together\. See docs/benchmarks\.md"),
        ("}", ", low: 0.3, high: 0.4}", r"0\.25 is not within 0\.3 to 0\.4\. See"),
        ("}", ", sauce: B}", r"sauce: Extra inputs are not permitted"),
        (GOOD, "win_rate", r"entry 1: Input should be a valid dictionary"),
    ],
)
def test_a_wrong_entry_is_named_with_what_to_do(tmp_path, was, becomes, match):
    with pytest.raises(ParameterError, match=match) as caught:
        read(tmp_path, f"benchmarks: [{GOOD.replace(was, becomes)}]")
    assert "mine.yaml: 1 problem(s)" in str(caught.value)


def test_all_wrong_entries_are_named_at_once(tmp_path):
    wrong = GOOD.replace("win_rate", "win")
    with pytest.raises(ParameterError, match=r"(?s)2 problem.*entry 1 \(win\).*entry 3 \(win\)"):
        read(tmp_path, f"benchmarks: [{wrong}, {GOOD}, {wrong}]")


@pytest.mark.parametrize("text", ["", "[]", "benchmarks:", "figures: []", "benchmarks: []\nx: 1"])
def test_another_form_of_file_is_refused(tmp_path, text):
    with pytest.raises(ParameterError, match="expected one key, `benchmarks:`"):
        read(tmp_path, text)


def test_no_yaml_and_no_file_are_refused(tmp_path):
    with pytest.raises(ParameterError, match="not valid YAML"):
        read(tmp_path, "benchmarks: [")
    with pytest.raises(ParameterError, match="there is no such file"):
        read_external(tmp_path / "none.yaml", make_measures(ROWS, kpis=("win_rate",)))


def test_the_example_of_the_page_is_read_and_says_that_it_is_made_up(tmp_path):
    (example,) = re.findall(r"^```yaml\n(.*?)^```$", PAGE, flags=re.DOTALL | re.MULTILINE)
    figures = read(tmp_path, example)
    assert [figure.kpi for figure in figures] == ["win_rate", "deal_size"]
    assert all(figure.source.startswith("PLACEHOLDER") for figure in figures)
