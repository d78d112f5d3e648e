"""Laws of the roll-up: sums at every level are what the raw rows give, computed by pandas."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_company import import_tables

from salesnb.measures.compute import compute_measures

QUARTER_FREQ = "Q-DEC"
TEAMS = (
    "team_id,name,parent_id\neast,East,top\nwest,West,top\nfar,Far,other\ntop,Top,\nother,Other,\n"
)
FIRST = dt.date(2025, 1, 1)


@st.composite
def companies(draw):
    """Draw reps who change team on any day, and opportunities of all kinds."""
    reps = [f"r{number}" for number in range(draw(st.integers(1, 5)))]
    memberships = []
    for rep in reps:
        moved = FIRST + dt.timedelta(days=draw(st.integers(1, 600)))
        first, second = draw(st.permutations(["east", "west", "far"]))[:2]
        memberships.append((rep, first, "", moved))
        if draw(st.booleans()):
            memberships.append((rep, second, moved, ""))
    rows = []
    for number in range(draw(st.integers(1, 40))):
        created = FIRST + dt.timedelta(days=draw(st.integers(0, 500)))
        closed = draw(st.booleans())
        days = draw(st.integers(0, 120))
        rows.append(
            (f"o{number}", draw(st.sampled_from(reps)), created if draw(st.integers(0, 9)) else "",
             created + dt.timedelta(days=days) if closed else "", closed and draw(st.booleans()),
             closed, draw(st.sampled_from([0, 10, 25.5, 100, 1000, ""])))
        )  # fmt: skip
    return reps, memberships, rows


def write_tables(company, *, order=None):
    reps, memberships, rows = company
    columns = [
        "opportunity_id", "rep_id", "created_on", "closed_on", "is_won", "is_closed", "amount"
    ]  # fmt: skip
    return {
        "reps": pd.DataFrame({"rep_id": reps, "name": reps}),
        "teams": TEAMS,
        "memberships": pd.DataFrame(
            memberships, columns=["rep_id", "team_id", "valid_from", "valid_to"]
        ),
        "opportunities": pd.DataFrame(rows if order is None else rows[::-1], columns=columns),
    }


def measure(folder, company, **options):
    settings_text = "company: Test\ncurrency: USD\nas_of: 2026-12-31\n"
    return compute_measures(
        import_tables(folder, write_tables(company, **options), company=settings_text)
    )


def attributed(company):
    """The raw rows with their close date's team, one row each, by a plain loop."""
    _, memberships, rows = company
    found = []
    for _, rep, created, closed, won, is_closed, amount in rows:
        for on, day in (("closed", closed), ("created", created)):
            team = ""
            for member, team_id, start, end in memberships:
                inside = (not start or (day and day >= start)) and (not end or (day and day < end))
                if member == rep and day and inside:
                    team = team_id
            found.append((on, rep, team, created, closed, won, is_closed, amount))
    names = ["on", "rep", "team", "created", "closed", "won", "is_closed", "amount"]
    frame = pd.DataFrame(found, columns=names)
    frame["region"] = frame["team"].map({"east": "top", "west": "top", "far": "other"}).fillna("")
    frame["company"] = "company"
    return frame


