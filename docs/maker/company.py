"""The sample company's results, each computed when a page first shows it."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

import salesnb as sn
from salesnb.measures.catalogue import CATALOGUE

QUARTER = "2026Q3"
TEAM = "North"


@cache
def measures():
    """Load the sample company's measures."""
    return sn.load_measures()


@cache
def all_figures():
    """Add every KPI up to the whole company, by quarter."""
    return measures().roll_up(by="company")


def figures(kpi):
    """Take one KPI's figures of the whole company, by quarter."""
    rows = all_figures()
    return rows[rows["kpi"] == kpi].set_index("period")


@cache
def people():
    """Compare all people by the usual KPIs."""
    return sn.performance_matrix(measures(), period=QUARTER, by="rep")


@cache
def everything(by):
    """Compare people or teams by every KPI there is."""
    chosen = sn.select_kpis(measures(), ", ".join(kpi.kpi for kpi in CATALOGUE))
    return sn.performance_matrix(chosen, period=QUARTER, by=by)


@cache
def team():
    """Compare one team's people by the usual KPIs."""
    return sn.performance_matrix(measures(), period=QUARTER, by="rep", team=TEAM)


@cache
def truth():
    """Read what the company was made from: people and courses."""
    with TemporaryDirectory() as folder:
        made = sn.sample_company(Path(folder)) / "truth"
        return pd.read_csv(made / "reps.csv"), pd.read_csv(made / "training_effects.csv")


def true_chances():
    """Return each person's true chance of winning, by rep_id."""
    return truth()[0].set_index("rep_id")["true_win_probability"]


def true_training_effects():
    """Return what each course truly does, by course_id."""
    return truth()[1].set_index("course_id")


@cache
def profiles():
    """Estimate everybody's skills."""
    return sn.skill_profiles(measures(), period=QUARTER)


@cache
def segments():
    """Look for groups of people with the same weak skills."""
    return sn.skill_segments(profiles(), previous=sn.segments_before(measures(), period=QUARTER))


@cache
def impact(programme):
    """Judge one training programme."""
    return sn.training_impact(measures(), programme=programme, period=QUARTER)


@cache
def verdicts():
    """Judge all training programmes."""
    return sn.judge_programmes(measures(), period=QUARTER)


@cache
def chances():
    """Learn the chances of open opportunities."""
    return sn.load_pipeline_scores()


@cache
def outlook():
    """Foresee the running quarter."""
    return sn.target_outlook(measures(), period=measures().periods[-1])


@cache
def targets():
    """Add the quarter's targets up."""
    return sn.target_tree(measures(), period=QUARTER)


@cache
def adjusted():
    """Set bookings against what the territory makes likely."""
    return sn.adjusted_performance(measures(), period=QUARTER)


@cache
def peers():
    """Say who is compared with whom."""
    return sn.peer_groups(measures(), period=QUARTER)


@cache
def benchmarks():
    """Set a team's KPIs beside its past and the other teams."""
    return sn.benchmark(measures(), period=QUARTER, team=TEAM)


@cache
def composite():
    """Make one figure of all KPIs, and ask how sure its order is."""
    return sn.composite_score(people())


@cache
def timing():
    """Say when opportunities are won, the open ones counted."""
    return sn.win_timing(measures(), period=QUARTER)


@cache
def trend():
    """Compare the quarter with those before."""
    return sn.quarter_trend(measures(), period=QUARTER, team=TEAM)


@cache
def findings():
    """Choose what a reader of the team's review must know."""
    return sn.find_insights(team(), trend())
