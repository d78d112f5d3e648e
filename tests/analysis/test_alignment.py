"""Funnel, costs, handover and the signed table: by hand, by chance, and what they cannot say."""

import io
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from alignment_company import COMPANY, TABLES, demand_company
from made_company import QUARTERS
from small_company import import_tables

from salesnb.analysis.alignment import alignment_table, attribution, handover, lead_funnel
from salesnb.analysis.alignment.rows import NOT_SAID
from salesnb.analysis.finding import Candidate
from salesnb.analysis.insights import find_insights
from salesnb.errors import DataError, ParameterError
from salesnb.measures.compute import compute_measures
from salesnb.measures.demand.names import NO_TOUCH, OTHER

NOW = QUARTERS[-1]
OLD = QUARTERS[-2]


def flow(units, *, period=OLD, by="source", team="A"):
    """Leads by unit: leads, qualified, of these opportunities, won."""
    return [
        {by: unit, "team_id": team, "period": period, "leads": leads, "qualified": qualified,
         "qualified_opportunities": became, "opportunities": became, "won": won,
         "touched": leads, "booked": won * 100.0, "squares": won * 100.0**2}
        for unit, (leads, qualified, became, won) in units.items()
    ]  # fmt: skip


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    snapshot = import_tables(tmp_path_factory.mktemp("alignment"), TABLES, company=COMPANY)
    return compute_measures(snapshot)


APART = {"Web": (800, 400, 200, 60), "Fair": (700, 140, 70, 10), "Mail": (500, 240, 120, 30)}
ALIKE = {"Web": (80, 40, 20, 6), "Fair": (70, 35, 18, 5), "Mail": (50, 25, 12, 4)}


# The funnel -------------------------------------------------------------------------------


def test_steps_divide_what_got_further_by_what_could():
    found = lead_funnel(demand_company(lead_flow=flow(APART)), period=NOW, n_draws=300)
    steps = found.steps.set_index("step")
    assert steps["share"].tolist() == pytest.approx([780 / 2000, 390 / 780, 100 / 390, 100 / 2000])
    web = found.rows.query("unit == 'Web'").set_index("step")
    assert web["raw"].tolist() == pytest.approx([0.5, 0.5, 0.3, 0.075])
    assert ((found.rows["low"] <= found.rows["estimate"])
            & (found.rows["estimate"] <= found.rows["high"])).all()  # fmt: skip


def test_small_units_are_pulled_to_the_others():
    units = APART | {"Tiny": (4, 4, 1, 0)}
    found = lead_funnel(demand_company(lead_flow=flow(units)), period=NOW, n_draws=300)
    tiny = found.rows.query("unit == 'Tiny' and step == 'qualified'").iloc[0]
    assert tiny["raw"] == 1
    assert 0.3 < tiny["estimate"] < 0.85
    assert tiny["high"] - tiny["low"] > 0.2


def test_units_are_named_only_where_they_differ_beyond_chance():
    apart = lead_funnel(demand_company(lead_flow=flow(APART)), period=NOW, n_draws=300)
    assert "sources differ beyond chance from lead to qualified" in apart.finding
    told = find_insights(apart)
    assert any("Web" in item.text and "Fair" in item.text for item in told.items)
    alike = lead_funnel(demand_company(lead_flow=flow(ALIKE)), period=NOW, n_draws=300)
    assert "no source differs from the others beyond chance" in alike.finding
    assert not any(name in alike.finding for name in ALIKE)
    assert len(alike.candidates()) == 4  # what was tested in vain counts as a test
    assert find_insights(alike).items == ()


def test_too_young_cohorts_are_left_out_and_it_says_which():
    young = flow({"Web": (900, 0, 0, 0)}, period=NOW)
    found = lead_funnel(demand_company(lead_flow=flow(APART) + young), period=NOW, n_draws=300)
    assert found.cohorts[-1] == OLD
    assert found.steps.iloc[0]["n"] == 2000
    assert f"{NOW} is not 60 days old yet" in found.caveat
    early = replace(demand_company(lead_flow=young), periods=(NOW,))
    assert "are 60 days old yet" in lead_funnel(early, period=NOW).lacking


