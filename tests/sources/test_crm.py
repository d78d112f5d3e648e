"""Fetching from CRMs, against a local stand-in; no real Salesforce or HubSpot was asked."""

import datetime as dt
import inspect
import logging
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import keyring
import pyarrow.parquet as pq
import pytest
from crm_stand_in import HubSpot, Salesforce, running_stand_in
from hypothesis import given, settings
from hypothesis import strategies as st
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked

from salesnb import cli
from salesnb.errors import DataError, ParameterError, SalesnbError
from salesnb.sources.crm import api, fetch_crm, salesforce
from salesnb.sources.crm import fetch as fetch_module
from salesnb.sources.mapping import preset_names

STAMP = "SystemModstamp"
SECRETS = (*Salesforce.client, Salesforce.token, HubSpot.token)
OPPORTUNITY = (
    "Id", "IsDeleted", "AccountId", "OwnerId", "StageName", "Amount", "Probability", "CloseDate",
    "Type", "LeadSource", "CampaignId", "IsClosed", "IsWon", "ForecastCategoryName",
    "LastStageChangeDate", "CreatedDate", STAMP, "Region__c",
)  # fmt: skip


class Ring(KeyringBackend):
    """A keyring in memory; a locked one raises."""

    priority = 0

    def __init__(self, values, *, locked=False):
        super().__init__()
        self.values, self.locked = values, locked

    def get_password(self, service, username):
        if self.locked:
            raise KeyringLocked("locked")
        return self.values.get((service, username))

    def set_password(self, service, username, password):
        raise AssertionError("a fetch stores no credentials")


