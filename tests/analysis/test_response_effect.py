"""How answers work: planted truth, what is left out, and what cannot be told."""

from dataclasses import replace

import numpy as np
import pytest
from alignment_company import demand_company, demand_frame
from made_company import QUARTERS
from scipy.special import expit

from salesnb.analysis.alignment import response_effect
from salesnb.analysis.alignment.odds import fit_odds
from salesnb.analysis.insights import find_insights
from salesnb.errors import ParameterError
from salesnb.measures.cache import load_measures
from salesnb.measures.demand.leads import EDGES
from salesnb.sources.sample.settings import Settings

NOW = QUARTERS[-1]


def waits(rng, *, slope, n=6000, tilt=0.0, base=0.0):
    """Leads of two sources; the better source is answered faster by `tilt` doublings."""
    is_good = rng.random(n) < 0.5
    log = rng.normal(7.0, 1.8, n) - tilt * is_good
    chance = expit(base + slope * (log - 7) + 1.0 * is_good)
    reached = rng.random(n) < chance
    edges = np.array([0.0, *EDGES, np.inf])
    band = np.searchsorted(edges[1:-1], 2**log)
    rows = []
    for good in (False, True):
        for place in np.unique(band):
            here = (is_good == good) & (band == place)
            if here.any():
                rows.append({
                    "team_id": "A", "period": NOW, "source": "Good" if good else "Poor",
                    "over": edges[place], "up_to": edges[place + 1], "n": here.sum(),
                    "log_minutes": np.maximum(log[here], np.log2(5)).sum(),
                    "qualified": reached[here].sum(), "touched": here.sum(),
                })  # fmt: skip
    return rows


def of(rows, **flow):
    counts = {"team_id": "A", "period": NOW, "source": "Good", "leads": 6000.0, **flow}
    return demand_company(lead_waits=rows, lead_flow=[counts])


def test_a_planted_slope_lies_in_the_interval_and_confounding_is_taken_out():
    rng = np.random.default_rng(3)
    found = response_effect(of(waits(rng, slope=-0.2, tilt=1.5)), period=NOW)
    assert found.slope.low < -0.2 < found.slope.high
    assert found.unadjusted.value < found.slope.value - 0.04  # the better source is answered faster
    assert "odds that a lead became qualified were" in found.finding
    assert "lower" in found.finding
    assert found.curve["share"].is_monotonic_decreasing
    assert found.curve["n"].sum() == 6000
    (told,) = find_insights(found).items
    assert told.kpi == "response_minutes"


def test_no_slope_is_no_finding():
    rng = np.random.default_rng(4)
    found = response_effect(of(waits(rng, slope=0.0)), period=NOW)
    assert not found.is_beyond_chance
    assert "does not go with how fast they were answered beyond chance" in found.finding
    assert find_insights(found).items == ()
    assert len(found.candidates()) == 2  # the wait and the SLA: what was tested in vain counts


def test_untouched_leads_do_not_move_the_slope_and_are_counted():
    rng = np.random.default_rng(5)
    rows = waits(rng, slope=-0.2)
    idle = [{"team_id": "A", "period": NOW, "source": "Good", "over": 3840.0, "up_to": 7680.0,
             "untouched": 2000.0}]  # fmt: skip
    alone, both = (response_effect(of(part), period=NOW) for part in (rows, rows + idle))
    assert both.slope == alone.slope
    assert both.waiting.n_untouched == 2000
    assert both.as_slow.value < alone.as_slow.value - 0.1  # as if all were answered in vain


def test_untouched_leads_wait_on_in_the_share_answered():
    rows = [
        {"team_id": "A", "period": NOW, "over": 0.0, "up_to": 5.0, "touched": 10.0},
        {"team_id": "A", "period": NOW, "over": 5.0, "up_to": 10.0, "touched": 5.0,
         "untouched": 15.0},
        {"team_id": "A", "period": NOW, "over": 10.0, "up_to": 15.0, "touched": 10.0},
    ]  # fmt: skip
    found = response_effect(of(rows), period=NOW)
    # Kaplan-Meier by hand: 30/40, then 25/30, then 0/10 are left.
    assert found.answered["answered"].tolist() == pytest.approx([0.25, 1 - 0.75 * 25 / 30, 1.0])
    assert "too few leads to compare" in found.lacking