def test_teams_add_up_to_the_company():
    parts = flow(APART, team="A") + flow(ALIKE, team="B")
    made = demand_company(lead_flow=parts)
    whole = lead_funnel(made, period=NOW, n_draws=300)
    teams = [lead_funnel(made, period=NOW, team=team, n_draws=300) for team in ("A", "Team B")]
    for step in range(4):
        assert sum(t.steps.loc[step, "n"] for t in teams) == whole.steps.loc[step, "n"]
    assert all(team.costs.empty for team in teams)


def test_the_order_of_rows_does_not_matter():
    rows = flow(APART) + flow(ALIKE, team="B")
    one = lead_funnel(demand_company(lead_flow=rows), period=NOW, n_draws=300)
    other = lead_funnel(demand_company(lead_flow=rows[::-1]), period=NOW, n_draws=300)
    pd.testing.assert_frame_equal(one.rows, other.rows)


def test_costs_divide_spend_by_counts_and_say_how_sure_they_are():
    spend = [{"source": "Web", "period": OLD, "spend": 6000.0},
             {"source": "Web", "period": NOW, "spend": 9e9},
             {"source": "Mail", "period": OLD, "spend": 0.0}]  # fmt: skip
    units = APART | {"Fair": (700, 140, 70, 0)}
    found = lead_funnel(
        demand_company(lead_flow=flow(units), spend=[*spend, {"source": "Fair", "period": OLD,
                                                       "spend": 700.0}]),
        period=NOW, n_draws=300,
    ).costs.set_index(["unit", "what"])  # fmt: skip
    assert set(found.index.get_level_values(0)) == {"Web", "Fair"}
    assert found.loc[("Web", "win"), "cost"] == pytest.approx(100)
    # Garwood's 90% interval of 60 events is 47.85 to 74.42 (chi-square tables).
    assert found.loc[("Web", "win"), ["low", "high"]].tolist() == pytest.approx(
        [6000 / 74.42, 6000 / 47.85], rel=1e-3
    )
    assert found.loc[("Web", "1 of bookings"), "cost"] == pytest.approx(1.0)
    none = found.loc[("Fair", "win")]
    assert np.isnan(none["cost"])
    assert none["low"] == pytest.approx(700 / 3.0, rel=1e-2)  # 0 seen: up to 3 (rule of three)
    assert np.isnan(none["high"])


@pytest.mark.parametrize("by", ["campaign", "segment"])
def test_leads_that_are_not_told_apart_say_what_they_need(by):
    found = lead_funnel(demand_company(lead_flow=flow(APART)), period=NOW, by=by)
    assert found.lacking == f"telling leads apart by {by} needs leads.{by}"
    assert found.candidates() == ()


def test_what_is_not_stated_is_a_unit_and_comes_last_with_all_others():
    units = {"": (900, 300, 100, 20), OTHER: (950, 300, 100, 20), **APART}
    found = lead_funnel(demand_company(lead_flow=flow(units)), period=NOW, n_draws=300)
    order = list(dict.fromkeys(found.rows["unit"]))
    assert order[-2:] == [OTHER, NOT_SAID]


# Handover and the signed table ------------------------------------------------------------


def test_the_handover_by_hand(small):
    found = handover(small, period="2026Q2")
    sources = found.sources.set_index("unit")
    columns = ["leads", "in_time", "late", "untouched", "rejected", "qualified_rejected"]
    assert sources[columns].T.to_dict("list") == {
        "Web": [4, 2, 1, 1, 0, 0], "Fair": [3, 1, 1, 1, 2, 1], NOT_SAID: [1, 0, 1, 0, 0, 0],
    }  # fmt: skip
    assert found.reasons.set_index("reason")["n"].to_dict() == {
        "duplicate": 1, "invalid": 1, "no budget": 1, "no fit": 1
    }  # fmt: skip
    assert found.reasons["share"].sum() == pytest.approx(1)
    signs = found.signs.set_index("what")[["n", "of"]].apply(tuple, axis=1)
    assert signs["Accepted, then handed back"] == (1, 5)
    assert signs["Rejected without a look"] == (1, 2)
    assert found.finding == (
        "Acme: of 8 leads of 2026Q2 sales answered 38% in time, has not answered 25% yet and "
        "rejected 25%, most often for no budget."
    )
    assert not found.differs("source")


