from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from salesnb import views
from salesnb.analysis.feedback.result import Answers, Cadence, FeedbackLoop, Reviews
from salesnb.analysis.feedback.themes import FeedbackThemes
from salesnb.analysis.feedback.verdict import MOVED, NONE_FOUND, UNCLEAR, FeedbackEffect
from salesnb.views.blocks import Figure, Note, Table

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
def loop():
    quarters = pd.DataFrame(
        [("2026Q1", 10, 5, 0.5, 0.24, 0.76, 7), ("2026Q2", 10, 3, 0.3, 0.11, 0.6, 4)],
        columns=["period", "n_people", "n_covered", "share", "low", "high", "n"],
    )
    managers = pd.DataFrame(
        [("m1", HOSTILE, 5, 3, 3, 0.6, 0.4, 0.2, 0.6),
         ("m2", "South", 5, 0, 0, 0.0, 0.2, 0.1, 0.28)],
        columns=["manager_id", "label", "n_people", "n_covered", "n_by_manager", "raw", "estimate",
                 "low", "high"],
    )  # fmt: skip
    kinds = pd.DataFrame([("praise", 4, 1.0, 0, 0.0)],
                         columns=["kind", "n", "share", "n_before", "share_before"])  # fmt: skip
    quiet = pd.DataFrame(
        [("r1", HOSTILE, pd.Timestamp("2026-01-02"), 179), ("r2", "Ben", pd.NaT, 400)],
        columns=["rep_id", "name", "last_on", "days"],
    )
    return FeedbackLoop(
        "2026Q2", "Acme", quarters, managers, 0.2, kinds, float("nan"),
        Cadence(21.0, 400.0, 2, 13, 2, 9), Answers(90, 8, 2, 20, 1, 12.0, 0.01),
        Reviews("2026Q1", 5, 2, 1), quiet,
    )  # fmt: skip


def test_the_table_has_a_line_for_each_figure(loop):
    table = views.feedback_table(loop)
    lines = {row[0]: row[1] for row in table.rows}
    assert lines["People with any feedback"] == "3 of 10 (30%)"
    assert lines["Days between two"] == "21"
    assert lines["Without any for 13 weeks"] == "2 of 9 people"
    assert lines["Scores below target spoken about within 90 days"] == (
        "25%, 12 days in the median; other scores 5%"
    )
    assert lines["Actions due in 2026Q1"] == "2 closed, 1 spoken about since, 2 left"
    assert "they differ" in table.rows[5][2]


def test_what_is_missing_is_a_dash_with_the_reason(loop):
    nan = float("nan")
    bare = replace(
        loop, answers=Answers(90, 0, 0, 0, 0, nan, nan, "no such score is old enough"),
        reviews=Reviews("2026Q1", 0, 0, 0),
        cadence=replace(loop.cadence, median_days=nan),
    )  # fmt: skip
    rows = {row[0]: row[1:] for row in views.feedback_table(bare).rows}
    assert rows["Actions due in 2026Q1"] == ("–", "none was due")
    assert rows["Days between two"][0] == "–"
    assert "no such score is old enough" in rows["Scores below target spoken about within 90 days"]


def test_the_silent_are_named_where_the_result_names_them(loop):
    table = views.quiet_table(loop)
    assert table.rows[1] == ("Ben", "none on record", "400")
    assert HOSTILE not in table.render_html()
    note = views.quiet_table(replace(loop, quiet=loop.quiet.head(0)))
    assert isinstance(note, Note)
    assert "2 of 9 people had no feedback for 13 weeks" in note.render_text()


def test_coverage_is_drawn_by_manager_and_grey_unless_they_differ(loop):
    figure = views.coverage_chart(loop)
    assert isinstance(figure, Figure)
    assert figure.narrow_svg
    assert "var(--orange)" not in figure.svg
    assert "var(--orange)" in views.coverage_chart(replace(loop, differ=0.01)).svg
    assert figure.title == loop.coverage
    assert list(figure.numbers["With feedback"]) == [3, 0]
    assert HOSTILE not in figure.render_html()
    single = views.coverage_chart(replace(loop, managers=loop.managers.head(1)))
    assert list(single.numbers["Row"]) == ["2026Q1", "2026Q2"]


def themes(rows, **changes):
    columns = ["name", "words", "example", "n", "n_people", "share", "share_before", "p_value",
               "skills", "stability"]  # fmt: skip
    frame = pd.DataFrame(rows, columns=columns)
    return FeedbackThemes("2026Q2", "Acme", ("2025Q3", "2026Q2"), frame, 100, 40, 90, 1, **changes)


def test_themes_show_a_shared_sentence_or_their_words():
    rows = [
        ("ask, wait", ("ask", "wait"), HOSTILE, 20, 12, 0.2, 0.1, 0.3, ("active_listening",), 0.9),
        ("price, trade", ("price", "trade"), "", 10, 6, 0.1, np.nan, np.nan, (), 0.8),
    ]
    table = views.themes_table(themes(rows))
    assert isinstance(table, Table)
    assert table.rows[0][2:] == ("active listening", "20", "12", "20%", "10%")
    assert table.rows[1][1:3] == ("price, trade", "–")
    assert table.rows[1][-1] == "–"
    assert HOSTILE not in table.render_html()
    assert isinstance(views.themes_table(themes([])), Note)
    assert "no theme in 100 comments holds" in views.themes_table(themes([])).render_text()


def effect(verdict, **values):
    row = {
        "kind": "all", "n": 40, "n_people": 25, "effect": 0.1, "low": -0.1, "high": 0.3,
        "bound": 0.05, "bound_low": -0.2, "bound_high": 0.3, "placebo": 0.0, "placebo_p": 0.9,
        "detectable": 0.3, "naive": 0.6, "p_value": 0.4, "p_adjusted": 0.4, "verdict": verdict,
    } | values  # fmt: skip
    return FeedbackEffect("2026Q2", "Acme", pd.DataFrame([row]))


def test_effects_are_drawn_with_both_methods_and_the_naive_figure():
    quiet = views.effect_chart(effect(NONE_FOUND))
    assert "moved no more than" in quiet.title
    assert "var(--blue)" not in quiet.svg
    assert quiet.numbers.iloc[0]["Naive"] == "+0.60"
    assert quiet.numbers.iloc[0]["95% interval"] == "−0.10 – +0.30"
    assert quiet.narrow_svg
    told = views.effect_chart(effect(MOVED, p_adjusted=0.001))
    assert "var(--blue)" in told.svg
    assert "moved more after feedback than the same people's other skills, by 0.10" in told.title


def test_nothing_known_is_a_note():
    thin = effect(UNCLEAR, effect=np.nan)
    assert isinstance(views.effect_chart(thin), Note)
    lacking = FeedbackEffect("2026Q2", "Acme", pd.DataFrame(), "it needs the feedback table")
    assert "it needs the feedback table" in views.effect_chart(lacking).render_text()


def test_a_result_shows_itself(loop):
    for result in (loop, themes([]), effect(NONE_FOUND)):
        assert result._repr_html_()
        assert result.plot().render_html()
