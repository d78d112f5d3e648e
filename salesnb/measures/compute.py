"""The one pass over the facts: sums per rep, team, fiscal quarter and KPI."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, replace

import narwhals as nw
import numpy as np
import pandas as pd

from salesnb.errors import ParameterError
from salesnb.measures import facts, people
from salesnb.measures.catalogue import IS_LOST, IS_WON, Kpi, Part, find_kpis
from salesnb.measures.engine import DuckDBEngine, Engine, Lazy
from salesnb.measures.habits import HABIT_COLUMNS, count_habits
from salesnb.measures.measures import KEYS, SUMS, Measures
from salesnb.measures.pace import measure_pace
from salesnb.schema import memberships, opportunities, ratings
from salesnb.sources.snapshot import Snapshot

_PREPARED = ("rep_days", "quotas", "due")
_OWNER = [memberships.rep_id, memberships.team_id, "period"]


@dataclass(frozen=True)
class _Context:
    """What every part is computed from."""

    engine: Engine
    facts: dict[str, Lazy]
    owners: Lazy
    owner_names: pd.DataFrame
    quarters_with_quota: frozenset[str]
    as_of: dt.date


def compute_measures(
    snapshot: Snapshot,
    *,
    as_of: dt.date | None = None,
    kpis: tuple[str, ...] | None = None,
    engine: Engine | None = None,
) -> Measures:
    """Measure all KPIs the snapshot has the data for.

    Facts without a date, or before the quarter of the first close, count in no quarter. Facts of
    a day on which their owner was in no team count for the owner and the company, facts without
    an owner for the company. An opportunity is of its owner at close, in every cohort; an open
    one is of its owner on `as_of`.

    Parameters
    ----------
    snapshot
        The checked data.
    as_of
        Day on which the world is seen: what happened later is unknown. Default: the snapshot's.
    kpis
        Ids of the KPIs to measure; default all of the catalogue.
    engine
        Where to compute; default DuckDB in this process.

    Returns
    -------
    Measures
        Sums per rep x team x quarter x KPI, and what could not be measured and why.

    Raises
    ------
    ParameterError
        `as_of` is after the snapshot, or a KPI is unknown.
    DataError
        An exchange rate is missing.
    """
    as_of = as_of or snapshot.as_of
    if as_of > snapshot.as_of:
        raise ParameterError(f"as_of: {as_of} is after the snapshot's {snapshot.as_of}.")
    engine = engine or DuckDBEngine(snapshot)
    wanted, missing = _available(snapshot, find_kpis(kpis))
    segments = people.complete_memberships(snapshot)
    opportunity = facts.opportunity_facts(engine, snapshot, as_of)
    amount = facts.amount_facts(engine, snapshot, opportunity, as_of)
    facts.check_rates(engine, snapshot, amount)
    first_close = _first_close(engine, opportunity, as_of)
    periods = snapshot.calendar.between(first_close, as_of)
    context = _prepare(engine, snapshot, opportunity, amount, segments, periods, as_of)
    # Counted values take the most memory to make and leave least: they come before the sums.
    values = _count_values(context, wanted)
    habits = count_habits(
        engine, snapshot, opportunity, context.owners, periods=periods, as_of=as_of
    )
    pace = measure_pace(engine, snapshot, amount, context.owners, periods, as_of)
    return Measures(
        totals=_long_totals(context, _sum_parts(context, wanted), wanted),
        values=values,
        weeks=_with_categories(context, pace.weeks),
        open_deals=_with_categories(context, pace.open_deals),
        ratings=_attributed_ratings(context, snapshot, as_of),
        skills=snapshot.read("skills"),
        targets=snapshot.read("targets"),
        actions=snapshot.read("actions"),
        territories=snapshot.read("territories"),
        people=_people(snapshot),
        teams=people.team_tree(snapshot, segments),
        kpis=wanted,
        missing=missing,
        periods=periods,
        first_close=first_close,
        company=snapshot.company,
        as_of=as_of,
        snapshot_id=snapshot.id,
        habits=_with_names(context, habits)[HABIT_COLUMNS],
    )


def _available(snapshot: Snapshot, kpis: tuple[Kpi, ...]) -> tuple[tuple[Kpi, ...], dict[str, str]]:
    missing = {}
    for kpi in kpis:
        lacking = [c for c in kpi.needs if not snapshot.has(c.table, c)]
        if lacking:
            tables = dict.fromkeys(c.table for c in lacking if not snapshot.has(c.table))
            columns = [f"{c.table}.{c}" for c in lacking if snapshot.has(c.table)]
            missing[kpi.kpi] = ", ".join([*tables, *columns])
    return tuple(kpi for kpi in kpis if kpi.kpi not in missing), missing


def _first_close(engine: Engine, opportunity: Lazy, as_of: dt.date) -> dt.date:
    """Find the first close: earlier cohorts are known only by what was still open then."""
    closed = opportunity.filter(nw.col(IS_WON) | nw.col(IS_LOST))
    found = engine.collect(closed.select(nw.col(opportunities.closed_on).min()))
    days = pd.to_datetime(found[opportunities.closed_on]).dropna()
    return days.iloc[0].date() if len(days) else as_of


def _prepare(
    engine: Engine, snapshot: Snapshot, opportunity: Lazy, amount: Lazy, segments: pd.DataFrame,
    periods: tuple[str, ...], as_of: dt.date,
) -> _Context:  # fmt: skip
    months = people.owner_months(segments, snapshot.calendar, periods)
    names = months.groupby(people.OWNER)[_OWNER].first()
    owners = engine.local(months.drop(columns=[memberships.team_id, "period"]))
    active = people.active_time(snapshot, segments, snapshot.calendar, periods, as_of)
    numbers = names.reset_index()
    quotas = people.prorated_quotas(snapshot, active).merge(numbers, on=_OWNER)
    active = active.merge(numbers, on=_OWNER)
    made = {
        "opportunities": opportunity,
        "amounts": amount,
        "won": amount.filter(nw.col(IS_WON)),
        "rep_days": engine.local(active),
    }
    if snapshot.has("leads"):
        made["leads"] = facts.lead_facts(engine, snapshot, opportunity, as_of)
    if snapshot.has("activities"):
        made["activities"] = facts.activity_facts(engine, snapshot, as_of)
    if snapshot.has("targets"):
        made["quotas"] = engine.local(quotas)
        made["due"] = facts.due_facts(engine, snapshot, amount, owners, quotas, as_of)
    return _Context(engine, made, owners, names, frozenset(quotas["period"]), as_of)


def _attribute(context: _Context, fact: str, on: str) -> Lazy:
    """Give each fact its owner on the day `on`, none later than the day the world is seen."""
    rows = context.facts[fact]
    if fact in _PREPARED:
        return rows
    return facts.with_team(rows.filter(nw.col(on) <= context.as_of), context.owners, on)


def _parts_of(kpi: Kpi) -> dict[str, Part]:
    parts = {"numerator": kpi.numerator, "denominator": kpi.denominator}
    return parts if kpi.moment is None else {**parts, "moment": kpi.moment}


def _sum_parts(context: _Context, kpis: tuple[Kpi, ...]) -> pd.DataFrame:
    """Sum all parts, one grouped query per fact and date column; the index is the owner."""
    groups: dict[tuple[str, str], list[tuple[str, nw.Expr]]] = defaultdict(list)
    for kpi in kpis:
        for role, part in _parts_of(kpi).items():
            groups[part.fact, part.on].append((f"{kpi.kpi}:{role}", part.value))
    if not groups:
        return pd.DataFrame()
    frames = [_sum_group(context, fact, on, values) for (fact, on), values in groups.items()]
    return pd.concat(frames, axis=1)


def _sum_group(
    context: _Context, fact: str, on: str, values: list[tuple[str, nw.Expr]]
) -> pd.DataFrame:
    """Sum the values of one fact per owner; what several KPIs are made of is summed once."""
    distinct = {id(value): value for _, value in values}
    moments = {id(value) for name, value in values if name.endswith(":moment")}
    keys = {key: f"sum_{number}" for number, key in enumerate(distinct)}
    rows = _attribute(context, fact, on).select(
        people.OWNER,
        *(value.cast(nw.Float64).alias(keys[key]) for key, value in distinct.items()),
    )
    sums = (
        sum_ for key in distinct for sum_ in _sums_of(keys[key], is_moment=key in moments)
    )  # fmt: skip
    found = context.engine.collect(rows.group_by(people.OWNER).agg(*sums)).set_index(people.OWNER)
    columns = {}
    for name, value in values:
        key = keys[id(value)]
        columns[name] = found[key]
        if name.endswith(":moment"):
            columns[name.replace(":moment", ":n")] = found[f"{key}:n"]
            columns[name.replace(":moment", ":squares")] = found[f"{key}:squares"]
    return pd.DataFrame(columns)


def _sums_of(name: str, *, is_moment: bool) -> list[nw.Expr]:
    column = nw.col(name)
    if not is_moment:
        return [column.sum()]
    return [
        column.sum(),
        column.count().cast(nw.Float64).alias(f"{name}:n"),
        (column * column).sum().alias(f"{name}:squares"),
    ]


def _long_totals(context: _Context, sums: pd.DataFrame, kpis: tuple[Kpi, ...]) -> pd.DataFrame:
    """Bring the sums to one row a rep, team, quarter and KPI.

    Rows of nothing are left out, and quarters without any quota where it is quotas that are
    attained: pooled with others they would count bookings against no quota.
    """
    periods = context.owner_names["period"]
    with_quota = periods.index[periods.isin(context.quarters_with_quota)]
    frames = []
    for kpi in kpis:
        frame = _totals_of(sums, kpi)
        if kpi.family == "attainment":
            frame = frame[frame[people.OWNER].isin(with_quota)]
        frames.append(frame.assign(kpi=kpi.kpi))
    if not frames:
        return pd.DataFrame(columns=[*KEYS, *SUMS])
    whole = pd.concat(frames, ignore_index=True)
    # Owners are numbered in the order of their names, and the KPIs are in the catalogue's.
    whole = whole.sort_values(people.OWNER, kind="stable", ignore_index=True)
    return _with_names(context, whole)[[*KEYS, *SUMS]]


def _totals_of(sums: pd.DataFrame, kpi: Kpi) -> pd.DataFrame:
    """Take one KPI's sums; rows of nothing are left out."""
    parts = {
        "numerator": sums[f"{kpi.kpi}:numerator"].fillna(0.0),
        "denominator": sums[f"{kpi.kpi}:denominator"].fillna(0.0),
    }
    if kpi.moment is not None:
        parts["n"] = sums[f"{kpi.kpi}:n"].fillna(0.0)
        parts["total"] = sums[f"{kpi.kpi}:moment"].fillna(0.0)
        parts["total_of_squares"] = sums[f"{kpi.kpi}:squares"].fillna(0.0)
    else:
        parts["n"] = parts["denominator" if kpi.family == "rate" else "numerator"]
        parts["total"] = parts["total_of_squares"] = pd.Series(np.nan, index=sums.index)
    frame = pd.DataFrame(parts)
    return frame[(frame[["numerator", "denominator", "n"]] != 0).any(axis=1)].reset_index()


