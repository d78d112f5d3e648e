"""The Spark session: found or started, quiet and private, and ended with all it has started."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from salesnb.errors import ParameterError

if TYPE_CHECKING:
    from pyspark import SparkConf
    from pyspark.sql import SparkSession

T = TypeVar("T")

_CONNECT = "sc://"
_CONNECTED = "SPARK_CONNECT_MODE_ENABLED"
"""Variable that pyspark sets once it talks to Spark Connect."""
_SUBMITTED = "PYSPARK_GATEWAY_PORT"
"""Variable that `spark-submit` sets: it has started the Java process, and ends it."""
_PROXIES = ("grpc_proxy", "https_proxy", "http_proxy")
"""Variables that have a server reached through another."""
_WILDCARDS = r"\{}[]*?"
_UNREADABLE = ("FAILED_READ_FILE", "PATH_NOT_FOUND", "FileNotFoundException")

_PATIENCE = 20.0
"""Seconds in which a session, and a Java process, must have ended."""

_guard = threading.RLock()
_started: SparkSession | None = None
"""The session this module has started; at most one runs in a process."""


def open_session(master: str = "") -> SparkSession:
    """Open a session with settings of its own where Spark runs, starting Spark if need be.

    Without `master`, the first of these that there is: the session this process has (a platform's
    notebook, `spark-submit`, an earlier call), the variable `SPARK_REMOTE`, what Spark itself is
    set to (`spark-defaults.conf`, `PYSPARK_SUBMIT_ARGS`), this machine (`local[*]`).

    Parameters
    ----------
    master
        `local[4]`, `spark://host:7077`, `yarn`, `k8s://https://host:443`, or, for Spark Connect,
        `sc://host:15002`.

    Raises
    ------
    ParameterError
        pyspark or Java is missing, Spark does not start, or it runs elsewhere already.
    """
    try:
        from pyspark.core.context import SparkContext
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise ParameterError(
            f"engine: spark needs pyspark ({error}). Run: pip install 'salesnb[spark]'"
        ) from error
    with _guard, _quiet():
        running = SparkContext._active_spark_context
        if master.startswith(_CONNECT) or (not master and running is None and _is_remote()):
            session = _connect(master)
        else:
            if running is None:
                _start(master)
            else:
                _check_place(str(running.master), master)
            session = SparkSession.builder.getOrCreate().newSession()
        session.conf.set("spark.sql.session.timeZone", "UTC")
        return session


def stop_session() -> None:
    """End the session this module has started, and its Java process; no other is touched."""
    global _started
    with _guard:
        session, _started = _started, None
        if session is None:
            return
        # In a thread of its own: an interruption has left this one's line to Java out of step.
        ending = threading.Thread(target=_stop, args=(session,), daemon=True)
        ending.start()
        ending.join(_PATIENCE)
        os.environ.pop(_CONNECTED, None)
        _end_java()


def _stop(session: SparkSession) -> None:
    with suppress(Exception):  # a cluster that is gone; what is here ends with its process
        session.stop()


@contextmanager
def ended_if_interrupted() -> Iterator[None]:
    """When the block is interrupted, end the session this module has started.

    Its work would go on, and of what this process asks next Spark's answer would be the one to
    what was interrupted. The next call starts it again.
    """
    try:
        yield
    except Exception:
        raise
    except BaseException:
        stop_session()
        raise


def run_apart(work: Callable[[], T]) -> T:
    """Run what takes long in a thread of its own: pyspark would not be interrupted before its end.

    An interruption leaves the thread to fail when the session has ended.
    """
    pool = ThreadPoolExecutor(max_workers=1)
    try:
        return pool.submit(work).result()
    finally:
        pool.shutdown(wait=False)


@contextmanager
def said_plainly() -> Iterator[None]:
    """Say what to do when Spark cannot read a file of the snapshot.

    Raises
    ------
    ParameterError
        In place of Spark's error, which is a page long.
    """
    try:
        with _quiet():
            yield
    except Exception as error:
        lines = str(error).splitlines()
        reasons = [line for line in lines if any(sign in line for sign in _UNREADABLE)]
        if not reasons:
            raise
        raise ParameterError(
            f"engine: spark cannot read the snapshot: {_first_line(reasons[0])}\nPut it on "
            "storage that all workers see under the same path, or use engine: duckdb."
        ) from error


def address(path: Path) -> str:
    r"""Name a file to Spark, which would else look for it in the cluster's default file system.

    Not percent-encoded: Spark takes each sign but wildcards as it is.

    >>> address(Path("/data/Q[1] x/reps.parquet"))
    'file:///data/Q\\[1\\] x/reps.parquet'
    """
    whole = path.absolute().as_posix()
    escaped = "".join(f"\\{sign}" if sign in _WILDCARDS else sign for sign in whole)
    return f"file://{'' if escaped.startswith('/') else '/'}{escaped}"


def _is_remote() -> bool:
    """Whether this process talks to Spark Connect, or is set to."""
    return "SPARK_REMOTE" in os.environ or _CONNECTED in os.environ


def _connect(url: str) -> SparkSession:
    """Open a session on a Spark Connect server; without a URL that of the process, if any."""
    global _started
    from pyspark.sql import SparkSession

    is_ours = _CONNECTED not in os.environ
    _check_server(url or os.environ.get("SPARK_REMOTE", ""))
    try:
        builder = SparkSession.builder
        session = builder.remote(url).create() if url else builder.getOrCreate()
        _ = session.version  # nothing is said to the server before
    except Exception as error:
        if is_ours:
            os.environ.pop(_CONNECTED, None)
        raise ParameterError(
            f"engine: spark cannot connect: {_first_line(str(error))}\n"
            "See docs/engines.md; what Spark Connect needs: pip install 'pyspark[connect]'"
        ) from error
    if is_ours:
        _remember(session)
    return session


def _check_server(url: str) -> None:
    """See that a server answers: pyspark itself would try for half an hour."""
    if not url.startswith(_CONNECT) or any(name in os.environ for name in _PROXIES):
        return
    place = urlsplit(url)
    port = place.port or 15002
    try:
        socket.create_connection((place.hostname or "", port), timeout=10).close()
    except OSError as error:
        raise ParameterError(
            f"engine: spark: nothing answers at {place.hostname}:{port} "
            f"({error.strerror or error}). Start the Spark Connect server, or correct spark_master "
            "or SPARK_REMOTE."
        ) from error


def _start(master: str) -> None:
    """Start Spark; what its Java process prints is kept until it runs, to say why it does not."""
    from pyspark import SparkConf
    from pyspark.core.context import SparkContext
    from pyspark.sql import SparkSession

    _check_java()
    with tempfile.TemporaryFile() as log:
        try:
            with _handler_kept():
                _start_java(log)
                conf = SparkConf()
                _configure(conf, master)
                _remember(SparkSession.builder.config(conf=conf).getOrCreate())
        except Exception as error:
            reason = _first_line(str(error))
            if SparkContext._gateway is None:  # Java itself ended, and pyspark does not know why
                reason = _first_error(log) or reason
            _end_java()
            raise ParameterError(
                f"engine: spark does not start{f' at {master}' if master else ''}: {reason}\n"
                "It needs Java 17 or later, and a master that runs if spark_master names one. See "
                "docs/engines.md, or use engine: duckdb."
            ) from error
        except BaseException:
            _end_java()
            raise


def _configure(conf: SparkConf, master: str) -> None:
    """Fill in what Spark has not been set to by its own files and variables."""
    if master:
        conf.setMaster(master)
    if conf.get("spark.app.name", "") in ("", "pyspark-shell"):
        conf.setAppName("salesnb")
    conf.setIfMissing("spark.ui.enabled", "false")
    conf.set("spark.ui.showConsoleProgress", "false")
    if conf.get("spark.master", "local[*]").startswith("local"):
        # Spark would let every machine of the network try its ports.
        conf.setIfMissing("spark.driver.bindAddress", "127.0.0.1")
        conf.setIfMissing("spark.driver.host", "127.0.0.1")
        # The default of 200 is for clusters; few are large. Spark joins those that turn out small.
        conf.setIfMissing("spark.sql.shuffle.partitions", str(4 * (os.cpu_count() or 1)))


def _check_java() -> None:
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=str(Path(home, "bin")) if home else None)
    if found is None and _SUBMITTED not in os.environ:
        where = f"in JAVA_HOME ({home})" if home else "on the PATH, and JAVA_HOME is not set"
        raise ParameterError(
            f"engine: spark needs Java, and there is none {where}. Install Java 17 or later "
            "beside pip install 'salesnb[spark]', or use engine: duckdb."
        )


def _start_java(log: IO[bytes]) -> None:
    """Start the Java process that is the driver, printing to `log` and not to the console."""
    from pyspark.core.context import SparkContext
    from pyspark.java_gateway import launch_gateway

    if SparkContext._gateway is None:
        # What it spills are rows of the export: for the owner's eyes, as all it writes.
        options = {"stdout": log, "stderr": log, "umask": 0o077}
        gateway = launch_gateway(popen_kwargs=options)  # type: ignore[no-untyped-call]
        # Before the context, so that SparkConf knows Spark's own files and variables.
        SparkContext._ensure_initialized(gateway=gateway)


def _end_java() -> None:
    """End the driver's Java process, which would keep its memory until this one ends.

    What `spark-submit` has started is left to it.
    """
    from pyspark.core.context import SparkContext
    from pyspark.sql import SparkSession

    gateway = SparkContext._gateway
    process = getattr(gateway, "proc", None)
    if gateway is None or process is None:
        return
    SparkContext._gateway = SparkContext._jvm = SparkContext._active_spark_context = None
    SparkSession._instantiatedSession = None
    gateway.shutdown()
    process.stdin.close()  # at which it ends, and removes its temporary files
    try:
        process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()


def _remember(session: SparkSession) -> None:
    global _started
    _started = session
    atexit.register(stop_session)


def _check_place(running: str, wanted: str) -> None:
    if wanted and wanted != running:
        raise ParameterError(
            f"spark_master: {wanted} is asked for, and this process has Spark at {running}. "
            "Leave spark_master out, or end that session first."
        )


@contextmanager
def _handler_kept() -> Iterator[None]:
    """Keep what Ctrl-C does: Spark would replace the handler of a batch that must tidy up."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handler = signal.getsignal(signal.SIGINT)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)


@contextmanager
def _quiet() -> Iterator[None]:
    """Leave out that pyspark has not been tried with pandas 3: frames cross as Arrow tables."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas")
        yield


def _first_line(text: str) -> str:
    """Take the first line that says something; of a Java error that is the second."""
    lines = [line.lstrip(": ") for line in text.splitlines() if line.strip()]
    return [*(line for line in lines if not line.startswith("An error occurred")), ""][0][:300]


def _first_error(log: IO[bytes]) -> str:
    """Find the line that says what went wrong: the first of an error, or the last of all."""
    log.seek(0)
    lines = log.read().decode(errors="replace").strip().splitlines()
    errors = [line for line in lines if "error" in line.lower() or "exception" in line.lower()]
    return [*errors[:1], *lines[-1:], ""][0][:300]
