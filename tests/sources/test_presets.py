"""The presets over every family of headers they are for, a few rows each."""

import pytest
from compiled import problems_of, read_text, resolve_files, run
from crm_exports import (
    HUBSPOT_EXPORT,
    HUBSPOT_TABLES,
    PIPEDRIVE_API,
    SALESFORCE_API,
    SALESFORCE_REPORT,
    ZOHO,
)

from salesnb.schema import TABLES
from salesnb.sources.mapping import preset_names, read_preset, resolve


def columns(rows, *names):
    return [tuple(row.get(name) for name in names) for row in rows]


@pytest.mark.parametrize("name", preset_names())
def test_a_preset_asks_for_what_it_needs_when_it_is_given_nothing_it_knows(name):
    resolution = resolve(read_preset(name), {"notes": ("text",)})
    assert set(resolution.tables) <= {"stages"}
    if name != "maven":
        assert len(resolution.problems) == 2
        for table, said in zip(("reps", "opportunities"), resolution.problems, strict=True):
            assert said.startswith(f"{table}: the table is required and has no source: no file '")


def test_salesforce_opportunities_close_where_they_are_closed():
    rows = run("salesforce", SALESFORCE_API, "opportunities")
    assert columns(rows, "opportunity_id", "is_won", "is_closed", "closed_on", "created_on") == [
        ("006A", "1", "1", "2023-06-17", "2023-01-22T16:14:25.000+0000"),
        ("006B", "false", "false", None, "2024-01-22T16:14:25.000+0000"),
        # entered after it closed: when it began is not known
        ("006D", "FALSE", "TRUE", "2023-12-31", None),
    ]
    assert columns(rows, "rep_id", "account_id", "expected_close_on", "currency", "source") == [
        ("005A", "001A", "2023-06-17", "USD", "Web"),
        ("005B", "001B", "2024-07-03", "EUR", None),
        ("005B", "001B", "2023-12-31", "EUR", None),
    ]


def test_salesforce_people_and_teams():
    reps = run("salesforce", SALESFORCE_API, "reps")
    assert columns(reps, "rep_id", "name", "role")[0] == ("005A", "Ana Diaz", "AE")
    assert "005G" not in {row["rep_id"] for row in reps}
    assert {row["rep_id"] for row in reps} == {"005A", "005B"}
    teams = run("salesforce", SALESFORCE_API, "teams")
    assert columns(teams, "team_id", "name", "parent_id") == [
        ("00EA", "Sales North", "00EC"), ("00EC", "Company", None),
    ]  # fmt: skip
    assert run("salesforce", SALESFORCE_API, "memberships") == [
        {"rep_id": "005A", "team_id": "00EA", "manager_id": "005M"}
    ]


def test_salesforce_leads_belong_to_people_not_to_queues():
    rows = run("salesforce", SALESFORCE_API, "leads")
    assert columns(rows, "lead_id", "rep_id", "converted_opportunity_id", "rejected_reason") == [
        ("00QA", "005A", "006A", None),
        ("00QB", "005B", None, "Duplicate"),
        ("00QC", None, None, None),
    ]
    assert columns(rows, "qualified_at") == [("2024-01-05",), (None,), (None,)]


def test_salesforce_members_of_campaigns_are_touches_on_the_day_they_responded():
    members = (
        "Id,IsDeleted,CampaignId,LeadId,ContactId,FirstRespondedDate,CreatedDate\n"
        "00vA,false,701A,00QA,,2023-12-20,2023-12-01T08:00:00.000+0000\n"
        "00vB,false,701B,00QB,,,2023-12-02T08:00:00.000+0000\n"
        "00vC,true,701A,00QC,,,2023-12-03T08:00:00.000+0000\n"
    )
    campaigns = "Id,Name,Type\n701A,Lab Days,Trade Show\n"
    rows = run("salesforce", {**SALESFORCE_API, "CampaignMember": members, "Campaign": campaigns},
               "touches")  # fmt: skip
    assert columns(rows, "touch_id", "lead_id", "source", "campaign", "touched_at") == [
        ("00vA", "00QA", "Trade Show", "Lab Days", "2023-12-20"),
        ("00vB", "00QB", None, None, "2023-12-02T08:00:00.000+0000"),
    ]
    alone = run("salesforce", {**SALESFORCE_API, "CampaignMember": members}, "touches")
    assert columns(alone, "touch_id", "campaign") == [("00vA", None), ("00vB", None)]


