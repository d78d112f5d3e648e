"""Capacity: what people's days hold, how much is open at once, and whether the busy win less."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from scipy.stats import kruskal, ttest_1samp
from scipy.stats import t as t_distribution

from salesnb.analysis.finding import FALSE_CLAIMS
from salesnb.analysis.interactions.capacity_result import LOADS, BusySlope, Capacity
from salesnb.analysis.logistic import Floats, fit_logistic, to_floats
from salesnb.analysis.multiplicity import control_any_error
from salesnb.language import mark, tr
from salesnb.measures.measures import Measures

_WINDOW = 4
_WEEK, _MONTH = 5, 30
FEWEST_PEOPLE, FEWEST_IN_TEAM, FEWEST_DAYS = 10, 3, 20
_ROUNDING = 1e-9
_NEW_DAYS = 365
"""Days since hiring in which a person counts as new."""

TEAM_COLUMNS = [
    "team_id", "label", "n_people", "working_days",
    *(f"{load}{end}" for load in LOADS for end in ("", "_low", "_high")),
]  # fmt: skip
WEEK_COLUMNS = ["what", "now", "before"]
DIFFER_COLUMNS = ["load", "p_value", "adjusted"]
CHANGE_COLUMNS = ["load", "now", "before", "ratio", "low", "high", "p_value", "n", "p_adjusted"]
_LACKING = mark("needs the day opportunities were created, or activities")


def capacity(measures: Measures, *, period: str, team: str | None = None) -> Capacity:
    """Say how loaded people are, and how that differs between teams, over time and with winning.

    All loads are per person at work: days of leave and holidays are no working days. Teams differ
    when their people's loads do (Kruskal-Wallis over people with 20 working days or more, all
    loads together by Holm); else they stand in the order of their names. The change compares each
    person with the same person's four quarters before, those that are whole; its tests too are
    adjusted for all loads together.

    Parameters
    ----------
    measures
        From `compute_measures` or `load_measures`.
    period
        Fiscal quarter.
    team
        Id or name; None is the whole company.

    Returns
    -------
    Capacity
        It says so where nothing is known.

    Raises
    ------
    ParameterError
        Quarter or team is unknown.
    """
    measures.check_period(period)
    within = measures.ids_within(team)
    unit = measures.unit_name(measures.find_team(team) if team is not None else None)
    rows = measures.capacity
    rows = rows if within is None else rows[rows["team_id"].isin(within)]
    rows = rows[(rows["rep_id"] != "") & (rows["working_days"] > 0)]
    now = rows[rows["period"] == period]
    if now.empty or not _known(now):
        if measures.capacity.empty or len(now):
            return _nothing(period, unit, tr(_LACKING))
        return _nothing(period, unit, tr("nobody at work in {quarter}", quarter=period))
    past = measures.window(period, _WINDOW + 1)
    # Of a quarter whose data begin late it is not known what was open.
    past = tuple(quarter for quarter in past if quarter != period and measures.is_whole(quarter))
    teams, differ = _compare_teams(measures, now, _span(measures, (period,)))
    return Capacity(
        period=period,
        unit=unit,
        past=past,
        n_people=now["rep_id"].nunique(),
        working_days=float(now["working_days"].sum()),
        teams=teams,
        differ=differ,
        week=_fill_week(now, rows[rows["period"].isin(past)]),
        changes=_compare_past(measures, rows, period, past),
        busy=_find_busy_slope(measures, rows, measures.window(period, _WINDOW)),
    )


def _nothing(period: str, unit: str, lacking: str) -> Capacity:
    nan = math.nan
    return Capacity(
        period, unit, (), 0, 0.0, pd.DataFrame(columns=TEAM_COLUMNS),
        pd.DataFrame(columns=DIFFER_COLUMNS),
        pd.DataFrame(columns=WEEK_COLUMNS), pd.DataFrame(columns=CHANGE_COLUMNS),
        BusySlope(nan, nan, nan, nan, 0, 0), lacking,
    )  # fmt: skip


def _known(rows: pd.DataFrame) -> list[str]:
    """List the loads of which the rows say anything."""
    parts = {"open_per_person": "open_days", "touches_per_open": "n_linked",
             "activities_per_day": "n_calls", "hours_per_week": "call_seconds"}  # fmt: skip
    known = [load for load, part in parts.items() if (rows[part] > 0).any()]
    return [load for load in LOADS if load in known]


def _span(measures: Measures, periods: tuple[str, ...]) -> float:
    """Count the days of quarters up to the day the world is seen, for each working day in them.

    How many working days a quarter has is what the person has who was there all the time.
    """
    calendar, rows = measures.calendar, measures.capacity
    days = sum(
        (min(calendar.last_day(quarter), measures.as_of) - calendar.first_day(quarter)).days + 1
        for quarter in periods
    )
    present = rows[rows["period"].isin(periods) & (rows["rep_id"] != "")]
    by_person = present.groupby(["period", "rep_id"])["working_days"].sum()
    most = float(by_person.groupby(level="period").max().sum())
    return days / most if most else math.nan


def _find_loads(sums: pd.DataFrame, span: float) -> pd.DataFrame:
    """Turn sums into loads; missing where there is nothing to divide by."""
    days = sums["working_days"].where(sums["working_days"] > 0)
    done = sums["n_calls"] + sums["n_meetings"] + sums["n_emails"]
    hours = (sums["call_seconds"] + sums["meeting_seconds"]) / 3600
    found = pd.DataFrame(
        {
            "open_per_person": sums["open_days"] / (days * span),
            "touches_per_open": sums["n_linked"]
            / sums["open_days"].where(sums["open_days"] > 0)
            * _MONTH,
            "activities_per_day": done / days,
            "hours_per_week": hours / days * _WEEK,
        }
    )
    known = _known(sums)
    return found.where(pd.Series({load: load in known for load in LOADS}), axis=1)[list(LOADS)]


def _add_up(rows: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    numbers = [name for name in rows if name not in ("rep_id", "team_id", "period")]
    return rows.groupby(by)[numbers].sum()


def _compare_teams(
    measures: Measures, now: pd.DataFrame, span: float
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """List the teams' loads, and the chance of people as different among teams that are equal."""
    held = now[now["team_id"] != ""]
    sums = _add_up(held, ["team_id"])
    frame = _find_loads(sums, span).assign(
        working_days=sums["working_days"], n_people=held.groupby("team_id")["rep_id"].nunique()
    )
    frame["label"] = [measures.team_name(team) for team in frame.index]
    people = _people_loads(held, span)
    differ = _test_teams(people)
    reach = _find_reach(people).reindex(frame.index)
    for load in LOADS:
        frame[f"{load}_low"] = (frame[load] - reach[load]).clip(lower=0.0)
        frame[f"{load}_high"] = frame[load] + reach[load]
    frame = frame.reset_index().sort_values(["label", "team_id"], ignore_index=True)
    if differ.set_index("load")["adjusted"]["open_per_person"] < FALSE_CLAIMS:
        frame = frame.sort_values("open_per_person", ascending=False, ignore_index=True)
    return frame[TEAM_COLUMNS], differ


