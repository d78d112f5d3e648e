"""Sums of leads and touches: by hand, against plain pandas, and whatever the order of rows."""

import datetime as dt
import io

import numpy as np
import pandas as pd
import pytest
from alignment_company import COMPANY, LEADS, TABLES
from small_company import import_tables

from salesnb.analysis.alignment import alignment_table, handover
from salesnb.analysis.alignment.rows import NOT_SAID
from salesnb.measures.cache import load_measures
from salesnb.measures.compute import compute_measures
from salesnb.measures.demand import DEMAND_FRAMES, grouping
from salesnb.measures.demand.names import COLUMNS, LEAD_COUNTS, MODELS, NO_TOUCH, OTHER, TOTALS
from salesnb.sources.load import import_snapshot
from salesnb.sources.sample import sample_company


@pytest.fixture(scope="module")
def measures(tmp_path_factory):
    snapshot = import_tables(tmp_path_factory.mktemp("demand"), TABLES, company=COMPANY)
    return compute_measures(snapshot)


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sample")
    export = sample_company(folder / "export", reps=16, seed=5)
    return export, compute_measures(import_snapshot(export, to=folder / "snapshot"))


def sums(rows, by, columns):
    return rows.groupby(by)[columns].sum().apply(tuple, axis=1).to_dict()


def test_leads_count_by_how_far_they_got(measures):
    found = sums(
        measures.demand.lead_flow, "source",
        ["all_leads", "leads", "touched", "in_time", "late", "time_up", "qualified",
         "opportunities", "won", "lost", "waiting"],
    )  # fmt: skip
    # By hand from the table. Fair's l9 waits 3 business hours, l7 and l4 far longer.
    assert found == {
        "Web": (5, 4, 3, 2, 1, 4, 3, 3, 2, 1, 1),
        "Fair": (4, 3, 2, 1, 1, 3, 1, 0, 0, 0, 0),
        "": (1, 1, 1, 0, 1, 1, 1, 1, 1, 0, 0),
    }
    assert sums(measures.demand.lead_flow, "segment", ["leads"]) == {"SMB": (3,), "": (5,)}
    assert sums(measures.demand.lead_flow, "campaign", ["duplicates", "invalid"]) == {
        "Spring": (1, 0), "Summer": (0, 0), "": (0, 1)
    }  # fmt: skip


def test_what_two_leads_became_is_booked_once(measures):
    assert measures.demand.lead_flow["booked"].sum() == 100 + 300
    by_source = measures.demand.lead_flow.groupby("source")["booked"].sum()
    assert by_source["Web"] == 100
    assert measures.demand.lead_flow["squares"].sum() == 50**2 + 50**2 + 300**2


def test_records_that_contradict_each_other_are_counted(measures):
    found = measures.demand.lead_flow[["rejected", "rejected_unseen", "qualified_rejected",
                                "qualified_unseen", "rejected_opportunities"]].sum()  # fmt: skip
    assert found.tolist() == [2, 1, 1, 0, 0]  # l7 and l8; l9's rejection comes after the day


def test_a_day_without_a_reason_is_a_rejection(tmp_path):
    bare = LEADS.replace(" No Fit ,", ",").replace("no budget,", ",")
    assert bare != LEADS
    found = compute_measures(import_tables(tmp_path, TABLES | {"leads": bare}, company=COMPANY))
    flow = found.demand.lead_flow[["rejected", "rejected_unseen", "qualified_rejected"]].sum()
    assert flow.tolist() == [2, 1, 1]  # l7 and l8, as with their reasons
    counts = found.demand.rejections.groupby("reason")["n"].sum().to_dict()
    assert counts == {"": 2, "duplicate": 1, "invalid": 1}
    told = handover(found, period="2026Q2")
    assert told.reasons["reason"].tolist()[-1] == NOT_SAID
    assert told.finding.endswith("yet and rejected 25%.")
    signed = alignment_table(found, period="2026Q2")
    assert signed.total["rejected"] == 2
    assert signed.rows["top_reason"].isna().all()


def test_a_reason_without_a_day_is_not_known_of_before_the_snapshot(tmp_path):
    frame = pd.read_csv(io.StringIO(LEADS), dtype=str, keep_default_na=False)
    undated = frame.drop(columns="rejected_at").to_csv(index=False)
    snapshot = import_tables(tmp_path, TABLES | {"leads": undated}, company=COMPANY)
    now = compute_measures(snapshot).demand
    assert now.lead_flow["rejected"].sum() == 3  # l7, l8, and l9, as nothing says otherwise
    early = compute_measures(snapshot, as_of=dt.date(2026, 6, 30))
    assert early.demand.lead_flow["rejected"].sum() == 0
    assert early.demand.rejections.empty
    assert "reject" not in handover(early, period="2026Q2").finding


def test_rejections_have_their_reason_in_small_letters_and_their_stage(measures):
    rows = measures.demand.rejections[["source", "reason", "stage", "n"]]
    assert sorted(rows.itertuples(index=False, name=None)) == [
        ("Fair", "invalid", "after touch", 1),
        ("Fair", "no budget", "after qualified", 1),
        ("Fair", "no fit", "before touch", 1),
        ("Web", "duplicate", "before touch", 1),
    ]


