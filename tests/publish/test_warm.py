import ast
import json
import logging
import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from functools import partial
from multiprocessing import forkserver
from pathlib import Path

import nbformat
import pytest
from many_outputs import CELLS
from tiny_batch import is_running, write_notebook

from salesnb.publish import warm
from salesnb.publish.kernel import ONE_THREAD, running_kernels
from salesnb.publish.preload import preload
from salesnb.publish.run import Limits, execute
from salesnb.publish.warm import ForkedKernel, learn_imports, start_server

linux = pytest.mark.skipif(sys.platform != "linux", reason="kernels are forked on Linux only")
LIMITS = Limits(60, 120)
NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


def run(folder, *cells, isolation="warm", limits=LIMITS):
    path = write_notebook(folder / "n.ipynb", *cells)
    notebook = nbformat.read(path, as_version=4)
    return execute(notebook, {}, limits=limits, log=folder / "logs" / "n.log", isolation=isolation)


def shown(outcome):
    """Write down outputs without what differs between any two runs of a notebook."""
    told = [
        (cell.source, cell.get("execution_count"), cell.get("outputs")) for cell in
        outcome.notebook.cells
    ]  # fmt: skip
    text = json.dumps(told, sort_keys=True)
    text = re.sub(r"0x[0-9a-f]{6,}|ipykernel_\d+/\d+|\d{4}-\d\d-\d\d[ T][\d:.+]+", "_", text)
    return re.sub(r"(?<=/tmp/)ipykernel_\w+|(?<=clip-path=.\"url\(#)\w+", "_", text)


@linux
def test_warm_and_cold_kernels_give_the_same(tmp_path):
    outcomes = {kind: run(tmp_path, *CELLS, isolation=kind) for kind in ("cold", "warm")}
    assert {kind: one.isolation for kind, one in outcomes.items()} == {
        "cold": "cold", "warm": "warm",
    }  # fmt: skip
    for cold, forked in zip(*(one.notebook.cells for one in outcomes.values()), strict=True):
        assert forked.source == cold.source
        assert forked.get("outputs") is not None or forked.cell_type == "markdown"
    assert [cell.get("outputs") for cell in outcomes["cold"].notebook.cells]
    cold, forked = (json.loads(shown(outcomes[kind])) for kind in ("cold", "warm"))
    for one, other in zip(cold, forked, strict=True):
        assert one == other
    assert outcomes["cold"].reason == outcomes["warm"].reason
    assert "ZeroDivisionError" in outcomes["warm"].reason


@linux
@pytest.mark.bench
def test_a_team_review_is_the_same_whether_shared_and_warm_or_neither(tmp_path):
    """Sharing is by what made a result: another team's is never taken, and nothing is lost."""
    notebook = nbformat.read(NOTEBOOKS / "team_review.ipynb", as_version=4)
    limits, share = Limits(600, 600), tmp_path / "shared"
    asked = {"quarter": "2026Q2", "team": "Lakes"}
    others = {"quarter": "2026Q2", "team": "North"}
    run_one = partial(execute, notebook, limits=limits, log=tmp_path / "logs" / "n.log")
    alone = run_one(asked)
    run_one(others, isolation="warm", share=share)
    after = run_one(asked, isolation="warm", share=share)
    assert (alone.reason, after.reason, after.isolation) == ("", "", "warm")
    assert len(list(share.glob("*.pickle"))) > 10
    # ids of drawings are hashes of floats, whose last digit is another where arrays were pickled
    apart = [re.sub(r"\bs[0-9a-f]{8}-(?=\d)", "_", shown(one)) for one in (alone, after)]
    assert apart[0] == apart[1]


@linux
def test_each_report_has_a_clean_process(tmp_path):
    first = run(tmp_path, "import os, json; json.own = 1; os.environ['LEFT'] = 'x'; os.getpid()")
    second = run(
        tmp_path,
        "import os, json; (hasattr(json, 'own'), os.environ.get('LEFT'), 'own' in dir())",
        "import numpy as np; np.random.rand(), os.getpid()",
    )
    third = run(tmp_path, "import numpy as np, os; np.random.rand(), os.getpid()")
    texts = [
        [cell.outputs[0].data["text/plain"] for cell in one.notebook.cells if cell.get("outputs")]
        for one in (first, second, third)
    ]
    assert texts[1][0] == "(False, None, False)"
    draws = [
        ast.literal_eval(text.replace("np.float64", "")) for text in (texts[1][1], texts[2][0])
    ]
    assert draws[0][0] != draws[1][0]
    assert len({texts[0][0], draws[0][1], draws[1][1]}) == 3


@linux
def test_a_kernel_is_quiet_private_and_has_one_thread(tmp_path, capfd):
    outcome = run(
        tmp_path,
        "import os, threading; os.write(1, b'to the console\\n'); os.environ['OMP_NUM_THREADS']",
        "import duckdb; os.getpgid(0) == os.getpid()",
    )
    assert outcome.reason == ""
    cells = [cell for cell in outcome.notebook.cells if cell.get("outputs")]
    told = [cell.outputs[0].data["text/plain"] for cell in cells]
    assert told == ["'1'", "True"]
    assert capfd.readouterr() == ("", "")
    assert "to the console" in (tmp_path / "logs" / "n.log").read_text(encoding="utf-8")


