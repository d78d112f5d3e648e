"""Process compliance: how often the process is kept to, beside before and beside other teams."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from salesnb.analysis.finding import FALSE_CLAIMS, Candidate
from salesnb.analysis.multiplicity import control_discoveries
from salesnb.analysis.process.change import (
    FEWEST,
    NO_CHANGE,
    chance_if_equal,
    compare_shares,
    find_wobble,
    plain_share,
    quarterly,
)
from salesnb.analysis.process.records import NO_HISTORY, WINDOW, is_lacking, of_teams, open_stages
from salesnb.analysis.result import Result
from salesnb.analysis.wording import name_quarters, within_sentence
from salesnb.language import format_number, format_share, mark, tr
from salesnb.measures.flow import CLOSED_WITHOUT_HISTORY, NO_NEXT_STEP, WON_UNQUALIFIED
from salesnb.measures.habits import BACKDATED_WINS, CLOSE_DATES_PUSHED
from salesnb.measures.measures import Measures

COMPLIANCE_ANCHOR = "process-compliance"
SKIPPED, WENT_BACK, REOPENED, UNLISTED = "skipped", "went_back", "reopened", "unlisted"
STALLED = "stalled_share"
LABELS = {
    SKIPPED: mark("Steps forward that skip a stage"),
    WENT_BACK: mark("Steps back to an earlier stage"),
    REOPENED: mark("Closed and opened again"),
    UNLISTED: mark("Steps to a stage that no list has"),
    CLOSED_WITHOUT_HISTORY: mark("Closed without any stage on record"),
    WON_UNQUALIFIED: mark("Won without a qualified stage"),
    NO_NEXT_STEP: mark("Open without a close date ahead"),
    STALLED: mark("Open and not answered for long"),
    CLOSE_DATES_PUSHED: mark("Close date pushed out of the quarter"),
    BACKDATED_WINS: mark("Wins entered after their quarter"),
}
"""All practices, in the order they are shown, as texts to be said by `tr`."""
_ROWS = [
    "practice", "label", "n", "of", "share", "low", "high", "n_before", "of_before",
    "share_before", "p_value", "changed", "differ", "teams_differ",
]  # fmt: skip
_AHEAD = mark("a close date ahead stands for one, as it is on the last day of the data")
_NOT_AHEAD = mark(
    "a close date ahead could stand for one, but is known of the last day of the data only, so it "
    "is not shown for other quarters"
)
_COUNTS = ["team_id", "period", "practice", "of", "n"]


@dataclass(frozen=True, eq=False, repr=False)
class Compliance(Result):
    """How often the process is kept to.

    Attributes
    ----------
    unit, period, before
        Name of the team or company; the quarter and the quarters before it.
    rows
        One row a practice there are data for: practice, label, n events `of` occasions in the
        quarter (what was opened again was one), share (95% interval low to high), n_before,
        of_before and share_before in the quarters before, p_value of the change and `changed`
        (Benjamini-Hochberg, for all tests of the table), `differ` and `teams_differ`: the same for
        a difference between teams, missing in a team's own table.
    lacking
        What some practices need that is not there; empty when nothing lacks.
    """

    unit: str
    period: str
    before: tuple[str, ...]
    rows: pd.DataFrame
    lacking: str = ""

    @property
    def finding(self) -> str:
        """Name what changed, else what is most frequent."""
        if self.rows.empty:
            return tr(
                "{unit}: nothing is on record to tell whether the process is kept to.",
                unit=self.unit,
            )
        changed = self.rows[self.rows["changed"] < FALSE_CLAIMS]
        if changed.empty:
            return tr(
                "{unit}: no habit of the process changed beyond chance in {quarter} ({n} looked "
                "at).",
                unit=self.unit,
                quarter=self.period,
                n=len(self.rows),
            )
        return self._describe(changed.sort_values("p_value").iloc[0])

    def _describe(self, row: pd.Series[float]) -> str:
        return tr(
            "{unit}: {practice}: {share} in {quarter}, {share_before} in {quarters_before}.",
            unit=self.unit,
            practice=within_sentence(str(row["label"])),
            share=format_share(row["share"], 1),
            quarter=self.period,
            share_before=format_share(row["share_before"], 1),
            quarters_before=name_quarters(self.before),
        )

    @property
    def caveat(self) -> str:
        """Say what the record can and cannot show."""
        is_seen = (self.rows["practice"] == NO_NEXT_STEP).any()
        said = tr(
            "Only what is written down is seen. Skipping a stage or going back can be right for an "
            "opportunity. The data have no next steps: {instead}.",
            instead=tr(_AHEAD) if is_seen else tr(_NOT_AHEAD),
        )
        return f"{said} {self.unit}: {self.lacking}." if self.lacking else said

    def to_frame(self) -> pd.DataFrame:
        """List one row a practice."""
        return self.rows.copy()

    def candidates(self) -> tuple[Candidate, ...]:
        """Offer each change and each difference between teams that was tested."""
        offered = []
        for _, row in self.rows.iterrows():
            gap = abs(row["share"] - row["share_before"])
            if not math.isnan(row["p_value"]):
                offered.append(self._offer(row, self._describe(row), gap, row["p_value"]))
            if not math.isnan(row["differ"]):
                text = tr(
                    "{unit}: teams differ in {practice}.",
                    unit=self.unit,
                    practice=within_sentence(str(row["label"])),
                )
                offered.append(self._offer(row, text, row["share"], row["differ"]))
        return tuple(offered)

    def _offer(self, row: pd.Series[float], text: str, effect: float, p_value: float) -> Candidate:
        return Candidate(
            text=text,
            why=tr(
                "{n} of {of} in {quarter}.",
                n=format_number(row["n"]),
                of=format_number(row["of"]),
                quarter=self.period,
            ),
            anchor=COMPLIANCE_ANCHOR,
            effect=min(float(effect), 1.0) / 2,
            p_value=float(p_value),
        )


def process_compliance(measures: Measures, *, period: str, team: str | None = None) -> Compliance:
    """Count how often the process is kept to, beside the four quarters before.

    Parameters
    ----------
    measures
        From `compute_measures` or `load_measures`; practices without data are left out.
    period
        Fiscal quarter.
    team
        Id or name, with the teams below it; None is the whole company, whose teams are compared.

    Returns
    -------
    Compliance
        Changes are tested on log odds, allowing for how much quarters differ anyway; teams by
        Pearson's test of equal shares.

    Raises
    ------
    ParameterError
        Quarter or team is unknown.
    """
    measures.check_period(period)
    team_id = measures.find_team(team) if team is not None else None
    before = measures.window(measures.calendar.shift(period, -1), WINDOW)
    counts = _count_all(measures)
    own = of_teams(counts, measures.ids_within(team_id), (*before, period))
    rows = [
        _judge(practice, own[own["practice"] == practice], period, before, team_id is None)
        for practice in LABELS
        if own.loc[(own["practice"] == practice) & (own["period"] == period), "of"].sum() > 0
    ]
    frame = pd.DataFrame(rows, columns=_ROWS)
    tests = pd.concat([frame["p_value"], frame["differ"]], ignore_index=True).astype(float)
    adjusted = control_discoveries(tests).to_numpy()
    frame["changed"], frame["teams_differ"] = adjusted[: len(frame)], adjusted[len(frame) :]
    lacking = tr(NO_HISTORY) if is_lacking(measures) else ""
    return Compliance(measures.unit_name(team_id), period, before, frame, lacking)


def _count_all(measures: Measures) -> pd.DataFrame:
    """Bring all practices to counts by team and quarter."""
    habits = measures.habits[measures.habits["habit"].isin([CLOSE_DATES_PUSHED, BACKDATED_WINS])]
    stalled = measures.totals[measures.totals["kpi"] == STALLED]
    frames = [
        _count_steps(measures),
        measures.flow.practices,
        habits.rename(columns={"habit": "practice"}),
        stalled.assign(practice=STALLED, n=stalled["numerator"], of=stalled["denominator"]),
    ]
    types = {"team_id": object, "period": object}
    known = [frame[_COUNTS].astype(types) for frame in frames if len(frame)]
    whole = pd.concat(known, ignore_index=True) if known else pd.DataFrame(columns=_COUNTS)
    keys = ["team_id", "period", "practice"]
    return whole.groupby(keys, as_index=False, observed=True)[["of", "n"]].sum()


def _count_steps(measures: Measures) -> pd.DataFrame:
    """Count steps that skip, go back, open again, or go where no list leads."""
    steps, listed = measures.flow.steps, measures.flow.stages
    if steps.empty or listed.empty:
        return pd.DataFrame(columns=_COUNTS)
    order = dict(zip(listed["stage"], listed["stage_order"], strict=True))
    lost = frozenset(listed.loc[listed["is_lost"].astype(bool), "stage"])
    process = _Process(order, open_stages(measures), lost)
    pairs = steps[["from_stage", "to_stage"]].drop_duplicates().astype(str)
    kinds = [
        (begin, end, *kind)
        for begin, end in zip(pairs["from_stage"], pairs["to_stage"], strict=True)
        for kind in process.judge(begin, end)
    ]
    kind = pd.DataFrame(kinds, columns=["from_stage", "to_stage", "practice", "is_n", "is_of"])
    rows = steps.merge(kind, on=["from_stage", "to_stage"])
    n, of = (rows["n"] * rows[name].astype(int) for name in ("is_n", "is_of"))
    sums = rows.assign(n=n, of=of).groupby(_COUNTS[:3], as_index=False, observed=True)[["n", "of"]]
    counts = sums.sum()
    # What was opened again had been closed, be it before the quarter: it was an occasion too.
    return counts.assign(of=counts[["n", "of"]].max(axis=1))


@dataclass(frozen=True)
class _Process:
    """The stages by their place, the open ones, and those that mean lost."""

    order: dict[str, float]
    opened: tuple[str, ...]
    lost: frozenset[str]

    def judge(self, begin: str, end: str) -> list[tuple[str, bool, bool]]:
        """Say of which practices a step is an event, and of which an occasion."""
        order, was_open, is_open = self.order, begin in self.opened, end in self.opened
        kinds = [(UNLISTED, end not in order, True)]
        if was_open and is_open:
            kinds.append((WENT_BACK, order[end] < order[begin], True))
        if was_open and end in order and end not in self.lost and order[end] > order[begin]:
            skips = any(order[begin] < order[stage] < order[end] for stage in self.opened)
            kinds.append((SKIPPED, skips, True))
        if begin in order and not was_open and is_open:
            kinds.append((REOPENED, True, False))
        if was_open and end in order and not is_open:
            kinds.append((REOPENED, False, True))
        return kinds


def _judge(
    practice: str, counts: pd.DataFrame, period: str, before: tuple[str, ...], is_company: bool
) -> tuple[object, ...]:  # fmt: skip
    now = counts[counts["period"] == period]
    past = counts[counts["period"].isin(before)]
    n, of, n_before, of_before = (
        float(rows[name].sum()) for rows in (now, past) for name in ("n", "of")
    )
    share, earlier = plain_share(n, of), plain_share(n_before, of_before)
    is_enough = min(n + n_before, of - n + of_before - n_before) >= FEWEST
    wobble = find_wobble(quarterly(counts, before))
    change = compare_shares(share, earlier, wobble) if is_enough else NO_CHANGE
    sums = now.groupby("team_id")[["n", "of"]].sum()
    differ = math.nan
    if is_company:
        differ = chance_if_equal(sums["n"].to_numpy(float), sums["of"].to_numpy(float))
    return (
        practice, tr(LABELS[practice]), int(n), int(of), share.value, share.low, share.high,
        int(n_before), int(of_before), earlier.value, change.p_value, math.nan, differ, math.nan,
    )  # fmt: skip
