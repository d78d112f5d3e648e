"""Benchmarks: golden values by hand, evidence only where planted, and what is left out and why."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from made_company import make_measures

from salesnb import views
from salesnb.analysis.benchmarks import BENCHMARKS_ANCHOR, benchmark
from salesnb.errors import ParameterError
from salesnb.periods import FiscalCalendar
from salesnb.views.blocks import Note

NOW = "2026Q2"
QUARTERS = FiscalCalendar().window(NOW, 11)
SHARES = (0.9, 0.2, 0.3, 0.1, 0.4, 0.2, 0.5, 0.3, 0.6, 0.2, 0.35)
"""Win rates of team A by quarter, oldest first: eight before the last are [2:10]."""


def company(shares=SHARES, teams="ABCDEF", others=0.3, closed=100):
    """Make teams of one rep; team A wins by `shares`, all others alike."""
    rows = []
    for team in teams:
        for quarter, share in zip(QUARTERS, shares, strict=True):
            won = round(closed * (share if team == "A" else others))
            key = (f"{team}1", team, quarter)
            rows.append((*key, "win_rate", won, closed, closed, np.nan, np.nan))
            money = (won * 10.0, won * 100.0)
            rows.append((*key, "bookings", money[0], 2.0, won, *money))
    return make_measures(rows, kpis=("bookings", "win_rate"), quarters=QUARTERS)


def compare(measures, period=NOW, team="A", **asked):
    return benchmark(measures, period=period, team=team, n_draws=300, **asked)


def row_of(found, kpi="win_rate"):
    return found.rows.set_index("kpi").loc[kpi]


def write(tmp_path, *entries):
    path = tmp_path / "mine.yaml"
    path.write_text("benchmarks:\n" + "".join(f"  - {{{entry}}}\n" for entry in entries))
    return path


def test_own_past_is_the_eight_quarters_before_and_the_year_before_is_named():
    row = row_of(compare(company()))
    # SHARES[2:10] sorted: .1 .2 .2 .3 .3 .4 .5 .6; SHARES[6] is a year before
    assert (row["value"], row["n"], row["n_quarters"]) == (0.35, 100, 8)
    assert (row["median"], row["lowest"], row["highest"]) == pytest.approx((0.3, 0.1, 0.6))
    assert (row["year_period"], row["year_value"]) == ("2025Q2", 0.5)


def test_a_team_planted_apart_is_told_and_alike_ones_are_not():
    apart = compare(company(shares=[0.6] * 11))
    assert "beyond chance on" in apart.finding
    assert "win rate (better)" in apart.finding
    assert row_of(apart)["evidence"] == 3
    assert row_of(apart)["first_quartile"] == pytest.approx(0.3, abs=0.02)
    alike = compare(company(shares=[0.3] * 11))
    assert "beyond chance on none of 2 KPIs" in alike.finding
    assert set(alike.rows["evidence"]) == {0}


def test_totals_of_teams_are_compared_per_rep_and_own_past_as_a_whole():
    row = row_of(compare(company(shares=[0.3] * 11)), "bookings")
    assert row["value"] == row["median"] == 300.0  # 30 wins of 10
    # two full quarters of reps a team: 150 each, with hardly any scatter
    assert row[["compared", "first_quartile", "third_quartile"]].tolist() == pytest.approx(
        [150.0] * 3, rel=0.05
    )


def test_a_running_quarter_is_replaced_by_the_last_whole_one():
    measures = company()
    running = replace(measures, as_of=measures.calendar.first_day(NOW) + dt.timedelta(days=30))
    found = compare(running)
    assert found.period == row_of(found)["period"] == "2026Q1"
    assert row_of(found)["value"] == 0.2


def test_the_company_has_all_teams_beside_it_and_is_not_judged():
    found = compare(company(), team=None)
    assert "2 KPIs beside their own past and the teams." in found.finding
    assert row_of(found)["n_teams"] == 6
    assert not found.rows["is_judged"].any()


@pytest.mark.parametrize("teams", ["A", "AB", "ABC"])
def test_few_teams_have_no_quartiles(teams):
    found = compare(company(teams=teams))
    assert found.rows[["first_quartile", "third_quartile"]].isna().all(axis=None)
    assert set(found.rows["n_teams"]) == {len(teams) - 1}
    others = dict(views.benchmark_table(found).rows)["Win rate"][3]
    assert "only" in others.note


def test_the_first_quarter_has_no_past():
    row = row_of(compare(company(), period=QUARTERS[0]))
    assert row["n_quarters"] == 0
    assert row[["median", "lowest", "highest", "year_value"]].isna().all()
    assert views.benchmark_table(compare(company(), period=QUARTERS[0])).render_html()


def test_without_a_whole_quarter_or_a_kpi_it_says_so():
    measures = company()
    early = replace(measures, as_of=measures.calendar.first_day(QUARTERS[0]))
    for made in (early, replace(measures, kpis=())):
        found = compare(made, period=QUARTERS[0])
        assert "nothing can be compared" in found.finding
        assert found.to_frame().empty
        assert isinstance(views.benchmark_table(found), Note)
    with pytest.raises(ParameterError, match="team: 'Z' is unknown"):
        compare(measures, team="Z")


def test_external_figures_are_old_after_three_years_and_unknown_before_their_day(tmp_path):
    measures = replace(company(), as_of=dt.date(2026, 7, 5))
    path = write(
        tmp_path,
        "kpi: win_rate, value: 0.2, source: Edge, dated: 2023-07-05",
        "kpi: win_rate, value: 0.3, source: Aged, dated: 2023-07-04",
        "kpi: win_rate, value: 0.4, source: Later, dated: 2026-07-06",
        "kpi: leads, value: 9, source: Lead study, dated: 2026-07-01",
    )
    measures = replace(measures, missing={"leads": "the leads table"})
    found = compare(measures, external=path)
    assert dict(zip(found.external["source"], found.external["is_old"], strict=True)) == {
        "Edge": False, "Aged": True
    }  # fmt: skip
    assert "older than 3 years: 1" in found.caveat
    assert "win_rate of Later, not published by 2026-07-05" in found.caveat
    assert "the external figure of leads, which needs the leads table" in found.caveat


def test_the_table_tints_only_the_teams_and_escapes_sources(tmp_path):
    hostile = "<img src=x onerror=alert(1)>"
    path = write(
        tmp_path,
        f"kpi: win_rate, value: 0.2, source: '{hostile}', dated: 2026-01-31, definition: '<i>'",
        "kpi: win_rate, value: 0.4, source: Before, dated: 2021-01-31",
    )
    block = views.benchmark_table(compare(company(shares=[0.6] * 11), external=path))
    assert block.anchor == BENCHMARKS_ANCHOR
    cells = dict(zip(block.columns, dict(block.rows)["Win rate"], strict=True))
    assert [cell.tint for cell in cells.values()] == [0, 0, 0, 3, 0]
    assert cells["External"].value == "20%"
    assert cells["External"].note.endswith("2026-01-31; 1 more below")
    assert dict(block.rows)["Bookings"][4].value == "–"
    assert list(block.numbers["Dated"]) == ["2026-01-31", "2021-01-31 (old)"]
    html = block.render_html()
    assert hostile not in html
    assert "<i>" not in html


def test_what_teams_have_per_rep_says_so():
    for team, note in (("A", "here $150 per rep; 5 teams"), (None, "per rep; 6 teams")):
        block = views.benchmark_table(compare(company(shares=[0.3] * 11), team=team))
        assert dict(block.rows)["Bookings"][3].note == note


def test_without_external_figures_there_is_no_column_for_them():
    block = views.benchmark_table(compare(company()))
    assert block.columns == ["This quarter", "Own past", "Year before", "Other teams"]


def test_a_region_is_beside_the_teams_outside_it_and_is_not_judged():
    measures = company(shares=[0.6] * 11)
    region = measures.teams.iloc[:1].assign(team_id="R", name="Region", has_members=False)
    within = measures.teams.assign(
        parent_id=measures.teams["team_id"].map({"A": "R", "B": "R"}).fillna("")
    )
    measures = replace(measures, teams=pd.concat([within, region], ignore_index=True))
    found = compare(measures, team="R")
    assert row_of(found)["value"] == pytest.approx((0.6 + 0.3) / 2)
    assert row_of(found)["n_teams"] == 4
    assert not found.rows["is_judged"].any()
    assert "beyond chance" not in found.finding
