import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_company import QUARTERS, make_measures

from salesnb.analysis.targets import target_tree
from salesnb.errors import ParameterError
from salesnb.measures.compute import compute_measures
from salesnb.sources.load import import_snapshot
from salesnb.sources.sample import sample_company
from salesnb.sources.sample.targets import GAP, GAP_QUARTER

NOW = QUARTERS[-1]


def booked(rep, amount, *, team=None, quota=None, quarter=NOW):
    key = (rep, team or rep[0], quarter)
    rows = [(*key, "bookings", amount, 1.0, 2, amount, amount**2)]
    if quota is not None:
        rows.append((*key, "quota_attainment", amount, quota, 2, amount, amount**2))
    return rows


def company(targets, *, teams=(), reps=None):
    """A1 books 60, A2 40 (of a quota prorated to 50), B1 30; the teams' parents are given."""
    rows = reps or [
        *booked("A1", 60.0, quota=100.0),
        *booked("A2", 40.0, quota=50.0),
        *booked("B1", 30.0, quota=80.0),
    ]
    full = [
        (kind, owner, NOW, "bookings", target, parent) for kind, owner, target, parent in targets
    ]
    made = make_measures(rows, kpis=("bookings", "quota_attainment"), targets=full)
    frame = pd.DataFrame(
        [(team, f"Team {team}", parent, True) for team, parent in teams], columns=made.teams.columns
    )
    known = made.teams[~made.teams["team_id"].isin(frame["team_id"])]
    return dataclasses.replace(made, teams=pd.concat([known, frame], ignore_index=True))


def by_owner(tree):
    return tree.rows.set_index(["owner_kind", "owner_id"])


WHOLE = [
    ("team", "X", 300.0, None),
    ("team", "A", 210.0, "X"),
    ("team", "B", 80.0, "X"),
    ("rep", "A1", 100.0, "A"),
    ("rep", "A2", 110.0, "A"),
    ("rep", "B1", 90.0, "B"),
]


def test_gaps_and_overlaps_are_named_where_they_are():
    tree = target_tree(company(WHOLE, teams=[("X", "")]), period=NOW)
    rows = by_owner(tree)
    # by hand: 300 - (210 + 80) = 10; 210 - (100 + 110) = 0; 80 - 90 = -10
    assert rows["gap"].to_dict() == pytest.approx(
        {
            ("team", "X"): 10.0, ("team", "A"): 0.0, ("rep", "A1"): np.nan,
            ("rep", "A2"): np.nan, ("team", "B"): -10.0, ("rep", "B1"): np.nan,
        },
        nan_ok=True,
    )  # fmt: skip
    statuses = rows.xs("team")["status"].to_dict()
    assert statuses == {"X": "gap", "A": "reconciled", "B": "overlap"}
    assert list(tree.rows["depth"]) == [0, 1, 2, 2, 1, 2]
    assert "2 of 3 teams" in tree.finding
    assert len(tree.candidates()) == 2


def test_attainment_is_of_the_full_target_and_of_its_prorated_part():
    made = company(WHOLE, teams=[("X", ""), ("A", "X"), ("B", "X")])
    rows = by_owner(target_tree(made, period=NOW))
    # by hand: A2 booked 40 of a target of 110, of which 50 is prorated; A 100 of 210 and of 150;
    # X, through its branches, 130 of 300 and of 230
    for key, full, part in (
        (("rep", "A2"), 40 / 110, 40 / 50),
        (("team", "A"), 100 / 210, 100 / 150),
        (("team", "X"), 130 / 300, 130 / 230),
    ):
        assert rows.loc[key, "attainment"] == pytest.approx(full)
        assert rows.loc[key, "prorated_attainment"] == pytest.approx(part)


def test_the_parent_is_the_team_where_the_target_names_none():
    made = company(
        [("team", "A", 90.0, None), ("rep", "A1", 90.0, None)], teams=[("A", "X"), ("X", "")]
    )
    rows = by_owner(target_tree(made, period=NOW))
    assert rows.loc[("rep", "A1"), "parent_id"] == "A"
    assert rows.loc[("team", "A"), "parent_id"] == "X"
    assert rows.loc[("team", "A"), "status"] == "reconciled"
    assert rows.loc[("team", "X"), "issue"] == "no target"


def test_who_has_no_target_and_whose_target_has_no_owner_are_named():
    tree = target_tree(company([("rep", "A1", 90.0, None), ("rep", "gone", 5.0, None)]), period=NOW)
    issues = by_owner(tree)["issue"].to_dict()
    assert issues["rep", "gone"] == "no owner"
    assert issues["rep", "A2"] == issues["rep", "B1"] == "no target"
    assert issues["rep", "A1"] == ""
    assert issues["team", "A"] == ""  # no team has a target, so none is missed
    assert "2 without a target (Rep A2, Rep B1)" in tree.caveat
    assert "1 with a target but unknown (gone)" in tree.caveat


