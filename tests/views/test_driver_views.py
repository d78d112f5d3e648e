"""Views of the drivers: what they say and tint, and that they say why there is nothing."""

import dataclasses

import numpy as np
import pytest
from made_company import make_measures

from salesnb import views
from salesnb.analysis.drivers import DRIVERS_ANCHOR, booking_drivers
from salesnb.views.blocks import Note
from salesnb.views.theme import BETTER, UNCLEAR, WORSE

WAS, NOW = "2026Q1", "2026Q2"
HOSTILE = "<img src=x onerror=alert(1)>"
LOST = ((4, 800, 400, 4e6), (4, 800, 200, 2e6))
SAME = ((4, 80, 20, 2e5), (4, 80, 21, 2.1e5))


def drivers_of(*chains, period=NOW):
    """Split the change of teams of (reps, closed, won, bookings) in two quarters."""
    rows = []
    for place, chain in enumerate(chains):
        for quarter, (reps, closed, won, booked) in zip((WAS, NOW), chain, strict=True):
            key = (f"{place}01", f"{place}", quarter)
            rows.append((*key, "bookings", booked, reps, won, booked, booked**2 / won * 1.1))
            rows.append((*key, "win_rate", won, closed, closed, np.nan, np.nan))
    measures = make_measures(rows, kpis=("bookings", "win_rate"))
    teams = measures.teams.replace({"name": {"Team 0": HOSTILE}})
    measures = dataclasses.replace(measures, teams=teams)
    return booking_drivers(measures, period=period, n_draws=300)


def test_chart_says_the_finding_and_both_levels():
    block = views.driver_chart(drivers_of(LOST))
    assert block.anchor == DRIVERS_ANCHOR
    assert "fell by $2.0m" in block.title
    assert "beyond chance: win rate" in block.title
    assert "Bookings of $4.0m in 2026Q1 became $2.0m in 2026Q2" in block.caption
    assert "Win rate −$2.0m" in block.alt
    row = block.numbers.set_index("Driver").loc["Win rate"]
    assert list(row[["Before", "After", "Beyond chance"]]) == ["50.0%", "25.0%", "yes"]
    assert block.narrow_svg


@pytest.mark.parametrize(
    ("chain", "colour"), [(LOST, WORSE), (LOST[::-1], BETTER), (SAME, UNCLEAR)]
)
def test_only_what_is_beyond_chance_is_coloured(chain, colour):
    from matplotlib.colors import to_hex

    from salesnb.views.figures.drivers import plot_drivers

    found = drivers_of(chain)
    bars = plot_drivers(found, width=8).patches
    by_driver = dict(zip(found.pieces["driver"], bars, strict=False))
    assert to_hex(by_driver["win_rate"].get_facecolor()) == colour
    assert {to_hex(by_driver[name].get_facecolor()) for name in ("volume", "deal_size")} == {
        UNCLEAR
    }
    assert sum(bar.get_width() for bar in bars[:-1]) == pytest.approx(bars[-1].get_width())


def test_teams_are_tinted_only_beyond_chance_and_their_drivers_sum_to_the_change():
    block = views.driver_table(drivers_of(LOST, SAME))
    assert block.anchor == f"{DRIVERS_ANCHOR}-teams"
    assert block.columns == ["Reps", "Closed per rep", "Win rate", "Deal size", "Change"]
    assert [[cell.tint for cell in cells] for _, cells in block.rows] == [[0, 0, -2, 0, 0], [0] * 5]
    assert "in 1 of 2 teams more than the number of reps moved" in block.title
    for _, cells in block.rows:
        values = [cell.sort_value for cell in cells]
        assert sum(values[:-1]) == pytest.approx(values[-1])
    assert block.rows[1][1][2].note == "25.0% → 26.2%"
    assert block.rows[0][0] == HOSTILE
    assert HOSTILE not in block.render_html()


def test_more_reps_are_tinted_but_are_not_news_about_chance():
    more = ((4, 80, 20, 2e5), (5, 100, 25, 2.5e5))
    block = views.driver_table(drivers_of(more, SAME))
    assert block.rows[0][1][0].tint == 2
    assert "in none of 2 teams" in block.title


def test_a_gap_is_said_instead_of_drawn():
    found = drivers_of(SAME, period="2025Q1")
    for block in (views.driver_chart(found), views.driver_table(found)):
        assert isinstance(block, Note)
        assert "no data of 2024Q4" in block.render_text()
    nobody = drivers_of(SAME)
    assert isinstance(
        views.driver_table(dataclasses.replace(nobody, teams=nobody.teams.head(0))), Note
    )
