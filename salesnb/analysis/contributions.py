"""Contributions: a team's figure as the sum of what each member brought to it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from salesnb.analysis.estimate import estimate_kpi
from salesnb.analysis.matrix import grade_evidence
from salesnb.analysis.result import Result
from salesnb.analysis.wording import (
    format_change,
    format_value,
    name_level,
    name_some,
    within_sentence,
)
from salesnb.errors import ParameterError
from salesnb.language import format_number, mark, tr
from salesnb.measures.catalogue import Kpi
from salesnb.measures.measures import Measures

Against = Literal["company", "previous"]
NOBODY = {"rep": mark("Without an owner"), "team": mark("In no team")}
CONTRIBUTIONS_ANCHOR = "contributions"
FALSE_SPLITS = 0.002
"""Share of figures of equal members whose members are put in order all the same: a report has
several beside its matrix, and all of them together may claim a difference in at most 5%."""

_PARTS = ["unit_id", "unit", "value", "weight", "contribution", "n", "evidence"]
_MOST_NAMED = 3


@dataclass(frozen=True, eq=False, repr=False)
class Contributions(Result):
    """Members' parts of a team's figure; they add up to it exactly.

    Attributes
    ----------
    period, unit, by, kpi
        Quarter, whose figure, of whom the parts are (`rep` or `team`), and which figure.
    value, reference
        The figure, and what it is compared with (missing for totals, which are not compared).
    against
        What the reference is, in words; empty for totals.
    parts
        One row a member: own `value`; `weight`, the share of the whole's records (of a total:
        of the total); `contribution` (a total: the member's sum; else weight x (value -
        reference)); `n`; `evidence` against their level as in the matrix. By contribution
        where members differ beyond chance, else by name.
    p_value
        Of the test that members do not differ; missing below two.
    lacking
        Why there is nothing to split; empty when there is.
    """

    period: str
    unit: str
    by: Literal["rep", "team"]
    kpi: Kpi
    value: float
    reference: float
    against: str
    parts: pd.DataFrame
    p_value: float
    lacking: str
    currency: str

    @property
    def whole(self) -> float:
        """What the contributions add up to: the total, or value - reference."""
        return self.value - self.reference if self.kpi.is_ratio else self.value

    @property
    def is_beyond_chance(self) -> bool:
        """Whether members differ beyond chance, so that they may be put in order."""
        return self.kpi.direction != "neutral" and self.p_value < FALSE_SPLITS

    @property
    def finding(self) -> str:
        """Say what was split, and whether members differ."""
        if self.lacking:
            return f"{self.unit}: {self.lacking}."
        return f"{self._word_whole()}; {self._word_members()}."

    @property
    def caveat(self) -> str:
        """Say what a contribution is not."""
        if not self.kpi.is_ratio:
            return tr("Shares follow territory and time present as much as selling.")
        return tr("A part grows with a member's records: a large one need not be an unusual one.")

    def to_frame(self) -> pd.DataFrame:
        """List one row a member."""
        return self.parts.copy()

    def _word_whole(self) -> str:
        shown = format_value(self.kpi, self.value, self.currency)
        said = {
            "unit": self.unit,
            "kpi": within_sentence(self.kpi.label),
            "figure": shown,
            "period": self.period,
        }
        if not self.kpi.is_ratio:
            return tr("{unit}: {kpi} of {figure} in {period}", **said)
        level = format_value(self.kpi, self.reference, self.currency)
        if shown == level:
            return tr(
                "{unit}: {kpi} of {figure} in {period} is that of {whose}",
                whose=self.against, **said,
            )  # fmt: skip
        size = self.write_part(abs(self.whole)).removeprefix("+")
        said |= {"size": size, "level": level, "whose": self.against}
        if self.whole < 0:
            return tr(
                "{unit}: {kpi} of {figure} in {period} is {size} below the {level} of {whose}",
                **said,
            )
        return tr(
            "{unit}: {kpi} of {figure} in {period} is {size} above the {level} of {whose}", **said
        )

    def _word_members(self) -> str:
        members = self.parts[self.parts["unit_id"] != ""]
        if members.empty:
            return tr("all of it is nobody's")
        if len(members) == 1:
            is_person = self.by == "rep"
            return tr("all of it one person's") if is_person else tr("all of it one team's")
        if self.kpi.direction == "neutral":
            return tr("neither more nor less of it is better, so none is singled out")
        said: dict[str, object] = {"n": len(members), "members": name_level(self.by)}
        if not self.is_beyond_chance:
            return tr(
                "its {n} {members} do not differ beyond chance, so none is singled out", **said
            )
        better = members.loc[members["evidence"] >= 2, "unit"]
        worse = members.loc[members["evidence"] <= -2, "unit"][::-1]
        sides = [tr("{names} better", names=_name(better))] if len(better) else []
        sides += [tr("{names} worse", names=_name(worse))] if len(worse) else []
        if not sides:
            return tr("its {n} {members} differ, but nobody stands out surely", **said)
        return tr(
            "its {n} {members} differ: {sides} than their level", sides="; ".join(sides), **said
        )

    def write_part(self, part: float) -> str:
        """Write a contribution, one of a ratio with its sign."""
        if not self.kpi.is_ratio:
            return format_value(self.kpi, part, self.currency)
        if self.kpi.unit == "days" and math.isfinite(part):
            return tr("{number} days", number=format_number(part, 1, sign=True, group=False))
        return format_change(self.kpi, part, self.currency)


def contributions(
    measures: Measures, *, period: str, kpi: str = "bookings", team: str | None = None,
    against: Against | None = None,
) -> Contributions:  # fmt: skip
    """Split a team's figure among its members, or the company's among its teams.

    A total is split by who brought it. Of any other figure, the distance from the company's (or
    from the same unit's quarter before) is split: each member's part is weight x (own value -
    reference), with weight the member's share of the denominator. What people did counts for
    the team they were in that day, and what is nobody's is a part of its own, so the parts add up
    exactly. Sales cycles are split as means, because medians do not add up.

    Parameters
    ----------
    measures
        From `compute_measures` or `load_measures`.
    period
        Fiscal quarter; the last mature one before it where its cohort is too young.
    kpi
        Id of the KPI to split.
    team
        Id or name; None splits the company's figure among teams.
    against
        `company` (default for a team), or `previous` for the same unit's quarter before (the only
        choice for the company).

    Returns
    -------
    Contributions
        Without parts, and saying why, where there is nothing to split.

    Raises
    ------
    ParameterError
        Quarter, team or KPI is unknown, or `against` is, or is the company for itself.
    """
    measures.check_period(period)
    item = measures.kpi(kpi)
    team_id = measures.find_team(team) if team is not None else None
    against = _choose_reference(against, team_id)
    by: Literal["rep", "team"] = "team" if team_id is None else "rep"
    end = measures.latest_mature(item, period) or period
    sums = measures.roll_up(by=by, periods=(end,), team=team_id, kpi=kpi).set_index("unit_id")
    reference, named = _reference(measures, item, end, team_id, against)
    parts = split_sums(sums, item, reference)
    names = measures.people if by == "rep" else measures.teams
    known = names.set_index(f"{by}_id")["name"]
    parts["unit"] = [tr(NOBODY[by]) if unit == "" else known.get(unit, unit) for unit in sums.index]
    p_value, parts["evidence"] = _compare(item, sums)
    result = Contributions(
        period=end,
        unit=measures.unit_name(team_id),
        by=by,
        kpi=item,
        value=_value_of(sums, item),
        reference=reference,
        against=named,
        parts=parts.reset_index()[_PARTS],
        p_value=p_value,
        lacking=_find_lack(measures, item, end, sums, reference),
        currency=measures.company.currency,
    )
    return _in_order(result)


def _name(units: pd.Series[str]) -> str:
    return name_some(list(units), _MOST_NAMED)


def split_sums(sums: pd.DataFrame, kpi: Kpi, reference: float) -> pd.DataFrame:
    """Split a figure among the rows whose sums make it up.

    Parameters
    ----------
    sums
        One row a member: numerator, denominator, n.
    kpi
        Whether it is a ratio decides what is split.
    reference
        What a ratio is compared with.

    Returns
    -------
    DataFrame
        value, weight, contribution, n; all missing but `n` where a ratio has no denominator.
        Contributions add up to the total, or to the ratio of the sums less the reference.
    """
    numerator = sums["numerator"].astype(float)
    denominator = sums["denominator"].astype(float)
    parts = pd.DataFrame(index=sums.index)
    if not kpi.is_ratio:
        whole = math.fsum(numerator)
        parts["value"] = parts["contribution"] = numerator
        parts["weight"] = numerator / whole if whole else np.nan
    else:
        whole = math.fsum(denominator)
        over = whole if whole > 0 else np.nan
        parts["value"] = numerator / denominator.where(denominator > 0) * kpi.scale
        parts["weight"] = denominator / over
        parts["contribution"] = (kpi.scale * numerator - reference * denominator) / over
    parts["n"] = sums["n"].astype(float)
    return parts


def _choose_reference(against: str | None, team_id: str | None) -> Against:
    if against is None:
        return "previous" if team_id is None else "company"
    if against == "previous":
        return "previous"
    if against != "company":
        raise ParameterError(f"against: {against!r} is unknown. Known: company, previous.")
    if team_id is None:
        raise ParameterError("against: the company is not compared with itself. Use previous.")
    return "company"


def _value_of(sums: pd.DataFrame, kpi: Kpi) -> float:
    """Compute the whole's figure of its members' sums, as a mean where reports show a median."""
    numerator, denominator = math.fsum(sums["numerator"]), math.fsum(sums["denominator"])
    if not kpi.is_ratio:
        return numerator
    return numerator / denominator * kpi.scale if denominator > 0 else math.nan


def _reference(
    measures: Measures, kpi: Kpi, period: str, team_id: str | None, against: Against
) -> tuple[float, str]:
    """Find what a ratio is compared with, and its name; nothing for totals."""
    if not kpi.is_ratio:
        return math.nan, ""
    if against == "company":
        rows = measures.roll_up(by="company", periods=(period,), kpi=kpi.kpi)
        return _value_of(rows, kpi), tr("the company")
    before = measures.calendar.window(period, 2)[0]
    rows = measures.roll_up(by="company", periods=(before,), team=team_id, kpi=kpi.kpi)
    return _value_of(rows, kpi), before


def _compare(kpi: Kpi, sums: pd.DataFrame) -> tuple[float, pd.Series[int]]:
    """Test whether members differ, and grade each against the others, as the matrix does."""
    members = sums[sums.index != ""]
    graded = pd.Series(0, index=sums.index)
    if len(members) < 2 or kpi.direction == "neutral":
        return math.nan, graded
    estimates = estimate_kpi(kpi, members, n_draws=1000)
    p_value = float(estimates.heterogeneity.p_value)
    p_above = pd.Series(np.asarray(estimates.p_above, dtype=float), index=members.index)
    grade = grade_evidence(p_above, is_real=p_value < FALSE_SPLITS)
    return p_value, grade.reindex(sums.index, fill_value=0)


def _find_lack(
    measures: Measures, kpi: Kpi, period: str, sums: pd.DataFrame, reference: float
) -> str:
    if not measures.is_mature(kpi, period):
        return tr("{kpi} has no cohort that is old enough yet", kpi=kpi.label)
    if sums.empty or not math.isfinite(_value_of(sums, kpi)):
        return tr("{kpi} has no records in {period}", kpi=kpi.label, period=period)
    if kpi.is_ratio and not math.isfinite(reference):
        return tr("{kpi} has nothing to compare {period} with", kpi=kpi.label, period=period)
    return ""


def _in_order(result: Contributions) -> Contributions:
    """Put members by contribution where they differ, else by name; what is nobody's comes last."""
    parts = result.parts.assign(_last=result.parts["unit_id"] == "")
    keys = ["_last", "contribution", "unit"] if result.is_beyond_chance else ["_last", "unit"]
    ascending = [True, False, True] if result.is_beyond_chance else [True, True]
    parts = parts.sort_values(keys, ascending=ascending, ignore_index=True).drop(columns="_last")
    return replace(result, parts=parts.head(0) if result.lacking else parts)