def test_waits_follow_answers_and_set_aside_what_says_nothing_of_them(measures):
    whole = measures.demand.lead_waits[["n", "young", "before", "untouched", "touched"]].sum()
    # l1, l2, l3, l8 are followed; l9 was touched 16 days ago; l10 was qualified before its touch.
    assert whole.tolist() == [4, 1, 1, 2, 6]
    web = measures.demand.lead_waits[measures.demand.lead_waits["source"] == "Web"]
    answered = web[web["n"] > 0].set_index("up_to")
    assert answered["n"].to_dict() == {30: 1, 60: 1, 480: 1}
    assert answered["log_minutes"].tolist() == pytest.approx(
        [np.log2(30), np.log2(60), np.log2(480)]
    )
    assert answered["qualified"].tolist() == [1, 1, 1]
    assert answered["opportunities"].tolist() == [1, 1, 1]
    # l4 waits since Tuesday, 7 April, 10:00: 7 hours, and 70 whole working days to 15 July.
    assert web.loc[web["untouched"] > 0, "over"].tolist() == [7680]


def test_credits_share_out_all_opportunities_by_every_model(measures):
    rows = measures.demand.credits[measures.demand.credits["period"] == "2026Q2"]
    for model in MODELS:
        found = rows.loc[rows["model"] == model, list(TOTALS)].sum().tolist()
        assert found == pytest.approx([5, 3, 440])
    shares = rows.pivot_table(index="source", columns="model", values="opportunities",
                              aggfunc="sum", fill_value=0)  # fmt: skip
    # o1: Fair, Web, Web; o2: Web; o4: Mail, Web; o3 and o5 without any touch in time.
    assert shares["first"].to_dict() == {"Fair": 1, "Mail": 1, "Web": 1, NO_TOUCH: 2}
    assert shares["last"].to_dict() == {"Fair": 0, "Mail": 0, "Web": 3, NO_TOUCH: 2}
    assert shares["linear"].to_dict() == pytest.approx(
        {"Fair": 1 / 3, "Mail": 1 / 2, "Web": 2 / 3 + 1 + 1 / 2, NO_TOUCH: 2}
    )


def test_paths_and_roles_say_who_opened_what_another_closed(measures):
    ends = ["first_source", "last_source"]
    assert sums(measures.demand.touch_paths, ends, ["opportunities"]) == {
        ("Fair", "Web"): (1,), ("Mail", "Web"): (1,), ("Web", "Web"): (1,)
    }  # fmt: skip
    parts = ["touched", "opened", "closed", "both", "assisted"]
    assert sums(measures.demand.touch_roles, "source", parts) == {
        "Fair": (1, 1, 0, 0, 0), "Mail": (1, 1, 0, 0, 0), "Web": (3, 1, 3, 1, 0)
    }  # fmt: skip


def test_deals_count_when_created_and_when_won_and_spend_stays_as_it_is(measures):
    assert sums(measures.demand.source_deals, ["period", "source"], list(TOTALS)) == {
        ("2026Q2", "Web"): (2, 2, 110), ("2026Q2", "Fair"): (2, 0, 0), ("2026Q2", ""): (1, 1, 40),
        ("2026Q3", "Fair"): (0, 1, 300),
    }  # fmt: skip
    assert measures.demand.spend.to_dict("list") == {
        "source": ["Fair", "Radio", "Web", "Web"],
        "period": ["2026Q2", "2026Q2", "2026Q1", "2026Q2"],
        "spend": [90, 10, 5, 50],
    }


def test_what_happens_after_the_day_is_unknown(tmp_path):
    snapshot = import_tables(tmp_path, TABLES, company=COMPANY)
    early = compute_measures(snapshot, as_of=snapshot.as_of.replace(month=5, day=4))
    flow = early.demand.lead_flow[["all_leads", "qualified", "rejected", "won"]].sum()
    # l9 is to come; qualified are l1 to l3; l7 is rejected on the 5th; o1 is won on the 20th.
    assert flow.tolist() == [9, 3, 0, 0]
    assert early.demand.credits.query("model == 'first'")["opportunities"].sum() == 2


def test_the_order_of_rows_does_not_matter(tmp_path, measures):
    turned = {}
    for name, text in TABLES.items():
        head, *rows = text.strip().split("\n")
        turned[name] = "\n".join([head, *reversed(rows)]) + "\n"
    found = compute_measures(import_tables(tmp_path, turned, company=COMPANY))
    for name in DEMAND_FRAMES:
        pd.testing.assert_frame_equal(getattr(found.demand, name), getattr(measures.demand, name))


