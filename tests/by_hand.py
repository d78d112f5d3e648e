"""Every KPI of a small company, counted by loops over plain rows: nothing of salesnb is used.

A company is a `Company` of tuples; days are `datetime.date`. `figures` gives the value of each
unit, quarter and KPI at one level.
"""

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd

DAY = dt.timedelta(days=1)
RATIOS = {
    "quota_attainment", "win_rate", "close_rate", "deal_size", "cycle_days", "pipeline_coverage",
    "lead_to_won", "connected_calls", "meetings_per_100", "won_within_T",
}  # fmt: skip

KPIS = (*sorted(RATIOS), "bookings", "pipeline_created", "leads", "concentration")
"""What is counted here; the other KPIs have tests of their own."""


class Membership(NamedTuple):
    rep_id: str
    team_id: str
    valid_from: dt.date | None
    valid_to: dt.date | None


class Leave(NamedTuple):
    rep_id: str
    valid_from: dt.date
    valid_to: dt.date


class Opportunity(NamedTuple):
    opportunity_id: str
    rep_id: str
    created_on: dt.date | None
    qualified_on: dt.date | None
    closed_on: dt.date | None
    expected_close_on: dt.date | None
    is_won: bool
    is_closed: bool
    amount: float | None
    currency: str | None


class Change(NamedTuple):
    opportunity_id: str
    rep_id: str
    owned_from: dt.datetime
    previous_rep_id: str | None


class Lead(NamedTuple):
    lead_id: str
    rep_id: str | None
    created_at: dt.date
    converted_opportunity_id: str | None
    rejected_reason: str | None


class Activity(NamedTuple):
    activity_id: str
    rep_id: str
    kind: str
    started_at: dt.date
    seconds: float | None
    is_connected: bool | None


class Target(NamedTuple):
    owner_kind: str
    owner_id: str
    period: str
    kpi: str
    target: float


class Picture(NamedTuple):
    as_of: dt.date
    opportunity_id: str
    amount: float | None
    expected_close_on: dt.date | None


@dataclass(frozen=True)
class Company:
    as_of: dt.date
    start_month: int = 1
    ramp_days: int = 0
    call_seconds: int = 60
    reps: dict[str, tuple[dt.date | None, dt.date | None]] = field(default_factory=dict)
    parents: dict[str, str] = field(default_factory=dict)
    memberships: tuple[Membership, ...] = ()
    leaves: tuple[Leave, ...] = ()
    holidays: tuple[dt.date, ...] = ()
    opportunities: tuple[Opportunity, ...] = ()
    owner_history: tuple[Change, ...] = ()
    leads: tuple[Lead, ...] = ()
    activities: tuple[Activity, ...] = ()
    targets: tuple[Target, ...] = ()
    pipeline_snapshots: tuple[Picture, ...] = ()
    rates: tuple[tuple[dt.date, float], ...] = ()
    """Of EUR into the reporting currency USD."""

    def tables(self):
        """The export's tables."""
        tables = {
            "reps": pd.DataFrame(
                [(rep, rep.upper(), *dates) for rep, dates in self.reps.items()],
                columns=["rep_id", "name", "hired_on", "left_on"],
            ),
            "teams": pd.DataFrame(
                [(team, team, parent) for team, parent in self.parents.items()]
                + [(region, region, None) for region in sorted(set(self.parents.values()))],
                columns=["team_id", "name", "parent_id"],
            ),
            "holidays": pd.DataFrame({"holiday_on": list(self.holidays)}),
            "exchange_rates": pd.DataFrame(
                [("EUR", *rate) for rate in self.rates], columns=["currency", "rate_on", "rate"]
            ),
        }
        for name, kind in (
            ("memberships", Membership), ("leaves", Leave), ("opportunities", Opportunity),
            ("owner_history", Change), ("leads", Lead), ("activities", Activity),
            ("targets", Target), ("pipeline_snapshots", Picture),
        ):  # fmt: skip
            tables[name] = pd.DataFrame(list(getattr(self, name)), columns=kind._fields)
        return tables

    def yaml(self):
        """The company's settings."""
        return (
            f"as_of: {self.as_of}\nfiscal_year_start: {self.start_month}\n"
            f"ramp_days: {self.ramp_days}\nconnected_call_seconds: {self.call_seconds}\n"
        )

    def quarter(self, day):
        """Name a day's fiscal quarter."""
        months = (day.month - self.start_month) % 12
        year = day.year - (day.month < self.start_month) + (self.start_month > 1)
        return f"{year}Q{months // 3 + 1}"

    def quarter_days(self, day):
        """List the days of the fiscal quarter a day is in."""
        quarter, first = self.quarter(day), day
        while self.quarter(first - DAY) == quarter:
            first -= DAY
        days = [first]
        while self.quarter(days[-1] + DAY) == quarter:
            days.append(days[-1] + DAY)
        return days

    def membership_on(self, rep, day):
        """Find the row that holds: the last to start by the day, unless it has ended."""
        since, ever = dt.date.min, dt.date.max
        rows = [m for m in self.memberships if m.rep_id == rep and (m.valid_from or since) <= day]
        rows.sort(key=lambda m: (m.valid_from or since, m.valid_to or ever, m.team_id))
        return rows[-1] if rows and day < (rows[-1].valid_to or ever) else None

    def team_on(self, rep, day):
        row = self.membership_on(rep, day) if rep else None
        return row.team_id if row else ""

    def is_employed(self, rep, day):
        hired, left = self.reps[rep]
        return (hired or dt.date.min) <= day < (left or dt.date.max)

    def is_workday(self, day):
        return day.weekday() < 5 and day not in self.holidays

    def owner_on(self, deal, day, *, otherwise):
        """Find the owner at the end of a day: after the last change by then, else before any."""
        rows = [row for row in self.owner_history if row.opportunity_id == deal.opportunity_id]
        rows.sort(key=lambda row: (row.owned_from, row.rep_id))
        begun = [row.rep_id for row in rows if row.owned_from.date() <= day]
        before = [row.previous_rep_id for row in rows[:1] if row.previous_rep_id]
        return [*([otherwise] + before)[-1:], *begun][-1]

    def is_away(self, rep, day):
        return any(x.rep_id == rep and x.valid_from <= day < x.valid_to for x in self.leaves)


