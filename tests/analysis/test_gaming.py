from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from made_company import QUARTERS, make_measures
from scipy.stats import binomtest

from salesnb import views
from salesnb.analysis.gaming import FEWEST, MORE_CALLS, ODDS, gaming_checks
from salesnb.measures.habits import (
    BACKDATED_WINS,
    CALLS_AT_THRESHOLD,
    CLOSE_DATES_PUSHED,
    LATE_LOGGING,
)

NOW = QUARTERS[-1]
SHARES = {
    CALLS_AT_THRESHOLD: (12, 0.55), LATE_LOGGING: (80, 0.04), CLOSE_DATES_PUSHED: (8, 0.2),
    BACKDATED_WINS: (6, 0.0),
}  # fmt: skip
"""Habit -> occasions a quarter and the share of events in an honest company."""


def company(generator, *, reps=20, shares=None, calls=None, differ=0.0):
    """Simulate calls, meetings and habits; `shares` and `calls` plant those who differ."""
    habits, rows = [], []
    for rep in range(reps):
        key = (f"{'AB'[rep % 2]}{rep:02d}", "AB"[rep % 2])
        pace = generator.lognormal(0, 0.3)
        tilt = generator.normal(0, differ, len(SHARES))
        for quarter in QUARTERS:
            for lean, (habit, (occasions, share)) in zip(tilt, SHARES.items(), strict=True):
                of = generator.poisson(occasions)
                own = (shares or {}).get((rep, habit), _tilt(share, lean))
                habits.append((*key, quarter, habit, generator.binomial(of, own), of))
            more, brings = (calls or {}).get((rep, quarter), (1.0, 0.5))
            made = generator.poisson(200 * pace * more)
            held = generator.poisson(made * brings)
            rows.append((*key, quarter, "connected_calls", made, 60, made, np.nan, np.nan))
            rows.append((*key, quarter, "meetings_per_100", held, made, held, np.nan, np.nan))
    columns = ["rep_id", "team_id", "period", "habit", "n", "of"]
    measures = make_measures(rows, kpis=("connected_calls", "meetings_per_100"))
    return replace(measures, habits=pd.DataFrame(habits, columns=columns).query("of > 0"))


def _tilt(share, lean):
    odds = share / (1 - share) * np.exp(lean)
    return odds / (1 + odds)


def flagged(measures, **arguments):
    rows = gaming_checks(measures, period=NOW, **arguments).flagged
    return set(zip(rows["unit_id"], rows["check"], strict=True))


@pytest.mark.parametrize("differ", [0.0, 0.2])
def test_at_most_five_percent_of_honest_companies_get_a_remark(differ):
    remarks = sum(
        bool(flagged(company(np.random.default_rng(seed), differ=differ))) for seed in range(40)
    )
    assert remarks <= 6  # 40 x 5% = 2; P(more than 6) is below .01 at a true 5%


@pytest.mark.parametrize(
    ("habit", "share"),
    [(CALLS_AT_THRESHOLD, 0.95), (LATE_LOGGING, 0.2), (CLOSE_DATES_PUSHED, 0.8),
     (BACKDATED_WINS, 0.5)],
)  # fmt: skip
def test_one_who_is_planted_is_found_and_nobody_else(habit, share):
    found = [
        flagged(company(np.random.default_rng(seed), shares={(3, habit): share}))
        for seed in range(8)
    ]
    assert sum(("B03", habit) in rows for rows in found) >= 7
    assert sum(len(rows - {("B03", habit)}) for rows in found) <= 1


def test_more_calls_that_bring_fewer_meetings_each_are_found():
    found = flagged(company(np.random.default_rng(1), calls={(3, NOW): (2.0, 0.2)}))
    assert found == {("B03", MORE_CALLS)}


@pytest.mark.parametrize("change", [(2.0, 0.5), (1.0, 0.2), (1.2, 0.42)])
def test_one_of_the_two_is_not_enough_and_little_of_both_neither(change):
    assert flagged(company(np.random.default_rng(1), calls={(3, NOW): change})) == set()


def test_what_the_whole_company_does_is_nobodys_pattern():
    everybody = {(rep, NOW): (2.0, 0.2) for rep in range(20)}
    assert flagged(company(np.random.default_rng(1), calls=everybody)) == set()


