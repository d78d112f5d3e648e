"""Courses and who was trained: a lottery, volunteers, a whole team and the weakest."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

import numpy as np
import pandas as pd

from salesnb import schema
from salesnb.sources.sample.arrays import NEVER, Bools, Floats, Ints, Texts, texts
from salesnb.sources.sample.clock import day_of, to_dates
from salesnb.sources.sample.people import People
from salesnb.sources.sample.settings import Settings
from salesnb.sources.sample.talent import Talent
from salesnb.sources.sample.teams import TRAINED_AS_A_WHOLE


@dataclass(frozen=True)
class Course:
    """A course; `win` (logit) and `score` (points on its skill) are its true effects.

    `seats` is a share of the reps.
    """

    course_id: str
    name: str
    skill: str
    hours: float
    cost: float
    seats: float
    win: float = 0.0
    score: float = 0.0


COURSES = (
    Course("NEG-220", "Negotiation Workshop", "negotiation_commitment", 16, 1_450, 0.35, 0.4, 0.5),
    Course("DIS-210", "Discovery Masterclass", "discovery", 12, 980, 0.2, 0.0, 0.4),
    Course("OBJ-110", "Objection Handling Clinic", "objection_handling", 8, 620, 0.2),
    Course("CRM-101", "Clean Pipeline", "process_data_discipline", 4, 150, 0.5),
    Course("PRO-120", "Prospecting Sprint", "prospecting_targeting", 8, 540, 0.15),
    Course("QUA-205", "Qualify Out Early", "qualification", 6, 480, 0.15),
    Course("VAL-230", "Selling on Value", "value_presentation", 12, 1_100, 0.12),
    Course("STK-310", "Mapping Stakeholders", "relationship_stakeholders", 10, 890, 0.12),
    Course("LIS-105", "Listening in Sales Calls", "active_listening", 6, 390, 0.2),
    Course("BUS-240", "Reading a Customer's Business", "account_business_acumen", 14, 1_250, 0.1),
)
NEGOTIATION, DISCOVERY, OBJECTIONS, PIPELINE = range(4)

LOTTERY_ON, WAITLIST_ON = day_of(2026, 1, 12), day_of(2026, 10, 1)
VOLUNTEERS_ON, WHOLE_TEAM_ON = day_of(2025, 4, 14), day_of(2025, 7, 7)
WEAKEST_ON = day_of(2025, 1, 13)
_DROP_OUT = 0.04
_SETTLED_DAYS = 200


@dataclass(frozen=True)
class Trainings:
    """Assignments: rep, position in `COURSES`, days, cohort and selection rule."""

    rep: Ints
    course: Ints
    assigned: Ints
    completed: Ints
    cohort: Texts
    rule: Texts

    def __len__(self) -> int:
        """Count the assignments."""
        return len(self.rep)

    def has_completed(self, course: int, rep: Ints, day: Ints) -> Bools:
        """Tell whether each rep has completed the course by each day."""
        done = np.full(max(rep.max(initial=0), self.rep.max(initial=0)) + 1, NEVER)
        is_course = self.course == course
        done[self.rep[is_course]] = self.completed[is_course]
        return day >= done[rep]

    def win_lift(self, rep: Ints, day: Ints) -> Floats:
        """Find each rep's true gain in winning (logit) on each day."""
        gain = np.zeros(len(rep))
        for position, course in enumerate(COURSES):
            if course.win:
                gain = gain + course.win * self.has_completed(position, rep, day)
        return gain


def combine(*groups: Trainings) -> Trainings:
    """Put assignments together."""
    names = ("rep", "course", "assigned", "completed", "cohort", "rule")
    return reduce(
        lambda a, b: Trainings(*(np.concatenate([getattr(a, n), getattr(b, n)]) for n in names)),
        groups,
    )


def plan_trainings(people: People, talent: Talent, settings: Settings) -> Trainings:
    """Assign the programmes that do not look at results: lottery, volunteers, whole team."""
    rng = settings.stream("trainings")
    return combine(
        _hold_lottery(people, rng),
        _take_volunteers(people, talent, rng),
        _train_team(people, rng),
    )


