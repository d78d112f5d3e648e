from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from made_company import make_measures
from scipy.stats import binomtest, norm

from salesnb import views
from salesnb.analysis import seasons
from salesnb.analysis.trend import CLEAR, CONTROL, add_limits, quarter_trend
from salesnb.measures.catalogue import find_kpis
from salesnb.periods import FiscalCalendar

LONG = FiscalCalendar().window("2026Q2", 10)
YEARS = FiscalCalendar().window("2026Q4", 20)
RUSH = (-0.1, -0.1, -0.1, 0.3)
"""A usual year: its last quarter is three tenths above its level."""


def rates(wins, closed, quarters=LONG):
    rows = [
        ("A1", "A", quarter, "win_rate", w, n, n, np.nan, np.nan)
        for quarter, w, n in zip(quarters, wins, closed, strict=True)
    ]
    return make_measures(rows, kpis=("win_rate",), quarters=quarters)


def test_centre_and_limits_are_those_of_a_p_chart():
    wins, closed = [30, 33, 27, 30], [100, 100, 100, 100]
    points = quarter_trend(rates(wins, closed, LONG[:4]), period=LONG[3]).points
    # p-chart by hand: centre 90/300, limits 3 SE of a new 100, widened by sqrt(1 + 1/3)
    error = np.sqrt(0.3 * 0.7 / 100) * np.sqrt(4 / 3)
    assert points["centre"].iloc[3] == pytest.approx(0.3)
    assert points["high"].iloc[3] == pytest.approx(0.3 + 3 * error)
    assert points["low"].iloc[3] == pytest.approx(0.3 - 3 * error)
    assert points["centre"].iloc[:3].isna().all()


def test_a_fall_is_marked_and_a_steady_level_is_not():
    steady = quarter_trend(rates([60] * 10, [200] * 10), period=LONG[-1])
    fallen = quarter_trend(rates([60] * 9 + [20], [200] * 10), period=LONG[-1])
    assert not steady.points["is_outside"].any()
    assert list(fallen.points["is_outside"]) == [False] * 9 + [True]
    assert "win rate lies outside" in fallen.finding


def test_chance_alone_rarely_leaves_the_limits():
    generator = np.random.default_rng(0)
    outside = 0
    for _ in range(150):
        closed = generator.integers(40, 160, 10)
        trend = quarter_trend(rates(generator.binomial(closed, 0.3), closed), period=LONG[-1])
        outside += int(trend.last()["is_outside"].iloc[0])
    assert outside <= 4  # nominal .27% of 150, with room for eight-quarter limits


def test_an_unsteady_past_widens_the_limits():
    swings = [60, 100, 60, 100, 60, 100, 60, 100, 60]
    calm = quarter_trend(rates([80] * 9 + [110], [200] * 10), period=LONG[-1])
    wild = quarter_trend(rates([*swings, 110], [200] * 10), period=LONG[-1])
    assert calm.last()["is_outside"].iloc[0]
    assert not wild.last()["is_outside"].iloc[0]


def test_quarters_not_over_and_begun_late_are_left_out():
    measures = rates([60] * 10, [200] * 10)
    late = replace(measures, first_close=measures.calendar.first_day(LONG[1]))
    assert list(quarter_trend(late, period=LONG[-1]).points["period"]) == list(LONG[1:])


def test_a_quarter_without_records_has_no_limits_and_no_alarm():
    points = quarter_trend(rates([60] * 9 + [0], [200] * 9 + [0]), period=LONG[-1]).points
    assert np.isnan(points["z"].iloc[-1])
    assert not points["is_outside"].iloc[-1]


def bookings(quarters):
    kpi = find_kpis(("bookings",))[0]
    rows = [
        ("A1", "A", quarter, "bookings", 900.0 + 20 * (position % 3), 1.0, 9, 900.0, 95_000.0)
        for position, quarter in enumerate(quarters)
    ]
    measures = make_measures(rows, kpis=("bookings",), quarters=quarters)
    sums = measures.roll_up(by="company", kpi="bookings").sort_values("period")
    return sums, add_limits(sums, kpi)