def test_the_p_value_is_the_binomial_test_against_the_others_odds_and_a_half():
    measures = company(np.random.default_rng(1), reps=6)
    row = gaming_checks(measures, period=NOW).signs.query("check == @LATE_LOGGING").iloc[0]
    habits = measures.habits.query("habit == @LATE_LOGGING and period in @QUARTERS[2:]")
    own = habits["rep_id"] == row["unit_id"]
    n, of = habits.loc[own, ["n", "of"]].sum()
    others = habits.loc[~own, ["n", "of"]].sum()
    share = (others["n"] + 0.5) / (others["of"] + 1)
    chance = ODDS * share / (1 - share + ODDS * share)
    assert (row["n"], row["of"], row["others"]) == (n, of, others["n"] / others["of"])
    assert row["p_value"] == pytest.approx(
        binomtest(int(n), int(of), chance, alternative="greater").pvalue
    )


def test_fewer_than_three_events_are_no_pattern():
    measures = company(np.random.default_rng(1))
    habits = measures.habits[measures.habits["habit"] != BACKDATED_WINS]
    few = pd.DataFrame(
        [(f"{'AB'[n % 2]}{n:02d}", "A", NOW, BACKDATED_WINS, (FEWEST - 1) * (n == 0), 2000)
         for n in range(20)],
        columns=habits.columns,
    )  # fmt: skip
    few.loc[0, "of"] = FEWEST - 1
    measures = replace(measures, habits=pd.concat([habits, few]))
    row = gaming_checks(measures, period=NOW).signs.query("check == @BACKDATED_WINS").iloc[0]
    assert row["p_adjusted"] < 0.001
    assert not row["is_flagged"]


def test_a_team_is_looked_at_beside_the_whole_company():
    measures = company(np.random.default_rng(1), shares={(3, LATE_LOGGING): 0.3})
    assert flagged(measures, team="Team B") == {("B03", LATE_LOGGING)}
    assert flagged(measures, team="A") == set()


def test_words_give_the_numbers_and_never_accuse():
    measures = company(np.random.default_rng(1), shares={(3, LATE_LOGGING): 0.3})
    found = gaming_checks(measures, period=NOW)
    row = found.flagged.iloc[0]
    assert row["text"] == (
        f"{row['n']} of {row['of']} counted activities were logged more than 3 days later "
        f"({row['share']:.0%}; others {row['others']:.0%})"
    )
    assert found.finding == "Acme: in 5 checks of 20 people 1 pattern is worth a look."
    table = views.gaming_table(found)
    assert table.rows == (
        ("Rep B03", "Activities logged days later", row["text"],
         "Travel, or a weekly hour for the CRM"),
    )  # fmt: skip
    said = table.render_text().lower()
    assert not [word for word in ("cheat", "fraud", "gaming", "suspicious") if word in said]


def test_candidates_name_nobody_and_have_the_smallest_adjusted_p_value():
    measures = company(np.random.default_rng(1), shares={(3, LATE_LOGGING): 0.3})
    offers = gaming_checks(measures, period=NOW).candidates()
    assert len(offers) == 5
    late = next(offer for offer in offers if "logged" in offer.text)
    assert late.text == "Activities logged days later: with 1 of 20 people this is worth a look."
    assert (late.effect, late.anchor) == (0.05, "worth-a-look")
    assert late.p_value < 1e-6
    assert not [offer for offer in offers if "Rep " in offer.text + offer.why]
    assert all(offer.effect == 0 for offer in offers if offer is not late)


# Little or nothing -------------------------------------------------------------------------


def test_without_anything_to_check_it_says_what_is_needed():
    rows = [("A1", "A", NOW, "win_rate", 1, 2, 2, np.nan, np.nan)]
    found = gaming_checks(make_measures(rows, kpis=("win_rate",)), period=NOW)
    assert found.finding == "Acme: no pattern could be checked."
    assert len(found.missing) == 5
    assert "needs pictures of the pipeline" in views.gaming_table(found).text
    assert found.candidates() == ()


def test_one_rep_has_no_others_but_a_past():
    measures = company(np.random.default_rng(1), reps=1)
    assert set(gaming_checks(measures, period=NOW).signs["check"]) == {MORE_CALLS}


def test_one_quarter_has_no_past_but_others():
    measures = replace(company(np.random.default_rng(1)), periods=(QUARTERS[0],))
    assert MORE_CALLS not in set(gaming_checks(measures, period=QUARTERS[0]).signs["check"])


def test_names_are_text():
    measures = company(np.random.default_rng(1), shares={(3, LATE_LOGGING): 0.3})
    people = measures.people.assign(name="<img src=x onerror=alert(1)>")
    found = gaming_checks(replace(measures, people=people), period=NOW)
    assert "<img" not in views.gaming_table(found).render_html()
