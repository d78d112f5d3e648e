"""Alignment drawn and written: what is shown, hostile names, and what is missing."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from alignment_company import COMPANY, TABLES, demand_company
from made_company import QUARTERS
from small_company import import_tables

from salesnb import views
from salesnb.analysis.alignment import (
    alignment_table,
    attribution,
    handover,
    lead_funnel,
    response_effect,
)
from salesnb.analysis.alignment.answers import InTime, ResponseEffect, Waiting
from salesnb.analysis.alignment.odds import Slope
from salesnb.measures.compute import compute_measures
from salesnb.views.blocks import Figure, Note, Table

NOW = QUARTERS[-1]
HOSTILE = "<img src=x onerror=alert(1)>"
SHOWN = (
    views.lead_table, views.lead_chart, views.lead_costs, views.handover_table,
    views.reasons_table, views.signs_table, views.attribution_table, views.attribution_chart,
    views.signed_table,
)  # fmt: skip


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """The small company with a source, campaign and reason that would like to be a program."""

    def spoil(text):
        return text.replace("Web", HOSTILE).replace("no budget", HOSTILE)

    tables = {name: spoil(text) for name, text in TABLES.items()}
    snapshot = import_tables(tmp_path_factory.mktemp("hostile"), tables, company=COMPANY)
    return compute_measures(snapshot)


@pytest.fixture(scope="module")
def results(hostile):
    old = replace(hostile, company=hostile.company.model_copy(update={"maturity_days": 10}))
    return {
        "lead": lead_funnel(old, period="2026Q2", n_draws=300),
        "handover": handover(hostile, period="2026Q2"),
        "attribution": attribution(hostile, period="2026Q2"),
        "signed": alignment_table(hostile, period="2026Q2"),
    }  # fmt: skip


def result_of(view, results):
    name = view.__name__.split("_")[0]
    return results[{"reasons": "handover", "signs": "handover"}.get(name, name)]


@pytest.fixture
def effect():
    curve = pd.DataFrame(
        [(0.0, 15.0, 100, 60, 0.6, 0.58, 0.5, 0.66), (15.0, 60.0, 200, 90, 0.45, 0.46, 0.4, 0.52),
         (1440.0, np.inf, 300, 90, 0.3, 0.31, 0.26, 0.36)],
        columns=["over", "up_to", "n", "reached", "raw", "share", "low", "high"],
    )  # fmt: skip
    return ResponseEffect(
        "2026Q2", HOSTILE, ("2026Q1", "2026Q2"), "qualified", 90, Slope(-0.2, -0.3, -0.1, 1e-4),
        Slope(-0.25, -0.3, -0.2, 1e-9), Slope(-0.5, -0.6, -0.4, 1e-9), curve,
        InTime(60.0, 300, 1000, 300, 300, 0.5, 0.3, 0.18, 0.1, 0.26),
        Waiting(600, 70, 50, 3, 2), pd.DataFrame(columns=["up_to", "at_risk", "answered"]),
    )  # fmt: skip


@pytest.mark.parametrize("view", SHOWN, ids=lambda view: view.__name__)
def test_names_of_sources_and_reasons_are_text_only(view, results):
    block = view(result_of(view, results))
    assert isinstance(block, Table | Figure)
    html = block.render_html()
    assert "<img src=x" not in html
    assert block.title
    assert block.caption


def test_the_signed_table_defines_every_column_and_ends_with_the_sum(results):
    table = views.signed_table(results["signed"])
    assert len(table.key) == len(table.header) - 1
    assert all(line.startswith(label) for line, label in zip(table.key, table.header[1:],
                                                             strict=True))  # fmt: skip
    assert all("sign" in line.rsplit(". ", 1)[1] for line in table.key)
    whole = dict(zip(table.header, table.rows[-1], strict=True))
    assert (whole["Source"], whole["Leads"], whole["Bookings"]) == ("All sources", "8", "$150")
    assert table.rows[0][0] == HOSTILE
    radio = next(row for row in table.rows if row[0] == "Radio")
    assert dict(zip(table.header, radio, strict=True))["Cost of one"] == "–"


def test_the_credit_table_shows_all_under_every_rule(results):
    table = views.attribution_table(results["attribution"])
    assert table.rows[-1] == ("All", "5", "5", "5", "$440", "$440", "$440")
    assert len(table.key) == len(table.rows) - 1
    chart = views.attribution_chart(results["attribution"])
    assert len(chart.numbers) == 3  # what no touch came before opens and closes nothing


def test_few_leads_are_drawn_grey_and_nobody_is_named(results):
    chart = views.lead_chart(results["lead"], step="whole")
    assert "no source differs beyond chance" in chart.title
    assert HOSTILE not in chart.title
    table = views.lead_table(results["lead"])
    assert "no clear difference" in table.rows[-1][2]


def test_costs_of_what_never_came_are_said_to_be_more(results):
    table = views.lead_costs(results["lead"])
    fair = dict(zip(table.header, next(r for r in table.rows if r[0] == "Fair"), strict=True))
    assert fair["Per win"] == "–; more than $30"  # $90 over at most 3 wins (rule of three)


def test_the_response_chart_and_table_say_the_range_and_who_is_left_out(effect):
    chart = views.response_chart(effect)
    assert chart.numbers["Wait"].tolist() == ["up to 15 min", "15 min – 1 h", "over 24 h"]
    assert "18% lower (10% to 26%)" in chart.title
    table = views.response_table(effect)
    assert "18 points more often than the late ones (10 to 26)" in table.title
    lines = {row[0]: row for row in table.rows}
    assert lines["Goes with being late"][1] == "54 leads fewer that became qualified"
    assert lines["Odds with each doubling of the wait"][2].endswith("as slow ones −39%")
    assert lines["Untouched so far"][1] == "70"
    assert "<img src=x" not in chart.render_html() + table.render_html()


def test_a_difference_that_may_be_none_is_called_unclear(effect):
    near = replace(effect, in_time=replace(effect.in_time, low=-0.01))
    assert "no clear difference to the late ones" in views.response_table(near).title
    unknown = replace(effect, in_time=replace(effect.in_time, difference=float("nan")))
    rows = {row[0] for row in views.response_table(unknown).rows}
    assert "Goes with being late" not in rows


def test_one_range_is_a_note_not_a_chart(effect):
    found = replace(effect, curve=effect.curve.head(1))
    assert isinstance(views.response_chart(found), Note)


def test_without_leads_and_touches_each_is_a_note():
    made = demand_company()
    results = {
        "lead": lead_funnel(made, period=NOW), "handover": handover(made, period=NOW),
        "attribution": attribution(made, period=NOW), "signed": alignment_table(made, period=NOW),
    }  # fmt: skip
    for view in SHOWN:
        note = view(result_of(view, results))
        assert isinstance(note, Note)
        assert "needs the table" in note.render_text()
    bare = response_effect(made, period=NOW)
    assert isinstance(views.response_chart(bare), Note)
    assert isinstance(views.response_table(bare), Note)
    assert all(isinstance(result._repr_html_(), str) for result in (*results.values(), bare))


def test_costs_without_spend_say_what_they_need():
    rows = [{"source": "Web", "team_id": "A", "period": QUARTERS[-2], "leads": 9.0}]
    found = lead_funnel(demand_company(lead_flow=rows), period=NOW)
    assert "needs the table sources" in views.lead_costs(found).render_text()
