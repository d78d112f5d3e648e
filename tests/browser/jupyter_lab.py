"""A JupyterLab of a test's own: free port, token, private folders, ended with all it started."""

import json
import os
import secrets
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager, suppress
from urllib.error import URLError

import matplotlib
import psutil

_PATIENCE = 40


@contextmanager
def running_lab(folder, notebooks):
    """Serve `notebooks`; gives the address, token included, and the server's process.

    What the server writes to its console is in `folder/lab.log`.
    """
    token = secrets.token_hex(16)
    log = (folder / "lab.log").open("w")
    server = subprocess.Popen(
        [
            sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", "--port=0",
            "--allow-root", f"--ServerApp.root_dir={notebooks}",
            f"--IdentityProvider.token={token}", "--LabApp.news_url=",
            "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        ],
        env=private_environment(folder), stdout=log, stderr=subprocess.STDOUT,
        start_new_session=True, cwd=notebooks,
    )  # fmt: skip
    try:
        port = _wait_for_port(folder / "runtime", server, folder / "lab.log")
        yield f"http://127.0.0.1:{port}", token, server
    finally:
        end(server)
        log.close()


def private_environment(folder):
    """Take nothing of the user's set-up, and leave nothing in it."""
    places = {
        "JUPYTER_CONFIG_DIR": "config", "JUPYTER_DATA_DIR": "data", "HOME": "home",
        "JUPYTER_RUNTIME_DIR": "runtime", "IPYTHONDIR": "ipython",
        "JUPYTERLAB_SETTINGS_DIR": "settings", "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
        "SALESNB_CACHE": "cache",
    }  # fmt: skip
    for name in places.values():
        (folder / name).mkdir(exist_ok=True)
    tracker = folder / "settings" / "@jupyterlab" / "notebook-extension"
    tracker.mkdir(parents=True, exist_ok=True)
    # all cells are in the page, not only those in sight
    whole = {"windowingMode": "none"}
    (tracker / "tracker.jupyterlab-settings").write_text(json.dumps(whole))
    private = {key: str(folder / name) for key, name in places.items()}
    fonts = matplotlib.get_cachedir()  # looking for fonts anew is told in the notebook
    return {
        **os.environ, **private,
        "JUPYTER_NO_CONFIG": "1", "OMP_NUM_THREADS": "1", "MPLCONFIGDIR": fonts,
    }  # fmt: skip


def _wait_for_port(runtime, server, log):
    """Read the port from the file the server writes, once it answers."""
    end_of_patience = time.monotonic() + _PATIENCE
    while time.monotonic() < end_of_patience:
        assert server.poll() is None, log.read_text()
        for path in runtime.glob("jpserver-*.json"):
            with suppress(OSError, ValueError, URLError):
                port = json.loads(path.read_text())["port"]
                urllib.request.urlopen(f"http://127.0.0.1:{port}/api", timeout=5).close()
                return port
        time.sleep(0.1)
    raise AssertionError(f"JupyterLab did not start: {log.read_text()}")


def end(server):
    """End a server as Ctrl-C twice would, kernels first; what is left is killed."""
    family = family_of(server)
    server.terminate()
    with suppress(subprocess.TimeoutExpired):
        server.wait(timeout=10)
    _, alive = psutil.wait_procs(family, timeout=5)
    for process in alive:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(alive, timeout=5)


def family_of(server):
    """List a process and all it has started."""
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(server.pid)
        return [process, *process.children(recursive=True)]
    return []


def is_alive(process):
    """Say whether a process runs; one that ended and that nobody asked about does not."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
