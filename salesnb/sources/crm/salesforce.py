"""Salesforce: objects by SOQL over its REST API.

`queryAll` is asked, not `query`: it also gives activities older than a year, which Salesforce
archives, and rows deleted in the last 15 days, which an earlier fetch may have brought.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlt.sources.helpers.rest_client.auth import (
    AuthConfigBase,
    BearerTokenAuth,
    OAuth2ClientCredentials,
)
from dlt.sources.helpers.rest_client.paginators import JSONLinkPaginator, SinglePagePaginator

from salesnb.errors import DataError
from salesnb.sources.crm.api import Api, open_api, open_session, read_pages
from salesnb.sources.crm.credentials import check_address, need_credentials, read_credential
from salesnb.sources.crm.source import FetchedFile, Job, Source
from salesnb.sources.crm.store import (
    STAMP,
    Question,
    Stored,
    count_absent,
    count_rows,
    merge_rows,
    read_stored,
    write_rows,
)

API_VERSION = "v64.0"
"""Of Summer '25; Salesforce keeps a version for at least three years."""

_DELETED = "IsDeleted"
_KEY = ("Id",)
_OVERLAP = dt.timedelta(hours=1)
"""A change is dated when its transaction begins, and seen when it ends."""
_SESSION_SECONDS = 600  # sessions last 15 minutes at least; Salesforce does not say how long


@dataclass(frozen=True)
class SObject:
    """An object and its fields that the preset reads; none that tells of customers' people.

    `changed` is the field by which changes are asked for; objects without are small and always
    fetched whole.
    """

    fields: str
    changed: str = ""


_TIMES = "CreatedDate SystemModstamp"
_ACTIVITY = "OwnerId WhatId WhoId AccountId Type ActivityDate"
OBJECTS = {
    "User": SObject(f"Id Name Title IsActive UserType UserRoleId ManagerId {_TIMES}"),
    "UserRole": SObject("Id Name ParentRoleId RollupDescription SystemModstamp"),
    "OpportunityStage": SObject(
        "Id ApiName MasterLabel SortOrder IsActive IsClosed IsWon DefaultProbability SystemModstamp"
    ),
    "Account": SObject(
        "Id IsDeleted Name Industry BillingCountry BillingCountryCode OwnerId ParentId Type "
        f"{_TIMES}"
    ),
    "Campaign": SObject(
        "Id IsDeleted Name ParentId Type Status StartDate EndDate BudgetedCost ActualCost "
        f"CurrencyIsoCode {_TIMES}"
    ),
    # Who was reached by a campaign and when: touches. Whom a member is, only by the lead's id.
    "CampaignMember": SObject(
        f"Id IsDeleted CampaignId LeadId FirstRespondedDate {_TIMES}", changed=STAMP
    ),
    "CurrencyType": SObject("Id IsoCode ConversionRate IsActive IsCorporate SystemModstamp"),
    "DatedConversionRate": SObject(
        "Id IsoCode StartDate NextStartDate ConversionRate SystemModstamp"
    ),
    "ForecastingQuota": SObject(
        "Id QuotaOwnerId QuotaAmount StartDate IsAmount IsQuantity ForecastingTypeId "
        f"CurrencyIsoCode {_TIMES}"
    ),
    "Opportunity": SObject(
        "Id IsDeleted AccountId OwnerId StageName Amount CurrencyIsoCode Probability CloseDate "
        "Type LeadSource CampaignId IsClosed IsWon ForecastCategoryName LastStageChangeDate "
        f"Loss_Reason__c Lost_Reason__c Closed_Lost_Reason__c {_TIMES}",
        changed=STAMP,
    ),
    # A change of an opportunity may bring all its history into what `--since` asks for.
    "OpportunityHistory": SObject(
        "Id IsDeleted OpportunityId StageName Amount CloseDate Probability ForecastCategory "
        f"CurrencyIsoCode {_TIMES}",
        changed=f"Opportunity.{STAMP}",
    ),
    "Lead": SObject(
        "Id IsDeleted OwnerId LeadSource Status Industry IsConverted ConvertedDate "
        "ConvertedOpportunityId Disqualified_Reason__c Disqualification_Reason__c "
        f"Unqualified_Reason__c Rejected_Reason__c {_TIMES}",
        changed=STAMP,
    ),
    "Task": SObject(
        f"Id IsDeleted {_ACTIVITY} TaskSubtype Status IsClosed CompletedDateTime "
        f"CallDurationInSeconds CallType CallDisposition {_TIMES}",
        changed=STAMP,
    ),
    "Event": SObject(
        f"Id IsDeleted {_ACTIVITY} EventSubtype StartDateTime EndDateTime ActivityDateTime "
        f"DurationInMinutes IsAllDayEvent IsChild IsRecurrence {_TIMES}",
        changed=STAMP,
    ),
}
_OPTIONAL_FIELDS = ("CurrencyIsoCode",)  # there only where a company has several currencies


