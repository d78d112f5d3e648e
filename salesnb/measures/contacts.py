"""Contacts: what was done in an opportunity's first weeks, and whether it was won later.

Over its whole life a won opportunity gathers more meetings than a lost one because it lives
differently, and what came late may be an effect of a decision already made. So patterns are counted
from creation to a fixed day, the landmark, among those still open on that day, and set beside what
became of them afterwards. Source: Anderson, Cain & Gelber (1983), J. Clin. Oncol. 1, 710-719;
van Houwelingen (2007), Scand. J. Stat. 34, 70-85.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import narwhals as nw
import numpy as np
import pandas as pd

from salesnb.measures.catalogue import flag
from salesnb.measures.catalogue.columns import AMOUNT, CYCLE, IS_LOST, IS_WON
from salesnb.measures.engine import Engine, Lazy
from salesnb.measures.facts import read_columns, with_team
from salesnb.measures.people import OWNER
from salesnb.schema import activities, opportunities
from salesnb.sources.mapping import Company
from salesnb.sources.snapshot import Snapshot

LANDMARK_DAYS = 30
"""Days from creation in which a pattern is counted; what closed before is left out."""

HORIZON_DAYS = 180
"""Days from creation by which an opportunity must be won to count as won."""

FIRST_TOUCH, MEETINGS, CALLS = "first_touch", "meetings", "calls"
PEOPLE, SILENCE = "people", "silence"
PATTERNS = (FIRST_TOUCH, MEETINGS, PEOPLE, CALLS, SILENCE)
TOUCHED_WITHIN = (1, 3, 7, 14, LANDMARK_DAYS)
"""Days to the first answered touch that are kept apart; later or never counts as none (0)."""

MOST = 3
"""Meetings, calls and people are kept apart up to so many; the last means that many or more."""

WEEKS = 4
"""Weeks up to the landmark; the last one has the days that are left over."""

UNKNOWN = -1
"""Bin of people where the snapshot does not say who was talked to."""

OTHER, NOT_SAID = "other", ""
_TYPES, _SOURCES = 3, 4
_LOST_KEPT = 0.5
_TERCILE = 0.4307  # of the normal distribution
_KEYS = ["deal_type", "source", "size", "is_qualified"]
_COUNTS = ["n", "n_won", "n_lost", "n_open"]
CONTACT_COLUMNS = ["rep_id", "team_id", "period", *_KEYS, *PATTERNS, *_COUNTS]
LIFE_COLUMNS = ["team_id", "period", "pattern", "bin", "n", "n_won"]
_UNIT = "unit"
_KEY, _SINCE, _FIRST, _IS_EARLY = "opportunity_id", "days_since", "first_day", "is_early"
_TOUCHED = "_touched"


@dataclass(frozen=True)
class Contacts:
    """Early patterns with outcomes by number of the owner, and those of whole lives by unit."""

    early: pd.DataFrame
    life: pd.DataFrame


def empty_contacts() -> pd.DataFrame:
    """Make the table of a snapshot without opportunities to look at."""
    return pd.DataFrame(columns=CONTACT_COLUMNS)


def empty_life() -> pd.DataFrame:
    """Make the table of whole lives of a snapshot without any."""
    return pd.DataFrame(columns=LIFE_COLUMNS)


def no_contacts() -> Contacts:
    """Make what `count_contacts` gives where there is nothing to count."""
    early = pd.DataFrame(columns=[OWNER, *CONTACT_COLUMNS[3:]]).astype({OWNER: "int32"})
    return Contacts(early, empty_life())


def horizon_days(company: Company) -> int:
    """Days from creation by which an opportunity must be won: the company's, if it takes longer."""
    return max(HORIZON_DAYS, company.maturity_days)