def _people_loads(held: pd.DataFrame, span: float) -> pd.DataFrame:
    """Find the loads of people who were there long enough, by team."""
    people = _add_up(held, ["team_id", "rep_id"])
    return _find_loads(people[people["working_days"] >= FEWEST_DAYS], span)


def _find_reach(people: pd.DataFrame) -> pd.DataFrame:
    """Find how far a team's load may be off if its people were drawn from many: 95%, by t."""
    grouped = people.groupby("team_id")
    n = grouped.count()
    reach = t_distribution.ppf(0.975, (n - 1).where(n > 1).to_numpy(dtype=float))
    return grouped.std() / n**0.5 * np.asarray(reach)


def _test_teams(people: pd.DataFrame) -> pd.DataFrame:
    size = people.groupby("team_id")[LOADS[0]].transform("size")
    loads = people[size >= FEWEST_IN_TEAM]
    p_values = {}
    for load in LOADS:
        groups = [values.dropna() for _, values in loads[load].groupby("team_id")]
        groups = [values for values in groups if len(values) >= FEWEST_IN_TEAM]
        varies = len(groups) > 1 and float(np.ptp(np.concatenate(groups))) > 0
        p_values[load] = float(kruskal(*groups).pvalue) if varies else math.nan
    frame = pd.DataFrame({"load": list(p_values), "p_value": list(p_values.values())})
    return frame.assign(adjusted=control_any_error(frame["p_value"]))[DIFFER_COLUMNS]


