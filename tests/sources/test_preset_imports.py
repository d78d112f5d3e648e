"""Whole imports with the presets: public data of two CRMs, and files as people save them."""

import pandas as pd
import pytest
from crm_exports import (
    HUBSPOT_EXPORT,
    HUBSPOT_TABLES,
    PIPEDRIVE_API,
    SALESFORCE_API,
    SALESFORCE_REPORT,
    ZOHO,
)
from small_company import import_tables

from salesnb.sources.load import import_snapshot


def accepted(snapshot):
    return {table.table: table.accepted for table in snapshot.report.tables}


def refused(snapshot, table):
    (load,) = [load for load in snapshot.report.tables if load.table == table]
    return {refusal.reason: refusal.count for refusal in load.refusals}


def bookings(snapshot):
    frame = snapshot.read("opportunities")
    return frame.loc[frame["is_won"], "amount"].sum()


def test_the_demo_of_salesforces_data_cloud(shared_data, tmp_path):
    export = shared_data / "salesforce_datacloud_demo"
    snapshot = import_snapshot(export, to=tmp_path / "to", preset="salesforce")
    deals = pd.read_csv(export / "Opportunity.csv")
    assert snapshot.report.check()
    counts = accepted(snapshot)
    assert (counts["opportunities"], counts["leads"], counts["accounts"]) == (50, 60, 22)
    assert snapshot.read("reps")["rep_id"].tolist() == deals["OwnerId"].unique().tolist()
    frame = snapshot.read("opportunities")
    assert frame["is_won"].sum() == (deals["StageName"] == "Closed Won").sum() == 12
    assert bookings(snapshot) == pytest.approx(deals.loc[deals["IsWon"] == 1, "Amount"].sum())
    # all that are closed were loaded into the CRM after they had closed
    assert frame["created_on"].isna().sum() == frame["is_closed"].sum() == deals["IsClosed"].sum()
    assert frame.loc[~frame["is_closed"], "closed_on"].isna().all()


def test_fivetrans_salesforce_tables_hold_deleted_rows_only(shared_data, tmp_path):
    """All are marked deleted: they are kept, for else none were left, and that is said."""
    export = shared_data / "salesforce_schema"
    deals = pd.read_csv(export / "sf_opportunity_data.csv")
    assert deals["is_deleted"].all()
    snapshot = import_snapshot(export, to=tmp_path / "to", preset="salesforce")
    # what the warehouse keeps of former states is left out as ever
    now = deals[deals["_fivetran_active"]]
    frame = snapshot.read("opportunities")
    assert frame["opportunity_id"].tolist() == now["id"].tolist()
    assert frame["is_won"].tolist() == now["is_won"].tolist()
    assert [str(n) for n in snapshot.report.warnings if "such as the mapping skips" in n.what] == [
        "opportunities: All 10 rows are such as the mapping skips. They were kept, for without "
        "them there would be none. Export live records, or change `skip` in your mapping."
    ]
    # users and owners are enciphered by different keys: the owners become reps too
    users = pd.read_csv(export / "sf_user_data.csv")
    assert set(frame["rep_id"]) <= set(snapshot.read("reps")["rep_id"])
    assert not set(users["id"]) & set(frame["rep_id"])
    assert snapshot.report.check()


def test_fivetrans_hubspot_tables_without_stages_and_with_half_the_owners(shared_data, tmp_path):
    export = shared_data / "hubspot_schema"
    deals = pd.read_csv(export / "deal_data.csv")
    snapshot = import_snapshot(export, to=tmp_path / "to", preset="hubspot")
    owned = deals["owner_id"].notna().sum()
    assert accepted(snapshot)["opportunities"] == len(deals)
    frame = snapshot.read("opportunities")
    assert frame["rep_id"].notna().sum() == owned == 22
    unowned = next(w for w in snapshot.report.warnings if "no owner" in w.what)
    assert unowned.what == "22 opportunities (50%) have no owner."
    assert frame["created_on"].notna().all()
    assert not frame["is_closed"].any()
    assert accepted(snapshot)["stages"] == 69
    assert snapshot.report.check()


def test_salesforce_objects_reps_known_twice_are_one_and_months_make_quarters(tmp_path):
    snapshot = import_tables(tmp_path, SALESFORCE_API, preset="salesforce")
    assert snapshot.read("reps")[["rep_id", "name"]].to_numpy().tolist() == [
        ["005A", "Ana Diaz"], ["005B", "005B"],
    ]  # fmt: skip
    assert accepted(snapshot)["opportunities"] == 3
    assert accepted(snapshot)["activities"] == 6
    (quota,) = snapshot.read("targets")[["owner_id", "period", "target"]].to_numpy().tolist()
    assert quota == ["005A", "2024Q1", 3000.0]
    assert snapshot.read("exchange_rates")["rate"].tolist() == [1.25]
    assert snapshot.report.check()


def test_a_later_copy_of_a_row_counts(tmp_path):
    header, first, *_ = SALESFORCE_API["Opportunity"].splitlines()
    older = first.replace(",1,USD", ",09,USD").replace("1651993.36", "1")
    newer = first.replace(",1,USD", ",10,USD").replace("1651993.36", "2")
    tables = {"Opportunity": "\n".join([header, newer, older, ""])}
    snapshot = import_tables(tmp_path, tables, preset="salesforce")
    assert bookings(snapshot) == 2


def test_a_report_and_exports_from_the_browser(tmp_path):
    mapping = "extends: salesforce\nsources: {Opportunity: report1732550400}\n"
    text = "\ufeff" + SALESFORCE_REPORT["report1732550400"]
    snapshot = import_tables(tmp_path, {"report1732550400": text.encode("utf-8")}, mapping=mapping)
    assert bookings(snapshot) == 1200
    assert str(snapshot.read("opportunities")["closed_on"].iloc[0]) == "2023-06-17"
    snapshot = import_tables(tmp_path, HUBSPOT_EXPORT, preset="hubspot")
    assert (accepted(snapshot)["reps"], bookings(snapshot)) == (2, 400)
    assert snapshot.read("opportunities")["rep_id"].isna().sum() == 1


def test_hubspot_pipedrive_and_zoho_tables(tmp_path):
    hubspot = import_tables(tmp_path, HUBSPOT_TABLES, preset="hubspot")
    assert (accepted(hubspot)["opportunities"], bookings(hubspot)) == (4, 500)
    assert hubspot.read("activities")["seconds"].dropna().tolist() == [61.5, 0, 2700, 1800]
    pipedrive = import_tables(tmp_path, PIPEDRIVE_API, preset="pipedrive")
    assert (accepted(pipedrive)["opportunities"], bookings(pipedrive)) == (3, 1000)
    assert pipedrive.read("reps")["name"].tolist() == ["Ana Diaz", "8"]
    zoho = import_tables(tmp_path, ZOHO, preset="zoho")
    assert (accepted(zoho)["opportunities"], bookings(zoho)) == (4, 22_700)
    days = zoho.read("opportunities")[["created_on", "closed_on"]].iloc[0]
    assert [str(day) for day in days] == ["2021-04-15", "2021-04-30"]
    for snapshot in (hubspot, pipedrive, zoho):
        assert snapshot.report.check()


def test_what_a_preset_did_not_find_is_in_the_report(tmp_path):
    export = {"Opportunity": SALESFORCE_API["Opportunity"]}
    report = import_tables(tmp_path, export, preset="salesforce").report
    said = "\n".join(report.left_out)
    assert "leads: no file 'Lead' or 'Leads'" in said
    assert "opportunities: Opportunity.csv has no column for loss_reason." in said