@pytest.fixture(autouse=True)
def _alone(monkeypatch, tmp_path):
    """No credentials, keyring, proxy or home of the one who runs the tests; short pauses."""
    for name in [*os.environ]:
        if name.startswith(("SALESFORCE_", "HUBSPOT_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    before = keyring.get_keyring()
    keyring.set_keyring(Ring({}))
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(home)
    monkeypatch.setattr(api, "PAUSE", 0.01)
    yield
    keyring.set_keyring(before)


@pytest.fixture
def stand_in():
    with running_stand_in() as server:
        yield server


@pytest.fixture
def sales(stand_in, monkeypatch):
    """A Salesforce with three opportunities, one deleted, two users and no leads."""
    force = stand_in.salesforce
    monkeypatch.setenv("SALESFORCE_INSTANCE_URL", stand_in.url)
    monkeypatch.setenv("SALESFORCE_CLIENT_ID", force.client[0])
    monkeypatch.setenv("SALESFORCE_CLIENT_SECRET", force.client[1])
    force.add_table("User", ("Id", "Name", "Title", "IsActive", "CreatedDate", STAMP), [
        {"Id": "005A", "Name": "Zoë Müller", "IsActive": True, STAMP: stamp(1)},
        {"Id": "005B", "Name": "李雷", "IsActive": False, STAMP: stamp(1)},
    ])  # fmt: skip
    force.add_table("Opportunity", OPPORTUNITY, [
        deal("006A", 1, Amount=1e16, IsClosed=True, IsWon=True),
        deal("006B", 2, Amount=1250.5, StageName='Nego"tiation, 50\u00a0%'),
        deal("006C", 3, IsDeleted=True),
        deal("006D", 4, Amount=0),
    ])  # fmt: skip
    force.add_table("Lead", ("Id", "IsDeleted", "Status", "CreatedDate", STAMP), [])
    return force


@pytest.fixture
def hub(stand_in, monkeypatch):
    """A HubSpot with three deals, one archived, and owners of two teams."""
    crm = stand_in.hubspot
    monkeypatch.setenv("HUBSPOT_API_BASE", stand_in.url)
    monkeypatch.setenv("HUBSPOT_TOKEN", crm.token)
    west, south = {"id": "71", "name": "West"}, {"id": "72", "name": "Süd"}
    crm.owners = [
        owner("1", [{**south, "primary": False}, {**west, "primary": True}]),
        owner("2", []),
        owner("3", [{**south, "primary": True}], archived=True),
        owner("4", [], type="QUEUE"),
    ]
    crm.pipelines = [{"id": "default", "label": "Sales", "displayOrder": 0, "stages": [
        stage("new", 0, {"isClosed": "false", "probability": "0.2"}),
        stage("won", 1, {"isClosed": "true", "probability": "1.0"}),
        stage("lost", 2, {"probability": "0.0"}),
    ]}]  # fmt: skip
    history = {"dealstage": [
        {"value": "won", "timestamp": "2024-03-01T00:00:00Z"},
        {"value": "new", "timestamp": "2024-02-01T00:00:00Z"},
    ]}  # fmt: skip
    companies = [
        {"id": "91", "type": "deal_to_company_unlabeled"},
        {"id": "92", "type": "deal_to_company"},
        {"id": "92", "type": "deal_to_company_unlabeled"},
        {"id": "93", "type": "facilitator"},
    ]
    crm.records["deals"] = [
        {"id": "11", "properties": {"amount": "1250.50", "dealstage": "won", "hs_is_closed": None},
         "propertiesWithHistory": history, "associations": {"companies": companies}},
        {"id": "12", "archived": True, "properties": {"amount": "7"}},
        {"id": "13", "updatedAt": "2023-05-01T00:00:00Z", "properties": {"dealstage": "new"}},
        {"id": "14", "properties": {"dealstage": "lost", "region": "Nord"}},
    ]  # fmt: skip
    crm.records["calls"] = [
        {"id": "21", "properties": {"hs_call_duration": "60000"},
         "associations": {"deals": [{"id": "11", "type": "call_to_deal"}]}},
        {"id": "22", "associations": {"deals": [
            {"id": "14", "type": "call_to_deal"}, {"id": "11", "type": "call_to_deal"}]}},
        {"id": "23"},
    ]  # fmt: skip
    return crm


def stamp(day, hour=12):
    return f"2024-01-{day:02}T{hour:02}:00:00.000+0000"


def deal(identity, day, **values):
    usual = {"IsDeleted": False, "OwnerId": "005A", "CreatedDate": stamp(1), STAMP: stamp(day)}
    return {"Id": identity, "IsClosed": False, "IsWon": False, **usual, **values}


def owner(identity, teams, *, archived=False, type="PERSON"):
    names = {"firstName": f"First{identity}", "lastName": "Ünal", "email": f"{identity}@x.example"}
    user = {"userId": None if archived else int(identity), "type": type, "archived": archived}
    return {"id": identity, **names, **user, "teams": teams}


def stage(identity, order, metadata):
    return {"id": identity, "label": identity.title(), "displayOrder": order, "metadata": metadata}


def rows_of(folder, name):
    return pq.read_table(folder / f"{name}.parquet").to_pylist()


def column_of(folder, name, column):
    return [row[column] for row in rows_of(folder, name)]


def contents(folder):
    return {p.name: p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def opportunities_fetched(folder, **options):
    return fetch_crm("salesforce", to=folder, objects=["Opportunity"], **options)


# Salesforce ------------------------------------------------------------------------------------


def test_every_row_that_is_not_deleted_is_there_as_text(sales, tmp_path):
    report = fetch_crm("salesforce", to=tmp_path / "crm")
    rows = rows_of(tmp_path / "crm", "Opportunity")
    assert [row["Id"] for row in rows] == ["006A", "006B", "006D"]
    assert [row["Amount"] for row in rows] == ["10000000000000000", "1250.5", "0"]
    assert rows[1]["StageName"] == 'Nego"tiation, 50\u00a0%'
    assert rows[0] | {"Amount": None} == {
        "Id": "006A", "IsDeleted": "false", "AccountId": None, "OwnerId": "005A",
        "StageName": None, "Amount": None, "Probability": None, "CloseDate": None, "Type": None,
        "LeadSource": None, "CampaignId": None, "IsClosed": "true", "IsWon": "true",
        "ForecastCategoryName": None, "LastStageChangeDate": None, "CreatedDate": stamp(1),
        STAMP: stamp(1),
    }  # fmt: skip
    assert column_of(tmp_path / "crm", "User", "Name") == ["Zoë Müller", "李雷"]
    counts = {f.name: (f.rows, f.received, f.removed, f.how) for f in report.files}
    assert counts == {
        "User": (2, 2, 0, "whole"), "Opportunity": (3, 4, 0, "whole"), "Lead": (0, 0, 0, "whole"),
    }  # fmt: skip


def test_an_empty_object_has_its_columns(sales, tmp_path):
    fetch_crm("salesforce", to=tmp_path, objects=["Lead"])
    table = pq.read_table(tmp_path / "Lead.parquet")
    assert table.num_rows == 0
    assert table.column_names == ["Id", "IsDeleted", "Status", "CreatedDate", STAMP]


def test_missing_fields_and_objects_are_named_and_do_no_harm(sales, tmp_path):
    report = fetch_crm(
        "salesforce", to=tmp_path, fields=["Opportunity.region__C", "Opportunity.Gone__c"]
    )
    assert "Region__c" in rows_of(tmp_path, "Opportunity")[0]
    assert "Opportunity: no field Gone__c, or none this user may see." in report.notes
    assert (
        "User: no field UserType, UserRoleId, ManagerId, or none this user may see." in report.notes
    )
    assert not any("Loss_Reason__c" in note or "CurrencyIsoCode" in note for note in report.notes)
    absent = [note for note in report.left_out if note.startswith("Task: left out. Salesforce:")]
    assert len(absent) == 1
    assert "404" in absent[0]


@pytest.mark.parametrize("asked", [["Task"], []])
def test_an_object_that_is_asked_for_or_required_must_be_there(sales, tmp_path, asked):
    del sales.fields["User"]
    with pytest.raises(SalesnbError, match="the request was refused \\(404: NOT_FOUND"):
        fetch_crm("salesforce", to=tmp_path / "crm", objects=asked)
    assert not (tmp_path / "crm").exists()


def test_the_second_fetch_asks_for_changes_only_and_the_folder_is_complete(sales, tmp_path):
    opportunities_fetched(tmp_path)
    table = sales.tables["Opportunity"]
    table[0].update({"IsWon": False, STAMP: stamp(6)})
    table[1].update({"IsDeleted": True, STAMP: stamp(7)})
    table.append(dict.fromkeys(OPPORTUNITY) | deal("006E", 8))
    sales.queries.clear()
    report = opportunities_fetched(tmp_path)
    assert f"WHERE {STAMP} >= 2024-01-04T11:00:00.000Z" in sales.queries[0]
    assert [(f.rows, f.received, f.removed, f.how) for f in report.files] == [(3, 4, 1, "changes")]
    won = {row["Id"]: row["IsWon"] for row in rows_of(tmp_path, "Opportunity")}
    assert won == {"006A": "false", "006D": "false", "006E": "false"}
    assert not any(soql.startswith("SELECT Id, SystemModstamp FROM") for soql in sales.queries)


def test_rows_that_left_the_recycle_bin_are_taken_out(sales, tmp_path):
    opportunities_fetched(tmp_path)
    del sales.tables["Opportunity"][0]
    report = opportunities_fetched(tmp_path)
    assert [(f.rows, f.removed, f.how) for f in report.files] == [(2, 1, "changes")]
    assert column_of(tmp_path, "Opportunity", "Id") == ["006B", "006D"]


def test_rows_the_user_may_see_only_now_are_fetched_though_unchanged(sales, tmp_path):
    hidden = sales.tables["Opportunity"].pop(0)
    opportunities_fetched(tmp_path)
    sales.tables["Opportunity"].insert(0, hidden)
    report = opportunities_fetched(tmp_path)
    assert report.files[0].how == "whole"
    assert column_of(tmp_path, "Opportunity", "Id") == ["006A", "006B", "006D"]


@pytest.mark.parametrize(
    "other", [{"since": dt.date(2024, 1, 2)}, {"fields": ["Opportunity.Region__c"]}]
)
def test_another_question_is_answered_whole(sales, tmp_path, other):
    opportunities_fetched(tmp_path)
    assert opportunities_fetched(tmp_path, **other).files[0].how == "whole"
    assert opportunities_fetched(tmp_path, **other).files[0].how == "changes"


steps = st.lists(
    st.tuples(
        st.sampled_from(["create", "change", "delete", "purge", "hide", "show", "fetch"]),
        st.integers(0, 5),
    ),
    max_size=10,
)


@given(steps)
@settings(max_examples=12)
def test_fetching_changes_gives_what_fetching_whole_gives(tmp_path_factory, history):
    folder = tmp_path_factory.mktemp("law")
    with running_stand_in() as stand_in, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SALESFORCE_INSTANCE_URL", stand_in.url)
        patch.setenv("SALESFORCE_ACCESS_TOKEN", stand_in.salesforce.token)
        force, hidden = stand_in.salesforce, []
        fields = ("Id", "IsDeleted", "Amount", STAMP)
        force.add_table("Opportunity", fields, [
            {"Id": f"{n}", "IsDeleted": False, STAMP: stamp(1)} for n in range(4)
        ])  # fmt: skip
        opportunities_fetched(folder / "twice")
        table = force.tables["Opportunity"]
        for day, (step, place) in enumerate(history, start=2):
            now = {STAMP: stamp(day)}
            if step == "create":
                table.append({"Id": f"new{day}", "IsDeleted": False, "Amount": day, **now})
            elif step == "show":
                table += hidden
                hidden.clear()
            elif step == "fetch":
                opportunities_fetched(folder / "twice")
            elif table:
                row = table[place % len(table)]
                if step == "change":
                    row.update({"Amount": day, **now})
                elif step == "delete":
                    row.update({"IsDeleted": True, **now})
                else:
                    table.remove(row)
                    hidden += [row] if step == "hide" else []
        opportunities_fetched(folder / "twice")
        opportunities_fetched(folder / "once")
        expected = sorted(row["Id"] for row in table if not row["IsDeleted"])
        assert column_of(folder / "once", "Opportunity", "Id") == expected
        assert rows_of(folder / "twice", "Opportunity") == rows_of(folder / "once", "Opportunity")


def test_since_leaves_out_old_facts_but_no_people_and_no_history(sales, tmp_path):
    fields = ("Id", "IsDeleted", "OpportunityId", "StageName", "CreatedDate", STAMP)
    sales.add_table("OpportunityHistory", fields, [
        {"Id": "008A", "IsDeleted": False, "OpportunityId": "006A", STAMP: stamp(1)},
        {"Id": "008D", "IsDeleted": False, "OpportunityId": "006D", STAMP: stamp(1)},
    ])  # fmt: skip
    options = {"objects": ["User", "Opportunity", "OpportunityHistory"]}
    for _ in ("whole", "changes"):
        fetch_crm("salesforce", to=tmp_path, since=dt.date(2024, 1, 3), **options)
        assert column_of(tmp_path, "Opportunity", "Id") == ["006D"]
        assert column_of(tmp_path, "OpportunityHistory", "Id") == ["008D"]
        assert column_of(tmp_path, "User", "Id") == ["005A", "005B"]
    sales.tables["Opportunity"][0][STAMP] = stamp(9)
    fetch_crm("salesforce", to=tmp_path, since=dt.date(2024, 1, 3), **options)
    assert column_of(tmp_path, "OpportunityHistory", "Id") == ["008A", "008D"]


def test_what_cannot_be_filtered_by_is_fetched_whole(sales, tmp_path):
    sales.unfiltered.add(STAMP)
    report = opportunities_fetched(tmp_path, since=dt.date(2024, 1, 3))
    assert report.files[0].rows == 3
    expected = "Opportunity: cannot be asked for changes; fetched whole, --since apart."
    assert expected in report.notes
    assert opportunities_fetched(tmp_path).files[0].how == "whole"


def test_rows_announced_and_not_sent_are_not_taken_for_all(sales, tmp_path):
    whole = sales.page
    sales.page = lambda cursor, start: whole(cursor, start) | {"totalSize": 5}
    with pytest.raises(DataError, match="5 rows were announced and 4 came"):
        opportunities_fetched(tmp_path / "crm")
    assert not (tmp_path / "crm").exists()


# Failures --------------------------------------------------------------------------------------


def test_limits_and_passing_faults_are_waited_out(sales, stand_in, tmp_path):
    stand_in.fail("queryAll", 429, headers={"Retry-After": "1"})
    stand_in.fail("describe", 500, times=2)
    stand_in.fail("oauth2", 503)
    begun = time.monotonic()
    assert opportunities_fetched(tmp_path).files[0].rows == 3
    assert time.monotonic() - begun >= 1
    assert stand_in.faults == []


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (503, {}, r"the server failed 6 times \(503\)\. Fetch again later"),
        (429, {"policyName": "DAILY"}, r"too many requests \(429: DAILY\)\. Fetch again later"),
    ],
)
def test_faults_that_stay_are_errors(sales, stand_in, tmp_path, status, body, message):
    stand_in.fail("queryAll", status, times=api.ATTEMPTS, body=body)
    with pytest.raises(SalesnbError, match=message):
        opportunities_fetched(tmp_path)
    assert stand_in.faults == []


def test_a_spent_daily_limit_is_not_taken_for_a_missing_right(sales, stand_in, tmp_path):
    body = [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded."}]
    stand_in.fail("Lead/describe", 403, body=body)
    with pytest.raises(SalesnbError, match="too many requests .*REQUEST_LIMIT_EXCEEDED"):
        fetch_crm("salesforce", to=tmp_path)


def test_a_fetch_that_fails_midway_leaves_the_folder_as_it_was(sales, stand_in, tmp_path):
    (tmp_path / "targets.csv").write_text("mine", encoding="utf-8")
    objects = ["User", "Opportunity"]
    fetch_crm("salesforce", to=tmp_path, objects=objects)
    before = contents(tmp_path)
    sales.tables["User"].append(
        dict.fromkeys(sales.fields["User"]) | {"Id": "005C", STAMP: stamp(9)}
    )
    sales.tables["Opportunity"] += [dict.fromkeys(OPPORTUNITY) | deal(f"7{n}", 9) for n in range(9)]
    stand_in.fail("/query/", 500, times=api.ATTEMPTS)
    with pytest.raises(SalesnbError, match="the server failed"):
        fetch_crm("salesforce", to=tmp_path, objects=objects)
    assert contents(tmp_path) == before
    assert not list(tmp_path.glob(".fetch-*"))
    fetch_crm("salesforce", to=tmp_path, objects=objects)
    assert len(rows_of(tmp_path, "Opportunity")) == 12
    assert not list(tmp_path.glob(".fetch-*"))


def test_a_file_that_cannot_be_replaced_leaves_all_as_they_were(sales, tmp_path, monkeypatch):
    objects = ["User", "Opportunity", "Lead"]
    fetch_crm("salesforce", to=tmp_path, objects=objects[:2])
    before = contents(tmp_path)
    sales.tables["User"][0].update({"Name": "New", STAMP: stamp(9)})
    replace = Path.replace

    def fail(self, target):
        if Path(target) == tmp_path / "Lead.parquet":
            raise PermissionError(13, "in use")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(SalesnbError, match=r"cannot be written \(in use\); it is as before"):
        fetch_crm("salesforce", to=tmp_path, objects=objects)
    assert contents(tmp_path) == before


def test_an_interrupted_fetch_leaves_nothing(sales, tmp_path):
    class Stopped(BaseException):
        pass

    def stop(file):
        assert list((tmp_path / "crm").glob(".fetch-*/Opportunity.parquet"))
        raise Stopped

    with pytest.raises(Stopped):
        opportunities_fetched(tmp_path / "crm", on_done=stop)
    assert not (tmp_path / "crm").exists()


def test_what_a_killed_fetch_has_left_is_removed_once_it_is_old(sales, tmp_path):
    for name, age in ((".fetch-old", 2), (".fetch-running", 0)):
        (tmp_path / name).mkdir()
        changed = time.time() - age * 86_400
        os.utime(tmp_path / name, (changed, changed))
    opportunities_fetched(tmp_path)
    assert [path.name for path in tmp_path.glob(".fetch-*")] == [".fetch-running"]


@pytest.mark.parametrize("crm", ["salesforce", "hubspot"])
def test_no_network_is_said_to_be_that(crm, monkeypatch, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
    for name in ("SALESFORCE_INSTANCE_URL", "HUBSPOT_API_BASE"):
        monkeypatch.setenv(name, address)
    for name in ("SALESFORCE_ACCESS_TOKEN", "HUBSPOT_TOKEN"):
        monkeypatch.setenv(name, "some-token")
    with pytest.raises(SalesnbError, match=r"cannot be reached \(ConnectionError, 6 attempts\)"):
        fetch_crm(crm, to=tmp_path / "crm")
    assert not (tmp_path / "crm").exists()


def test_answers_that_are_no_json_point_to_the_address(sales, stand_in, tmp_path):
    stand_in.fail("describe", 200, body=b"<html>Log in</html>")
    with pytest.raises(DataError, match="answered what is no JSON. Is it the API's address"):
        opportunities_fetched(tmp_path)


def test_answers_without_rows_or_ids_are_refused(sales, stand_in, tmp_path):
    stand_in.fail("queryAll", 200, body={"totalSize": 0, "done": True})
    with pytest.raises(DataError, match="has no list 'records'"):
        opportunities_fetched(tmp_path)
    stand_in.fail("queryAll", 200, body={"totalSize": 1, "records": [{"Amount": 1}]})
    with pytest.raises(DataError, match="a row of 'records' has no 'Id'"):
        opportunities_fetched(tmp_path)


# Credentials -----------------------------------------------------------------------------------


def test_missing_credentials_are_named_with_what_to_do(tmp_path):
    with pytest.raises(ParameterError, match="keyring set salesnb SALESFORCE_INSTANCE_URL") as met:
        fetch_crm("salesforce", to=tmp_path)
    assert "SALESFORCE_CLIENT_ID and SALESFORCE_CLIENT_SECRET: not set" in str(met.value)
    with pytest.raises(ParameterError, match="HUBSPOT_TOKEN: not set. Set it in the environment"):
        fetch_crm("hubspot", to=tmp_path)


def test_the_keyring_is_asked_after_the_environment(sales, monkeypatch, tmp_path):
    client_id, secret = sales.client
    monkeypatch.delenv("SALESFORCE_CLIENT_SECRET")
    keyring.set_keyring(Ring({
        ("salesnb", "SALESFORCE_CLIENT_SECRET"): f"{secret}\n",
        ("salesnb", "SALESFORCE_CLIENT_ID"): "another one",
    }))  # fmt: skip
    assert opportunities_fetched(tmp_path).files[0].rows == 3
    keyring.set_keyring(Ring({}, locked=True))
    with pytest.raises(ParameterError, match="SALESFORCE_CLIENT_SECRET: not set"):
        opportunities_fetched(tmp_path)


def test_an_access_token_is_enough(sales, stand_in, monkeypatch, tmp_path):
    monkeypatch.delenv("SALESFORCE_CLIENT_ID")
    monkeypatch.setenv("SALESFORCE_ACCESS_TOKEN", sales.token)
    assert opportunities_fetched(tmp_path).files[0].rows == 3
    assert not any("oauth2" in request for request in stand_in.requests)


@pytest.mark.parametrize(
    ("variable", "crm", "said"),
    [
        ("SALESFORCE_CLIENT_SECRET", "salesforce", r"\(400: invalid_client invalid client cred"),
        ("SALESFORCE_ACCESS_TOKEN", "salesforce", r"\(401: INVALID_SESSION_ID Session expired"),
        ("HUBSPOT_TOKEN", "hubspot", r"\(401: INVALID_AUTHENTICATION The token Bearer \*\*\* is"),
    ],
)
def test_refused_credentials_name_the_variable_and_show_no_secret(
    sales, hub, monkeypatch, tmp_path, variable, crm, said
):
    monkeypatch.setenv(variable, "wrong-but-secret")
    with pytest.raises(SalesnbError, match=said) as met:
        fetch_crm(crm, to=tmp_path / "crm")
    assert variable in str(met.value)
    assert "wrong-but-secret" not in str(met.value)
    assert met.value.exit_code == 2
    assert not (tmp_path / "crm").exists()


@pytest.mark.parametrize("token", ["two\nlines-of-secret", "sécret-token", "nul\x00secret"])
def test_a_token_no_header_can_hold_is_refused_unseen(monkeypatch, tmp_path, token):
    monkeypatch.setattr(os, "environ", {**os.environ, "HUBSPOT_TOKEN": token})
    with pytest.raises(ParameterError, match="HUBSPOT_TOKEN: holds characters") as met:
        fetch_crm("hubspot", to=tmp_path)
    assert "secret" not in str(met.value).replace("credential", "")


@pytest.mark.parametrize(
    "address",
    ["http://acme.example.com", "acme.my.salesforce.com", "https://user:pw@acme.example.com",
     "https://acme.example.com/services", "https://acme.example.com?x=1", "ftp://127.0.0.1", ""],
)  # fmt: skip
def test_credentials_go_over_https_to_a_plain_host_only(sales, monkeypatch, tmp_path, address):
    monkeypatch.setenv("SALESFORCE_INSTANCE_URL", address)
    with pytest.raises(ParameterError, match="SALESFORCE_INSTANCE_URL"):
        opportunities_fetched(tmp_path)


@pytest.mark.parametrize("part", ["oauth2", "describe", "queryAll"])
def test_redirects_take_no_credentials_elsewhere(sales, stand_in, tmp_path, part):
    with running_stand_in() as other:
        stand_in.fail(part, 307, headers={"Location": f"{other.url}/services/oauth2/token"})
        with pytest.raises(ParameterError, match="sends requests on to another address"):
            opportunities_fetched(tmp_path)
        assert other.requests == []


def test_next_pages_elsewhere_are_not_asked_for(sales, tmp_path):
    with running_stand_in() as other:
        sales.next_host = other.url
        with pytest.raises(DataError, match="the next page is said to be at 127"):
            opportunities_fetched(tmp_path)
        assert other.requests == []


def test_no_secret_is_written_logged_or_sent_elsewhere(
    sales, hub, stand_in, monkeypatch, tmp_path, caplog, capfd
):
    hosts = set()
    connect = socket.socket.connect

    def watched(self, address):
        hosts.add(address[0])
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", watched)
    caplog.set_level(logging.DEBUG)
    for name in ("dlt", "urllib3"):
        caplog.set_level(logging.DEBUG, logger=name)
    stand_in.fail("queryAll", 500)
    for crm in ("salesforce", "hubspot"):
        for _ in ("whole", "changes"):
            fetch_crm(crm, to=tmp_path / crm)
    shown = capfd.readouterr()
    assert "queryAll" in caplog.text  # so the log was there to be searched
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {path.parent.name for path in written} == {"salesforce", "hubspot"}
    for secret in SECRETS:
        assert secret not in caplog.text + shown.out + shown.err
        assert not [p for p in written if secret.encode() in p.read_bytes()]
        assert not [request for request in stand_in.requests if secret in request]
    assert secret not in repr(salesforce.connect())
    assert hosts == {"127.0.0.1"}


def test_dlt_configuration_files_give_no_credentials(monkeypatch, tmp_path):
    settings_folder = Path.cwd() / ".dlt"
    settings_folder.mkdir()
    for name in ("secrets.toml", "config.toml"):
        text = 'HUBSPOT_TOKEN = "from-a-file"\nhubspot_token = "from-a-file"\n'
        (settings_folder / name).write_text(text, encoding="utf-8")
    with pytest.raises(ParameterError, match="HUBSPOT_TOKEN: not set"):
        fetch_crm("hubspot", to=tmp_path)


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")
def test_the_export_is_its_owners_alone(sales, tmp_path):
    opportunities_fetched(tmp_path / "crm")
    assert (tmp_path / "crm").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "crm" / "Opportunity.parquet").stat().st_mode & 0o777 == 0o600


# HubSpot ---------------------------------------------------------------------------------------


def test_deals_have_properties_company_and_history_but_are_not_archived(hub, tmp_path):
    fetch_crm("hubspot", to=tmp_path)
    deals = {row["id"]: row for row in rows_of(tmp_path, "deals")}
    assert sorted(deals) == ["11", "13", "14"]
    assert deals["11"]["amount"] == "1250.50"
    assert [deals[name]["company_id"] for name in sorted(deals)] == ["92", None, None]
    assert rows_of(tmp_path, "deal_stage") == [
        {"deal_id": "11", "value": "new", "date_entered": "2024-02-01T00:00:00Z"},
        {"deal_id": "11", "value": "won", "date_entered": "2024-03-01T00:00:00Z"},
    ]


def test_owners_who_left_and_their_teams_are_there(hub, tmp_path):
    hub.owners.append({**hub.owners[1], "archived": True, "firstName": "Before"})
    fetch_crm("hubspot", to=tmp_path, objects=["owners"])
    owners = {row["id"]: row for row in rows_of(tmp_path, "owners")}
    assert {name: row["archived"] for name, row in owners.items()} == {
        "1": "false", "2": "false", "3": "true", "4": "false",
    }  # fmt: skip
    assert owners["2"]["firstName"] == "First2"
    assert (owners["1"]["team_id"], owners["1"]["team_name"]) == ("71", "West")
    assert owners["4"]["type"] == "QUEUE"
    names = {row["id"]: row["name"] for row in rows_of(tmp_path, "teams")}
    assert names == {"71": "West", "72": "Süd"}
    members = [tuple(row.values()) for row in rows_of(tmp_path, "owner_team")]
    assert members == [("1", "71", "true"), ("1", "72", "false"), ("3", "72", "true")]


def test_stages_say_what_they_mean(hub, tmp_path):
    fetch_crm("hubspot", to=tmp_path, objects=["pipelines"])
    stages = {row["stage_id"]: row for row in rows_of(tmp_path, "deal_pipeline_stage")}
    meaning = {name: (row["is_closed"], row["closed_won"]) for name, row in stages.items()}
    assert meaning == {
        "new": ("false", "false"), "won": ("true", "true"), "lost": ("true", "false"),
    }  # fmt: skip
    assert stages["won"]["label"] == "Won"
    assert stages["won"]["pipeline_id"] == "default"
    assert rows_of(tmp_path, "deal_pipeline") == [
        {"pipeline_id": "default", "label": "Sales", "display_order": "0"}
    ]


def test_calls_belong_to_deals_and_doubt_is_told(hub, tmp_path):
    report = fetch_crm("hubspot", to=tmp_path, objects=["calls"])
    calls = {row["id"]: row["deal_id"] for row in rows_of(tmp_path, "calls")}
    assert calls == {"21": "11", "22": "14", "23": None}
    assert column_of(tmp_path, "calls", "hs_call_duration") == ["60000", None, None]
    assert "calls: 1 belong to several deals; the first is kept." in report.notes


def test_contacts_come_only_when_asked_for(hub, tmp_path):
    hub.records["contacts"] = [{"id": "31", "properties": {"lifecyclestage": "lead", "email": "x"}}]
    fetch_crm("hubspot", to=tmp_path)
    assert not (tmp_path / "contacts.parquet").exists()
    fetch_crm("hubspot", to=tmp_path, objects=["contacts"])
    assert column_of(tmp_path, "contacts", "lifecyclestage") == ["lead"]
    assert "email" not in rows_of(tmp_path, "contacts")[0]


def test_properties_asked_for_are_there_and_unknown_ones_named(hub, tmp_path):
    report = fetch_crm("hubspot", to=tmp_path, fields=["deals.region", "deals.gone"])
    assert column_of(tmp_path, "deals", "region") == [None, None, "Nord"]
    (note,) = [note for note in report.notes if note.startswith("deals: no property")]
    assert "gone" in note
    assert "region" not in note
    assert "hs_is_closed," not in note  # the property is there, though without a value


def test_since_leaves_out_older_deals_but_not_owners(hub, tmp_path):
    fetch_crm("hubspot", to=tmp_path, since=dt.date(2024, 1, 1))
    assert column_of(tmp_path, "deals", "id") == ["11", "14"]
    assert len(rows_of(tmp_path, "owners")) == 4


def test_deals_deleted_since_are_taken_out(hub, tmp_path):
    fetch_crm("hubspot", to=tmp_path)
    hub.records["deals"][0]["archived"] = True
    report = fetch_crm("hubspot", to=tmp_path)
    removed = {file.name: file.removed for file in report.files if file.removed}
    assert removed == {"deals": 1, "deal_stage": 2}
    assert "3 rows are gone" in report.finding


def test_a_scope_that_was_not_granted_is_named(hub, tmp_path):
    hub.withheld["calls"] = "crm.objects.contacts.read"
    report = fetch_crm("hubspot", to=tmp_path)
    (note,) = report.left_out
    assert note.startswith("calls: left out. HubSpot: the request was refused (403: MISSING_SCOPES")
    assert "(scopes: crm.objects.contacts.read)" in note
    hub.withheld["owners"] = "crm.objects.owners.read"
    with pytest.raises(SalesnbError, match="crm.objects.owners.read"):
        fetch_crm("hubspot", to=tmp_path)


def test_a_list_that_does_not_move_on_is_an_error(hub, tmp_path):
    hub.is_stuck = True
    hub.owners += [owner(str(n), []) for n in range(5, 9)]
    with pytest.raises(DataError, match="page after page is the same"):
        fetch_crm("hubspot", to=tmp_path, objects=["owners"])


def test_text_that_is_no_text_and_long_numbers_are_kept(hub, tmp_path):
    hub.records["deals"] = [{"id": "11", "properties": {"amount": 1e-7, "dealtype": "a\ud800b😀"}}]
    fetch_crm("hubspot", to=tmp_path, objects=["deals"])
    (row,) = rows_of(tmp_path, "deals")
    assert row["amount"] == "0.0000001"
    assert row["dealtype"] == "a?b😀"


# The folder and the arguments ------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Opportunity.csv", "opportuni_ty.xlsx", "Opportunity.parquet"])
def test_exports_made_by_hand_are_not_mixed_with_fetched_ones(sales, tmp_path, name):
    (tmp_path / name).write_bytes(b"mine")
    with pytest.raises(ParameterError, match=f"{name}: not written by a fetch"):
        opportunities_fetched(tmp_path)
    assert contents(tmp_path) == {name: b"mine"}


def test_a_folder_with_strange_signs_is_as_good(sales, tmp_path):
    folder = tmp_path / "a [b] *?' ü"
    for _ in ("whole", "changes"):
        assert opportunities_fetched(folder).files[0].rows == 3
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ParameterError, match="is a file. Give a folder"):
        opportunities_fetched(tmp_path / "file")


@pytest.mark.parametrize(
    ("crm", "options", "message"),
    [
        ("zoho", {}, "there is no CRM 'zoho'. Choose one of: hubspot, salesforce"),
        (
            "salesforce",
            {"objects": ["Deal"]},
            "--objects: salesforce has no Deal here; known: User",
        ),
        ("salesforce", {"fields": ["Region__c"]}, "--fields: Region__c: expected OBJECT.FIELD"),
        ("hubspot", {"fields": ["deals.a b"]}, "--fields: deals.a b: expected OBJECT.FIELD"),
        ("hubspot", {"fields": ["contacts.x"]}, "--fields: contacts.x: expected OBJECT.FIELD of a"),
    ],
)
def test_wrong_arguments_are_named(tmp_path, crm, options, message):
    with pytest.raises(ParameterError, match=message):
        fetch_crm(crm, to=tmp_path, **options)


def test_without_the_extra_it_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setattr(fetch_module, "find_spec", lambda name: None)
    with pytest.raises(ParameterError, match=r"Install it: pip install 'salesnb\[crm\]'"):
        fetch_crm("salesforce", to=tmp_path)


def test_dlt_is_loaded_only_for_a_fetch():
    code = "import sys, salesnb.cli, salesnb.sources.crm; print('dlt' in sys.modules)"
    home = Path(cli.__file__).parents[1]
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=home
    )
    assert run.stdout.strip() == "False"


