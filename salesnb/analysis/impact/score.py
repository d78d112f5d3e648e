"""Did a training work: from measures to the verdict."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from salesnb.analysis.impact.effect import UNKNOWN
from salesnb.analysis.impact.explain import (
    BOUND_METHOD,
    METHODS,
    describe_design,
    explain_naive,
    list_checks,
)
from salesnb.analysis.impact.levels import LEVELS, kirkpatrick_levels
from salesnb.analysis.impact.naive import ESTIMATES, estimates_table
from salesnb.analysis.impact.panel import outcome_panel
from salesnb.analysis.impact.programmes import READY, programmes
from salesnb.analysis.impact.result import TrainingImpact
from salesnb.analysis.impact.study import (
    EVENTS,
    Study,
    compare,
    design_ramped,
)
from salesnb.analysis.impact.successive import Joint, join
from salesnb.analysis.impact.verdict import Verdict, decide
from salesnb.analysis.wording import begin_large
from salesnb.errors import ParameterError
from salesnb.language import tr
from salesnb.measures.catalogue import Kpi, find_kpis
from salesnb.measures.measures import Measures
from salesnb.progress import long

OUTCOME = "win_rate"


@long("Judging the training")
def training_impact(
    measures: Measures, *, programme: str = "", outcome: str = OUTCOME, period: str = "",
    random_state: int = 0,
) -> TrainingImpact:  # fmt: skip
    """Tell whether a training programme did anything to an outcome.

    The recorded selection rule decides how: a lottery is judged by those who waited, whole teams
    as teams, everything else by changes beside untrained people with the quarters they were chosen
    by left out, and then only called working when people alike in results before say so too.

    Parameters
    ----------
    measures
        From `load_measures`; without trainings the result is empty and says so.
    programme
        A programme or a course (id or name) as `programmes` lists them; of a course whose groups
        were trained one after another all are judged together. '' is the latest that can be
        judged.
    outcome
        KPI to look at; its family decides the scale (shares, logs, sums per quarter worked).
    period
        Last quarter to look at; '' is the latest.
    random_state
        Seed of the draws that test a small lottery.

    Returns
    -------
    TrainingImpact

    Raises
    ------
    ParameterError
        Programme, outcome or quarter is unknown, or the outcome has no honest error.

    Notes
    -----
    ANCOVA of a randomised waitlist; symmetric differences in differences (Chabe-Ferret 2015) with
    the lagged-outcome regression as second bound (Angrist and Pischke 2009, 5.4); Callaway and
    Sant'Anna 2021 for groups trained one after another.
    """
    listed = programmes(measures, period=period)
    if outcome in measures.missing:
        needs = tr(
            "{kpi} needs {what}; the snapshot has none", kpi=outcome, what=measures.missing[outcome]
        )
        return _nothing(measures, listed.period, needs, find_kpis((outcome,))[0])
    kpi = measures.kpi(outcome)
    if kpi.family == "plain" or kpi.is_stock:
        raise ParameterError(f"outcome: {outcome} has no error model. Use {OUTCOME} or bookings.")
    rows = listed.find(programme)
    if rows.empty:
        lacking = listed.lacking or tr(
            "no programme can be judged by {period}", period=listed.period
        )
        return _nothing(measures, listed.period, lacking, kpi)
    rows = _choose(rows)
    chosen = [row for _, row in rows.iterrows()]
    studies = [_study(measures, row, kpi, listed.period) for row in chosen]
    panel = outcome_panel(measures, kpi, period=listed.period, at=studies[0].at)
    parts = [compare(study, panel, random_state=random_state) for study in studies]
    joint = join(studies, parts, panel)
    return _conclude(measures, _merge(rows), studies[0], kpi, joint, listed.period)


def _choose(rows: pd.DataFrame) -> pd.DataFrame:
    """Take what is judged together: groups chosen one after another, else the latest that can."""
    ready = rows[rows["status"] == READY]
    if len(ready) > 1 and (ready["design"] == "chosen").all():
        return ready.sort_values("assigned_on")
    return (ready if len(ready) else rows).head(1)


def _merge(rows: pd.DataFrame) -> pd.Series:
    """Take one programme's row; of several groups name the course and add up their people."""
    if len(rows) == 1:
        return rows.iloc[0]
    sums = {name: int(rows[name].sum()) for name in ("n_assigned", "n_completed")}
    rules = ", ".join(dict.fromkeys(rule for rule in rows["rule"] if rule))
    first = rows.head(1).assign(programme=rows["course"].iloc[0], rule=rules, **sums)
    return first.iloc[0]


def _study(measures: Measures, row: pd.Series, kpi: Kpi, period: str) -> Study:
    panel = outcome_panel(measures, kpi, period=period, at=str(row["period"]))
    return design_ramped(measures, row, panel.periods)


def _conclude(
    measures: Measures, row: pd.Series, study: Study, kpi: Kpi, joint: Joint, period: str
) -> TrainingImpact:
    first = joint.parts[0]
    columns = first.windows.before
    spread = first.panel.take(~first.trained).spread(columns) if len(columns) else np.nan
    checks = list_checks(joint)
    needs_bound = joint.design in ("chosen", "staggered")
    verdict = decide(
        joint.effect, joint.bound if needs_bound else None, checks, spread=spread,
        sign=-1.0 if kpi.direction == "down" else 1.0, permutation_p=joint.permutation_p,
        is_of_teams=joint.design == "team",
    )  # fmt: skip
    if row["status"] != READY:
        verdict = Verdict("cannot tell", begin_large(f"{row['status']}."))
    named = [(METHODS[joint.design], "effect", joint.effect)]
    if needs_bound:
        named.append((BOUND_METHOD, "bound", joint.bound))
    result = TrainingImpact(
        programme=str(row["programme"]), course=str(row["course"]), skill=str(row["skill"]),
        rule=str(row["rule"]), period=period, at=study.at, design=joint.design,
        design_text=describe_design(joint, rule=str(row["rule"]), n_assigned=row["n_assigned"]),
        kpi=kpi, currency=measures.company.currency, verdict=verdict.word, why=verdict.why,
        effect=joint.effect, spread=spread, permutation_p=joint.permutation_p,
        estimates=estimates_table(joint, named=tuple(named), spread=spread), checks=checks,
        levels=kirkpatrick_levels(
            measures, study, row, result=kpi.label, result_effect=joint.effect, period=period,
            n_people=sum(int(part.trained.sum()) for part in joint.parts),
        ),
        event_study=joint.event_study,
        before=tuple(first.panel.periods[column] for column in first.windows.before),
        after=tuple(first.panel.periods[column] for column in first.windows.after),
    )  # fmt: skip
    return replace(result, estimates=explain_naive(result, first))


def _nothing(measures: Measures, period: str, lacking: str, kpi: Kpi) -> TrainingImpact:
    """Say what is missing."""
    return TrainingImpact(
        programme="", course="", skill="", rule="", period=period, at="", design="",
        design_text="", kpi=kpi, currency=measures.company.currency, verdict="cannot tell",
        why=lacking, effect=UNKNOWN, spread=np.nan, permutation_p=np.nan,
        estimates=pd.DataFrame(columns=ESTIMATES), checks=(),
        levels=pd.DataFrame(columns=LEVELS), event_study=pd.DataFrame(columns=EVENTS), before=(),
        after=(), lacking=lacking,
    )  # fmt: skip
