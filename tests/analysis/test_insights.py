from dataclasses import dataclass

import numpy as np
import pytest
from made_company import QUARTERS, make_measures, simulate
from scipy.stats import norm

from salesnb import views
from salesnb.analysis.finding import Candidate
from salesnb.analysis.insights import find_insights
from salesnb.analysis.matrix import performance_matrix
from salesnb.analysis.trend import quarter_trend
from salesnb.periods import FiscalCalendar
from salesnb.privacy import PRIVACY

NOW = QUARTERS[-1]


@dataclass(frozen=True)
class Offer:
    """A result that offers these candidates and nothing else."""

    offered: tuple
    tells_of_people = False

    def candidates(self):
        return self.offered


class OfPeople(Offer):
    tells_of_people = True


def candidate(text, *, effect=0.5, p_value=1e-6, anchor="a", kpi=""):
    return Candidate(text, f"why {text}", anchor, effect, p_value, kpi)


def told(*candidates, most=5):
    return [item.text for item in find_insights(Offer(candidates), most=most).items]


def insights(measures):
    matrix = performance_matrix(measures, period=NOW, n_draws=300)
    return find_insights(matrix, quarter_trend(measures, period=NOW))


def test_of_teams_only_nothing_about_people_is_told(monkeypatch):
    about_one = candidate("‹K7M4› won most"), Candidate("North won", "as ‹K7M4› did", "a", 0.5, 0.0)
    offers = OfPeople((candidate("3 of 7 wait"),)), Offer((*about_one, candidate("North won most")))
    assert len(find_insights(*offers).items) == 4
    monkeypatch.setenv(PRIVACY, "team_only:ab")
    assert [item.text for item in find_insights(*offers).items] == ["North won most"]


# What a company is told --------------------------------------------------------------------


def test_equal_people_are_said_to_be_equal_and_nobody_is_named():
    company = simulate(np.random.default_rng(3), win_rates=np.full(24, 0.3))
    items = insights(company).items
    equal = [item for item in items if "do not differ beyond chance" in item.text]
    assert len(equal) == 1
    assert items[-1] == equal[0]
    assert "win rate" in equal[0].text
    assert equal[0].evidence == "not enough evidence"
    assert not any("Rep " in item.text + item.why for item in items)


def test_a_difference_names_the_surest_first_and_counts_the_rest():
    rates = np.concatenate([np.full(20, 0.15), np.full(20, 0.45)])
    company = simulate(np.random.default_rng(1), win_rates=rates, closed=25)
    found = next(item for item in insights(company).items if item.kpi == "win_rate")
    assert found.evidence == "strong"
    assert found.anchor == "matrix"
    assert found.text.startswith("Win rate: of 40 people, ")
    named = found.why.split("Better: ")[1].split(" and ")[0].split(", ")
    assert len(named) == 3
    assert all(int(name.removeprefix("Rep ")[1:]) >= 20 for name in named)


def test_a_clear_fall_is_the_first_finding():
    rows = []
    for rep in ("A1", "A2"):
        for quarter in QUARTERS:
            wins = 20 if quarter == NOW else 60
            rows.append((rep, "A", quarter, "win_rate", wins, 200, 200, np.nan, np.nan))
    items = insights(make_measures(rows, kpis=("win_rate",))).items
    assert items[0].text == "Win rate down to 10% in 2026Q2, from a usual 30%."
    assert items[0].anchor == "trend"
    assert items[0].evidence == "strong"


def test_reports_of_quiet_companies_rarely_claim_anything():
    claims = 0
    for seed in range(60):
        company = simulate(np.random.default_rng(seed), win_rates=np.full(16, 0.3), closed=20)
        found = insights(company)
        assert found.n_tested == 6
        claims += any(item.evidence != "not enough evidence" for item in found.items)
    assert claims <= 8  # 60 x 5% = 3; P(more than 8) is below .01 at a true 5%


def test_nothing_stands_out_where_nothing_was_tested():
    measures = make_measures([], kpis=("win_rate",))
    found = insights(measures)
    assert (found.items, found.n_tested) == ((), 0)
    assert found.finding == "Nothing stands out this quarter."
    assert "No finding stands out" in views.headlines(found).render_html()
    assert find_insights().items == ()


# How it is chosen --------------------------------------------------------------------------


def test_all_tests_of_a_report_count_wherever_they_come_from():
    # By Benjamini-Hochberg one p-value of .01 among five tests is .05, among four .04.
    hint = candidate("hint", p_value=0.01)
    quiet = [candidate(f"quiet {n}", p_value=0.9, effect=0.0) for n in range(4)]
    assert [item.text for item in find_insights(Offer((hint,)), Offer(tuple(quiet[:3]))).items] == [
        "hint"
    ]
    assert find_insights(Offer((hint,)), Offer(tuple(quiet))).items == ()


