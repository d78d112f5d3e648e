"""The kernels of reports: private, quiet, one thread each, and ended together when asked."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from traitlets import Unicode, default
from traitlets.config import Config

from salesnb.publish.files import start_private

KERNEL = "python3"
ONE_THREAD = {
    f"{library}_THREADS": "1"
    for library in ("OMP_NUM", "OPENBLAS_NUM", "MKL_NUM", "NUMEXPR_NUM", "VECLIB_MAXIMUM")
}
"""Reports run side by side: more threads in each would only wait for one another."""

_LONGEST_SOCKET = 100  # bytes of a unix socket's path; Linux takes 107, macOS 103
_LOGGERS = ("papermill", "traitlets")

_running: set[subprocess.Popen[bytes]] = set()
_guard = threading.Lock()


class ReportKernelManager(AsyncKernelManager):
    """Starts this interpreter's kernel, its own chatter in a file instead of the console."""

    log_path = Unicode(help="file for what the kernel writes to its console").tag(config=True)

    @default("kernel_spec_manager")
    def _only_this_interpreter(self) -> KernelSpecManager:
        """Look at no kernels installed elsewhere: another `python3` would lack this package."""
        return KernelSpecManager(kernel_dirs=[])

    async def start_kernel(self, **options: Any) -> None:  # type: ignore[override]
        """Start the kernel, and remember its process until it has ended."""
        with Path(self.log_path).open("ab") as log:
            environment = {**os.environ, **ONE_THREAD}
            await super().start_kernel(stdout=log, stderr=log, env=environment, **options)
        process = getattr(self.provisioner, "process", None)
        if process is not None:
            with _guard:
                _running.difference_update([one for one in _running if one.poll() is not None])
                _running.add(process)


def end_kernels() -> None:
    """End all kernels this process has started, and what they have started, at once."""
    with _guard:
        for process in _running:
            if process.poll() is not None:
                continue
            if sys.platform == "win32":
                process.kill()
            else:
                os.killpg(process.pid, signal.SIGKILL)


def kernel_options(folder: Path, log: Path) -> dict[str, Any]:
    """Say to papermill which kernel to start.

    Parameters
    ----------
    folder
        Private folder for the kernel's keys and sockets.
    log
        File for what the kernel writes to its console.
    """
    settings = {"log_path": str(log), "connection_file": str(folder / "kernel.json")}
    sockets = str(folder / "s")
    if sys.platform != "win32" and len(os.fsencode(f"{sockets}-1")) <= _LONGEST_SOCKET:
        settings |= {"transport": "ipc", "ip": sockets}
    return {
        "kernel_name": KERNEL,
        "language": "python",  # a notebook need not say so
        "kernel_manager_class": ReportKernelManager,
        "shutdown_kernel": "immediate",  # asked politely, one in ten takes three seconds
        "config": Config(ReportKernelManager=settings),
    }


@contextmanager
def logged(path: Path) -> Iterator[None]:
    """Send what papermill and Jupyter log in this thread to a new file of the owner alone."""
    start_private(path)
    thread = threading.get_ident()
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.addFilter(lambda record: record.thread == thread)
    handler.setFormatter(logging.Formatter("%(name)s %(levelname)s %(message)s"))
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    for logger in loggers:
        logger.addHandler(handler)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeHandler(handler)
        handler.close()
