import json
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from salesnb import schema
from salesnb.errors import ParameterError
from salesnb.schema import TABLES
from salesnb.sources.load import import_snapshot
from salesnb.sources.sample import sample_company
from salesnb.sources.sample.clock import AS_OF, DAY, FIRST, OPENS, add_office_minutes, to_dates

O, L, A, T = schema.opportunities, schema.leads, schema.activities, schema.targets  # noqa: E741
SMALL, LARGE = 24, 300
MADE = {name: table for name, table in TABLES.items() if name not in ("owner_history", "holidays")}


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return sample_company(tmp_path_factory.mktemp("small") / "raw", reps=SMALL)


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    return sample_company(tmp_path_factory.mktemp("large") / "raw", reps=LARGE)


def read_csv(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, keep_default_na=False, na_values=[""], low_memory=False)


def read_raw(folder: Path, table: str) -> pd.DataFrame:
    parquet = folder / f"{table}.parquet"
    return pd.read_parquet(parquet) if parquet.exists() else read_csv(folder / f"{table}.csv")


@cache
def read_sound(folder: Path, table: str) -> pd.DataFrame:
    frame = read_raw(folder, table)
    defects = read_csv(folder / "truth" / "defects.csv").query("table == @table")
    if len(defects):
        key = TABLES[table].key[0]
        is_copy = defects["reason"].str.startswith("exact duplicate")
        bad = defects.loc[~is_copy, "key"].str.split(" ").str[0]
        frame = frame[~frame[key].isin(bad)]
        if is_copy.any():
            frame = frame.drop_duplicates()
    for name, column in TABLES[table].columns.items():
        if column.rule.kind in ("date", "timestamp"):
            frame[name] = pd.to_datetime(frame[name])
        if column.rule.kind == "number":
            frame[name] = frame[name].astype(float)
    return frame.reset_index(drop=True)


def read(folder: Path, table: str) -> pd.DataFrame:
    """Sound rows only, typed."""
    return read_sound(folder, table).copy()


def truth(folder: Path, stem: str) -> pd.DataFrame:
    return read_csv(folder / "truth" / f"{stem}.csv")


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def members_on(folder: Path, rep: pd.Series, day: pd.Series) -> pd.DataFrame:
    """The memberships that hold for each rep and day: one row a rep and day when sound."""
    memberships = read(folder, "memberships")
    columns = schema.memberships
    asked = pd.DataFrame({columns.rep_id: rep, "day": day}).reset_index()
    pairs = asked.merge(memberships, on=columns.rep_id)
    since, until = pairs[columns.valid_from], pairs[columns.valid_to]
    holds = (since.isna() | (since <= pairs["day"])) & (until.isna() | (until > pairs["day"]))
    return pairs[holds].set_index("index")


@cache
def closed_with_team(folder: Path) -> pd.DataFrame:
    closed = read(folder, "opportunities").query("is_closed")
    team = members_on(folder, closed[O.rep_id], closed[O.closed_on])[schema.memberships.team_id]
    return closed.assign(team=team, quarter=closed[O.closed_on].dt.to_period("Q").astype(str))


# The folder -------------------------------------------------------------------------------


def test_equal_arguments_give_equal_bytes_whatever_the_global_random_state(small, tmp_path):
    np.random.seed(99)  # noqa: NPY002
    again = sample_company(tmp_path / "again", reps=SMALL)
    assert contents(again) == contents(small)


def test_another_seed_gives_another_company(small, tmp_path):
    other = contents(sample_company(tmp_path / "other", reps=SMALL, seed=8))
    same = [name for name, data in contents(small).items() if other[name] == data]
    fixed = {"products.csv", "stages.csv", "skills.csv", "courses.csv", "teams.csv", "company.yaml"}
    planted = ("training_effects", "team_effects", "campaigns", "touch_roles")
    assert set(same) == fixed | {f"truth/{stem}.csv" for stem in planted}


def test_what_it_wrote_is_replaced_in_full(small, tmp_path):
    sample_company(tmp_path / "raw", reps=40, seed=1)
    sample_company(tmp_path / "raw", reps=SMALL)
    assert contents(tmp_path / "raw") == contents(small)


