"""Feedback given and actions agreed."""

from __future__ import annotations

import numpy as np
import pandas as pd

from salesnb import schema
from salesnb.sources.sample.arrays import Floats, Ints, Texts, keep_where, texts
from salesnb.sources.sample.clock import (
    AS_OF,
    export_quarters,
    quarter_start,
    to_dates,
    workday_from,
    workday_until,
)
from salesnb.sources.sample.framework import skill_names
from salesnb.sources.sample.ids import crm_ids
from salesnb.sources.sample.people import People
from salesnb.sources.sample.settings import Settings
from salesnb.sources.sample.talent import Talent
from salesnb.sources.sample.teams import Teams

KINDS = ("praise", "correction", "question")
_FEEDBACK_RATE = 0.9  # a rep and quarter
_ACTIONS_RATE = 0.8
_WEAK_SHARE = 0.4

COMMENTS = {
    "praise": (
        "Strong week. {Skill} was the reason the customer stayed with us.",
        "The way you summarised the customer's need before the offer: exactly right.",
        "Next step dated, names on it, sent the same day. More of this!",
        'The buyer said: "first vendor who listened". Well done.',
        "Response time < 1 h on all inbound leads this month & every one documented.",
        "Sehr gute Vorbereitung – die Zahlen des Kunden saßen. ({Skill})",
        "Excelente reunión: dejaste hablar al cliente y cerraste con un compromiso claro.",
        "Très bonne découverte, l'acheteur a reformulé lui-même ses critères.",
        "お客様の課題を丁寧に聞き出していました。この調子で。",
        "Πολύ καλή προετοιμασία πριν από τη συνάντηση.",
    ),
    "correction": (
        "{Skill}: the proposal went out before budget and decision path were known.",
        "Discount > 15% offered before anybody asked. Trade, don't give.",
        "Close dates moved three times on the same opportunity; talk to me before the next one.",
        "You talked 70% of the call. Ask, wait, then ask again.",
        "CRM notes say \"tbd\" in 9 of 12 open deals. Please fix by Friday.",
        "Only one contact at the account (R&D). Who signs?",
        "Bitte das Angebot auf den genannten Bedarf kürzen: Seite 3–9 hat niemand gelesen.",
        "Falta el siguiente paso con fecha en la mayoría de las oportunidades.",
        "Il manque le décideur: {skill} est le point à travailler ce trimestre.",
        "見積もりを出す前に決裁者を確認してください。",
        "<b>Important</b>: call the customer back today, the complaint is 5 days old.",
    ),
    "question": (
        "What would have to be true for the customer to decide this quarter?",
        "How do you choose which accounts to call on Monday? ({Skill})",
        "Would a joint visit help with the two stuck proposals?",
        "Is price the reason, or did we miss who decides <-> who pays?",
        "¿Qué te impide llegar al responsable de compras?",
        "Wie können wir dich bei {skill} unterstützen?",
        "ما الذي يحتاجه العميل ليقرر هذا الشهر؟",
        "=SUM(pipeline) looks fine, but which of these do you believe in?",
    ),
}  # fmt: skip
"""What people write, with characters that careless reports break on."""

ACTION_KPIS = {
    "win_rate": 0.3,
    "connected_calls": 1.2,
    "meetings_per_100": 60.0,
    "response_minutes": 120.0,
    "pipeline_coverage": 3.0,
    "stalled_share": 0.15,
    "discount_rate": 0.1,
}
"""KPIs actions are agreed on, with the value to reach."""


def feedback_table(people: People, teams: Teams, settings: Settings) -> pd.DataFrame:
    """List the feedback of managers and coaches, with the last one a hostile text."""
    rng = settings.stream("feedback")
    rep, day = _present_days(people, _FEEDBACK_RATE, rng)
    n = len(rep)
    kind = rng.choice(len(KINDS), n, p=[0.4, 0.38, 0.22])
    skill = texts(skill_names())[rng.integers(0, len(skill_names()), n)]
    is_named = rng.random(n) < 0.75
    comments = _comments(kind, skill, rng)
    comments[-1] = "<script>alert(1)</script> <img src=x onerror=alert(1)> \"quoted\" & 'quoted'"
    authors = _managers(rep, day, people, teams)
    coached = rng.random(n) < 0.25
    authors[coached] = rng.choice(teams.coaches, int(coached.sum()))
    columns = schema.feedback
    return pd.DataFrame(
        {
            columns.feedback_id: crm_ids("a0F", n, rng),
            columns.rep_id: people.rep_id[rep],
            columns.author_id: authors,
            columns.given_on: to_dates(day),
            columns.kind: texts(KINDS)[kind],
            columns.skill: keep_where(is_named, skill),
            columns.comment: comments,
        }
    )


