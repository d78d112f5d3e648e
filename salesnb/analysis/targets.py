"""Targets as a tree: whose they are, whether parts add up to the whole, what came of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from salesnb.analysis.finding import Candidate
from salesnb.analysis.result import Result
from salesnb.analysis.wording import format_precise, format_value, name_some, within_sentence
from salesnb.language import format_number, format_share, mark, tr
from salesnb.measures.catalogue import Kpi
from salesnb.measures.measures import Level, Measures
from salesnb.schema import targets

TARGETS_ANCHOR = "targets"

OwnerKind = Literal["rep", "team"]
Node = tuple[OwnerKind, str]
"""A rep or a team; an id may be both."""

QUOTA_KPI = "bookings"
"""The KPI whose targets are quotas, prorated by ramp and leave."""

_REP: OwnerKind = "rep"
_TEAM: OwnerKind = "team"
_LEVELS: dict[OwnerKind, Level] = {"rep": "rep", "team": "branch"}
_NOTABLE = 0.005
"""Share of a parent's target from which a gap is offered as a finding."""
_MOST_NAMED = 3
_ISSUES = {
    "no target": mark("{n} without a target ({names})"),
    "no owner": mark("{n} with a target but unknown ({names})"),
    "circular": mark("{n} at the top because their parents form a circle ({names})"),
}
_COLUMNS = [
    "owner_kind", "owner_id", "owner", "parent_id", "parent", "depth", "target", "prorated",
    "children", "n_children", "gap", "status", "issue", "actual", "attainment",
    "prorated_attainment", "n",
]  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False)
class TargetTree(Result):
    """Targets of a quarter, each parent before its children.

    Attributes
    ----------
    period, kpi, unit
        Quarter, KPI, and the company or team at the top.
    rows
        One row an owner: `owner_kind` (rep, team), `owner_id`, `owner` (name), `parent_id`,
        `parent`, `depth` (0 at the top), `target` (full; missing where none is set), `prorated`
        (the part of the reps' targets that ramp and leave allow; money KPIs of a quota only),
        `children` (sum of the `n_children` targets below), `gap` (target minus children),
        `status` (`gap`, `overlap`, `reconciled`, `not split`, or nothing), `issue` (`no target`,
        `no owner`, `circular`, or nothing), `actual`, `attainment` (actual / target),
        `prorated_attainment` (actual / prorated) and `n` records.
    is_over
        Whether the data hold the whole quarter; before, attainment is so far.
    """

    period: str
    kpi: Kpi
    unit: str
    rows: pd.DataFrame
    is_over: bool
    currency: str

    @property
    def is_additive(self) -> bool:
        """Whether children's targets add up to a parent's; rates do not."""
        return not self.kpi.is_ratio

    def unreconciled(self) -> pd.DataFrame:
        """Take the parents whose children do not add up to their target, largest gap first."""
        rows = self.rows[self.rows["status"].isin(["gap", "overlap"])]
        return rows.sort_values(["gap", "owner"], key=_by_size, ignore_index=True)

    @property
    def finding(self) -> str:
        """Say whether targets reconcile, and name the largest gap."""
        said = {"kpi": within_sentence(self.kpi.label), "period": self.period}
        if self.rows.empty or self.rows["target"].isna().all():
            return tr("{unit} has no {kpi} targets in {period}.", unit=self.unit, **said)
        if not self.is_additive:
            n = int(self.rows["target"].notna().sum())
            return tr("{n} {kpi} targets in {period}; rates do not add up.", n=n, **said)
        split = self.rows["status"].isin(["gap", "overlap", "reconciled"]).sum()
        apart = self.unreconciled()
        if not split:
            return tr(
                "No target of {period} is split into targets of reps or teams.",
                period=self.period,
            )
        if apart.empty:
            return tr(
                "Targets of {period} add up to the cent, in all {n} teams that split.",
                period=self.period, n=split,
            )  # fmt: skip
        first = describe_gap(self, apart.iloc[0])
        if split <= 1:
            return tr("Targets of {period} do not add up: {gap}.", period=self.period, gap=first)
        notable = len(self.candidates())
        found = {"n": len(apart), "of": split, "share": format_share(_NOTABLE, 1), "gap": first}
        if not notable:
            return tr(
                "Targets of {period} do not add up in {n} of {of} teams, all by less than "
                "{share}: {gap}.",
                period=self.period, **found,
            )  # fmt: skip
        return tr(
            "Targets of {period} do not add up in {n} of {of} teams, {notable} by {share} or "
            "more: {gap}.",
            period=self.period, notable=notable, **found,
        )  # fmt: skip

    @property
    def caveat(self) -> str:
        """Count the owners without targets, targets without owners, and circles."""
        parts = []
        for issue, words in _ISSUES.items():
            names = self.rows.loc[self.rows["issue"] == issue, "owner"]
            if len(names):
                parts.append(tr(words, n=len(names), names=_some(names)))
        return tr("Owners: {issues}.", issues="; ".join(parts)) if parts else ""

    def to_frame(self) -> pd.DataFrame:
        """List one row an owner."""
        return self.rows.copy()

    def candidates(self) -> tuple[Candidate, ...]:
        """Offer the gaps of at least half a percent of the parent's target."""
        offered = []
        for _, row in self.unreconciled().iterrows():
            share = abs(row["gap"]) / row["target"] if row["target"] > 0 else 1.0
            if share >= _NOTABLE:
                offered.append(
                    Candidate(
                        text=tr(
                            "Targets of {period} do not add up: {gap}.",
                            period=self.period,
                            gap=describe_gap(self, row),
                        ),
                        why=tr(
                            "A plain sum of the {n} targets below.",
                            n=format_number(row["n_children"]),
                        ),
                        anchor=TARGETS_ANCHOR,
                        effect=float(min(share, 1.0)),
                        p_value=0.0,
                        kpi=self.kpi.kpi,
                    )
                )
        return tuple(offered)