def test_foreign_files_are_left_alone(tmp_path):
    (tmp_path / "reps.csv").write_text("rep_id\n1\n")
    with pytest.raises(ParameterError, match="not written by sample_company"):
        sample_company(tmp_path, reps=SMALL)
    assert [path.name for path in tmp_path.iterdir()] == ["reps.csv"]


def test_a_file_is_refused_as_folder(tmp_path):
    (tmp_path / "raw").write_text("")
    with pytest.raises(ParameterError, match="is a file"):
        sample_company(tmp_path / "raw", reps=SMALL)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"reps": 15}, "15 is too few"), ({"seed": -1}, "seed: -1 is negative")],
)
def test_arguments_out_of_range_write_nothing(tmp_path, arguments, message):
    with pytest.raises(ParameterError, match=message):
        sample_company(tmp_path / "raw", **arguments)
    assert not (tmp_path / "raw").exists()


def test_company_yaml(small):
    assert (small / "company.yaml").read_text() == (
        "company: Nordwind Instruments\ncurrency: EUR\nfiscal_year_start: 1\nas_of: 2026-10-05\n"
        "opens_at: 8\ncloses_at: 18\n"
    )


def test_the_folder_holds_one_file_a_table(small):
    files = sorted(path.name for path in small.iterdir() if path.is_file())
    parquet = {"stage_history", "pipeline_snapshots", "activities", "touches"}
    expected = [f"{t}.parquet" if t in parquet else f"{t}.csv" for t in MADE]
    assert files == sorted([*expected, "company.yaml"])


@pytest.mark.parametrize("reps", [16, 17, 19])
def test_the_smallest_companies_work(tmp_path, reps):
    folder = sample_company(tmp_path / "raw", reps=reps, seed=reps)
    assert len(read(folder, "reps")) == reps


def test_a_company_in_which_a_table_stays_empty_works(tmp_path):
    folder = sample_company(tmp_path / "raw", reps=16, seed=2)
    empty = [name for name in MADE if not len(read_raw(folder, name))]
    assert empty
    assert import_snapshot(folder, to=tmp_path / "to").report.check()


# The tables -------------------------------------------------------------------------------


@pytest.mark.parametrize("table", MADE)
def test_columns_are_the_declared_ones_in_order(small, table):
    assert list(read_raw(small, table).columns) == list(TABLES[table].columns)


@pytest.mark.parametrize("table", MADE)
def test_sound_rows_have_unique_keys_required_values_and_known_words(small, table):
    frame = read(small, table)
    declaration = TABLES[table]
    assert not frame.duplicated(list(declaration.key)).any()
    for column in declaration.required_columns:
        assert frame[column].notna().all(), column
    for name, column in declaration.columns.items():
        if column.rule.vocabulary:
            assert set(frame[name].dropna()) <= set(column.rule.vocabulary)


def test_references_hold_but_for_planted_ones(small):
    for table, declaration in MADE.items():
        frame = read(small, table)
        for name, column in declaration.columns.items():
            if column.rule.references:
                target = TABLES[column.rule.references]
                known = read(small, target.name)[target.key[0]]
                assert set(frame[name].dropna()) <= set(known), f"{table}.{name}"


def test_the_import_refuses_exactly_the_planted_defects(small, tmp_path):
    snapshot = import_snapshot(small, to=tmp_path / "snapshot")
    refused = {
        (load.table, refusal.reason): refusal.count
        for load in snapshot.report.tables
        for refusal in load.refusals
    }
    defects = truth(small, "defects")
    assert refused == defects.groupby(["table", "reason"])["rows"].sum().to_dict()
    assert not snapshot.report.warnings


def test_defects_are_those_listed(small):
    raw = read_raw(small, "opportunities")
    reps = set(read(small, "reps")[schema.reps.rep_id])
    days = raw[[O.created_on, O.closed_on]].apply(pd.to_datetime)
    assert (days[O.closed_on] < days[O.created_on]).sum() == 3
    assert (~raw[O.rep_id].isin(reps)).sum() == 2
    assert raw.duplicated().sum() == 4
    assert raw.drop_duplicates().duplicated(O.opportunity_id, keep=False).sum() == 2
    assert (raw[O.amount] == "n/a").sum() == 2


