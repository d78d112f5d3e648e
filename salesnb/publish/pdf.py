"""PDFs of reports: each page printed by a Chromium of its own, without network."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from salesnb.errors import ParameterError, SalesnbError
from salesnb.publish.files import write_bytes_whole
from salesnb.publish.links import hash_content
from salesnb.publish.manifest import Printed, Record, hash_file
from salesnb.publish.recorder import Recorder

CHROMIUM = "SALESNB_CHROMIUM"
"""Environment variable that names the browser's program."""

MISSING = (
    f"no PDF: there is no Chromium or Chrome on PATH. Install it, or set {CHROMIUM} to its program."
)
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_FLAGS = (
    "--headless",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-breakpad",
    "--no-pings",
    "--no-pdf-header-footer",
    "--proxy-server=127.0.0.1:9",  # where nothing answers,
    "--proxy-bypass-list=<-loopback>",  # also for addresses of this machine
)
_LONGEST_WORDS = 200


@dataclass(frozen=True)
class Browser:
    """A program that prints pages, and the longest it may take for one, in seconds."""

    program: str
    seconds: float = 120


def find_browser() -> Browser | None:
    """Find Chromium by the environment, else on PATH; None where there is none.

    Raises
    ------
    ParameterError
        The environment names a program that is not there.
    """
    named = os.environ.get(CHROMIUM)
    if named:
        program = shutil.which(named)
        if program is None:
            raise ParameterError(f"{CHROMIUM}: {named!r} is no program. Name Chromium's, or unset.")
        return Browser(program)
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    return Browser(found) if found else None


def print_reports(run: Recorder, browser: Browser, *, workers: int) -> tuple[str, ...]:
    """Print a batch's complete reports whose PDF is not of their present page.

    Each is written whole, readable by its owner only, and recorded. Where printing fails the
    report is as complete as it was. An interruption ends all browsers.

    Parameters
    ----------
    run
        The batch, all reports made.
    browser
        From `find_browser`.
    workers
        Pages printed at the same time.

    Returns
    -------
    tuple of str
        One line for each report that was not printed, and why.
    """
    known = [run.manifest.reports.get(job.slug) for job in run.plan.jobs]
    waiting = [one for one in known if one is not None and _is_due(one, run.plan.folder)]
    press = _Press(browser)
    with ThreadPoolExecutor(max_workers=workers) as pool:
        try:
            told = list(pool.map(lambda record: _print_one(run, press, record), waiting))
        except BaseException:
            press.stop()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return tuple(filter(None, told))


def _is_due(record: Record, folder: Path) -> bool:
    """Whether a report is complete and its PDF missing, changed, or of another page."""
    if record.status != "complete":
        return False
    path = folder / f"{record.slug}.pdf"
    content = hash_content((folder / f"{record.slug}.html").read_text(encoding="utf-8"))
    is_there = record.pdf is not None and path.is_file() and hash_file(path) == record.pdf.sha256
    return record.pdf is None or not is_there or record.pdf.content != content


def _print_one(run: Recorder, press: _Press, record: Record) -> str:
    """Print and record one report; say why not, if not."""
    page = run.plan.folder / f"{record.slug}.html"
    try:
        content = hash_content(page.read_text(encoding="utf-8"))
        digest = write_bytes_whole(page.with_suffix(".pdf"), press.print(page))
    except (SalesnbError, OSError) as error:
        return f"{record.slug}.pdf: {error}"
    run.settle(record.model_copy(update={"pdf": Printed(sha256=digest, content=content)}))
    return ""


class _Press:
    """Runs browsers, and ends them all when asked."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._guard = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._is_stopped = False

    def print(self, page: Path) -> bytes:
        """Print a page with a profile of its own.

        Raises
        ------
        SalesnbError
            The browser failed, took too long, or made no whole PDF.
        CancelledError
            It was stopped.
        """
        with tempfile.TemporaryDirectory(prefix="salesnb-", ignore_cleanup_errors=True) as folder:
            target = Path(folder) / "page.pdf"
            said = self._run(
                f"--user-data-dir={Path(folder) / 'profile'}",
                f"--print-to-pdf={target}",
                page.resolve().as_uri(),
            )
            content = target.read_bytes() if target.is_file() else b""
        if content.startswith(b"%PDF-") and content.rstrip().endswith(b"%%EOF"):
            return content
        words = " ".join(said.decode(errors="replace").split())[-_LONGEST_WORDS:]
        raise SalesnbError(
            f"{self._browser.program} printed nothing: {words or 'it gave no reason'}. Where it "
            f"needs other options, set {CHROMIUM} to a script that adds them."
        )

    def stop(self) -> None:
        """End the browsers that run; no other begins."""
        with self._guard:
            self._is_stopped = True
            for process in self._running:
                _kill(process)

    def _run(self, *arguments: str) -> bytes:
        """Run a browser to its end and return what it said."""
        with self._guard:
            if self._is_stopped:
                raise CancelledError
            process = subprocess.Popen(
                [self._browser.program, *_FLAGS, *_root_flags(), *arguments],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                start_new_session=True,
            )  # fmt: skip
            self._running.add(process)
        try:
            return process.communicate(timeout=self._browser.seconds)[1]
        except subprocess.TimeoutExpired:
            raise SalesnbError(
                f"{self._browser.program} took longer than {self._browser.seconds:g} s"
            ) from None
        finally:
            with self._guard:
                _kill(process)
                self._running.discard(process)


def _root_flags() -> list[str]:
    """Return what Chromium needs where it runs as root, which has no sandbox."""
    is_root = sys.platform != "win32" and os.geteuid() == 0
    return ["--no-sandbox"] if is_root else []


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End a browser that still runs, and what it started."""
    if process.poll() is not None:
        return
    if sys.platform == "win32":
        process.kill()
    else:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()