def _count_values(context: _Context, kpis: tuple[Kpi, ...]) -> pd.DataFrame:
    """Count each distinct value of the KPIs shown as a median, so that medians roll up exactly."""
    frames = []
    for number, kpi in enumerate(kpis):
        if kpi.median_of is None:
            continue
        part = kpi.median_of
        rows = _attribute(context, part.fact, part.on)
        rows = rows.select(people.OWNER, part.value.alias("value"))
        rows = rows.filter(~nw.col("value").is_null())
        counted = rows.group_by(people.OWNER, "value").agg(nw.len().alias("n"))
        frames.append(context.engine.collect(counted).assign(_kpi=np.int8(number)))
    columns = [*KEYS, "value", "n"]
    if not frames:
        return pd.DataFrame(columns=columns)
    whole = pd.concat(frames, ignore_index=True)
    frames.clear()  # two thousand reps have a million rows
    order = np.lexsort(tuple(whole[key] for key in ("value", "_kpi", people.OWNER)))
    whole = whole.take(order).set_axis(whole.index)
    names = pd.Index([kpi.kpi for kpi in kpis])
    named = pd.Categorical.from_codes(whole.pop("_kpi").to_numpy(), names)
    return _with_categories(context, whole).assign(kpi=named)[columns]


def _with_categories(context: _Context, rows: pd.DataFrame) -> pd.DataFrame:
    """Say which rep, team and quarter each row's owner is, as categories: rows are many."""
    if rows.empty:
        return _with_names(context, rows)
    names = context.owner_names.astype("category")
    return _with_names(replace(context, owner_names=names), rows)