def test_salesforce_activities_are_done_and_are_calls_emails_or_meetings():
    rows = run("salesforce", SALESFORCE_API, "activities")
    assert columns(rows, "activity_id", "kind", "seconds", "opportunity_id", "started_at") == [
        ("00TA", "call", "125", "006A", "2024-01-02"),
        ("00TB", "email", None, None, "2024-01-03"),
        ("00TC", "meeting", None, None, "2024-01-04"),
        ("00TD", "call", "60", None, "2024-01-05T10:00:00.000+0000"),
        ("00UA", "meeting", "1800", "006B", "2024-01-02T10:00:00.000+0000"),
        ("00UB", "call", "900", None, "2024-01-02T11:00:00.000+0000"),
    ]
    assert columns(rows, "contact_id") == [("003A",), *[(None,)] * 5]


def test_salesforce_history_stages_quotas_and_rates():
    assert columns(run("salesforce", SALESFORCE_API, "stage_history"), "stage") == [
        ("Discovery",), ("Closed Won",),
    ]  # fmt: skip
    stages = run("salesforce", SALESFORCE_API, "stages")
    assert columns(stages, "stage", "is_won", "is_lost") == [
        ("Discovery", "false", "false"), ("Closed Won", "true", "false"),
        ("Closed Lost", "false", "true"),
    ]  # fmt: skip
    targets = run("salesforce", SALESFORCE_API, "targets")
    assert columns(targets, "owner_id", "period", "kpi", "target") == [
        ("005A", "2024Q1", "bookings", "1000"), ("005A", "2024Q1", "bookings", "2000"),
    ]  # fmt: skip
    rates = run("salesforce", SALESFORCE_API, "exchange_rates")
    assert columns(rates, "currency", "rate_on", "rate") == [("EUR", "2024-01-01", "1.25")]


def test_a_salesforce_report_saved_from_the_browser(tmp_path):
    mine = read_text(tmp_path, "extends: salesforce\nsources: {Opportunity: report1732550400}\n")
    rows = run(mine, SALESFORCE_REPORT, "opportunities")
    assert columns(rows, "opportunity_id", "rep_id", "account_id", "is_won", "closed_on") == [
        ("Renewal / Müller, GmbH", "Ana Diaz", "Müller, GmbH", "true", "6/17/2023"),
        ("Pilot", "Ben Ode", None, "false", None),
    ]
    assert columns(rows, "amount", "currency", "created_on", "source", "type") == [
        ("1,200.00", "EUR", "1/2/2023", "Web", "Existing"), (None, "EUR", "1/3/2023", None, None),
    ]  # fmt: skip
    reps = run(mine, SALESFORCE_REPORT, "reps")
    assert columns(reps, "rep_id", "name") == [("Ana Diaz",) * 2, ("Ben Ode",) * 2]
    assert run(mine, SALESFORCE_REPORT, "teams") == [{"team_id": "North", "name": "North"}]
    members = run(mine, SALESFORCE_REPORT, "memberships")
    assert columns(members, "rep_id", "team_id") == [("Ana Diaz", "North")]


def test_salesforce_warehouse_tables_are_the_api_in_snake_case():
    """The same rows under the names a warehouse gives them make the same."""
    names = {"Opportunity": "sf_opportunity_data", "User": "user", "UserRole": "user_role",
             "Lead": "sf_lead_data", "Task": "task", "Event": "event",
             "OpportunityHistory": "opportunity_history", "OpportunityStage": "opportunity_stage",
             "ForecastingQuota": "forecasting_quota"}  # fmt: skip
    tables = {}
    for name, to in names.items():
        header, _, rows = SALESFORCE_API[name].partition("\n")
        tables[to] = ",".join(map(snake, header.split(","))) + "\n" + rows
    kept = {name: SALESFORCE_API[name] for name in names}
    for table in TABLES:
        assert run("salesforce", tables, table) == run("salesforce", kept, table)