def describe_gap(tree: TargetTree, row: pd.Series[Any]) -> str:
    """Say in words how a parent's target and its children's sum differ."""
    size = format_precise(tree.kpi, abs(row["gap"]), tree.currency)
    whole = format_value(tree.kpi, row["target"], tree.currency)
    said = {"owner": row["owner"], "target": whole, "size": size}
    if row["gap"] > 0:
        return tr("{size} of {owner}'s {target} is nobody's target (gap)", **said)
    return tr("the targets below {owner} exceed its {target} by {size} (overlap)", **said)


def target_tree(
    measures: Measures, *, period: str, kpi: str = "bookings", team: str | None = None
) -> TargetTree:
    """Put a quarter's targets in a tree, and add each parent's children up.

    The parent is the target's own `parent_id`, else the rep's team in the quarter or the team
    above. Reps with a record in the quarter are listed where reps have targets at all; teams
    above an owner are listed with or without a target. Owners in a circle of parents are put at
    the top. Without targets the tree is empty. What a rep who changed team booked is the rep's
    whole, and each team's part is what was booked in it.

    Parameters
    ----------
    measures
        From `compute_measures` or `load_measures`.
    period
        Fiscal quarter, 2026Q3.
    kpi
        Id of the KPI the targets are of. Rates are shown beside their target, never added up.
    team
        Id or name: only this team and what is below it.

    Returns
    -------
    TargetTree

    Raises
    ------
    ParameterError
        Quarter, team or KPI is unknown.
    """
    measures.check_period(period)
    item = measures.kpi(kpi)
    top = measures.find_team(team) if team is not None else None
    rows = _list_rows(_grow(measures, period, kpi), top)
    if not item.is_ratio:
        rows = _add_children(rows)
    return TargetTree(
        period=period,
        kpi=item,
        unit=measures.unit_name(top),
        rows=_add_actuals(rows, measures, item, period)[_COLUMNS],
        is_over=measures.calendar.last_day(period) <= measures.as_of,
        currency=measures.company.currency,
    )


def own_targets(measures: Measures, period: str, kpi: str) -> dict[Node, float]:
    """Find the full targets set for a quarter and KPI, by owner."""
    rows = _targets_of(measures, period, kpi)
    owners = zip(rows[targets.owner_kind], rows[targets.owner_id], strict=True)
    return dict(zip(owners, rows[targets.target].astype(float), strict=True))


