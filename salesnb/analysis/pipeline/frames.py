"""Pictures of opportunities with their outcome, as models take them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from salesnb.errors import ParameterError, quote_examples
from salesnb.measures.pictures import FEATURES, Feature, PipelineHistory

KEY, DAY, OUTCOME = "opportunity_id", "day", "outcome"
MOST_ROWS = 60_000
"""Pictures a model is learned from: more cost time and change nothing that can be seen."""


@dataclass(frozen=True, eq=False)
class Known:
    """What can be learned from: features of open opportunities and of past pictures.

    Attributes
    ----------
    open, past
        As the history has them, with the columns a user gave beside.
    features
        What may be used; a column without any value is left out.
    """

    open: pd.DataFrame
    past: pd.DataFrame
    features: tuple[Feature, ...]

    def without(self, names: tuple[str, ...]) -> Known:
        """Leave features out."""
        kept = tuple(feature for feature in self.features if feature.name not in names)
        return Known(self.open, self.past, kept)

    @property
    def at_one_place(self) -> Known:
        """Leave out what days at the same place of their quarters do not differ by."""
        return self.without(("quarter_days_left",))


def know(history: PipelineHistory, extra: pd.DataFrame | None) -> Known:
    """Gather the features there are values of, with a user's own columns.

    Raises
    ------
    ParameterError
        `extra` has no opportunity_id, has one twice on a day, or a column there already is.
    """
    own: tuple[Feature, ...] = ()
    now, past = history.open, history.past
    if extra is not None:
        own = _check_extra(extra)
        on = [KEY, DAY] if DAY in extra else [KEY]
        now, past = (rows.merge(extra, on=on, how="left") for rows in (now, past))
    features = tuple(f for f in (*FEATURES, *own) if _has_values(past, f))
    return Known(_filled(now, own), _filled(past, own), features)


def _has_values(rows: pd.DataFrame, feature: Feature) -> bool:
    values = rows[feature.name]
    known = values[values != ""] if feature.kind == "text" else values
    return bool(len(known.dropna().unique()) > 1 or (known.isna().any() and known.notna().any()))


def _check_extra(extra: pd.DataFrame) -> tuple[Feature, ...]:
    if KEY not in extra:
        raise ParameterError(f"extra: there is no column {KEY!r}. Add it: rows are found by it.")
    keys = [KEY, DAY] if DAY in extra else [KEY]
    twice = extra[KEY][extra.duplicated(keys)]
    if len(twice):
        raise ParameterError(f"extra: {quote_examples(twice)} more than once. Keep one row each.")
    names = [str(name) for name in extra.columns if name not in keys]
    taken = sorted({feature.name for feature in FEATURES} & set(names))
    if taken:
        raise ParameterError(f"extra: {quote_examples(taken)} is there already. Rename it.")
    return tuple(
        Feature(
            name,
            name.replace("_", " "),
            "number" if pd.api.types.is_numeric_dtype(extra[name]) else "text",
            is_of_today=DAY not in extra,
        )
        for name in names
    )


def _filled(rows: pd.DataFrame, own: tuple[Feature, ...]) -> pd.DataFrame:
    """Give own columns the types of the others: texts without value are ''."""
    return rows.assign(
        **{
            f.name: rows[f.name].astype(object).where(rows[f.name].notna(), "").astype(str)
            if f.kind == "text" else rows[f.name].astype(float)
            for f in own
        }
    )  # fmt: skip


def with_outcome(past: pd.DataFrame, horizon_days: int, as_of: pd.Timestamp) -> pd.DataFrame:
    """Say of each picture whether it was won within so many days, where they are over."""
    after = (past["closed_on"] - past[DAY]).dt.days
    rows = past.assign(**{OUTCOME: (past["is_won"] & (after <= horizon_days)).astype(float)})
    return rows[rows[DAY] + pd.Timedelta(days=horizon_days) <= as_of]


def by_quarters_end(past: pd.DataFrame, days_left: int, as_of: pd.Timestamp) -> pd.DataFrame:
    """Say whether it was won by the end of its quarter, of days with as many days left of it.

    Deals close when quarters do: only days that stand at the same place hold as much of that.
    """
    return with_outcome(past[past["quarter_days_left"] == days_left], days_left, as_of)


def thin(rows: pd.DataFrame, most: int = MOST_ROWS) -> pd.DataFrame:
    """Keep about so many pictures: whole opportunities, whatever the order of rows."""
    if len(rows) <= most:
        return rows
    place = pd.util.hash_array(rows[KEY].to_numpy(dtype=object)).astype(np.float64)
    return rows[place / float(2**64) < most / len(rows)]


def is_enough(rows: pd.DataFrame, fewest: int = 30) -> bool:
    """Whether so many opportunities were won and as many were not."""
    if rows.empty:
        return False
    by = rows.groupby(KEY)[OUTCOME].max()
    return bool(min(by.sum(), len(by) - by.sum()) >= fewest)