def connect() -> Api:
    """Read the credentials: an access token, or those of an app with the client credentials flow.

    Raises
    ------
    ParameterError
        They or the address are missing or cannot be right.
    """
    token = read_credential("SALESFORCE_ACCESS_TOKEN")
    if token:
        (url,) = need_credentials("SALESFORCE_INSTANCE_URL")
        address = check_address("SALESFORCE_INSTANCE_URL", url)
        return _api(address, "SALESFORCE_ACCESS_TOKEN", BearerTokenAuth(token=token), token)
    names = ("SALESFORCE_INSTANCE_URL", "SALESFORCE_CLIENT_ID", "SALESFORCE_CLIENT_SECRET")
    url, client_id, secret = need_credentials(*names)
    address = check_address(names[0], url)
    auth = OAuth2ClientCredentials(
        access_token_url=f"{address}/services/oauth2/token",
        client_id=client_id,
        client_secret=secret,
        default_token_expiration=_SESSION_SECONDS,
        session=open_session(),
    )
    return _api(address, f"{names[1]} and {names[2]}", auth, client_id, secret)


def _api(address: str, variables: str, auth: AuthConfigBase, *secrets: str) -> Api:
    variables = f"{variables} and SALESFORCE_INSTANCE_URL"
    return open_api("Salesforce", address, variables=variables, auth=auth, secrets=secrets)


@dataclass(frozen=True)
class _Plan:
    """What to ask of an object, now that its fields are known."""

    job: Job
    question: Question
    missing: tuple[str, ...]
    stored: Stored | None
    changed: str

    @property
    def fields(self) -> tuple[str, ...]:
        return self.question.fields

    @property
    def draft(self) -> Path:
        return self.job.work / f"{self.job.name}.parquet"

    @property
    def new(self) -> Path:
        return self.job.work / f"{self.job.name}.new"

    @property
    def base(self) -> str:
        """Condition of all rows wanted."""
        since = self.question.since
        return f"{self.changed} >= {since}T00:00:00Z" if since else ""


def fetch_object(api: Api, job: Job) -> list[FetchedFile]:
    """Fetch an object, of a fact only the changes where the last fetch asked the same."""
    plan = _make_plan(api, job)
    how = "changes" if plan.stored else "whole"
    received = 0
    if plan.stored:
        received = _fetch_changes(api, plan, plan.stored)
        if not _is_complete(api, plan, plan.stored):
            how = "whole"
    if how == "whole":
        received += _fetch_rows(api, plan, plan.base)
        _merge(plan, old=None)
    earlier = job.folder / f"{job.name}.parquet"
    removed = count_absent(plan.draft, of=earlier, key=_KEY) if earlier.is_file() else 0
    return [FetchedFile(job.name, count_rows(plan.draft), received, removed, how, _notes(plan))]


def _make_plan(api: Api, job: Job) -> _Plan:
    wanted = dict.fromkeys((*OBJECTS[job.name].fields.split(), *job.fields))
    known = _describe(api, job.name)
    real = {name.casefold(): name for name in known}
    fields = tuple(dict.fromkeys(real[f.casefold()] for f in wanted if f.casefold() in real))
    missing = tuple(f for f in wanted if f.casefold() not in real and _is_expected(f, job))
    can_filter = all(known.get(name) for name in (STAMP, _DELETED))
    changed = OBJECTS[job.name].changed if can_filter else ""
    question = Question("salesforce", api.address, job.since if changed else "", fields)
    stored = read_stored(job.folder / f"{job.name}.parquet")
    is_same = stored and stored.question == question and stored.until and changed
    return _Plan(job, question, missing, stored if is_same else None, changed)


def _is_expected(field: str, job: Job) -> bool:
    """Whether its absence is worth a word: custom fields only if asked for."""
    return field in job.fields or not (field.endswith("__c") or field in _OPTIONAL_FIELDS)


def _notes(plan: _Plan) -> tuple[str, ...]:
    notes = []
    if plan.missing:
        notes.append(
            f"{plan.job.name}: no field {', '.join(plan.missing)}, or none this user may see."
        )
    if plan.job.since and OBJECTS[plan.job.name].changed and not plan.changed:
        notes.append(f"{plan.job.name}: cannot be asked for changes; fetched whole, --since apart.")
    return tuple(notes)