def test_the_adjusted_p_value_sets_the_label():
    found = find_insights(
        Offer((candidate("sure", p_value=1e-5), candidate("likely", p_value=0.02)))
    ).items
    assert [(item.text, item.evidence) for item in found] == [
        ("sure", "strong"), ("likely", "moderate"),
    ]  # fmt: skip
    assert found[0].p_value == pytest.approx(2e-5)
    assert found[1].p_value == pytest.approx(0.02)


def test_plain_counts_need_no_test_and_make_no_other_easier():
    counts = [candidate(f"count {n}", p_value=0.0) for n in range(20)]
    hint = candidate("hint", p_value=0.03, effect=1.0)
    quiet = candidate("quiet", p_value=0.9)
    found = find_insights(Offer((*counts, hint, quiet)), most=30).items
    assert "hint" not in [item.text for item in found]
    assert len(found) == 20
    assert {item.evidence for item in found} == {"strong"}


def test_large_effects_come_before_sure_but_small_ones_and_results_before_activity():
    assert told(candidate("small", effect=0.02, p_value=1e-30), candidate("large", p_value=1e-3))[
        0
    ] == ("large")
    calls = candidate("calls", kpi="connected_calls", effect=0.5, anchor="b")
    assert told(calls, candidate("wins", kpi="win_rate", effect=0.4)) == ["wins", "calls"]


def test_findings_vary():
    of_one = [
        candidate(f"wins {n}", kpi="win_rate", effect=0.9 - n / 100, anchor=f"f{n}")
        for n in range(6)
    ]
    assert told(*of_one, candidate("size", kpi="deal_size", effect=0.1)) == [
        "wins 0", "wins 1", "size",
    ]  # fmt: skip
    same = [candidate(f"same {n}", effect=0.5 - n / 1000) for n in range(3)]
    assert told(*same, candidate("other", effect=0.4, anchor="b"))[:2] == ["same 0", "other"]


def test_what_was_tested_and_is_not_told_stays_untold():
    assert (
        told(candidate("untold", effect=0.0), candidate("also untold", effect=0.0, p_value=0)) == []
    )


def test_at_most_so_many_and_one_that_nothing_was_found_last():
    some = [candidate(f"{n}", anchor=f"f{n}") for n in range(9)]
    none = [candidate(f"none {n}", p_value=np.nan, effect=0.0) for n in range(2)]
    assert told(*none, *some) == ["0", "1", "2", "3", "none 0"]
    assert told(*some, most=3) == ["0", "1", "2"]


def test_what_two_results_say_is_said_once():
    one = Offer((candidate("same"),))
    assert [item.text for item in find_insights(one, one).items] == ["same"]


def test_a_trend_offers_every_kpi_with_its_two_sided_p_value():
    company = simulate(np.random.default_rng(3), win_rates=np.full(24, 0.3))
    trend = quarter_trend(company, period=NOW)
    alone = find_insights(trend, most=9)
    assert alone.n_tested == 3
    z = trend.last()["z"].abs().max()
    assert bool(alone.items) == (3 * 2 * norm.sf(z) < 0.05)


def test_a_rush_that_comes_every_year_is_no_finding_and_one_that_fails_to_come_is():
    quarters = FiscalCalendar().window("2026Q4", 20)
    usual = np.array([360, 360, 360, 520] * 5)
    told_of = {"usual": 0, "failed": 0}
    for seed in range(20):
        counts = np.random.default_rng(seed).poisson(usual)
        for name, last in (("usual", counts[-1]), ("failed", counts[-2])):
            rows = [
                ("A1", "A", quarter, "leads", n, 1.0, n, np.nan, np.nan)
                for quarter, n in zip(quarters, [*counts[:-1], last], strict=True)
            ]
            company = make_measures(rows, kpis=("leads",), quarters=quarters)
            found = find_insights(quarter_trend(company, period="2026Q4"))
            told_of[name] += len(found.items)
            assert all("Q4 is usually" in item.why for item in found.items)
    assert told_of["usual"] <= 4  # 20 x 5% = 1; P(more than 4) is below .003
    assert told_of["failed"] == 20


def test_each_headline_links_to_what_shows_it():
    shown = views.headlines(find_insights(Offer((candidate("x", anchor="matrix"),))))
    assert 'href="#matrix"' in shown.render_html()


def test_the_matrix_of_teams_has_its_own_place_on_the_page():
    company = simulate(np.random.default_rng(3), win_rates=np.full(24, 0.3))
    matrices = [
        performance_matrix(company, period=NOW, by=by, n_draws=100) for by in ("rep", "team")
    ]
    anchors = [views.matrix_table(matrix).anchor for matrix in matrices]
    assert anchors == ["matrix", "matrix-teams"]
    for matrix, anchor in zip(matrices, anchors, strict=True):
        assert {offer.anchor for offer in matrix.candidates()} == {anchor}