def test_the_command_fetches_reports_and_says_what_is_next(sales, tmp_path, monkeypatch, capsys):
    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["salesnb", "fetch", *arguments])
        with pytest.raises(SystemExit) as leaving:
            cli.main()
        return leaving.value.code, *capsys.readouterr()

    to = str(tmp_path / "crm")
    asked = ("--objects", "Opportunity, User", "--since", "2024-01-02")
    code, out, err = call("salesforce", "--to", to, *asked)
    assert code == 0
    assert out.startswith(f"{to}: 2 files, 5 rows received.\n")
    assert out.endswith(f"Next: salesnb import {to} --preset salesforce --to SNAPSHOT\n")
    assert "fetched   Opportunity  2 rows\n" in err
    monkeypatch.setenv("SALESFORCE_CLIENT_SECRET", "wrong")
    code, out, err = call("salesforce", "--to", to)
    assert (code, out) == (2, "")
    assert err.startswith("salesnb: Salesforce: the credentials were refused (400")
    assert call("salesforce", "--to", to, "--since", "last week")[0] == 2


# With the presets ------------------------------------------------------------------------------


@pytest.mark.skipif("salesforce" not in preset_names(), reason="there is no such preset")
def test_the_salesforce_preset_reads_what_was_fetched(sales, tmp_path):
    from salesnb.sources.load import import_snapshot

    for row in sales.tables["Opportunity"]:
        row.update(
            {"StageName": "Closed Won" if row["IsWon"] else "New", "CloseDate": "2024-01-09"}
        )
    fetch_crm("salesforce", to=tmp_path / "crm")
    snapshot = import_snapshot(tmp_path / "crm", to=tmp_path / "snapshot", preset="salesforce")
    opportunities = snapshot.read("opportunities").sort_values("opportunity_id")
    assert opportunities["opportunity_id"].tolist() == ["006A", "006B", "006D"]
    assert opportunities["is_won"].tolist() == [True, False, False]
    assert sorted(snapshot.read("reps")["name"]) == ["Zoë Müller", "李雷"]