def _hold_lottery(people: People, rng: np.random.Generator) -> Trainings:
    """Draw within teams: every other one now, the others a few quarters later."""
    pool = _settled(people, LOTTERY_ON)
    pool = pool[rng.random(len(pool)) < 0.9]
    team = people.team_on(pool, np.full(len(pool), LOTTERY_ON))
    pool = pool[np.lexsort((rng.random(len(pool)), team))]
    waits = pool[1::2]
    waits = waits[people.left[waits] > WAITLIST_ON]
    now = _assign(pool[::2], NEGOTIATION, LOTTERY_ON, "lottery", people, rng)
    later = _assign(waits, NEGOTIATION, WAITLIST_ON, "lottery", people, rng)
    return combine(now, later)


def _take_volunteers(people: People, talent: Talent, rng: np.random.Generator) -> Trainings:
    """Let the able volunteer more often."""
    pool = _settled(people, VOLUNTEERS_ON)
    keen = talent.level[pool] / talent.level.std() + rng.logistic(0, 1, len(pool))
    chosen = pool[np.argsort(-keen, kind="stable")[: max(2, round(0.2 * len(pool)))]]
    return _assign(np.sort(chosen), DISCOVERY, VOLUNTEERS_ON, "volunteers", people, rng)


def _train_team(people: People, rng: np.random.Generator) -> Trainings:
    everyone = np.arange(len(people))
    day = np.full(len(people), WHOLE_TEAM_ON)
    is_member = people.team_on(everyone, day) == TRAINED_AS_A_WHOLE
    members = everyone[is_member & people.is_present(everyone, day)]
    return _assign(members, PIPELINE, WHOLE_TEAM_ON, "whole team", people, rng)


def train_weakest(people: People, won: Ints, closed: Ints, settings: Settings) -> Trainings:
    """Assign those who won least of what they closed before `WEAKEST_ON`.

    Parameters
    ----------
    won, closed
        Opportunities of each rep in the two quarters before.
    """
    rng = settings.stream("weakest")
    pool = _settled(people, WEAKEST_ON)
    pool = pool[closed[pool] >= 5]
    rate = won[pool] / closed[pool]
    chosen = pool[np.argsort(rate, kind="stable")[: max(2, round(0.2 * len(pool)))]]
    return _assign(np.sort(chosen), OBJECTIONS, WEAKEST_ON, "weakest", people, rng)


def _settled(people: People, day: int) -> Ints:
    everyone = np.arange(len(people))
    present = people.is_present(everyone, np.full(len(people), day))
    return everyone[present & (people.hired <= day - _SETTLED_DAYS)]


def _assign(
    reps: Ints, course: int, day: int, rule: str, people: People, rng: np.random.Generator
) -> Trainings:
    n = len(reps)
    completed = day + rng.integers(9, 45, n)
    drops = (rng.random(n) < _DROP_OUT) | ~people.is_present(reps, completed)
    cohort = f"{COURSES[course].course_id} {to_dates(np.array([day]))[0].astype('datetime64[M]')}"
    return Trainings(
        rep=reps,
        course=np.full(n, course),
        assigned=np.full(n, day),
        completed=np.where(drops | (day == WAITLIST_ON), NEVER, completed),
        cohort=np.full(n, cohort, dtype=object),
        rule=np.full(n, rule, dtype=object),
    )


def courses_table(settings: Settings) -> pd.DataFrame:
    """List the courses; the seats grow with the company."""
    return pd.DataFrame(
        {
            schema.courses.course_id: [course.course_id for course in COURSES],
            schema.courses.name: [course.name for course in COURSES],
            schema.courses.skill: [course.skill for course in COURSES],
            schema.courses.hours: [course.hours for course in COURSES],
            schema.courses.cost: [course.cost for course in COURSES],
            schema.courses.seats: [max(2, round(c.seats * settings.reps)) for c in COURSES],
        }
    )


def trainings_table(trainings: Trainings, people: People) -> pd.DataFrame:
    """List the assignments by day."""
    course_ids = texts([course.course_id for course in COURSES])
    order = np.lexsort((trainings.rep, trainings.assigned))
    return pd.DataFrame(
        {
            schema.trainings.rep_id: people.rep_id[trainings.rep],
            schema.trainings.course_id: course_ids[trainings.course],
            schema.trainings.assigned_on: to_dates(trainings.assigned),
            schema.trainings.completed_on: to_dates(trainings.completed),
            schema.trainings.cohort: trainings.cohort,
            schema.trainings.selection_rule: trainings.rule,
        }
    ).iloc[order]