def test_a_rep_is_called_na(small):
    reps = read(small, "reps")
    assert (reps[schema.reps.rep_id] == "NA").sum() == 1
    assert (read(small, "opportunities")[O.rep_id] == "NA").sum() > 50


@pytest.mark.parametrize(("folder", "n_teams"), [("small", 8), ("large", 20)])
def test_teams_roll_up_to_the_company(request, folder, n_teams):
    folder = request.getfixturevalue(folder)
    teams = read(folder, "teams").set_index(schema.teams.team_id)[schema.teams.parent_id]
    leaves = teams.index[~teams.index.isin(teams)]
    assert len(leaves) == n_teams
    assert set(teams[leaves]) == {"region-continental", "region-atlantic"}
    assert set(teams[teams[leaves].unique()]) == {"company"}
    assert set(read(folder, "memberships")[schema.memberships.team_id]) == set(leaves)


def test_names_are_unique(large):
    assert read(large, "reps")[schema.reps.name].is_unique


# Facts agree with each other --------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "rep", "day"),
    [
        ("activities", A.rep_id, A.started_at),
        ("ratings", schema.ratings.rep_id, schema.ratings.rated_on),
        ("feedback", schema.feedback.rep_id, schema.feedback.given_on),
        ("actions", schema.actions.rep_id, schema.actions.agreed_on),
        ("trainings", schema.trainings.rep_id, schema.trainings.assigned_on),
        ("trainings", schema.trainings.rep_id, schema.trainings.completed_on),
        ("leads", L.rep_id, L.created_at),
        ("leads", L.rep_id, L.first_touch_at),
        ("opportunities", O.rep_id, O.closed_on),
    ],
)
def test_what_a_rep_does_falls_into_exactly_one_membership(small, table, rep, day):
    facts = read(small, table)
    facts = facts[facts[day].notna()]
    assert len(members_on(small, facts[rep], facts[day])) == len(facts)


def test_nobody_works_on_leave_or_at_weekends(small):
    columns = schema.leaves
    acts = read(small, "activities").merge(read(small, "leaves"), on=columns.rep_id)
    during = (acts[A.started_at] >= acts[columns.valid_from]) & (
        acts[A.started_at] < acts[columns.valid_to]
    )
    assert during.sum() == 0
    assert read(small, "activities")[A.started_at].dt.day_of_week.max() == 4


def test_stages_are_entered_in_time_and_end_where_the_opportunity_stands(small):
    opportunities = read(small, "opportunities").set_index(O.opportunity_id)
    columns = schema.stage_history
    history = read(small, "stage_history")
    grouped = history.groupby(columns.opportunity_id)[columns.entered_at]
    assert grouped.is_monotonic_increasing.all()
    assert len(grouped) == len(opportunities)
    first, last = grouped.min().dt.normalize(), grouped.max().dt.normalize()
    closed = opportunities[opportunities[O.is_closed]]
    assert (first == opportunities[O.created_on]).all()
    assert (last[closed.index] == closed[O.closed_on]).all()
    now = history.groupby(columns.opportunity_id)[columns.stage].last()
    assert (now == opportunities[O.stage]).all()


def test_some_opportunities_skip_a_stage_and_some_return(small):
    columns = schema.stage_history
    history = read(small, "stage_history")
    order = read(small, "stages").set_index(schema.stages.stage)[schema.stages.stage_order]
    step = order[history[columns.stage]].to_numpy()
    step = pd.Series(step).groupby(history[columns.opportunity_id]).diff().dropna()
    is_last = order[history[columns.stage]].to_numpy()[step.index] > 5
    assert (step < 0).mean() == pytest.approx(0.007, abs=0.006)
    assert (step[~is_last] == 2).mean() == pytest.approx(0.045, abs=0.02)


def test_snapshots_show_what_was_open_on_their_day(small):
    columns = schema.pipeline_snapshots
    pictures = read(small, "pipeline_snapshots")
    opportunities = read(small, "opportunities").set_index(O.opportunity_id)
    days = pictures[columns.as_of].unique()
    assert len(days) == 37
    for day in days[::6]:
        is_open = (opportunities[O.created_on] <= day) & ~(opportunities[O.closed_on] <= day)
        shown = pictures.loc[pictures[columns.as_of] == day, columns.opportunity_id]
        assert set(shown) == set(opportunities.index[is_open])


