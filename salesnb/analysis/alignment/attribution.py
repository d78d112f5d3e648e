"""Attribution: who gets the credit for opportunities, by three models side by side."""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import Any, Literal

import pandas as pd
from scipy.stats import binomtest

from salesnb.analysis.alignment.rows import (
    called,
    check_choice,
    look_at,
    name_unit,
    order_units,
    share_of,
    tested,
)
from salesnb.analysis.finding import FALSE_CLAIMS, Candidate
from salesnb.analysis.multiplicity import control_discoveries
from salesnb.analysis.result import Result
from salesnb.analysis.wording import count_opportunities, count_things
from salesnb.language import format_share, mark, tr, tr_many
from salesnb.measures.demand.names import MODELS, NO_TOUCH, OTHER, TOTALS
from salesnb.measures.measures import Measures

ATTRIBUTION_ANCHOR = "attribution"
NO_TOUCHES = mark("who gets the credit for opportunities needs the table touches")
NO_CAMPAIGNS = mark("crediting campaigns needs touches.campaign")
_CREDITS = [f"{name}_{model}" for name in TOTALS for model in MODELS]
_PARTS = ["touched", "opened", "closed", "both", "assisted"]
_UNITS = [
    "unit", *_CREDITS, *_PARTS, "opens_share", "closes_share", "partner", "n_partner", "p_value",
    "adjusted", "why",
]  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False)
class Attribution(Result):
    """Opportunities, wins and bookings credited to what marketing did before them.

    Attributes
    ----------
    period, unit, by
        Quarter asked for, name of the team or company, and who is credited.
    window
        Quarters in which the opportunities were created.
    rows
        One row a source or campaign: opportunities, won and booked by each model (`booked_first`,
        `booked_last`, `booked_linear`, ...); opportunities it touched, opened, closed, did both of
        and only assisted; its shares of all openings and closings; the other one that most often
        closed what it opened (or opened what it closed), and how often; the chance of opening and
        closing so differently often, adjusted for the number of rows; and the difference in words.
        What no touch came before is a row of its own, so that every model adds up to all.
    totals
        opportunities, won and booked of the window.
    currency
        Of what was booked.
    lacking
        Why there is nothing to show; empty when there is.
    """

    period: str
    unit: str
    by: Literal["source", "campaign"]
    window: tuple[str, ...]
    rows: pd.DataFrame
    totals: pd.DataFrame
    currency: str
    lacking: str = ""

    @property
    def touched(self) -> pd.DataFrame:
        """The rows that stand for touches."""
        return self.rows[self.rows["unit"] != NO_TOUCH]

    @property
    def n_touched(self) -> float:
        """Opportunities that any touch came before."""
        return float(self.touched["opportunities_first"].sum())

    @property
    def n(self) -> float:
        """All opportunities."""
        return float(self.rows["opportunities_first"].sum())

    @property
    def finding(self) -> str:
        """Say who opens most and closes least, and the other way round."""
        if self.lacking:
            return f"{self.unit}: {self.lacking}."
        said = tr_many(
            "{unit}: {n} of {opportunities} was touched before",
            "{unit}: {n} of {opportunities} were touched before",
            self.n_touched,
            unit=self.unit,
            opportunities=count_opportunities(self.n),
        )
        clear = self.touched[self.touched["adjusted"] < FALSE_CLAIMS]
        gap = clear["opens_share"] - clear["closes_share"]
        if clear.empty:
            return tr("{said}; who opens and who closes does not differ beyond chance.", said=said)
        ends = clear.assign(gap=gap).sort_values(["gap", "unit"], ascending=[False, True])
        ends = pd.concat([ends[ends["gap"] > 0].head(1), ends[ends["gap"] < 0].tail(1)])
        words = [
            tr(
                "{source} opens {opens} of them and closes {closes}",
                source=name_unit(row["unit"]),
                opens=format_share(row["opens_share"]),
                closes=format_share(row["closes_share"]),
            )
            for row in ends.to_dict("records")
        ]
        return f"{'; '.join([said, *words])}."

    @property
    def caveat(self) -> str:
        """Say what counts as a touch before, and that credit is no cause."""
        if self.lacking:
            return ""
        return tr(
            "Opportunities created in {first} to {last}, with what is won and booked of them so "
            "far; touches up to the day of creation. The models share the same sums out by "
            "different rules. None of them says what would have been without a touch: for that, "
            "leave it out somewhere by lot.",
            first=self.window[0],
            last=self.window[-1],
        )

    def to_frame(self) -> pd.DataFrame:
        """List one row a source or campaign."""
        return self.rows.copy()

    def candidates(self) -> tuple[Candidate, ...]:
        """Offer, for each one, the difference between what it opens and closes as a test."""
        if self.lacking:
            return ()
        return tuple(
            self._offer(row) for row in self.touched.to_dict("records")
            if math.isfinite(row["p_value"])
        )  # fmt: skip

    def _offer(self, row: dict[Hashable, Any]) -> Candidate:
        gap = abs(float(row["opens_share"] - row["closes_share"]))
        return Candidate(
            text=f"{self.unit}: {row['why']}",
            why=tr(
                "{opportunities} created in {first} to {last} and touched before; tested within "
                "opportunities.",
                opportunities=count_opportunities(self.n_touched),
                first=self.window[0],
                last=self.window[-1],
            ),
            anchor=f"{ATTRIBUTION_ANCHOR}-{self.by}",
            # What the table itself calls no difference is a test, and not a finding.
            effect=gap if row["adjusted"] < FALSE_CLAIMS else 0.0,
            p_value=float(row["p_value"]),
        )


