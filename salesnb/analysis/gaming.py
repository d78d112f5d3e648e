"""Patterns that can make KPIs look better than the work behind them: worth a look, no verdict."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import binom, false_discovery_control

from salesnb.analysis.finding import FALSE_CLAIMS, Candidate
from salesnb.analysis.multiplicity import SMALLEST
from salesnb.analysis.result import Result
from salesnb.language import format_number, format_share, mark, tr, tr_many
from salesnb.measures.habits import (
    BACKDATED_WINS,
    CALLS_AT_THRESHOLD,
    CLOSE_DATES_PUSHED,
    LATE_DAYS,
    LATE_LOGGING,
    threshold_width,
)
from salesnb.measures.measures import Measures

GAMING_ANCHOR = "worth-a-look"
MORE_CALLS = "more_calls_fewer_meetings"

ODDS = 1.5
"""Odds of an event, as a multiple of the others', up to which people are only different."""

CHANGE = 1.25
"""Change against one's own past, as a ratio, up to which quarters are only different."""

FEWEST = 3
"""Events below which nothing is worth a look."""

_CALLS, _MEETINGS = "connected_calls", "meetings_per_100"
_SIGNS = ["unit_id", "unit", "check", "n", "of", "share", "others", "p_value"]


@dataclass(frozen=True)
class Check:
    """One pattern: its name, what a snapshot needs for it, what else may be behind it, its KPI.

    `tr` says its words in the language spoken.
    """

    check: str
    label: str
    needs: str
    reason: str
    kpi: str = ""


CHECKS: tuple[Check, ...] = (
    Check(
        MORE_CALLS, mark("More calls, fewer meetings per call"), mark("activities"),
        mark("a new list of contacts, or a campaign"), _MEETINGS,
    ),
    Check(
        CALLS_AT_THRESHOLD, mark("Calls just long enough to count"),
        mark("lengths of calls, and a shortest call that counts"),
        mark("a short question that most calls end with"), _CALLS,
    ),
    Check(
        LATE_LOGGING, mark("Activities logged days later"), mark("the time activities were logged"),
        mark("travel, or a weekly hour for the CRM"), _CALLS,
    ),
    Check(
        CLOSE_DATES_PUSHED, mark("Close dates moved past the quarter's end"),
        mark("pictures of the pipeline"), mark("customers who postpone"), "pipeline_coverage",
    ),
    Check(
        BACKDATED_WINS, mark("Wins entered after the quarter they are dated in"),
        mark("stage history"), mark("an order that was signed in time and booked late"), "bookings",
    ),
)  # fmt: skip


_SEEN = {
    LATE_LOGGING: mark(
        "{n} of {of} counted activities were logged more than {days} days later ({share}; others "
        "{others})"
    ),
    CLOSE_DATES_PUSHED: mark(
        "{n} of {of} opportunities due in a quarter were moved past its end ({share}; others "
        "{others})"
    ),
    BACKDATED_WINS: mark(
        "{n} of {of} wins were entered after the quarter they are dated in ({share}; others "
        "{others})"
    ),
}


@dataclass(frozen=True, eq=False, repr=False)
class GamingChecks(Result):
    """People with a pattern that is worth a look.

    Attributes
    ----------
    period, unit
        Quarter, and name of the team or company.
    signs
        One row a person and check that could be made: `n` events `of` occasions, their `share`
        and that of the `others` (`more_calls_fewer_meetings`: calls of working days, meetings per
        call now, and before), `p_value`, `p_adjusted` for all rows, `is_flagged`, and the `text`.
    missing
        Label of each check that could not be made, and what it needs.
    """

    period: str
    unit: str
    signs: pd.DataFrame
    missing: dict[str, str]

    @property
    def tells_of_people(self) -> bool:
        """It is about single people."""
        return True

    @property
    def flagged(self) -> pd.DataFrame:
        """Take the rows that are worth a look."""
        return self.signs[self.signs["is_flagged"]]

    @property
    def finding(self) -> str:
        """Say how many patterns are worth a look."""
        if self.signs.empty:
            return tr("{unit}: no pattern could be checked.", unit=self.unit)
        people, checks = self.signs["unit_id"].nunique(), self.signs["check"].nunique()
        found = self.flagged
        if found.empty:
            return tr(
                "{unit}: of {checks} checks of {people} people nothing is worth a look.",
                unit=self.unit, checks=checks, people=people,
            )  # fmt: skip
        return tr_many(
            "{unit}: in {checks} checks of {people} people {n} pattern is worth a look.",
            "{unit}: in {checks} checks of {people} people {n} patterns are worth a look.",
            len(found), n=len(found), unit=self.unit, checks=checks, people=people,
        )  # fmt: skip

    @property
    def caveat(self) -> str:
        """Say what a pattern does not prove, and what could not be checked."""
        said = tr("A pattern proves nothing: ask before you judge.")
        if not self.missing:
            return said
        left = "; ".join(
            tr("{check} (needs {needs})", check=tr(label), needs=tr(needs))
            for label, needs in self.missing.items()
        )
        not_checked = tr("Not checked: {checks}.", checks=left)
        return f"{said} {not_checked}"

    def to_frame(self) -> pd.DataFrame:
        """List one row a person and check."""
        return self.signs.copy()

    def candidates(self) -> tuple[Candidate, ...]:
        """Offer one sentence a check, without names; its p-values are combined by Simes."""
        return tuple(
            _offer(check, rows)
            for check in CHECKS
            if len(rows := self.signs[self.signs["check"] == check.check])
        )