def test_teams_of_one_name_are_kept_apart(tmp_path):
    named = TABLES | {"teams": "team_id,name,parent_id\nt1,Inside,\nt2,Inside,\n"}
    found = compute_measures(import_tables(tmp_path, named, company=COMPANY))
    teams = handover(found, period="2026Q2").teams.set_index("unit")
    assert teams["leads"].to_dict() == {"Inside (t1)": 4, "Inside (t2)": 4}


def test_one_is_told_as_one(small):
    (sign,) = handover(small, period="2026Q2", team="North").candidates()
    assert sign.text == (
        "North: 1 of 4 leads is handed over for marketing and neither touched, qualified nor "
        "rejected for sales."
    )
    one = demand_company(lead_flow=flow({"Web": (1, 1, 1, 1)}))
    assert lead_funnel(one, period=NOW, n_draws=300).finding.startswith("Acme: of 1 lead 100%")
    credited = attribution(paths({("Fair", "Web"): 1}), period=NOW)
    assert credited.finding.startswith("Acme: 1 of 1 opportunity was touched before")


def test_one_team_has_nobody_to_be_compared_with(small):
    found = handover(small, period="2026Q2", team="North")
    assert found.n == 4
    assert found.tests["p_value"].isna().all()
    assert [item.p_value for item in found.candidates()] == [0.0]  # l4: nobody says anything


def test_rejections_far_apart_are_told_and_alike_ones_are_not():
    def rejecting(shares):
        return [{"source": source, "team_id": "A", "period": NOW, "leads": 400.0,
                 "touched": 400.0, "rejected": 400.0 * share}
                for source, share in shares.items()]  # fmt: skip

    apart = handover(demand_company(lead_flow=rejecting({"Web": 0.2, "Fair": 0.6})), period=NOW)
    assert apart.differs("source")
    alike = handover(demand_company(lead_flow=rejecting({"Web": 0.4, "Fair": 0.41})), period=NOW)
    assert not alike.differs("source")
    assert find_insights(alike).items == ()


def test_the_signed_table_by_hand(small):
    found = alignment_table(small, period="2026Q2")
    rows = found.rows.set_index("unit")
    assert rows.loc[
        "Web",
        ["leads", "spend", "qualified", "opportunities", "won", "booked", "cost_per_opportunity"],
    ].tolist() == [4, 50, 3, 2, 2, 110, 25]
    fair = rows.loc["Fair"]
    assert (fair["rejected"], fair["top_reason"], fair["in_time_share"]) == (2, "no budget", 1 / 3)
    assert rows.loc["Radio", ["leads", "spend", "opportunities"]].tolist() == [0, 10, 0]
    assert np.isnan(rows.loc["Radio", "cost_per_opportunity"])
    assert found.total["booked"] == 150
    assert found.total["cost_per_opportunity"] == 150 / 4
    assert len(found.check()) == 8
    assert [column.owner for column in found.columns][:3] == ["marketing", "marketing", "sales"]
    assert len(found.definitions) == len(found.columns) == 10


@pytest.mark.parametrize(
    ("table", "column", "finding"),
    [
        ("leads", "qualified_at", "Acme, 2026Q2: 8 leads; 5 opportunities, 3 won."),
        ("opportunities", "source", "Acme, 2026Q2: 8 leads, 5 of them accepted."),
    ],
)
def test_what_is_not_known_is_left_out_of_the_headline(tmp_path, table, column, finding):
    bare = pd.read_csv(io.StringIO(TABLES[table]), dtype=str, keep_default_na=False)
    tables = TABLES | {table: bare.drop(columns=column).to_csv(index=False)}
    made = compute_measures(import_tables(tmp_path, tables, company=COMPANY))
    assert alignment_table(made, period="2026Q2").finding == finding


def test_sums_that_do_not_agree_with_the_kpis_are_refused(small):
    flow = small.demand.lead_flow
    demand = replace(small.demand, lead_flow=flow.assign(leads=flow["leads"] + 1))
    found = alignment_table(replace(small, demand=demand), period="2026Q2")
    assert not found.is_reconciled
    assert "the sums do not agree with the KPIs" in found.finding
    with pytest.raises(DataError, match=r"differ in \['Leads'\]"):
        found.check()


