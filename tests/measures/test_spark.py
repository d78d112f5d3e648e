"""The same measures on Spark as on DuckDB, and a session that leaves nothing behind.

The tests of what goes wrong come first, while no session runs yet.
"""

import dataclasses
import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import habit_company
import pandas as pd
import pytest
from hostile_company import TABLES, hostile_snapshot, in_odd_folder, scatter
from small_company import import_tables
from tiny_batch import is_running

from salesnb.errors import DataError, ParameterError
from salesnb.measures import cache, spark
from salesnb.measures.cache import load_measures
from salesnb.measures.catalogue import CATALOGUE
from salesnb.measures.compute import compute_measures
from salesnb.measures.demand import DEMAND_FRAMES, Demand
from salesnb.measures.engine import DuckDBEngine, SparkEngine
from salesnb.measures.flow import FLOW_FRAMES, Flow
from salesnb.measures.pictures import compute_pipeline
from salesnb.sources.load import import_snapshot
from salesnb.sources.sample import sample_company

ROOT = Path(__file__).parents[2]
FRAMES = (
    "totals", "values", "weeks", "open_deals", "ratings", "habits", "contacts", "contacts_life",
    "capacity",
)  # fmt: skip
QUICK = (
    "--driver-java-options=-XX:TieredStopAtLevel=1 --conf spark.sql.shuffle.partitions=2 "
    "--conf spark.sql.adaptive.enabled=false --conf spark.sql.codegen.wholeStage=false"
)
"""Settings that suit a few rows: they halve the time. They come in as a user's would."""


@pytest.fixture(scope="module", autouse=True)
def settings():
    """Set Spark as its users do, and to nothing else."""
    pytest.importorskip("pyspark", reason="pyspark is not installed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYSPARK_SUBMIT_ARGS", f"{QUICK} pyspark-shell")
        for name in ("SPARK_REMOTE", "MASTER"):
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(scope="module")
def java():
    """Skip where Java is not installed."""
    home = os.environ.get("JAVA_HOME")
    if not shutil.which("java", path=str(Path(home, "bin")) if home else None):
        pytest.skip("Java is not installed")


@pytest.fixture(scope="module")
def session(settings, java):
    """One session for the module, which every engine of it shares."""
    yield spark.open_session()
    process = driver()
    spark.stop_session()
    assert process.poll() is not None


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sample")
    export = sample_company(folder / "export", reps=24, seed=3)
    return import_snapshot(export, to=folder / "snapshot")


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    return hostile_snapshot(tmp_path_factory.mktemp("hostile"))


def driver():
    """Process of Spark's driver."""
    from pyspark.core.context import SparkContext

    return SparkContext._gateway.proc


def assert_same(one, other):
    """See that measures agree: rows in the same order, what is missing, types, and numbers."""
    for name in FRAMES:
        a, b = getattr(one, name), getattr(other, name)
        pd.testing.assert_frame_equal(a, b, check_exact=False, rtol=1e-9, atol=0)
        assert a.isna().sum().to_dict() == b.isna().sum().to_dict()
    for name in FLOW_FRAMES:
        pd.testing.assert_frame_equal(getattr(one.flow, name), getattr(other.flow, name))
    for name in DEMAND_FRAMES:
        a, b = getattr(one.demand, name), getattr(other.demand, name)
        pd.testing.assert_frame_equal(a, b, check_exact=False, rtol=1e-9, atol=0)
    for field in dataclasses.fields(one):
        if not isinstance(getattr(one, field.name), pd.DataFrame | Flow | Demand):
            assert getattr(one, field.name) == getattr(other, field.name)


# What goes wrong before a session runs -----------------------------------------------------


def test_without_pyspark_it_is_said_what_to_install(hostile, monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "pyspark"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pyspark", None)
    with pytest.raises(ParameterError, match=r"needs pyspark .*pip install 'salesnb\[spark\]'"):
        SparkEngine(hostile)


def test_without_java_it_is_said_what_to_install(hostile, monkeypatch, tmp_path):
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(ParameterError, match=rf"none in JAVA_HOME \({tmp_path}\). Install Java 17"):
        SparkEngine(hostile)
    monkeypatch.delenv("JAVA_HOME")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ParameterError, match="none on the PATH, and JAVA_HOME is not set. Install"):
        SparkEngine(hostile)


@pytest.mark.skipif(sys.platform == "win32", reason="Java is a script here")
def test_a_java_that_fails_is_quoted(hostile, monkeypatch, tmp_path):
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text("#!/bin/sh\necho 'Error: Java 8 is too old' >&2\nexit 1\n", encoding="utf-8")
    java.chmod(0o700)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(ParameterError, match=r"does not start: Error: Java 8 is too old\n"):
        SparkEngine(hostile)


