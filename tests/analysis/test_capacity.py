"""How loaded people are, by hand and with differences that were planted."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from made_company import QUARTERS, make_measures
from scipy.special import expit
from scipy.stats import ttest_1samp

from salesnb import views
from salesnb.analysis.insights import find_insights
from salesnb.analysis.interactions import capacity
from salesnb.errors import ParameterError
from salesnb.measures.capacity import CAPACITY_COLUMNS

NOW = QUARTERS[-1]


def row(rep, period, *, days=60.0, new=12.0, open_days=900.0, calls=90.0, meetings=20.0):
    linked = 80.0
    return (rep, rep[0], period, days, new, open_days, calls, meetings, 10.0, linked,
            3600.0, 7200.0)  # fmt: skip


def company(rows, wins=()):
    people = sorted({item[0] for item in rows})
    totals = [(*key, "win_rate", won, n, n, np.nan, np.nan) for *key, won, n in wins]
    totals += [(rep, rep[0], QUARTERS[0], "win_rate", 0, 0, 0, np.nan, np.nan) for rep in people]
    made = make_measures(totals, kpis=("win_rate",))
    return replace(made, capacity=pd.DataFrame(rows, columns=CAPACITY_COLUMNS))


def crowd(load, *, quarters=QUARTERS, seed=1, each=8):
    """Two teams of people; `load` gives the factor of a person's open opportunities."""
    rng = np.random.default_rng(seed)
    return [
        row(f"{team}{n}", period, open_days=900 * load(team, period) * rng.lognormal(0, 0.2),
            calls=90 * rng.lognormal(0, 0.2))
        for team in "AB" for n in range(each) for period in quarters
    ]  # fmt: skip


def test_loads_by_hand():
    # 2026Q2 has 91 days; the one with 65 working days was there all the time, so a working day is
    # 91 / 65 = 1.4 days. A1 and A2: 1820 open days / (130 x 1.4) = 10 open per person; 240
    # activities / 130 working days; 160 linked / 1820 open days x 30; 6 hours / 130 x 5.
    rows = [row("A1", NOW, days=65, open_days=1000), row("A2", NOW, days=65, open_days=820)]
    (team,) = capacity(company(rows), period=NOW).teams.to_dict("records")
    assert team["open_per_person"] == pytest.approx(10.0)
    assert team["activities_per_day"] == pytest.approx(240 / 130)
    assert team["touches_per_open"] == pytest.approx(160 / 1820 * 30)
    assert team["hours_per_week"] == pytest.approx(6 / 130 * 5)
    assert (team["n_people"], team["working_days"]) == (2, 130)


def test_who_was_away_half_of_the_time_is_as_loaded_with_half_as_much():
    whole = [row("A1", NOW, days=65, open_days=1000), row("A2", NOW, days=65, open_days=1000)]
    half = [whole[0], row("A2", NOW, days=32.5, open_days=500, calls=45, meetings=10)]
    one, other = (capacity(company(rows), period=NOW).teams for rows in (whole, half))
    assert one["open_per_person"].tolist() == pytest.approx(other["open_per_person"].tolist())


def test_a_week_and_the_one_before():
    rows = [row("A1", quarter, calls=60 if quarter == NOW else 30) for quarter in QUARTERS]
    week = capacity(company(rows), period=NOW).week.set_index("what")
    assert week.loc["Calls made"].tolist() == pytest.approx([5.0, 2.5])
    assert week.loc["Hours in meetings"].tolist() == pytest.approx([2 / 60 * 5] * 2)


def test_teams_that_differ_are_ordered_and_said_to():
    found = capacity(company(crowd(lambda team, _: 2.0 if team == "B" else 1.0)), period=NOW)
    # With as many touches, each of the more that are open gets fewer.
    assert found.differing == ("open_per_person", "touches_per_open")
    assert found.teams["label"].tolist() == ["Team B", "Team A"]
    assert "teams differ beyond chance in: open opportunities per person" in found.finding
    assert "differ between teams" in find_insights(found).finding


def test_equal_teams_are_neither_ordered_nor_named():
    found = capacity(company(crowd(lambda *_: 1.0)), period=NOW)
    assert found.differing == ()
    assert found.teams["label"].tolist() == ["Team A", "Team B"]
    assert "teams do not differ in load beyond chance" in found.finding
    assert all(item.effect == 0 for item in found.candidates() if "differ between" in item.text)
    assert not find_insights(found).items


def test_equal_teams_are_rarely_told_apart():
    made = [crowd(lambda *_: 1.0, quarters=[NOW], seed=seed) for seed in range(20)]
    claims = sum(bool(capacity(company(rows), period=NOW).differing) for rows in made)
    # At most 5% expected; 5 of 20 or more would have a chance below 1 in 100.
    assert claims < 5


