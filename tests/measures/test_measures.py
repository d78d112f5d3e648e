"""Laws of the measures on companies made by chance, against counts by hand (`by_hand`)."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from by_hand import (
    KPIS,
    Activity,
    Change,
    Company,
    Lead,
    Leave,
    Membership,
    Opportunity,
    Picture,
    Target,
    figures,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from made_company import make_measures
from small_company import import_tables

from salesnb.errors import DataError, ParameterError
from salesnb.measures.compute import compute_measures
from salesnb.measures.figures import weighted_medians
from salesnb.measures.measures import LEVELS

START = dt.date(2026, 1, 1)
LAST = 280
REPS = ("r1", "r2", "r3")
PARENTS = {"a": "north", "b": "north", "c": "south"}
MONEY = {"bookings", "deal_size", "pipeline_created"}

days = st.integers(0, LAST).map(lambda number: START + dt.timedelta(days=number))
maybe = st.one_of(st.none(), days)
amounts = st.one_of(st.none(), st.sampled_from([-5.0, 0.0]), st.integers(1, 10**6).map(float))


def spans(first, last):
    """Two days in order, the second later; either may be missing."""
    pairs = st.tuples(first, last)
    return pairs.filter(lambda pair: None in pair or pair[0] < pair[1])


@st.composite
def opportunities(draw):
    """One opportunity that the import accepts."""
    created, state = draw(maybe), draw(st.sampled_from(["open", "won", "won", "lost"]))
    later = days if created is None else days.map(lambda day: max(day, created))
    return Opportunity(
        opportunity_id="", rep_id=draw(st.sampled_from(REPS)), created_on=created,
        qualified_on=draw(st.one_of(st.none(), later)),
        closed_on=None if state == "open" else draw(later),
        expected_close_on=draw(maybe), is_won=state == "won", is_closed=state != "open",
        amount=draw(amounts), currency=draw(st.sampled_from([None, "USD", "EUR"])),
    )  # fmt: skip


def changes(deal, rep):
    """Changes of owner, some of them two on one day."""
    moments = st.builds(dt.datetime.combine, days, st.sampled_from([dt.time(9), dt.time(17)]))
    return st.builds(Change, deal, rep, moments, st.one_of(st.none(), rep))


@st.composite
def companies(draw):
    """A company of three reps over about three quarters of any fiscal year."""

    def some(kind, most):
        return draw(st.lists(kind, max_size=most))

    def numbered(rows, prefix):
        return tuple(row._replace(**{row._fields[0]: f"{prefix}{n}"}) for n, row in enumerate(rows))

    def distinct(rows, width):
        return tuple({row[:width]: row for row in rows}.values())

    rep, team = st.sampled_from(REPS), st.sampled_from(sorted(PARENTS))
    deals = numbered(draw(st.lists(opportunities(), min_size=1, max_size=10)), "o")
    deal = st.sampled_from([item.opportunity_id for item in deals])
    company = Company(
        as_of=START + dt.timedelta(days=LAST + 20),
        start_month=draw(st.integers(1, 12)),
        ramp_days=draw(st.sampled_from([0, 0, 45])),
        reps={name: draw(spans(maybe, maybe)) for name in REPS},
        parents=PARENTS,
        memberships=distinct(
            [
                Membership(*who, *when)
                for who, when in some(st.tuples(st.tuples(rep, team), spans(maybe, maybe)), 6)
            ],
            3,
        ),
        leaves=distinct(
            [Leave(who, *when) for who, when in some(st.tuples(rep, spans(days, days)), 4)], 2
        ),
        holidays=tuple(set(some(days, 4))),
        opportunities=deals,
        owner_history=distinct(some(changes(deal, rep), 6), 3),
        leads=numbered(
            some(
                st.builds(
                    Lead, st.just(""), st.one_of(st.none(), rep), days, st.one_of(st.none(), deal),
                    st.sampled_from([None, None, "Duplicate", "invalid", "budget"]),
                ), 5,
            ), "l",
        ),
        activities=numbered(
            some(
                st.builds(
                    Activity, st.just(""), rep, st.sampled_from(["call", "meeting", "email"]), days,
                    st.sampled_from([None, 59.0, 60.0, 600.0]),
                    st.sampled_from([None, True, False]),
                ), 6,
            ), "x",
        ),
        rates=((START, 1.25), (START + dt.timedelta(days=100), 1.5)),
    )  # fmt: skip
    quarters = sorted({company.quarter(START + dt.timedelta(days=n)) for n in range(LAST + 20)})
    return replace(
        company,
        targets=distinct(
            [
                Target(kind, who, period, kpi, float(quota))
                for kind, who, period, kpi, quota in some(
                    st.tuples(
                        st.sampled_from(["rep", "rep", "rep", "team"]), rep,
                        st.sampled_from(quarters), st.sampled_from(["bookings"] * 4 + ["leads"]),
                        st.integers(1, 10**6),
                    ), 6,
                )
            ], 4,
        ),
        pipeline_snapshots=distinct(
            some(st.builds(Picture, days, deal, amounts, maybe), 5), 2
        ),
    )  # fmt: skip


def measure(folder, company, as_of=None):
    snapshot = import_tables(folder, company.tables(), company=company.yaml(), strict=True)
    return compute_measures(snapshot, as_of=as_of, kpis=KPIS)


def values_of(measures, level):
    rows = measures.roll_up(by=level)
    rows = rows[rows["value"].notna()]
    return {
        (row.unit_id, row.period, row.kpi): row.value
        for row in rows[["unit_id", "period", "kpi", "value"]].itertuples()
    }


def assert_sums_add_up(measures):
    """Each fact is in one rep, team and region: every level has the company's sums."""
    sums, levels = {}, [level for level in LEVELS if level != "branch"]
    for level in levels:
        rows = measures.roll_up(by=level)
        sums[level] = rows.groupby(["period", "kpi"])[["numerator", "denominator", "n"]].sum()
    for level in levels:
        pd.testing.assert_frame_equal(sums[level], sums["company"], rtol=1e-9, atol=1e-6)
    for period in measures.periods:
        measures.check_roll_up(period=period)


