import re

import numpy as np
import pytest
from made_company import QUARTERS, simulate

from salesnb import views
from salesnb.analysis.interactions.short import shorten_step
from salesnb.analysis.matrix import performance_matrix
from salesnb.analysis.trend import quarter_trend
from salesnb.language import speaking
from salesnb.measures.catalogue import find_kpis
from salesnb.measures.contacts import CALLS, FIRST_TOUCH, MEETINGS, PEOPLE, SILENCE
from salesnb.views.figures.parts import tick_writer, write_numbers, write_percent, write_signed

NOW = QUARTERS[-1]
SPACE = "\N{NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("share", "english", "german"),
    [
        (0.125, "12.5%", "12,5 %"), (0.5, "50%", "50 %"), (0.00125, "0.125%", "0,125 %"),
        (0, "0%", "0 %"), (12.34, "1234%", "1234 %"),
    ],
)  # fmt: skip
def test_ticks_of_shares_have_the_decimals_they_need(share, english, german):
    assert write_percent(share) == english
    with speaking("de"):
        assert write_percent(share) == german.replace(" ", SPACE)


def test_ticks_without_a_unit_are_written_as_the_language_does():
    leads, *_ = find_kpis(["leads"])
    write = tick_writer(leads, "EUR")
    assert [write(1500), write(2.5)] == ["1,500", "2.5"]
    with speaking("de"):
        assert [write(1500), write(2.5)] == ["1.500", "2,5"]


def test_what_is_missing_is_a_dash_in_all_languages():
    for code in ("en", "de"):
        with speaking(code):
            assert write_numbers([float("nan")], 2) == ["–"]
            assert write_signed(float("nan")) == "–"
    assert write_signed(-0.25) == "−0.25"


@pytest.mark.parametrize(
    ("pattern", "bins", "name"),
    [
        (MEETINGS, [0], "no meeting"), (CALLS, [2, 3], "2 or more"),
        (PEOPLE, [1, 2], "1 to 2 contacts"), (SILENCE, [4], "4 silent weeks"),
        (FIRST_TOUCH, [0], "no touch"),
        (FIRST_TOUCH, [5], "the same day"), (FIRST_TOUCH, [4, 5], "within 2 days"),
        (FIRST_TOUCH, [1], "14 to 29 days"), (FIRST_TOUCH, [0, 1], "14 days or none"),
        (FIRST_TOUCH, [0, 1, 2, 3, 4, 5], "any or no touch"),
    ],
)  # fmt: skip
def test_beside_a_narrow_figure_steps_have_short_names(pattern, bins, name):
    assert shorten_step(pattern, bins) == name


def test_figures_say_the_same_in_another_language_with_its_signs():
    rates = np.concatenate([np.full(8, 0.15), np.full(8, 0.45)])
    measures = simulate(np.random.default_rng(1), win_rates=rates, closed=25)
    charts = {}
    for code in ("en", "de"):
        with speaking(code):
            matrix = performance_matrix(measures, period=NOW, n_draws=300)
            charts[code] = [
                views.caterpillar(matrix, "win_rate"),
                views.funnel(matrix, "win_rate"),
                views.trend_chart(quarter_trend(measures, period=NOW)),
            ]
    for english, german in zip(charts["en"], charts["de"], strict=True):
        assert german.numbers.shape == english.numbers.shape
        cells = [str(cell) for cell in german.numbers.to_numpy().ravel()]
        assert not [cell for cell in cells if re.search(r"\d%|\d\.\d{1,2}\b", cell)]
        assert [re.sub(r"\D", "", cell) for cell in cells] == [
            re.sub(r"\D", "", str(cell)) for cell in english.numbers.to_numpy().ravel()
        ]
        drawn = "".join(re.findall(r"<text[^>]*>[^<]*</text>", german.svg))
        assert not re.search(r"\d%", drawn)
