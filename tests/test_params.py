import datetime as dt

import pytest

from salesnb.errors import ParameterError
from salesnb.params import REPORTS, PlanParams, RunParams, read_params

GOOD = "snapshot: snapshots/mine\nquarter: 2026Q3\n"


def write(tmp_path, text):
    path = tmp_path / "batch.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def read(tmp_path, text, **overrides):
    return read_params(write(tmp_path, text), **overrides)


def test_what_is_not_given_has_a_default(tmp_path):
    params = read(tmp_path, GOOD)
    assert params == RunParams(snapshot="snapshots/mine", quarter="2026Q3")
    assert params.reports == REPORTS
    assert (params.teams, params.as_of, params.timeout_seconds) == (("all",), None, 600)
    assert (params.programmes, params.plan) == (("all",), PlanParams(budget=None, hours=None))
    assert (params.engine, params.spark_master) == ("duckdb", "")


def test_names_stay_the_text_that_was_written(tmp_path):
    params = read(tmp_path, GOOD + "teams: [NO, on, 007, 1e3, null, ~]\ntitle: 2026-01-01\n")
    assert params.teams == ("NO", "on", "007", "1e3", "null", "~")
    assert params.title == "2026-01-01"


def test_one_team_needs_no_list(tmp_path):
    assert read(tmp_path, GOOD + "teams: North\n").teams == ("North",)


def test_a_day_is_a_date_and_a_blank_one_is_none(tmp_path):
    assert read(tmp_path, GOOD + "as_of: 2026-09-30\n").as_of == dt.date(2026, 9, 30)
    assert read(tmp_path, GOOD + "as_of:\n").as_of is None


def test_limits_of_the_plan_are_numbers_and_blank_ones_no_limit(tmp_path):
    assert read(tmp_path, GOOD + "plan: {budget: 20e3, hours:}\n").plan == PlanParams(budget=20_000)
    assert read(tmp_path, GOOD + "plan: {budget: 0}\n").plan.budget == 0


def test_overrides_replace_what_is_written_unless_none(tmp_path):
    text = GOOD + "teams: all\n"
    params = read(tmp_path, text, quarter="2025Q1", teams=["North", "South"], snapshot=None)
    assert (params.quarter, params.teams) == ("2025Q1", ("North", "South"))
    assert params.snapshot == "snapshots/mine"


@pytest.mark.parametrize(
    ("text", "match"),
    [
        (GOOD + "qarter: 2026Q3\n", r"(?s)qarter: Extra inputs.*Known keys: snapshot, quarter"),
        ("quarter: 2026Q3\n", "snapshot: Field required"),
        ("snapshot: a\nquarter: 2026-Q3\n", "is not a quarter. Write it like 2026Q"),
        ("snapshot: a\nquarter: 2026Q5\n", "is not a quarter. Write it like 2026Q"),
        ("snapshot: a\nquarter: 2026Q3 \nteams: []\n", "teams: Tuple should have at least 1"),
        (GOOD + "reports: [team_revue]\n", r"reports\.0: Input should be 'team_review'"),
        (GOOD + "plan: {budgt: 1}\n", r"plan\.budgt: Extra inputs"),
        (GOOD + "plan: {budget: -1}\n", r"plan\.budget: .* greater than or equal to 0"),
        (GOOD + "plan: {hours: inf}\n", r"plan\.hours: .* finite"),
        (GOOD + "plan: 20000\n", "plan: Input should be a valid dictionary"),
        (GOOD + "programmes: []\n", "programmes: Tuple should have at least 1"),
        (GOOD + "engine: polars\n", "engine: Input should be 'duckdb' or 'spark'"),
        (GOOD + "timeout_seconds: soon\n", "timeout_seconds: Input should be a valid integer"),
        (GOOD + "timeout_seconds: 0\n", "timeout_seconds: .* greater than or equal to 1"),
        (GOOD + "as_of: 2026-02-30\n", "as_of: Input should be a valid date"),
        (GOOD + "base_url: javascript:x()\n", "base_url: String should match"),
        (GOOD + "base_url: https://example.org/a b\n", "base_url: String should match"),
        (GOOD + "title: [a, b]\n", "title: Input should be a valid string"),
        (GOOD + "teams: [[North]]\n", r"teams\.0: Input should be a valid string"),
        ("quarter: [2026Q3\n", "not valid YAML"),
        ("- quarter\n", "expected `key: value` lines"),
        ("", "expected `key: value` lines"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, text, match):
    with pytest.raises(ParameterError, match=match):
        read(tmp_path, text)


def test_all_problems_are_said_at_once_with_the_file(tmp_path):
    with pytest.raises(ParameterError, match="3 problem") as caught:
        read(tmp_path, "snapshot: a\nquarter: Q3\nteam: North\ntimeout_seconds: x\n")
    message = str(caught.value)
    assert message.startswith(str(tmp_path / "batch.yaml"))
    for place in ("  quarter: ", "  team: ", "  timeout_seconds: "):
        assert place in message


def test_a_wrong_override_is_refused_too(tmp_path):
    with pytest.raises(ParameterError, match="is not a quarter. Write it like 2026Q"):
        read(tmp_path, GOOD, quarter="latest")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ParameterError, match=r"none\.yaml: there is no such file. See params/"):
        read_params(tmp_path / "none.yaml")


def test_a_file_that_is_no_text_is_refused(tmp_path):
    path = tmp_path / "batch.yaml"
    path.write_bytes(b"title: \xff\xfe\n")
    with pytest.raises(ParameterError, match="not valid YAML"):
        read_params(path)


def test_parameters_cannot_be_changed(tmp_path):
    params = read(tmp_path, GOOD)
    with pytest.raises(ValueError, match="frozen"):
        params.quarter = "2026Q4"


@pytest.mark.parametrize("name", ["sample", "maven"])
def test_the_batches_of_the_repository_can_be_read(name, request):
    assert read_params(request.config.rootpath / "params" / f"{name}.yaml").title


def test_kpis_weights_and_targets_are_written_as_notebooks_take_them(tmp_path):
    path = tmp_path / "batch.yaml"
    path.write_text(
        "snapshot: ''\nquarter: 2026Q3\nkpis: [win_rate, deal_size]\n"
        "weights: {win_rate: 2, deal_size: 0.5}\nkpi_targets: {win_rate: 0.3}\n",
        encoding="utf-8",
    )
    assert read_params(path).selection() == {
        "kpis": "win_rate, deal_size",
        "weights": "win_rate=2.0, deal_size=0.5",
        "kpi_targets": "win_rate=0.3",
    }
    path.write_text("snapshot: ''\nquarter: 2026Q3\n", encoding="utf-8")
    assert read_params(path).selection() == {}


@pytest.mark.parametrize("weight", ["0", "-1", "much", "inf", "nan"])
def test_a_weight_is_a_positive_number(tmp_path, weight):
    path = tmp_path / "batch.yaml"
    path.write_text(
        f"snapshot: ''\nquarter: 2026Q3\nweights: {{win_rate: {weight}}}\n", encoding="utf-8"
    )
    with pytest.raises(ParameterError, match="win_rate"):
        read_params(path)
