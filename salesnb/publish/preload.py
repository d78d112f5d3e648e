"""Imported by the fork server: loads what kernels will need, so that each is born with it.

`SALESNB_PRELOAD` lists what, separated by commas: a module, or `module:name` where the name is
loaded when it is first asked for. A module that cannot be imported is left to the notebook, whose
error then says why.
"""

from __future__ import annotations

import atexit
import builtins
import gc
import os
from contextlib import suppress
from importlib import import_module

PRELOAD = "SALESNB_PRELOAD"


class _Shell:
    """Stands in for the shell of a notebook: pandas asks at import whether it is in one."""

    kernel = None


def preload(names: str) -> None:
    """Import modules, as a notebook would see them imported."""
    vars(builtins)["get_ipython"] = _Shell
    try:
        for name in filter(None, names.split(",")):
            module, _, attribute = name.partition(":")
            with suppress(Exception):
                loaded = import_module(module)
                if attribute:
                    getattr(loaded, attribute)
    finally:
        del vars(builtins)["get_ipython"]
    gc.collect()
    gc.freeze()  # what is shared stays shared: a collection would write to its pages


def _leave_quietly(server: int) -> None:
    """End the server without the complaints of libraries about what was not released."""
    if os.getpid() == server:
        os._exit(0)


if PRELOAD in os.environ:
    atexit.register(_leave_quietly, os.getpid())
    preload(os.environ[PRELOAD])