def snake(name):
    """Write CreatedDate as created_date, and Loss_Reason__c as loss_reason_c."""
    small = "".join(f"_{c.lower()}" if c.isupper() else c for c in name.replace("__c", "_c"))
    return small.lstrip("_").replace("__", "_")


def test_salesforce_history_mode_keeps_the_state_now_and_every_stage():
    files = {
        "opportunity": (
            "_fivetran_active,id,owner_id,stage_name,is_won,is_closed,close_date,created_date\n"
            "true,006A,005A,Closed Won,true,true,2024-02-01 00:00:00,2024-01-01 10:00:00\n"
            "false,006A,005A,Discovery,false,false,2024-03-01 00:00:00,2024-01-01 10:00:00\n"
        ),
        "opportunity_history": (
            "_fivetran_active,_fivetran_start,id,stage_name,created_date\n"
            "true,2024-02-01 09:00:00,006A,Closed Won,2024-01-01 10:00:00\n"
            "false,2024-01-01 10:00:00,006A,Discovery,2024-01-01 10:00:00\n"
        ),
    }
    (row,) = run("salesforce", files, "opportunities")
    assert (row["stage"], row["closed_on"]) == ("Closed Won", "2024-02-01")
    history = run("salesforce", files, "stage_history")
    assert columns(history, "opportunity_id", "stage", "entered_at") == [
        ("006A", "Closed Won", "2024-02-01 09:00:00"), ("006A", "Discovery", "2024-01-01 10:00:00"),
    ]  # fmt: skip


def test_hubspot_deals_are_won_and_lost_by_their_pipelines_stage():
    rows = run("hubspot", HUBSPOT_TABLES, "opportunities")
    assert columns(rows, "opportunity_id", "stage", "is_won", "is_closed", "closed_on") == [
        ("1", "Signed", "TRUE", "TRUE", "2024-02-01 10:00:00"),
        ("2", "Gone", "FALSE", "TRUE", "2024-02-02 10:00:00"),
        ("3", "Proposal", "FALSE", "FALSE", None),
        ("4", None, "false", "false", None),
    ]
    assert columns(rows, "rep_id", "account_id", "amount", "type", "loss_reason")[:2] == [
        ("11", "c1", "500", "newbusiness", None), ("12", None, "700", None, "Price"),
    ]  # fmt: skip
    assert columns(rows, "expected_close_on")[2] == ("2024-09-09 10:00:00",)


def test_hubspot_people_teams_stages_and_history():
    reps = run("hubspot", HUBSPOT_TABLES, "reps")
    assert columns(reps, "rep_id", "name")[:2] == [("11", "Ana Diaz"), ("12", "ben@x.com")]
    members = run("hubspot", HUBSPOT_TABLES, "memberships")
    assert columns(members, "rep_id", "team_id") == [("11", "t1")]
    stages = run("hubspot", HUBSPOT_TABLES, "stages")
    assert columns(stages, "stage", "stage_order", "is_won", "is_lost") == [
        ("Proposal", "1", "FALSE", "FALSE"), ("Signed", "2", "TRUE", "false"),
        ("Gone", "3", "FALSE", "TRUE"),
    ]  # fmt: skip
    history = run("hubspot", HUBSPOT_TABLES, "stage_history")
    assert columns(history, "stage") == [("Proposal",), ("Signed",)]


def test_hubspot_contacts_are_leads_from_lead_on():
    rows = run("hubspot", HUBSPOT_TABLES, "leads")
    assert columns(rows, "lead_id", "rep_id", "qualified_at", "converted_opportunity_id") == [
        ("k1", "11", "2024-01-03 08:00:00", "1"), ("k3", None, None, None),
    ]  # fmt: skip
    without = {**HUBSPOT_TABLES, "contact": "id,property_createdate\nk1,2024-01-01\n"}
    resolution = resolve_files("hubspot", without)
    assert "leads" not in resolution.tables
    assert any(
        line.startswith("leads: no 'property_lifecyclestage' or 'lifecyclestage'")
        for line in resolution.left_out
    )