@dataclass(frozen=True)
class Seen:
    """A company as it is known on a day."""

    company: Company
    as_of: dt.date

    def decided(self, deal):
        """'won', 'lost' or 'open' on that day."""
        if not deal.is_closed or deal.closed_on > self.as_of:
            return "open"
        return "won" if deal.is_won else "lost"

    def day_of(self, deal):
        """The day that decides about an opportunity's owner and rate."""
        return self.as_of if self.decided(deal) == "open" else deal.closed_on

    def owner(self, deal):
        return self.company.owner_on(deal, self.day_of(deal), otherwise=deal.rep_id)

    def money(self, amount, currency, day):
        """Convert an amount at the day's rate; None when it is no amount."""
        if amount is None or amount <= 0:
            return None
        if currency in (None, "USD"):
            return amount
        return amount * [rate for since, rate in sorted(self.company.rates) if since <= day][-1]

    def amount(self, deal):
        return self.money(deal.amount, deal.currency, self.day_of(deal))

    @cached_property
    def deals(self):
        return [
            deal for deal in self.company.opportunities
            if deal.created_on is None or deal.created_on <= self.as_of
        ]  # fmt: skip

    @cached_property
    def first_day(self):
        closes = [deal.closed_on for deal in self.deals if self.decided(deal) != "open"]
        return self.company.quarter_days(min(closes, default=self.as_of))[0]

    def contributions(self):
        """Yield (rep, team, quarter, kpi, numerator, denominator, value of a median)."""
        yield from self._of_deals()
        yield from self._of_leads_and_activities()
        yield from self._of_days()
        yield from self._of_coverage()

    def _at(self, rep, day):
        return rep or "", self.company.team_on(rep, day), self.company.quarter(day)

    def _is_seen(self, day):
        return day is not None and self.first_day <= day <= self.as_of

    def _of_deals(self):
        with_quota = set(self.quotas["quarter"])
        for deal in self.deals:
            state, amount, owner = self.decided(deal), self.amount(deal), self.owner(deal)
            if state != "open" and self._is_seen(deal.closed_on):
                at = self._at(owner, deal.closed_on)
                yield *at, "win_rate", state == "won", 1, None
                if state == "won" and amount is not None:
                    yield *at, "bookings", amount, 0, None
                    yield *at, "deal_size", amount, 1, None
                    yield *at, "concentration", amount, amount, amount
                    if at[2] in with_quota:
                        yield *at, "quota_attainment", amount, 0, None
                if state == "won" and deal.created_on is not None:
                    days = (deal.closed_on - deal.created_on).days
                    yield *at, "cycle_days", days, 1, days
            if self._is_seen(deal.created_on):
                at = self._at(owner, deal.created_on)
                yield *at, "close_rate", state == "won", 1, None
                in_time = state == "won" and (deal.closed_on - deal.created_on).days <= 90
                yield *at, "won_within_T", in_time, 1, None
            if self._is_seen(deal.qualified_on) and amount is not None:
                yield *self._at(owner, deal.qualified_on), "pipeline_created", amount, 0, None

    def _of_leads_and_activities(self):
        won = {deal.opportunity_id for deal in self.deals if self.decided(deal) == "won"}
        for lead in self.company.leads:
            is_valid = (lead.rejected_reason or "").lower() not in ("duplicate", "invalid")
            if is_valid and self._is_seen(lead.created_at):
                at = self._at(lead.rep_id, lead.created_at)
                yield *at, "leads", 1, 0, None
                yield *at, "lead_to_won", lead.converted_opportunity_id in won, 1, None
        for item in self.company.activities:
            if not self._is_seen(item.started_at) or item.is_connected is False:
                continue
            at = self._at(item.rep_id, item.started_at)
            is_long = item.seconds is None or item.seconds >= self.company.call_seconds
            if item.kind == "call" and is_long:
                yield *at, "connected_calls", 1, 0, None
                yield *at, "meetings_per_100", 0, 1, None
            if item.kind == "meeting":
                yield *at, "meetings_per_100", 100, 0, None

    def _of_days(self):
        company, day = self.company, self.first_day
        while day <= self.as_of:
            for rep in company.reps:
                if company.is_employed(rep, day) and not company.is_away(rep, day):
                    at = self._at(rep, day)
                    share = 1 / len(company.quarter_days(day))
                    for kpi in ("bookings", "pipeline_created", "leads"):
                        yield *at, kpi, 0, share, None
                    yield *at, "connected_calls", 0, company.is_workday(day), None
            day += DAY
        for row in self.quotas.itertuples():
            yield row.rep, row.team, row.quarter, "quota_attainment", 0, row.quota, None

    @cached_property
    def quotas(self):
        """Quota of each rep, team and quarter: full target x time present x ramp."""
        company, rows, day = self.company, [], self.first_day
        while day <= self.as_of:
            days = company.quarter_days(day)
            for item in company.targets:
                rep = item.owner_id
                if (item.owner_kind, item.kpi, item.period) != (
                    "rep", "bookings", company.quarter(day),
                ):  # fmt: skip
                    continue
                shares = defaultdict(float)
                for one in days:
                    if company.is_employed(rep, one) and not company.is_away(rep, one):
                        shares[company.team_on(rep, one)] += self._ramp(rep, one) / len(days)
                for team, share in shares.items():
                    rows.append((rep, team, item.period, item.target * share))
            day = days[-1] + DAY
        return pd.DataFrame(rows, columns=["rep", "team", "quarter", "quota"])

    def _ramp(self, rep, day):
        """Average over the day of (days since hiring / ramp days), at most 1."""
        hired, ramp = self.company.reps[rep][0], self.company.ramp_days
        if not ramp or hired is None:
            return 1.0
        since = (day - hired).days
        return min((since + 0.5) / ramp, 1.0)  # hired on whole days, so no day ramps in part

    def _of_coverage(self):
        company, now = self.company, self.company.quarter(self.as_of)
        with_quota = set(self.quotas["quarter"])
        seen, due = {now}, []
        for deal in self.deals:
            state, amount = self.decided(deal), self.amount(deal)
            expected = deal.expected_close_on
            if amount is None:
                continue
            if state == "open" and expected and company.quarter(expected) == now:
                due.append((*self._at(self.owner(deal), self.as_of), amount, 0))
            if state == "won" and company.quarter(deal.closed_on) == now:
                due.append((*self._at(self.owner(deal), deal.closed_on), 0, -amount))
        days = sorted({row.as_of for row in company.pipeline_snapshots if row.as_of <= self.as_of})
        first = self.first_day
        while company.quarter(first) != now:
            near = [day for day in days if first - 35 * DAY <= day <= first]
            if near:
                seen.add(company.quarter(first))
                due += self._of_picture(near[-1], first)
            first = company.quarter_days(first)[-1] + DAY
        for row in self.quotas[self.quotas["quarter"].isin(seen)].itertuples():
            due.append((row.rep, row.team, row.quarter, 0, row.quota))
        for rep, team, quarter, amount, lacking in due:
            if quarter in with_quota:
                yield rep, team, quarter, "pipeline_coverage", amount, lacking, None

    def _of_picture(self, day, first):
        deals = {deal.opportunity_id: deal for deal in self.deals}
        for row in self.company.pipeline_snapshots:
            deal, expected = deals.get(row.opportunity_id), row.expected_close_on
            if row.as_of != day or deal is None or expected is None:
                continue
            amount = self.money(row.amount, deal.currency, day)
            is_due = self.company.quarter(expected) == self.company.quarter(first)
            if is_due and amount is not None:
                owner = self.company.owner_on(deal, day, otherwise=self.owner(deal))
                yield *self._at(owner, first), amount, 0


def figures(company, as_of, level):
    """Compute {(unit, quarter, kpi): value}; what has no value is left out."""
    numerators, denominators, values = defaultdict(float), defaultdict(float), defaultdict(list)
    for rep, team, quarter, kpi, numerator, denominator, value in Seen(
        company, as_of
    ).contributions():
        region = company.parents.get(team, "")
        units = {
            "rep": [rep], "team": [team], "region": [region],
            "branch": {team, region} if team else [""], "company": ["company"],
        }  # fmt: skip
        for unit in units[level]:
            numerators[unit, quarter, kpi] += numerator
            denominators[unit, quarter, kpi] += denominator
            if value is not None:
                values[unit, quarter, kpi].append(value)
    found = {}
    for key, denominator in denominators.items():
        if key[2] == "concentration":
            found[key] = sum(sorted(values[key])[-3:]) / denominator
        elif key in values:
            found[key] = float(np.median(values[key]))
        elif key[2] not in RATIOS:
            found[key] = numerators[key]
        elif denominator > 1e-9:
            found[key] = numerators[key] / denominator
    return found
