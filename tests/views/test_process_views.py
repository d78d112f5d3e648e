"""The sales process as a reader sees it: titles, verdicts, and what is said where data lack."""

import dataclasses
import re

import pytest
from process_company import COMPANY, company
from small_company import import_tables

import salesnb as sn
from salesnb.measures.flow import Flow


@pytest.fixture(scope="module")
def measures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("process")
    return sn.compute_measures(import_tables(folder, company(drop=0.5), company=COMPANY))


@pytest.fixture(scope="module")
def bare(measures):
    flow = Flow(fates=measures.flow.fates, practices=measures.flow.practices)
    return dataclasses.replace(measures, flow=flow)


def test_the_verdict_stands_in_the_row_of_the_planted_stage(measures):
    found = sn.bottlenecks(measures, period="2026Q3", team="t0")
    rows = {row[0]: row[-1] for row in sn.views.bottlenecks_table(found).rows}
    assert rows == {
        "Demo": "bottleneck", "Lead": "no clear difference", "Offer": "too few to tell",
    }  # fmt: skip
    shown = sn.views.bottlenecks_chart(found)
    assert shown.title == found.finding
    assert "<svg" in shown.svg
    assert "<svg" in shown.narrow_svg
    teams = sn.views.team_bottlenecks_table(sn.team_bottlenecks(measures, period="2026Q3"))
    assert [row[:2] for row in teams.rows] == [("t0", "Demo")]


def test_steps_are_shares_of_their_row(measures):
    shown = sn.views.steps_table(sn.stage_flow(measures, period="2026Q3"))
    assert shown.header == ("From", "Steps", "Lead", "Demo", "Offer", "Lost", "Won")
    for row in shown.rows:
        parts = [float(cell.rstrip("%")) for cell in row[2:] if cell != "–"]
        assert sum(parts) == pytest.approx(100, abs=0.2)


def test_figures_tell_their_numbers_to_those_who_cannot_see_them(measures):
    timing = sn.win_timing(measures, period="2026Q3")
    chart = sn.views.win_timing_chart(timing)
    assert list(chart.numbers["Within days"]) == ["30", "60", "90", "180"]
    assert f"{timing.naive_rate:.0%}" in chart.alt
    flow = sn.stage_flow(measures, period="2026Q3")
    assert f"Demo: {flow.rows['moved'][1]:.0%} moved on" in sn.views.stage_flow_chart(flow).alt


def test_one_of_a_thing_is_no_plural(measures):
    flow = sn.stage_flow(measures, period="2026Q3", within_days=1)
    rows = flow.rows.assign(days=1.0, naive_days=1.0)
    flow = dataclasses.replace(flow, rows=rows, steps=flow.steps.head(1).assign(n=1))
    found = sn.bottlenecks(measures, period="2026Q3", team="t0")
    rows = found.rows.assign(n=1, wins=1.0, stake=float("nan"))
    one = dataclasses.replace(found, horizon=1, rows=rows)
    texts = [
        flow.finding, flow.caveat, one.caveat,
        *(f"{item.text} {item.why}" for item in one.candidates()),
        *(block.render_html() for block in (
            sn.views.stage_flow_chart(flow), sn.views.stages_table(flow),
            sn.views.steps_table(flow), sn.views.bottlenecks_chart(one),
        )),
    ]  # fmt: skip
    assert any("1 entry against" in text for text in texts)
    assert any("about 1 win." in text for text in texts)
    assert any("1 time)" in text for text in texts)
    assert not [text for text in texts if re.search(r"\b1 (days|entries|times|wins)\b", text)]


def test_nothing_closed_draws_no_line_of_won_of_closed(measures):
    timing = sn.win_timing(measures, period="2026Q3")
    bare = dataclasses.replace(timing, naive_rate=float("nan"))
    assert "dashed line" in sn.views.win_timing_chart(timing).render_html()
    shown = sn.views.win_timing_chart(bare).render_html()
    assert "dashed line" not in shown
    assert "nan%" not in shown


def test_what_does_not_differ_is_marked(measures):
    shown = sn.views.comparison_table(sn.compare_process(measures, period="2026Q3", n_draws=200))
    assert all(heading.endswith("*") for heading in shown.header[1:])
    assert len({row[0] for row in shown.rows}) == 4


def test_without_a_history_every_block_says_what_it_needs(bare):
    flow, found = sn.stage_flow(bare, period="2026Q3"), sn.bottlenecks(bare, period="2026Q3")
    blocks = (
        sn.views.stage_flow_chart(flow), sn.views.stages_table(flow), sn.views.steps_table(flow),
        sn.views.bottlenecks_chart(found), sn.views.bottlenecks_table(found),
        sn.views.team_bottlenecks_table(sn.team_bottlenecks(bare, period="2026Q3")),
    )  # fmt: skip
    assert all("stage_history" in block.render_html() for block in blocks)
    nothing = dataclasses.replace(bare, flow=Flow())
    assert "no opportunity was created" in sn.views.win_timing_chart(
        sn.win_timing(nothing, period="2026Q3")
    ).render_html()  # fmt: skip
    habits = sn.views.compliance_table(sn.process_compliance(nothing, period="2026Q3"))
    assert "nothing is on record" in habits.render_html()
