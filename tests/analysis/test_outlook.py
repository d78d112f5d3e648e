import dataclasses
import datetime as dt

import numpy as np
import pandas as pd
import pytest
from made_company import make_measures

from salesnb.analysis.outlook import past_chances, target_outlook
from salesnb.analysis.outlook.calibration import (
    CASES,
    calibrate,
    calibration_error,
    fit_correction,
    reliability_table,
)
from salesnb.analysis.outlook.history import _win_chances
from salesnb.errors import ParameterError
from salesnb.periods import FiscalCalendar

CALENDAR = FiscalCalendar()
NOW = "2026Q2"
POINT = dt.date(2026, 5, 15)  # half of the quarter
QUARTERS = CALENDAR.window(NOW, 9)


def seen(measures, day=POINT):
    return dataclasses.replace(measures, as_of=day)


def company(weeks, *, quotas=None, targets=(), quarters=QUARTERS, **tables):
    """Make reps with these weeks: (rep, quarter, week, n, booked, squares)."""
    reps = sorted({rep for rep, *_ in weeks})
    rows = [
        (rep, rep[0], quarter, "bookings", 0.0, 1.0, 0, 0.0, 0.0)
        for rep in reps for quarter in quarters
    ]  # fmt: skip
    rows += [
        (rep, rep[0], quarter, "quota_attainment", 0.0, quota, 0, 0.0, 0.0)
        for (rep, quarter), quota in (quotas or {}).items()
    ]
    full = [("team", team, quarter, "bookings", goal, None) for team, quarter, goal in targets]
    return make_measures(
        rows, kpis=("bookings", "quota_attainment"), quarters=quarters, targets=full,
        weeks=[(rep, rep[0], *rest) for rep, *rest in weeks], **tables,
    )  # fmt: skip


def simulate(seed, *, n_reps=60, quarters=QUARTERS):
    """Simulate reps who win by a gamma rate, more in the last weeks, in better and worse quarters.

    Returns the company as it is known at the point, and what each rep booked in the end.
    """
    rng = np.random.default_rng(seed)
    rates, sizes = rng.gamma(6, 1.0, n_reps), 10_000 * np.exp(rng.normal(0, 0.3, n_reps))
    shape = np.array([1, 1, 1, 1, 1, 1.5, 3.0]) / 9.5  # of a quarter's wins, weeks -3 to 3
    weeks, quotas, ends = [], {}, {}
    for quarter in quarters:
        shock = np.exp(rng.normal(-0.005, 0.1))
        for n in range(n_reps):
            rep = f"{'AB'[n % 2]}{n:03d}"
            quotas[rep, quarter] = rates[n] * sizes[n] * np.exp(rng.normal(0, 0.2))
            ends[rep, quarter] = 0.0
            for week, share in zip(range(-3, 4), shape, strict=True):
                amounts = sizes[n] * np.exp(
                    rng.normal(-0.18, 0.6, rng.poisson(rates[n] * share * shock))
                )
                if len(amounts) and (quarter != NOW or week <= 0):
                    weeks.append(
                        (rep, quarter, week, len(amounts), amounts.sum(), (amounts**2).sum())
                    )
                ends[rep, quarter] += amounts.sum()
    return seen(company(weeks, quotas=quotas, quarters=quarters)), ends


def look(measures, **arguments):
    return target_outlook(measures, period=NOW, n_draws=300, **arguments)


@pytest.fixture(scope="module")
def simulated():
    return simulate(1)[0]


def regular(*, now=2, target=40.0, quarters=QUARTERS):
    """One rep: a win of 10 in each of four weeks of each quarter, `now` so far."""
    weeks = [
        ("A1", quarter, week, 1, 10.0, 100.0)
        for quarter in quarters for week in (-1, 0, 1, 2) if quarter != NOW or week <= 0
    ]  # fmt: skip
    weeks = [row for row in weeks if row[1] != NOW][: 4 * (len(quarters) - 1)]
    weeks += [("A1", NOW, 0, now, 10.0 * now, 100.0 * now)] if now else []
    quotas = {("A1", quarter): target for quarter in quarters}
    return seen(company(weeks, quotas=quotas, quarters=quarters))


def test_pace_is_measured_against_the_course_of_past_quarters():
    # by hand: past quarters had 20 of 40 by the point, so half; 10 of 40 is half of that pace
    row = look(regular(now=1)).whole
    assert row["usual_share"] == pytest.approx(0.5)
    assert row["attainment"] == pytest.approx(0.25)
    assert row["pace"] == pytest.approx(0.5)


