import dataclasses
import datetime as dt
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pytest
from small_company import OPPORTUNITIES

from salesnb.errors import DataError, ParameterError
from salesnb.measures import cache
from salesnb.measures.cache import cache_folder, keep, load_measures, load_snapshot
from salesnb.measures.compute import compute_measures
from salesnb.sources.snapshot import open_snapshot


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    """Folder of a cache that nothing is in yet."""
    monkeypatch.setenv("SALESNB_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def snapshot(small_snapshot):
    tables = {
        "memberships": "rep_id,team_id,valid_from\nr1,t1,2026-01-01\nr2,t1,\n",
        "leads": "lead_id,rep_id,created_at\nl1,r1,2026-01-09 10:00\n",
        "ratings": "form_id,skill,rep_id,rater_id,score,rated_on\nf1,s,r1,m,4,2026-01-20\n",
    }
    return small_snapshot(tables).folder


@pytest.fixture
def computed(monkeypatch):
    """List of the days for which measures were computed."""
    days = []

    def count(snapshot, *, as_of, engine, own):
        days.append(as_of)
        return compute_measures(snapshot, as_of=as_of, engine=engine)

    monkeypatch.setattr(cache, "compute_measures", count)
    return days


def assert_equal(one, other):
    for field in dataclasses.fields(one):
        a, b = getattr(one, field.name), getattr(other, field.name)
        if isinstance(a, pd.DataFrame):
            pd.testing.assert_frame_equal(
                a, b, check_dtype=False, check_exact=True, check_categorical=len(a) > 0
            )
        elif field.name == "kpis":
            assert [kpi.kpi for kpi in a] == [kpi.kpi for kpi in b]
        elif field.name in ("flow", "demand"):
            assert_equal(a, b)
        else:
            assert a == b


def entries(folder):
    """Measures kept, by name."""
    found = (folder / "measures").iterdir()
    return sorted(path.name for path in found if path.suffix != ".lock")


def test_the_tests_have_a_cache_of_their_own():
    chosen = os.environ.get("SALESNB_TEST_CACHE")
    assert cache_folder() == Path(os.environ["SALESNB_CACHE"])
    assert chosen or "pytest" in str(cache_folder())


def test_the_second_load_reads_what_the_first_computed(own_cache, snapshot, computed):
    first, second = load_measures(snapshot), load_measures(snapshot)
    assert len(computed) == 1
    assert_equal(first, second)
    assert_equal(second, compute_measures(open_snapshot(snapshot)))
    assert len(second.totals) > 5


def test_each_day_code_and_snapshot_has_an_entry_of_its_own(
    own_cache, snapshot, computed, monkeypatch, small_snapshot
):
    load_measures(snapshot)
    earlier = load_measures(snapshot, as_of="2026-01-31")
    assert earlier.as_of == dt.date(2026, 1, 31)
    assert load_measures(snapshot, as_of=dt.date(2026, 1, 31)).as_of == earlier.as_of
    assert len(computed) == 2
    monkeypatch.setattr(cache, "code_fingerprint", lambda: "another")
    load_measures(snapshot)
    assert len(computed) == 3
    other = small_snapshot({"opportunities": OPPORTUNITIES.replace(",100\n", ",101\n")})
    load_measures(other.folder)
    assert len(computed) == len(entries(own_cache)) == 4


@pytest.mark.parametrize(
    ("name", "spoil"),
    [
        ("measures.json", "cut"), ("measures.json", "empty"), ("measures.json", "gone"),
        ("totals.parquet", "cut"), ("values.parquet", "empty"), ("teams.parquet", "gone"),
    ],
)  # fmt: skip
def test_a_broken_entry_is_computed_anew(own_cache, snapshot, computed, name, spoil):
    first = load_measures(snapshot)
    (entry,) = (own_cache / "measures" / name for name in entries(own_cache))
    path = entry / name
    content = path.read_bytes()
    if spoil == "gone":
        path.unlink()
    else:
        path.write_bytes(content[: len(content) // 2] if spoil == "cut" else b"")
    assert_equal(load_measures(snapshot), first)
    assert_equal(load_measures(snapshot), first)
    assert len(computed) == 2
    assert entries(own_cache) == [entry.name]


def test_an_entry_of_another_form_is_computed_anew(own_cache, snapshot, computed):
    first = load_measures(snapshot)
    (entry,) = (own_cache / "measures" / name for name in entries(own_cache))
    for text in ("[]", "{}", '{"kpis": ["none"]}'):
        (entry / "measures.json").write_text(text, encoding="utf-8")
        assert_equal(load_measures(snapshot), first)
    assert len(computed) == 4


def test_a_computation_that_fails_leaves_nothing_behind(own_cache, snapshot, monkeypatch):
    monkeypatch.setattr(cache, "compute_measures", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        load_measures(snapshot)
    assert entries(own_cache) == []


RACE = """
import sys
from salesnb.measures.cache import load_measures
sys.stdin.readline()
measures = load_measures(sys.argv[1])
print(len(measures.totals), measures.totals["numerator"].sum())
"""


def test_two_processes_at_once_both_succeed(own_cache, snapshot):
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACE, str(snapshot)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for _ in range(2)
    ]  # fmt: skip
    for racer in racers:
        racer.stdin.write("go\n")
        racer.stdin.flush()
    said = [racer.communicate(timeout=60) for racer in racers]
    assert [racer.returncode for racer in racers] == [0, 0], said
    assert said[0][0] == said[1][0] != ""
    assert len(entries(own_cache)) == 1


def test_who_comes_meanwhile_waits_for_what_is_being_made(tmp_path):
    made = []

    def make():
        made.append(1)
        time.sleep(0.3)
        return "made"

    def read(folder):
        path = folder / "it"
        return path.read_text(encoding="utf-8") if path.is_file() else None

    def write(what, folder):
        (folder / "it").write_text(what, encoding="utf-8")

    def get(_):
        return keep(tmp_path / "kept" / "home", read=read, make=make, write=write)

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(get, range(4))) == ["made"] * 4
    assert len(made) == 1


def test_a_day_must_be_a_day_within_the_data(own_cache, snapshot):
    with pytest.raises(ParameterError, match=r"as_of: '31.1.2026' is not a day. Write it like 20"):
        load_measures(snapshot, as_of="31.1.2026")
    with pytest.raises(ParameterError, match=r"as_of: 2026-02-03 is after the snapshot's 2026-02-"):
        load_measures(snapshot, as_of="2026-02-03")
    with pytest.raises(DataError, match="there is no snapshot"):
        load_measures(snapshot / "none")


def test_the_sample_company_is_made_once_and_made_anew_when_broken(own_cache, monkeypatch):
    made = []

    def make(folder):
        made.append(folder)
        folder.mkdir(parents=True)
        (folder / "reps.csv").write_text("rep_id,name\nr1,Ana\n", encoding="utf-8")
        (folder / "opportunities.csv").write_text(
            OPPORTUNITIES.replace(",r2,", ",r1,"), encoding="utf-8"
        )
        return folder

    monkeypatch.setattr("salesnb.sources.sample.sample_company", make)
    first = load_snapshot()
    assert load_snapshot().folder == first.folder
    assert len(made) == 1
    first.paths("opportunities")[0].write_bytes(b"")
    assert load_snapshot().id == first.id
    assert len(made) == 2
    assert len(load_snapshot("").read("opportunities")) == 3