def test_a_table_that_was_not_looked_at_is_missing_not_zero(tmp_path):
    tables = {name: text for name, text in TABLES.items() if name != "sources"}
    lines = TABLES["leads"].strip().split("\n")
    at = lines[0].split(",").index("first_touch_at")
    tables["leads"] = "\n".join(
        ",".join(cell for place, cell in enumerate(line.split(",")) if place != at)
        for line in lines
    )  # fmt: skip
    found = alignment_table(
        compute_measures(import_tables(tmp_path, tables, company=COMPANY)), period="2026Q2"
    )
    names = {column.name for column in found.columns}
    assert names.isdisjoint({"spend", "cost_per_opportunity", "in_time_share"})
    assert {"leads", "opportunities"} <= names
    assert found.is_reconciled


def test_what_nobody_recorded_is_missing_in_the_handover_and_claims_nothing(tmp_path):
    lines = [line.split(",") for line in TABLES["leads"].strip().split("\n")]
    gone = ("first_touch_at", "qualified_at", "rejected_reason", "rejected_at")
    kept = [place for place, name in enumerate(lines[0]) if name not in gone]
    leads = "\n".join(",".join(line[place] for place in kept) for line in lines)
    made = compute_measures(import_tables(tmp_path, TABLES | {"leads": leads}, company=COMPANY))
    found = handover(made, period="2026Q2")
    assert found.finding == "Acme: of 10 leads of 2026Q2 sales has recorded nothing of them."
    assert (
        found.sources[["in_time", "untouched", "qualified", "rejected_share"]].isna().all(axis=None)
    )
    assert found.signs["what"].tolist() == ["Rejected, yet an opportunity"]
    assert [item.effect for item in found.candidates() if item.p_value == 0] == []
    columns = {column.name for column in alignment_table(made, period="2026Q2").columns}
    assert columns.isdisjoint({"in_time_share", "qualified", "rejected", "top_reason"})
    costs = lead_funnel(
        replace(made, company=made.company.model_copy(update={"maturity_days": 10})),
        period="2026Q2", n_draws=300,
    ).costs  # fmt: skip
    assert set(costs["what"]) == {"lead", "opportunity", "win", "1 of bookings"}


# What all refuse and lack -----------------------------------------------------------------


EACH = (lead_funnel, handover, alignment_table, attribution)


@pytest.mark.parametrize("ask", EACH)
def test_without_the_tables_they_say_what_they_need(ask):
    found = ask(demand_company(), period=NOW)
    assert "needs the table" in found.finding
    assert found.to_frame().empty
    assert not getattr(found, "candidates", tuple)()
    assert "lacking" in repr(type(found).__dataclass_fields__["lacking"])
    repr(found)


@pytest.mark.parametrize("ask", EACH)
def test_a_quarter_without_data_is_refused(ask):
    with pytest.raises(ParameterError, match="no data for '1999Q1'"):
        ask(demand_company(lead_flow=flow(APART)), period="1999Q1")


def test_a_word_that_is_not_known_is_refused():
    made = demand_company(lead_flow=flow(APART))
    with pytest.raises(ParameterError, match="'rep' is not one of source, campaign, segment"):
        lead_funnel(made, period=NOW, by="rep")
    with pytest.raises(ParameterError, match="'segment' is not one of source, campaign"):
        attribution(made, period=NOW, by="segment")
    with pytest.raises(ParameterError, match="'Nowhere' is unknown"):
        handover(made, period=NOW, team="Nowhere")


# Credit -----------------------------------------------------------------------------------


def test_every_model_adds_up_to_all_to_the_cent(small):
    found = attribution(small, period="2026Q2")
    total = found.totals.iloc[0]
    for name in ("opportunities", "won", "booked"):
        for model in ("first", "last", "linear"):
            assert found.rows[f"{name}_{model}"].sum() == pytest.approx(total[name], abs=0.005)
    assert (total["opportunities"], total["booked"]) == (5, 440)
    assert found.rows["unit"].tolist()[-1] == NO_TOUCH
    assert (found.n, found.n_touched) == (5, 3)
    rows = found.rows.set_index("unit")
    assert rows.loc["Fair", ["opens_share", "closes_share"]].tolist() == pytest.approx([1 / 3, 0])
    assert rows.loc["Fair", ["partner", "n_partner"]].tolist() == ["Web", 1]
    assert "no difference beyond chance" in rows.loc["Fair", "why"]
    assert "who opens and who closes does not differ beyond chance" in found.finding


