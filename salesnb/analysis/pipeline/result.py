"""What `score_pipeline` gives: chances of open opportunities and how right such chances were."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from salesnb.analysis.finding import Candidate
from salesnb.analysis.pipeline.leaks import Leak
from salesnb.analysis.pipeline.quality import Quality
from salesnb.analysis.result import Result
from salesnb.analysis.wording import begin_large, count_things, format_money
from salesnb.errors import DataError
from salesnb.language import format_number, mark, tr, tr_many, write_day
from salesnb.measures.pictures.rows import Origin
from salesnb.sources.mapping import Company

SCORES_ANCHOR, AGES_ANCHOR = "chances", "ages"
METHODS = {
    "table": mark("the share won of each stage"),
    "logistic": mark("a logistic model"),
    "trees": mark("boosted trees"),
    "ages": mark("age alone"),
    "none": mark("nothing"),
}
"""What chances come from, as texts to be said by `tr`."""


@dataclass(frozen=True, eq=False, repr=False)
class PipelineScores(Result):
    """Chances of open opportunities.

    Attributes
    ----------
    open
        One row an open opportunity: those of the history, and `p` (chance of being won within
        `horizon_days`, 0-1), `p_low`, `p_high` and `n_as_old` (of chances by age alone),
        `p_quarter` (by the end of the quarter of `as_of`), `value` in the reporting currency and
        whether it `is_value_typical` (the mean of what was won of the product, as the CRM has no
        amount), `expected` (p x value) and `is_older` than any that was ever won.
    method, features
        `table`, `logistic`, `trees`, `ages` or `none`; what it was learned from.
    quality, table_quality
        How right the method, and the table by stage, were on the latest months; None without.
    tried
        method, log_loss, better_by, p_value of the methods compared.
    leaks
        Columns left out because they know the end.
    reasons
        opportunity_id, feature, effect, value, typical; of what is worth most in each team.
    quarters
        Past quarters foreseen from the same point, by team.
    ages, bookings, teams, stage_days
        Of the history; the middle of days in each stage.
    settles
        Amount at close over amount pictured, of what was won.
    oldest_won
        Age in days of the oldest one ever won.
    """

    open: pd.DataFrame
    method: Literal["table", "logistic", "trees", "ages", "none"]
    features: tuple[str, ...]
    quality: Quality | None
    table_quality: Quality | None
    tried: pd.DataFrame
    leaks: tuple[Leak, ...]
    reasons: pd.DataFrame
    quarters: pd.DataFrame
    ages: pd.DataFrame
    bookings: pd.DataFrame
    teams: pd.DataFrame
    stage_days: pd.Series[float]
    settles: float
    oldest_won: float
    origin: Origin
    lacking: tuple[str, ...]
    horizon_days: int
    company: Company
    as_of: dt.date
    snapshot_id: str

    @property
    def n_older(self) -> int:
        """Open opportunities older than any that was ever won."""
        return int(self.open["is_older"].sum())

    @property
    def finding(self) -> str:
        """Say what is open, what it is expected to bring, and how right such chances were."""
        n = len(self.open)
        if not n:
            return tr(
                "{company} has no open opportunity on {day}.",
                company=self.company.name,
                day=write_day(self.as_of),
            )
        opened = tr_many(
            "{company}: {n} opportunity is open",
            "{company}: {n} opportunities are open",
            n,
            company=self.company.name,
        )
        if self.method == "none":
            return tr(
                "{opened}; their chances cannot be told: {why_not}.",
                opened=opened,
                why_not=self.why_not,
            )
        known = self.open["p"].notna()
        said = tr(
            "{opened}, of which {wins} are expected to be won within {days} days, worth {expected}",
            opened=opened,
            wins=format_number(self.open.loc[known, "p"].sum()),
            days=self.horizon_days,
            expected=format_money(self.open["expected"].sum(), self.company.currency),
        )
        return f"{said}; {self._verdict()}."

    def _verdict(self) -> str:
        if self.quality is None or self.table_quality is None:
            return tr("from age alone, as the CRM keeps no history of the pipeline")
        error = format_number(self.quality.value("error") * 100, 1, group=False)
        if self.method == "table":
            return tr(
                "no model foresees better than the share won of each stage, which is off by "
                "{points} points on average",
                points=error,
            )
        return tr(
            "such chances were off by {points} points on average on later months", points=error
        )

    @property
    def why_not(self) -> str:
        """Say why there is no model; empty where there is one."""
        if self.quality is not None:
            return ""
        if self.origin == "nothing":
            return tr(
                "a model needs the pipeline's past (pipeline_snapshots, or stage_history with "
                "dates); the snapshot has none"
            )
        return tr(
            "a model needs months whose days ahead are over, with thirty won and thirty not won "
            "both before and in the latest three"
        )

    @property
    def caveat(self) -> str:
        """Say what chances rest on and what they do not say."""
        parts = []
        if self.quality is not None:
            parts.append(
                tr(
                    "Learned by {method} from what was over before {day}; judged on {pictures} "
                    "pictures of {opportunities} opportunities since",
                    method=tr(METHODS[self.method]),
                    day=write_day(self.quality.first_day),
                    pictures=format_number(self.quality.n),
                    opportunities=format_number(self.quality.n_opportunities),
                )
            )
        elif self.method == "ages":
            parts.append(tr("Depth is reduced: {why_not}", why_not=self.why_not))
        if self.leaks:
            names = ", ".join(leak.feature.name for leak in self.leaks)
            parts.append(tr("Left out because they know the end: {columns}", columns=names))
        parts.append(tr("Who works an opportunity is no part of its chance"))
        if self.method == "ages":
            parts += self._without_chance()
        if bool(self.open["is_value_typical"].any()):
            parts.append(
                tr_many(
                    "{n} without an amount is valued at the mean won amount of its product",
                    "{n} without an amount are valued at the mean won amount of their product",
                    int(self.open["is_value_typical"].sum()),
                )
            )
        return ". ".join(parts) + "."

    def _without_chance(self) -> list[str]:
        """Count those whose age gives no chance, by why."""
        is_missing, has_age = self.open["p"].isna(), self.open["age_days"].notna()
        counts = (
            (int((is_missing & ~has_age).sum()), tr("the day of creation is not known")),
            (int((is_missing & has_age).sum()), tr("no other was watched beyond that age")),
        )
        return [
            tr_many("{n} has no chance, as {why}", "{n} have no chance, as {why}", n, why=why)
            for n, why in counts
            if n
        ]

    def to_frame(self) -> pd.DataFrame:
        """List open opportunities, most expected first."""
        shown = [
            "opportunity_id", "account", "rep", "team_id", "stage", "age_days", "value", "p",
            "p_quarter", "expected", "is_older",
        ]  # fmt: skip
        rows = self.open.sort_values(["expected", "opportunity_id"], ascending=[False, True])
        return rows[shown].reset_index(drop=True)

    def check(self) -> pd.DataFrame:
        """Check that chances are chances and expected values add up.

        Raises
        ------
        DataError
            A chance lies outside 0 to 1, or an opportunity is listed twice.
        """
        p = pd.concat([self.open["p"], self.open["p_quarter"]]).dropna()
        if not p.between(0, 1).all():
            raise DataError("pipeline: a chance lies outside 0 to 1.")
        if self.open["opportunity_id"].duplicated().any():
            raise DataError("pipeline: an opportunity is listed twice.")
        whole = (self.open["p"] * self.open["value"]).sum()
        return pd.DataFrame(
            {
                "open": [len(self.open)],
                "expected": [round(float(self.open["expected"].sum()), 2)],
                "chance_times_value": [round(float(whole), 2)],
            }
        )

    def candidates(self) -> tuple[Candidate, ...]:
        """Offer what is too old and what leaks, as counts, and whether a model is any better."""
        offered = []
        if self.n_older:
            share = self.n_older / len(self.open)
            offered.append(
                Candidate(
                    tr_many(
                        "{company}: {n} of {opened} is older than any that was ever won ({days} "
                        "days).",
                        "{company}: {n} of {opened} are older than any that was ever won ({days} "
                        "days).",
                        self.n_older,
                        company=self.company.name,
                        opened=count_things(
                            len(self.open), "open opportunity", "open opportunities"
                        ),
                        days=format_number(self.oldest_won, group=False),
                    ),
                    tr("Age since creation, against the age at which others were won."),
                    AGES_ANCHOR,
                    min(1.0, share),
                    0.0,
                )
            )
        if self.method == "ages":
            offered.append(
                Candidate(
                    tr("Chances of open opportunities rest on their age alone."),
                    f"{begin_large(self.why_not)}.",
                    SCORES_ANCHOR,
                    0.0,
                    float("nan"),
                )
            )
        offered += [
            Candidate(
                tr("The column {column} {reason}: it is left out of chances.",
                   column=leak.feature.name, reason=leak.reason),
                tr("A column that knows the end makes chances look right and be wrong."),
                SCORES_ANCHOR, 0.2, 0.0,
            )
            for leak in self.leaks
        ]  # fmt: skip
        for row in self.tried[self.tried["method"] != "table"].to_dict("records"):
            offered.append(
                Candidate(
                    tr("{method} foresees better than what is simpler.",
                       method=tr(METHODS[str(row["method"])])),
                    tr("Log loss {value}.",
                       value=format_number(row["log_loss"], 3, group=False)),
                    SCORES_ANCHOR, 0.0, float(row["p_value"]),
                )
            )  # fmt: skip
        return tuple(offered)
