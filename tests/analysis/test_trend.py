import numpy as np
import pytest
from made_company import make_measures

from salesnb.analysis.trend import add_limits, quarter_trend
from salesnb.measures.catalogue import find_kpis
from salesnb.periods import FiscalCalendar

LONG = FiscalCalendar().window("2026Q2", 10)


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
    assert "win rate lie outside" in fallen.finding


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
    from dataclasses import replace

    late = replace(measures, first_close=measures.calendar.first_day(LONG[1]))
    assert list(quarter_trend(late, period=LONG[-1]).points["period"]) == list(LONG[1:])


def test_a_quarter_without_records_has_no_limits_and_no_alarm():
    points = quarter_trend(rates([60] * 9 + [0], [200] * 9 + [0]), period=LONG[-1]).points
    assert np.isnan(points["z"].iloc[-1])
    assert not points["is_outside"].iloc[-1]


def test_money_and_medians_have_limits_too():
    kpi = find_kpis(("bookings",))[0]
    rows = [
        ("A1", "A", quarter, "bookings", 900.0 + 20 * (position % 3), 1.0, 9, 900.0, 95_000.0)
        for position, quarter in enumerate(LONG)
    ]
    measures = make_measures(rows, kpis=("bookings",), quarters=LONG)
    sums = measures.roll_up(by="company", kpi="bookings")
    points = add_limits(sums.sort_values("period"), kpi)
    assert points["centre"].iloc[-1] == pytest.approx(np.mean(sums["value"].iloc[1:-1]))
    # compound Poisson: sqrt(sum of squares) for a quarter, sqrt(1 + 1/8) for the centre's own
    reach = 3 * np.sqrt(95_000.0) * np.sqrt(1 + 1 / 8)
    assert points["high"].iloc[-1] - points["centre"].iloc[-1] == pytest.approx(reach)
