"""The kernels of reports: private, quiet, one thread each, and ended together when asked."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from traitlets import Bool, Unicode, default
from traitlets.config import Config

from salesnb.language import LANGUAGE, language
from salesnb.measures.shared import SHARE
from salesnb.privacy import NAMED, PRIVACY, Privacy
from salesnb.publish.files import start_private
from salesnb.publish.warm import (
    PROVISIONER,
    ForkedKernel,
    can_fork,
    learn_imports,
    start_server,
)

KERNEL = "python3"
ONE_THREAD = {
    f"{library}_THREADS": "1"
    for library in ("OMP_NUM", "OPENBLAS_NUM", "MKL_NUM", "NUMEXPR_NUM", "VECLIB_MAXIMUM")
}
"""Reports run side by side: more threads in each would only wait for one another."""

_LONGEST_SOCKET = 100  # bytes of a unix socket's path; Linux takes 107, macOS 103
_LOGGERS = ("papermill", "traitlets")

Isolation = Literal["warm", "cold"]
"""Whether kernels are forked from a process that has loaded everything, where that is possible."""

_Process = subprocess.Popen[bytes] | ForkedKernel
_running: dict[_Process, Path] = {}
"""Kernels that may still run, with the log of each."""
_started: dict[Path, Isolation] = {}
"""How the last kernel of each log was started."""
_guard = threading.Lock()


class ReportKernelSpecs(KernelSpecManager):
    """Knows this interpreter's kernel only: another `python3` would lack this package."""

    is_warm = Bool(False, help="fork kernels").tag(config=True)

    @default("kernel_dirs")
    def _none_elsewhere(self) -> list[str]:
        return []

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """Find the kernel, and say who starts it."""
        spec: KernelSpec = super().get_kernel_spec(kernel_name)
        if self.is_warm:
            provisioner = {"provisioner_name": PROVISIONER}
            spec.metadata = {**spec.metadata, "kernel_provisioner": provisioner}
        return spec


class ReportKernelManager(AsyncKernelManager):
    """Starts this interpreter's kernel, its own chatter in a file instead of the console."""

    log_path = Unicode(help="file for what the kernel writes to its console").tag(config=True)
    share = Unicode(help="folder of what kernels share").tag(config=True)
    privacy = Unicode(help="what may be read of people").tag(config=True)
    spoken = Unicode(help="language of reports").tag(config=True)

    @default("kernel_spec_manager")
    def _only_this_interpreter(self) -> KernelSpecManager:
        return ReportKernelSpecs(parent=self)

    async def start_kernel(self, **options: Any) -> None:  # type: ignore[override]
        """Start the kernel, and remember its process until it has ended."""
        with Path(self.log_path).open("ab") as log:
            told = {SHARE: self.share, PRIVACY: self.privacy, LANGUAGE: self.spoken}
            environment = {**os.environ, **ONE_THREAD, **told}
            await super().start_kernel(stdout=log, stderr=log, env=environment, **options)
        process = getattr(self.provisioner, "process", None)
        if process is not None:
            with _guard:
                for ended in [one for one in _running if one.poll() is not None]:
                    del _running[ended]
                log_path = Path(self.log_path)
                _running[process] = log_path
                _started[log_path] = "warm" if isinstance(process, ForkedKernel) else "cold"


def warm_up(notebooks: Iterable[Path]) -> None:
    """Start the server of warm kernels, which loads what notebooks import."""
    start_server(learn_imports(notebooks), ONE_THREAD)


def end_kernels(log: Path | None = None) -> None:
    """End the kernels this process has started, and what they have started, at once.

    Parameters
    ----------
    log
        Only those that write to this log; default all.
    """
    with _guard:
        for process, own_log in _running.items():
            if process.poll() is not None or log not in (None, own_log):
                continue
            if sys.platform == "win32":
                process.kill()
            else:
                with suppress(ProcessLookupError):  # it has ended, or leads no group yet
                    os.killpg(process.pid, signal.SIGKILL)


def isolation_of(log: Path) -> Isolation:
    """Say how the last kernel that writes to a log was started."""
    with _guard:
        return _started.get(log, "cold")


def running_kernels() -> tuple[int, ...]:
    """List the process ids of kernels that run."""
    with _guard:
        return tuple(process.pid for process in _running if process.poll() is None)


def kernel_options(
    folder: Path, log: Path, *, isolation: Isolation = "cold", share: Path | None = None,
    privacy: Privacy = NAMED,
) -> dict[str, Any]:  # fmt: skip
    """Say to papermill which kernel to start; it speaks the language spoken here.

    Parameters
    ----------
    folder
        Private folder for the kernel's keys and sockets.
    log
        File for what the kernel writes to its console.
    isolation
        Where `warm`, `warm.start_server` should have been called; else only the first fork takes
        long.
    share
        Folder of what reports of a batch have in common; None: each finds all by itself.
    privacy
        What the kernel may tell of people.
    """
    settings = {
        "log_path": str(log),
        "connection_file": str(folder / "kernel.json"),
        "share": str(share or ""),
        "privacy": privacy.to_text(),
        "spoken": language(),
    }
    specs = {"is_warm": isolation == "warm" and can_fork()}
    sockets = str(folder / "s")
    if sys.platform != "win32" and len(os.fsencode(f"{sockets}-1")) <= _LONGEST_SOCKET:
        settings |= {"transport": "ipc", "ip": sockets}
    return {
        "kernel_name": KERNEL,
        "language": "python",  # a notebook need not say so
        "kernel_manager_class": ReportKernelManager,
        "shutdown_kernel": "immediate",  # asked politely, one in ten takes three seconds
        "config": Config(ReportKernelManager=settings, ReportKernelSpecs=specs),
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