def test_amounts_and_expected_closing_days_drift(small):
    columns = schema.pipeline_snapshots
    by_deal = read(small, "pipeline_snapshots").groupby(columns.opportunity_id)
    several = by_deal.size() > 2
    for column in (columns.amount, columns.expected_close_on):
        values = by_deal[column]
        assert (values.min() < values.max())[several].mean() > 0.4


def test_leads_that_convert_name_an_opportunity_of_that_day(small):
    leads = read(small, "leads")
    born = leads[leads[L.converted_opportunity_id].notna()].merge(
        read(small, "opportunities"),
        left_on=L.converted_opportunity_id,
        right_on=O.opportunity_id,
        suffixes=("", "_of_opportunity"),
    )
    assert len(born) == leads[L.converted_opportunity_id].notna().sum()
    assert born[L.converted_opportunity_id].is_unique
    assert (born[L.qualified_at].dt.normalize() <= born[O.created_on]).all()
    assert (born[L.source] == born["source_of_opportunity"]).all()
    assert born[L.rejected_reason].isna().all()


def test_nothing_happens_after_the_export(small):
    for table in ("activities", "leads", "stage_history", "opportunities", "ratings", "feedback"):
        frame = read(small, table)
        for name, column in TABLES[table].columns.items():
            if column.rule.kind in ("date", "timestamp") and name != O.expected_close_on:
                assert not (frame[name] >= pd.Timestamp("2026-10-05 07:00")).any(), name


def test_some_september_calls_are_logged_in_october(large):
    acts = read(large, "activities")
    late = (acts[A.started_at] < "2026-10-01") & (acts[A.logged_at] >= "2026-10-01")
    assert late.sum() > 50


def test_quotas_add_up_to_team_targets_but_for_the_planted_gap(small):
    targets = read(small, "targets").query("kpi == 'bookings'")
    parts = targets.groupby([T.parent_id, T.period])[T.target].sum()
    whole = targets.query("owner_kind == 'team'").set_index([T.owner_id, T.period])[T.target]
    ratio = (whole / parts.rename_axis([T.owner_id, T.period])).dropna()
    parameters = json.loads((small / "truth" / "parameters.json").read_text())
    gap = parameters["target_gap"]
    planted = ratio.pop((gap["team_id"], gap["period"]))
    assert planted == pytest.approx(gap["factor"], abs=0.01)
    assert ratio.to_numpy() == pytest.approx(1, abs=0.01)


def test_every_rep_at_work_has_a_quota_for_each_quarter_and_the_next(small):
    targets = read(small, "targets").query("owner_kind == 'rep'")
    assert sorted(targets[T.period].unique())[::12] == ["2023Q4", "2026Q4"]
    reps = read(small, "reps")
    at_work = reps[
        (reps[schema.reps.hired_on] < "2026-10-01") & ~(reps[schema.reps.left_on] <= "2026-07-01")
    ]
    now = targets.loc[targets[T.period] == "2026Q3", T.owner_id]
    assert set(now) == set(at_work[schema.reps.rep_id])


# It looks like a company ------------------------------------------------------------------


def test_company_figures_are_plausible(large):
    closed = closed_with_team(large)
    full = closed[closed["quarter"].between("2023Q4", "2026Q3")]
    by_quarter = full.groupby("quarter")[O.is_won].mean()
    assert by_quarter.between(0.24, 0.34).all()
    won = full[full[O.is_won]]
    assert (won[O.closed_on] - won[O.created_on]).dt.days.median() == pytest.approx(60, abs=8)
    bookings = won.groupby("quarter")[O.amount].sum()
    assert bookings.max() / bookings.min() < 1.7
    assert bookings.groupby(bookings.index.str[-2:]).mean().idxmax() == "Q4"
    days_left = (won[O.closed_on].dt.to_period("Q").dt.end_time - won[O.closed_on]).dt.days
    assert (days_left < 10).mean() > 1.7 * 10 / 91
    lost = full[~full[O.is_won]]
    assert (lost[O.amount] == 0).mean() == pytest.approx(0.35, abs=0.02)
    assert (lost[O.loss_reason] == "no decision").mean() == pytest.approx(0.28, abs=0.04)


