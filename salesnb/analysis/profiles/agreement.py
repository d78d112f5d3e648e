"""How far raters of one person agree: intraclass correlations with intervals."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import f as fisher

from salesnb.analysis.profiles.cells import INTERVAL
from salesnb.analysis.profiles.forms import Floats, Forms, Ints
from salesnb.language import mark
from salesnb.measures.staff import FEWEST_RATERS

OVERALL = mark("overall")
AGREEMENT = ["skill", "icc", "low", "high", "icc_k", "k", "n_people", "n_scores"]


def measure_agreement(forms: Forms) -> pd.DataFrame:
    """Correlate what different raters say of one person, skill by skill and over all skills.

    Each rater counts once a person; people with one rater say nothing of agreement. The overall
    row is about the mean of each rater's scores. Nothing is corrected here: this is what raters
    agree on as they filled the forms.

    Returns
    -------
    DataFrame
        skill; `icc`: ICC(1), the reliability of one rater (1 is full agreement, 0 none), with 90%
        interval; `icc_k`: that of the mean of `k` raters, as many as people have on average;
        n_people, n_scores. Missing where fewer than two people have two raters.

    Source: Shrout & Fleiss (1979), Psychological Bulletin 86, 420-428.
    """
    scores = pd.DataFrame(forms.scores, columns=list(forms.skills))
    means = scores.groupby([forms.rep, forms.rater], sort=True).mean()
    means[OVERALL] = means.mean(axis=1)
    rep = means.index.get_level_values(0).to_numpy()
    rows = [(skill, *correlate(means[skill].to_numpy(), rep)) for skill in [*forms.skills, OVERALL]]
    return pd.DataFrame(rows, columns=AGREEMENT)


def correlate(values: Floats, group: Ints) -> tuple[float, float, float, float, float, int, int]:
    """ICC(1) with 90% interval, ICC(k), k, and the groups and values used."""
    known = ~np.isnan(values)
    table = pd.Series(values[known]).groupby(group[known])
    size = table.transform("size").to_numpy()
    table = pd.Series(values[known][size >= FEWEST_RATERS]).groupby(
        group[known][size >= FEWEST_RATERS]
    )
    counts, means = table.size().to_numpy(), table.mean().to_numpy()
    n_groups, n = len(counts), int(counts.sum())
    if n_groups < 2:
        return (np.nan, np.nan, np.nan, np.nan, np.nan, n_groups, n)
    typical = (n - (counts**2).sum() / n) / (n_groups - 1)
    grand = (counts * means).sum() / n
    between = (counts * (means - grand) ** 2).sum() / (n_groups - 1)
    within = float(((table.var(ddof=0).to_numpy()) * counts).sum()) / (n - n_groups)
    if within <= 0:
        agreed = 1.0 if between > 0 else np.nan
        return (agreed, np.nan, np.nan, agreed, typical, n_groups, n)
    ratio = between / within
    freedom = (n_groups - 1, n - n_groups)
    upper = fisher.ppf((1 + INTERVAL) / 2, *freedom)
    lower = fisher.ppf((1 - INTERVAL) / 2, *freedom)
    one, low, high = (_single(value, typical) for value in (ratio, ratio / upper, ratio / lower))
    return (one, low, high, max(1 - 1 / ratio, 0.0) if ratio else 0.0, typical, n_groups, n)


def _single(ratio: float, k: float) -> float:
    return float(max((ratio - 1) / (ratio + k - 1), -1 / (k - 1)))
