"""Themes of feedback: what comments are about, as groups of people say it, never one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.stats import false_discovery_control, hypergeom
from scipy.stats import t as student

from salesnb.analysis.feedback.records import LACKING, known_feedback, people_at_work
from salesnb.analysis.feedback.topics import TOP_WORDS, Topics, find_topics
from salesnb.analysis.feedback.words import name_words, plain, words_of
from salesnb.analysis.finding import FALSE_CLAIMS, Candidate
from salesnb.analysis.result import Result
from salesnb.language import format_share, tr
from salesnb.measures.measures import Measures
from salesnb.progress import long

THEMES_ANCHOR = "feedback-themes"
FEWEST_PEOPLE = 5
"""People behind a theme, a word or a quoted sentence, at least."""

FEWEST_COMMENTS = 60
_WINDOW = 4
_FEWEST_SKILL = 5
_MOST_SKILLS = 3
_COLUMNS = [
    "name", "words", "example", "n", "n_people", "share", "share_before", "p_value", "skills",
    "stability",
]  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False)
class FeedbackThemes(Result):
    """What feedback is about.

    Attributes
    ----------
    period, unit
        Last quarter, and name of the team or company.
    window
        The quarters described; they are compared with as many before.
    themes
        One row a stable theme, largest first: `name` and its top `words`; an `example` sentence
        where at least five people got the very same one; comments `n` about `n_people`, `share` of
        the window's comments and `share_before`, with the `p_value` of the change (by people);
        `skills` it goes with beyond chance; `stability` on random halves, 0-1.
    n, n_people, n_before
        Comments of the window, whom they are about, and comments before.
    n_unstable
        Groups of words that did not hold on random halves or were no more than chance.
    lacking
        Why there is nothing to show; empty when there is.
    """

    period: str
    unit: str
    window: tuple[str, ...]
    themes: pd.DataFrame
    n: int
    n_people: int
    n_before: int
    n_unstable: int
    lacking: str = ""

    @property
    def finding(self) -> str:
        """Name the largest themes, or say that there are none."""
        if self.lacking:
            return f"{self.unit}: {self.lacking}."
        if self.themes.empty:
            return tr(
                "{unit}: no theme in {n} comments holds beyond chance.", unit=self.unit, n=self.n
            )
        largest = self.themes.iloc[0]
        said = {
            "unit": self.unit,
            "share": format_share(self.themes["share"].sum()),
            "n_comments": self.n,
            "theme": largest["name"],
            "largest": format_share(largest["share"]),
        }
        if len(self.themes) == 1:
            return tr(
                "{unit}: One theme holds, {share} of {n_comments} comments; the largest is about "
                "{theme} ({largest}).",
                **said,
            )
        return tr(
            "{unit}: {n} themes hold, {share} of {n_comments} comments; the largest is about "
            "{theme} ({largest}).",
            n=len(self.themes),
            **said,
        )

    @property
    def caveat(self) -> str:
        """Say what a theme is and is not."""
        return tr(
            "A theme is a group of words that go together; each language has themes of its own. "
            "Only words and sentences that at least {n} people got are shown, and names of people "
            "in the data never; other names are not known.",
            n=FEWEST_PEOPLE,
        )

    def to_frame(self) -> pd.DataFrame:
        """List one row a theme."""
        return self.themes.copy()

    def candidates(self) -> tuple[Candidate, ...]:
        """Offer the surest change of a theme, allowing for their number (Bonferroni)."""
        tested = self.themes[self.themes["p_value"].notna()]
        if tested.empty:
            return ()
        row = tested.iloc[int(tested["p_value"].argmin())]
        return (
            Candidate(
                text=tr(
                    "{unit}: feedback about {theme} went from {before} to {now} of comments.",
                    unit=self.unit,
                    theme=row["name"],
                    before=format_share(row["share_before"]),
                    now=format_share(row["share"]),
                ),
                why=tr(
                    "{n} of {total} comments about {n_people} people in {first} to {last}, against "
                    "{n_before} before; the surest change of {n_themes} themes.",
                    n=row["n"],
                    total=self.n,
                    n_people=row["n_people"],
                    first=self.window[0],
                    last=self.window[-1],
                    n_before=self.n_before,
                    n_themes=len(tested),
                ),
                anchor=THEMES_ANCHOR,
                effect=abs(float(row["share"] - row["share_before"])),
                p_value=min(float(row["p_value"]) * len(tested), 1.0),
            ),
        )


@long("Looking for themes")
def feedback_themes(
    measures: Measures, *, period: str, team: str | None = None, random_state: int = 0
) -> FeedbackThemes:
    """Find what the comments of the last four quarters are about, beside the four before.

    Comments of all eight quarters are grouped together, so that a theme is not found because it
    is new. Mark-up, numbers, function words and people's names are left out, and so is every word
    that fewer than five people got. Below 60 comments or 20 people there are too few to group.

    Parameters
    ----------
    measures
        From `compute_measures` or `load_measures`; without feedback the result says so.
    period
        Last fiscal quarter.
    team
        Id or name: only people with a record in it in the quarter; default the whole company.
    random_state
        Seed of the random halves.

    Returns
    -------
    FeedbackThemes

    Raises
    ------
    ParameterError
        Quarter or team is unknown.
    """
    measures.check_period(period)
    team_id = measures.find_team(team) if team is not None else None
    unit = measures.unit_name(team_id)
    both = measures.window(period, 2 * _WINDOW)
    window = measures.window(period, _WINDOW)
    said = known_feedback(measures)
    if said.empty:
        return _nothing(period, unit, window, tr(LACKING))
    said = said[said["period"].isin(both)]
    if team_id is not None:
        said = said[said["rep_id"].isin(people_at_work(measures, period, team_id))]
    names = _find_names(measures)
    rows, counts, vocabulary = _count_words(said, names)
    n_people = rows["rep_id"].nunique()
    if len(rows) < FEWEST_COMMENTS or n_people < 4 * FEWEST_PEOPLE or len(vocabulary) < TOP_WORDS:
        lacking = tr(
            "{n} comments about {n_people} people are too few to find themes in; it takes "
            "{n_needed} about {people_needed}",
            n=len(rows),
            n_people=n_people,
            n_needed=FEWEST_COMMENTS,
            people_needed=4 * FEWEST_PEOPLE,
        )
        return _nothing(period, unit, window, lacking)
    topics = find_topics(counts, random_state=random_state)
    rows = rows.assign(topic=topics.of_documents, is_now=rows["period"].isin(window).to_numpy())
    themes = _describe(rows, topics, vocabulary, names)
    now = rows[rows["is_now"]]
    return FeedbackThemes(
        period, unit, window, themes, len(now), now["rep_id"].nunique(), len(rows) - len(now),
        len(topics.words) - len(themes),
    )  # fmt: skip


def _find_names(measures: Measures) -> frozenset[str]:
    """List the words of all names there are: who raters, authors and managers are, ids say."""
    columns = [
        measures.people["name"], measures.people["rep_id"], measures.feedback["author_id"],
        measures.ratings["rater_id"], measures.memberships["manager_id"],
    ]  # fmt: skip
    return name_words({name for column in columns for name in column.dropna()})


def _nothing(period: str, unit: str, window: tuple[str, ...], lacking: str) -> FeedbackThemes:
    return FeedbackThemes(period, unit, window, pd.DataFrame(columns=_COLUMNS), 0, 0, 0, 0, lacking)


def _count_words(
    said: pd.DataFrame, names: frozenset[str]
) -> tuple[pd.DataFrame, csr_matrix, list[str]]:
    """Take the comments with words that enough people got, and which words are in which."""
    tokens = said["comment"].map(lambda comment: words_of(comment, names))
    pairs = pd.DataFrame({"rep_id": said["rep_id"], "word": tokens}).explode("word").dropna()
    people = pairs.groupby("word")["rep_id"].nunique()
    vocabulary = sorted(people.index[people >= FEWEST_PEOPLE])
    pairs = pairs[pairs["word"].isin(vocabulary)]
    rows = said.loc[pairs.index.unique()]
    place = pd.Series(range(len(vocabulary)), index=vocabulary, dtype=int)
    at = pd.Series(range(len(rows)), index=rows.index, dtype=int)
    where = (at[pairs.index].to_numpy(), place[pairs["word"]].to_numpy())
    counts = csr_matrix((np.ones(len(pairs)), where), shape=(len(rows), len(vocabulary)))
    return rows.reset_index(drop=True), counts, vocabulary


def _describe(
    rows: pd.DataFrame, topics: Topics, vocabulary: list[str], names: frozenset[str]
) -> pd.DataFrame:
    """Describe the topics that hold and that enough people are behind."""
    now = rows[rows["is_now"]]
    found = []
    for topic in np.flatnonzero(topics.is_named):
        own = now[now["topic"] == topic]
        if own["rep_id"].nunique() < FEWEST_PEOPLE:
            continue
        order = np.argsort(-topics.words[topic], kind="stable")[:TOP_WORDS]
        words = [vocabulary[place] for place in order if topics.words[topic, place] > 0]
        before = rows.loc[~rows["is_now"], "topic"] == topic
        found.append(
            {
                "name": ", ".join(words[:3]),
                "words": tuple(words),
                "example": _quote(own, names),
                "n": len(own),
                "n_people": own["rep_id"].nunique(),
                "share": len(own) / len(now),
                "share_before": float(before.mean()) if len(before) else np.nan,
                "p_value": _test_change(rows, rows["topic"].to_numpy() == topic),
                "skills": (),
                "stability": topics.stability[topic],
                "topic": topic,
            }
        )
    themes = pd.DataFrame(found, columns=[*_COLUMNS, "topic"])
    themes = themes.sort_values(["n", "name"], ascending=[False, True], ignore_index=True)
    themes["skills"] = _find_skills(now, list(themes["topic"]))
    return themes[_COLUMNS]


def _quote(own: pd.DataFrame, names: frozenset[str]) -> str:
    """Quote the sentence that most people got word for word, at least five; none with a name."""
    people = own.groupby(own["comment"].map(plain))["rep_id"].nunique()
    people = people[[not name_words([sentence]) & names for sentence in people.index]]
    return str(people.idxmax()) if people.max() >= FEWEST_PEOPLE else ""


def _test_change(rows: pd.DataFrame, is_own: NDArray[np.bool_]) -> float:
    """Test a change of share; comments about one person are counted as of one."""
    is_now = rows["is_now"].to_numpy()
    n_now, n_before = is_now.sum(), (~is_now).sum()
    if min(n_now, n_before) < FEWEST_COMMENTS // 2:
        return float("nan")
    share = np.where(is_now, is_own[is_now].mean(), is_own[~is_now].mean())
    part = (is_own - share) / np.where(is_now, n_now, -n_before)
    person, people = pd.factorize(rows["rep_id"])
    error = float(np.sqrt((np.bincount(person, part) ** 2).sum()))
    change = is_own[is_now].mean() - is_own[~is_now].mean()
    return float(2 * student.sf(abs(change) / error, len(people) - 1)) if error > 0 else 1.0


def _find_skills(now: pd.DataFrame, topics: list[int]) -> list[tuple[str, ...]]:
    """Name the skills that each theme's comments are about more often than others' are."""
    known = now[now["skill"] != ""]
    pairs = known.groupby(["topic", "skill"]).agg(
        n=("rep_id", "size"), people=("rep_id", "nunique")
    )
    pairs = pairs.reset_index()
    pairs = pairs[pairs["topic"].isin(topics) & (pairs["people"] >= _FEWEST_SKILL)]
    if pairs.empty:
        return [()] * len(topics)
    of_topic, of_skill = known["topic"].value_counts(), known["skill"].value_counts()
    chance = hypergeom.sf(
        pairs["n"] - 1, len(known), of_skill[pairs["skill"]].to_numpy(),
        of_topic[pairs["topic"]].to_numpy(),
    )  # fmt: skip
    pairs = pairs[false_discovery_control(chance) < FALSE_CLAIMS].sort_values(
        ["n", "skill"], ascending=[False, True]
    )
    return [
        tuple(pairs.loc[pairs["topic"] == topic, "skill"].head(_MOST_SKILLS)) for topic in topics
    ]
