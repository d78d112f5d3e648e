"""The same KPIs in pandas, as an analyst would write them: read columns, merge, filter, group.

Only what the KPIs divide is summed, no moments. `large_company` allows the short cuts that
`measures_by_sql` names. Columns are named as `measures_compared` reads them.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from large_company import FIRST, LAST

TODAY = pd.Timestamp(LAST)
Tables = dict[str, list[str]]
KEYS = ["rep_id", "team_id", "quarter"]


def measure_by_pandas(tables: Tables) -> dict[str, pd.DataFrame]:
    """Compute the sums per rep, team and quarter from the Parquet files of each table."""
    members = _read(tables, "memberships", "rep_id", "team_id", "valid_from", "valid_to")
    deals = _read(
        tables, "opportunities", "opportunity_id", "rep_id", "created_on", "qualified_on",
        "closed_on", "expected_close_on", "is_won", "is_closed", "amount", "currency",
    )  # fmt: skip
    deals["money"] = _convert(deals, _read(tables, "exchange_rates"))
    return {
        "people": _people(tables, members),
        **_deals(deals, members),
        "leads": _leads(tables, deals[["opportunity_id", "is_won"]], members),
        "activities": _activities(tables, members),
    }


def _read(tables: Tables, table: str, *columns: str) -> pd.DataFrame:
    parts = [pd.read_parquet(file, columns=list(columns) or None) for file in tables[table]]
    frame = parts[0] if len(parts) == 1 else pd.concat(parts, ignore_index=True)
    days = [c for c in frame if c.endswith(("_on", "_from", "_to")) and frame[c].dtype == object]
    return frame.assign(**{column: pd.to_datetime(frame[column]) for column in days})


def _with_team(rows: pd.DataFrame, members: pd.DataFrame, on: str) -> pd.DataFrame:
    merged = rows.merge(members, on="rep_id", how="left")
    is_then = (merged[on] >= merged["valid_from"]) & (
        merged["valid_to"].isna() | (merged[on] < merged["valid_to"])
    )
    merged = merged[is_then | merged["team_id"].isna()]
    return merged.assign(
        rep_id=merged["rep_id"].fillna(""),
        team_id=merged["team_id"].fillna(""),
        quarter=merged[on].dt.to_period("Q").dt.start_time,
    )


def _convert(deals: pd.DataFrame, rates: pd.DataFrame) -> pd.Series:
    days = pd.date_range(FIRST, LAST)
    daily = rates.pivot_table(index="rate_on", columns="currency", values="rate")
    daily = daily.reindex(days).ffill().rename_axis("day").reset_index()
    daily = daily.melt("day", value_name="rate")
    dated = deals[["currency"]].assign(day=deals["closed_on"].fillna(TODAY))
    rate = dated.merge(daily, on=["currency", "day"], how="left")["rate"]
    is_home = deals["currency"].isna() | (deals["currency"] == "USD")
    return deals["amount"].where(deals["amount"] > 0) * rate.mask(is_home, 1.0)


def _deals(deals: pd.DataFrame, members: pd.DataFrame) -> dict[str, pd.DataFrame]:
    columns = ["rep_id", "created_on", "closed_on", "is_won", "money"]
    closed = _with_team(deals.loc[deals["is_closed"], columns], members, "closed_on")
    closed["days"] = (closed["closed_on"] - closed["created_on"]).dt.days
    won = closed[closed["is_won"]].groupby(KEYS)
    created = _with_team(deals[["rep_id", "created_on", "is_won"]], members, "created_on")
    seen = deals.loc[deals["qualified_on"].notna(), ["rep_id", "qualified_on", "money"]]
    quarter = pd.Period(TODAY, "Q")
    is_due = ~deals["is_closed"] & deals["expected_close_on"].between(quarter.start_time, TODAY)
    due = _with_team(deals.loc[is_due, ["rep_id", "money"]].assign(day=TODAY), members, "day")
    return {
        "closed": closed.groupby(KEYS).agg(n_decided=("is_won", "size"), n_won=("is_won", "sum")),
        "won": won.agg(
            money=("money", "sum"), n_money=("money", "count"), days=("days", "sum"),
            n_days=("days", "count"), median_days=("days", "median"),
        ),
        "created": created.groupby(KEYS).agg(
            n_created=("is_won", "size"), n_created_won=("is_won", "sum")
        ),
        "qualified": _with_team(seen, members, "qualified_on").groupby(KEYS).agg(
            qualified=("money", "sum"), n_qualified=("money", "count")
        ),
        "due": due.groupby(KEYS).agg(due=("money", "sum"), n_due=("money", "count")),
    }  # fmt: skip


def _leads(tables: Tables, deals: pd.DataFrame, members: pd.DataFrame) -> pd.DataFrame:
    leads = _read(
        tables, "leads", "rep_id", "created_at", "converted_opportunity_id", "rejected_reason"
    )
    leads = leads[~leads["rejected_reason"].str.lower().isin(["duplicate", "invalid"])]
    leads = leads.merge(
        deals, left_on="converted_opportunity_id", right_on="opportunity_id", how="left"
    )
    leads["is_won"] = leads["is_won"].fillna(False).astype(bool)
    return (
        _with_team(leads[["rep_id", "created_at", "is_won"]], members, "created_at")
        .groupby(KEYS)
        .agg(n_leads=("is_won", "size"), n_leads_won=("is_won", "sum"))
    )


def _activities(tables: Tables, members: pd.DataFrame) -> pd.DataFrame:
    rows = _read(tables, "activities", "rep_id", "kind", "started_at", "seconds", "is_connected")
    rows = rows[rows["kind"].isin(["call", "meeting"]) & rows["is_connected"].ne(False)]
    is_call = rows["kind"] == "call"
    rows["n_calls"] = is_call & (rows["seconds"].isna() | (rows["seconds"] >= 60))
    rows["n_meetings"] = ~is_call
    rows = _with_team(
        rows[["rep_id", "started_at", "n_calls", "n_meetings"]], members, "started_at"
    )
    return rows.groupby(KEYS)[["n_calls", "n_meetings"]].sum()


def _people(tables: Tables, members: pd.DataFrame) -> pd.DataFrame:
    reps = _read(tables, "reps", "rep_id", "hired_on", "left_on")
    quarters = pd.DataFrame({"quarter": pd.date_range(FIRST, LAST, freq="QS")})
    quarters["next"] = quarters["quarter"] + pd.offsets.QuarterBegin(startingMonth=1)
    spans = members.merge(reps, on="rep_id").merge(quarters, how="cross")
    spans["start"] = spans[["valid_from", "hired_on", "quarter"]].max(axis=1)
    spans["stop"] = spans[["valid_to", "left_on", "next"]].min(axis=1)
    spans = spans[spans["stop"] > spans["start"]]
    spans["active_share"] = (spans["stop"] - spans["start"]) / (spans["next"] - spans["quarter"])
    first, after = (spans[c].to_numpy().astype("datetime64[D]") for c in ("start", "stop"))
    spans["working_days"] = np.busday_count(first, after)
    quotas = _read(tables, "targets").rename(columns={"owner_id": "rep_id"})
    quotas["quarter"] = pd.PeriodIndex(quotas["period"], freq="Q").start_time
    spans = spans.merge(quotas[["rep_id", "quarter", "target"]], on=["rep_id", "quarter"])
    spans["quota"] = spans["target"] * spans["active_share"]
    return spans.groupby(KEYS)[["active_share", "working_days", "quota"]].sum()