def gaming_checks(measures: Measures, *, period: str, team: str | None = None) -> GamingChecks:
    """Look for patterns that can make KPIs look better than the work behind them.

    Over the four quarters to `period`, each person's share of events is held against the others'
    of the company; it is worth a look where the odds are surely more than one and a half times
    theirs. More calls with fewer meetings per call are held against the person's own four quarters
    before, less what the company changed; both must surely be by more than a quarter. All p-values
    are adjusted together (Benjamini-Hochberg), and below three events nothing is said.

    Parameters
    ----------
    measures
        From `compute_measures` or `load_measures`.
    period
        Fiscal quarter.
    team
        Id or name: look at its members only, beside the whole company.

    Returns
    -------
    GamingChecks
        Without a row where nothing could be checked.

    Raises
    ------
    ParameterError
        Quarter or team is unknown.

    Source: the comparison of two adjacent ranges at a threshold is McCrary (2008), J. Econometrics
    142, 698-714, with the others' ranges in place of a smooth density.
    """
    measures.check_period(period)
    team_id = measures.find_team(team) if team is not None else None
    found = [_check_habits(measures, period), _check_calls(measures, period)]
    signs = pd.concat([rows for rows in found if len(rows)] or found, ignore_index=True)
    if team_id is not None:
        signs = signs[signs["unit_id"].isin(measures.members(team_id, period))]
    names = measures.people.set_index("rep_id")["name"]
    signs = signs.assign(unit=signs["unit_id"].map(names).fillna(signs["unit_id"]))
    made = set(signs["check"])
    return GamingChecks(
        period=period,
        unit=measures.unit_name(team_id),
        signs=_flag(signs, measures),
        missing={check.label: check.needs for check in CHECKS if check.check not in made},
    )


def _check_habits(measures: Measures, period: str) -> pd.DataFrame:
    """Hold each person's share of events against the others' of the company."""
    habits = measures.habits
    habits = habits[habits["period"].isin(measures.window(period, 4)) & (habits["rep_id"] != "")]
    counts = habits.groupby(["habit", "rep_id"], as_index=False)[["n", "of"]].sum()
    whole = counts.groupby("habit")[["n", "of"]].transform("sum")
    n, of = whole["n"] - counts["n"], whole["of"] - counts["of"]
    others = (n + 0.5) / (of + 1)
    odds = ODDS * others / (1 - others)
    p_value = binom.sf(counts["n"] - 1, counts["of"], odds / (1 + odds))
    rows = counts.rename(columns={"rep_id": "unit_id", "habit": "check"}).assign(
        share=counts["n"] / counts["of"], others=n / of, p_value=p_value
    )
    return rows[of > 0]


def _check_calls(measures: Measures, period: str) -> pd.DataFrame:
    """Find who made surely more calls than before, which brought surely fewer meetings each."""
    before = tuple(p for p in measures.window(period, 5) if p != period)
    measured = {kpi.kpi for kpi in measures.kpis}
    if not before or not {_CALLS, _MEETINGS} <= measured:
        return pd.DataFrame(columns=[name for name in _SIGNS if name != "unit"])
    now, then = _calls_of(measures, (period,)), _calls_of(measures, before)
    both = now.add_suffix("_now").join(then.add_suffix("_then"), how="inner")
    both = both[(both[["days_now", "days_then", "calls_now", "calls_then"]] > 0).all(axis=1)]
    more = _compare_rates(both, "calls", "days", ratio=CHANGE, tail=_at_least)
    fewer = _compare_rates(both, "meetings", "calls", ratio=1 / CHANGE, tail=_at_most)
    return pd.DataFrame(
        {
            "unit_id": both.index,
            "check": MORE_CALLS,
            "n": both["calls_now"],
            "of": both["days_now"],
            "share": both["meetings_now"] / both["calls_now"],
            "others": both["meetings_then"] / both["calls_then"],
            "p_value": np.maximum(more, fewer),
        }
    ).reset_index(drop=True)