def test_a_master_there_is_not_is_refused_and_nothing_is_left_running(java, hostile, monkeypatch):
    processes, start = [], spark._start_java

    def note(log):
        start(log)
        processes.append(driver())

    monkeypatch.setattr(spark, "_start_java", note)
    with pytest.raises(ParameterError, match="does not start at nowhere://: .*not parse Master"):
        SparkEngine(hostile, master="nowhere://")
    assert [process.poll() is not None for process in processes] == [True]


def test_a_server_that_does_not_answer_is_named_at_once(hostile, monkeypatch):
    for name in ("grpc_proxy", "https_proxy", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(ParameterError, match=f"nothing answers at {address} .Connection ref"):
            SparkEngine(hostile, master=f"sc://{address}/;user_id=x")
        monkeypatch.setenv("SPARK_REMOTE", f"sc://{address}")
        with pytest.raises(ParameterError, match=f"nothing answers at {address}.*SPARK_REMOTE"):
            SparkEngine(hostile)


# The same measures -------------------------------------------------------------------------


def test_the_sample_company_has_every_kpi_many_times(sample):
    totals = compute_measures(sample).totals
    for kpi in CATALOGUE:
        rows = totals[totals["kpi"] == kpi.kpi]
        least = 3 if kpi.kpi == "ramp_days" else 20  # one value a rep hired since the first close
        for part in ("numerator", "denominator", "n"):
            assert (rows[part] > 0).sum() > least, (kpi.kpi, part)
        if kpi.moment is not None:
            assert (rows["total_of_squares"] > 0).sum() > least, kpi.kpi


@pytest.mark.slow
def test_every_kpi_of_the_sample_company_is_the_same(session, sample):
    assert_same(compute_measures(sample), compute_measures(sample, engine=SparkEngine(sample)))


@pytest.mark.bench
def test_the_pipelines_history_is_the_same(session, sample, hostile):
    for snapshot in (sample, hostile):
        one = compute_pipeline(snapshot)
        other = compute_pipeline(snapshot, engine=SparkEngine(snapshot))
        for name in ("open", "past", "ages", "bookings", "products"):
            a, b = getattr(one, name), getattr(other, name)
            pd.testing.assert_frame_equal(a, b, check_exact=False, rtol=1e-9, atol=0)


@pytest.mark.bench
def test_odd_data_in_many_files_are_the_same(session, hostile, tmp_path):
    scattered = scatter(hostile, tmp_path)
    on_duckdb = compute_measures(hostile)
    assert set(on_duckdb.totals["kpi"]) == {kpi.kpi for kpi in CATALOGUE}
    assert_same(on_duckdb, compute_measures(scattered, engine=SparkEngine(scattered)))


@pytest.mark.bench
def test_every_habit_is_counted_the_same(session, tmp_path):
    snapshot = import_tables(tmp_path, habit_company.TABLES, company=habit_company.COMPANY)
    on_duckdb = compute_measures(snapshot)
    assert on_duckdb.habits["habit"].nunique() == 4
    assert_same(on_duckdb, compute_measures(snapshot, engine=SparkEngine(snapshot)))


@pytest.mark.bench
def test_tables_without_rows_are_the_same(session, tmp_path):
    kept = ("reps", "opportunities", "exchange_rates")
    bare = {name: f"{text.splitlines()[0]}\n" for name, text in TABLES.items() if name not in kept}
    snapshot = hostile_snapshot(tmp_path, **bare)
    on_duckdb = compute_measures(snapshot)
    assert (len(on_duckdb.ratings), set(on_duckdb.totals["team_id"])) == (0, {""})
    assert_same(on_duckdb, compute_measures(snapshot, engine=SparkEngine(snapshot)))


def test_a_rate_that_lacks_is_named_the_same(session, tmp_path):
    rates = "currency,rate_on,rate\nEUR,2024-03-01,1\nGBP,2018-01-01,1.25\n"
    snapshot = hostile_snapshot(tmp_path, exchange_rates=rates)
    said = []
    for engine in (DuckDBEngine(snapshot), SparkEngine(snapshot)):
        with pytest.raises(DataError, match="JPY.* 1, first on 2024-08-01|JPY .1, ") as caught:
            compute_measures(snapshot, engine=engine)
        said.append(str(caught.value))
    assert said[0] == said[1]


def test_a_small_frame_arrives_the_same(session, hostile):
    frame = pd.DataFrame(
        {"text": ["NaN", None, "é😀"], "never": [None] * 3, "number": [1.5, None, 1e300],
         "day": pd.to_datetime(["2024-02-29", None, "1900-01-01"]), "n": [1, 2, 3]}
    )  # fmt: skip
    one, other = (
        engine.collect(engine.local(frame)).sort_values("n", ignore_index=True)
        for engine in (DuckDBEngine(hostile), SparkEngine(hostile))
    )
    assert one["text"].isna().tolist() == [False, True, False]
    pd.testing.assert_frame_equal(one, other, check_exact=True)


def test_a_folder_with_wildcards_in_its_name_is_that_folder(session, tmp_path):
    engine = SparkEngine(in_odd_folder(hostile_snapshot(tmp_path), tmp_path))
    assert len(engine.collect(engine.table("reps"))) == 5


def test_files_that_spark_cannot_see_are_named(session, hostile, tmp_path):
    elsewhere = SparkEngine(dataclasses.replace(hostile, folder=tmp_path / "elsewhere"))
    with pytest.raises(ParameterError, match="(?s)cannot read .*elsewhere.*all workers see"):
        elsewhere.table("leads")
    scattered = scatter(hostile, tmp_path)
    engine = SparkEngine(scattered)
    opened = engine.table("leads")
    shutil.rmtree(tmp_path / "leads")
    with pytest.raises(ParameterError, match="(?s)cannot read .*leads.*all workers see"):
        engine.collect(opened)


# The session -------------------------------------------------------------------------------


def test_the_session_is_private_quiet_and_set_as_spark_is_set(session):
    context = session.sparkContext
    assert (context.master, context.appName, context.uiWebUrl) == ("local[*]", "salesnb", None)
    assert context.getConf().get("spark.driver.bindAddress") == "127.0.0.1"
    assert session.conf.get("spark.sql.shuffle.partitions") == "2"
    assert session.conf.get("spark.sql.session.timeZone") == "UTC"


def test_ctrl_c_does_what_it_did(session):
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_settings_of_the_process_s_own_session_are_left_alone(session):
    from pyspark.sql import SparkSession

    theirs = SparkSession.builder.getOrCreate()
    theirs.conf.set("spark.sql.session.timeZone", "Asia/Tokyo")
    assert spark.open_session().conf.get("spark.sql.session.timeZone") == "UTC"
    assert theirs.conf.get("spark.sql.session.timeZone") == "Asia/Tokyo"


def test_a_second_place_in_one_process_is_refused(session, hostile):
    with pytest.raises(ParameterError, match=r"spark://there:7077 is asked for.*at local\[\*\]"):
        SparkEngine(hostile, master="spark://there:7077")
    assert spark.open_session("local[*]").sparkContext is session.sparkContext


def test_what_spark_computed_is_loaded_without_spark(session, hostile, monkeypatch, tmp_path):
    used = []

    def note(snapshot, *, as_of, engine, own):
        used.append(type(engine))
        return compute_measures(snapshot, as_of=as_of)

    monkeypatch.setenv("SALESNB_CACHE", str(tmp_path))
    monkeypatch.setattr(cache, "compute_measures", note)
    first = load_measures(hostile.folder, engine="spark")
    second = load_measures(hostile.folder)
    assert used == [SparkEngine]
    pd.testing.assert_frame_equal(first.totals, second.totals)


_INTERRUPTED = """
import os, signal, sys, threading
import narwhals as nw
import pyspark
from pyspark.core.context import SparkContext
from salesnb.measures.engine import SparkEngine
from salesnb.sources.snapshot import open_snapshot

snapshot = open_snapshot(sys.argv[1])
engine = SparkEngine(snapshot, master="local[1]")
java = SparkContext._gateway.proc
endless = nw.from_native(engine._session.range(10**15)).select(nw.col("id").sqrt().sum())
threading.Timer(2, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    engine.collect(endless)
except KeyboardInterrupt:
    print(java.poll() is not None)
again = SparkEngine(snapshot, master="local[1]")
print(again._session.version == pyspark.__version__)
print(SparkContext._gateway.proc.pid)
"""


@pytest.mark.slow
def test_after_an_interruption_and_at_the_end_nothing_is_left(java, hostile, tmp_path):
    run = subprocess.run(
        [sys.executable, "-c", _INTERRUPTED, str(hostile.folder)],
        capture_output=True, text=True, check=True, cwd=tmp_path, timeout=120,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    *is_so, pid = run.stdout.split()
    assert (is_so, run.stderr, list(tmp_path.iterdir())) == (["True", "True"], "", [])
    assert not is_running(int(pid))