def _fill_week(now: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    """Say what five working days of one person hold."""
    parts = (
        (tr("Calls made"), "n_calls", 1.0),
        (tr("Meetings"), "n_meetings", 1.0),
        (tr("Messages"), "n_emails", 1.0),
        (tr("Hours in calls"), "call_seconds", 3600.0),
        (tr("Hours in meetings"), "meeting_seconds", 3600.0),
        (tr("New opportunities"), "n_new", 1.0),
    )
    rows = [
        (what, *(_per_week(frame, part) / unit for frame in (now, before)))
        for what, part, unit in parts
    ]
    return pd.DataFrame(rows, columns=WEEK_COLUMNS)


def _per_week(rows: pd.DataFrame, part: str) -> float:
    days = float(rows["working_days"].sum())
    done = float(rows[part].sum(min_count=1)) if len(rows) else math.nan
    return done / days * _WEEK if days else math.nan


def _compare_past(
    measures: Measures, rows: pd.DataFrame, period: str, past: tuple[str, ...]
) -> pd.DataFrame:
    """Compare people's loads with their own of the quarters before, all loads together (Holm)."""
    now, before = rows[rows["period"] == period], rows[rows["period"].isin(past)]
    spans = _span(measures, (period,)), _span(measures, past)
    whole = [
        _find_loads(_add_up(frame.assign(all=0), ["all"]), span).iloc[0] if len(frame) else None
        for frame, span in zip((now, before), spans, strict=True)
    ]
    people = [
        _find_loads(sums[sums["working_days"] >= FEWEST_DAYS], span)
        for frame, span in zip((now, before), spans, strict=True)
        for sums in [_add_up(frame, ["rep_id"])]
    ]
    found = []
    for load in LOADS:
        pair = pd.concat([frame[load] for frame in people], axis=1, keys=["now", "before"]).dropna()
        pair = pair[(pair > 0).all(axis=1)]
        shown = [float(one[load]) if one is not None else math.nan for one in whole]
        found.append(
            (
                load,
                *shown,
                *_test_change(np.log(to_floats(pair["now"] / pair["before"]))),
                len(pair),
            )
        )
    frame = pd.DataFrame(found, columns=CHANGE_COLUMNS[:-1])
    return frame.assign(p_adjusted=control_any_error(frame["p_value"]))


def _test_change(logs: Floats) -> tuple[float, float, float, float]:
    """Give the geometric mean of ratios with 95% interval, and the chance without any change."""
    if len(logs) < FEWEST_PEOPLE or np.ptp(logs) < _ROUNDING:
        return (math.nan,) * 4
    test = ttest_1samp(logs, 0.0)
    interval = test.confidence_interval(0.95)
    ratio, low, high = (math.exp(float(x)) for x in (logs.mean(), interval.low, interval.high))
    return ratio, low, high, float(test.pvalue)


def _find_busy_slope(measures: Measures, rows: pd.DataFrame, window: tuple[str, ...]) -> BusySlope:
    """Find how the odds of winning go with the logarithm of new opportunities a working day.

    Among people of one team, newly hired or not; errors by person.
    """
    sums = _add_up(rows[rows["period"].isin(window)], ["rep_id"])
    wins = measures.totals
    wins = wins[(wins["kpi"] == "win_rate") & wins["period"].isin(window)]
    wins = wins[wins["rep_id"].isin(sums.index)]
    counts = wins.groupby("rep_id")[["numerator", "denominator"]].sum()
    home = rows.sort_values(["period", "working_days", "team_id"]).groupby("rep_id")["team_id"]
    people = sums.join(counts, how="inner").join(home.last())
    people = people[(people["denominator"] > 0) & (people["n_new"] > 0)]
    people = people[people["working_days"] >= FEWEST_DAYS].sort_index()
    n_closed, n = int(people["denominator"].sum()), len(people)
    won = people["numerator"].sum()
    load = np.log(to_floats(people["n_new"] / people["working_days"]))
    if n < FEWEST_PEOPLE or not 0 < won < n_closed or np.ptp(load) == 0:
        return BusySlope(math.nan, math.nan, math.nan, math.nan, n, n_closed)
    hired = pd.to_datetime(measures.people.set_index("rep_id")["hired_on"]).reindex(people.index)
    last = pd.Timestamp(measures.calendar.last_day(window[-1]))
    is_new = to_floats((last - hired).dt.days < _NEW_DAYS)
    codes, teams = pd.factorize(people["team_id"], sort=True)
    enough = n >= 5 * len(teams)
    of_team = [to_floats(codes == place) for place in range(1, len(teams) if enough else 1)]
    design = np.column_stack([load, np.ones(n), is_new, *of_team])
    wins_of, closed_of = (to_floats(people[name]) for name in ("numerator", "denominator"))
    fitted = fit_logistic(design, wins_of, closed_of, np.arange(n))
    slope, low, high, p_value = fitted.interval(0)
    return BusySlope(slope, low, high, p_value, n, n_closed)