@settings(max_examples=15)
@given(company=companies(), back=st.integers(0, LAST))
def test_every_kpi_of_every_level_is_the_count_by_hand(tmp_path_factory, company, back):
    as_of = company.as_of - dt.timedelta(days=back)
    measures = measure(tmp_path_factory.mktemp("hand"), company, as_of)
    assert measures.missing == {}
    for level in LEVELS:
        by_hand = figures(company, as_of, level)
        assert values_of(measures, level) == pytest.approx(by_hand, rel=1e-9, abs=1e-9)
    assert_sums_add_up(measures)


@settings(max_examples=4)
@given(
    company=companies(),
    order=st.randoms(use_true_random=False),
    scale=st.sampled_from([0.5, 1024.0]),
)
def test_the_order_of_rows_is_nothing_and_the_unit_of_money_only_a_factor(
    tmp_path_factory, company, order, scale
):
    other = replace(
        company,
        opportunities=scaled(company.opportunities, "amount", scale, order),
        pipeline_snapshots=scaled(company.pipeline_snapshots, "amount", scale, order),
        targets=scaled(company.targets, "target", scale, order),
        leads=shuffled(company.leads, order),
        activities=shuffled(company.activities, order),
        memberships=shuffled(company.memberships, order),
        leaves=shuffled(company.leaves, order),
        owner_history=shuffled(company.owner_history, order),
    )
    folder = tmp_path_factory.mktemp("order")
    columns = ["unit_id", "period", "kpi", "value"]
    expected = measure(folder, company).roll_up(by="rep")[columns]
    expected["value"] *= np.where(expected["kpi"].isin(MONEY), scale, 1.0)
    found = measure(folder, other).roll_up(by="rep")[columns]
    pd.testing.assert_frame_equal(found, expected, rtol=1e-9)


