"""Views of targets, outlook, pace and actions: what they say, and what they must not render."""

import dataclasses
import datetime as dt

import pytest
from made_company import make_measures

from salesnb import views
from salesnb.analysis.actions import ACTIONS_ANCHOR, agreed_actions
from salesnb.analysis.outlook import OUTLOOK_ANCHOR, PACE_ANCHOR, target_outlook
from salesnb.analysis.targets import TARGETS_ANCHOR, target_tree
from salesnb.periods import FiscalCalendar
from salesnb.views.blocks import Note

HOSTILE = "<img src=x onerror=alert(1)>"
NOW = "2026Q2"
QUARTERS = FiscalCalendar().window(NOW, 7)
AGREED, DUE = dt.date(2026, 4, 8), dt.date(2026, 5, 1)


def company(*, now=1, targets=True, is_over=False, actions=()):
    """Rep A1 wins 10 in each of four weeks of a quarter, `now` in the first two of this one."""
    weeks = [
        ("A1", "A", quarter, week, 1, 10.0, 100.0) for quarter in QUARTERS[:-1]
        for week in (-1, 0, 1, 2)
    ]  # fmt: skip
    weeks += [("A1", "A", NOW, 0, now, 10.0 * now, 100.0 * now)]
    rows = []
    for rep in ("A1", "B1"):
        for quarter in QUARTERS:
            money = (10.0 * now, 100.0 * now) if (rep, quarter) == ("A1", NOW) else (0.0, 0.0)
            key = (rep, rep[0], quarter)
            rows.append((*key, "bookings", money[0], 1.0, now * (money[0] > 0), *money))
            rows.append((*key, "win_rate", 3, 10, 10, float("nan"), float("nan")))
            if targets:
                rows.append((*key, "quota_attainment", money[0], 40.0, now, *money))
    full = [
        ("team", "A", NOW, "bookings", 50.0, None), ("rep", "A1", NOW, "bookings", 40.0, "A"),
        ("rep", "B1", NOW, "bookings", 40.0, "B"), ("team", "B", NOW, "bookings", 40.0, None),
    ]  # fmt: skip
    made = make_measures(
        rows, kpis=("bookings", "quota_attainment", "win_rate"), weeks=weeks, quarters=QUARTERS,
        targets=full if targets else (), actions=actions, names={"A1": HOSTILE},
    )  # fmt: skip
    return made if is_over else dataclasses.replace(made, as_of=dt.date(2026, 5, 15))


def outlook_of(**arguments):
    return target_outlook(company(**arguments), period=NOW, n_draws=300)


def action(name, **changes):
    columns = {
        "rep": "A1", "agreed": AGREED, "due": DUE, "kpi": "win_rate", "skill": None,
        "target": 0.25, "status": "open", **changes,
    }  # fmt: skip
    return (name, *columns.values())


def test_targets_are_indented_and_gaps_are_named_in_words():
    block = views.target_table(target_tree(company(), period=NOW))
    by_owner = {row[0].strip("\u00a0"): row for row in block.rows}
    difference = block.header.index("Difference")
    assert by_owner["Team A"][difference] == "$10 not handed on (gap)"
    assert by_owner["Team B"][difference] == "adds up"
    assert by_owner["Team A"][block.header.index("Targets below")] == "$40 (1)"
    assert by_owner["Team A"][block.header.index("Of target")] == "20%"
    assert by_owner[HOSTILE][block.header.index("Of prorated")] == "25%"
    indents = [len(row[0]) - len(row[0].lstrip("\u00a0")) for row in block.rows]
    assert indents == [0, 3, 0, 3]
    assert not block.is_sortable
    assert block.anchor == TARGETS_ANCHOR


def test_of_many_owners_only_teams_and_what_needs_attention_are_listed(monkeypatch):
    monkeypatch.setattr(views.targets, "MOST_OWNERS", 3)
    block = views.target_table(target_tree(company(), period=NOW))
    assert [row[0] for row in block.rows] == ["Team A", "Team B"]
    assert "2 reps whose target is in order are left out" in block.caption