def _with_names(context: _Context, rows: pd.DataFrame) -> pd.DataFrame:
    """Say which rep, team and quarter each row's owner is."""
    names = context.owner_names.take(rows[people.OWNER].to_numpy()).set_axis(rows.index)
    return names.assign(**{str(name): rows[name] for name in rows if name != people.OWNER})


def _attributed_ratings(context: _Context, snapshot: Snapshot, as_of: dt.date) -> pd.DataFrame:
    """Give each observed skill score the quarter and team it was given in."""
    columns = [
        ratings.form_id, ratings.rep_id, memberships.team_id, ratings.rater_id,
        ratings.rater_role, "period", ratings.skill, ratings.score,
    ]  # fmt: skip
    if not snapshot.has("ratings"):
        return pd.DataFrame(columns=columns)
    rows = facts.rating_facts(context.engine, snapshot, as_of)
    context = replace(context, facts={**context.facts, "ratings": rows})
    found = context.engine.collect(_attribute(context, "ratings", ratings.rated_on))
    found = _with_names(context, found.drop(columns=ratings.rep_id))
    return found[columns].sort_values([ratings.form_id, ratings.skill], ignore_index=True)


def _people(snapshot: Snapshot) -> pd.DataFrame:
    frame = snapshot.read("reps")
    return frame.sort_values(memberships.rep_id, ignore_index=True)
