"""Trees of teams of any depth: branches, members and sums, against a walk by hand."""

from collections import defaultdict
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_company import make_measures
from tiny_batch import make_params, write_export, write_notebooks

from salesnb.analysis.matrix import performance_matrix
from salesnb.analysis.skills import team_skills
from salesnb.analysis.trend import quarter_trend
from salesnb.errors import ParameterError
from salesnb.measures.compute import compute_measures
from salesnb.publish.plan import make_plan
from salesnb.sources.load import import_snapshot

NOW = "2026Q2"


def above(team, parents):
    """The team and all above it, walked up by hand; a circle is walked once."""
    found = []
    while team and team not in found:
        found.append(team)
        team = parents.get(team, "")
    return found


def tree_of(parents):
    return pd.DataFrame(
        {
            "team_id": list(parents), "name": [f"Team {team}" for team in parents],
            "parent_id": list(parents.values()), "has_members": True,
        }
    )  # fmt: skip


@st.composite
def companies(draw):
    """Measures of wins in teams of any tree, or of what is no tree, and the teams' parents."""
    teams = [f"t{n}" for n in range(draw(st.integers(1, 7)))]
    parents = {team: draw(st.sampled_from(["", *teams])) for team in teams}
    facts = st.tuples(
        st.sampled_from(["r1", "r2", "r3"]), st.sampled_from(["", *teams]),
        st.sampled_from(["2026Q1", NOW]), st.integers(0, 9),
    )  # fmt: skip
    keyed = {fact[:3]: fact for fact in draw(st.lists(facts, min_size=1, max_size=12))}
    rows = [
        (*key, "win_rate", float(fact[3]), 10.0, 10.0, np.nan, np.nan)
        for key, fact in keyed.items()
    ]
    values = [(*key, "cycle_days", float(fact[3]), 1 + fact[3]) for key, fact in keyed.items()]
    zeros = [(*key, "cycle_days", 1.0, 1.0, 1.0, 1.0, 1.0) for key in keyed]
    measures = make_measures(
        rows + zeros, kpis=("win_rate", "cycle_days"), values=values, quarters=("2026Q1", NOW)
    )
    return replace(measures, teams=tree_of(parents)), parents


@given(made=companies())
def test_a_branch_has_the_sums_of_its_team_and_of_all_below(made):
    measures, parents = made
    expected = defaultdict(float)
    for row in measures.totals[measures.totals["kpi"] == "win_rate"].itertuples():
        for unit in above(row.team_id, parents) or [""]:
            expected[unit, row.period] += row.numerator
    found = measures.roll_up(by="branch", kpi="win_rate").set_index(["unit_id", "period"])
    assert found["numerator"].to_dict() == dict(expected)


@given(made=companies())
def test_a_branch_is_what_the_company_is_within_its_team(made):
    measures, parents = made
    columns = ["period", "kpi", "numerator", "denominator", "n", "value"]
    rows = measures.roll_up(by="branch")
    for unit, part in rows[rows["unit_id"] != ""].groupby("unit_id"):
        within = measures.roll_up(by="company", team=unit)
        pd.testing.assert_frame_equal(
            part[columns].reset_index(drop=True), within[columns], check_exact=False, rtol=1e-12
        )
        below = {team for team in parents if unit in above(team, parents)}
        assert set(measures.teams_within(unit)) == below | {unit}


DEEP = {"world": "", "emea": "world", "dach": "emea", "south": "dach", "t1": "south",
        "t2": "south", "t3": "emea"}  # fmt: skip
"""Five levels; reps may also sit in a team that has teams below it."""
NAMES = [(team, team.upper()) for team in DEEP]


@pytest.fixture(scope="module")
def deep(tmp_path_factory):
    """The tiny company in `DEEP`: r1 in t1, r2 in t2, r3 in the inner dach, r4 in t3."""
    folder = tmp_path_factory.mktemp("deep")
    seats = {"r1": "t1", "r2": "t2", "r3": "dach", "r4": "t3"}
    rows = "".join(f"{rep},{team},2024-01-01\n" for rep, team in seats.items())
    export = write_export(
        folder / "export", teams=NAMES, memberships=f"rep_id,team_id,valid_from\n{rows}"
    )
    teams = "".join(f"{team},{team.upper()},{parent}\n" for team, parent in DEEP.items())
    (export / "teams.csv").write_text(f"team_id,name,parent_id\n{teams}", encoding="utf-8")
    (export / "ratings.csv").write_text(
        "form_id,skill,rep_id,rater_id,score,rated_on\n"
        + "".join(
            f"f{rep}{rater},closing,{rep},{rater},{score},2026-05-05\n"
            for rep, score in (("r1", 2), ("r2", 3), ("r3", 4), ("r4", 5))
            for rater in ("m1", "m2")
        ),
        encoding="utf-8",
    )
    return import_snapshot(export, to=folder / "snapshot")