def test_money_and_medians_have_limits_too():
    sums, points = bookings(LONG[:8])
    assert points["centre"].iloc[-1] == pytest.approx(np.mean(sums["value"].iloc[:-1]))
    # compound Poisson: sqrt(sum of squares) for a quarter, sqrt(1 + 1/7) for the centre's own
    reach = 3 * np.sqrt(95_000.0) * np.sqrt(1 + 1 / 7)
    assert points["high"].iloc[-1] - points["centre"].iloc[-1] == pytest.approx(reach)
    assert points["season"].isna().all()


def test_money_has_limits_with_seasons_too():
    sums, points = bookings(LONG)
    last = points.iloc[-1]
    # There is no season, so little is made of what chance does to the four quarters of a year.
    assert last["centre"] == pytest.approx(np.mean(sums["value"].iloc[1:-1]), rel=0.02)
    assert abs(last["season"]) < 0.02
    assert list(points["season"].notna()) == [False] * 8 + [True] * 2
    # At least the error of the short way, of eight quarters, and not much more.
    reach = 3 * np.sqrt(95_000.0) * np.sqrt(1 + 1 / 8)
    assert reach < last["high"] - last["centre"] < 1.35 * reach


# Seasons -----------------------------------------------------------------------------------


def leads(seed, *, mean=60, season=RUSH, growth=0.0, last=1.0):
    """Make sums of twenty quarters of leads: Poisson around level, season and growth."""
    expected = [
        mean * (1 + season[int(quarter[-1]) - 1]) * (1 + growth) ** place
        for place, quarter in enumerate(YEARS)
    ]
    expected[-1] *= last
    counts = np.random.default_rng(seed).poisson(expected).astype(float)
    return pd.DataFrame(
        {"period": YEARS, "value": counts, "numerator": counts, "denominator": 1.0, "n": counts,
         "total": np.nan, "total_of_squares": np.nan}
    )  # fmt: skip


LEADS = find_kpis(("leads",))[0]


def last_of(sums):
    return add_limits(sums, LEADS).iloc[-1]


def count_alarms(n=80, **company):
    z = np.array([last_of(leads(seed, **company))["z"] for seed in range(n)])
    return int((np.abs(z) > CLEAR).sum())


def test_quiet_seasonal_companies_alarm_at_the_stated_rate_and_without_seasons_more(monkeypatch):
    with_seasons = count_alarms()
    # The rush itself is the last quarter: with 5% stated, more than 9 of 80 has P < .01.
    assert with_seasons <= 9
    monkeypatch.setattr(seasons, "_DEVIATIONS", np.zeros(1))
    without = count_alarms()
    assert without >= 2 * with_seasons
    assert binomtest(without, 80, 0.05, alternative="greater").pvalue < 1e-4


def test_companies_without_seasons_alarm_no_more_either():
    assert count_alarms(season=(0, 0, 0, 0)) <= 9


def test_a_real_shift_in_a_seasonal_series_is_found_and_the_rush_alone_is_not():
    quiet = last_of(leads(4, mean=400))
    shifted = last_of(leads(4, mean=400, last=1.25))
    fallen = last_of(leads(4, mean=400, last=0.75))  # a rush of 30% that all but fails to come
    assert (bool(quiet["is_outside"]), quiet["season"]) == (False, pytest.approx(0.3, abs=0.05))
    assert shifted["is_outside"]
    assert shifted["z"] > CONTROL
    assert fallen["is_outside"]
    assert fallen["z"] < -CONTROL


def test_growth_is_not_read_as_a_season():
    seasons_found = []
    for seed in range(8):
        # Two years of 5% a quarter: each last quarter is 7.5% above the mean of its four.
        sums = leads(seed, mean=400, season=(0,) * 4, growth=0.05)
        seasons_found.append(last_of(sums.iloc[3:12])["season"])
    assert abs(np.mean(seasons_found)) < 0.01


def test_the_centre_moves_with_the_season():
    points = add_limits(leads(1, mean=400), LEADS)
    by_quarter = points.iloc[-8:].groupby(points["period"].str[-1])["centre"].mean()
    assert by_quarter["4"] / by_quarter[["1", "2", "3"]].max() > 1.3