def test_ramped_reps_attain_about_their_quota(large):
    reps = read(large, "reps")
    away = read(large, "leaves")[schema.leaves.rep_id]
    settled = reps[
        (reps[schema.reps.hired_on] < "2024-09-01")
        & reps[schema.reps.left_on].isna()
        & ~reps[schema.reps.rep_id].isin(away)
    ][schema.reps.rep_id]
    won = read(large, "opportunities").query("is_won")
    rates = read(large, "exchange_rates").sort_values(schema.exchange_rates.rate_on)
    won = pd.merge_asof(
        won.sort_values(O.closed_on), rates, by=O.currency,
        left_on=O.closed_on, right_on=schema.exchange_rates.rate_on,
    )  # fmt: skip
    value = won[O.amount] * won[schema.exchange_rates.rate]
    year = (won[O.closed_on] >= "2025-10-01") & (won[O.closed_on] < "2026-10-01")
    bookings = value[year].groupby(won[O.rep_id]).sum()[settled]
    targets = read(large, "targets").query("owner_kind == 'rep' and '2025Q4' <= period <= '2026Q3'")
    quotas = targets.groupby(T.owner_id)[T.target].sum()[settled]
    attainment = bookings / quotas
    assert attainment.mean() == pytest.approx(0.97, abs=0.1)
    assert attainment.quantile(0.05) > 0.4
    assert attainment.quantile(0.95) < 1.8


def test_logging_habits_are_plausible(large):
    acts = read(large, "activities")
    workdays = acts.groupby(A.rep_id)[A.started_at].apply(lambda days: days.dt.date.nunique())
    calls = acts[acts[A.kind] == "call"].groupby(A.rep_id).size() / workdays
    assert calls.mean() == pytest.approx(2.6, abs=0.3)
    connected = acts[acts[A.kind] == "call"][A.is_connected].mean()
    assert connected == pytest.approx(0.36, abs=0.03)


def test_most_people_have_two_raters_a_quarter_and_not_all_is_observed(large):
    columns = schema.ratings
    ratings = read(large, "ratings").query("rater_role != 'self'")
    quarter = ratings[columns.rated_on].dt.to_period("Q")
    raters = ratings.groupby([columns.rep_id, quarter])[columns.rater_id].nunique()
    assert (raters >= 2).mean() == pytest.approx(0.79, abs=0.04)
    assert ratings[columns.score].isna().mean() == pytest.approx(0.07, abs=0.01)
    assert set(ratings[columns.score].dropna()) == {1, 2, 3, 4, 5}


def test_feedback_has_the_characters_that_break_reports(large):
    comments = read(large, "feedback")[schema.feedback.comment]
    for piece in ("<script>", "&", '"', "お客様", "Πολύ", "=SUM("):
        assert comments.str.contains(piece, regex=False).any(), piece


# The truth is in the data -----------------------------------------------------------------


def test_win_probability_is_calibrated(large):
    chance = pd.read_parquet(large / "truth" / "win_probability.parquet")
    opportunities = read(large, "opportunities")
    assert set(chance["opportunity_id"]) == set(opportunities[O.opportunity_id])
    closed = opportunities.merge(chance, on=O.opportunity_id).query("is_closed")
    tenth = pd.qcut(closed["probability"], 10, labels=False)
    table = closed.groupby(tenth).agg(p=("probability", "mean"), won=(O.is_won, "mean"))
    assert (table["won"] - table["p"]).abs().max() < 0.025


def test_reps_truly_differ_and_their_win_rates_show_it(large):
    reps = truth(large, "reps").set_index("rep_id")
    true = reps["true_win_probability"]
    assert true.mean() == pytest.approx(0.28, abs=0.02)
    assert true.std() == pytest.approx(0.075, abs=0.01)
    closed = read(large, "opportunities").query("is_closed").groupby(O.rep_id)[O.is_won]
    busy = closed.mean()[closed.size() >= 150]
    assert busy.corr(true[busy.index]) > 0.85
    assert np.corrcoef(reps["win_logit"], np.log(reps["opportunities_per_quarter"]))[0, 1] < -0.05