@pytest.mark.skipif("salesforce" not in preset_names(), reason="there is no such preset")
def test_members_of_campaigns_are_fetched_and_become_touches(sales, tmp_path):
    from salesnb.sources.load import import_snapshot

    for row in sales.tables["Opportunity"]:
        row.update({"StageName": "New", "CloseDate": "2024-01-09"})
    sales.add_table("Campaign", ("Id", "IsDeleted", "Name", "Type", "CreatedDate", STAMP), [
        {"Id": "701A", "IsDeleted": False, "Name": "Lab Days", "Type": "Trade Show",
         STAMP: stamp(1)},
    ])  # fmt: skip
    fields = ("Id", "IsDeleted", "CampaignId", "LeadId", "FirstRespondedDate", "Email",
              "CreatedDate", STAMP)  # fmt: skip
    member = {"IsDeleted": False, "CampaignId": "701A", "Email": "a@example.com"}
    sales.add_table("CampaignMember", fields, [
        {"Id": "00vA", "LeadId": "00QA", "FirstRespondedDate": "2024-01-05", **member,
         "CreatedDate": stamp(1), STAMP: stamp(2)},
        {"Id": "00vB", "LeadId": "00QB", **member, "CreatedDate": stamp(3), STAMP: stamp(3)},
        {"Id": "00vC", "LeadId": "00QC", **member, "IsDeleted": True, STAMP: stamp(4)},
    ])  # fmt: skip
    report = fetch_crm("salesforce", to=tmp_path / "crm")
    assert not any(note.startswith("CampaignMember") for note in report.notes)
    assert "Email" not in rows_of(tmp_path / "crm", "CampaignMember")[0]
    snapshot = import_snapshot(tmp_path / "crm", to=tmp_path / "snapshot", preset="salesforce")
    touches = snapshot.read("touches").sort_values("touch_id")
    assert touches["touch_id"].tolist() == ["00vA", "00vB"]
    assert touches["campaign"].tolist() == ["Lab Days"] * 2
    assert touches["source"].tolist() == ["Trade Show"] * 2
    sales.tables["CampaignMember"][1].update({"IsDeleted": True, STAMP: stamp(9)})
    again = fetch_crm("salesforce", to=tmp_path / "crm")
    assert column_of(tmp_path / "crm", "CampaignMember", "Id") == ["00vA"]
    how = {file.name: file.how for file in again.files}
    assert (how["Campaign"], how["CampaignMember"]) == ("whole", "changes")


