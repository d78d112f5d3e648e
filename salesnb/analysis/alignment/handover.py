"""The handover: what marketing hands over, what sales takes up, and what it hands back and why."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from salesnb.analysis.alignment.rows import (
    NO_LEADS,
    NOT_SAID,
    called,
    look_at,
    name_unit,
    order_units,
    tested,
    wilson,
)
from salesnb.analysis.finding import FALSE_CLAIMS, Candidate
from salesnb.analysis.multiplicity import control_discoveries
from salesnb.analysis.rates import estimate_rates
from salesnb.analysis.result import Result
from salesnb.analysis.wording import count_things, list_words
from salesnb.language import format_share, mark, tr, tr_many
from salesnb.measures.demand.names import LEAD_COUNTS, OTHER, STAGES_OF_REJECTION
from salesnb.measures.measures import Measures

HANDOVER_ANCHOR = "handover"
_COUNTS = ["leads", "in_time", "late", "rejected", "rejected_unseen", "qualified",
           "qualified_rejected", "waiting"]  # fmt: skip
_UNITS = ["unit", *_COUNTS, "untouched", "rejected_share", "low", "high"]
_REASONS = ["reason", "n", "share", *STAGES_OF_REJECTION, "top_source"]
_DONE = {
    "in_time": mark("answered {share} in time"),
    "untouched": mark("has not answered {share} yet"),
    "rejected": mark("rejected {share}"),
}
_COMPARED = {
    "source": mark("{leads} of {quarter}, {n} sources compared."),
    "team": mark("{leads} of {quarter}, {n} teams compared."),
}
_SIGNS = ["what", "marketing_says", "sales_says", "n", "of", "share", "low", "high"]


@dataclass(frozen=True)
class Sign:
    """Records of marketing and sales that contradict each other: `part` of `whole`.

    What stands in words is said by `tr`.
    """

    what: str
    marketing_says: str
    sales_says: str
    part: str
    whole: str
    needs: tuple[str, ...] = ("first_touch_at",)


SIGNS = (
    Sign(mark("Accepted, then handed back"), mark("qualified"), mark("rejected"),
         "qualified_rejected", "qualified", ("qualified_at",)),
    Sign(mark("Rejected without a look"), mark("handed over"), mark("rejected, and never touched"),
         "rejected_unseen", "rejected"),
    Sign(mark("Rejected, yet an opportunity"), mark("became an opportunity"), mark("rejected"),
         "rejected_opportunities", "rejected", ()),
    Sign(mark("Qualified without a touch"), mark("qualified"), mark("never touched"),
         "qualified_unseen", "qualified", ("qualified_at", "first_touch_at")),
    Sign(mark("Nobody says anything"), mark("handed over"),
         mark("neither touched, qualified nor rejected"), "waiting", "leads"),
)  # fmt: skip


def say_sign(row: Mapping[Hashable, Any]) -> str:
    """Say what a row of `Handover.signs` counts.

    >>> say_sign({"n": 1, "of": 9, "marketing_says": "qualified", "sales_says": "rejected"})
    '1 of 9 leads is qualified for marketing and rejected for sales'
    """
    return tr_many(
        "{n} of {leads} is {marketing_says} for marketing and {sales_says} for sales",
        "{n} of {leads} are {marketing_says} for marketing and {sales_says} for sales",
        row["n"],
        leads=count_things(row["of"], "lead", "leads"),
        marketing_says=row["marketing_says"],
        sales_says=row["sales_says"],
    )


@dataclass(frozen=True, eq=False, repr=False)
class Handover(Result):
    """What became of the leads handed over in a quarter, and who says what.

    Attributes
    ----------
    period, unit
        Quarter in which the leads came in, and name of the team or company.
    sources, teams
        One row a source or team: unit, leads handed over, answered in_time and late, untouched,
        rejected (rejected_unseen: without a touch), qualified, qualified_rejected, waiting, and
        rejected_share with 90% interval, pulled to the others as far as leads are few.
    reasons
        reason (in small letters; `not stated` where only the day is known), n, share of all
        rejections, n by stage of the handover, and the source with most; duplicate and invalid
        leads among them.
    signs
        Where records disagree: what, marketing_says, sales_says, n of `of`, share with interval.
    tests
        test and p_value, adjusted for the number of tests.
    lacking
        Why there is nothing to show; empty when there is.
    """

    period: str
    unit: str
    sources: pd.DataFrame
    teams: pd.DataFrame
    reasons: pd.DataFrame
    signs: pd.DataFrame
    tests: pd.DataFrame
    lacking: str = ""

    @property
    def n(self) -> float:
        """Valid leads handed over."""
        return float(self.sources["leads"].sum())

    def differs(self, what: str) -> bool:
        """Whether `source` or `team` makes a difference to rejections beyond chance."""
        rows = self.tests[self.tests["test"] == what]
        return bool((rows["adjusted"] < FALSE_CLAIMS).any())

    @property
    def finding(self) -> str:
        """Say how many were answered in time, how many handed back, and mostly why."""
        if self.lacking:
            return f"{self.unit}: {self.lacking}."
        sums = self.sources[[*_COUNTS, "untouched"]].sum(min_count=1)
        shares = {name: float(value) / self.n for name, value in sums.items()}
        parts = [
            tr(text, share=format_share(shares[name]))
            for name, text in _DONE.items()
            if math.isfinite(shares[name])
        ]
        said = tr(
            "{unit}: of {leads} of {quarter} sales {did}",
            unit=self.unit,
            leads=count_things(self.n, "lead", "leads"),
            quarter=self.period,
            did=list_words(parts) or tr("has recorded nothing of them"),
        )
        unsaid = ["duplicate", "invalid", NOT_SAID]
        real = self.reasons[~self.reasons["reason"].isin(unsaid)]
        if real.empty:
            return f"{said}."
        reason = name_unit(real.iloc[0]["reason"])
        return tr("{said}, most often for {reason}.", said=said, reason=reason)

    @property
    def caveat(self) -> str:
        """Say what is counted, and what the records leave open."""
        if self.lacking:
            return ""
        return tr(
            "Valid leads by the quarter they came in; what happens to them later is not in it yet. "
            "Reasons are as sales wrote them, duplicate and invalid leads included. A rejection "
            "may be right: a high share says that both see a lead differently, not who errs."
        )

    def to_frame(self) -> pd.DataFrame:
        """List one row a source."""
        return self.sources.copy()

    def candidates(self) -> tuple[Candidate, ...]:
        """Offer differences between sources and teams as tests, contradictions as counts."""
        if self.lacking:
            return ()
        tests = [self._offer(row) for row in self.tests.to_dict("records")
                 if math.isfinite(row["p_value"])]  # fmt: skip
        return (*tests, *self._offer_signs())

    def _offer(self, row: dict[Hashable, Any]) -> Candidate:
        units = self.sources if row["test"] == "source" else self.teams
        compared = _COMPARED[row["test"]]
        units = units[(units["leads"] > 0) & (units["unit"] != OTHER)]
        units = units.sort_values("rejected_share", kind="stable")
        low, high = units.iloc[0], units.iloc[-1]
        return Candidate(
            text=tr(
                "{unit}: sales rejects {most} of the leads of {high} and {least} of those of "
                "{low}.",
                unit=self.unit,
                most=format_share(high["rejected_share"]),
                high=name_unit(high["unit"]),
                least=format_share(low["rejected_share"]),
                low=name_unit(low["unit"]),
            ),
            why=tr(
                compared,
                leads=count_things(self.n, "lead", "leads"),
                quarter=self.period,
                n=len(units),
            ),
            anchor=HANDOVER_ANCHOR,
            effect=float(high["rejected_share"] - low["rejected_share"]),
            p_value=float(row["p_value"]),
        )

    def _offer_signs(self) -> list[Candidate]:
        return [
            Candidate(
                text=f"{self.unit}: {say_sign(row)}.",
                why=tr("{what}, leads of {quarter}.", what=row["what"], quarter=self.period),
                anchor=f"{HANDOVER_ANCHOR}-signs",
                effect=float(row["share"]) / 2,
                p_value=0.0,
            )
            for row in self.signs.to_dict("records")
            if row["n"] > 0
        ]


def handover(
    measures: Measures, *, period: str, team: str | None = None, n_draws: int = 2000
) -> Handover:
    """Follow the leads of a quarter over the handover from marketing to sales.

    Parameters
    ----------
    measures
        From `compute_measures` or `load_measures`; without leads the result says so.
    period
        Fiscal quarter in which the leads came in.
    team
        Id or name; None is the whole company.
    n_draws
        Posterior draws a source or team.

    Returns
    -------
    Handover

    Raises
    ------
    ParameterError
        Quarter or team is unknown.
    """
    view = look_at(measures, period, team, n=1)
    rows = view.take(measures.demand.lead_flow)
    nothing = Handover(
        period, view.unit, pd.DataFrame(columns=_UNITS), pd.DataFrame(columns=_UNITS),
        pd.DataFrame(columns=_REASONS), pd.DataFrame(columns=_SIGNS),
        pd.DataFrame(columns=["test", "p_value", "adjusted"]),
    )  # fmt: skip
    if measures.demand.lead_flow.empty:
        return replace(nothing, lacking=tr(NO_LEADS))
    if not rows["leads"].sum():
        lacking = tr("no valid lead came in in {quarter}", quarter=period)
        return replace(nothing, lacking=lacking)
    sources, by_source = _by_unit(rows.assign(unit=called(rows["source"])), n_draws)
    labels = rows["team_id"].map(_label_teams(measures, rows["team_id"]))
    teams, by_team = _by_unit(rows.assign(unit=labels), n_draws)
    tests = pd.DataFrame({"test": ["source", "team"], "p_value": [by_source, by_team]})
    unknown = _unknown(measures)
    return replace(
        nothing,
        sources=sources.assign(**dict.fromkeys(unknown, math.nan)),
        teams=teams.assign(**dict.fromkeys(unknown, math.nan)),
        reasons=_list_reasons(view.take(measures.demand.rejections)),
        signs=_find_signs(rows, measures),
        tests=tests.assign(adjusted=control_discoveries(tests["p_value"])),
    )


def _unknown(measures: Measures) -> list[str]:
    """List the columns of which the data say nothing: 0 would claim that nobody did it."""
    unknown = []
    if "sla_share" in measures.missing:
        unknown += ["in_time", "late", "untouched", "rejected_unseen", "waiting"]
    if "lead_to_qualified" in measures.missing:
        unknown += ["qualified", "qualified_rejected"]
    if measures.demand.rejections.empty and not measures.demand.lead_flow["rejected"].any():
        unknown += ["rejected", "rejected_unseen", "qualified_rejected", "rejected_share", "low",
                    "high"]  # fmt: skip
    return list(dict.fromkeys(unknown))


def _label_teams(measures: Measures, team_ids: pd.Series[str]) -> dict[str, str]:
    """Name each team; teams of one name are told apart by their ids."""
    ids = team_ids.drop_duplicates()
    names = ids.map(measures.team_name)
    shared = names.duplicated(keep=False)
    return dict(zip(ids, names.where(~shared, names + " (" + ids + ")"), strict=True))


def _by_unit(rows: pd.DataFrame, n_draws: int) -> tuple[pd.DataFrame, float]:
    """Add leads up by unit, estimate the share rejected, and test whether units differ."""
    units = rows.groupby("unit", as_index=False)[list(LEAD_COUNTS)].sum()
    units = order_units(units[units["leads"] > 0], "unit", "leads")
    rates = estimate_rates(
        units["rejected"], units["leads"], labels=list(units["unit"]), n_draws=n_draws
    )
    shown = rates.to_frame()
    units["untouched"] = units["leads"] - units["touched"]
    units["rejected_share"] = shown["estimate"]
    units["low"], units["high"] = shown["low"], shown["high"]
    p_value = float(rates.heterogeneity.p_value) if units["rejected"].any() else math.nan
    return units[_UNITS], tested(p_value)


def _list_reasons(rows: pd.DataFrame) -> pd.DataFrame:
    if rows.empty:
        return pd.DataFrame(columns=_REASONS)
    rows = rows.assign(reason=called(rows["reason"]))
    wide = rows.pivot_table(index="reason", columns="stage", values="n", aggfunc="sum")
    wide = wide.reindex(columns=list(STAGES_OF_REJECTION)).fillna(0.0)
    n = wide.sum(axis=1)
    by_source = rows.groupby(["reason", "source"])["n"].sum().reset_index()
    most = by_source.sort_values(["n", "source"], ascending=[False, True])
    top = called(most.drop_duplicates("reason").set_index("reason")["source"])
    found = wide.assign(n=n, share=n / n.sum(), top_source=top).reset_index()
    return order_units(found, "reason", "n")[_REASONS]


def _find_signs(rows: pd.DataFrame, measures: Measures) -> pd.DataFrame:
    """Count contradictions between records that there are."""
    sums = rows[list(LEAD_COUNTS)].sum()
    kpis = {"first_touch_at": "sla_share", "qualified_at": "lead_to_qualified"}
    found = []
    for sign in SIGNS:
        if any(kpis[need] in measures.missing for need in sign.needs):
            continue
        part, whole = float(sums[sign.part]), float(sums[sign.whole])
        share = part / whole if whole else math.nan
        words = (tr(text) for text in (sign.what, sign.marketing_says, sign.sales_says))
        found.append((*words, part, whole, share, *wilson(part, whole)))
    return pd.DataFrame(found, columns=_SIGNS)