def test_the_curve_adds_up_week_by_week():
    curve = look(regular()).curve
    past = curve[curve["period"] == QUARTERS[0]]
    assert past["cumulative"].tolist() == [10.0, 20.0, 30.0, 40.0]
    assert past["share"].tolist() == [0.25, 0.5, 0.75, 1.0]
    assert curve.loc[curve["period"] == NOW, "share"].isna().all()


def test_chances_lie_where_they_must():
    sure, hopeless, open_ = (
        look(regular(now=now, target=target)).whole["p_hit"]
        for now, target in ((4, 40.0), (2, 4_000.0), (2, 40.0))
    )
    assert sure == 1.0
    assert hopeless < 0.01
    # by hand: two wins are still needed and two are usual: P(Poisson(2) >= 2) = .59, spread by
    # what is not known of the rate
    assert 0.45 < open_ < 0.72


def test_what_is_surely_missed_or_hit_is_offered_with_the_chance_that_it_is_not():
    [missed] = look(regular(now=0, target=4_000.0)).candidates()
    assert missed.text == f"Acme is unlikely to hit its {NOW} target of $4.0k."
    assert missed.p_value < 0.01
    assert 0.95 < missed.effect <= 1.0
    [hit] = look(regular(now=4)).candidates()
    assert hit.text == f"Acme is set to hit its {NOW} target of $40."
    assert hit.p_value == 0.0
    assert look(regular(now=2)).candidates() == ()


def test_a_finished_quarter_has_an_end_and_no_chances():
    made = dataclasses.replace(regular(now=3), as_of=dt.date(2026, 7, 3))
    outlook = look(made)
    assert outlook.is_over
    assert outlook.rows["p_hit"].isna().all()
    assert not outlook.has_chances
    assert outlook.finding == f"Acme missed its {NOW} target of $40: $30 booked, $10 short."
    assert outlook.whole["attainment"] == pytest.approx(0.75)
    assert outlook.whole["n"] == 3
    assert outlook.rows[["usual_share", "pace"]].isna().all(axis=None)
    texts = [item.text for item in outlook.candidates()]
    assert f"Acme missed its {NOW} target of $40: 75%." in texts
    hit = target_outlook(made, period=QUARTERS[0])
    assert hit.finding == f"Acme hit its {QUARTERS[0]} target of $40: $40 booked, $0 over."


def test_with_too_little_before_no_chance_is_given():
    outlook = look(regular(quarters=QUARTERS[-3:]))
    assert outlook.rows[["p_hit", "low", "high"]].isna().all(axis=None)
    assert "too few quarters came before" in outlook.finding
    assert outlook.caveat == "Chances need three whole quarters before."
    assert look(regular(quarters=QUARTERS[-4:])).has_chances


def test_without_a_target_there_are_ends_and_no_chances():
    made = regular()
    bare = dataclasses.replace(made, totals=made.totals[made.totals["kpi"] == "bookings"])
    outlook = look(bare)
    assert outlook.rows["p_hit"].isna().all()
    assert (outlook.rows["low"] <= outlook.rows["high"]).all()
    assert outlook.finding == f"Acme booked $20 in {NOW}; it has no target."


def test_nobody_booked_ever():
    made = seen(company([("A1", QUARTERS[0], 0, 0, 0.0, 0.0)], quotas={("A1", NOW): 10.0}))
    row = look(made).whole
    assert row["booked"] == 0.0
    assert 0.0 <= row["p_hit"] < 0.3


def test_a_teams_own_target_counts_before_its_reps_quotas():
    weeks = [("A1", quarter, 0, 1, 10.0, 100.0) for quarter in QUARTERS]
    quotas = {("A1", quarter): 12.0 for quarter in QUARTERS}
    rows = look(seen(company(weeks, quotas=quotas, targets=[("A", NOW, 50.0)]))).rows
    found = rows.set_index("level")[["target", "basis"]].to_dict("index")
    assert found["rep"] == {"target": 12.0, "basis": "prorated"}
    # the only team holds everybody: it is the whole and stands there once
    assert list(found) == ["company", "rep"]
    assert found["company"] == {"target": 50.0, "basis": "set"}