@pytest.mark.skipif("hubspot" not in preset_names(), reason="there is no such preset")
def test_the_hubspot_preset_reads_what_was_fetched(hub, tmp_path):
    from salesnb.sources.load import import_snapshot

    for record in hub.records["deals"]:
        record["properties"] |= {
            "createdate": "2024-01-05T10:00:00Z", "closedate": "2024-03-01T00:00:00Z",
            "hubspot_owner_id": "1", "pipeline": "default",
            "hs_is_closed": str(record["id"] != "13").lower(),
            "hs_is_closed_won": str(record["id"] == "11").lower(),
        }  # fmt: skip
    for record in hub.records["calls"]:
        record["properties"] = {
            "hs_timestamp": "2024-02-01T10:00:00Z", "hubspot_owner_id": "3",
            "hs_call_duration": "60000",
        }  # fmt: skip
    fetch_crm("hubspot", to=tmp_path / "crm")
    snapshot = import_snapshot(tmp_path / "crm", to=tmp_path / "snapshot", preset="hubspot")
    assert snapshot.report.refused == 0
    opportunities = snapshot.read("opportunities").sort_values("opportunity_id")
    assert opportunities["opportunity_id"].tolist() == ["11", "13", "14"]
    assert opportunities["account_id"].fillna("").tolist() == ["92", "", ""]
    assert opportunities["is_won"].tolist() == [True, False, False]
    assert opportunities["stage"].tolist() == ["Won", "New", "Lost"]
    calls = snapshot.read("activities").sort_values("activity_id")
    assert calls["seconds"].tolist() == [60.0, 60.0, 60.0]
    assert calls["opportunity_id"].fillna("").tolist() == ["11", "14", ""]
    history = snapshot.read("stage_history")
    assert sorted(history["stage"]) == ["New", "Won"]
    assert len(snapshot.read("reps")) == 3


def test_the_page_about_it_names_what_there_is():
    from salesnb.sources.crm import hubspot

    page = (Path(cli.__file__).parents[1] / "docs" / "crm.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([^`\n]+)`", page))
    objects = {*salesforce.SOURCE.files, *hubspot.SOURCE.files}
    assert objects - named == set()
    assert {salesforce.API_VERSION, hubspot.API_VERSION} <= named
    code = "".join(inspect.getsource(module) for module in (salesforce, hubspot))
    variables = set(re.findall(r'"((?:SALESFORCE|HUBSPOT)_[A-Z_]+)"', code))
    assert len(variables) == 6
    assert variables - named == set()
    every = ",".join(hubspot.SOURCE.files)
    assert sorted(every.split(",")) == sorted(
        re.search(r"--objects (owners,\S+)`", page)[1].split(",")
    )