def test_territories_drive_bookings(large):
    reps = truth(large, "reps").set_index("rep_id")
    territories = truth(large, "territories")
    assert territories["log_potential"].std() == pytest.approx(0.5, abs=0.06)
    won = read(large, "opportunities").query("is_won")
    sold = won.groupby(O.rep_id)[O.amount].sum()
    stayed = read(large, "reps").query("left_on.isna() and hired_on < '2023-01-01'")["rep_id"]
    slope = np.polyfit(reps.loc[stayed, "log_potential"], np.log(sold[stayed]), 1)[0]
    assert slope == pytest.approx(1.0, abs=0.15)


def rates_by_group(folder: Path, groups: dict[str, list[str]], quarters: list[str]) -> dict:
    closed = closed_with_team(folder)
    closed = closed[closed["quarter"].isin(quarters)]
    return {n: closed[closed[O.rep_id].isin(reps)][O.is_won].mean() for n, reps in groups.items()}


def chosen_by(folder: Path, rule: str) -> pd.DataFrame:
    trainings = read(folder, "trainings")
    return trainings[trainings[schema.trainings.selection_rule] == rule]


def log_odds(rate: float) -> float:
    return float(np.log(rate / (1 - rate)))


def test_the_lottery_shows_the_true_effect(large):
    """Difference in differences of log odds; its standard error here is about .09."""
    lottery = chosen_by(large, "lottery")
    now = lottery[schema.trainings.assigned_on] < "2026-06-01"
    groups = {
        "trained": list(lottery.loc[now, schema.trainings.rep_id]),
        "waiting": list(lottery.loc[~now, schema.trainings.rep_id]),
    }
    before = rates_by_group(large, groups, ["2025Q1", "2025Q2", "2025Q3", "2025Q4"])
    after = rates_by_group(large, groups, ["2026Q2", "2026Q3"])
    change = {name: log_odds(after[name]) - log_odds(before[name]) for name in groups}
    effects = truth(large, "training_effects").set_index("course_id")["win_logit_effect"]
    assert list(effects[effects != 0].index) == list(lottery[schema.trainings.course_id].unique())
    assert change["trained"] - change["waiting"] == pytest.approx(0.4, abs=0.2)


def test_the_weakest_rebound_though_their_course_does_nothing(large):
    weakest = chosen_by(large, "weakest")
    effects = truth(large, "training_effects").set_index("course_id")["win_logit_effect"]
    assert effects[weakest[schema.trainings.course_id]].eq(0).all()
    group = {"weakest": list(weakest[schema.trainings.rep_id])}
    just_before = rates_by_group(large, group, ["2024Q3", "2024Q4"])["weakest"]
    after = rates_by_group(large, group, ["2025Q2", "2025Q3"])["weakest"]
    well_before = rates_by_group(large, group, ["2024Q1", "2024Q2"])["weakest"]
    assert after - just_before > 0.03
    assert after - well_before == pytest.approx(0, abs=0.035)


def test_every_selection_rule_occurs_and_the_lottery_is_even(large):
    rules = read(large, "trainings")[schema.trainings.selection_rule].value_counts()
    assert set(rules.index) == {"lottery", "weakest", "volunteers", "whole team"}
    level = truth(large, "reps").set_index("rep_id")["overall_level"]
    lottery = chosen_by(large, "lottery").groupby(schema.trainings.assigned_on)
    drawn = [level[group[schema.trainings.rep_id]].mean() for _, group in lottery]
    assert drawn[0] == pytest.approx(drawn[1], abs=0.15)
    volunteers = level[chosen_by(large, "volunteers")[schema.trainings.rep_id]]
    assert volunteers.mean() > level.mean() + 0.1


