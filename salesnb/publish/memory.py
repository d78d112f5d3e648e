"""How many reports fit into the memory there is."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import psutil

FIRST_GUESS = 400_000_000
"""Bytes a report is taken to need before one has been seen."""

SPARE = 200_000_000
"""Bytes that are left to others."""

_CGROUP = Path("/sys/fs/cgroup")


class Memory:
    """Remembers what reports have needed, and says whether one more fits.

    A container's limit counts as the machine's memory.
    """

    def __init__(self) -> None:
        self.largest = 0

    def look(self, processes: Iterable[int]) -> list[int]:
        """Measure what kernels have for themselves (PSS) and remember the largest, in bytes."""
        sizes = [size for size in map(proportional_size, processes) if size]
        self.largest = max([self.largest, *sizes])
        return sizes

    def admits(self, processes: Iterable[int]) -> bool:
        """Whether one more report fits beside those that run, each grown to the largest seen."""
        sizes = self.look(processes)
        need = self.largest or FIRST_GUESS
        growth = sum(need - size for size in sizes)
        return available() - SPARE >= growth + need


def available() -> int:
    """Count the bytes that processes of this container can still take."""
    free: int = psutil.virtual_memory().available
    try:
        limit = int((_CGROUP / "memory.max").read_text())
        used = int((_CGROUP / "memory.current").read_text())
    except (OSError, ValueError):  # no container, or none with a limit
        return free
    return min(free, limit - used)


def proportional_size(process: int) -> int:
    """Measure a process and all below it: memory that is shared counts in part; 0 if it is gone.

    Where the system does not tell shares, all memory in use counts.
    """
    try:
        top = psutil.Process(process)
        return sum(_size(one) for one in (top, *top.children(recursive=True)))
    except psutil.Error:
        return 0


def _size(process: psutil.Process) -> int:
    try:
        full = process.memory_full_info()
        return int(getattr(full, "pss", full.uss))
    except psutil.AccessDenied:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0