def test_reports_of_an_inner_team_hold_all_below_it_at_any_depth(deep):
    measures = compute_measures(deep)
    members = {team: measures.members(team, NOW) for team in DEEP}
    assert members == {
        "world": ("r1", "r2", "r3", "r4"), "emea": ("r1", "r2", "r3", "r4"),
        "dach": ("r1", "r2", "r3"), "south": ("r1", "r2"), "t1": ("r1",), "t2": ("r2",),
        "t3": ("r4",),
    }  # fmt: skip
    assert measures.find_team("DACH") == "dach"
    # r2 lost in the quarter, r3 and r1 won 300 and 500; r3, in dach itself, counts once
    bookings = measures.roll_up(by="branch", kpi="bookings", periods=(NOW,))
    assert bookings.set_index("unit_id")["numerator"].to_dict() == {
        "world": 800.0, "emea": 800.0, "dach": 800.0, "south": 500.0, "t1": 500.0, "t2": 0.0,
        "t3": 0.0,
    }  # fmt: skip
    matrix = performance_matrix(measures, period=NOW, team="DACH", n_draws=100)
    assert set(matrix.units) == {"r1", "r2", "r3"}
    assert matrix.group.set_index("kpi").loc["win_rate", "n"] == 4  # o1 too, of the quarter before
    trend = quarter_trend(measures, period=NOW, team="dach", kpis=("win_rate",))
    now = trend.points.set_index("period").loc[NOW]
    assert (trend.unit, now["value"], now["n"]) == ("DACH", 2 / 3, 3.0)
    skills = team_skills(measures, period=NOW, team="south").skills
    assert skills[["n_reps", "n_ratings", "n_raters"]].to_numpy().tolist() == [[2, 4, 2]]
    # r1 and r2 have the lower half of the scores, 2.5 on average of 3.5
    assert 2.0 < skills["score"].iloc[0] < 3.5
    assert measures.check_roll_up(period=NOW, team="dach")["kpi"].tolist()


def test_a_batch_may_ask_for_inner_teams_and_all_are_those_with_members(deep, tmp_path):
    write_notebooks(tmp_path / "notebooks")
    asked = make_params(deep.folder, tmp_path, teams=("EMEA", "south"), reports=("team_review",))
    assert [job.parameters["team"] for job in make_plan(asked).jobs] == ["emea", "south"]
    everyone = make_params(deep.folder, tmp_path, reports=("team_review",))
    jobs = make_plan(everyone).jobs
    assert [job.parameters["team"] for job in jobs] == ["dach", "t1", "t2", "t3"]


def test_branches_hold_each_other_and_are_not_compared(deep):
    with pytest.raises(ParameterError, match="by: branches hold each other. Use rep, team or"):
        performance_matrix(compute_measures(deep), period=NOW, by="branch")


def test_teams_in_a_circle_are_at_the_top_and_unknown_parents_are_teams(small_snapshot):
    rows = {"a": "b", "b": "c", "c": "a", "d": "b", "e": "e", "f": "x"}
    tables = {
        "teams": "team_id,name,parent_id\n"
        + "".join(f"{team},Team {team},{parent}\n" for team, parent in rows.items()),
        "memberships": "rep_id,team_id,valid_from\nr1,d,\nr2,f,\n",
    }
    measures = compute_measures(small_snapshot(tables))
    teams = measures.teams.set_index("team_id")
    assert teams["parent_id"].to_dict() == {
        "a": "", "b": "", "c": "", "d": "b", "e": "", "f": "x", "x": "",
    }  # fmt: skip
    assert teams.loc["x", "name"] == "x"
    assert teams.index[teams["has_members"]].tolist() == ["d", "f"]
    assert measures.teams_within("b") == ("b", "d")
    assert measures.members("x", "2026Q1") == ("r2",)
    units = measures.roll_up(by="branch", kpi="bookings").set_index("unit_id")["numerator"]
    assert units.to_dict() == {"b": 100.0, "d": 100.0, "f": 0.0, "x": 0.0}