@pytest.mark.parametrize("left_out", ["leads", "touches", "sources", "opportunities' source"])
def test_what_is_missing_leaves_its_tables_empty_with_their_columns(tmp_path, left_out):
    tables = {name: text for name, text in TABLES.items() if name != left_out}
    if left_out == "opportunities' source":
        lines = TABLES["opportunities"].strip().split("\n")
        tables["opportunities"] = "\n".join(line.rsplit(",", 1)[0] for line in lines) + "\n"
    found = compute_measures(import_tables(tmp_path, tables, company=COMPANY))
    empty = {
        "leads": {"lead_flow", "lead_waits", "rejections"},
        "touches": {"credits", "touch_paths", "touch_roles"},
        "sources": {"spend"},
        "opportunities' source": {"source_deals"},
    }[left_out]
    assert {name for name in DEMAND_FRAMES if getattr(found.demand, name).empty} == empty
    assert all(list(getattr(found.demand, name).columns) == COLUMNS[name] for name in DEMAND_FRAMES)


def test_names_beyond_the_most_frequent_of_a_quarter_are_added_up(tmp_path, monkeypatch):
    monkeypatch.setattr(grouping, "MOST", 1)
    found = compute_measures(import_tables(tmp_path, TABLES, company=COMPANY))
    # Web has 5 leads and the Fair 4; of equally frequent campaigns the first of the alphabet stays.
    # The Fair has a spend, so that its costs are asked for by its name.
    assert sums(found.demand.lead_flow, "source", ["leads"]) == {
        "Web": (4,),
        "Fair": (3,),
        "": (1,),
    }
    free = {name: text for name, text in TABLES.items() if name != "sources"}
    unpaid = compute_measures(import_tables(tmp_path, free, company=COMPANY))
    assert sums(unpaid.demand.lead_flow, "source", ["leads"]) == {
        "Web": (4,),
        OTHER: (3,),
        "": (1,),
    }
    assert sums(found.demand.lead_flow, "campaign", ["leads"]) == {
        "Spring": (2,), OTHER: (2,), "": (4,)
    }  # fmt: skip
    assert found.demand.credits.query("model == 'linear'")["opportunities"].sum() == 5


def test_teams_add_up_and_agree_with_the_kpis(sample):
    _, found = sample
    flow = found.demand.lead_flow.groupby(["team_id", "period"])[list(LEAD_COUNTS)].sum()
    for kpi, reached, of in (
        ("lead_to_qualified", "qualified", "leads"),
        ("qualified_to_opportunity", "qualified_opportunities", "qualified"),
        ("lead_to_won", "won", "leads"),
        ("sla_share", "in_time", "time_up"),
    ):
        table = found.roll_up(by="team", kpi=kpi).set_index(["unit_id", "period"])
        expected = table.loc[table["denominator"] > 0, ["numerator", "denominator"]]
        both = flow[flow[of] > 0].rename_axis(["unit_id", "period"])[[reached, of]]
        assert both.shape == expected.shape
        assert np.allclose(both.sort_index(), expected.sort_index())


def test_credits_of_the_sample_are_those_of_plain_pandas(sample):
    export, found = sample
    touched = pd.read_parquet(export / "touches.parquet")
    leads = pd.read_csv(export / "leads.csv", keep_default_na=False, na_values=[""])
    deals = pd.read_csv(export / "opportunities.csv", keep_default_na=False, na_values=[""])
    faults = pd.read_csv(export / "truth" / "defects.csv").query("table == 'opportunities'")
    refused = faults.loc[~faults["reason"].str.startswith("exact duplicate"), "key"]
    deals = deals[~deals["opportunity_id"].isin(refused)].drop_duplicates()
    deals["created_on"] = pd.to_datetime(deals["created_on"])
    became = leads.set_index("lead_id")["converted_opportunity_id"]
    key = touched["opportunity_id"].fillna(touched["lead_id"].map(became))
    rows = touched.assign(key=key).merge(deals, left_on="key", right_on="opportunity_id")
    rows = rows[rows["touched_at"].dt.normalize() <= rows["created_on"]]
    rows = rows[rows["created_on"] >= "2023-10-01"].sort_values(["touched_at", "touch_id"])
    first = rows.drop_duplicates("key").groupby("source_x").size()
    last = rows.drop_duplicates("key", keep="last").groupby("source_x").size()
    linear = (1 / rows.groupby("key")["key"].transform("size")).groupby(rows["source_x"]).sum()
    credited = found.demand.credits[found.demand.credits["source"] != NO_TOUCH]
    for model, expected in (("first", first), ("last", last), ("linear", linear)):
        by_source = credited[credited["model"] == model].groupby("source")["opportunities"].sum()
        assert by_source.to_dict() == pytest.approx(expected.to_dict())


def test_the_cache_keeps_them(tmp_path, monkeypatch):
    monkeypatch.setenv("SALESNB_CACHE", str(tmp_path / "cache"))
    snapshot = import_tables(tmp_path, TABLES, company=COMPANY)
    first, second = (load_measures(snapshot.folder) for _ in range(2))
    assert len(first.demand.lead_flow)
    for name in DEMAND_FRAMES:
        pd.testing.assert_frame_equal(getattr(first.demand, name), getattr(second.demand, name))
