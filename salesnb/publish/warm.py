"""Warm kernels: forked from a process that has loaded everything already, 2 s sooner than cold.

A kernel provisioner of `jupyter_client`, so papermill and nbclient know nothing of it. The fork
server is the standard library's; Linux only. What cannot be forked is started cold, and the
report's log says why.
"""

from __future__ import annotations

import ast
import ctypes
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from multiprocessing import forkserver
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from types import ModuleType
from typing import Any

import nbformat
from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from salesnb.publish.preload import PRELOAD

PROVISIONER = "salesnb-warm"
"""Name of the entry point in the group `jupyter_client.kernel_provisioners`."""

_ALWAYS = (
    "ipykernel.kernelapp", "ipykernel.ipkernel", "matplotlib_inline.backend_inline",
    "matplotlib.pyplot", "seaborn", "pyarrow.dataset",
)  # fmt: skip
"""What kernels, figures and tables load when they are first used."""

_PDEATHSIG = 1
_DYING = 0.2  # seconds
_PACKAGE = "salesnb"

_guard = threading.Lock()
"""The server, and what it says of its children, are asked by one thread at a time."""

_needs = {PRELOAD: ",".join(_ALWAYS), "MPLBACKEND": "module://matplotlib_inline.backend_inline"}
"""Environment of the server, which is started again where it was killed.

Matplotlib chooses when it is loaded where figures go; a kernel that loads it itself says so, too.
"""


def can_fork() -> bool:
    """Whether kernels can be forked here."""
    return sys.platform == "linux"


def learn_imports(notebooks: Iterable[Path]) -> tuple[str, ...]:
    """List what notebooks import, and the names they use of this package, as `preload` takes them.

    A notebook that cannot be read imports nothing: what is wrong with it is said elsewhere.
    """
    found: dict[str, None] = {}
    for path in notebooks:
        try:
            cells = nbformat.read(path, as_version=4).cells
            trees = [ast.parse(cell.source) for cell in cells if cell.cell_type == "code"]
        except Exception:
            continue
        nodes = [node for tree in trees for node in ast.walk(tree)]
        ours = {_PACKAGE}
        for node in nodes:
            if isinstance(node, ast.Import):
                found |= {alias.name: None for alias in node.names}
                ours |= {name.asname or name.name for name in node.names if name.name == _PACKAGE}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found |= {f"{node.module}:{alias.name}": None for alias in node.names}
        found |= {
            f"{_PACKAGE}:{node.attr}": None
            for node in nodes
            if isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id in ours
        }
    return tuple(found)


def start_server(names: Iterable[str], environment: dict[str, str]) -> None:
    """Start the fork server if none runs, with these modules loaded.

    Where it cannot be started, kernels are started cold, and their logs say why.

    Parameters
    ----------
    names
        As `learn_imports` gives them.
    environment
        What must be set before libraries load, such as the number of their threads.
    """
    if not can_fork():
        return
    with _guard:
        _needs.update(environment | {PRELOAD: ",".join((*_ALWAYS, *names))})
        with suppress(OSError), _prepared():
            forkserver.ensure_running()


@contextmanager
def _prepared() -> Iterator[None]:
    """Set what the server needs, should it be started now, and hide the program.

    Multiprocessing would run the program again in each child, to find there what it needs.
    """
    before = {name: os.environ.get(name) for name in _needs}
    program = sys.modules["__main__"]
    os.environ.update(_needs)
    sys.modules["__main__"] = ModuleType("__main__")
    multiprocessing.set_forkserver_preload(["salesnb.publish.preload", __name__])
    try:
        yield
    finally:
        sys.modules["__main__"] = program
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


class ForkedKernel:
    """A forked process in the shape of `subprocess.Popen`, as far as a provisioner asks."""

    stdin = stdout = stderr = None

    def __init__(self, process: ForkServerProcess) -> None:
        self._process = process
        self.pid = int(process.pid or 0)

    @property
    def returncode(self) -> int | None:
        """Exit status, negative of a signal; None while it runs."""
        return self.poll()

    def poll(self) -> int | None:
        """Ask whether it has ended."""
        with _guard:
            return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it has ended.

        Raises
        ------
        subprocess.TimeoutExpired
            It still runs after so many seconds.
        """
        until = None if timeout is None else time.monotonic() + timeout
        while (status := self.poll()) is None:
            if until is not None and time.monotonic() > until:
                raise subprocess.TimeoutExpired("kernel", timeout or 0.0)
            time.sleep(0.01)
        return status

    def send_signal(self, number: int) -> None:
        """Send a signal; one that has ended is left alone."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)


