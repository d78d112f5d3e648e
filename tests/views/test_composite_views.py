import numpy as np
import pytest
from made_company import QUARTERS, make_measures, simulate

from salesnb import views
from salesnb.analysis.adjust import ADJUSTED_ANCHOR, adjusted_performance
from salesnb.analysis.composite import COMPOSITE_ANCHOR, composite_score
from salesnb.analysis.matrix import performance_matrix

NOW = QUARTERS[-1]
HOSTILE = "<script>alert(1)</script>"


def company_of(rates, **options):
    return simulate(np.random.default_rng(1), win_rates=rates, closed=25, **options)


@pytest.fixture(scope="module")
def unequal():
    return company_of(np.linspace(0.1, 0.6, 24))


@pytest.fixture(scope="module")
def equal():
    return company_of(np.full(24, 0.3))


def score_of(measures):
    return composite_score(performance_matrix(measures, period=NOW, n_draws=300))


def test_the_composite_is_drawn_with_its_numbers(unequal):
    score = score_of(unequal)
    figure = score.plot()
    assert figure.title == score.finding
    assert figure.anchor == COMPOSITE_ANCHOR
    assert figure.narrow_svg
    assert len(figure.numbers) == 24
    values = figure.numbers["Composite"].tolist()
    assert values == sorted(values, reverse=True)
    best = score.scores.sort_values("composite").iloc[-1]
    assert figure.numbers["Name"].iloc[0] == best["unit"]


def test_the_table_says_what_counts(unequal):
    table = views.composite_table(score_of(unequal))
    assert "win rate 50%" in table.key[0]
    assert "never counted as zero" in table.key[1]
    assert len(table.rows) == 24


def test_nobody_is_shown_ranked_where_nobody_differs(equal):
    score = score_of(equal)
    for block in (views.composite_chart(score), views.composite_table(score)):
        assert block.text == score.finding
        assert "Rep " not in block.render_html()


def test_raw_is_drawn_beside_adjusted(unequal):
    adjusted = adjusted_performance(unequal, period=NOW, n_draws=300)
    figure = adjusted.plot()
    assert figure.anchor == ADJUSTED_ANCHOR
    assert {"Raw", "Adjusted", "Place, raw", "Place, adjusted"} <= set(figure.numbers.columns)
    assert "no territory has a potential" in figure.caption.lower()


def test_places_are_not_shown_where_nobody_differs(equal):
    figure = views.adjusted_chart(adjusted_performance(equal, period=NOW, n_draws=300))
    assert "nobody is ranked" in figure.title
    assert "Place, adjusted" not in figure.numbers.columns


def test_what_cannot_be_adjusted_is_said():
    nothing = adjusted_performance(make_measures([], kpis=("bookings",)), period=NOW)
    assert views.adjusted_chart(nothing).text == nothing.finding


def test_names_are_text(unequal):
    people = unequal.people.assign(name=[f"{HOSTILE}{row}" for row in range(24)])
    hostile = make_measures(
        unequal.totals.to_numpy().tolist(),
        kpis=("win_rate", "bookings", "deal_size"),
        names=dict(zip(people["rep_id"], people["name"], strict=True)),
    )
    score = score_of(hostile)
    adjusted = adjusted_performance(hostile, period=NOW, n_draws=300)
    for block in (
        views.composite_chart(score), views.composite_table(score), views.adjusted_chart(adjusted),
    ):  # fmt: skip
        page = block.render_html()
        assert "<script>" not in page
        assert "&lt;script&gt;" in page
