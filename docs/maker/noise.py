"""Chance at work: a quarter and the next, people who are equal, companies without groups."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans
from sklearn.metrics import silhouette_score

import salesnb as sn
from maker import company
from salesnb.analysis.rates import Estimates

KPI = "win_rate"
FIFTHS = ("best fifth", "second", "third", "fourth", "weakest fifth")
N_COMPANIES = 100
N_GROUPLESS = 20


def win_rates(period):
    """Return each person's wins and closed opportunities of a quarter, who has any."""
    rows = company.measures().roll_up(by="rep", periods=(period,), kpi=KPI)
    rows = rows[(rows["unit_id"] != "") & (rows["denominator"] > 0)].set_index("unit_id")
    return rows[["numerator", "denominator"]].set_axis(["won", "n"], axis=1)


@cache
def pairs():
    """Pair each person's quarter with the next one, with what was estimated from the first.

    Returns
    -------
    DataFrame
        period, raw and estimate (0-1), fifth (0 is the best of its quarter by raw), and next_won,
        next_n of the quarter after.
    """
    periods = [p for p in company.measures().periods if p <= company.QUARTER]
    found = []
    for period, after in zip(periods[:-1], periods[1:], strict=True):
        now, later = win_rates(period), win_rates(after)
        estimates = sn.estimate_rates(now["won"], now["n"], labels=now.index, n_draws=400)
        rows = pd.DataFrame(
            {"period": period, "raw": estimates.raw, "estimate": estimates.estimate},
            index=now.index,
        )
        order = rows["raw"].rank(ascending=False, method="first")
        rows["fifth"] = ((order - 1) * len(FIFTHS) // len(rows)).astype(int)
        found.append(rows.join(later.add_prefix("next_"), how="inner"))
    return pd.concat(found)


@cache
def regression():
    """Average the pairs by fifth, each person weighing as much as the next quarter's records.

    Returns
    -------
    DataFrame
        raw, estimate, after (0-1) and people, by fifth.
    """
    rows = pairs()
    by = rows["fifth"]
    weight = rows["next_n"].groupby(by).sum()
    return pd.DataFrame(
        {
            "raw": (rows["raw"] * rows["next_n"]).groupby(by).sum() / weight,
            "estimate": (rows["estimate"] * rows["next_n"]).groupby(by).sum() / weight,
            "after": rows["next_won"].groupby(by).sum() / weight,
            "people": rows.groupby(by).size(),
        }
    )


@cache
def against_truth():
    """Set the quarter's raw rates and estimates beside what each person was made to win."""
    now = win_rates(company.QUARTER)
    estimates = sn.estimate_rates(now["won"], now["n"], labels=now.index)
    rows = pd.DataFrame(
        {"n": now["n"], "raw": estimates.raw, "estimate": estimates.estimate}, index=now.index
    )
    return rows.join(company.true_chances().rename("truth"), how="inner")


@dataclass(frozen=True)
class Equals:
    """Companies of equal people: the first one's list, and how often a difference is claimed."""

    rate: float
    n: np.ndarray
    won: np.ndarray
    estimates: Estimates
    n_claimed: int
    n_companies: int

    @property
    def raw(self):
        """The first company's observed rates."""
        return self.won / self.n


@cache
def equals():
    """Draw companies whose people have one and the same chance, as many records as the sample's."""
    now = win_rates(company.QUARTER)
    rate, n = float(now["won"].sum() / now["n"].sum()), now["n"].to_numpy().astype(int)
    drawn = np.random.default_rng(0).binomial(n, rate, size=(N_COMPANIES, len(n)))
    labels = [f"Person {number}" for number in range(1, len(n) + 1)]
    found = [sn.estimate_rates(won, n, labels=labels, n_draws=200) for won in drawn]
    claimed = sum(one.heterogeneity.is_beyond_chance for one in found)
    return Equals(rate, n, drawn[0], found[0], claimed, N_COMPANIES)


@dataclass(frozen=True)
class Groupless:
    """Companies without groups: what clustering makes of them, and how often a group is claimed."""

    points: np.ndarray
    clusters: np.ndarray
    n_claimed: int
    n_companies: int


@cache
def groupless():
    """Draw companies of one cloud of skills, as wide in each direction as the sample's."""
    shapes = company.profiles().residuals().dropna().to_numpy()
    cloud = np.random.default_rng(0).multivariate_normal(
        shapes.mean(axis=0), np.cov(shapes.T), size=(N_GROUPLESS, len(shapes))
    )
    found = [sn.SkillSegmenter(n_null=39).fit(people).n_segments_ for people in cloud]
    clusters = [KMeans(k, n_init=10, random_state=0).fit_predict(cloud[0]) for k in range(2, 9)]
    best = max(clusters, key=lambda labels: silhouette_score(cloud[0], labels))
    return Groupless(cloud[0], best, sum(n > 1 for n in found), N_GROUPLESS)
