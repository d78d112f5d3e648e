"""Measures made by hand or by chance, without a snapshot."""

import datetime as dt

import numpy as np
import pandas as pd

from salesnb.measures.catalogue import find_kpis
from salesnb.measures.measures import Measures
from salesnb.periods import FiscalCalendar
from salesnb.schema import TABLES
from salesnb.sources.mapping import Company

QUARTERS = ("2025Q1", "2025Q2", "2025Q3", "2025Q4", "2026Q1", "2026Q2")
COLUMNS = [
    "rep_id", "team_id", "period", "kpi", "numerator", "denominator", "n", "total",
    "total_of_squares",
]  # fmt: skip

WEEKS = ["rep_id", "team_id", "period", "week", "n", "booked", "squares"]
OPEN_DEALS = [
    "rep_id", "team_id", "period", "stage", "is_due", "n", "amount", "squares", "n_won",
    "won_amount", "booked",
]  # fmt: skip


def make_measures(
    rows, *, kpis, values=(), ratings=(), skills=(), targets=(), actions=(), territories=(),
    weeks=(), open_deals=(), courses=(), trainings=(), feedback=(), people=None,
    quarters=QUARTERS, names=None, **company,
):  # fmt: skip
    """Make measures of reps; a rep's team is the first letter of the rep's id."""
    totals = pd.DataFrame(rows, columns=COLUMNS)
    reps = sorted(set(totals["rep_id"]))
    teams = sorted(set(totals["team_id"]))
    calendar = FiscalCalendar()
    return Measures(
        totals=totals,
        values=pd.DataFrame(values, columns=["rep_id", "team_id", "period", "kpi", "value", "n"]),
        weeks=pd.DataFrame(weeks, columns=WEEKS),
        open_deals=pd.DataFrame(open_deals, columns=OPEN_DEALS),
        ratings=pd.DataFrame(
            ratings,
            columns=["form_id", "rep_id", "team_id", "rater_id", "rater_role", "period", "skill",
                     "score"],
        ),
        skills=pd.DataFrame(skills, columns=["skill", "role", "group", "target"]),
        targets=_table("targets", targets),
        actions=_table("actions", actions),
        territories=_table("territories", territories),
        courses=_table("courses", courses),
        trainings=_table("trainings", trainings),
        feedback=_table("feedback", feedback),
        people=pd.DataFrame(
            {"rep_id": reps, "name": [(names or {}).get(rep, f"Rep {rep}") for rep in reps],
             "role": "AE", "hired_on": None, "left_on": None, **(people or {})}
        ),
        teams=pd.DataFrame(
            {"team_id": teams, "name": [f"Team {team}" for team in teams], "parent_id": "",
             "has_members": True}
        ),
        kpis=find_kpis(kpis),
        missing={},
        periods=tuple(quarters),
        first_close=calendar.first_day(quarters[0]),
        company=Company(name="Acme", **company),
        as_of=calendar.last_day(quarters[-1]) + dt.timedelta(days=5),
        snapshot_id="test",
    )  # fmt: skip


def _table(name, rows):
    """Make a table of the schema of tuples in the order of its columns."""
    return pd.DataFrame(rows, columns=[str(column) for column in TABLES[name].columns])


def simulate(generator, *, win_rates, closed=12, quarters=QUARTERS, mean_amount=10_000.0):
    """Simulate win_rate, bookings and deal_size of reps with these true win rates."""
    rows = []
    for rep, rate in enumerate(win_rates):
        team = "AB"[rep % 2]
        for quarter in quarters:
            n = generator.poisson(closed)
            wins = generator.binomial(n, rate)
            amounts = mean_amount * np.exp(generator.normal(-0.32, 0.8, wins))
            logs = np.log(amounts)
            key = (f"{team}{rep:03d}", team, quarter)
            rows.append((*key, "win_rate", wins, n, n, np.nan, np.nan))
            money = (amounts.sum(), (amounts**2).sum())
            rows.append((*key, "bookings", money[0], 1.0, wins, *money))
            rows.append((*key, "deal_size", money[0], wins, wins, logs.sum(), (logs**2).sum()))
    return make_measures(rows, kpis=("win_rate", "bookings", "deal_size"), quarters=quarters)