def test_a_team_target_without_rep_targets_gives_the_teams_attainment():
    tree = target_tree(company([("team", "A", 200.0, None)]), period=NOW)
    rows = by_owner(tree)
    assert rows.loc[("team", "A"), "attainment"] == pytest.approx(0.5)
    assert rows.loc[("team", "A"), "status"] == "not split"
    assert not (tree.rows["owner_kind"] == "rep").any()


def test_circular_parents_are_put_at_the_top_and_everybody_is_listed_once():
    targets = [
        ("team", "A", 10.0, "B"), ("team", "B", 20.0, "A"), ("rep", "A1", 10.0, "A"),
        ("team", "C", 5.0, "C"),
    ]  # fmt: skip
    tree = target_tree(company(targets, teams=[("C", "")]), period=NOW)
    rows = by_owner(tree)
    assert rows.index.is_unique
    assert {owner for (_, owner), issue in rows["issue"].items() if issue == "circular"} == set(
        "ABC"
    )
    assert (rows.xs("team")["depth"] == 0).all()
    assert rows.loc[("team", "A"), "status"] == "reconciled"


def test_a_rep_and_a_team_of_one_id_are_two_owners():
    targets = [("team", "A1", 7.0, None), ("rep", "A1", 7.0, "A1")]
    rows = by_owner(target_tree(company(targets, teams=[("A1", "")]), period=NOW))
    assert rows.loc[("team", "A1"), "status"] == "reconciled"
    assert rows.loc[("rep", "A1"), "depth"] == 1


def test_rates_are_shown_beside_their_target_and_never_added_up():
    rates = [("A1", "A", NOW, "win_rate", 3, 10, 10, np.nan, np.nan)]
    targets = [("team", "A", NOW, "win_rate", 0.4, None), ("rep", "A1", NOW, "win_rate", 0.2, "A")]
    tree = target_tree(
        make_measures(rates, kpis=("win_rate",), targets=targets), period=NOW, kpi="win_rate"
    )
    assert tree.rows["actual"].tolist() == pytest.approx([0.3, 0.3])
    assert tree.rows["gap"].isna().all()
    assert tree.candidates() == ()
    assert "rates do not add up" in tree.finding


def test_without_targets_it_is_said_and_nothing_is_listed():
    tree = target_tree(company([]), period=NOW)
    assert tree.rows.empty
    assert tree.finding == f"Acme has no bookings targets in {NOW}."
    assert tree.candidates() == ()


def test_within_a_team_its_branch_is_shown():
    made = company(WHOLE, teams=[("X", "")])
    tree = target_tree(made, period=NOW, team="B")
    assert list(tree.rows["owner_id"]) == ["B", "B1"]
    assert list(tree.rows["depth"]) == [0, 1]
    with pytest.raises(ParameterError, match="is unknown"):
        target_tree(made, period=NOW, team="nowhere")
    with pytest.raises(ParameterError, match="no data for"):
        target_tree(made, period="2031Q1")


money = st.integers(0, 10**9).map(lambda cents: cents / 100)


@given(
    st.lists(money, min_size=4, max_size=4),
    st.lists(st.lists(money, max_size=5), min_size=3, max_size=3),
)
def test_whatever_the_targets_children_and_gap_make_the_parent_to_the_cent(
    team_targets, rep_targets
):
    top, *middle = team_targets
    targets = [("team", "X", top, None)]
    for team, target, below in zip("ABC", middle, rep_targets, strict=True):
        targets.append(("team", team, target, "X"))
        targets += [("rep", f"{team}{n}", value, team) for n, value in enumerate(below)]
    tree = target_tree(company(targets, teams=[("X", "")]), period=NOW)
    rows = tree.rows
    cents = (rows[["target", "children", "gap"]] * 100).round()
    split = rows["children"].notna()
    assert (cents["children"] + cents["gap"])[split].equals(cents["target"][split])
    for _, row in rows[split].iterrows():
        below = rows[(rows["parent_id"] == row["owner_id"]) & (rows["depth"] == row["depth"] + 1)]
        assert round(row["children"] * 100) == (below["target"] * 100).round().sum()
    # what nobody below holds, added up, is the top's target less that of the ends
    ends = cents["target"][~split & rows["target"].notna()].sum()
    assert cents["gap"].sum() + ends == cents["target"].iloc[0]
    named = {"gap": 1, "overlap": -1, "reconciled": 0}
    assert [named[s] for s in rows["status"][split]] == np.sign(cents["gap"][split]).tolist()


def test_the_gap_planted_in_the_sample_company_is_found_and_no_other(tmp_path):
    export = sample_company(tmp_path / "export", reps=24, seed=3)
    snapshot = import_snapshot(export, to=tmp_path / "snapshot")
    measures = compute_measures(snapshot, kpis=("bookings", "quota_attainment"))
    tree = target_tree(measures, period=GAP_QUARTER)
    largest, *others = tree.unreconciled().to_dict("records")
    assert largest["status"] == "gap"
    assert f"of {largest['owner']}'s" in tree.finding
    # planted: the team's target is 9% above its reps'; all are rounded to the nearest thousand
    assert largest["target"] / largest["children"] == pytest.approx(GAP, abs=0.01)
    assert all(abs(row["gap"]) <= 500.0 for row in others)
