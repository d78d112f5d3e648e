"""Companies of known truth for training impact: who is trained by which rule, and what it does."""

import numpy as np

from salesnb.analysis.impact.panel import Panel
from salesnb.analysis.impact.staggered import NEVER
from salesnb.analysis.impact.study import Study

RULES = ("random", "weakest, last quarter", "weakest, two quarters", "volunteers", "by manager")
N_TEAMS, BEFORE = 10, 9
ABILITY, SPELL, CHANCE = 0.35, 0.15, 0.5
"""Variances of a quarter's outcome: lasting, fading by half each quarter, and chance; they add up
to 1, so effects are in standard deviations."""
FADES, SHARE = 0.5, 0.2


def spells(rng, n, quarters):
    """Draw good and bad spells that fade by half each quarter."""
    found = np.empty((n, quarters))
    found[:, 0] = rng.normal(0, SPELL**0.5, n)
    for quarter in range(1, quarters):
        shock = rng.normal(0, (SPELL * (1 - FADES**2)) ** 0.5, n)
        found[:, quarter] = FADES * found[:, quarter - 1] + shock
    return found


def choose(rng, rule, outcome, ability):
    """Choose a fifth by a rule from what was seen before the training."""
    last, second = outcome[:, BEFORE - 1], outcome[:, BEFORE - 2]
    n = len(ability)
    wish = {
        "random": rng.random(n),
        "weakest, last quarter": -last,
        "weakest, two quarters": -last - second,
        "volunteers": ability / ability.std() + rng.logistic(0, 1, n),
        # managers know what people are capable of, and send who has fallen short of it lately
        "by manager": ability - (last + second) / 2 + rng.normal(0, 0.3, n),
    }[rule]
    return np.isin(np.arange(n), np.argsort(-wish)[: round(SHARE * n)])


def train(rng, rule, *, effect=0.0, n=200, after=4):
    """Simulate people, a common season, and for "by manager" teams with trends of their own."""
    quarters = BEFORE + 1 + after
    team = np.arange(n) % N_TEAMS
    ability = rng.normal(0, ABILITY**0.5, n)
    outcome = ability[:, None] + spells(rng, n, quarters)
    outcome = outcome + rng.normal(0, CHANCE**0.5, (n, quarters)) + rng.normal(0, 0.3, quarters)
    if rule == "by manager":
        outcome = outcome + rng.normal(0, 0.08, N_TEAMS)[team, None] * np.arange(quarters)
    trained = choose(rng, rule, outcome, ability)
    since = np.arange(quarters) - BEFORE
    outcome = outcome + effect * trained[:, None] * np.where(since > 0, 1.0, 0.5 * (since == 0))
    return as_panel(outcome, team), trained


def train_in_turn(rng, *, growth=0.25, n=200, quarters=14):
    """Simulate three groups trained one after another, an effect that grows, and who never was."""
    order, team = rng.permutation(n), np.arange(n) % N_TEAMS
    trained_at = np.full(n, NEVER)
    for number, at in enumerate((5, 7, 9)):
        trained_at[order[number * 45 : (number + 1) * 45]] = at
    outcome = rng.normal(0, ABILITY**0.5, n)[:, None] + spells(rng, n, quarters)
    outcome = outcome + rng.normal(0, CHANCE**0.5, (n, quarters)) + rng.normal(0, 0.3, quarters)
    since = np.arange(quarters) - np.minimum(trained_at, 2 * quarters)[:, None]
    effect = growth * np.maximum(since, 0)
    return as_panel(outcome + effect, team), trained_at


def as_panel(outcome, team, records=None):
    """Make a panel of outcomes (or wins, with the records they are of)."""
    n, quarters = outcome.shape
    records = np.ones_like(outcome) if records is None else records
    return Panel(
        np.asarray(outcome, float), np.asarray(records, float),
        np.array([f"r{row:03d}" for row in range(n)], dtype=object),
        np.array([f"t{number}" for number in team], dtype=object),
        tuple(f"q{quarter:02d}" for quarter in range(quarters)),
    )  # fmt: skip


def study_of(panel, trained, *, design="chosen", until=None, at=BEFORE):
    """Say what is compared, as `design_study` would."""
    return Study(
        design, panel.periods[at], frozenset(panel.units[trained]),
        frozenset(panel.units[~trained]), until,
    )  # fmt: skip


def win_panel(rng, *, n=200, effect=0.0, closed=12, after=4):
    """Simulate wins of closed opportunities: the weakest fifth of the last quarter is trained."""
    quarters = BEFORE + 1 + after
    logit = np.log(0.3 / 0.7) + rng.normal(0, 0.35, n)
    records = rng.poisson(closed * np.exp(rng.normal(0, 0.3, n))[:, None], (n, quarters))
    usual = 1 / (1 + np.exp(-logit))
    before = rng.binomial(records[:, :BEFORE], usual[:, None])
    last = before[:, -1] / np.maximum(records[:, BEFORE - 1], 1)
    trained = np.isin(np.arange(n), np.argsort(last, kind="stable")[: round(SHARE * n)])
    chance = usual + effect * trained
    wins = np.column_stack([before, rng.binomial(records[:, BEFORE:], chance[:, None])])
    return as_panel(wins, np.arange(n) % N_TEAMS, records), trained