def prorated_targets(measures: Measures, period: str) -> dict[Node, float]:
    """Add up the reps' prorated quotas of a quarter: for each rep, team and team above."""
    if "quota_attainment" not in {kpi.kpi for kpi in measures.kpis}:
        return {}
    found: dict[Node, float] = {}
    for kind, level in _LEVELS.items():
        rows = measures.roll_up(by=level, periods=(period,), kpi="quota_attainment")
        rows = rows[rows["denominator"] > 0]
        owners = [(kind, unit) for unit in rows["unit_id"]]
        found |= dict(zip(owners, rows["denominator"], strict=True))
    return found


def _targets_of(measures: Measures, period: str, kpi: str) -> pd.DataFrame:
    rows = measures.targets
    if rows.empty:
        return rows
    is_one = (rows[targets.period] == period) & (rows[targets.kpi] == kpi)
    return rows[is_one & rows[targets.target].notna()]


@dataclass(frozen=True)
class _Tree:
    """Owners with their parents (None at the top), their names, and the targets set."""

    parents: dict[Node, Node | None]
    circular: frozenset[Node]
    names: dict[Node, str]
    own: dict[Node, float]


def _grow(measures: Measures, period: str, kpi: str) -> _Tree:
    """Find the owners of targets, who should have one, and all teams above them."""
    own = own_targets(measures, period, kpi)
    stated, homes = _stated_parents(measures, period, kpi), home_teams(measures, period)
    above: dict[str, dict[str, str]] = {
        _REP: homes,
        _TEAM: dict(zip(measures.teams["team_id"], measures.teams["parent_id"], strict=True)),
    }
    waiting = [*own, *_expected(own, homes)]
    parents: dict[Node, Node | None] = {}
    while waiting:
        node = waiting.pop()
        if node not in parents:
            kind, name = node
            parent = stated.get(node) or above[kind].get(name)
            parents[node] = (_TEAM, parent) if parent else None
            waiting += [(_TEAM, parent)] if parent else []
    circular = frozenset(node for node in parents if _is_within_itself(node, parents))
    return _Tree(parents | dict.fromkeys(circular), circular, _names(measures), own)


def _stated_parents(measures: Measures, period: str, kpi: str) -> dict[Node, str]:
    rows = _targets_of(measures, period, kpi)
    rows = rows[rows[targets.parent_id].notna()]
    owners = zip(rows[targets.owner_kind], rows[targets.owner_id], strict=True)
    return dict(zip(owners, rows[targets.parent_id], strict=True))


def home_teams(measures: Measures, period: str) -> dict[str, str]:
    """Find the team each rep was in for most of a quarter; '' where it was none."""
    rows = measures.totals
    rows = rows[(rows["period"] == period) & (rows["rep_id"] != "")]
    time = rows["denominator"].where(rows["kpi"] == "bookings", 0.0)
    spent = rows.assign(_time=time).groupby(["rep_id", "team_id"], observed=True)["_time"].sum()
    ordered = spent.reset_index().sort_values(["rep_id", "_time", "team_id"], kind="stable")
    last = ordered.drop_duplicates("rep_id", keep="last")
    return dict(zip(last["rep_id"], last["team_id"], strict=True))


def _expected(own: dict[Node, float], homes: dict[str, str]) -> list[Node]:
    """List who should have a target: reps where any rep has one, teams where any team has."""
    kinds = {kind for kind, _ in own}
    people: list[Node] = [(_REP, rep) for rep in homes]
    teams: list[Node] = [(_TEAM, team) for team in sorted(set(homes.values()) - {""})]
    return (people if _REP in kinds else []) + (teams if _TEAM in kinds else [])


def _is_within_itself(node: Node, parents: dict[Node, Node | None]) -> bool:
    above, seen = parents[node], set()
    while above is not None and above != node and above not in seen:
        seen.add(above)
        above = parents[above]
    return above == node