def _calls_of(measures: Measures, periods: tuple[str, ...]) -> pd.DataFrame:
    """Add up each person's days, calls and meetings."""
    calls, meetings = (
        measures.roll_up(by="rep", periods=periods, kpi=kpi, pool=True).set_index("unit_id")
        for kpi in (_CALLS, _MEETINGS)
    )
    frame = pd.DataFrame(
        {
            "days": calls["denominator"], "calls": calls["numerator"],
            "meetings": meetings["numerator"],
        }
    ).fillna(0.0)  # fmt: skip
    return frame[frame.index != ""]


Tail = Callable[[pd.Series, pd.Series, pd.Series], np.ndarray]


def _at_least(
    count: pd.Series[float], of: pd.Series[float], chance: pd.Series[float]
) -> np.ndarray:
    return np.asarray(binom.sf(count - 1, of, chance))


def _at_most(count: pd.Series[float], of: pd.Series[float], chance: pd.Series[float]) -> np.ndarray:
    return np.asarray(binom.cdf(count, of, chance))


def _compare_rates(
    both: pd.DataFrame, events: str, exposure: str, *, ratio: float, tail: Tail
) -> np.ndarray:
    """Test whether rates changed by more than `ratio` beside the company's own change.

    Given both quarters' events, those of now are binomial: the exact conditional test of two
    Poisson rates, with the company's rates as exposure.
    """
    now, then = both[f"{events}_now"], both[f"{events}_then"]
    pace = now.sum() / both[f"{exposure}_now"].sum()
    past = then.sum() / both[f"{exposure}_then"].sum()
    if not (pace > 0 and past > 0):
        return np.ones(len(both))
    expected = ratio * pace * both[f"{exposure}_now"]
    return tail(now, now + then, expected / (expected + past * both[f"{exposure}_then"]))


def _flag(signs: pd.DataFrame, measures: Measures) -> pd.DataFrame:
    """Adjust all p-values together, and say in words what was seen."""
    p_values = signs["p_value"].astype(float).clip(SMALLEST, 1.0)
    adjusted = false_discovery_control(p_values) if len(signs) else p_values
    signs = signs.assign(p_value=p_values, p_adjusted=adjusted)
    signs["is_flagged"] = (signs["p_adjusted"] < FALSE_CLAIMS) & (signs["n"] >= FEWEST)
    signs["text"] = [_word(row, measures) for row in signs.to_dict("records")]
    order = {check.check: place for place, check in enumerate(CHECKS)}
    signs = signs.assign(_place=signs["check"].map(order)).sort_values(
        ["unit", "unit_id", "_place"]
    )
    columns = [*_SIGNS, "p_adjusted", "is_flagged", "text"]
    return signs[columns].reset_index(drop=True).astype({"is_flagged": bool})


def _word(sign: dict[Hashable, Any], measures: Measures) -> str:
    if sign["check"] == MORE_CALLS:
        return tr(
            "{calls} connected calls a day, with {meetings} meetings per 100 calls; in the year "
            "before {before}",
            calls=format_number(sign["n"] / sign["of"], 1, group=False),
            meetings=format_number(sign["share"] * 100, group=False),
            before=format_number(sign["others"] * 100, group=False),
        )
    said = {
        "n": format_number(sign["n"]),
        "of": format_number(sign["of"]),
        "share": format_share(sign["share"]),
        "others": format_share(sign["others"]),
    }
    if sign["check"] == CALLS_AT_THRESHOLD:
        shortest = measures.company.connected_call_seconds
        return tr(
            "{n} of {of} answered calls within {width} seconds of the {shortest} that count were "
            "just long enough ({share}; others {others})",
            width=threshold_width(shortest), shortest=shortest, **said,
        )  # fmt: skip
    seen = _SEEN[str(sign["check"])]
    return tr(seen, days=LATE_DAYS, **said)


def _offer(check: Check, rows: pd.DataFrame) -> Candidate:
    found = int(rows["is_flagged"].sum())
    return Candidate(
        text=tr(
            "{check}: with {n} of {of} people this is worth a look.",
            check=tr(check.label),
            n=found,
            of=len(rows),
        ),
        why=tr(
            "It can make figures look better than the work; it may also be {reason}.",
            reason=tr(check.reason),
        ),
        anchor=GAMING_ANCHOR,
        effect=found / len(rows),
        p_value=float(np.min(false_discovery_control(rows["p_value"]))),
        kpi=check.kpi,
    )
