import itertools

import numpy as np
import pandas as pd
import pytest
from made_company import QUARTERS, make_measures, simulate
from scipy.stats import binomtest

from salesnb import views
from salesnb.analysis.matrix import performance_matrix
from salesnb.analysis.rates import estimate_rates
from salesnb.analysis.selection import select_kpis
from salesnb.analysis.trend import quarter_trend
from salesnb.measures.catalogue import CATALOGUE
from salesnb.views.figures.funnel import find_outliers, plot_funnel
from salesnb.views.theme import WIDE, use_theme

NOW = QUARTERS[-1]
HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def unequal():
    rates = np.concatenate([np.full(20, 0.15), np.full(20, 0.45)])
    return simulate(np.random.default_rng(1), win_rates=rates, closed=25)


@pytest.fixture(scope="module")
def equal():
    return simulate(np.random.default_rng(3), win_rates=np.full(24, 0.3))


def matrix_of(measures, **arguments):
    return performance_matrix(measures, period=NOW, n_draws=300, **arguments)


def test_a_caterpillar_of_equals_says_so_and_has_no_rank_column(equal):
    figure = views.caterpillar(matrix_of(equal), "win_rate")
    assert figure.title == "Win rate does not differ between reps beyond chance"
    assert list(figure.numbers.columns) == ["Name", "Observed", "Estimate", "Low", "High", "n"]


def test_a_caterpillar_counts_who_is_better_and_worse_and_lists_the_best_first(unequal):
    matrix = matrix_of(unequal)
    figure = views.caterpillar(matrix, "win_rate")
    graded = matrix.scores[matrix.scores["kpi"] == "win_rate"]["evidence"]
    better, worse = (graded >= 2).sum(), (graded <= -2).sum()
    assert figure.title == f"Win rate: {better} of 40 reps better, {worse} worse than the group"
    estimates = figure.numbers["Estimate"].str.rstrip("%").astype(float)
    assert estimates.is_monotonic_decreasing
    assert "Rank" in figure.numbers


def test_outliers_are_those_of_the_binomial_test_with_benjamini_hochberg():
    rows = pd.DataFrame(
        {"n": [40, 60, 80, 50], "raw": [0.3, 0.3, 0.75, 0.34], "group": 0.3, "unit": list("abcd")}
    )
    found = find_outliers(rows)
    assert found["is_outlier"].tolist() == [False, False, True, False]
    tails = [min(binomtest(60, 80, 0.3, alternative=side).pvalue for side in ("less", "greater"))]
    assert found["p_value"].iloc[2] == pytest.approx(2 * tails[0])


def test_a_funnel_names_only_outliers(unequal, equal):
    quiet = views.funnel(matrix_of(equal), "win_rate")
    assert quiet.title == "Win rate: all 24 reps lie within what chance produces"
    assert "Rep " not in quiet.svg
    loud = views.funnel(matrix_of(unequal), "win_rate")
    named = loud.numbers.loc[loud.numbers["Outlier"], "Name"]
    assert len(named) > 5
    assert any(f">{name}<" in loud.svg for name in named)
    others = loud.numbers.loc[~loud.numbers["Outlier"], "Name"]
    assert not any(f">{name}<" in loud.svg for name in others)


def test_names_of_outliers_hide_neither_points_nor_one_another():
    item = next(kpi for kpi in CATALOGUE if kpi.kpi == "win_rate")
    crowd = pd.DataFrame(
        {
            "unit": [f"Crowded Name {number}" for number in range(12)], "n": 100.0,
            "raw": 0.9 + np.arange(12) * 1e-3, "group": 0.3, "p_value": 1e-9, "is_outlier": True,
        }
    )  # fmt: skip
    with use_theme():
        axes = plot_funnel(crowd, item, width=WIDE)
    boxes = [name.get_window_extent() for name in axes.texts]
    assert 1 <= len(boxes) < 12
    assert not any(one.overlaps(two) for one, two in itertools.combinations(boxes, 2))
    points = axes.transData.transform(crowd[["n", "raw"]].to_numpy())
    assert not any(box.contains(*point) for box in boxes for point in points)


def test_a_funnel_needs_a_rate(unequal):
    note = views.funnel(matrix_of(unequal), "bookings")
    assert note.text == "Bookings is not a rate, so it has no funnel."


def test_a_missing_kpi_gives_a_note_that_says_what_it_needs(unequal):
    matrix = matrix_of(unequal)
    matrix.missing["leads"] = "needs leads"
    assert views.caterpillar(matrix, "leads").text == "leads: needs leads."


def test_the_trend_has_one_panel_a_kpi_that_serves_phones_too(unequal):
    figure = quarter_trend(unequal, period=NOW).plot()
    for label in ("Win rate", "Bookings", "Deal size"):
        assert f"<b>{label}</b><svg" in figure.svg
    assert not figure.narrow_svg
    assert len(figure.numbers) == 3 * len(QUARTERS)


def test_the_matrix_table_shows_estimates_ranks_and_the_group(unequal):
    matrix = matrix_of(unequal, team="Team A")
    table = views.matrix_table(matrix)
    assert table.columns == ["Bookings", "Win rate", "Deal size"]
    assert table.reference[0] == "All"
    row = matrix.scores[matrix.scores["kpi"] == "win_rate"].set_index("unit_id")
    label, cells = table.rows[0]
    first = row.loc[matrix.units[0]]
    assert label == first["unit"]
    assert cells[1].value == f"{first['estimate']:.0%}"
    assert cells[1].note.startswith("rank ")
    assert len(table.numbers) == 3 * len(matrix.units)


def test_no_rank_is_shown_where_nobody_differs(equal):
    table = views.matrix_table(matrix_of(equal))
    notes = [cell.note for _, cells in table.rows for cell in cells]
    assert all(note.startswith("n ") for note in notes)
    assert all(cell.tint == 0 for _, cells in table.rows for cell in cells)


def test_names_are_text_wherever_they_are_shown():
    rows = [
        (rep, "A", quarter, "win_rate", wins, 60, 60, np.nan, np.nan)
        for rep, wins in (("A1", 5), ("A2", 50))
        for quarter in QUARTERS
    ]
    measures = make_measures(rows, kpis=("win_rate",), names={"A1": HOSTILE})
    matrix = matrix_of(measures)
    for block in (matrix.plot(), views.matrix_table(matrix), views.funnel(matrix, "win_rate")):
        assert "<img" not in block.render_html()


def test_results_show_themselves_in_a_notebook(unequal):
    matrix = matrix_of(unequal)
    assert "<table" in matrix._repr_html_()
    assert repr(matrix).startswith("The people differ beyond chance on ")


def test_estimates_of_no_kpi_are_drawn_too():
    found = estimate_rates([30, 60, 33], [100, 100, 100], labels=["Ana", "Ben", "Cy"])
    figure = found.plot()
    assert figure.title == found.finding
    assert all(name in figure.svg for name in ("Ana", "Ben", "Cy"))
    assert estimate_rates([], []).plot().kind == "missing"


@pytest.mark.parametrize(
    ("target", "said"), [(0.01, "target 1.0% reached"), (0.99, "target 99% missed")]
)
def test_a_tile_says_whether_the_target_set_for_it_is_reached(unequal, target, said):
    chosen = select_kpis(unequal, "win_rate", targets=f"win_rate={target}")
    (tile,) = views.kpi_tiles(quarter_trend(chosen, period=NOW)).items
    assert tile.note.startswith(f"{said}; usually ")
    (plain,) = views.kpi_tiles(quarter_trend(select_kpis(unequal, "win_rate"), period=NOW)).items
    assert plain.note.startswith("usually ")
