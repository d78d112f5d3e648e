"""What kernels of a batch have in common: found once, by what made it, and never mistaken."""

import os
import subprocess
import sys
import textwrap
from dataclasses import dataclass, replace

import pandas as pd
import pytest
from made_company import make_measures

from salesnb.analysis.actions import agreed_actions
from salesnb.analysis.adjust import adjusted_performance
from salesnb.analysis.benchmarks import benchmark
from salesnb.analysis.impact import judge_programmes
from salesnb.analysis.matrix import performance_matrix
from salesnb.analysis.outlook import target_outlook
from salesnb.analysis.plan import skill_importance, training_plan
from salesnb.analysis.profiles import skill_profiles
from salesnb.analysis.segments import segments_before, skill_segments
from salesnb.analysis.selection import select_kpis
from salesnb.measures.cache import load_measures, share_folder
from salesnb.measures.shared import SHARE, derive, name_of, remember, shared

CALLS = []
SHARED = {
    "_build", "_compare", "_fit", "_foresee", "adjusted_performance", "course_effects",
    "judge_programmes", "read_population", "segments_before", "skill_importance",
    "skill_profiles", "skill_segments", "training_plan",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Made:
    value: int


@shared
def double(source, *, times=2, labels=()):
    CALLS.append((source, times))
    return Made(source.value * times)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv(SHARE, str(tmp_path / "shared"))
    CALLS.clear()
    return tmp_path / "shared"


def test_the_same_call_is_made_once_and_read_after(folder):
    first = double(remember(Made(3), "three"))
    again = double(remember(Made(3), "three"), times=2)
    assert (first.value, again.value, len(CALLS)) == (6, 6, 1)
    assert again is not first
    assert len(list(folder.glob("double-*.pickle"))) == 1
    assert not list(folder.glob(".draft-*"))


def test_what_was_shared_can_be_shared_on(folder):
    three = remember(Made(3), "three")
    assert double(double(three)).value == 12
    assert double(double(remember(Made(3), "three"))).value == 12
    assert len(CALLS) == 2


def test_other_arguments_and_other_makers_are_other_results(folder):
    three = remember(Made(3), "three")
    assert double(three, times=5).value == 15
    assert double(three, labels=("a", ("b", None), {"c": 1.5})).value == 6
    assert double(remember(Made(4), "four")).value == 8
    assert len(CALLS) == 3


def test_what_nobody_knows_is_computed_each_time(folder):
    unknown, table = Made(3), pd.DataFrame({"a": [1]})
    double(remember(unknown, "known"), labels=table)
    double(unknown, labels=table)
    made = replace(remember(Made(3), "three"), value=7)
    assert made.value == 7  # a plain dataclass is known by what is in it
    assert double(made).value == 14
    assert len(CALLS) == 3


def test_without_a_folder_it_is_a_plain_function(monkeypatch):
    monkeypatch.delenv(SHARE, raising=False)
    CALLS.clear()
    three = remember(Made(3), "three")
    assert double(three) is not double(three)
    assert len(CALLS) == 2


def test_a_broken_or_foreign_file_is_made_again_and_the_log_says_so(folder, caplog):
    double(remember(Made(3), "three"))
    (path,) = folder.glob("double-*.pickle")
    assert not caplog.records
    path.write_bytes(path.read_bytes()[:10])
    assert double(remember(Made(3), "three")).value == 6
    assert len(CALLS) == 2
    assert f"{path.name} cannot be read and is made again" in caplog.text
    if hasattr(os, "chown") and os.getuid() == 0:
        os.chown(path, 12345, -1)
        assert double(remember(Made(3), "three")).value == 6
        assert len(CALLS) == 3


def test_an_object_that_is_gone_leaves_no_name_to_another(folder):
    for number in range(50):
        remember(Made(number), "gone")
    assert {name_of(Made(number)) for number in range(50)} == {"unknown"}


def test_measures_are_known_by_their_cache_and_a_change_makes_them_unknown(folder):
    measures = load_measures()
    assert name_of(measures) in str(share_folder(measures))
    chosen = select_kpis(measures, "win_rate", weights="win_rate=2")
    assert name_of(chosen) != name_of(measures)
    assert name_of(chosen) == name_of(select_kpis(measures, "win_rate", weights="win_rate=2"))
    changed = replace(measures, ratings=measures.ratings.head(0))
    assert name_of(changed) == "unknown"
    assert skill_profiles(measures, period="2026Q3").cells.shape[0]
    assert skill_profiles(changed, period="2026Q3").lacking
    assert name_of(derive(Made(1), changed, "how")) == "unknown"


def test_shared_results_are_those_of_a_plain_call(folder, monkeypatch):
    measures = load_measures()
    skill_profiles(measures, period="2026Q3")
    kept = skill_profiles(measures, period="2026Q3")
    monkeypatch.delenv(SHARE)
    plain = skill_profiles(measures, period="2026Q3")
    pd.testing.assert_frame_equal(kept.cells, plain.cells, check_exact=True)
    pd.testing.assert_frame_equal(kept.raters, plain.raters, check_exact=True)
    assert (kept.finding, kept.caveat) == (plain.finding, plain.caveat)


def test_what_a_team_review_shares_can_all_be_read_by_the_next(folder, caplog):
    """What cannot be unpickled would be made again by each report, unseen but for the log."""
    quarter = "2026Q3"

    def find(team):
        measures = select_kpis(load_measures())
        within = {"period": quarter, "team": team}
        matrix = performance_matrix(measures, **within)
        adjusted_performance(measures, period=quarter)
        target_outlook(measures, period=measures.periods[-1], team=team)
        agreed_actions(measures, **within)
        previous = segments_before(measures, period=quarter)
        skill_segments(skill_profiles(measures, period=quarter), previous=previous)
        lasting = skill_profiles(measures, period=quarter, n_quarters=12)
        training_plan(lasting, skill_importance(measures, period=quarter), measures)
        benchmark(measures, **within)
        judge_programmes(measures, period=quarter)
        return matrix

    first = find("North")
    made = {path: path.stat().st_mtime_ns for path in folder.glob("*.pickle")}
    assert {path.name.split("-")[0] for path in made} == SHARED
    again = find("North")
    assert made == {path: path.stat().st_mtime_ns for path in folder.glob("*.pickle")}
    find("Lakes")
    added = {path.name.split("-")[0] for path in set(folder.glob("*.pickle")) - set(made)}
    assert added <= {"_build", "_compare"}  # of the team alone, or of its own actions
    assert not caplog.records
    pd.testing.assert_frame_equal(first.scores, again.scores, check_exact=True)


def test_a_killed_maker_stops_nobody(folder):
    """Who holds the lock is killed while it computes."""
    program = textwrap.dedent(
        """
        import os, signal
        from dataclasses import dataclass
        from salesnb.measures.shared import remember, shared
        @dataclass(frozen=True, eq=False)
        class Made:
            value: int
        def make(source):
            os.kill(os.getpid(), signal.SIGKILL)
        make.__module__, make.__qualname__, make.__name__ = "m", "slow", "slow"
        shared(make)(remember(Made(3), "three"))
        """
    )
    killed = subprocess.run([sys.executable, "-c", program], env=os.environ, check=False)
    assert killed.returncode == -9

    def make(source):
        return Made(1)

    make.__module__, make.__qualname__, make.__name__ = "m", "slow", "slow"
    assert shared(make)(remember(Made(3), "three")).value == 1


def test_measures_by_hand_are_not_shared(folder):
    rows = [("A1", "A", "2026Q1", "win_rate", 3, 10, 10, 0.0, 0.0)]
    made = make_measures(rows, kpis=("win_rate",))
    assert name_of(made) == "unknown"
    skill_profiles(made, period="2026Q1")
    assert not list(folder.glob("*.pickle")) if folder.exists() else True
