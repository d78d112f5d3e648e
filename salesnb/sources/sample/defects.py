"""Rows as real exports have them and the import must refuse, each noted in `truth/defects.csv`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from salesnb import schema
from salesnb.sources.sample.ids import crm_ids
from salesnb.sources.sample.settings import Settings

UNKNOWN_REP, UNKNOWN_OPPORTUNITY = "005Nw00000ZZZZZQAX", "006Nw00000ZZZZZQAX"
_IDS = 40_000_000
_TABLE, _KEY, _REASON, _ROWS = "table", "key", "reason", "rows"


@dataclass(frozen=True)
class Soiled:
    """Tables with the defects added, and one row of `defects` for each faulty key."""

    tables: dict[str, pd.DataFrame]
    defects: pd.DataFrame


Change = Callable[[pd.DataFrame], pd.DataFrame]


@dataclass(frozen=True)
class Defect:
    """Copies of `count` sound rows, changed; with new keys unless they are `duplicates`."""

    table: str
    reason: str
    count: int
    change: Change
    duplicates: bool = False
    copies: int = 1


def soil(tables: dict[str, pd.DataFrame], settings: Settings) -> Soiled:
    """Add the defects to the tables; no sound row is changed."""
    soiled, notes = dict(tables), []
    for number, defect in enumerate(DEFECTS):
        rows = _bad_rows(tables[defect.table], defect, number, settings)
        key = list(schema.TABLES[defect.table].key)
        soiled[defect.table] = pd.concat([soiled[defect.table], rows])
        named = rows[key].astype(str).agg(" ".join, axis=1)
        counts = named.value_counts(sort=False)
        notes.append(
            pd.DataFrame(
                {_TABLE: defect.table, _KEY: counts.index, _REASON: defect.reason, _ROWS: counts}
            )
        )
    for name in dict.fromkeys(defect.table for defect in DEFECTS):
        first_key = schema.TABLES[name].key[0]
        soiled[name] = soiled[name].sort_values(first_key, kind="stable", ignore_index=True)
    return Soiled(soiled, pd.concat(notes, ignore_index=True))


def _bad_rows(sound: pd.DataFrame, defect: Defect, number: int, settings: Settings) -> pd.DataFrame:
    rng = settings.stream(f"defect {number}")
    columns = schema.opportunities
    usable = sound
    if defect.table == columns.declaration.name:
        is_long = sound[columns.closed_on] > sound[columns.created_on]
        usable = sound[sound[columns.is_won] & is_long]
    rows = usable.iloc[rng.choice(len(usable), defect.count, replace=False)].copy()
    if not defect.duplicates:
        key = schema.TABLES[defect.table].key[0]
        prefix = str(rows[key].iloc[0])[:3]
        rows[key] = crm_ids(prefix, defect.count, rng, start=_IDS + 1_000 * number)
    changed = [defect.change(rows)]
    changed += [rows] * (defect.copies - 1)
    return pd.concat(changed)


def _swap_dates(rows: pd.DataFrame) -> pd.DataFrame:
    columns = schema.opportunities
    swapped = rows.copy()
    swapped[columns.created_on] = rows[columns.closed_on]
    swapped[columns.closed_on] = rows[columns.created_on]
    swapped[columns.qualified_on] = pd.NaT
    return swapped


def _keep(rows: pd.DataFrame) -> pd.DataFrame:
    return rows


def _put(column: schema.Column, value: str | float) -> Change:
    return lambda rows: rows.assign(**{column: value})


def _raise_amount(rows: pd.DataFrame) -> pd.DataFrame:
    amount = schema.opportunities.amount
    return rows.assign(**{amount: (rows[amount] * 1.25).round(2)})


def _touch_early(rows: pd.DataFrame) -> pd.DataFrame:
    columns = schema.leads
    early = rows[columns.created_at] - pd.Timedelta(hours=5)
    return rows.assign(**{columns.first_touch_at: early, columns.converted_opportunity_id: None})


_OPPORTUNITIES = schema.opportunities.declaration.name
_NO_REP = "rep_id is unknown in reps"

DEFECTS = (
    Defect(_OPPORTUNITIES, "closed before created", 3, _swap_dates),
    Defect(_OPPORTUNITIES, _NO_REP, 2, _put(schema.opportunities.rep_id, UNKNOWN_REP)),
    Defect(_OPPORTUNITIES, "exact duplicate of an accepted row", 4, _keep, duplicates=True),
    Defect(_OPPORTUNITIES, "same key, different content", 1, _raise_amount, copies=2),
    Defect(_OPPORTUNITIES, "amount is not a number", 2, _put(schema.opportunities.amount, "n/a")),
    Defect(
        schema.stage_history.declaration.name, "opportunity_id is unknown in opportunities", 2,
        _put(schema.stage_history.opportunity_id, UNKNOWN_OPPORTUNITY), duplicates=True,
    ),
    Defect(schema.leads.declaration.name, "touched before created", 2, _touch_early),
    Defect(
        schema.leads.declaration.name, "created_at is not a date and time", 1,
        _put(schema.leads.created_at, "31.02.2025 09:15"),
    ),
    Defect(
        schema.activities.declaration.name, _NO_REP, 3,
        _put(schema.activities.rep_id, UNKNOWN_REP),
    ),
    Defect(
        schema.ratings.declaration.name, "score is above 5", 1, _put(schema.ratings.score, 7.0)
    ),
)  # fmt: skip
"""All defects; reasons as the import gives them."""