def test_twelve_quarters_are_shown_and_more_are_used():
    measures = rates([60] * 20, [200] * 20, YEARS)
    points = quarter_trend(measures, period=YEARS[-1]).points
    assert list(points["period"]) == list(YEARS[-12:])
    assert points["season"].notna().all()


def test_the_caveat_and_the_reason_say_whether_seasons_are_taken_out():
    for quarters, said in ((LONG[:8], "seasons and changes of people are not taken out"),
                           (LONG, "Limits hold chance and the seasons")):  # fmt: skip
        trend = quarter_trend(rates([60] * len(quarters), [200] * len(quarters), quarters),
                              period=quarters[-1])  # fmt: skip
        (offer,) = trend.candidates()
        assert said in trend.caveat
        assert ("seasons are not taken out" in offer.why) == (quarters != LONG)
        assert offer.p_value == pytest.approx(2 * norm.sf(abs(trend.points["z"].iloc[-1])))


def test_past_quarters_without_a_win_count_as_nothing_booked_not_as_unknown():
    amounts = np.array([300.0, 0, 300, 300, 0, 300, 300, 300, 0, 300, 300, 300])
    rows = [
        ("A1", "A", quarter, "bookings", amount, 1.0, amount // 100, amount, 100 * amount)
        for quarter, amount in zip(YEARS[-12:], amounts, strict=True)
    ]
    measures = make_measures(rows, kpis=("bookings",), quarters=YEARS[-12:])
    last = quarter_trend(measures, period=YEARS[-1]).points.iloc[-1]
    assert np.isfinite(last["season"])
    assert last["centre"] == pytest.approx(amounts[3:-1].mean(), rel=0.2)  # 225, not 300


# A quarter that is not over ----------------------------------------------------------------


def running(wins=5, closed=50):
    measures = rates([60] * 9 + [wins], [200] * 9 + [closed])
    middle = measures.calendar.first_day(LONG[-1]).replace(day=20)
    return quarter_trend(replace(measures, as_of=middle), period=LONG[-1])


def test_a_running_quarter_is_neither_a_fall_nor_an_improvement():
    trend = running()
    last = trend.last().iloc[0]
    assert (last["period"], last["value"], last["is_running"]) == (LONG[-1], 0.1, True)
    assert last[["centre", "low", "high", "z", "previous", "before"]].isna().all()
    assert not last["is_outside"]
    assert trend.candidates() == ()
    assert "2026Q2 is not over, so nothing is compared" in trend.finding
    assert "2026Q2 is not over" in trend.caveat
    # The quarters before it are compared as ever.
    assert trend.points["z"].iloc[3:-1].notna().all()


def test_a_quarter_is_over_on_its_last_day():
    measures = rates([60] * 10, [200] * 10)
    over = replace(measures, as_of=measures.calendar.last_day(LONG[-1]))
    assert not quarter_trend(over, period=LONG[-1]).is_running


def test_a_running_quarter_is_marked_in_tiles_and_chart():
    trend = running()
    (tile,) = views.kpi_tiles(trend).items
    assert (tile.label, tile.change, tile.direction) == ("Win rate, 2026Q2 so far", "", "flat")
    assert tile.note == "n 50"
    figure = trend.plot()
    assert "2026Q2 so far" in figure.svg
    assert figure.numbers["Quarter"].iloc[-1] == "2026Q2 so far"
    assert list(figure.numbers.iloc[-1][["Usual", "Limits"]]) == ["–", "–"]


def test_a_tile_says_what_is_usual_in_its_season():
    (tile,) = views.kpi_tiles(quarter_trend(rates([60] * 10, [200] * 10), period=LONG[-1])).items
    assert tile.note == "usually 30% in a Q2; n 200"


def test_a_trend_of_nothing_says_so():
    trend = quarter_trend(make_measures([], kpis=("win_rate",)), period="2026Q2")
    assert trend.candidates() == ()
    assert "no quarters to follow" in trend.finding
    assert trend.caveat == ""