def attribution(
    measures: Measures, *, period: str, by: Literal["source", "campaign"] = "source",
    team: str | None = None,
) -> Attribution:  # fmt: skip
    """Credit opportunities to their first touch, their last, and all of them equally.

    The three models add up to the same sums. Whether one opens as often as it closes is tested
    within opportunities (McNemar, exact), all rows together (Benjamini-Hochberg).

    Parameters
    ----------
    measures
        From `compute_measures` or `load_measures`; without touches the result says so.
    period
        Fiscal quarter; opportunities created in it and in the three before are looked at.
    by
        Who is credited.
    team
        Id or name; None is the whole company.

    Returns
    -------
    Attribution

    Raises
    ------
    ParameterError
        Quarter, team or `by` is unknown.

    Source: McNemar (1947), Psychometrika 12, 153-157.
    """
    check_choice("by", by, ("source", "campaign"))
    view = look_at(measures, period, team)
    nothing = Attribution(
        period, view.unit, by, view.periods, pd.DataFrame(columns=_UNITS),
        pd.DataFrame(columns=list(TOTALS)), measures.company.currency,
    )  # fmt: skip
    if measures.demand.touch_roles.empty:
        return replace(nothing, lacking=tr(NO_TOUCHES))
    if by == "campaign" and not (measures.demand.credits["campaign"] != "").any():
        return replace(nothing, lacking=tr(NO_CAMPAIGNS))
    credited = view.take(measures.demand.credits)
    if not len(view.take(measures.demand.touch_roles)):
        lacking = tr("no opportunity of {quarters} was touched before", quarters=view.span)
        return replace(nothing, lacking=lacking)
    rows = _credit(credited, by)
    if by == "source":
        parts = _take_parts(view.take(measures.demand.touch_roles))
        partners = _find_partners(view.take(measures.demand.touch_paths))
        rows = rows.merge(parts, on="unit", how="left").merge(partners, on="unit", how="left")
    else:
        # Campaigns are not paired: without those that did both the test claims less, not more.
        rows = rows.assign(
            touched=math.nan, opened=rows["opportunities_first"],
            closed=rows["opportunities_last"], both=0.0, assisted=math.nan, partner="",
            n_partner=0.0,
        )  # fmt: skip
    rows = _test(rows.fillna({"partner": "", "n_partner": 0.0}))
    totals = credited[credited["model"] == MODELS[0]][list(TOTALS)].sum().to_frame().T
    return replace(nothing, rows=rows[_UNITS], totals=totals)