@linux
def test_where_no_kernel_can_be_forked_it_is_started_cold_and_the_log_says_why(
    tmp_path, monkeypatch
):
    def fail(*_, **__):
        raise OSError("no more processes")

    monkeypatch.setattr(warm, "_fork", fail)
    outcome = run(tmp_path, "1 + 1")
    assert (outcome.reason, outcome.isolation) == ("", "cold")
    log = (tmp_path / "logs" / "n.log").read_text(encoding="utf-8")
    assert "started cold, as no kernel could be forked: OSError('no more processes')" in log


@linux
def test_a_killed_server_is_started_again(tmp_path):
    assert run(tmp_path, "1").isolation == "warm"
    os.kill(forkserver._forkserver._forkserver_pid, signal.SIGKILL)
    outcome = run(tmp_path, "1")
    assert (outcome.reason, outcome.isolation) == ("", "warm")


@linux
def test_kernels_end_with_the_process_that_started_them(tmp_path):
    """A batch that is killed leaves no kernel behind, nor the server."""
    program = textwrap.dedent(
        f"""
        import sys, threading, time
        from pathlib import Path
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        sys.path.insert(0, {str(Path(__file__).parents[1])!r})
        from test_warm import run
        from multiprocessing import forkserver
        folder = Path({str(tmp_path)!r})
        cell = "import os, time; open('pid', 'w').write(str(os.getpid())); time.sleep(60)"
        threading.Thread(target=run, args=(folder, f"import os; os.chdir({str(tmp_path)!r})", cell),
                         daemon=True).start()
        while not (folder / "pid").exists() or not (folder / "pid").read_text():
            time.sleep(0.05)
        print(forkserver._forkserver._forkserver_pid, flush=True)
        time.sleep(60)
        """
    )
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    server = int(process.stdout.readline())
    kernel = int((tmp_path / "pid").read_text())
    assert is_running(kernel)
    process.kill()
    process.wait()
    process.stdout.close()
    until = time.monotonic() + 10
    while (is_running(kernel) or is_running(server)) and time.monotonic() < until:
        time.sleep(0.05)
    assert not is_running(kernel)
    assert not is_running(server)


@linux
def test_a_report_that_takes_too_long_in_all_is_ended(tmp_path):
    run(tmp_path, "1")  # the server takes seconds to start
    started = time.monotonic()
    outcome = run(tmp_path, "1", "import time; time.sleep(60)", "2", limits=Limits(60, 6))
    assert time.monotonic() - started < 30
    assert outcome.reason == (
        "cell 3 was running when the report had taken 6 s in all (report_timeout_seconds)"
    )
    assert not outcome.is_dead
    assert running_kernels() == ()


def test_imports_and_names_of_the_package_are_learned(tmp_path):
    imports = "import pandas as pd, salesnb as sn\nfrom seaborn import axes_style"
    uses = "from . import x\nsn.load_measures('')\npd.DataFrame"
    path = write_notebook(tmp_path / "n.ipynb", "# Q", imports, uses, "%magic")
    other = write_notebook(tmp_path / "m.ipynb", "import json\nimport salesnb\nsalesnb.views.x")
    broken = tmp_path / "b.ipynb"
    broken.write_text("{")
    assert set(learn_imports([other, broken])) == {"json", "salesnb", "salesnb:views"}
    assert learn_imports([path]) == ()  # magics are no Python: then nothing is known
    path.write_text(path.read_text().replace("%magic", "1"))
    assert set(learn_imports([path])) == {
        "pandas", "salesnb", "seaborn:axes_style", "salesnb:load_measures",
    }  # fmt: skip


def test_preloading_leaves_no_trace_and_passes_over_what_is_not_there():
    preload("json,no_such_module_at_all,json:no_such_name,json:dumps")
    assert not hasattr(__builtins__, "get_ipython")
    assert "no_such_module_at_all" not in sys.modules


class Process:
    """A process that ends when it is asked for the third time."""

    pid = 2**22 + 1

    def __init__(self):
        self.asked = 0

    @property
    def exitcode(self):
        self.asked += 1
        return None if self.asked < 3 else -9


def test_a_forked_kernel_is_waited_for_like_any_process():
    kernel = ForkedKernel(Process())
    with pytest.raises(subprocess.TimeoutExpired):
        kernel.wait(timeout=0)
    assert kernel.wait(timeout=5) == -9
    kernel.kill()  # it has ended: nothing is sent
    assert kernel.returncode == -9


@linux
def test_the_server_is_started_with_what_must_be_set_before(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    start_server(("json",), ONE_THREAD)
    assert "OMP_NUM_THREADS" not in os.environ
    assert logging.getLogger("papermill") is not None


def test_a_batch_loads_no_more_than_it_needs():
    """Grammars of internationalised addresses would take a second of each command."""
    program = "import sys, salesnb.publish.batch; print(*sys.modules)"
    command = [sys.executable, "-c", program]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert "jsonschema" in loaded
    assert "rfc3987_syntax" not in loaded
