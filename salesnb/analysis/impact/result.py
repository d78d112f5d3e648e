"""What a training did: the result, its words and what it offers as findings."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from salesnb.analysis.finding import Candidate
from salesnb.analysis.impact.effect import Effect
from salesnb.analysis.impact.naive import PRE_POST
from salesnb.analysis.impact.verdict import TOLD, Check, Word
from salesnb.analysis.result import Result
from salesnb.analysis.wording import format_change, within_sentence
from salesnb.errors import DataError
from salesnb.language import format_share, tr
from salesnb.measures.catalogue import Kpi

IMPACT_ANCHOR = "training-impact"


@dataclass(frozen=True, eq=False, repr=False)
class TrainingImpact(Result):
    """What a training programme did to an outcome.

    Attributes
    ----------
    programme, course, skill, rule
        Its name, its course and the skill trained, and how people were chosen, as recorded.
    period, at
        Last quarter looked at; quarter of the training.
    design, design_text
        lottery, team, chosen or staggered; who was compared with whom, in words.
    kpi, currency
        The outcome, and the currency of money.
    verdict, why
        worked, moved the wrong way, no effect found or cannot tell; the reason.
    effect
        By the design, in the outcome's unit (logs where the KPI is compared on logs); of being
        assigned, whether or not the course was completed.
    spread
        Standard deviation of people's quarterly outcomes before, chance included: the unit of
        effects "in SD".
    smallest_seen
        Effect that would have been seen with 80% probability, in the outcome's unit.
    permutation_p
        p-value of a small lottery drawn again; missing for others.
    estimates
        One row a method: `method`, `role` (effect, bound, naive), `estimate`, `error`, `low90`,
        `high90`, `low95`, `high95`, `in_sd`, `p_value`, `off_by` (naive less effect), and `why`:
        what it counts as training that is none.
    checks
        What must hold for the comparison to mean anything.
    levels
        Kirkpatrick's levels: `level`, `measure`, `figure`, `low`, `high` (95%), `n`, `text`.
    event_study
        From `follow`: quarters relative to the training, with those before it.
    before, after
        Quarters compared.
    lacking
        What is missing to say anything.
    """

    programme: str
    course: str
    skill: str
    rule: str
    period: str
    at: str
    design: str
    design_text: str
    kpi: Kpi
    currency: str
    verdict: Word
    why: str
    effect: Effect
    spread: float
    permutation_p: float
    estimates: pd.DataFrame
    checks: tuple[Check, ...]
    levels: pd.DataFrame
    event_study: pd.DataFrame
    before: tuple[str, ...]
    after: tuple[str, ...]
    lacking: str = ""

    @property
    def smallest_seen(self) -> float:
        """Effect that would have been seen with 80% probability, in the outcome's unit."""
        return self.effect.smallest_seen

    @property
    def name(self) -> str:
        """Name the programme with its course."""
        return self.course if self.course in self.programme else f"{self.programme} ({self.course})"

    @property
    def finding(self) -> str:
        """Give the verdict in one sentence, with the effect or what could have been seen."""
        if self.lacking:
            return tr("Nothing to say on training: {why}.", why=self.lacking)
        what = within_sentence(self.kpi.label)
        if self.verdict in TOLD:
            low, high = (self.write(end) for end in self.effect.interval(0.95))
            size = self.write(self.effect.estimate)
            if self.verdict == "worked":
                return tr(
                    "{programme} worked: {kpi} {size} (95% interval {low} to {high}).",
                    programme=self.name, kpi=what, size=size, low=low, high=high,
                )  # fmt: skip
            return tr(
                "{programme}: {kpi} moved the wrong way beside those compared: {size} (95% "
                "interval {low} to {high}).",
                programme=self.name, kpi=what, size=size, low=low, high=high,
            )  # fmt: skip
        if self.verdict == "no effect found":
            return tr(
                "{programme}: no effect on {kpi} found; one of {size} would probably have been "
                "seen{seen_by}.",
                programme=self.name, kpi=what, seen_by=self.seen_by,
                size=self.write(self.kpi_sign * self.smallest_seen),
            )  # fmt: skip
        return tr(
            "{programme}: nobody can tell yet whether it changed {kpi}.",
            programme=self.name, kpi=what,
        )  # fmt: skip

    @property
    def caveat(self) -> str:
        """Say what the effect is of, and what could still be behind it."""
        if self.lacking:
            return ""
        of = tr("The effect is of being sent to the course, whether or not it was completed.")
        if self.design == "lottery":
            return of
        lots = tr(
            "Nobody drew lots: what else happened to the trained at the same time counts as "
            "training here."
        )
        return f"{of} {lots}"

    @property
    def seen_by(self) -> str:
        """Say what `smallest_seen` is of where a second comparison must agree; else ''."""
        needs_bound = (self.estimates["role"] == "bound").any()
        return tr(" by the first comparison alone") if needs_bound else ""

    @property
    def p_value(self) -> float:
        """Chance of so large an effect among equals; the bound is a condition, not a test."""
        return float(np.fmax(self.effect.p_value, self.permutation_p))

    @property
    def kpi_sign(self) -> float:
        """1 where more of the outcome is better, -1 where less is."""
        return -1.0 if self.kpi.direction == "down" else 1.0

    def write(self, change: float) -> str:
        """Write a change of the outcome in its unit; of outcomes on logs as a percentage."""
        if self.kpi.family == "log_mean":
            share = np.expm1(change)
            is_known = np.isfinite(share)
            return format_share(share, sign=True) if is_known else "–"
        return format_change(self.kpi, change * self.kpi.scale, self.currency)

    @property
    def before_after(self) -> float:
        """Change of the trained from before to after, as usually reported; missing if unknown."""
        rows = self.estimates[self.estimates["method"] == PRE_POST]
        return float(rows["estimate"].iloc[0]) if len(rows) else np.nan

    @property
    def anchor(self) -> str:
        """Id of the figure that shows it."""
        return f"{IMPACT_ANCHOR}-{self.kpi.kpi}"

    def check(self) -> str:
        """Check that what naive figures are off by adds up, and that no window meets another.

        Raises
        ------
        DataError
            A figure or a window does not fit.
        """
        naive = self.estimates[self.estimates["off_by"].notna()]
        apart = naive["estimate"] - naive["off_by"] - self.effect.estimate
        if (apart.abs() > 1e-9 * max(abs(self.effect.estimate), 1.0)).any():
            raise DataError("impact: naive figures less what they are off by are not the effect.")
        if self.after and not max(self.before) < self.at < min(self.after):
            raise DataError(f"impact: the quarters compared do not lie around {self.at}.")
        return f"{len(self.estimates)} ways of looking add up."

    def to_frame(self) -> pd.DataFrame:
        """List one row a method, the naive ones last."""
        return self.estimates.copy()

    def candidates(self) -> tuple[Candidate, ...]:
        """Offer the verdict: a change with its p-value, the rest as tested, and told last."""
        if self.lacking or not self.effect.is_known:
            return ()
        is_told = self.verdict in TOLD
        size = abs(self.effect.estimate) / self.spread if self.spread > 0 else 0.0
        tested_as = Candidate(
            text=self.finding,
            why=f"{self.design_text} {self.why}",
            anchor=self.anchor,
            effect=float(min(size / 2, 1.0)) if is_told else 0.0,
            p_value=self.p_value if is_told else max(self.p_value, 0.05),
            kpi=self.kpi.kpi,
        )
        return (tested_as,) if is_told else (tested_as, replace(tested_as, p_value=np.nan))