def shuffled(rows, order):
    return tuple(order.sample(rows, len(rows)))


def scaled(rows, name, scale, order):
    """The rows in another order, one column multiplied where it is not missing."""
    return tuple(
        row if getattr(row, name) is None else row._replace(**{name: getattr(row, name) * scale})
        for row in shuffled(rows, order)
    )


@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from("ab"), st.integers(-50, 50).map(lambda x: x / 4), st.integers(1, 5)
        ),
        min_size=1,
        max_size=10,
    )
)
def test_medians_of_counted_values_are_numpys_of_the_values(rows):
    frame = pd.DataFrame(rows, columns=["unit_id", "value", "n"])
    medians = weighted_medians(frame, ["unit_id"])
    for unit, part in frame.groupby("unit_id"):
        assert medians[unit] == np.median(np.repeat(part["value"], part["n"]))
    assert len(medians) == frame["unit_id"].nunique()


def won(number, rep, *, is_won, amount=10):
    return f"o{number},{rep},2026-01-01,2026-02-01,{is_won},true,{amount}\n"


HEADER = "opportunity_id,rep_id,created_on,closed_on,is_won,is_closed,amount\n"


def test_a_team_rate_is_not_the_mean_of_its_reps_rates(small_snapshot):
    rows = [won(0, "r1", is_won=True), won(1, "r2", is_won=True)]
    rows += [won(number, "r2", is_won=False) for number in range(2, 11)]
    measures = compute_measures(small_snapshot({"opportunities": HEADER + "".join(rows)}))
    rates = measures.roll_up(by="rep", kpi="win_rate").set_index("unit_id")["value"]
    assert rates.to_dict() == {"r1": 1.0, "r2": 0.1}  # their mean is 55 %
    assert measures.roll_up(by="company", kpi="win_rate")["value"].item() == 2 / 11


def test_a_median_of_a_team_is_not_made_of_its_reps_medians(small_snapshot):
    days = {"r1": (1, 2, 30), "r2": (3, 4, 50, 60, 70)}
    rows = "".join(
        f"{rep}{day},{rep},2026-01-01,{dt.date(2026, 1, 1) + dt.timedelta(days=day)},1,1,5\n"
        for rep, many in days.items()
        for day in many
    )
    measures = compute_measures(small_snapshot({"opportunities": HEADER + rows}))
    medians = measures.roll_up(by="rep", kpi="cycle_days").set_index("unit_id")["value"]
    assert medians.to_dict() == {"r1": 2.0, "r2": 50.0}
    # 1 2 3 4 | 30 50 60 70
    assert measures.roll_up(by="company", kpi="cycle_days")["value"].item() == 17.0


def test_quarters_are_pooled_by_their_sums(small_snapshot):
    rows = HEADER + won(0, "r1", is_won=True) + won(1, "r1", is_won=False)
    rows += "o2,r1,2026-01-01,2026-05-01,true,true,10\n"
    measures = compute_measures(small_snapshot({"opportunities": rows}))
    apart = measures.roll_up(by="rep", kpi="win_rate").set_index("period")["value"]
    assert apart.to_dict() == {"2026Q1": 0.5, "2026Q2": 1.0}
    pooled = measures.roll_up(by="rep", kpi="win_rate", pool=True)
    assert pooled.set_index("period")["value"].to_dict() == {"2026Q2": 2 / 3}
    first = measures.roll_up(by="rep", kpi="win_rate", pool=True, periods=("2026Q1",))
    assert first.set_index("period")["value"].to_dict() == {"2026Q1": 0.5}


def test_a_company_where_all_is_open_has_rates_of_nothing(small_snapshot):
    measures = compute_measures(
        small_snapshot({"opportunities": HEADER + "o1,r1,2026-01-01,,0,0,5\n"})
    )
    assert measures.periods == ("2026Q1",)
    values = measures.roll_up(by="company").set_index("kpi")["value"].dropna().to_dict()
    assert values == {"bookings": 0.0, "close_rate": 0.0, "won_within_T": 0.0}


