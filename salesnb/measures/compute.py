"""The one pass over the facts: sums per rep, team, fiscal quarter and KPI."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import replace

import narwhals as nw
import numpy as np
import pandas as pd

from salesnb.errors import ParameterError
from salesnb.language import format_share, tr
from salesnb.measures import facts, people
from salesnb.measures.capacity import CAPACITY_COLUMNS, measure_capacity, no_capacity
from salesnb.measures.catalogue import Kpi, Part, find_kpis, flag
from salesnb.measures.catalogue.columns import IS_LOST, IS_WON
from salesnb.measures.contacts import CONTACT_COLUMNS, count_contacts, no_contacts
from salesnb.measures.demand import Demand, measure_demand
from salesnb.measures.engine import DuckDBEngine, Engine, Lazy
from salesnb.measures.figures import TOP
from salesnb.measures.flow import measure_flow, no_flow
from salesnb.measures.habits import HABIT_COLUMNS, count_habits, no_habits
from salesnb.measures.measures import KEYS, SUMS, Measures
from salesnb.measures.pace import measure_pace, no_pace
from salesnb.measures.prepare import Ground, Prepared, prepare
from salesnb.progress import long, step
from salesnb.schema import Column, feedback, memberships, opportunities, trainings
from salesnb.sources.snapshot import Snapshot

_LOST_KEPT = 0.5
"""Share of the lost that must have an amount where lost amounts count."""


@long("Measuring")
def compute_measures(
    snapshot: Snapshot,
    *,
    as_of: dt.date | None = None,
    kpis: tuple[str, ...] | None = None,
    own: tuple[Kpi, ...] = (),
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
        Ids of the KPIs to measure, with those they are made of, and nothing else; default all
        there are, with `weeks`, `open_deals`, `habits`, `contacts`, `capacity`, `flow` and
        `demand`.
    own
        KPIs beside the catalogue's, as `read_kpis` gives them.
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
    step("opportunities")
    opportunity = facts.opportunity_facts(engine, snapshot, as_of)
    amount = facts.amount_facts(engine, snapshot, opportunity, as_of)
    facts.check_rates(engine, snapshot, amount)
    first_close, kept = _look_at_closed(engine, opportunity, as_of)
    asked = find_kpis(kpis, own=own, company=snapshot.company)
    wanted, missing = _available(snapshot, _with_factors(asked, own, snapshot), kept)
    periods = snapshot.calendar.between(first_close, as_of)
    prepared = prepare(
        engine, snapshot, opportunity, amount, kpis=wanted, periods=periods, as_of=as_of
    )
    step("KPIs")
    # Counted values take the most memory to make and leave least: they come before the sums.
    values = _count_values(prepared, wanted)
    ground = prepared.ground
    pace, habits, flow, demand = no_pace(), no_habits(), no_flow(), Demand()
    contacts, capacity = no_contacts(), no_capacity()
    if kpis is None:
        step("leads and touches")
        demand = measure_demand(ground, amount)
        step("bookings by week, habits, contacts")
        pace = measure_pace(engine, snapshot, amount, ground.owners, periods, as_of)
        habits = count_habits(
            engine, snapshot, opportunity, ground.owners, periods=periods, as_of=as_of
        )
        contacts = count_contacts(engine, snapshot, amount, ground.owners, ground.names, as_of)
        step("capacity and stages")
        capacity = measure_capacity(
            engine, snapshot, opportunity, ground.owners, prepared.active, periods=periods,
            as_of=as_of,
        )  # fmt: skip
        flow = measure_flow(
            engine, snapshot, opportunity, ground.months, periods=periods,
            first_close=first_close, as_of=as_of,
        )  # fmt: skip
    step("sums")
    return Measures(
        totals=_long_totals(prepared, _sum_parts(prepared, wanted), wanted),
        values=values,
        weeks=_with_categories(ground, pace.weeks),
        open_deals=_with_categories(ground, pace.open_deals),
        ratings=prepared.ratings,
        skills=snapshot.read("skills"),
        targets=snapshot.read("targets"),
        actions=snapshot.read("actions"),
        territories=snapshot.read("territories"),
        people=_people(snapshot),
        teams=people.team_tree(snapshot, people.complete_memberships(snapshot)),
        kpis=wanted,
        missing=missing,
        periods=periods,
        first_close=first_close,
        company=snapshot.company,
        as_of=as_of,
        snapshot_id=snapshot.id,
        habits=ground.named(habits)[HABIT_COLUMNS],
        contacts=_with_categories(ground, contacts.early)[CONTACT_COLUMNS],
        contacts_life=contacts.life,
        capacity=ground.named(capacity)[CAPACITY_COLUMNS],
        courses=snapshot.read("courses"),
        memberships=snapshot.read("memberships"),
        holidays=snapshot.read("holidays"),
        trainings=_trainings(snapshot, as_of),
        feedback=_until(snapshot.read("feedback"), feedback.given_on, as_of),
        flow=flow,
        demand=demand,
    )


def _with_factors(
    kpis: tuple[Kpi, ...], own: tuple[Kpi, ...], snapshot: Snapshot
) -> tuple[Kpi, ...]:
    """Add the KPIs that others are made of."""
    names = {name for kpi in kpis for name in (kpi.kpi, *kpi.factors)}
    return find_kpis(names, own=own, company=snapshot.company)


def _available(
    snapshot: Snapshot, kpis: tuple[Kpi, ...], lost_kept: float
) -> tuple[tuple[Kpi, ...], dict[str, str]]:
    """Part the KPIs the data are enough for from those they are not, and say what those need."""
    missing = {}
    for kpi in kpis:
        lacking = [c for c in kpi.needs if not snapshot.has(c.table, c)]
        tables = dict.fromkeys(c.table for c in lacking if not snapshot.has(c.table))
        columns = [f"{c.table}.{c}" for c in lacking if snapshot.has(c.table)]
        if kpi.needs_lost_amounts and not lacking and lost_kept < _LOST_KEPT:
            columns.append(
                tr(
                    "an amount on half of the lost opportunities ({share} have one)",
                    share=format_share(lost_kept),
                )
            )
        if tables or columns:
            missing[kpi.kpi] = ", ".join([*tables, *columns])
    for kpi in kpis:
        needed = [missing[name] for name in kpi.factors if name in missing]
        if needed and kpi.kpi not in missing:
            missing[kpi.kpi] = ", ".join(dict.fromkeys(needed))
    return tuple(kpi for kpi in kpis if kpi.kpi not in missing), missing


def _look_at_closed(engine: Engine, opportunity: Lazy, as_of: dt.date) -> tuple[dt.date, float]:
    """Find the first close, and the share of the lost that have an amount (1 if none was lost).

    Earlier cohorts are known only by what was still open then.
    """
    lost = nw.col(IS_LOST)
    has_amount = lost & (nw.col(opportunities.amount) > 0)
    found = engine.collect(
        opportunity.filter(nw.col(IS_WON) | lost).select(
            nw.col(opportunities.closed_on).min(),
            flag(lost).sum().alias("lost"),
            flag(has_amount).sum().alias("kept"),
        )
    )
    days = pd.to_datetime(found[opportunities.closed_on]).dropna()
    counts = found[["lost", "kept"]].fillna(0.0).iloc[0]
    share = float(counts["kept"] / counts["lost"]) if counts["lost"] else 1.0
    return days.iloc[0].date() if len(days) else as_of, share


def _parts_of(kpi: Kpi) -> dict[str, Part]:
    parts = {"numerator": kpi.numerator, "denominator": kpi.denominator}
    return parts if kpi.moment is None else {**parts, "moment": kpi.moment}


def _sum_parts(prepared: Prepared, kpis: tuple[Kpi, ...]) -> pd.DataFrame:
    """Sum all parts, one grouped query per fact and date column; the index is the owner."""
    groups: dict[tuple[str, str], list[tuple[str, nw.Expr]]] = defaultdict(list)
    for kpi in kpis:
        for role, part in _parts_of(kpi).items():
            groups[part.fact, part.on].append((f"{kpi.kpi}:{role}", part.value))
    if not groups:
        return pd.DataFrame()
    frames = [_sum_group(prepared, fact, on, values) for (fact, on), values in groups.items()]
    return pd.concat(frames, axis=1)


def _sum_group(
    prepared: Prepared, fact: str, on: str, values: list[tuple[str, nw.Expr]]
) -> pd.DataFrame:
    """Sum the values of one fact per owner; what several KPIs are made of is summed once."""
    distinct = {id(value): value for _, value in values}
    moments = {id(value) for name, value in values if name.endswith(":moment")}
    keys = {key: f"sum_{number}" for number, key in enumerate(distinct)}
    rows = prepared.rows_of(fact, on).select(
        people.OWNER,
        *(value.cast(nw.Float64).alias(keys[key]) for key, value in distinct.items()),
    )
    sums = (
        sum_ for key in distinct for sum_ in _sums_of(keys[key], is_moment=key in moments)
    )  # fmt: skip
    found = prepared.ground.engine.collect(rows.group_by(people.OWNER).agg(*sums)).set_index(
        people.OWNER
    )
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


def _long_totals(prepared: Prepared, sums: pd.DataFrame, kpis: tuple[Kpi, ...]) -> pd.DataFrame:
    """Bring the sums to one row a rep, team, quarter and KPI.

    Rows of nothing are left out, and quarters without any quota where it is quotas that are
    attained: pooled with others they would count bookings against no quota.
    """
    periods = prepared.ground.names["period"]
    frames = []
    for kpi in kpis:
        frame = _totals_of(sums, kpi)
        if kpi.family == "attainment":
            quarter = frame[people.OWNER].map(periods)
            frame = frame[quarter.isin(quarter[frame["denominator"] != 0])]
        frames.append(frame.assign(kpi=kpi.kpi))
    if not frames:
        return pd.DataFrame(columns=[*KEYS, *SUMS])
    whole = pd.concat(frames, ignore_index=True)
    # Owners are numbered in the order of their names, and the KPIs are in the catalogue's.
    whole = whole.sort_values(people.OWNER, kind="stable", ignore_index=True)
    return prepared.ground.named(whole)[[*KEYS, *SUMS]]


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
    counted = ["denominator"] if kpi.needs_denominator else ["numerator", "denominator", "n"]
    return frame[(frame[counted] != 0).any(axis=1)].reset_index()


def _count_values(prepared: Prepared, kpis: tuple[Kpi, ...]) -> pd.DataFrame:
    """Count each distinct value of what is no ratio of sums, so that it rolls up exactly.

    Of times it is kept whether they have ended, of the largest only three an owner.
    """
    frames = []
    for number, kpi in enumerate(kpis):
        if kpi.kept_of is not None:
            counted = _count_one(prepared, kpi, kpi.kept_of)
            frames.append(prepared.ground.engine.collect(counted).assign(_kpi=np.int8(number)))
    columns = [*KEYS, "value", "is_ended", "n"]
    if not frames:
        return pd.DataFrame(columns=columns)
    whole = pd.concat(frames, ignore_index=True)
    frames.clear()  # two thousand reps have a million rows
    order = np.lexsort(tuple(whole[key] for key in ("is_ended", "value", "_kpi", people.OWNER)))
    whole = whole.take(order).set_axis(whole.index)
    names = pd.Index([kpi.kpi for kpi in kpis])
    named = pd.Categorical.from_codes(whole.pop("_kpi").to_numpy(), names)
    return _with_categories(prepared.ground, whole).assign(kpi=named)[columns]


def _with_categories(ground: Ground, rows: pd.DataFrame) -> pd.DataFrame:
    """Say which rep, team and quarter each row's owner is, as categories: rows are many."""
    if rows.empty:
        return ground.named(rows)
    return replace(ground, names=ground.names.astype("category")).named(rows)


