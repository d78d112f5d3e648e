"""The numbers that texts name, computed from the sample company."""

import numpy as np
from scipy.special import expit, logit

import salesnb as sn
from maker import company, noise
from salesnb.measures.catalogue import CATALOGUE


def find_facts():
    """Return name -> text of every number that pages name in double braces."""
    return {
        "n_kpis": str(len(CATALOGUE)),
        "quarter": company.QUARTER,
        "team": company.TEAM,
        "n_people": str(len(company.people().units)),
        **_regression(),
        **_truth(),
        **_equals(),
        **_training(),
        **_segments(),
        **_chances(),
        **_cycle(),
        **_comparison(),
    }


def _regression():
    rows = noise.regression()
    best, weakest = rows.iloc[0], rows.iloc[-1]
    return {
        "best_before": _percent(best["raw"]),
        "best_after": _percent(best["after"]),
        "best_estimate": _percent(best["estimate"]),
        "weakest_before": _percent(weakest["raw"]),
        "weakest_after": _percent(weakest["after"]),
        "weakest_estimate": _percent(weakest["estimate"]),
    }


def _truth():
    rows = noise.against_truth()
    top = rows.nlargest(10, "raw").index
    true_top = rows.nlargest(10, "truth").index
    return {
        "raw_error": _points(np.sqrt(((rows["raw"] - rows["truth"]) ** 2).mean())),
        "estimate_error": _points(np.sqrt(((rows["estimate"] - rows["truth"]) ** 2).mean())),
        "n_truly_top": str(len(top.intersection(true_top))),
        "typical_n": f"{rows['n'].median():.0f}",
    }


def _equals():
    found = noise.equals()
    return {
        "n_equals": str(len(found.n)),
        "equal_rate": _percent(found.rate),
        "equal_best": _percent(found.raw.max()),
        "equal_worst": _percent(found.raw.min()),
        "n_claimed": str(found.n_claimed),
        "n_companies": str(found.n_companies),
        "equal_finding": found.estimates.finding,
    }


def _training():
    weakest, lottery = company.impact("OBJ-110 2025-01"), company.impact("NEG-220 2026-01")
    base = float(company.figures("win_rate")["value"].get(lottery.at))
    effect = company.true_training_effects()["win_logit_effect"]
    planted = expit(logit(base) + effect["NEG-220"]) - base
    return {
        "weakest_before_after": weakest.write(weakest.before_after),
        "weakest_effect": weakest.write(weakest.effect.estimate),
        "weakest_seen": weakest.write(weakest.smallest_seen),
        "weakest_verdict": weakest.finding,
        "lottery_effect": lottery.write(lottery.effect.estimate),
        "lottery_low": lottery.write(lottery.effect.interval(0.95)[0]),
        "lottery_high": lottery.write(lottery.effect.interval(0.95)[1]),
        "lottery_planted": lottery.write(float(planted)),
        "n_planted": str(int((effect > 0).sum())),
        "n_courses": str(len(effect)),
    }


def _segments():
    found, none = company.segments(), noise.groupless()
    return {
        "segments_finding": found.finding,
        "n_profiled": str(found.n_people),
        "n_groupless": str(none.n_companies),
        "n_groupless_claimed": str(none.n_claimed),
    }


def _chances():
    found = company.chances()
    return {
        "n_open": f"{len(found.open):,}",
        "expected_won": f"{found.open['p'].sum():,.0f}",
        "chance_error": f"{found.quality.value('error') * 100:.1f}",
        "horizon": str(found.horizon_days),
        "outlook": company.outlook().finding,
    }


def _cycle():
    found = company.timing()
    row = found.headline
    return {
        "won_in_time": _percent(row["won"]),
        "won_of_closed": _percent(found.naive_rate),
        "days_of_won": f"{found.naive_days:.0f}",
        "maturity": str(found.maturity),
        "n_still_open": f"{found.n_open:,}",
    }


def _comparison():
    score = company.composite()
    raters = company.profiles().raters
    return {
        "noise_places": f"{score.noise_places:.1f}",
        "weight_places": f"{score.weight_places:.1f}",
        "strictest": f"{raters['severity'].abs().max():.1f}",
        "n_raters": str(len(raters)),
        "n_raters_apart": str(int(raters["is_beyond_chance"].sum())),
    }


def load_report():
    """Return the sample company's load report as a terminal shows it."""
    from rich.console import Console

    console = Console(width=100, color_system=None, force_terminal=False)
    with console.capture() as captured:
        console.print(sn.load_snapshot().report)
    return captured.get()


def _percent(share):
    return f"{share:.0%}"


def _points(share):
    return f"{share * 100:.0f}"