def _comments(kind: Ints, skill: Texts, rng: np.random.Generator) -> Texts:
    lots = rng.random(len(kind))
    written = []
    for number, name, lot in zip(kind, skill, lots, strict=True):
        templates = COMMENTS[KINDS[number]]
        words = name.replace("_", " ")
        text = templates[int(lot * len(templates))]
        written.append(text.format(skill=words, Skill=words.capitalize()))
    return texts(written)


def _managers(rep: Ints, day: Ints, people: People, teams: Teams) -> Texts:
    team = people.team_on(rep, day)
    names = [teams.manager_on(int(t), int(d)) for t, d in zip(team, day, strict=True)]
    return texts(names)


def _present_days(people: People, rate: float, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Draw events of reps at work in every quarter, in order of days."""
    reps, days = [], []
    for start in quarter_start(export_quarters()):
        rep = np.repeat(np.arange(len(people)), rng.poisson(rate, len(people)))
        day = workday_until(start + 3 + rng.integers(0, 85, len(rep)))
        kept = people.is_present(rep, day)
        reps.append(rep[kept])
        days.append(day[kept])
    rep, day = np.concatenate(reps), np.concatenate(days)
    order = np.lexsort((rep, day))
    return rep[order], day[order]


def actions_table(
    people: People, talent: Talent, rates: Floats, settings: Settings
) -> pd.DataFrame:
    """List the actions agreed early in each quarter, mostly with those who won little.

    Parameters
    ----------
    rates
        Observed win rate of each rep (row) in each quarter of the export, NaN where unknown.
    """
    rng = settings.stream("actions")
    reps, days = [], []
    for column, start in enumerate(quarter_start(export_quarters())):
        before = rates[:, column - 1] if column else np.full(len(people), np.nan)
        is_weak = before < np.nanquantile(before, _WEAK_SHARE) if column else before > 1
        chance = np.where(is_weak, 1.5 * _ACTIONS_RATE, 0.5 * _ACTIONS_RATE)
        rep = np.repeat(np.arange(len(people)), rng.poisson(chance))
        day = workday_from(start + rng.integers(2, 25, len(rep)))
        kept = people.is_present(rep, day)
        reps.append(rep[kept])
        days.append(day[kept])
    return _action_rows(np.concatenate(reps), np.concatenate(days), people, talent, rng)


def _action_rows(
    rep: Ints, agreed: Ints, people: People, talent: Talent, rng: np.random.Generator
) -> pd.DataFrame:
    n = len(rep)
    due = workday_from(agreed + rng.choice([28, 56, 84], n))
    on_skill = rng.random(n) < 0.45
    weakest = np.argsort(talent.skills, axis=1, kind="stable")[rep, rng.integers(0, 3, n)]
    names = list(ACTION_KPIS)
    kpi = rng.integers(0, len(names), n)
    lot = rng.random(n)
    past = np.where(lot < 0.6, "done", np.where(lot < 0.76, "dropped", "open"))
    upcoming = np.where(lot < 0.12, "done", "open")
    columns = schema.actions
    return pd.DataFrame(
        {
            columns.action_id: crm_ids("a0A", n, rng),
            columns.rep_id: people.rep_id[rep],
            columns.agreed_on: to_dates(agreed),
            columns.due_on: to_dates(due),
            columns.kpi: keep_where(~on_skill, texts(names)[kpi]),
            columns.skill: keep_where(on_skill, texts(skill_names())[weakest]),
            columns.target: np.where(on_skill, 3.0, np.array(list(ACTION_KPIS.values()))[kpi]),
            columns.status: np.where(due < AS_OF, past, upcoming),
        }
    )