class WarmProvisioner(LocalProvisioner):
    """Forks kernels from the server; where that fails, starts them cold and says so."""

    async def launch_kernel(self, cmd: list[str], **options: Any) -> KernelConnectionInfo:
        """Launch a kernel for the connection file that the command names."""
        try:
            kernel = _fork(cmd, **options)
        except Exception as error:
            self.log.warning("started cold, as no kernel could be forked: %r", error)
            return await super().launch_kernel(cmd, **options)
        # asking the system would be too early: until its first line the child is of our own group
        self.process = kernel  # type: ignore[assignment]
        self.pid = self.pgid = kernel.pid
        self.cwd = options.get("cwd", Path.cwd())
        return self.connection_info


def _fork(cmd: list[str], *, env: dict[str, str], stdout: Any, **options: Any) -> ForkedKernel:
    connection_file = cmd[cmd.index("-f") + 1]
    folder = str(options.get("cwd") or Path.cwd())
    arguments = (connection_file, stdout.name, env, folder, _own_path())
    with _guard:
        try:
            return ForkedKernel(_start(arguments))
        except (EOFError, OSError):
            time.sleep(_DYING)  # the server was killed: once it is gone it is started again
            return ForkedKernel(_start(arguments))


def _start(arguments: tuple[object, ...]) -> ForkServerProcess:
    context = multiprocessing.get_context("forkserver")
    process = context.Process(target=_run_kernel, args=arguments)
    with _prepared():
        process.start()
    return process


def _own_path() -> list[str]:
    """List where modules are found, without the folder of the program that runs the batch."""
    program = str(Path(sys.argv[0]).absolute().parent)
    return [path for path in sys.path if path != program]


def _run_kernel(
    connection_file: str, log: str, environment: dict[str, str], folder: str, path: list[str]
) -> None:
    """Be a kernel, in the child: as if started by the command line, but for what is loaded."""
    _live_no_longer_than_the_server()
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.path[:] = path
    multiprocessing.set_start_method(None, force=True)  # the usual one, not how this was forked
    with Path(log).open("ab") as stream:
        for number in (1, 2):
            os.dup2(stream.fileno(), number)
    launcher = find_spec("ipykernel_launcher")
    sys.argv = [str(launcher and launcher.origin), "-f", connection_file]
    _renew_chance()
    from ipykernel.kernelapp import IPKernelApp

    app = IPKernelApp.instance(parent_handle=os.getppid())
    status = 1
    try:
        app.initialize(sys.argv[1:])  # type: ignore[no-untyped-call]
        _show_figures()
        app.start()  # type: ignore[no-untyped-call]
        status = 0
    except Exception:
        traceback.print_exc(file=sys.__stderr__)
    finally:
        os._exit(status)  # nothing is left to tidy up but what libraries complain about


def _live_no_longer_than_the_server() -> None:
    """Lead a group of our own, and end with the server, which ends with the batch."""
    os.setsid()
    # the server waits for all who hold this to end; of them the batch alone counts
    alive = forkserver._forkserver._forkserver_alive_fd  # type: ignore[attr-defined]
    if alive is not None:
        os.close(alive)
    parent = os.getppid()
    ctypes.CDLL(None).prctl(_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent or parent == 1:
        os._exit(1)


def _renew_chance() -> None:
    """Draw other random numbers than the kernels beside."""
    random.seed()
    if "numpy" in sys.modules:
        import numpy as np

        np.random.seed()  # noqa: NPY002 - notebooks may use the old generator


def _show_figures() -> None:
    """Let matplotlib show figures under cells, as it does where a kernel loads it itself."""
    if "matplotlib" in sys.modules:
        from matplotlib_inline.backend_inline import _enable_matplotlib_integration

        _enable_matplotlib_integration()  # type: ignore[no-untyped-call]
