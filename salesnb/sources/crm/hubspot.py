"""HubSpot: objects by the lists of its CRM API, version 3.

The lists give all records that are not deleted, and cannot be asked for changes only; so each
fetch reads the whole. (The search can, but shows 10,000 records at most and no associations.)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlt.sources.helpers.rest_client.auth import BearerTokenAuth
from dlt.sources.helpers.rest_client.paginators import JSONResponseCursorPaginator

from salesnb.sources.crm.api import Api, open_api, read_pages
from salesnb.sources.crm.credentials import check_address, need_credentials, read_credential
from salesnb.sources.crm.source import FetchedFile, Job, Source
from salesnb.sources.crm.store import (
    Question,
    count_absent,
    count_rows,
    merge_rows,
    open_table,
    write_rows,
)

API_VERSION = "v3"
_ADDRESS = "https://api.hubapi.com"
_MOST = 100
_MOST_WITH_HISTORY = 50

Record = dict[str, Any]


@dataclass(frozen=True)
class HubObject:
    """An object and its properties that the preset reads; none that tells of customers' people.

    Attributes
    ----------
    properties
        Asked for; those an account does not have are missing.
    linked
        Object type that rows belong to, and the column for its id.
    history
        Property whose history is wanted too, in a file of its own.
    is_fact
        Whether `--since` applies.
    """

    properties: str
    linked: tuple[str, str] = ("", "")
    history: str = ""
    is_fact: bool = True


_DEAL = ("deals", "deal_id")
_EVENT = "hs_timestamp hs_createdate hs_lastmodifieddate hubspot_owner_id"
OBJECTS = {
    "companies": HubObject(
        "name industry country hubspot_owner_id createdate hs_lastmodifieddate "
        "hs_is_target_account",
        is_fact=False,
    ),
    "deals": HubObject(
        "dealstage pipeline dealtype amount deal_currency_code amount_in_home_currency createdate "
        "closedate hubspot_owner_id hubspot_team_id hs_is_closed hs_is_closed_won "
        "hs_analytics_source closed_lost_reason closed_won_reason hs_deal_stage_probability "
        "hs_lastmodifieddate",
        linked=("companies", "company_id"),
        history="dealstage",
    ),
    "calls": HubObject(
        f"{_EVENT} hs_call_duration hs_call_direction hs_call_disposition hs_call_status",
        linked=_DEAL,
    ),
    "meetings": HubObject(
        f"{_EVENT} hs_meeting_start_time hs_meeting_end_time hs_meeting_outcome", linked=_DEAL
    ),
    "emails": HubObject(f"{_EVENT} hs_email_direction hs_email_status", linked=_DEAL),
    "contacts": HubObject(
        "createdate lastmodifieddate hubspot_owner_id lifecyclestage hs_lead_status "
        "hs_analytics_source hs_lifecyclestage_lead_date "
        "hs_lifecyclestage_marketingqualifiedlead_date hs_lifecyclestage_salesqualifiedlead_date "
        "hs_lifecyclestage_opportunity_date hs_lifecyclestage_customer_date "
        "hs_sa_first_engagement_date",
        linked=_DEAL,
    ),
}
_RECORD = ("id", "createdAt", "updatedAt")
_OWNER = (
    "id", "userId", "userIdIncludingInactive", "firstName", "lastName", "email", "type", "archived",
    "createdAt", "updatedAt", "team_id", "team_name",
)  # fmt: skip
_STAGE = (
    "stage_id", "label", "pipeline_id", "display_order", "probability", "is_closed", "closed_won",
)  # fmt: skip
_STAGE_HISTORY = ("deal_id", "value", "date_entered")


def connect() -> Api:
    """Read the token of a private app.

    Raises
    ------
    ParameterError
        It is missing or cannot be right.
    """
    (token,) = need_credentials("HUBSPOT_TOKEN")
    given = read_credential("HUBSPOT_API_BASE")
    address = check_address("HUBSPOT_API_BASE", given) if given else _ADDRESS
    auth = BearerTokenAuth(token=token)
    return open_api("HubSpot", address, variables="HUBSPOT_TOKEN", auth=auth, secrets=(token,))


def fetch_object(api: Api, job: Job) -> list[FetchedFile]:
    """Fetch owners, pipelines or an object of records."""
    if job.name == "owners":
        return _fetch_owners(api, job)
    if job.name == "pipelines":
        return _fetch_pipelines(api, job)
    return _fetch_records(api, job)


def _list(api: Api, path: str, **params: str) -> Iterator[list[Record]]:
    paginator = JSONResponseCursorPaginator(cursor_path="paging.next.after", cursor_param="after")
    pages = read_pages(api, path, params=params, rows="results", key="id", paginator=paginator)
    for rows, _ in pages:
        yield rows


# Owners, teams and pipelines: small, a few tables each ---------------------------------------


def _fetch_owners(api: Api, job: Job) -> list[FetchedFile]:
    """Fetch owners, those who have left too: their deals are still there."""
    path = f"/crm/{API_VERSION}/owners"
    owners: dict[str, Record] = {}
    for archived in ("true", "false"):  # who has come back is not archived
        for page in _list(api, path, limit=str(_MOST), archived=archived):
            owners |= {str(owner["id"]): owner for owner in page}
    belongs = [(owner, team) for owner in owners.values() for team in owner.get("teams") or ()]
    primary = {owner["id"]: team for owner, team in belongs if team.get("primary")}
    teams = {team["id"]: {"id": team["id"], "name": team.get("name")} for _, team in belongs}
    rows = [
        {**owner, **_prefixed("team", primary.get(owner["id"], {}))} for owner in owners.values()
    ]
    members = [
        {
            "owner_id": owner["id"],
            "team_id": team["id"],
            "is_team_primary": bool(team.get("primary")),
        }
        for owner, team in belongs
    ]
    return [
        _write_small(job, api, "owners", _OWNER, ("id",), rows),
        _write_small(job, api, "teams", ("id", "name"), ("id",), list(teams.values())),
        _write_small(
            job, api, "owner_team", ("owner_id", "team_id", "is_team_primary"),
            ("owner_id", "team_id"), members,
        ),
    ]  # fmt: skip


def _prefixed(prefix: str, record: Record) -> Record:
    return {f"{prefix}_{name}": value for name, value in record.items()}


def _fetch_pipelines(api: Api, job: Job) -> list[FetchedFile]:
    pages = _list(api, f"/crm/{API_VERSION}/pipelines/deals")
    pipelines = [pipeline for page in pages for pipeline in page]
    rows = [
        {"pipeline_id": p["id"], "label": p.get("label"), "display_order": p.get("displayOrder")}
        for p in pipelines
    ]
    stages = [
        _stage_row(pipeline, stage)
        for pipeline in pipelines
        for stage in pipeline.get("stages") or ()
    ]
    columns = ("pipeline_id", "label", "display_order")
    return [
        _write_small(job, api, "deal_pipeline", columns, ("pipeline_id",), rows),
        _write_small(job, api, "deal_pipeline_stage", _STAGE, ("pipeline_id", "stage_id"), stages),
    ]


def _stage_row(pipeline: Record, stage: Record) -> Record:
    metadata = stage.get("metadata") or {}
    probability = str(metadata.get("probability", ""))
    is_won = probability in ("1", "1.0")
    # Where a stage does not say whether it closes a deal, its probability does.
    told = metadata.get("isClosed")
    is_closed = str(told).lower() == "true" if told is not None else probability in _ENDS
    return {
        "stage_id": stage["id"],
        "label": stage.get("label"),
        "pipeline_id": pipeline["id"],
        "display_order": stage.get("displayOrder"),
        "probability": probability,
        "is_closed": is_closed,
        "closed_won": is_closed and is_won,
    }


_ENDS = ("0", "0.0", "1", "1.0")


def _write_small(
    job: Job, api: Api, stem: str, columns: tuple[str, ...], key: tuple[str, ...],
    rows: list[Record],
) -> FetchedFile:  # fmt: skip
    new = job.work / f"{stem}.new"
    write_rows(new, columns, [rows])
    return _finish(job, Question("hubspot", api.address, "", columns), stem, key, new)


# Records: deals, companies, contacts, and what people did ------------------------------------


def _fetch_records(api: Api, job: Job) -> list[FetchedFile]:
    item = OBJECTS[job.name]
    kind, column = item.linked
    properties = tuple(dict.fromkeys((*item.properties.split(), *job.fields)))
    columns = (*_RECORD, *properties, *([column] if column else []))
    since = job.since if item.is_fact else ""
    seen: set[str] = set()
    n_doubtful = n_records = 0
    new, history = job.work / f"{job.name}.new", job.work / "deal_stage.new"
    with open_table(new, columns) as write, open_table(history, _STAGE_HISTORY) as write_history:
        for page in _list(
            api, f"/crm/{API_VERSION}/objects/{job.name}", **_asked(item, properties)
        ):
            records = [r for r in page if str(r.get("updatedAt")) >= since]
            rows = []
            for record in records:
                linked = _linked_ids(record, kind)
                n_doubtful += len(linked) > 1
                values = record.get("properties") or {}
                seen |= values.keys()
                rows.append({**values, **record, column: linked[0] if linked else None})
            n_records += len(records)
            write(rows)
            if item.history:
                write_history(row for record in records for row in _history(record, item.history))
    notes = _notes(job, properties if n_records else (), seen, n_doubtful)
    question = Question("hubspot", api.address, since, columns)
    files = [_finish(job, question, job.name, ("id",), new, stamp="updatedAt", notes=notes)]
    if item.history:
        question = Question("hubspot", api.address, since, _STAGE_HISTORY)
        files.append(_finish(job, question, "deal_stage", _STAGE_HISTORY, history))
    return files


def _asked(item: HubObject, properties: tuple[str, ...]) -> dict[str, str]:
    params = {"limit": str(_MOST), "archived": "false", "properties": ",".join(properties)}
    if item.linked[0]:
        params["associations"] = item.linked[0]
    if item.history:
        params |= {"limit": str(_MOST_WITH_HISTORY), "propertiesWithHistory": item.history}
    return params


def _linked_ids(record: Record, kind: str) -> list[str]:
    """List the ids of what a record belongs to: the primary one, else all.

    HubSpot lists each association as unlabeled, and the primary one a second time.
    """
    found = ((record.get("associations") or {}).get(kind) or {}).get("results") or []
    main = [
        link for link in found
        if "_to_" in str(link.get("type")) and not str(link.get("type")).endswith("_unlabeled")
    ]  # fmt: skip
    return list(dict.fromkeys(str(link["id"]) for link in main or found))


def _history(record: Record, name: str) -> list[Record]:
    versions = (record.get("propertiesWithHistory") or {}).get(name) or []
    return [
        {"deal_id": record["id"], "value": v.get("value"), "date_entered": v.get("timestamp")}
        for v in versions
    ]


def _notes(
    job: Job, properties: tuple[str, ...], seen: set[str], n_doubtful: int
) -> tuple[str, ...]:
    notes = []
    missing = [name for name in properties if name not in seen]
    if missing:
        notes.append(f"{job.name}: no property {', '.join(missing)}, or none this app may see.")
    if n_doubtful:
        kind = OBJECTS[job.name].linked[0]
        notes.append(f"{job.name}: {n_doubtful:,} belong to several {kind}; the first is kept.")
    return tuple(notes)


def _finish(
    job: Job, question: Question, stem: str, key: tuple[str, ...], new: Path, *,
    stamp: str = "", notes: tuple[str, ...] = (),
) -> FetchedFile:  # fmt: skip
    draft, earlier = job.work / f"{stem}.parquet", job.folder / f"{stem}.parquet"
    merge_rows(draft, question, key=key, stamp=stamp, new=new)
    removed = count_absent(draft, of=earlier, key=key) if earlier.is_file() else 0
    return FetchedFile(stem, count_rows(draft), count_rows(new), removed, "whole", notes)


SOURCE = Source(
    name="hubspot",
    files={
        "owners": ("owners", "teams", "owner_team"),
        "pipelines": ("deal_pipeline", "deal_pipeline_stage"),
        **{name: (name,) for name in OBJECTS},
        "deals": ("deals", "deal_stage"),
    },
    required=("owners", "pipelines", "deals"),
    on_request=("contacts",),
    connect=connect,
    fetch=fetch_object,
)
