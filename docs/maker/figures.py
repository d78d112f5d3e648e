"""The figures and tables that pages show, by the name a page asks for them."""

import numpy as np
import pandas as pd

from maker import company, noise
from salesnb import views
from salesnb.views.blocks import Figure, Table
from salesnb.views.theme import BETTER, CATEGORICAL, LIGHT, NARROW, UNCLEAR, WIDE, WORSE, use_theme

PERCENT = "{:.0%}".format


def regression():
    """Show what became of a quarter's best and weakest in the next one."""
    rows = noise.regression()
    best, last = rows.iloc[0], rows.iloc[-1]
    title = (
        f"A quarter's best fifth won {best['raw']:.0%}, and {best['after']:.0%} of the next one's"
    )
    with use_theme():
        return Figure.from_axes(
            _plot_regression(rows, WIDE),
            narrow=_plot_regression(rows, NARROW),
            title=title,
            caption=(
                "Win rate of people put into fifths by their win rate of one quarter; "
                f"{rows['people'].sum():,} pairs of a person's quarter and the next one, sample "
                "company."
            ),
            alt=(
                "Dots in five rows. Best fifth: "
                f"{best['raw']:.0%} in the quarter, {best['after']:.0%} in the next, estimated "
                f"{best['estimate']:.0%}. Weakest fifth: {last['raw']:.0%}, {last['after']:.0%}, "
                f"estimated {last['estimate']:.0%}."
            ),
            how_to_read=(
                "The ring is the quarter that people were sorted by, the arrow leads to the next "
                "one. The tick is what was estimated from the first quarter alone. The nearer the "
                "tick to the arrow's end, the better it foresaw."
            ),
            numbers=_regression_numbers(rows),
            anchor="regression",
        )


def _regression_numbers(rows):
    numbers = pd.DataFrame({"Sorted by the quarter": noise.FIFTHS})
    numbers["That quarter"] = rows["raw"].map(PERCENT)
    numbers["Estimated from it"] = rows["estimate"].map(PERCENT)
    numbers["Next quarter"] = rows["after"].map(PERCENT)
    numbers["Pairs"] = rows["people"]
    return numbers


def _plot_regression(rows, width):
    import matplotlib.pyplot as plt

    _, axes = plt.subplots(figsize=(width, 2.9))
    places = np.arange(len(rows))[::-1]
    for place, row in zip(places, rows.itertuples(), strict=True):
        axes.annotate(
            "", (row.after, place), (row.raw, place),
            arrowprops={"arrowstyle": "-|>", "color": LIGHT["grey"], "shrinkA": 4, "shrinkB": 0},
        )  # fmt: skip
    axes.scatter(rows["raw"], places, s=46, facecolors="none", edgecolors=WORSE, linewidths=1.8)
    axes.scatter(rows["estimate"], places, marker="|", s=260, c=BETTER, linewidths=2.4, zorder=3)
    axes.set_yticks(places, noise.FIFTHS)
    axes.set_ylim(-0.6, len(rows) - 0.4)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("Win rate (ring: the quarter, arrow: to the next, tick: estimate)"
                    if width > NARROW else "Win rate")  # fmt: skip
    return _in_percent(axes)


def equals():
    """Show the list that people with one and the same chance would make."""
    found = noise.equals()
    best, last = found.raw.max(), found.raw.min()
    title = f"{len(found.n)} equal people, from {best:.0%} down to {last:.0%}"
    with use_theme():
        return Figure.from_axes(
            _plot_equals(found, WIDE),
            narrow=_plot_equals(found, NARROW),
            title=title,
            caption=(
                f"Everybody's true chance is {found.rate:.0%}; wins are drawn, with as many closed "
                "opportunities as the sample company's people had in a quarter."
            ),
            alt=(
                f"Sorted dots of observed win rates of {len(found.n)} people from {best:.0%} to "
                f"{last:.0%}, around a line at the true chance of {found.rate:.0%} of all of them."
            ),
            how_to_read=(
                "One dot a person, best on the left. All are equal: the line is everybody's true "
                "chance. What looks like a list of good and bad is chance."
            ),
            numbers=pd.DataFrame(
                {
                    "Person": found.estimates.labels,
                    "Closed": found.n,
                    "Won": found.won,
                    "Observed": [f"{rate:.0%}" for rate in found.raw],
                    "Estimate": [f"{rate:.0%}" for rate in found.estimates.estimate],
                }
            ).sort_values(["Won", "Person"], ascending=[False, True]),
            anchor="equals",
        )