def count_contacts(
    engine: Engine, snapshot: Snapshot, amount: Lazy, owners: Lazy, names: pd.DataFrame,
    as_of: dt.date,
) -> Contacts:  # fmt: skip
    """Count opportunities by what was done in their first 30 days and what came of them.

    Activities count on the day they took place, not on which they were logged: a meeting that was
    written down late was held in time. Two-way touches are answered calls that are long enough,
    meetings held, and messages known to be answered. An opportunity is of who owned it at close,
    in the team of that person when it was created.

    Parameters
    ----------
    engine, snapshot
        Where, and what.
    amount
        Opportunities as known on `as_of`, with converted amounts.
    owners, names
        Reps by team and month, as `facts.with_team` takes them; who the owners are.
    as_of
        Day on which the world is seen.

    Returns
    -------
    Contacts
        `early`: one row an owner and cell: deal_type (the three most frequent, 'other', ''),
        source (the four most frequent), size (small, medium, large by tercile; '' unknown),
        is_qualified (by the landmark), first_touch (0 none, else 5 to 1: within 1, 3, 7, 14, 30
        days), meetings, people and calls (0 to 3 or more), silence (longest run of weeks without
        a two-way touch, 0 to 4), n (open at the landmark), and by the horizon n_won, n_lost,
        n_open. `life`: team_id, period, pattern, bin, n (decided), n_won, counted to the close.
        Empty without activities linked to opportunities, or without days of creation.
    """
    known = (activities.started_at, activities.opportunity_id, opportunities.created_on)
    if not all(snapshot.has(column.table, column) for column in known):
        return no_contacts()
    deal = _with_circumstances(engine, amount, _find_circumstances(engine, amount))
    deal = with_team(deal, owners, opportunities.created_on)
    touched = _touches(engine, snapshot, amount, as_of)
    has_people = snapshot.has("activities", activities.contact_id)
    # Twice over the activities: grouped by both at once there would be as many rows as there are
    # opportunities.
    early = _count_early(engine, deal, touched, horizon_days(snapshot.company), as_of)
    life = _count_life(engine, deal, touched, names)
    if not has_people:
        early, life = early.assign(people=np.int8(UNKNOWN)), life[life["pattern"] != PEOPLE]
        keys = [OWNER, *_KEYS, *PATTERNS]
        early = early.groupby(keys, as_index=False, observed=True)[_COUNTS].sum()
    return Contacts(early, life.reset_index(drop=True))


@dataclass(frozen=True)
class _Circumstances:
    """What opportunities are told apart by: frequent types and sources, bounds of sizes."""

    types: tuple[str, ...]
    sources: tuple[str, ...]
    sizes: tuple[float, ...]


def _find_circumstances(engine: Engine, amount: Lazy) -> _Circumstances:
    return _Circumstances(
        _most_frequent(engine, amount, opportunities.type, _TYPES),
        _most_frequent(engine, amount, opportunities.source, _SOURCES),
        _size_bounds(engine, amount),
    )


def _most_frequent(engine: Engine, rows: Lazy, column: str, most: int) -> tuple[str, ...]:
    found = engine.collect(
        rows.filter(~nw.col(column).is_null()).group_by(column).agg(nw.len().alias("n"))
    )
    found = found.sort_values(["n", column], ascending=[False, True]).head(most)
    return tuple(str(name) for name in found[column])


def _size_bounds(engine: Engine, amount: Lazy) -> tuple[float, ...]:
    """Find the terciles of amounts, taken as log-normal; none where lost ones mostly have none.

    There the amount says that an opportunity was won. Bounds have two digits, so that all engines
    find the same.
    """
    log = nw.col(AMOUNT).log()
    found = engine.collect(
        amount.with_columns(log.alias("_log")).select(
            flag(nw.col(IS_LOST)).sum().alias("lost"),
            flag(nw.col(IS_LOST) & ~nw.col(AMOUNT).is_null()).sum().alias("kept"),
            flag(~nw.col(AMOUNT).is_null()).sum().alias("n"),
            nw.col("_log").sum().alias("sum"),
            (nw.col("_log") * nw.col("_log")).sum().alias("squares"),
        )
    ).fillna(0.0).iloc[0]  # fmt: skip
    if not found["n"] or found["kept"] < _LOST_KEPT * found["lost"]:
        return ()
    mean = found["sum"] / found["n"]
    spread = np.sqrt(max(found["squares"] / found["n"] - mean**2, 0.0))
    return tuple(float(f"{np.exp(mean + way * _TERCILE * spread):.2g}") for way in (-1, 1))


def _with_circumstances(engine: Engine, amount: Lazy, found: _Circumstances) -> Lazy:
    qualified = nw.col(opportunities.qualified_on) - nw.col(opportunities.created_on)
    return amount.filter(~nw.col(opportunities.created_on).is_null()).select(
        nw.col(opportunities.opportunity_id).alias(_KEY),
        opportunities.rep_id, opportunities.created_on, IS_WON, IS_LOST, CYCLE,
        _named(nw.col(opportunities.type), found.types).alias("deal_type"),
        _named(nw.col(opportunities.source), found.sources).alias("source"),
        _sized(found.sizes).alias("size"),
        (qualified.cast(nw.Int64) < LANDMARK_DAYS).fill_null(False).alias("is_qualified"),
    )  # fmt: skip


