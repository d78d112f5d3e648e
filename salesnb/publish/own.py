"""Reports of your own: what a notebook that is not the package's gives, as it says itself."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import nbformat

from salesnb.publish.kinds import SETTINGS, Kind
from salesnb.publish.notebooks import parameter_defaults
from salesnb.views.blocks import slug

_UNITS: tuple[Literal["team", "programme"], ...] = ("team", "programme")


def own_kind(path: Path) -> Kind:
    """Find out what kind of report a notebook gives.

    It is called as its file is. There is one report a team (or training programme) where its
    parameters name one, and one of the company where they do not. It is told of a batch's settings
    those it has parameters for. One that cannot be read is left for `check_notebook` to refuse.
    """
    try:
        defaults = parameter_defaults(nbformat.read(path, as_version=4)) or {}
    except Exception:
        defaults = {}
    label = path.stem.replace("_", " ").replace("-", " ").capitalize()
    name, takes = slug(path.stem), SETTINGS & set(defaults)
    for unit in _UNITS:
        if defaults.get(unit):
            return Kind(label, slug=f"{name}-", each=unit, takes=takes)
    return Kind(label, slug=name, title=label, takes=takes)