def test_the_sla_compares_those_in_time_with_the_late_and_adds_up():
    rng = np.random.default_rng(6)
    rows = waits(rng, slope=-0.25, n=20_000)
    made = of(rows, in_time=300.0, time_up=1000.0)
    found = response_effect(made, period=NOW).in_time
    assert (found.minutes, found.share) == (60, 0.3)
    cells = demand_frame("lead_waits", rows)
    late = cells["over"] >= 60
    assert (found.n_late, found.n_early) == (cells.loc[late, "n"].sum(),
                                             cells.loc[~late, "n"].sum())  # fmt: skip
    # Without confounding the adjusted difference is the raw one but for what chance mixes.
    assert found.difference == pytest.approx(found.raw_early - found.raw_late, abs=0.01)
    assert found.low < found.raw_early - found.raw_late < found.high
    assert found.missed[0] == pytest.approx(found.difference * found.n_late)
    assert found.p_value < 1e-6
    assert replace(found, low=0.0, high=2 * found.difference).p_value == pytest.approx(0.05)


def test_other_outcomes_and_what_is_refused():
    rng = np.random.default_rng(7)
    rows = [row | {"opportunities": row["qualified"]} for row in waits(rng, slope=-0.2)]
    became = response_effect(of(rows), period=NOW, outcome="opportunities")
    assert became.slope == response_effect(of(rows), period=NOW).slope
    assert "became an opportunity" in became.finding
    with pytest.raises(ParameterError, match="'won' is not one of qualified, opportunities"):
        response_effect(of(rows), period=NOW, outcome="won")


@pytest.mark.parametrize(("rows", "lacking"), [
    ([], "needs the table leads"),
    ([{"team_id": "A", "period": NOW, "up_to": 5.0, "untouched": 500.0}],
     "needs leads.first_touch_at"),
    ([{"team_id": "A", "period": NOW, "up_to": 5.0, "n": 500.0, "touched": 500.0,
       "log_minutes": 1.0}], "too few leads to compare"),
])  # fmt: skip
def test_what_cannot_be_told_is_said(rows, lacking):
    found = response_effect(demand_company(lead_waits=rows), period=NOW)
    assert lacking in found.lacking
    assert found.candidates() == ()
    assert np.isnan(found.slope.value)


def test_one_range_of_waits_has_a_slope_but_no_curve():
    row = {"team_id": "A", "period": NOW, "over": 5.0, "up_to": 10.0, "n": 300.0,
           "touched": 300.0, "log_minutes": 900.0, "qualified": 100.0}  # fmt: skip
    found = response_effect(of([row, row | {"log_minutes": 930.0, "source": "x"}]), period=NOW)
    assert found.curve["share"].isna().all()
    assert np.isnan(found.in_time.difference)


def test_the_order_of_rows_does_not_matter():
    rows = waits(np.random.default_rng(8), slope=-0.2)
    one, other = (response_effect(of(part), period=NOW) for part in (rows, rows[::-1]))
    assert one.slope.value == pytest.approx(other.slope.value, rel=1e-9)
    assert one.in_time.difference == pytest.approx(other.in_time.difference, rel=1e-9)


def test_odds_of_a_table_of_four_are_those_by_hand():
    design = np.array([[0.0, 1.0], [1.0, 1.0]])
    fit = fit_odds(np.array([30.0, 10.0]), np.array([100.0, 100.0]), design)
    # log((10/90) / (30/70)), and Woolf's error: the root of the sum of reciprocals.
    assert fit.slope(0).value == pytest.approx(np.log((10 / 90) / (30 / 70)))
    error = np.sqrt(1 / 10 + 1 / 90 + 1 / 30 + 1 / 70)
    assert fit.slope(0).high - fit.slope(0).value == pytest.approx(1.959964 * error, rel=1e-5)


def test_more_spread_than_a_coins_widens_the_interval():
    n = np.full(40, 100.0)
    design = np.column_stack([np.tile([0.0, 1.0], 20), np.ones(40)])
    even, uneven = np.full(40, 40.0), np.tile([10.0, 10.0, 70.0, 70.0], 10)
    narrow, wide = (fit_odds(part, n, design).slope(0) for part in (even, uneven))
    assert wide.high - wide.low > 4 * (narrow.high - narrow.low)


def test_the_sample_companys_planted_effect_lies_in_the_interval():
    planted = Settings(reps=200, seed=7).response_effect * np.log(2)  # of one doubling
    found = response_effect(load_measures(), period="2026Q3")
    assert found.slope.low < planted < found.slope.high
    assert found.slope.high - found.slope.low < 0.1
    assert found.as_slow.high < planted


def test_a_team_has_an_interval_of_its_own():
    measures = load_measures()
    team = measures.team_ids()[0]
    found = response_effect(measures, period="2026Q3", team=team)
    whole = response_effect(measures, period="2026Q3")
    assert found.slope.high - found.slope.low > whole.slope.high - whole.slope.low
    assert found.waiting.n_followed < whole.waiting.n_followed
    assert replace(found, lacking="nothing").finding.endswith("nothing.")