def test_an_outlook_says_chance_interval_and_what_they_rest_on():
    figure = views.outlook_chart(outlook_of())
    assert "(chance " in figure.title
    assert "likely end $" in figure.title
    assert "(1 win)" in figure.caption
    assert "past quarters alone (2024Q4 to 2026Q1)" in figure.caption
    assert "are too few to judge them by" in figure.how_to_read
    assert {"Chance", "End, low", "End, high"} <= set(figure.numbers.columns)
    assert figure.narrow_svg
    assert figure.anchor == OUTLOOK_ANCHOR
    assert HOSTILE not in figure.render_html()


def test_a_finished_quarter_is_drawn_without_chances():
    figure = views.outlook_chart(outlook_of(is_over=True))
    assert figure.title == f"Acme missed its {NOW} target of $90: $10 booked, $80 short."
    assert "Chance" not in figure.numbers
    assert figure.how_to_read == ""


@pytest.mark.parametrize(("now", "place"), [(0, "below"), (9, "above")])
def test_pace_is_placed_beside_the_band_of_past_quarters(now, place):
    # by hand: past quarters had half of their end by now
    figure = views.pace_chart(outlook_of(now=now))
    assert f"{place} the 50% to 50% that past quarters had of their end by now" in figure.title
    assert figure.anchor == PACE_ANCHOR
    assert figure.narrow_svg
    today = figure.numbers[figure.numbers["Week"] == "0"].iloc[0]
    assert today["Past, middle"] == "50%"
    assert today["This quarter, of target"] == f"{10 * now / 90:.0%}"
    later = figure.numbers[figure.numbers["Week"] == "1"].iloc[0]
    assert later["This quarter, of target"] == "–"


def test_the_pace_of_a_finished_quarter_ends_at_its_end():
    figure = views.pace_chart(outlook_of(is_over=True))
    assert figure.title == f"Acme ended {NOW} at 11% of its target"
    assert figure.numbers["Week"].iloc[-1] == "0"


def test_actions_say_what_became_of_them_with_their_records():
    actions = [
        action("a", status="done"),
        action("b", kpi=None, skill="closing_deals", target=3.0),
        action("c", kpi="response_minutes", target=120.0, due=None),
    ]
    result = agreed_actions(company(actions=actions), period=NOW, n_draws=300)
    block = views.actions_table(result)
    assert block.anchor == ACTIONS_ANCHOR
    rows = [dict(zip(block.header, row, strict=True)) for row in block.rows]
    assert [row["What"] for row in rows] == ["Win rate", "Skill: closing deals", "response minutes"]
    assert rows[0]["Then"] == rows[0]["Now"] == "30% (n 10)"
    assert rows[0]["Target"] == "25%, reached"
    assert rows[1]["Change"] == "fewer than 2 raters"
    assert [row["Status"] for row in rows] == ["done", "overdue", "open"]
    assert rows[2]["Due"] == "–"
    html = block.render_html()
    assert HOSTILE not in html
    assert "&lt;img" in html
    ahead = views.next_actions(result)
    assert ahead.title == f"2 actions are open and due in {NOW} or later"
    assert [row[2] for row in ahead.rows] == [DUE.isoformat(), "–"]


def test_what_is_missing_is_a_note():
    bare = company(targets=False)
    empty = target_outlook(bare, period=NOW, n_draws=300)
    found = agreed_actions(bare, period=NOW, n_draws=300)
    notes = [
        views.target_table(target_tree(bare, period=NOW)),
        views.outlook_chart(empty),
        views.pace_chart(empty),
        views.actions_table(found),
        views.next_actions(found),
    ]
    assert all(isinstance(note, Note) and note.kind == "missing" for note in notes)


def test_results_show_and_plot_themselves():
    made = company(actions=[action("a")])
    for result in (
        target_tree(made, period=NOW),
        target_outlook(made, period=NOW, n_draws=300),
        agreed_actions(made, period=NOW, n_draws=300),
    ):
        assert HOSTILE not in result._repr_html_()
        assert result.finding in repr(result)
        assert result.plot().render_html()