def expect(company, level):
    """Expected value by KPI, unit and quarter."""
    frame = attributed(company)
    expected = {}
    closed = frame[(frame["on"] == "closed") & frame["is_closed"]]
    quarters = pd.to_datetime(closed["closed"]).dt.to_period(QUARTER_FREQ).astype(str)
    for (unit, quarter), rows in closed.groupby([closed[level], quarters]):
        won = rows[rows["won"].astype(bool)]
        amounts = pd.to_numeric(won["amount"])
        amounts = amounts[amounts > 0]
        expected["win_rate", unit, quarter] = len(won) / len(rows)
        expected["bookings", unit, quarter] = amounts.sum()
        if len(amounts):
            expected["deal_size", unit, quarter] = amounts.mean()
        dated = won[won["created"] != ""]
        days = [(row.closed - row.created).days for row in dated.itertuples()]
        if days:
            expected["cycle_days", unit, quarter] = float(np.median(days))
    first = min(quarters, default=None)
    made = frame[(frame["on"] == "created") & (frame["created"] != "")]
    cohorts = pd.to_datetime(made["created"]).dt.to_period(QUARTER_FREQ).astype(str)
    for (unit, quarter), rows in made.groupby([made[level], cohorts]):
        if first is not None and quarter >= first:
            expected["close_rate", unit, quarter] = rows["won"].astype(bool).mean()
    return expected


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(company=companies())
def test_roll_up_is_the_direct_computation_at_every_level(tmp_path, company):
    measures = measure(tmp_path, company)
    for level, by in (
        ("rep", "rep"),
        ("team", "team"),
        ("region", "region"),
        ("company", "company"),
    ):
        rows = measures.roll_up(by=by)
        got = {(row.kpi, row.unit_id, row.period): row.value for row in rows.itertuples()}
        expected = expect(company, level)
        for key, value in expected.items():
            assert got.get(key, 0.0) == pytest.approx(value, rel=1e-9), key
        for key, value in got.items():
            assert key in expected or value == 0 or np.isnan(value), key


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(company=companies())
def test_the_order_of_the_rows_does_not_matter(tmp_path, company):
    one, two = measure(tmp_path, company), measure(tmp_path, company, order="reversed")
    pd.testing.assert_frame_equal(one.totals, two.totals)
    pd.testing.assert_frame_equal(one.values, two.values)


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(company=companies())
def test_groups_sum_to_the_whole(tmp_path, company):
    measures = measure(tmp_path, company)
    for by in ("rep", "team", "region"):
        parts = (
            measures.roll_up(by=by).groupby(["period", "kpi"])[["numerator", "denominator"]].sum()
        )
        whole = measures.roll_up(by="company").set_index(["period", "kpi"])
        assert np.allclose(parts, whole[["numerator", "denominator"]].reindex(parts.index))


def test_a_team_rate_is_never_a_mean_of_rates(small_snapshot):
    lines = ["opportunity_id,rep_id,created_on,closed_on,is_won,is_closed,amount"]
    outcomes = [("r1", "true")] + [("r2", "true")] + [("r2", "false")] * 9
    lines += [
        f"o{number},{rep},2026-01-01,2026-02-01,{won},true,10"
        for number, (rep, won) in enumerate(outcomes)
    ]
    measures = compute_measures(small_snapshot({"opportunities": "\n".join(lines) + "\n"}))
    rates = measures.roll_up(by="rep", kpi="win_rate").set_index("unit_id")["value"]
    whole = measures.roll_up(by="company", kpi="win_rate")["value"].iloc[0]
    assert rates.to_dict() == {"r1": 1.0, "r2": pytest.approx(0.1)}
    assert rates.mean() == pytest.approx(0.55)
    assert whole == pytest.approx(2 / 11)


def test_scaling_amounts_scales_sums_and_leaves_rates(small_snapshot):
    lines = "opportunity_id,rep_id,created_on,closed_on,is_won,is_closed,amount\n" + "".join(
        f"o{n},r{1 + n % 2},2026-01-01,2026-02-0{1 + n % 5},{n % 3 == 0},true,{100 + 7 * n}\n"
        for n in range(12)
    )
    scaled = lines.replace("true,", "true,").splitlines()
    scaled = "\n".join(
        [
            scaled[0],
            *(
                f"{line.rsplit(',', 1)[0]},{3 * float(line.rsplit(',', 1)[1])}"
                for line in scaled[1:]
            ),
        ]
    )
    one, three = (
        compute_measures(small_snapshot({"opportunities": text}))
        .roll_up(by="company")
        .set_index("kpi")["value"]
        for text in (lines, scaled + "\n")
    )
    assert three["bookings"] == pytest.approx(3 * one["bookings"])
    assert three["deal_size"] == pytest.approx(3 * one["deal_size"])
    assert three["win_rate"] == one["win_rate"]
