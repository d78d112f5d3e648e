"""What the process is judged by: a team's counts of some quarters, stages, and names of stages."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from salesnb.analysis.wording import count_things, format_day, name_some
from salesnb.language import mark, tr, tr_many
from salesnb.measures.flow.stays import ENTERED
from salesnb.measures.measures import Measures

WINDOW = 4
NO_HISTORY = mark(
    "stages cannot be followed: that needs stage_history (when an opportunity entered each stage) "
    "and stages with stage_order"
)
_NEAR = pd.Timedelta(days=31)
_MOST_NAMES = 3


@dataclass(frozen=True)
class Rename:
    """A stage whose name stopped when another began, between the same stages."""

    old: str
    new: str
    last_on: pd.Timestamp
    n: int


def of_teams(
    rows: pd.DataFrame, teams: tuple[str, ...] | None, periods: tuple[str, ...]
) -> pd.DataFrame:
    """Take the counts of some teams, or of the company for None, in some quarters."""
    kept = rows["period"].isin(periods)
    return rows[kept] if teams is None else rows[kept & rows["team_id"].isin(teams)]


def name_teams(measures: Measures) -> dict[str, str]:
    """Name the teams that have members, by id, so that no two are named alike.

    Teams are set side by side by what their own members did, so that none holds another: of a team
    with others below it the name says so.
    """
    teams = measures.team_ids()
    named = {team: measures.team_name(team) for team in teams}
    names = list(named.values())
    parents = {team for team in teams if set(measures.teams_within(team)) & (set(teams) - {team})}
    shown = {
        team: f"{name} [{team}]" if names.count(name) > 1 else name for team, name in named.items()
    }
    return {
        team: tr("{team} (own members)", team=name) if team in parents else name
        for team, name in shown.items()
    }


def cohort(
    measures: Measures, teams: tuple[str, ...] | None, periods: tuple[str, ...]
) -> pd.DataFrame:
    """Count the opportunities created in some quarters as a life table has it.

    Returns
    -------
    DataFrame
        days, event (entered at day 0; won, lost, open), n.
    """
    rows = of_teams(measures.flow.fates, teams, periods)
    ends = rows.rename(columns={"fate": "event"})[["days", "event", "n"]]
    begins = pd.DataFrame({"days": [0], "event": [ENTERED], "n": [int(rows["n"].sum())]})
    return pd.concat([begins, ends.astype({"days": "int64", "n": "int64"})], ignore_index=True)


def open_stages(measures: Measures) -> tuple[str, ...]:
    """List the stages before the end of the process, first first; none without an order."""
    rows = measures.flow.stages
    if rows.empty:
        return ()
    return tuple(rows.loc[~(rows["is_won"] | rows["is_lost"]), "stage"])


def is_lacking(measures: Measures) -> bool:
    """Tell whether there is no history of stages to follow."""
    return measures.flow.stays.empty


def find_renames(measures: Measures) -> tuple[Rename, ...]:
    """Find stages that nobody lists, whose name stopped when a listed one's began.

    Both must be followed or preceded by the same stage most of the time; a stage that was in use
    from the beginning took over from none.
    """
    names, steps = measures.flow.stage_names, measures.flow.steps
    if names.empty:
        return ()
    begun = names["first_on"].min()
    found = []
    late = names[names["is_listed"] & (names["first_on"] > begun + _NEAR)]
    for old in names[~names["is_listed"]].to_dict("records"):
        near = late[(late["first_on"] - old["last_on"]).abs() <= _NEAR]
        for new in near["stage"]:
            if _neighbours(steps, old["stage"]) & _neighbours(steps, new):
                found.append(Rename(old["stage"], new, old["last_on"], int(old["n"])))
    return tuple(found)


def _neighbours(steps: pd.DataFrame, stage: str) -> set[tuple[str, str]]:
    """Name the stage that came next most often, and the one before."""
    sides = {"after": ("from_stage", "to_stage"), "before": ("to_stage", "from_stage")}
    found = set()
    for side, (own, other) in sides.items():
        rows = steps[steps[own] == stage].groupby(other, observed=True)["n"].sum()
        if len(rows):
            found.add((side, str(rows.idxmax())))
    return found


def say_within(days: int) -> str:
    """Say a time limit.

    >>> say_within(1), say_within(90)
    ('within 1 day', 'within 90 days')
    """
    return tr_many("within {n} day", "within {n} days", days)


def describe_names(measures: Measures) -> str:
    """Say which stages' names or ends the list lacks; empty where it lacks none."""
    return f"{_describe_ends(measures)} {_describe_unlisted(measures)}".strip()


def _describe_ends(measures: Measures) -> str:
    rows = measures.flow.stages
    if rows.empty or is_lacking(measures):
        return ""
    found = rows[rows["is_found_end"].astype(bool)]
    if len(found):
        texts = [
            tr("{stage} (won)", stage=row["stage"]) if row["is_won"]
            else tr("{stage} (lost)", stage=row["stage"])
            for row in found.to_dict("records")
        ]  # fmt: skip
        return tr(
            "Taken to end the process, as opportunities were closed when they entered them: "
            "{stages}. If that is wrong, set is_won and is_lost in stages.",
            stages=name_some(texts, _MOST_NAMES),
        )
    if rows["is_won"].any() or rows["is_lost"].any():
        return ""
    return tr(
        "No stage is known to mean won or lost, neither by the list nor as opportunities were "
        "closed when they entered it: if one does, set is_won or is_lost in stages, for else it "
        "counts as one more stage to move on to."
    )


def _describe_unlisted(measures: Measures) -> str:
    names = measures.flow.stage_names
    unlisted = names[~names["is_listed"].astype(bool)] if len(names) else names
    if unlisted.empty:
        return ""
    shown = unlisted.sort_values(["n", "stage"], ascending=[False, True])
    texts = [
        tr(
            "{stage} ({times}, last on {day})",
            stage=row["stage"],
            times=count_things(row["n"], "time", "times"),
            day=format_day(row["last_on"]),
        )
        for row in shown.to_dict("records")
    ]
    said = tr(
        "In the history but in no list of stages, so they end the stage before and are not "
        "followed: {stages}.",
        stages=name_some(texts, _MOST_NAMES),
    )
    renames = [
        tr(
            "{old} was probably renamed {new}: under stage_history in your mapping write {line}.",
            old=one.old,
            new=one.new,
            line=f"map: {{{one.old}: {one.new}}}",
        )
        for one in find_renames(measures)
    ]
    return " ".join([said, *renames])
