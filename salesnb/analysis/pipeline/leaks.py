"""Columns that know the end: found by what no honest column can do, named and left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from salesnb.analysis.pipeline.frames import KEY, OUTCOME, Known, thin
from salesnb.language import format_number, format_share, tr
from salesnb.measures.pictures import Feature

FoundBy = Literal["alone", "better", "filled"]
TOO_GOOD = 0.95
"""Area under the curve from which one column alone is not believed."""

_SUSPECT, _AHEAD = 0.85, 0.08
"""An area this large that is so far ahead of every column of the day itself is not believed."""

_FILLED_LATER = 0.5
"""Difference in filled shares, ended beside open ones, that only filling after the end makes."""
_FEWEST = 30
_ROWS = 20_000


@dataclass(frozen=True)
class Leak:
    """A column left out: its `feature`, `auc` alone, shares filled, and by what it was found.

    It tells winners `alone`, or far `better` than the best column known to be of the day itself,
    whose area is `best_auc`; or it is `filled` once an opportunity has ended.
    """

    feature: Feature
    auc: float
    filled_ended: float
    filled_open: float
    found_by: FoundBy
    best_auc: float

    @property
    def reason(self) -> str:
        """Say in words why it is left out."""
        area = format_number(self.auc, 2, group=False)
        if self.found_by == "alone":
            return tr("tells what was won almost without error by itself (AUC {area})", area=area)
        if self.found_by == "better":
            return tr(
                "tells what was won far better (AUC {area}) than anything known on the day itself "
                "(at most {best})",
                area=area,
                best=format_number(self.best_auc, 2, group=False),
            )
        return tr(
            "is filled for {ended} of ended opportunities and {now} of open ones",
            ended=format_share(self.filled_ended),
            now=format_share(self.filled_open),
        )


def find_leaks(known: Known, rows: pd.DataFrame) -> tuple[Leak, ...]:
    """Look at every column alone, with the outcome of past pictures beside it.

    A column leaks when it tells winners nearly without error, or far better than what is known to
    be of the day itself; or when it is filled for ended opportunities and empty for open ones.

    Parameters
    ----------
    known
        Features, open opportunities.
    rows
        Past pictures with their outcome.
    """
    rows = thin(rows, _ROWS)
    areas = {feature.name: area_alone(rows, feature) for feature in known.features}
    honest = [areas[feature.name] for feature in known.features if not feature.is_of_today]
    best = max(honest, default=0.5)
    ended = rows[rows["closed_on"].notna()].groupby(KEY).tail(1)
    found = []
    for feature in known.features:
        shares = [_filled(part, feature) for part in (ended, known.open)]
        area = areas[feature.name]
        found_by = _judge(feature, area, best, shares[0], shares[1])
        if found_by:
            found.append(Leak(feature, area, shares[0], shares[1], found_by, best))
    return tuple(found)


def _judge(feature: Feature, area: float, best: float, ended: float, now: float) -> FoundBy | None:
    if area >= TOO_GOOD:
        return "alone"
    if feature.is_of_today and area >= _SUSPECT and area >= best + _AHEAD:
        return "better"
    if feature.is_of_today and ended - now >= _FILLED_LATER:
        return "filled"
    return None


def _is_filled(rows: pd.DataFrame, feature: Feature) -> pd.Series[bool]:
    values = rows[feature.name]
    return values != "" if feature.kind == "text" else values.notna()


def _filled(rows: pd.DataFrame, feature: Feature) -> float:
    return float(_is_filled(rows, feature).mean()) if len(rows) >= _FEWEST else float("nan")


def area_alone(rows: pd.DataFrame, feature: Feature) -> float:
    """Say how well a column alone parts what was won from the rest: .5 not at all, 1 perfectly.

    A number is taken in either direction and by whether it is there; a text by the share won of
    the same value among other opportunities.
    """
    y = rows[OUTCOME].to_numpy()
    if min(y.sum(), len(y) - y.sum()) < _FEWEST:
        return 0.5
    filled = _is_filled(rows, feature).to_numpy()
    areas = [_area(y, filled.astype(float))]
    if feature.kind == "text":
        areas.append(_area(y, _shares_elsewhere(rows, feature)))
    elif filled.any():
        areas.append(_area(y[filled], rows[feature.name].to_numpy(dtype=float)[filled]))
    return max(areas)


def _area(y: np.ndarray, x: np.ndarray) -> float:
    if min(y.sum(), len(y) - y.sum()) < _FEWEST:
        return 0.5
    area = float(roc_auc_score(y, x))
    return max(area, 1 - area)


def _shares_elsewhere(rows: pd.DataFrame, feature: Feature) -> np.ndarray:
    """Give each row the share won of its value in the other half of the opportunities."""
    half = pd.util.hash_array(rows[KEY].to_numpy(dtype=object)) % 2 == 0
    y, values = rows[OUTCOME], rows[feature.name]
    out = np.full(len(rows), float(y.mean()))
    for own in (half, ~half):
        sums = y[~own].groupby(values[~own]).agg(["sum", "size"])
        share = (sums["sum"] + y.mean()) / (sums["size"] + 1.0)
        out[own] = values[own].map(share).fillna(y.mean()).to_numpy(dtype=float)
    return out