def test_one_team_falls_at_its_stage_and_one_rises(large):
    closed = closed_with_team(large)
    is_now = closed["quarter"] == "2026Q3"
    year = closed["quarter"].between("2025Q3", "2026Q2")
    effects = truth(large, "team_effects").set_index("team_id")["win_logit_effect"]
    for team, effect in effects.items():
        is_team = closed["team"] == team
        now, before = (closed[is_team & when][O.is_won].mean() for when in (is_now, year))
        assert log_odds(now) - log_odds(before) == pytest.approx(effect, abs=0.45)
    history = read(large, "stage_history")
    ids = history.groupby(schema.stage_history.stage)[schema.stage_history.opportunity_id].agg(set)
    fallen = closed[
        (closed["team"] == effects.idxmin()) & closed[O.opportunity_id].isin(ids["Proposal"])
    ]
    moved_on = fallen[O.opportunity_id].isin(ids["Negotiation"] | ids["Closed Won"])
    assert moved_on[year].mean() - moved_on[is_now].mean() > 0.1


def test_fast_touches_and_good_sources_convert_better(large):
    leads = read(large, "leads")
    valid = leads[~leads[L.rejected_reason].isin(["duplicate", "invalid"])]
    touched = valid[valid[L.first_touch_at].notna()]
    minutes = (touched[L.first_touch_at] - touched[L.created_at]).dt.total_seconds() / 60
    converts = touched[L.converted_opportunity_id].notna()
    assert converts[minutes < 60].mean() > 1.4 * converts[minutes > 2_000].mean()
    by_source = valid[L.converted_opportunity_id].notna().groupby(valid[L.source]).mean()
    assert by_source.idxmax() == "Referral"
    assert by_source.idxmin() == "Trade Fair"
    assert 0.03 < leads[L.rejected_reason].eq("duplicate").mean() < 0.07


def test_one_campaign_brings_many_leads_that_qualify_less_by_the_planted_effect(large):
    leads = read(large, "leads")
    planted = truth(large, "campaigns").set_index(["source", "campaign"])["qualify_logit_effect"]
    rates = leads[L.qualified_at].notna().groupby([leads[L.source], leads[L.campaign]]).mean()
    for source, campaigns in planted.groupby("source"):
        first = log_odds(rates[source, campaigns.index[0][1]])
        for (_, campaign), effect in campaigns.items():
            assert log_odds(rates[source, campaign]) - first == pytest.approx(effect, abs=0.12)
    many = leads[leads[L.source] == "Website"][L.campaign].value_counts()
    assert many["Spectra Giveaway"] > 0.8 * many["Always-on Search"]


def test_rejections_are_dated_by_the_export_and_some_were_accepted_before(large):
    leads = read(large, "leads")
    rejected = leads[leads[L.rejected_reason].notna()]
    assert rejected[L.rejected_at].notna().all()
    assert leads[L.rejected_at].isna().sum() == len(leads) - len(rejected)
    assert (rejected[L.rejected_at] >= rejected[L.created_at]).all()
    assert rejected[L.rejected_at].max() < pd.Timestamp("2026-10-05 07:00")
    back = rejected[rejected[L.qualified_at].notna()]
    assert (back[L.rejected_at] > back[L.qualified_at]).all()
    assert back[L.converted_opportunity_id].isna().all()
    qualified = leads[leads[L.qualified_at].notna()]
    share = qualified[L.rejected_reason].notna().groupby(qualified[L.source]).mean()
    assert share.idxmax() == "Trade Fair"


def test_some_sources_open_and_others_close_as_planted(large):
    columns = schema.touches
    touched = read(large, "touches").merge(read(large, "leads"), on=L.lead_id)
    roles = truth(large, "touch_roles").set_index("source")
    before = touched[touched[columns.touched_at] < touched[L.created_at]]
    after = touched[touched[columns.touched_at] > touched[L.created_at]]
    for rows, role in ((before, "opens_share"), (after, "closes_share")):
        found = rows["source_x"].value_counts(normalize=True)
        assert found.reindex(roles.index).tolist() == pytest.approx(roles[role].tolist(), abs=0.015)
    own = touched[touched[columns.touched_at] == touched[L.created_at]]
    assert own[L.lead_id].is_unique
    assert len(own) == len(read(large, "leads"))
    assert (own["source_x"] == own["source_y"]).all()
    assert (own["campaign_x"] == own["campaign_y"]).all()
    assert (after[columns.touched_at] < pd.Timestamp("2026-10-05 07:00")).all()