def test_hubspot_engagements_are_activities_of_those_they_are_assigned_to():
    rows = run("hubspot", HUBSPOT_TABLES, "activities")
    assert columns(rows, "activity_id", "rep_id", "kind", "seconds", "is_connected") == [
        ("e1", "11", "call", "61.5", "true"),
        ("e2", "11", "call", "0", "false"),
        ("m1", "12", "meeting", "2700", "true"),
        ("m2", "12", "meeting", "1800", "false"),
        ("m3", "12", "meeting", None, None),
        ("x1", "12", "email", None, None),
    ]
    assert columns(rows, "opportunity_id")[:3] == [("1",), (None,), ("2",)]


def test_a_hubspot_export_from_the_browser():
    rows = run("hubspot", HUBSPOT_EXPORT, "opportunities")
    assert columns(rows, "opportunity_id", "stage", "is_won", "is_closed", "closed_on") == [
        ("1", "Closed won", "true", "true", "2024-02-01 10:00"),
        ("2", "Closed Lost", "false", "true", "2024-02-02 10:00"),
        ("3", "closedwon", "true", "true", "2024-02-03 10:00"),
        ("4", "Contract sent", "false", "false", None),
    ]
    assert columns(rows, "rep_id", "amount", "loss_reason") == [
        ("Ana Diaz", "100", None), ("Ana Diaz", "200", "Price"), (None, "300", None),
        ("Ben Ode", "400", None),
    ]  # fmt: skip
    reps = run("hubspot", HUBSPOT_EXPORT, "reps")
    assert {(row["rep_id"], row["name"]) for row in reps} == {
        ("Ana Diaz", "Ana Diaz"), ("Ben Ode", "Ben Ode"),
    }  # fmt: skip
    assert {row["team_id"] for row in run("hubspot", HUBSPOT_EXPORT, "memberships")} == {"North"}


def test_hubspot_properties_by_their_internal_names():
    files = {
        "deals": (
            "hs_object_id,dealstage,hs_is_closed_won,hs_is_closed,amount,deal_currency_code,"
            "closedate,createdate,hubspot_owner_id,archived\n"
            "1,custom,true,true,5,EUR,2024-02-01T10:00:00.000Z,2024-01-01T10:00:00.000Z,11,false\n"
            "2,custom,,false,5,EUR,2024-02-01T10:00:00.000Z,2024-01-01T10:00:00.000Z,11,\n"
            "3,custom,true,true,5,EUR,2024-02-01T10:00:00.000Z,2024-01-01T10:00:00.000Z,11,true\n"
        ),
        "owners": "id,firstName,lastName,email,userId,archived\n11,Ana,Diaz,a@x.com,7,false\n",
    }
    rows = run("hubspot", files, "opportunities")
    assert columns(rows, "opportunity_id", "is_won", "is_closed", "closed_on", "currency") == [
        ("1", "true", "true", "2024-02-01T10:00:00.000Z", "EUR"),
        ("2", "false", "false", None, "EUR"),
    ]
    assert columns(run("hubspot", files, "reps"), "rep_id", "name")[0] == ("11", "Ana Diaz")


def test_pipedrive_deals_have_a_status_and_a_time_for_each():
    rows = run("pipedrive", PIPEDRIVE_API, "opportunities")
    assert columns(rows, "opportunity_id", "stage", "is_won", "is_closed", "closed_on") == [
        ("1", "Offer", "true", "true", "2024-02-01 10:00:00"),
        ("2", "Demo", "false", "true", "2024-02-02 10:00:00"),
        ("3", "Demo", "false", "false", None),
    ]
    assert columns(rows, "rep_id", "account_id", "amount", "currency", "loss_reason") == [
        ("7", "40", "1000", "EUR", None), ("8", None, "2000", "EUR", "Price"),
        ("7", None, "3000", "EUR", None),
    ]  # fmt: skip
    assert columns(rows, "expected_close_on") == [("2024-02-10",), (None,), ("2024-09-30",)]


