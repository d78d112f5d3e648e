"""Which patterns of the first weeks precede wins, beside what a look at whole lives says."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from salesnb.analysis.interactions.patterns_result import WinningPatterns
from salesnb.analysis.interactions.short import shorten_step
from salesnb.analysis.interactions.steps import (
    PATTERN_NAMES,
    find_steps,
    known_patterns,
    name_step,
    take_step,
)
from salesnb.analysis.logistic import (
    Floats,
    Logistic,
    fit_coefficients,
    fit_logistic,
    to_floats,
)
from salesnb.analysis.multiplicity import control_discoveries
from salesnb.analysis.wording import count_opportunities, count_people
from salesnb.language import format_number, mark, tr, tr_many
from salesnb.measures.contacts import horizon_days
from salesnb.measures.measures import Measures

FEWEST, FEWEST_WON, FEWEST_PEOPLE = 200, 30, 8
CIRCUMSTANCES = ("deal_type", "source", "size", "period")
PATTERN_COLUMNS = [
    "pattern", "label", "n_steps", "raw", "raw_low", "raw_high", "adjusted", "low", "high",
    "p_value", "q_value", "same_stage", "together", "naive",
]  # fmt: skip
STEP_COLUMNS = [
    "pattern", "step", "label", "short", "n", "n_won", "win_rate", "raw", "adjusted", "low", "high",
]  # fmt: skip
_LACKING = mark(
    "needs activities on opportunities (activities.opportunity_id and started_at) and the day "
    "opportunities were created"
)


def winning_patterns(
    measures: Measures, *, period: str, team: str | None = None, n_quarters: int = 4
) -> WinningPatterns:
    """Find which patterns of the first 30 days go with being won later.

    Opportunities that closed within the 30 days are left out: of them nothing came later. Won is
    what was won within 180 days (or the company's maturity, if longer) of creation, so quarters
    are used only when all of theirs are that old. Odds are compared within people and alike
    opportunities: adjusted for type, source, size, quarter of creation and for the person's own
    average of the pattern. Patterns are tested for a trend over their steps, together.

    Parameters
    ----------
    measures
        From `compute_measures` or `load_measures`.
    period
        Fiscal quarter of the report; the last old enough quarters up to it are used.
    team
        Id or name; None is the whole company.
    n_quarters
        Quarters of creation that are pooled.

    Returns
    -------
    WinningPatterns
        It says so where the data are not enough.

    Raises
    ------
    ParameterError
        Quarter or team is unknown.

    Source: Mundlak (1978), Econometrica 46, 69-85 (a person's own mean stands for the person);
    Anderson, Cain & Gelber (1983), J. Clin. Oncol. 1, 710-719 (landmark).
    """
    measures.check_period(period)
    within = measures.ids_within(team)
    unit = measures.unit_name(measures.find_team(team) if team is not None else None)
    window = _old_enough(measures, period, n_quarters)
    rows = _take(measures.contacts, within, window)
    lacking = _find_lack(measures, rows, window)
    if lacking:
        return _nothing(measures, period, unit, window, lacking)
    life = _take(measures.contacts_life, within, window)
    table, steps = compare_patterns(rows, life)
    return WinningPatterns(
        period=period,
        unit=unit,
        window=window,
        horizon=horizon_days(measures.company),
        n=int(rows["n"].sum()),
        n_won=int(rows["n_won"].sum()),
        n_alike=int(take_informative(rows)["n"].sum()),
        n_people=rows["rep_id"].nunique(),
        n_closed=int(life.loc[life["pattern"] == "meetings", "n"].sum()),
        patterns=table,
        steps=steps,
    )


def compare_patterns(rows: pd.DataFrame, life: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Compare the odds of winning over the steps of each pattern.

    Parameters
    ----------
    rows
        As `Measures.contacts`.
    life
        As `Measures.contacts_life`, of the same quarters and teams.

    Returns
    -------
    tuple
        One row a pattern, and one row a step: see `WinningPatterns`.
    """
    alike = take_informative(rows)
    doses = {name: find_steps(alike, name) for name in known_patterns(rows)}
    doses = {name: steps for name, steps in doses.items() if len(set(steps.values())) > 1}
    if not doses:
        return pd.DataFrame(columns=PATTERN_COLUMNS), pd.DataFrame(columns=STEP_COLUMNS)
    table = pd.DataFrame(
        [
            _compare_raw(rows, name, doses[name])
            | _compare_alike(alike, name, doses)
            | {"naive": _look_back(life, name, doses[name])}
            for name in doses
        ]
    )
    table["q_value"] = control_discoveries(table["p_value"].astype(float))
    steps = [_compare_steps(rows, alike, name, doses[name]) for name in doses]
    return table[PATTERN_COLUMNS], pd.concat(steps, ignore_index=True)


def _old_enough(measures: Measures, period: str, n: int) -> tuple[str, ...]:
    """Name the last quarters whose opportunities are all as old as the horizon."""
    horizon = horizon_days(measures.company)
    old = [
        quarter
        for quarter in measures.periods
        if quarter <= period
        and (measures.as_of - measures.calendar.last_day(quarter)).days >= horizon
    ]
    return tuple(old[-n:])


def _take(
    frame: pd.DataFrame, teams: tuple[str, ...] | None, window: tuple[str, ...]
) -> pd.DataFrame:
    kept = frame[frame["period"].isin(window)]
    if teams is not None:
        kept = kept[kept["team_id"].isin(teams)]
    return kept.reset_index(drop=True)


def _find_lack(measures: Measures, rows: pd.DataFrame, window: tuple[str, ...]) -> str:
    horizon = horizon_days(measures.company)
    if measures.contacts.empty:
        return tr(_LACKING)
    if not window:
        return tr("no quarter's opportunities are all {days} days old yet", days=horizon)
    n, won, people = rows["n"].sum(), rows["n_won"].sum(), rows["rep_id"].nunique()
    if n < FEWEST or won < FEWEST_WON or n - won < FEWEST_WON or people < FEWEST_PEOPLE:
        return tr_many(
            "{opportunities} of {people}, {won} won, is too few to compare patterns (from {fewest} "
            "of {fewest_people} people, with {fewest_won} won and as many not)",
            "{opportunities} of {people}, {won} won, are too few to compare patterns (from "
            "{fewest} of {fewest_people} people, with {fewest_won} won and as many not)",
            n,
            opportunities=count_opportunities(n),
            people=count_people(people),
            won=format_number(won),
            fewest=FEWEST,
            fewest_people=FEWEST_PEOPLE,
            fewest_won=FEWEST_WON,
        )
    return ""


def _nothing(
    measures: Measures, period: str, unit: str, window: tuple[str, ...], lacking: str
) -> WinningPatterns:
    return WinningPatterns(
        period, unit, window, horizon_days(measures.company), 0, 0, 0, 0, 0,
        pd.DataFrame(columns=PATTERN_COLUMNS), pd.DataFrame(columns=STEP_COLUMNS), lacking,
    )  # fmt: skip


def take_informative(rows: pd.DataFrame) -> pd.DataFrame:
    """Leave out circumstances in which all or none were won: they say nothing about odds.

    Lost opportunities often lose their amount; a size that only lost ones lack is such a
    circumstance, and to leave a random part of the lost out changes no odds ratio.
    """
    while True:
        kept = pd.Series(data=True, index=rows.index)
        for name in CIRCUMSTANCES:
            sums = rows.groupby(name, observed=True)[["n", "n_won"]].transform("sum")
            kept &= (sums["n_won"] > 0) & (sums["n_won"] < sums["n"])
        if kept.all() or not kept.any():
            return rows
        rows = rows[kept].reset_index(drop=True)


def _compare_raw(rows: pd.DataFrame, name: str, steps: dict[int, int]) -> dict[str, object]:
    """Find the odds ratio of one step more as it is."""
    dose = take_step(rows[name], steps)
    figures = np.exp(_fit(rows, [to_floats(dose)]).interval(0)[:3]).tolist()
    named = dict(zip(("raw", "raw_low", "raw_high"), figures, strict=True))
    return {
        "pattern": name, "label": tr(PATTERN_NAMES[name]), "n_steps": len(set(steps.values())),
        **named,
    }  # fmt: skip


def _compare_alike(
    rows: pd.DataFrame, name: str, doses: dict[str, dict[int, int]]
) -> dict[str, float]:
    """Find it among alike opportunities, then also in the same stage or beside the others."""
    columns = {other: _with_person(rows, other, steps) for other, steps in doses.items()}
    own = columns.pop(name)
    adjusted, low, high, p_value = _fit(rows, own, CIRCUMSTANCES).interval(0)
    stage = to_floats(rows["is_qualified"])
    same_stage = _fit_first(rows, [*own, stage])
    beside = [column for pair in columns.values() for column in pair]
    together = _fit_first(rows, [*own, *beside])
    figures = np.exp([adjusted, low, high, same_stage, together]).tolist()
    names = ("adjusted", "low", "high", "same_stage", "together")
    return {"p_value": p_value, **dict(zip(names, figures, strict=True))}


def _compare_steps(
    rows: pd.DataFrame, alike: pd.DataFrame, name: str, steps: dict[int, int]
) -> pd.DataFrame:
    """Compare each step with the lowest."""
    every, step = take_step(rows[name], steps), take_step(alike[name], steps)
    sums = rows.groupby(every)[["n", "n_won"]].sum()
    places = sorted(set(steps.values()))
    odds = to_floats(sums["n_won"] / (sums["n"] - sums["n_won"]))
    dummies = [to_floats(step == place) for place in places[1:]]
    found = _fit(alike, [*dummies, _with_person(alike, name, steps)[1]], CIRCUMSTANCES)
    bins = {place: [bin_ for bin_, at in steps.items() if at == place] for place in places}
    frame = pd.DataFrame(
        {
            "pattern": name,
            "step": places,
            "label": [name_step(name, bins[place]) for place in places],
            "short": [shorten_step(name, bins[place]) for place in places],
            "n": sums["n"].to_numpy(),
            "n_won": sums["n_won"].to_numpy(),
            "win_rate": (sums["n_won"] / sums["n"]).to_numpy(),
        }
    )
    figures = [(0.0, np.nan, np.nan), *(found.interval(at)[:3] for at in range(len(places) - 1))]
    frame[["adjusted", "low", "high"]] = np.exp(np.array(figures))
    return frame.assign(raw=odds / odds[0])[STEP_COLUMNS]


def _look_back(life: pd.DataFrame, name: str, steps: dict[int, int]) -> float:
    """Find the odds ratio of one step more over whole lives, as a look at closed ones sees it."""
    rows = life[life["pattern"] == name]
    if rows.empty:
        return float("nan")
    dose = to_floats(take_step(rows["bin"], steps))
    won, n = to_floats(rows["n_won"]), to_floats(rows["n"])
    if np.ptp(dose) == 0 or not 0 < won.sum() < n.sum():
        return float("nan")
    design = np.column_stack([dose, np.ones(len(rows))])
    return float(np.exp(fit_logistic(design, won, n, np.arange(len(rows))).coef[0]))


def _with_person(rows: pd.DataFrame, name: str, steps: dict[int, int]) -> tuple[Floats, Floats]:
    """Take a pattern's steps, and their mean over each person's opportunities."""
    dose, n = (
        to_floats(take_step(rows[name], steps)),
        to_floats(rows["n"]),
    )
    person = pd.factorize(rows["rep_id"])[0]
    means = np.bincount(person, weights=dose * n) / np.bincount(person, weights=n)
    return dose, np.asarray(means[person])


def _fit(
    rows: pd.DataFrame, columns: Iterable[Floats], circumstances: tuple[str, ...] = ()
) -> Logistic:
    """Fit the odds of winning on columns and circumstances; errors by person."""
    clusters = pd.factorize(rows["rep_id"])[0].astype(np.int64)
    design = _design(rows, columns, circumstances)
    return fit_logistic(design, to_floats(rows["n_won"]), to_floats(rows["n"]), clusters)


def _fit_first(rows: pd.DataFrame, columns: Iterable[Floats]) -> float:
    """Fit the log odds ratio of the first column among alike opportunities."""
    design = _design(rows, columns, CIRCUMSTANCES)
    found = fit_coefficients(design, to_floats(rows["n_won"]), to_floats(rows["n"]))
    return float(found[0])


def _design(
    rows: pd.DataFrame, columns: Iterable[Floats], circumstances: tuple[str, ...]
) -> Floats:
    parts = [*columns, np.ones(len(rows))]
    for name in circumstances:
        codes, levels = pd.factorize(rows[name], sort=True)
        parts += [to_floats(codes == place) for place in range(1, len(levels))]
    return np.column_stack(parts)