def test_the_interval_of_a_team_is_that_of_the_mean_of_its_people():
    rows = [
        row(f"A{n}", NOW, days=65, open_days=opened) for n, opened in enumerate([700, 900, 980])
    ]
    (team,) = capacity(company(rows), period=NOW).teams.to_dict("records")
    # By hand: loads are open days / 91; the interval is Student's of their mean.
    interval = ttest_1samp(np.array([700, 900, 980]) / 91, 0).confidence_interval(0.95)
    assert team["open_per_person_low"] == pytest.approx(interval.low)
    assert team["open_per_person_high"] == pytest.approx(interval.high)


def test_a_change_is_that_of_the_same_people():
    # All have a quarter more than before; those who left had far more, which must not count.
    rows = crowd(lambda _, period: 1.25 if period == NOW else 1.0)
    rows += [row(f"C{n}", period, open_days=9000) for n in range(9) for period in QUARTERS[:5]]
    changes = capacity(company(rows), period=NOW).changes.set_index("load")
    change = changes.loc["open_per_person"]
    assert change["low"] < 1.25 < change["high"]
    assert change["p_value"] < 0.01
    assert change["n"] == 16
    assert changes.loc["open_per_person", "before"] > changes.loc["open_per_person", "now"]


def test_a_quarter_whose_data_begin_late_is_not_compared_with():
    made = company(crowd(lambda *_: 1.0))
    late = replace(made, first_close=made.calendar.first_day(QUARTERS[-2]))
    found = capacity(late, period=NOW)
    assert found.past == QUARTERS[-2:-1]
    assert "in the quarter before)" in found.finding
    assert capacity(made, period=NOW).past == QUARTERS[-5:-1]


def test_in_the_first_quarter_a_person_has_what_one_person_has():
    # What is open is known in any quarter; it is not the 960 working days of all together.
    first = QUARTERS[0]
    found = capacity(company(crowd(lambda *_: 1.0, quarters=[first])), period=first)
    assert found.past == ()
    assert found.load("open_per_person")[0] == pytest.approx(
        found.teams["open_per_person"].mean(), rel=1e-9
    )
    assert f"had {found.load('open_per_person')[0]:.1f} open opportunities and" in found.finding
    assert "960" not in found.finding
    assert found.changes["before"].isna().all()
    assert "Quarters before" in views.capacity_table(found).render_text()


def test_one_person_of_one_team_is_told_as_one():
    found = capacity(company([row("A1", NOW, days=1)]), period=NOW)
    assert "1 person with 1 working day. " in views.capacity_table(found).caption
    assert "Dot plots of 4 loads of 1 team;" in views.capacity_chart(found).alt


def test_where_only_hours_are_known_the_working_days_said_are_those_of_one_person():
    rows = pd.DataFrame(crowd(lambda *_: 1.0, quarters=[NOW]), columns=CAPACITY_COLUMNS)
    bare = rows.assign(n_calls=np.nan, n_linked=np.nan, open_days=np.nan, call_seconds=60.0)
    found = capacity(replace(company(crowd(lambda *_: 1.0)), capacity=bare), period=NOW)
    assert "a person at work had 60 working days" in found.finding


def test_changes_are_adjusted_for_all_loads_together():
    found = capacity(company(crowd(lambda _, period: 1.1 if period == NOW else 1.0)), period=NOW)
    known = found.changes.dropna(subset="p_value").sort_values("p_value")
    # Holm by hand: the smallest of m times m, the next times m - 1, and never less than before.
    expected, least = [], 0.0
    for place, p_value in enumerate(known["p_value"]):
        least = max(least, min(p_value * (len(known) - place), 1.0))
        expected.append(least)
    assert known["p_adjusted"].tolist() == pytest.approx(expected)


def test_equal_quarters_are_rarely_told_to_have_changed():
    def claims(seed):
        changes = capacity(company(crowd(lambda *_: 1.0, seed=seed)), period=NOW).changes
        return [(changes[name] < 0.05).any() for name in ("p_value", "p_adjusted")]

    raw, adjusted = np.sum([claims(seed) for seed in range(40)], axis=0)
    assert adjusted < raw  # several tests at .05 each claim more often than one


