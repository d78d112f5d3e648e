"""Findings: what a reader must know, chosen from what the results of a report offer."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import pandas as pd
from scipy.stats import false_discovery_control

from salesnb.analysis.finding import FALSE_CLAIMS, Candidate, Offering
from salesnb.analysis.result import Result
from salesnb.language import tr
from salesnb.measures.catalogue import CATALOGUE
from salesnb.measures.privacy import is_about_one
from salesnb.privacy import read_choice

Evidence = Literal["strong", "moderate", "assumption", "not enough evidence"]
STRONG = 0.01
"""Adjusted p-value below which evidence is strong."""

MOST_OF_A_KPI = 2
_SAME_FIGURE = 0.7
"""Weight of a finding for each one before it that rests on the same figure."""

_SUREST = 1e-4
"""Adjusted p-value at which certainty is full."""

_IMPORTANCE = {kpi.kpi: kpi.importance for kpi in CATALOGUE}


@dataclass(frozen=True)
class Finding:
    """One sentence, its reason, how sure it is, its KPI, and the id of what shows it.

    `p_value` allows for all that the report has tested: 0 for a plain count, missing where
    nothing was found. What rests on an assumption says so in place of how sure it is. `strength`
    (effect x certainty x importance, 0-1) orders the findings.
    """

    text: str
    why: str
    evidence: Evidence
    kpi: str
    anchor: str
    p_value: float
    strength: float


@dataclass(frozen=True, eq=False, repr=False)
class Findings(Result):
    """The findings of a report, strongest first.

    `n_tested` counts all sentences that were tested for it.
    """

    items: tuple[Finding, ...]
    n_tested: int = 0

    @property
    def finding(self) -> str:
        """The first one, or that there is none."""
        return self.items[0].text if self.items else tr("Nothing stands out this quarter.")

    @property
    def caveat(self) -> str:
        """Say out of how many tests the findings come."""
        if not self.n_tested:
            return ""
        return tr(
            "Chosen from {n} that were tested together: where nothing is behind the figures, at "
            "most one report in twenty claims anything.",
            n=self.n_tested,
        )

    def to_frame(self) -> pd.DataFrame:
        """List one row a finding."""
        return pd.DataFrame([vars(item) for item in self.items])


def find_insights(*results: Result, most: int = 5) -> Findings:
    """Say what stands out in a report, out of all that its results have tested.

    All tests of the report are corrected together (Benjamini-Hochberg), so that at most 5% of
    companies in which nothing is behind the figures are told anything. Nobody is named on a KPI
    in which people do not differ beyond chance, and in a batch of teams only nobody at all.

    Parameters
    ----------
    results
        What the report shows: those with `candidates()` offer them, others have nothing to say.
    most
        Findings at most.

    Returns
    -------
    Findings
        By effect times certainty times the KPI's importance, at most two about one KPI and
        rather from different figures; a sentence that nothing was found comes last, one of them.

    Source: Benjamini & Hochberg (1995), J. R. Stat. Soc. B 57, 289-300.
    """
    offered = _once([item for result in results for item in _offers(result)])
    tested = [item for item in offered if item.p_value > 0]
    silent = [item for item in offered if math.isnan(item.p_value)]
    importance = _find_importance(results)
    told = [
        _grade(item, p_value, importance)
        for item, p_value in zip(tested, _adjust(tested), strict=True)
        if p_value < FALSE_CLAIMS and item.effect > 0
    ]
    told += [
        _grade(item, 0.0, importance) for item in offered if item.p_value == 0 and item.effect > 0
    ]
    last = [_grade(item, math.nan, importance) for item in silent[: min(most, 1)]]
    return Findings((*_pick(told, most - len(last)), *last), len(tested))


def _once(offered: list[Candidate]) -> tuple[Candidate, ...]:
    """Drop what was offered before: the same test in the same words, be it shown elsewhere too."""
    first: dict[tuple[str, str, str], Candidate] = {}
    for item in offered:
        # As text, since a missing p-value is not equal to itself.
        first.setdefault((item.text, item.why, f"{item.p_value!r}"), item)
    return tuple(first.values())


def _offers(result: Result) -> tuple[Candidate, ...]:
    if not isinstance(result, Offering):
        return ()
    if read_choice().mode != "team_only":
        return result.candidates()
    # its parts of a report are left out: also how many people there are of a kind is
    offered = () if result.tells_of_people else result.candidates()
    return tuple(item for item in offered if not is_about_one(f"{item.text} {item.why}"))


def _adjust(tested: list[Candidate]) -> list[float]:
    p_values = [item.p_value for item in tested]
    return [float(p_value) for p_value in false_discovery_control(p_values)] if p_values else []


def _find_importance(results: tuple[Result, ...]) -> dict[str, float]:
    """Take each KPI's importance as the results have it, which a batch may have weighed anew."""
    kpis = [kpi for result in results for kpi in getattr(result, "kpis", ())]
    return _IMPORTANCE | {kpi.kpi: kpi.importance for kpi in kpis}


def _grade(item: Candidate, p_value: float, importance: dict[str, float]) -> Finding:
    evidence: Evidence = "not enough evidence"
    certainty = 0.0
    if not math.isnan(p_value):
        evidence = "strong" if p_value < STRONG else "moderate"
        evidence = "assumption" if item.is_assumed else evidence
        certainty = min(math.log(max(p_value, _SUREST)) / math.log(_SUREST), 1.0)
    return Finding(
        text=item.text,
        why=item.why,
        evidence=evidence,
        kpi=item.kpi,
        anchor=item.anchor,
        p_value=p_value,
        strength=min(item.effect, 1.0) * certainty * importance.get(item.kpi, 1.0),
    )


def _pick(told: list[Finding], most: int) -> list[Finding]:
    """Pick the strongest, one by one, each figure counting less the more it has told already."""
    waiting, picked = list(told), list[Finding]()
    while waiting and len(picked) < most:
        figures = [item.anchor for item in picked]
        best = max(
            waiting, key=lambda item: item.strength * _SAME_FIGURE ** figures.count(item.anchor)
        )
        picked.append(best)
        of_kpi = sum(item.kpi == best.kpi for item in picked)
        is_full = bool(best.kpi) and of_kpi >= MOST_OF_A_KPI
        waiting = [
            item for item in waiting if item is not best and not (is_full and item.kpi == best.kpi)
        ]
    return picked