def test_without_members_of_teams_all_is_in_no_team(small_snapshot):
    measures = compute_measures(small_snapshot())
    assert set(measures.totals["team_id"]) == {""}
    assert measures.team_ids() == ()
    assert measures.team_name("") == "No team"


def test_what_could_not_be_measured_says_what_it_needs(small_snapshot):
    measures = compute_measures(small_snapshot({"targets": "owner_kind,owner_id,period,kpi,target\n"
                                                "team,t1,2026Q1,bookings,5\n"}))  # fmt: skip
    assert measures.missing["leads"] == "leads"
    assert measures.missing["lead_to_won"] == "leads"
    assert measures.missing["pipeline_coverage"] == "opportunities.expected_close_on"
    assert measures.roll_up(by="rep", kpi="quota_attainment").empty
    for ask in (measures.kpi, lambda name: measures.roll_up(by="rep", kpi=name)):
        with pytest.raises(
            ParameterError, match=r"kpi: leads needs leads; the snapshot has none\."
        ):
            ask("leads")
        with pytest.raises(ParameterError, match="kpi: 'win' is unknown. Known: bookings, "):
            ask("win")
    assert measures.kpi("win_rate").label == "Win rate"


def test_only_the_kpis_asked_for_are_measured(small_snapshot):
    snapshot = small_snapshot()
    measures = compute_measures(snapshot, kpis=("close_rate", "win_rate"))
    assert [kpi.kpi for kpi in measures.kpis] == ["win_rate", "close_rate"]
    assert set(measures.totals["kpi"]) == {"win_rate", "close_rate"}
    nothing = compute_measures(snapshot, kpis=("leads",))
    assert nothing.roll_up(by="company").empty
    with pytest.raises(ParameterError, match=r"kpis: unknown lead, win. Known: bookings"):
        compute_measures(snapshot, kpis=("win", "leads", "lead"))


def test_an_earlier_day_may_be_seen_a_later_not(small_snapshot):
    snapshot = small_snapshot()
    with pytest.raises(
        ParameterError, match="as_of: 2026-02-03 is after the snapshot's 2026-02-02"
    ):
        compute_measures(snapshot, as_of=dt.date(2026, 2, 3))
    assert compute_measures(snapshot, as_of=dt.date(2026, 1, 6)).first_close == dt.date(2026, 1, 6)


def test_of_trainings_and_feedback_only_what_was_known_on_the_day_is_seen(small_snapshot):
    tables = {
        "courses": "course_id,skill\nc1,listening\n",
        "trainings": "rep_id,course_id,assigned_on,completed_on\n"
        "r1,c1,2026-01-10,2026-01-28\nr1,c1,2026-01-25,\n",
        "feedback": "feedback_id,rep_id,given_on\nf1,r1,2026-01-20\nf2,r1,2026-01-25\n",
    }
    snapshot = small_snapshot(tables)
    early = compute_measures(snapshot, as_of=dt.date(2026, 1, 20))
    assert list(early.trainings["assigned_on"]) == [dt.date(2026, 1, 10)]
    assert early.trainings["completed_on"].isna().all()
    assert list(early.feedback["feedback_id"]) == ["f1"]
    late = compute_measures(snapshot, as_of=dt.date(2026, 1, 28))
    assert list(late.trainings["completed_on"].dropna()) == [dt.date(2026, 1, 28)]
    assert list(late.feedback["feedback_id"]) == ["f1", "f2"]


