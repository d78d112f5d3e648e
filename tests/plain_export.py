"""A company without a flaw, as typed frames: what a test spoils is all there is to find."""

import duckdb
import numpy as np
import pandas as pd

from salesnb.schema import TABLES
from salesnb.sources.cleaning import SQL_TYPES
from salesnb.sources.mapping import Company

FIRST, AS_OF = pd.Timestamp("2025-01-01"), pd.Timestamp("2026-06-30")
COMPANY = Company(name="Acme", currency="EUR")
_DAYS = (AS_OF - FIRST).days + 1


def plain_tables(*, seed=1, opportunities=2000):
    """Make reps, teams, memberships, opportunities, leads and activities up to AS_OF."""
    rng = np.random.default_rng(seed)
    people = [f"r{number}" for number in range(6)]
    reps = pd.DataFrame(
        {"rep_id": people, "name": [f"Rep {p}" for p in people], "role": "AE",
         "hired_on": pd.Timestamp("2024-01-01"), "left_on": pd.NaT}
    )  # fmt: skip
    teams = pd.DataFrame(
        {"team_id": ["t0", "t1", "all"], "name": ["North", "South", "All"],
         "parent_id": ["all", "all", None]}
    )  # fmt: skip
    memberships = pd.DataFrame(
        {"rep_id": people, "team_id": ["t0", "t1"] * 3,
         "valid_from": pd.Timestamp("2024-01-01"), "valid_to": pd.NaT}
    )  # fmt: skip
    return {
        "reps": reps,
        "teams": teams,
        "memberships": memberships,
        "opportunities": _opportunities(rng, opportunities, people),
        "leads": _leads(rng, 1500, people),
        "activities": _activities(rng, 3000, people),
    }


def _days(rng, n):
    """Draw days, the last of them AS_OF."""
    offsets = rng.integers(0, _DAYS, n)
    offsets[-1] = _DAYS - 1
    return FIRST + pd.to_timedelta(offsets, unit="D")


def _opportunities(rng, n, people):
    created = pd.Series(_days(rng, n))
    length = np.clip(np.exp(rng.normal(3.8, 0.5, n)).round(), 1, 300)
    closed = created + pd.to_timedelta(length, unit="D")
    is_closed = closed <= AS_OF
    return pd.DataFrame(
        {
            "opportunity_id": [f"o{number:04d}" for number in range(n)],
            "rep_id": rng.choice(people, n),
            "source": rng.choice(["web", "phone", "fair"], n),
            "created_on": created,
            "qualified_on": created,
            "closed_on": closed.where(is_closed),
            "expected_close_on": created + pd.Timedelta(days=75),
            "is_won": is_closed & (rng.random(n) < 0.4),
            "is_closed": is_closed,
            "amount": np.exp(rng.normal(9, 0.8, n)).round(2),
            "currency": "EUR",
        }
    )


def _leads(rng, n, people):
    return pd.DataFrame(
        {
            "lead_id": [f"l{number:04d}" for number in range(n)],
            "rep_id": rng.choice(people, n),
            "source": rng.choice(["web", "fair"], n),
            "created_at": pd.Series(_days(rng, n)) + pd.Timedelta(hours=9),
            "converted_opportunity_id": [f"o{number:04d}" if number % 4 == 0 else None
                                         for number in range(n)],
        }
    )  # fmt: skip


def _activities(rng, n, people):
    return pd.DataFrame(
        {
            "activity_id": [f"a{number:04d}" for number in range(n)],
            "rep_id": rng.choice(people, n),
            "kind": rng.choice(["call", "meeting", "email"], n),
            "started_at": pd.Series(_days(rng, n)) + pd.Timedelta(hours=10),
            "seconds": rng.integers(20, 900, n).astype(float),
            "is_connected": rng.random(n) < 0.6,
        }
    )


def accept(db: duckdb.DuckDBPyConnection, tables):
    """Put frames into tables of the model's types; returns what an import calls accepted."""
    for name, frame in tables.items():
        kinds = {column: TABLES[name].columns[column].rule.kind for column in frame.columns}
        casts = ", ".join(
            f"{column}::{SQL_TYPES[kind]} as {column}" for column, kind in kinds.items()
        )
        db.register("_frame", frame)
        db.execute(f"create or replace table {name} as select {casts} from _frame")
        db.unregister("_frame")
    return {name: name for name in tables}