def _named(column: nw.Expr, frequent: tuple[str, ...]) -> nw.Expr:
    shown: nw.Expr = nw.lit(OTHER)
    for name in frequent:
        shown = nw.when(column == name).then(nw.lit(name)).otherwise(shown)
    return nw.when(column.is_null()).then(nw.lit(NOT_SAID)).otherwise(shown)


def _sized(bounds: tuple[float, ...]) -> nw.Expr:
    amount = nw.col(AMOUNT)
    if not bounds:
        return nw.lit(NOT_SAID)
    small, large = bounds
    upper = nw.when(amount <= large).then(nw.lit("medium")).otherwise(nw.lit("large"))
    size = nw.when(amount <= small).then(nw.lit("small")).otherwise(upper)
    return nw.when(amount.is_null()).then(nw.lit(NOT_SAID)).otherwise(size)


def _touches(engine: Engine, snapshot: Snapshot, amount: Lazy, as_of: dt.date) -> Lazy:
    """Take two-way touches from creation to close, with their day and who they were with."""
    kind, seconds = nw.col(activities.kind), nw.col(activities.seconds)
    answered, contact = nw.col(activities.is_connected), nw.col(activities.contact_id)
    shortest = snapshot.company.connected_call_seconds
    is_call = (kind == "call") & answered.fill_null(True) & (seconds >= shortest).fill_null(True)
    is_meeting = (kind == "meeting") & answered.fill_null(True)
    is_message = (kind == "email") & answered.fill_null(False)
    rows = read_columns(
        engine, snapshot, activities.opportunity_id, activities.kind, activities.started_at,
        activities.seconds, activities.is_connected, activities.contact_id,
    )  # fmt: skip
    rows = rows.filter(
        ~nw.col(activities.opportunity_id).is_null(), is_call | is_meeting | is_message
    ).select(
        nw.col(activities.opportunity_id).alias(_KEY),
        nw.col(activities.started_at).cast(nw.Date).alias(activities.started_at),
        contact.fill_null("").alias(activities.contact_id),
        is_call.alias("is_call"),
        is_meeting.alias("is_meeting"),
    )
    lives = amount.select(
        nw.col(opportunities.opportunity_id).alias(_KEY), opportunities.created_on, CYCLE,
        (nw.col(IS_WON) | nw.col(IS_LOST)).alias("is_decided"),
    )  # fmt: skip
    rows = rows.filter(nw.col(activities.started_at) <= as_of).join(lives, on=_KEY)
    since = (nw.col(activities.started_at) - nw.col(opportunities.created_on)).cast(nw.Int64)
    rows = rows.with_columns(since.alias(_SINCE))
    is_alive = ~nw.col("is_decided") | (nw.col(_SINCE) <= nw.col(CYCLE))
    return rows.filter(nw.col(_SINCE) >= 0, is_alive)


def _count_early(
    engine: Engine, deal: Lazy, touched: Lazy, horizon: int, as_of: dt.date
) -> pd.DataFrame:
    age = (nw.lit(as_of) - nw.col(opportunities.created_on)).cast(nw.Int64)
    decided = nw.col(IS_WON) | nw.col(IS_LOST)
    reached = deal.filter(age >= LANDMARK_DAYS, ~decided | (nw.col(CYCLE) >= LANDMARK_DAYS))
    early = touched.filter(nw.col(_SINCE) < LANDMARK_DAYS)
    rows = reached.join(_sum_touches(early), on=_KEY, how="left")
    in_time = nw.col(CYCLE) <= horizon
    won, lost = (flag((nw.col(way) & in_time).fill_null(False)) for way in (IS_WON, IS_LOST))
    rows = rows.select(
        OWNER, *_KEYS, *_bins(), _silence().alias(SILENCE), won.alias("n_won"), lost.alias("n_lost")
    )
    sums = rows.group_by(OWNER, *_KEYS, *PATTERNS).agg(
        nw.len().cast(nw.Float64).alias("n"), nw.col("n_won").sum(), nw.col("n_lost").sum()
    )
    found = engine.collect(sums).sort_values([OWNER, *_KEYS, *PATTERNS], ignore_index=True)
    found = found.astype(dict.fromkeys(PATTERNS, "int8") | dict.fromkeys(_KEYS[:3], "category"))
    found["n_open"] = found["n"] - found["n_won"] - found["n_lost"]
    return found[[OWNER, *CONTACT_COLUMNS[3:]]]