def test_pipedrive_people_stages_leads_and_activities():
    reps = run("pipedrive", PIPEDRIVE_API, "reps")
    assert reps[0]["name"] == "Ana Diaz"
    assert {row["rep_id"] for row in reps} == {"7", "8"}
    stages = run("pipedrive", PIPEDRIVE_API, "stages")
    assert columns(stages, "stage", "stage_order") == [("Demo", "2"), ("Offer", "3")]
    leads = run("pipedrive", PIPEDRIVE_API, "leads")
    assert columns(leads, "lead_id", "rep_id", "source") == [
        ("u-1", "7", "Web"),
        ("u-2", None, "Web"),
    ]  # noqa: E501
    rows = run("pipedrive", PIPEDRIVE_API, "activities")
    assert columns(rows, "activity_id", "kind", "started_at", "seconds", "opportunity_id") == [
        ("1", "call", "2024-01-05 14:30", "1800", "1"),
        ("2", "meeting", "2024-01-06", None, None),
    ]


@pytest.mark.parametrize(
    "header",
    [
        "Deal - ID,Deal - Title,Deal - Value,Deal - Currency,Deal - Owner,Deal - Stage,Deal - Status,"  # noqa: E501
        "Deal - Deal created,Deal - Won time,Deal - Lost time,Deal - Deal closed on,Deal - Lost reason,"  # noqa: E501
        "Deal - Expected close date,Deal - Organization",
        "Deal - Pipedrive System ID,Deal - Title,Deal - Value,Deal - Currency of value,Deal - Owner,"  # noqa: E501
        "Deal - Stage (pipeline),Deal - Status,Deal - Creation date,Deal - Won time,Deal - Lost time,"  # noqa: E501
        "Deal - Closed on,Deal - Lost reason,Deal - Expected close date,Organization",
    ],
)
def test_a_pipedrive_export_from_the_browser(header):
    rows = (
        "1,A,1000,EUR,Ana Diaz,Offer,Won,2024-01-01 10:00:00,2024-02-01 10:00:00,,2024-02-01 10:00:00,,,Acme\n"  # noqa: E501
        "2,B,2000,EUR,Ben Ode,Demo,Lost,2024-01-01 10:00:00,,2024-02-02 10:00:00,,Price,2024-03-01,\n"  # noqa: E501
        "3,C,3000,EUR,Ben Ode,Demo,Open,2024-01-01 10:00:00,,,,,2024-03-01,\n"
    )
    files = {"deals": f"{header}\n{rows}"}
    made = run("pipedrive", files, "opportunities")
    assert columns(made, "opportunity_id", "rep_id", "is_won", "is_closed", "closed_on") == [
        ("1", "Ana Diaz", "true", "true", "2024-02-01 10:00:00"),
        ("2", "Ben Ode", "false", "true", "2024-02-02 10:00:00"),
        ("3", "Ben Ode", "false", "false", None),
    ]
    assert columns(made, "stage", "amount", "currency", "loss_reason", "account_id") == [
        ("Offer", "1000", "EUR", None, "Acme"), ("Demo", "2000", "EUR", "Price", None),
        ("Demo", "3000", "EUR", None, None),
    ]  # fmt: skip
    assert {row["name"] for row in run("pipedrive", files, "reps")} == {"Ana Diaz", "Ben Ode"}


def test_pipedrive_activities_from_the_browser():
    files = {
        "deals": "Deal - ID,Deal - Owner,Deal - Status\n1,Ana,Open\n",
        "activities": (
            "Activity - Pipedrive System ID,Activity - Type,Activity - Due date,Activity - Due time,"  # noqa: E501
            "Activity - Duration,Activity - Done,Activity - Assigned to user\n"
            "1,Call,2024-01-05,14:30,0:15,Done,Ana\n2,Meeting,2024-01-06,,,To do,Ana\n"
        ),
    }
    rows = run("pipedrive", files, "activities")
    assert columns(rows, "activity_id", "kind", "started_at", "seconds", "rep_id") == [
        ("1", "call", "2024-01-05 14:30", "900", "Ana")
    ]


def test_zoho_deals_with_labels():
    rows = run("zoho", ZOHO, "opportunities")
    assert columns(rows, "opportunity_id", "rep_id", "is_won", "is_closed", "closed_on") == [
        ("zcrm_1", "zcrm_u1", "true", "true", "30 Apr, 2021"),
        ("zcrm_2", "zcrm_u2", "false", "true", "30 Apr, 2021"),
        ("zcrm_3", "zcrm_u2", "false", "false", None),
        ("zcrm_4", "zcrm_u2", "false", "true", "14 Apr, 2021"),
    ]
    assert columns(rows, "amount", "created_on", "loss_reason", "account_id") == [
        ("$22,700.00", "15 Apr, 2021 00:02:00", None, "Acme"),
        ("$342.09K", "15 Apr, 2021 00:02:00", "Price", None),
        (None, "15 Apr, 2021 00:02:00", None, None),
        ("5", None, None, None),
    ]