def _count_one(prepared: Prepared, kpi: Kpi, part: Part) -> Lazy:
    ended = nw.lit(True) if kpi.ended is None else kpi.ended
    rows = prepared.rows_of(part.fact, part.on)
    rows = rows.select(people.OWNER, part.value.alias("value"), ended.alias("is_ended"))
    rows = rows.filter(~nw.col("value").is_null())
    if kpi.top_of is not None:
        place = nw.col("value").rank("ordinal", descending=True).over(people.OWNER)
        rows = rows.with_columns(place.alias("_place")).filter(nw.col("_place") <= TOP)
    return rows.group_by(people.OWNER, "value", "is_ended").agg(nw.len().alias("n"))


def _trainings(snapshot: Snapshot, as_of: dt.date) -> pd.DataFrame:
    """Read who was assigned to what by a day; what was completed later was not yet."""
    rows = _until(snapshot.read("trainings"), trainings.assigned_on, as_of)
    completed = rows[trainings.completed_on]
    later = pd.to_datetime(completed) > pd.Timestamp(as_of)
    return rows.assign(**{trainings.completed_on: completed.mask(later)})


def _until(rows: pd.DataFrame, day: Column, as_of: dt.date) -> pd.DataFrame:
    return rows[pd.to_datetime(rows[day]) <= pd.Timestamp(as_of)].reset_index(drop=True)


def _people(snapshot: Snapshot) -> pd.DataFrame:
    frame = snapshot.read("reps")
    return frame.sort_values(memberships.rep_id, ignore_index=True)