def test_a_team_that_holds_all_but_who_is_in_none_is_the_company_too():
    weeks = [("A1", quarter, 0, 1, 10.0, 100.0) for quarter in QUARTERS]
    made = company([*weeks, *((f"Z{row[0][1:]}", *row[1:]) for row in weeks)])
    nowhere = made.totals.assign(team_id=made.totals["team_id"].replace("Z", ""))
    without = made.weeks.assign(team_id=made.weeks["team_id"].replace("Z", ""))
    teams = made.teams[made.teams["team_id"] == "A"]
    rows = look(seen(dataclasses.replace(made, totals=nowhere, weeks=without, teams=teams))).rows
    assert list(rows["level"]) == ["company", "rep", "rep"]


def test_the_company_is_held_to_the_sum_of_its_top_teams_targets_where_all_have_one():
    weeks = [(rep, quarter, 0, 1, 10.0, 100.0) for rep in ("A1", "B1") for quarter in QUARTERS]
    quotas = {(rep, quarter): 12.0 for rep in ("A1", "B1") for quarter in QUARTERS}
    both = [("A", NOW, 50.0), ("B", NOW, 30.0)]
    for targets, goal, basis in ((both, 80.0, "set"), (both[:1], 24.0, "prorated")):
        whole = look(seen(company(weeks, quotas=quotas, targets=targets))).whole
        assert (whole["target"], whole["basis"]) == (goal, basis)


def test_the_same_seed_gives_the_same_chances_and_row_order_does_not_matter(simulated):
    first = look(simulated).rows
    pd.testing.assert_frame_equal(first, look(simulated).rows)
    shuffled = dataclasses.replace(
        simulated, weeks=simulated.weeks.sample(frac=1, random_state=0).reset_index(drop=True)
    )
    pd.testing.assert_frame_equal(first, look(shuffled).rows, rtol=1e-6)
    other = look(simulated, random_state=1).rows
    assert not first["p_hit"].equals(other["p_hit"])
    assert (first["p_hit"] - other["p_hit"]).abs().max() < 0.15


def test_a_team_is_its_people(simulated):
    outlook = look(simulated, team="A")
    assert outlook.whole["unit"] == "Team A"
    assert set(outlook.rows["level"]) == {"team", "rep"}
    reps = outlook.rows[outlook.rows["level"] == "rep"]
    assert reps["unit_id"].str.startswith("A").all()
    assert reps["booked"].sum() == pytest.approx(outlook.whole["booked"])
    with pytest.raises(ParameterError, match="is unknown"):
        look(simulated, team="Z")


def test_chances_of_a_planted_company_come_true_as_often_as_they_say():
    chances, hits, straight = [], [], []
    for seed in range(8):
        made, ends = simulate(seed, quarters=QUARTERS[-6:])
        rows = look(made).rows
        rows = rows[(rows["level"] == "rep") & (rows["booked"] < rows["target"])]
        end = rows["unit_id"].map(lambda rep: ends[rep, NOW])  # noqa: B023
        chances += rows["p_hit"].tolist()
        hits += (end >= rows["target"]).tolist()
        straight += (rows["booked"] >= rows["target"] / 2).tolist()
    p, hit = np.array(chances), np.array(hits, dtype=float)
    assert len(p) > 350
    # by chance alone about .04 with so few, six bands
    assert calibration_error(p, hit) <= 0.075
    brier, naive = np.mean((p - hit) ** 2), np.mean((np.array(straight) - hit) ** 2)
    assert brier < 0.8 * naive
    assert brier < 0.95 * hit.mean() * (1 - hit.mean())  # better than one chance for all


def test_past_chances_use_nothing_of_their_own_future(simulated):
    """What comes of a quarter after the point changes its outcome, never its chance."""
    quarter = QUARTERS[-2]
    weeks = simulated.weeks
    later = (weeks["period"] == quarter) & (weeks["week"] > 0)
    changed = dataclasses.replace(
        simulated, weeks=weeks.assign(booked=weeks["booked"].where(~later, weeks["booked"] * 9))
    )
    one, other = (past_chances(m, NOW, n_draws=200, random_state=0) for m in (simulated, changed))
    one, other = (cases[cases["period"] == quarter] for cases in (one, other))
    assert one["p"].tolist() == other["p"].tolist()
    assert other["hit"].sum() > one["hit"].sum()


def deals(rep, quarter, *, n, won, amount=10.0, stage="Offer", is_due=True):
    return (rep, rep[0], quarter, stage, is_due, n, n * amount, n * amount**2, won,
            won * amount, won * amount)  # fmt: skip