def test_zoho_people_leads_calls_and_meetings():
    reps = run("zoho", ZOHO, "reps")
    assert columns(reps, "rep_id", "name", "role")[0] == ("zcrm_u1", "Ana Diaz", "Sales Rep")
    assert ("zcrm_u2", "Ben Ode") in columns(reps, "rep_id", "name")
    leads = run("zoho", ZOHO, "leads")
    assert columns(leads, "rep_id", "rejected_reason", "converted_opportunity_id") == [
        ("zcrm_u1", None, "zcrm_1"), (None, "invalid", None),
    ]  # fmt: skip
    rows = run("zoho", ZOHO, "activities")
    assert columns(rows, "activity_id", "rep_id", "kind", "seconds") == [
        ("zcrm_c1", "zcrm_u1", "call", "330"), ("zcrm_e1", "zcrm_u2", "meeting", "1800"),
    ]  # fmt: skip


def test_zoho_potentials_of_a_backup_and_api_names():
    backup = {
        "Potentials": (
            "Potential Id,Potential Owner Id,Potential Name,Amount,Closing Date,Stage,Created Time\n"  # noqa: E501
            "1,u1,A,5,2021-04-30,Closed Won,2021-04-15 00:02:00\n"
        ),
        "Stages": "Potential Stage History Id,Potential Id,Stage,Last Modified Time\nh1,1,Closed Won,2021-04-30 09:00:00\n",  # noqa: E501
    }  # fmt: skip
    (row,) = run("zoho", backup, "opportunities")
    assert (row["opportunity_id"], row["rep_id"], row["closed_on"]) == ("1", "u1", "2021-04-30")
    (entered,) = run("zoho", backup, "stage_history")
    assert entered["entered_at"] == "2021-04-30 09:00:00"
    api = {
        "deals": (
            "id,Deal_Name,Owner.id,Owner.name,Stage,Amount,Closing_Date,Created_Time,Lead_Source\n"
            "1,A,u1,Ana,Closed Lost,5,2021-04-30,2021-04-15T00:02:00+05:30,Web\n"
        )
    }
    (row,) = run("zoho", api, "opportunities")
    assert (row["rep_id"], row["is_won"], row["is_closed"]) == ("u1", "false", "true")
    assert columns(run("zoho", api, "reps"), "rep_id", "name") == [("u1", "Ana")]


def test_my_own_stages_and_fields_over_a_preset(tmp_path):
    mine = read_text(tmp_path, """
extends: salesforce
tables:
  opportunities:
    columns:
      amount: ARR__c
      source: Channel__c
      is_won: {column: StageName, map: {Signed: "true"}, otherwise: "false"}
      is_closed: {column: StageName, map: {Signed: "true", Gone: "true"}, otherwise: "false"}
""")  # fmt: skip
    files = {
        "opportunity": (
            "id,owner_id,stage_name,amount,arr_c,channel_c,is_won,is_closed,close_date,created_date\n"  # noqa: E501
            "1,005A,Signed,1,100,Partner,false,false,2024-02-01,2024-01-01\n"
            "2,005A,Gone,1,200,,false,false,2024-02-02,2024-01-01\n"
        )
    }
    rows = run(mine, files, "opportunities")
    assert columns(rows, "amount", "source", "is_won", "is_closed", "closed_on") == [
        ("100", "Partner", "true", "true", "2024-02-01"), ("200", None, "false", "true", "2024-02-02"),  # noqa: E501
    ]  # fmt: skip
    del files["opportunity"]
    files["Opportunity"] = "Id,OwnerId,StageName,CloseDate\n1,005A,Signed,2024-02-01\n"
    (said,) = problems_of(resolve_files(mine, files))
    assert "Opportunity: 2 column(s) missing ('ARR__c', 'Channel__c'), named in your change" in said