def _credit(credited: pd.DataFrame, by: str) -> pd.DataFrame:
    """Bring the credits of the models beside each other."""
    rows = credited.assign(unit=called(credited[by]))
    wide = rows.pivot_table(
        index="unit", columns="model", values=list(TOTALS), aggfunc="sum", fill_value=0.0
    )
    wide.columns = wide.columns.map("_".join)
    wide = wide.reindex(columns=_CREDITS, fill_value=0.0).reset_index()
    wide = order_units(wide, "unit", "opportunities_first")
    is_last = wide["unit"] == NO_TOUCH
    return pd.concat([wide[~is_last], wide[is_last]], ignore_index=True)


def _take_parts(roles: pd.DataFrame) -> pd.DataFrame:
    return roles.assign(unit=called(roles["source"])).groupby("unit", as_index=False)[_PARTS].sum()


def _find_partners(paths: pd.DataFrame) -> pd.DataFrame:
    """Find who most often closes what one opens, or opens what it closes, whichever is more."""
    first, last = called(paths["first_source"]), called(paths["last_source"])
    apart = paths.assign(first=first, last=last)[first != last]
    sums = apart.groupby(["first", "last"])["opportunities"].sum().reset_index()
    opens = sums.set_axis(["unit", "partner", "n_partner"], axis=1)
    closes = sums.set_axis(["partner", "unit", "n_partner"], axis=1)
    opened, closed = (rows.groupby("unit")["n_partner"].sum() for rows in (opens, closes))
    more: pd.Series[float] = opened.sub(closed, fill_value=0.0)
    openers = more.index[more >= 0]
    kept = [opens[opens["unit"].isin(openers)], closes[~closes["unit"].isin(openers)]]
    found = pd.concat(kept).sort_values(
        ["unit", "n_partner", "partner"], ascending=[True, False, True]
    )
    return found.drop_duplicates("unit")[["unit", "partner", "n_partner"]]


def _test(rows: pd.DataFrame) -> pd.DataFrame:
    """Test each row's openings against its closings, and say the difference in words."""
    is_touch = rows["unit"] != NO_TOUCH
    n = float(rows.loc[is_touch, "opportunities_first"].sum())
    rows = rows.assign(
        opens_share=[share_of(value, n) for value in rows["opportunities_first"].where(is_touch)],
        closes_share=[share_of(value, n) for value in rows["opportunities_last"].where(is_touch)],
        p_value=[
            _compare_ends(row) if row["unit"] not in (NO_TOUCH, OTHER) else math.nan
            for row in rows.to_dict("records")
        ],
    )
    rows["adjusted"] = control_discoveries(rows["p_value"])
    rows["why"] = [_explain(row) for row in rows.to_dict("records")]
    return rows


def _compare_ends(row: dict[Hashable, Any]) -> float:
    opened, closed = (round(row[name] - row["both"]) for name in ("opened", "closed"))
    if not opened + closed:
        return math.nan
    return tested(float(binomtest(opened, opened + closed).pvalue))


def _explain(row: dict[Hashable, Any]) -> str:
    """Say why the models differ on one."""
    if row["unit"] == NO_TOUCH:
        return tr("No touch came before these: no model can say who brought them.")
    shares = tr(
        "{source} opens {opens} and closes {closes}",
        source=name_unit(row["unit"]),
        opens=format_share(row["opens_share"]),
        closes=format_share(row["closes_share"]),
    )
    if not row["adjusted"] < FALSE_CLAIMS:
        return tr("{shares}: no difference beyond chance.", shares=shares)
    is_opener = row["opens_share"] > row["closes_share"]
    words = (
        tr("{shares}: the first-touch model shows it larger", shares=shares) if is_opener
        else tr("{shares}: the last-touch model shows it larger", shares=shares)
    )  # fmt: skip
    if not row["partner"]:
        return f"{words}."
    times, partner = count_things(row["n_partner"], "time", "times"), name_unit(row["partner"])
    pair = (
        tr("{partner} most often closes what it opens ({times})", partner=partner, times=times)
        if is_opener
        else tr("it most often closes what {partner} opens ({times})", partner=partner, times=times)
    )
    return f"{words}; {pair}."