@pytest.fixture
def north():
    """Measures of teams within teams, two with one name."""
    rows = [
        ("r1", "a", "2026Q1", "win_rate", 1.0, 2.0, 2.0, np.nan, np.nan),
        ("r2", "b", "2026Q1", "win_rate", 2.0, 2.0, 2.0, np.nan, np.nan),
        ("r2", "c", "2026Q2", "win_rate", 3.0, 4.0, 4.0, np.nan, np.nan),
        ("", "", "2026Q2", "win_rate", 0.0, 1.0, 1.0, np.nan, np.nan),
    ]
    measures = make_measures(rows, kpis=("win_rate",), quarters=("2026Q1", "2026Q2"))
    teams = pd.DataFrame(
        {
            "team_id": ["a", "b", "c", "n"], "name": ["Ash", "Elm", "Elm", "North"],
            "parent_id": ["n", "a", "", ""], "has_members": [True, True, True, False],
        }
    )  # fmt: skip
    return replace(measures, teams=teams)


def test_teams_within_are_asked_for_by_name_and_nobody_is_everybody(north):
    assert set(north.ids_within("North")) == {"a", "b", "n"}
    assert north.ids_within(None) is None
    with pytest.raises(ParameterError, match="team: 'Elm' names 2 teams"):
        north.ids_within("Elm")


def test_a_team_holds_those_below_it(north):
    assert north.teams_within("n") == ("n", "a", "b")
    assert north.members("n", "2026Q1") == ("r1", "r2")
    assert north.members("a", "2026Q2") == ()
    assert north.members("c", "2026Q2") == ("r2",)
    assert north.roll_up(by="company", team="n")["value"].tolist() == [3 / 4]
    regions = north.roll_up(by="region").set_index(["unit_id", "period"])["value"].to_dict()
    assert regions == {("n", "2026Q1"): 1 / 2, ("a", "2026Q1"): 1.0, ("", "2026Q2"): 3 / 5}
    cyclic = north.teams.assign(parent_id=["b", "a", "", ""])
    assert replace(north, teams=cyclic).teams_within("a") == ("a", "b")


def test_teams_are_found_by_id_or_by_a_name_that_is_one_teams(north):
    assert (north.find_team("b"), north.find_team("Ash")) == ("b", "a")
    assert north.team_ids() == ("a", "b", "c")
    with pytest.raises(ParameterError, match="team: 'Elm' names 2 teams. Use the team_id"):
        north.find_team("Elm")
    with pytest.raises(
        ParameterError, match="team: 'Oak' is unknown. Known: 'Ash', 'Elm', 'North'"
    ):
        north.find_team("Oak")


def test_what_is_outside_the_data_is_refused_with_their_range(north):
    north.check_period("2026Q2")
    with pytest.raises(ParameterError, match="quarter: no data for '2026Q3'; they cover 2026Q1 to"):
        north.check_period("2026Q3")
    with pytest.raises(
        ParameterError, match="by: 'office' is not one of rep, team, region, branch, c"
    ):
        north.roll_up(by="office")


def test_a_quarter_is_whole_when_the_data_cover_it_but_for_two_weeks(north):
    # the data end on 2026-07-05; made_company begins on the first day of 2026Q1
    assert [north.is_whole(period) for period in ("2025Q4", "2026Q1", "2026Q2", "2026Q3")] == [
        False, True, True, False,
    ]  # fmt: skip
    assert replace(north, first_close=dt.date(2026, 1, 15)).is_whole("2026Q1")
    assert not replace(north, first_close=dt.date(2026, 1, 16)).is_whole("2026Q1")
    assert not replace(north, as_of=dt.date(2026, 6, 29)).is_whole("2026Q2")


def test_members_that_do_not_add_up_are_an_error(north, monkeypatch):
    frame = north.check_roll_up(period="2026Q1", team="North")
    assert frame.to_dict("records") == [{"kpi": "win_rate", "members": 3.0, "whole": 3.0}]
    whole = north.roll_up(by="company", periods=("2026Q1",)).assign(numerator=4.0)
    real = type(north).roll_up
    monkeypatch.setattr(
        type(north), "roll_up",
        lambda self, *, by, **rest: whole if by == "company" else real(self, by=by, **rest),
    )  # fmt: skip
    with pytest.raises(DataError, match=r"members do not add up to the whole in \['win_rate'\]"):
        north.check_roll_up(period="2026Q1")