def _count_life(engine: Engine, deal: Lazy, touched: Lazy, names: pd.DataFrame) -> pd.DataFrame:
    """Count what was done up to the close, among those that are closed."""
    units = names.groupby(["team_id", "period"], sort=True).ngroup().rename(_UNIT).reset_index()
    shown = names.assign(**{_UNIT: units[_UNIT].to_numpy()}).groupby(_UNIT).first()
    rows = deal.filter(nw.col(IS_WON) | nw.col(IS_LOST)).join(engine.local(units), on=OWNER)
    rows = rows.join(_sum_touches(touched), on=_KEY, how="left")
    rows = rows.select(_UNIT, *_bins(), flag(nw.col(IS_WON)).alias("n_won"))
    patterns = [FIRST_TOUCH, MEETINGS, PEOPLE, CALLS]
    sums = rows.group_by(_UNIT, *patterns).agg(
        nw.len().cast(nw.Float64).alias("n"), nw.col("n_won").sum()
    )
    found = engine.collect(sums)
    parts = [
        found.groupby([_UNIT, name], as_index=False)[["n", "n_won"]].sum()
        .rename(columns={name: "bin"}).assign(pattern=name)
        for name in patterns
    ]  # fmt: skip
    whole = pd.concat(parts).sort_values([_UNIT, "pattern", "bin"], ignore_index=True)
    whole = whole.astype({"bin": "int8"})
    whole[["team_id", "period"]] = shown[["team_id", "period"]].loc[whole[_UNIT]].to_numpy()
    return whole[LIFE_COLUMNS]


def _sum_touches(touched: Lazy) -> Lazy:
    """Sum touches of an opportunity: by who they were with first, so that people can be counted."""
    day = nw.col(_SINCE)
    weeks = {f"week_{number}": flag(held) for number, held in enumerate(_in_weeks(day))}
    rows = touched.select(
        _KEY, activities.contact_id, _SINCE, flag(nw.col("is_call")).alias(CALLS),
        flag(nw.col("is_meeting")).alias(MEETINGS),
        *(held.alias(name) for name, held in weeks.items()),
    )  # fmt: skip
    sums = [nw.col(name).sum() for name in (CALLS, MEETINGS, *weeks)]
    by_person = rows.group_by(_KEY, activities.contact_id).agg(nw.col(_SINCE).min(), *sums)
    named = flag(nw.col(activities.contact_id) != "")
    return (
        by_person.with_columns(named.alias(PEOPLE))
        .group_by(_KEY)
        .agg(nw.col(_SINCE).min().alias(_FIRST), *sums, nw.col(PEOPLE).sum())
    )


def _in_weeks(day: nw.Expr) -> Iterator[nw.Expr]:
    """Say of a day in which of the weeks up to the landmark it is."""
    bounds = [*(7 * week for week in range(WEEKS)), LANDMARK_DAYS]
    for first, after in pairwise(bounds):
        yield (day >= first) & (day < after)


def _bins() -> list[nw.Expr]:
    """Put touches into bins; what was not touched is in the first."""
    day = nw.col(_FIRST)
    first: nw.Expr = nw.lit(0)
    for place, within in enumerate(reversed(TOUCHED_WITHIN), start=1):
        first = nw.when(day < within).then(nw.lit(place)).otherwise(first)
    counted = [
        nw.when(nw.col(name) >= MOST).then(nw.lit(float(MOST)))
        .otherwise(nw.col(name)).fill_null(0.0).cast(nw.Int64).alias(name)
        for name in (MEETINGS, PEOPLE, CALLS)
    ]  # fmt: skip
    return [first.cast(nw.Int64).alias(FIRST_TOUCH), *counted]


def _silence() -> nw.Expr:
    """Find the longest run of weeks without a touch, from the last week backwards."""
    longest = run = nw.lit(0)
    for number in range(WEEKS):
        is_silent = ~(nw.col(f"week_{number}") > 0).fill_null(False)
        run = nw.when(is_silent).then(run + 1).otherwise(nw.lit(0))
        longest = nw.when(run > longest).then(run).otherwise(longest)
    return longest.cast(nw.Int64)