def test_a_change_that_the_table_calls_unclear_is_no_finding():
    found = capacity(company(crowd(lambda *_: 1.0)), period=NOW)
    load = found.changes["load"]
    unclear = found.changes.assign(
        ratio=1.5, low=1.1, high=2.0, n=16, p_value=np.where(load == "open_per_person", 0.02, 0.9),
        p_adjusted=np.where(load == "open_per_person", 0.08, 1.0),
    )  # fmt: skip
    offered = replace(found, changes=unclear).candidates()
    told = [item for item in offered if "people had" in item.text]
    assert len(told) == len(load)
    assert all(item.effect == 0 for item in told)
    table = views.capacity_table(replace(found, changes=unclear)).render_text()
    assert table.count("no clear change") == len(load)


def winning_company(slope, seed=2, n=120):
    rng = np.random.default_rng(seed)
    rows, wins = [], []
    for number in range(n):
        rep, load = f"{'ABCD'[number % 4]}{number:03d}", rng.normal(0, 0.4)
        chance = expit(-1 + slope * load + rng.normal(0, 0.2))
        for period in QUARTERS:
            rows.append(row(rep, period, new=15 * np.exp(load)))
            wins.append((rep, rep[0], period, rng.binomial(15, chance), 15))
    return company(rows, wins)


def test_busier_people_that_win_less_are_found_at_the_planted_slope():
    found = capacity(winning_company(-0.6), period=NOW)
    assert found.busy.low < -0.6 < found.busy.high
    assert found.busy.p_value < 0.01
    assert found.busy.n_people == 120
    assert found.busy.n_closed == 120 * 4 * 15
    assert found.busy_said.startswith("Busier people win less: odds x")
    assert "Busier people win less" in find_insights(found).finding


def test_where_the_busy_do_not_win_less_nothing_is_claimed():
    found = capacity(winning_company(0.0), period=NOW)
    assert found.busy_said.startswith("Busier people do not win less or more beyond chance")


def test_too_few_people_say_nothing_about_the_busy():
    found = capacity(winning_company(-0.6, n=9), period=NOW)
    assert np.isnan(found.busy.slope)
    assert found.busy_said == "Whether busier people win less cannot be said of 9 people."


def test_the_sums_of_teams_are_those_of_the_company():
    rows = crowd(lambda *_: 1.0)
    found = capacity(company(rows), period=NOW)
    assert found.teams["working_days"].sum() == found.working_days
    alone = capacity(company(rows), period=NOW, team="B")
    whole = found.teams.set_index("label").loc["Team B"]
    assert alone.teams.iloc[0]["open_per_person"] == pytest.approx(whole["open_per_person"])
    assert alone.unit == "Team B"


def test_the_order_of_rows_does_not_matter():
    rows = crowd(lambda team, _: 1.5 if team == "B" else 1.0)
    one, other = capacity(company(rows), period=NOW), capacity(company(rows[::-1]), period=NOW)
    pd.testing.assert_frame_equal(one.teams, other.teams)
    pd.testing.assert_frame_equal(one.changes, other.changes)


def test_what_has_no_activities_still_says_what_is_open():
    rows = pd.DataFrame(crowd(lambda *_: 1.0), columns=CAPACITY_COLUMNS)
    done = [name for name in rows if name.startswith("n_") and name != "n_new"]
    bare = rows.assign(**dict.fromkeys([*done, "call_seconds", "meeting_seconds"], np.nan))
    found = capacity(replace(company(crowd(lambda *_: 1.0)), capacity=bare), period=NOW)
    assert "open opportunities" in found.finding
    assert "activities a working day" not in found.finding
    assert found.teams["activities_per_day"].isna().all()
    assert "open opportunities per person" in views.capacity_chart(found).alt
    assert "Calls made" not in views.capacity_table(found).render_text()


@pytest.mark.parametrize("rows", [[], [row("A1", QUARTERS[0])]])
def test_what_the_data_cannot_say_is_said(rows):
    made = company([row("A1", NOW)])
    found = capacity(
        replace(made, capacity=pd.DataFrame(rows, columns=CAPACITY_COLUMNS)), period=NOW
    )
    assert found.lacking
    assert found.candidates() == ()
    for block in (views.capacity_chart(found), views.capacity_table(found)):
        assert found.lacking in block.render_text()


def test_unknown_quarters_are_refused():
    with pytest.raises(ParameterError, match="quarter: no data for '2030Q1'"):
        capacity(company([row("A1", NOW)]), period="2030Q1")


def test_the_figure_gives_each_team_with_its_people():
    figure = views.capacity_chart(capacity(company(crowd(lambda *_: 1.0)), period=NOW))
    assert figure.numbers["Team"].tolist() == ["Team A", "Team B"]
    assert figure.numbers["People"].tolist() == [8, 8]
    assert "Dot plots of 4 loads of 2 teams" in figure.alt
