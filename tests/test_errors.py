"""Messages teach: what was wrong, what there is, what was probably meant."""

import re

import pytest
from made_company import make_measures

import salesnb as sn
from salesnb.errors import DataError, ParameterError, meant, nearest
from salesnb.params import read_params
from salesnb.periods import check_quarter

PERIOD = "2026Q2"


@pytest.fixture(scope="module")
def measures():
    rows = [
        (f"{team}{rep}", team, PERIOD, "win_rate", 3 + rep, 10, 10, float("nan"), float("nan"))
        for team in "AB"
        for rep in range(3)
    ]
    return make_measures(rows, kpis=("win_rate", "deal_size"))


@pytest.mark.parametrize(
    ("name", "known", "found"),
    [
        ("Nort", ["North", "South"], "North"), ("winrate", ["win_rate", "wins"], "win_rate"),
        ("Win Rate", ["win_rate"], "win_rate"), ("TEAM A", ["Team A"], "Team A"),
        ("zzz", ["North"], ""), ("x", [], ""), (3, ["North"], ""),
    ],
)  # fmt: skip
def test_the_nearest_name_is_found_or_none(name, known, found):
    assert nearest(name, known) == found
    assert meant(name, known) == (f" Did you mean {found!r}?" if found else "")


CALLS = {
    "a misspelt team": (
        {"team": "Tem A"},
        "team: 'Tem A' is unknown. Known: 'Team A', 'Team B'. Did you mean 'Team A'?",
    ),
    "a quarter turned round": (
        {"period": "Q2 2026"}, "quarter: 'Q2 2026' is not a quarter. Write it like 2026Q2.",
    ),
    "a quarter with a hyphen": (
        {"period": "2026-q2"}, "quarter: '2026-q2' is not a quarter. Write it like 2026Q2.",
    ),
    "a quarter with 1Q": (
        {"period": "1Q2026"}, "quarter: '1Q2026' is not a quarter. Write it like 2026Q1.",
    ),
    "a number for a quarter": (
        {"period": 20262}, "quarter: 20262 is not a quarter. Write it like 2026Q3.",
    ),
    "a month": (
        {"period": "2026-05"}, "quarter: '2026-05' is not a quarter. Write it like 2026Q3.",
    ),
    "a quarter without data": (
        {"period": "2031Q1"}, "quarter: no data for '2031Q1'; they cover 2025Q1 to 2026Q2.",
    ),
    "a misspelt KPI": (
        {"kpis": ("winrate",)},
        "kpi: 'winrate' is unknown. Known: win_rate, deal_size. Did you mean 'win_rate'?",
    ),
    "a text for a list": (
        {"kpis": "win_rate"}, "kpis: 'win_rate' is a text. Give a list: kpis=('win_rate',).",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("given", "said"), CALLS.values(), ids=CALLS.keys())
def test_a_common_mistake_is_answered_with_one_action(given, said, measures):
    for function in (sn.performance_matrix, sn.quarter_trend):
        with pytest.raises(ParameterError, match=f"^{re.escape(said)}$"):
            function(measures, **{"period": PERIOD, **given})


def test_a_level_that_is_none_is_asked_back(measures):
    with pytest.raises(ParameterError, match=r"by: 'reps' is not one of .* Did you mean 'rep'\?"):
        measures.roll_up(by="reps")


def test_a_quarter_as_it_is_to_be_written_is_none_of_its_business():
    assert check_quarter("2026Q4") is None


def test_an_export_is_no_snapshot_and_says_how_to_make_one(tmp_path):
    path = tmp_path / "Opportunity.csv"
    path.write_text("Id\n1\n", encoding="utf-8")
    for given in (tmp_path, path):
        said = (
            f"{given}: is an export, not a snapshot. Import it first: salesnb import {given} --to"
        )
        with pytest.raises(DataError, match=re.escape(said)):
            sn.load_measures(given)
    with pytest.raises(DataError, match="there is no snapshot. Make one"):
        sn.load_measures(tmp_path / "none")


def test_files_named_for_a_crm_name_its_preset(tmp_path):
    (tmp_path / "export").mkdir()
    for name in ("Opportunity", "Account", "Lead"):
        (tmp_path / "export" / f"{name}.csv").write_text("Id\n1\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"named like salesforce's: --preset salesforce\."):
        sn.import_snapshot(tmp_path / "export", to=tmp_path / "s")
    with pytest.raises(ParameterError, match="Did you mean 'salesforce'"):
        sn.import_snapshot(tmp_path / "export", to=tmp_path / "s", preset="salesfroce")


def test_a_name_the_package_lacks_is_asked_back():
    with pytest.raises(
        AttributeError, match=r"no attribute 'performence_matrix'. Did you mean 'perf"
    ):
        sn.performence_matrix  # noqa: B018
    with pytest.raises(AttributeError, match="no attribute '__wrapped__'$"):
        sn.__wrapped__  # noqa: B018


def test_keys_and_kinds_of_a_batch_are_asked_back(tmp_path):
    path = tmp_path / "batch.yaml"
    path.write_text("snapshot: ''\nquarter: Q3/2026\nreports: [team_revue]\nteems: all\n")
    with pytest.raises(ParameterError, match=r"batch\.yaml: 3 problem") as caught:
        read_params(path)
    for said in (
        "quarter: Value error, 'Q3/2026' is not a quarter. Write it like 2026Q3.",
        "Did you mean 'team_review'?",
        "teems: Extra inputs are not permitted. Did you mean 'teams'?",
    ):  # fmt: skip
        assert said in str(caught.value)