def _describe(api: Api, name: str) -> dict[str, bool]:
    """List an object's fields this user may see, and whether rows can be chosen by them."""
    path = f"/services/data/{API_VERSION}/sobjects/{name}/describe"
    pages = read_pages(
        api, path, params={}, rows="fields", key="name", paginator=SinglePagePaginator()
    )
    return {
        str(field["name"]): bool(field.get("filterable")) for fields, _ in pages for field in fields
    }


def _fetch_rows(api: Api, plan: _Plan, *conditions: str) -> int:
    soql = f"SELECT {', '.join(plan.fields)} FROM {plan.job.name}{_where(*conditions)}"
    write_rows(plan.new, plan.fields, _query(api, soql))
    return count_rows(plan.new)


def _fetch_changes(api: Api, plan: _Plan, stored: Stored) -> int:
    after = _literal(stored.until, less=_OVERLAP)
    received = _fetch_rows(api, plan, plan.base, f"{plan.changed} >= {after}")
    _merge(plan, old=stored.path)
    return received


def _merge(plan: _Plan, *, old: Path | None, only: Path | None = None) -> None:
    has_stamp, has_deleted = (name in plan.fields for name in (STAMP, _DELETED))
    merge_rows(
        plan.draft, plan.question, key=_KEY, stamp=STAMP if has_stamp else "", new=plan.new,
        old=old, deleted=_DELETED if has_deleted else "", only=only,
    )  # fmt: skip


def _is_complete(api: Api, plan: _Plan, stored: Stored) -> bool:
    """See that the merged file is what Salesforce has, and take out what it has no more.

    Rows leave the recycle bin after 15 days, and rights change without a row being changed; so
    the rows are counted. Where the numbers differ, the ids are compared.

    Returns
    -------
    bool
        False where Salesforce has rows, unchanged since, that the file lacks.
    """
    merged = read_stored(plan.draft)
    until = merged.until if merged else stored.until
    alive = f"{_DELETED} = false"
    counted = _where(alive, plan.base, f"{STAMP} <= {_literal(until)}")
    if _count(api, f"SELECT COUNT() FROM {plan.job.name}{counted}") == count_rows(plan.draft):
        return True
    ids = plan.job.work / f"{plan.job.name}.ids"
    soql = f"SELECT Id, {STAMP} FROM {plan.job.name}{_where(alive, plan.base)}"
    write_rows(ids, ("Id", STAMP), _query(api, soql))
    if count_absent(plan.draft, of=ids, key=_KEY, until=until):
        return False
    _merge(plan, old=stored.path, only=ids)
    return True


def _query(api: Api, soql: str) -> Iterator[list[dict[str, Any]]]:
    received = 0
    pages = read_pages(
        api, f"/services/data/{API_VERSION}/queryAll", params={"q": soql}, rows="records", key="Id",
        paginator=JSONLinkPaginator("nextRecordsUrl"),
    )  # fmt: skip
    total = 0
    for rows, answer in pages:
        total = int(answer.get("totalSize", -1))
        received += len(rows)
        if received > total:
            break
        yield rows
    if received != total:
        raise DataError(
            f"Salesforce: {total:,} rows were announced and {received:,} came ({soql[:60]}...). "
            "Fetch again."
        )


def _count(api: Api, soql: str) -> int:
    pages = read_pages(
        api, f"/services/data/{API_VERSION}/queryAll", params={"q": soql}, rows="records", key="Id",
        paginator=SinglePagePaginator(),
    )  # fmt: skip
    return sum(int(answer.get("totalSize", -1)) for _, answer in pages)


def _where(*conditions: str) -> str:
    given = [condition for condition in conditions if condition]
    return f" WHERE {' AND '.join(given)}" if given else ""


def _literal(moment: str, *, less: dt.timedelta = dt.timedelta(0)) -> str:
    """Write a time Salesforce gave as SOQL takes it.

    >>> _literal("2026-11-01T10:00:00.000+0000", less=dt.timedelta(hours=1))
    '2026-11-01T09:00:00.000Z'
    """
    try:
        parsed = dt.datetime.strptime(moment, "%Y-%m-%dT%H:%M:%S.%f%z").astimezone(dt.UTC)
    except ValueError as error:
        raise DataError(f"Salesforce: {STAMP} is {moment!r}, which is no time.") from error
    return (parsed - less).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


SOURCE = Source(
    name="salesforce",
    files={name: (name,) for name in OBJECTS},
    required=("User", "Opportunity"),
    on_request=(),
    connect=connect,
    fetch=fetch_object,
)