def test_new_reps_win_less_until_ramped(large):
    reps = read(large, "reps")
    closed = closed_with_team(large).merge(reps, on=O.rep_id)
    hired_late = closed[schema.reps.hired_on] >= "2023-10-01"
    tenure = (closed[O.closed_on] - closed[schema.reps.hired_on]).dt.days
    ramping = closed[hired_late & (tenure < 150)][O.is_won].mean()
    ramped = closed[hired_late & (tenure > 300)][O.is_won].mean()
    assert ramped - ramping > 0.05


def test_ratings_show_archetypes_and_lenient_raters(large):
    columns = schema.ratings
    ratings = read(large, "ratings").query("rater_role != 'self'").dropna(subset=[columns.score])
    reps = truth(large, "reps").set_index("rep_id")
    archetypes = json.loads((large / "truth" / "parameters.json").read_text())["archetypes"]
    assert sorted(skill for lacking in archetypes.values() for skill in lacking) == sorted(
        read(large, "skills")[schema.skills.skill].unique()
    )
    lacks = [
        skill in archetypes[archetype]
        for skill, archetype in zip(
            ratings[columns.skill], reps["archetype"][ratings[columns.rep_id]], strict=True
        )
    ]
    score = ratings[columns.score]
    within_form = score - score.groupby(ratings[columns.form_id]).transform("mean")
    gap = within_form[~np.array(lacks)].mean() - within_form[lacks].mean()
    assert gap == pytest.approx(1.1 * (1 - 0.225), abs=0.1)  # halo flattens by .225 on average
    deviation = score - score.groupby(ratings[columns.rep_id]).transform("mean")
    seen = deviation.groupby(ratings[columns.rater_id]).agg(["mean", "size"]).query("size > 300")
    raters = truth(large, "raters").set_index("rater_id")["leniency"]
    assert seen["mean"].corr(raters[seen.index]) > 0.75


def test_skills_explain_part_of_winning(large):
    reps = truth(large, "reps")
    parameters = json.loads((large / "truth" / "parameters.json").read_text())
    weights = pd.Series(parameters["importance"])
    assert (reps[weights.index] @ weights).corr(reps["win_logit"]) == pytest.approx(0.7, abs=0.08)


# The clock --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "minutes", "end"),
    [
        (4 * DAY + 20 * 60, 30, 7 * DAY + OPENS + 30),  # Friday night -> Monday morning
        (5 * DAY, 600, 8 * DAY + OPENS),  # Saturday, one office day -> Tuesday morning
        (9 * 60, 60, 10 * 60),  # within Monday
        (17 * 60, 90, DAY + OPENS + 30),  # over the evening
        (0, 0, OPENS),  # before opening
    ],
)
def test_office_time_passes_on_workdays_only(start, minutes, end):
    assert add_office_minutes(np.array([start]), np.array([minutes])).tolist() == [end]


def test_the_clock_starts_on_a_monday_and_names_the_export():
    first, as_of = pd.to_datetime(to_dates(np.array([FIRST, AS_OF])))
    assert (first, as_of) == (pd.Timestamp("2023-10-01"), pd.Timestamp("2026-10-05"))
    assert pd.to_datetime(to_dates(np.array([0])))[0].day_of_week == 0


def test_opportunities_that_are_won_have_more_contacts_as_planted(large):
    acts = read(large, "activities")
    assert (acts[A.contact_id].notna() == acts[A.opportunity_id].notna()).all()
    assert acts.groupby(A.contact_id)[A.opportunity_id].nunique().max() == 1
    closed = read(large, "opportunities").query("is_closed").set_index(O.opportunity_id)[O.is_won]
    touched = acts.groupby(A.opportunity_id)[A.contact_id].agg(["size", "nunique"])
    # With this many touches nearly every contact of an opportunity has been seen.
    seen = touched[touched["size"] >= 15].join(closed, how="inner")
    mean = seen.groupby(O.is_won)["nunique"].mean() - 1
    planted = json.loads((large / "truth" / "parameters.json").read_text())
    assert mean[True] == pytest.approx(planted["contacts_won"], abs=0.1)
    assert mean[False] == pytest.approx(planted["contacts_lost"], abs=0.1)
