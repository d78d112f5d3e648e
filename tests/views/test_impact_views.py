import numpy as np
import pytest

from salesnb.analysis.impact import programmes, training_impact
from salesnb.measures.cache import load_measures
from salesnb.views import (
    impact_chart,
    impact_levels,
    impact_methods,
    impact_verdict,
    programmes_table,
)
from salesnb.views.blocks import Figure, Note, Remarks, Table
from salesnb.views.theme import LIGHT


@pytest.fixture(scope="module")
def measures():
    return load_measures()


@pytest.fixture(scope="module")
def impact(measures):
    return training_impact(measures, programme="OBJ-110")


def test_the_event_study_shows_the_quarters_before_and_the_naive_line(impact):
    figure = impact_chart(impact)
    assert isinstance(figure, Figure)
    assert figure.title == impact.finding
    assert figure.narrow_svg
    assert figure.anchor == impact.candidates()[0].anchor
    quarters = figure.numbers["From training"].tolist()
    assert {"−5", "−1", "+0", "+2"} <= set(quarters)
    assert "Trained, own change" in figure.numbers
    assert "var(--band)" in figure.svg  # the quarters people were chosen by are shaded


def test_only_quarters_after_beyond_chance_are_coloured(measures, impact):
    assert "var(--blue)" not in impact_chart(impact).svg
    worked = impact_chart(training_impact(measures))
    assert "var(--blue)" in worked.svg
    assert LIGHT["blue"] not in worked.svg


def test_what_could_have_been_seen_comes_before_the_verdict(impact):
    block = impact_verdict(impact)
    assert isinstance(block, Remarks)
    assert [name for name, _ in block.groups] == [
        "What could have been seen", "Verdict", "Who was compared", "What must hold",
    ]  # fmt: skip
    assert impact.write(impact.smallest_seen) in block.render_text()


def test_naive_figures_stand_beside_with_their_reason(impact):
    table = impact_methods(impact)
    assert isinstance(table, Table)
    assert len(table.rows) == 4
    assert any("goes back by itself" in line for line in table.key)


def test_four_levels_and_all_programmes(measures, impact):
    assert [row[0][0] for row in impact_levels(impact).rows] == list("1234")
    assert len(programmes_table(programmes(measures)).rows) == 5


def test_a_programme_that_waits_and_no_programme_at_all_are_notes(measures):
    waits = training_impact(measures, programme="NEG-220 2026-10")
    assert isinstance(impact_chart(waits), Note)
    assert isinstance(impact_methods(waits), Note)
    assert "nobody can tell yet" in impact_verdict(waits).render_text()
    nothing = training_impact(measures, period="2024Q1")
    for view in (impact_chart, impact_methods, impact_levels, impact_verdict):
        assert "nobody was assigned" in view(nothing).render_text()


def test_effects_on_logs_are_written_as_shares(measures):
    size = training_impact(measures, outcome="deal_size")
    assert size.write(np.log(1.1)) == "+10%"
    assert size.write(float("nan")) == "–"