def test_open_deals_raise_the_chance_by_what_their_stage_was_worth():
    weeks, opened, quotas = [], [], {}
    for rep in ("A1", "A2", "A3", "A4"):
        for quarter in QUARTERS:
            quotas[rep, quarter] = 40.0
            if quarter != NOW:
                weeks.append((rep, quarter, 1, 4, 40.0, 400.0))
                opened.append(deals(rep, quarter, n=8, won=4))
                opened.append(deals(rep, quarter, n=8, won=0, stage="Talk"))
    opened.append(deals("A1", NOW, n=20, won=0))
    opened.append(deals("A2", NOW, n=20, won=0, stage="Talk"))
    outlook = look(seen(company(weeks, quotas=quotas, open_deals=opened)))
    assert outlook.has_pipeline
    rows = outlook.rows[outlook.rows["level"] == "rep"].set_index("unit_id")
    # by hand: of 20 offers half are won, 100 against 40; of 20 talks none, and A3 has nothing
    assert rows.loc["A1", "p_hit"] > 0.95
    assert rows.loc["A1", "median"] == pytest.approx(100.0, rel=0.2)
    assert rows.loc["A2", "p_hit"] < 0.1
    assert rows.loc["A3", "p_hit"] < 0.1
    alone = dataclasses.replace(seen(company(weeks, quotas=quotas)), weeks=company(weeks).weeks)
    assert not look(alone).has_pipeline


def test_a_stages_chance_is_pulled_to_all_stages_while_few_were_seen():
    columns = ["stage", "is_due", "n", "n_won"]
    past = pd.DataFrame([("a", True, 92.0, 46.0), ("b", True, 8.0, 0.0)], columns=columns)
    now = pd.DataFrame([("c", True, 1.0, 0.0)], columns=columns)
    found = _win_chances(past, now)["chance"]
    # by hand: all 46.5 of 101; due ones (46 + 8 x .46) / 108; then (won + 8 x that) / (n + 8)
    level = (46 + 8 * 46.5 / 101) / 108
    assert found["a", True] == pytest.approx((46 + 8 * level) / 100)
    assert found["b", True] == pytest.approx(8 * level / 16)
    assert found["c", True] == pytest.approx(level)


def cases(p, hit, *, quarters=5, level="rep"):
    n = len(p)
    frame = pd.DataFrame({"p": p, "hit": hit}).assign(
        level=level, unit_id="x", period=[QUARTERS[i % quarters] for i in range(n)],
        straight=False, end=1.0, low=0.0, high=2.0,
    )  # fmt: skip
    return frame[CASES]


def test_a_reliability_table_counts_what_came():
    table = reliability_table(np.array([0.05, 0.05, 0.8, 0.8, 1.0]), np.array([0, 1, 1, 1, 1.0]))
    # by hand: of two chances of .05 one came; of .8 both; 1 belongs to the last band
    assert table["n"].tolist() == [2, 2, 1]
    assert table["share"].tolist() == [0.5, 1.0, 1.0]
    assert calibration_error(
        np.array([0.05, 0.05, 0.8, 0.8, 1.0]), np.array([0, 1, 1, 1, 1.0])
    ) == pytest.approx((2 * 0.45 + 2 * 0.2) / 5)
    assert reliability_table(np.array([]), np.array([])).empty


def test_chances_too_bold_are_corrected_where_enough_of_them_can_be_judged():
    rng = np.random.default_rng(0)
    truth = rng.uniform(0.1, 0.9, 600)
    logit = np.log(truth / (1 - truth))
    bold, hit = 1 / (1 + np.exp(-2.5 * logit)), rng.random(600) < truth
    found = calibrate(cases(bold, hit), "rep")
    assert found.is_enough
    assert 0.3 < found.correction.slope < 0.5  # planted: 1 / 2.5
    assert found.error < 0.6 * calibration_error(bold, hit.astype(float))
    few = calibrate(cases(bold[:60], hit[:60]), "rep")
    short = calibrate(cases(bold, hit, quarters=3), "rep")
    for kept in (few, short):
        assert not kept.is_enough
        assert kept.correction.apply(np.array([0.3]))[0] == pytest.approx(0.3)
    assert calibrate(cases([], []), "rep").n == 0


def test_right_chances_are_hardly_corrected_and_certain_ones_never():
    rng = np.random.default_rng(1)
    p = rng.uniform(0.02, 0.98, 2000)
    correction = fit_correction(p, (rng.random(2000) < p).astype(float))
    assert np.abs(correction.apply(p) - p).max() < 0.06
    assert correction.apply(np.array([0.0, 1.0])).tolist() == [0.0, 1.0]