def paths(ends):
    """Touch paths, roles and credits of opportunities with two touches."""
    made, roles, credits = [], {}, []
    for (first, last), n in ends.items():
        made.append({"team_id": "A", "period": NOW, "first_source": first, "last_source": last,
                     "opportunities": n})  # fmt: skip
        for source, part in ((first, "opened"), (last, "closed")):
            roles.setdefault(source, {"opened": 0, "closed": 0})[part] += n
            credits.append({"source": source, "team_id": "A", "period": NOW, "opportunities": n,
                            "model": "first" if part == "opened" else "last"})  # fmt: skip
            credits.append({"source": source, "team_id": "A", "period": NOW,
                            "opportunities": n / 2, "model": "linear"})  # fmt: skip
    rows = [{"team_id": "A", "period": NOW, "source": source, **parts}
            for source, parts in roles.items()]  # fmt: skip
    return demand_company(touch_paths=made, touch_roles=rows, credits=credits)


def test_who_opens_and_who_closes_is_explained_where_it_is_beyond_chance():
    made = paths({("Fair", "Web"): 40, ("Web", "Fair"): 5, ("Fair", "Mail"): 12})
    found = attribution(made, period=NOW)
    rows = found.rows.set_index("unit")
    assert rows.loc["Fair", "why"] == (
        "Fair opens 91% and closes 9%: the first-touch model shows it larger; Web most often "
        "closes what it opens (40 times)."
    )
    assert (
        "the last-touch model shows it larger; it most often closes what Fair opens (40"
        in (rows.loc["Web", "why"])
    )
    assert "Fair opens 91% of them and closes 9%; Web opens 9% of them and closes 70%" in (
        found.finding
    )
    # McNemar by hand: 52 openings against 5 closings, an exact binomial.
    assert rows.loc["Fair", "p_value"] == pytest.approx(2 * _binomial_tail(5, 57))
    assert {item.p_value for item in found.candidates()} == set(found.touched["p_value"])


def _binomial_tail(k, n):
    from math import comb

    return sum(comb(n, i) for i in range(k + 1)) / 2**n


def test_as_many_openings_as_closings_are_no_difference():
    made = paths({("Fair", "Web"): 20, ("Web", "Fair"): 20})
    assert "does not differ beyond chance" in attribution(made, period=NOW).finding


def test_where_the_first_touch_is_always_the_last_nobody_has_a_partner():
    found = attribution(paths({("Fair", "Fair"): 20, ("Web", "Web"): 9}), period=NOW)
    rows = found.rows.set_index("unit")
    assert rows["opened"].to_dict() == rows["closed"].to_dict() == {"Fair": 20, "Web": 9}
    assert set(rows["partner"]) == {""}
    assert (rows["n_partner"] == 0).all()


def test_what_the_table_calls_no_difference_is_no_finding_beside_strong_ones():
    # Web and Fair: 29 against 13, p .0195; eight sources adjust both to .0195 x 8 / 2 = .078, and
    # beside twenty strong tests to .0195 x 28 / 22 = .025.
    ends = {("Web", "Fair"): 29, ("Fair", "Web"): 13}
    ends |= {pair: 20 for one in ("Mail", "Ads", "Blog", "Talk", "News")
             for pair in ((one, "Expo"), ("Expo", one))}  # fmt: skip
    found = attribution(paths(ends), period=NOW)
    web = found.rows.set_index("unit").loc["Web"]
    assert web["adjusted"] == pytest.approx(2 * _binomial_tail(13, 42) * 8 / 2)
    strong = SimpleNamespace(
        candidates=lambda: tuple(Candidate(f"{n}", "", "x", 0.5, 1e-6) for n in range(20))
    )
    told = [item.text for item in find_insights(found, strong, most=40).items]
    assert sorted(told) == sorted(str(n) for n in range(20))
    assert len(found.candidates()) == 8  # told or not, each counts as a test


def test_campaigns_are_credited_too(small):
    found = attribution(small, period="2026Q2", by="campaign")
    rows = found.rows.set_index("unit")
    assert rows["opportunities_linear"].sum() == pytest.approx(5)
    assert rows.loc["Spring", "opportunities_linear"] == pytest.approx(2 / 3 + 1)
