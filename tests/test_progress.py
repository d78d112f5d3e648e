"""A long call says what it is doing to whoever waits for it, and to nobody else."""

import os
import subprocess
import sys
import threading
import time
from contextlib import suppress

import pytest
from jupyter_client.manager import start_new_kernel

from salesnb import progress

SCRIPT = """
import time
from salesnb import progress
progress.PATIENCE = 0.05
@progress.long("Measuring [b]")
def measure():
    progress.step("opportunities")
    time.sleep(0.8)
    return "measured"
print(measure())
"""


class Place:
    """Keeps what is shown."""

    def __init__(self):
        self.lines = []

    def show(self, text):
        self.lines.append(text)

    def end(self, text):
        self.lines.append(text)


@pytest.fixture
def place(monkeypatch):
    made = Place()
    monkeypatch.setattr(progress, "_find_place", lambda: lambda: made)
    monkeypatch.setattr(progress, "PATIENCE", 0.02)
    monkeypatch.setattr(progress, "_EVERY", 0.02)
    return made


def wait_for(place, text):
    end = time.monotonic() + 10
    while not any(text in line for line in place.lines):
        assert time.monotonic() < end, place.lines
        time.sleep(0.01)


def test_it_tells_its_steps_and_how_long_it_took(place):
    with progress.waiting("Measuring"):
        wait_for(place, "Measuring (0 s)")
        progress.step("opportunities")
        wait_for(place, "Measuring: opportunities (0 s)")
    assert place.lines[-1].startswith("Measuring: done in ")


def test_a_short_call_shows_nothing(place, monkeypatch):
    monkeypatch.setattr(progress, "PATIENCE", 60)
    with progress.waiting("Measuring"):
        pass
    assert place.lines == []


def test_a_call_within_a_call_is_a_step_of_it(place):
    with progress.waiting("Importing"):
        progress.step("first")
        with progress.waiting("Reading files"):
            wait_for(place, "Importing: reading files")
        place.lines.clear()
        wait_for(place, "Importing: first")
    assert sum("done" in line for line in place.lines) == 1


def test_an_error_ends_it_and_comes_out(place):
    @progress.long("Measuring")
    def measure():
        wait_for(place, "Measuring")
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        measure()
    assert place.lines[-1].startswith("Measuring: stopped after ")
    with progress.waiting("Again"):
        wait_for(place, "Again")


def test_a_broken_display_does_not_break_the_work(monkeypatch):
    def broken():
        raise OSError("no display")

    monkeypatch.setattr(progress, "_find_place", lambda: broken)
    monkeypatch.setattr(progress, "PATIENCE", 0.0)
    with progress.waiting("Measuring"):
        time.sleep(0.05)


def test_steps_outside_and_of_other_threads_are_nobodys(place):
    progress.step("nothing")
    with progress.waiting("Measuring"):
        thread = threading.Thread(target=progress.step, args=("of a thread",))
        thread.start()
        thread.join()
        wait_for(place, "Measuring")
    assert not any("of a thread" in line for line in place.lines)


def test_it_is_silent_where_something_else_tells(monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(progress, "_find_kernel", lambda: None)
    assert progress._find_place() is not None
    with progress.silence():
        assert progress._find_place() is None
    assert progress._find_place() is not None


def test_a_decorated_function_keeps_its_name_and_gives_what_it_gives(place):
    @progress.long("Doubling")
    def double(number):
        """Double it."""
        return 2 * number

    assert (double(3), double.__name__, double.__doc__) == (6, "double", "Double it.")


def test_a_log_stays_as_it_is():
    run = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    assert (run.stdout, run.stderr) == ("measured\n", "")


@pytest.mark.skipif(os.name == "nt", reason="needs a pseudo-terminal")
def test_a_terminal_shows_a_line_that_goes():
    import pty

    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80"}
    run = subprocess.Popen(
        [sys.executable, "-c", SCRIPT], stdout=subprocess.PIPE, stderr=theirs, text=True,
        env=environment,
    )  # fmt: skip
    os.close(theirs)
    shown = b""
    with suppress(OSError):  # the other end is closed
        while piece := os.read(ours, 4096):
            shown += piece
    out, _ = run.communicate(timeout=20)
    os.close(ours)
    assert out == "measured\n"
    assert "Measuring [b]: opportunities (0 s)" in shown.decode()
    assert shown.decode().rstrip().endswith("\x1b[2K")


@pytest.fixture(scope="module")
def kernel():
    manager, client = start_new_kernel()
    yield client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


@pytest.mark.parametrize("is_by_hand", [True, False])
def test_a_notebook_shows_it_where_a_person_runs_the_cell(kernel, is_by_hand):
    told = []
    kernel.execute_interactive(
        SCRIPT, allow_stdin=is_by_hand, timeout=30, output_hook=told.append,
        stdin_hook=lambda _: None,
    )  # fmt: skip
    kinds = [message["msg_type"] for message in told]
    lines = [m["content"]["data"]["text/plain"] for m in told if "display" in m["msg_type"]]
    if not is_by_hand:
        assert "stream" in kinds
        assert lines == []
        return
    assert kinds.count("display_data") == 1
    assert lines[0].startswith("Measuring [b]: opportunities (")
    assert lines[-1].startswith("Measuring [b]: done in ")