def _plot_equals(found, width):
    import matplotlib.pyplot as plt

    _, axes = plt.subplots(figsize=(width, 2.8))
    axes.scatter(np.arange(1, len(found.n) + 1), np.sort(found.raw)[::-1], s=16, c=UNCLEAR)
    axes.axhline(found.rate, color=BETTER, linewidth=1.6)
    axes.grid(visible=False, axis="x")
    axes.set_xlabel("Place in the list")
    axes.set_ylabel("Observed win rate")
    axes.yaxis.set_major_formatter(lambda value, _: PERCENT(value))
    return axes


def groupless():
    """Show the groups that clustering finds where there are none."""
    found = noise.groupless()
    n_found = len(np.unique(found.clusters))
    title = f"Clustering splits people without any groups into {n_found}"
    with use_theme():
        return Figure.from_axes(
            _plot_groupless(found, WIDE),
            narrow=_plot_groupless(found, NARROW),
            title=title,
            caption=(
                f"{len(found.points)} made-up people whose skills are one cloud, as wide as the "
                "sample company's; k-means, with the number of groups its silhouette likes best."
            ),
            alt=(
                f"Scatter of {len(found.points)} people on two axes, one cloud without gaps, cut "
                f"into {n_found} regions that touch each other."
            ),
            how_to_read=(
                "Each mark is a person; the axes are the two directions in which skills differ "
                "most. Shapes are the groups that k-means made. No gap lies between them: the "
                "borders could as well be elsewhere."
            ),
            numbers=pd.DataFrame(
                {
                    "Group of k-means": [f"Group {n + 1}" for n in range(n_found)],
                    "People": np.bincount(found.clusters),
                }
            ),
            anchor="groupless",
        )


def _plot_groupless(found, width):
    import matplotlib.pyplot as plt
    from sklearn.decomposition import PCA

    _, axes = plt.subplots(figsize=(width, 3.6 if width > NARROW else 3.0))
    flat = PCA(2).fit_transform(found.points)
    for cluster in np.unique(found.clusters):
        rows = flat[found.clusters == cluster]
        axes.scatter(
            rows[:, 0], rows[:, 1], s=26, marker="osD^v<>p"[cluster],
            color=CATEGORICAL[cluster] if cluster < 3 else UNCLEAR,
        )  # fmt: skip
    axes.set_xlabel("First direction of skills")
    axes.set_ylabel("Second direction")
    return axes


def _in_percent(axes):
    axes.xaxis.set_major_formatter(lambda value, _: PERCENT(value))
    return axes


def peers():
    """Count the peer groups."""
    found = company.peers()
    sizes = found.members.groupby("group").size().sort_values(ascending=False)
    return Table(
        title=found.finding,
        caption=f"At the end of {found.period}.",
        header=("Alike in role, time in the job and region", "People"),
        rows=tuple((name, str(size)) for name, size in sizes.items()),
        numeric=frozenset({1}),
        key=(found.caveat,),
        anchor="peers",
    )


def caterpillar_of(kpi, by):
    """Show the units of a KPI with their intervals."""
    return views.caterpillar(company.everything(by), kpi)


SHOWN = {
    "adjusted": lambda: views.adjusted_chart(company.adjusted()),
    "benchmark": lambda: views.benchmark_table(company.benchmarks()),
    "caterpillar": lambda: views.caterpillar(company.team(), "win_rate"),
    "composite": lambda: views.composite_chart(company.composite()),
    "cycle": lambda: views.win_timing_chart(company.timing()),
    "equals": equals,
    "funnel": lambda: views.funnel(company.people(), "win_rate"),
    "groupless": groupless,
    "headlines": lambda: views.headlines(company.findings()),
    "lottery": lambda: views.impact_chart(company.impact("NEG-220 2026-01")),
    "matrix": lambda: views.matrix_table(company.team()),
    "outlook": lambda: views.outlook_chart(company.outlook()),
    "peers": peers,
    "raters": lambda: views.raters_table(company.profiles()),
    "regression": regression,
    "reliability": lambda: views.reliability_chart(company.chances()),
    "segments": lambda: views.segments_chart(company.segments()),
    "segments_table": lambda: views.segments_table(company.segments()),
    "targets": lambda: views.target_table(company.targets()),
    "trend": lambda: views.trend_chart(company.trend()),
    "tiles": lambda: views.kpi_tiles(company.trend()),
    "verdicts": lambda: views.verdicts_table(company.verdicts()),
    "weakest": lambda: views.impact_chart(company.impact("OBJ-110 2025-01")),
    "weakest_methods": lambda: views.impact_methods(company.impact("OBJ-110 2025-01")),
}
"""What a page may show, made when it does."""