def _names(measures: Measures) -> dict[Node, str]:
    people = zip(measures.people["rep_id"], measures.people["name"], strict=True)
    teams = zip(measures.teams["team_id"], measures.teams["name"], strict=True)
    named: dict[Node, str] = {(_REP, rep): name for rep, name in people}
    return named | {(_TEAM, team): name for team, name in teams}


def _list_rows(tree: _Tree, top: str | None) -> pd.DataFrame:
    """List the owners below `top`, each parent before its children, teams before reps, by name."""
    below: dict[Node | None, list[Node]] = {}
    names = {node: tree.names.get(node, node[1]) for node in tree.parents}
    for node in sorted(names, key=lambda node: (node[0] == _REP, names[node], node[1])):
        below.setdefault(tree.parents[node], []).append(node)
    start = below.get(None, []) if top is None else [n for n in names if n == (_TEAM, top)]
    rows, waiting = [], [(node, 0) for node in reversed(start)]
    while waiting:
        node, depth = waiting.pop()
        parent = tree.parents[node]
        rows.append(
            {
                "owner_kind": node[0],
                "owner_id": node[1],
                "owner": names[node],
                "parent_id": parent[1] if parent else "",
                "parent": names[parent] if parent else "",
                "depth": depth,
                "target": tree.own.get(node, np.nan),
                "issue": _issue(node, tree),
            }
        )
        waiting += [(child, depth + 1) for child in reversed(below.get(node, []))]
    return pd.DataFrame(rows, columns=_COLUMNS).astype({"target": float, "gap": float})


def _issue(node: Node, tree: _Tree) -> str:
    if node in tree.circular:
        return "circular"
    if node not in tree.names:
        return "no owner"
    kinds = {kind for kind, _ in tree.own}
    return "no target" if node not in tree.own and node[0] in kinds else ""


def _add_children(rows: pd.DataFrame) -> pd.DataFrame:
    """Add each parent's children up and name what is left, all in whole cents."""
    cents = (rows["target"] * 100).round()
    known = rows.assign(_cents=cents)[cents.notna() & (rows["depth"] > 0)]
    sums = known.groupby("parent_id")["_cents"].agg(["sum", "size"])
    is_team = rows["owner_kind"] == _TEAM
    children = rows["owner_id"].map(sums["sum"]).where(is_team).astype(float)
    gap = cents - children
    status = np.select(
        [gap > 0, gap < 0, gap == 0, is_team & cents.notna()],
        ["gap", "overlap", "reconciled", "not split"],
        default="",
    )
    n_children = rows["owner_id"].map(sums["size"]).where(is_team).fillna(0).astype(int)
    return rows.assign(children=children / 100, n_children=n_children, gap=gap / 100, status=status)


def _add_actuals(rows: pd.DataFrame, measures: Measures, kpi: Kpi, period: str) -> pd.DataFrame:
    """Add what came of each target, and of its prorated part."""
    parts = []
    for kind, level in _LEVELS.items():
        found = measures.roll_up(by=level, periods=(period,), kpi=kpi.kpi)
        parts.append(found.assign(owner_kind=kind).rename(columns={"unit_id": "owner_id"}))
    actual = pd.concat(parts)[["owner_kind", "owner_id", "value", "n"]]
    out = rows.drop(columns=["actual", "n"]).merge(
        actual, on=["owner_kind", "owner_id"], how="left"
    )
    out = out.rename(columns={"value": "actual"}).fillna({"n": 0.0})
    if not kpi.is_ratio:
        out["actual"] = out["actual"].fillna(0.0)
    prorated = prorated_targets(measures, period) if kpi.kpi == QUOTA_KPI else {}
    owners = zip(out["owner_kind"], out["owner_id"], strict=True)
    out["prorated"] = [prorated.get(owner, np.nan) for owner in owners]
    if not kpi.is_ratio:
        out["attainment"] = out["actual"] / out["target"].where(out["target"] > 0)
        out["prorated_attainment"] = out["actual"] / out["prorated"]
    return out


def _some(names: pd.Series[str]) -> str:
    return name_some(list(names), _MOST_NAMED)


def _by_size(column: pd.Series[Any]) -> pd.Series[Any]:
    return -column.abs() if column.name == "gap" else column
