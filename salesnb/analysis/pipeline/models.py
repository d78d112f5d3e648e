"""Chances of winning: a table by stage, a logistic model, and trees."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    OneHotEncoder,
    OrdinalEncoder,
    SplineTransformer,
    StandardScaler,
)

from salesnb.analysis.pipeline.frames import KEY, OUTCOME
from salesnb.measures.pictures import Feature

Chances = NDArray[np.float64]
Method = Literal["table", "logistic", "trees"]
MANY = 5_000
"""Opportunities from which trees are tried beside the logistic model."""

_FOLDS = 5
_RARE = 30
"""Pictures below which a value of a text is one of the rest."""
_PRIOR = 10.0
"""Pictures that a stage's own share must outweigh before it leaves that of all."""
_NEAREST = 1e-4


class Model(Protocol):
    """What gives chances for rows of features."""

    def chances(self, rows: pd.DataFrame) -> Chances:
        """Give the chance of each row, 0-1."""


@dataclass(frozen=True, eq=False)
class StageTable:
    """The share won of each stage, pulled to that of all: what is mostly done today."""

    shares: pd.Series[float]
    overall: float

    def chances(self, rows: pd.DataFrame) -> Chances:
        """Give each row the share of its stage."""
        found = rows["stage"].map(self.shares).astype(float).fillna(self.overall)
        return np.asarray(found.to_numpy(dtype=float))


@dataclass(frozen=True, eq=False)
class Fitted:
    """A fitted scikit-learn classifier and the columns it takes."""

    estimator: Pipeline | CalibratedClassifierCV
    columns: tuple[str, ...]

    def chances(self, rows: pd.DataFrame) -> Chances:
        """Give each row its chance."""
        if rows.empty:
            return np.zeros(0)
        found = self.estimator.predict_proba(rows[list(self.columns)])[:, 1]
        return np.asarray(np.clip(found, _NEAREST, 1 - _NEAREST), dtype=float)


def fit(method: Method, rows: pd.DataFrame, features: tuple[Feature, ...]) -> Model:
    """Fit a method to pictures with their outcome; the order of rows changes nothing.

    Notes
    -----
    The logistic model takes numbers by cubic splines and texts by dummies, with a little ridge.
    Trees are boosted and calibrated by a sigmoid on five folds; all pictures of one opportunity
    are in one fold.
    """
    rows = rows.sort_values([KEY, "day"], ignore_index=True)
    makers: dict[Method, Callable[[pd.DataFrame, tuple[Feature, ...]], Model]] = {
        "table": _fit_table, "logistic": _fit_logistic, "trees": _fit_trees,
    }  # fmt: skip
    return makers[method](rows, features)


def _fit_table(rows: pd.DataFrame, features: tuple[Feature, ...]) -> Model:  # noqa: ARG001
    overall = float(rows[OUTCOME].mean())
    sums = rows.groupby("stage")[OUTCOME].agg(["sum", "size"])
    shares = (sums["sum"] + _PRIOR * overall) / (sums["size"] + _PRIOR)
    return StageTable(shares.astype(float), overall)


def _split(features: tuple[Feature, ...]) -> tuple[list[str], list[str], list[str]]:
    return tuple(  # type: ignore[return-value]
        [feature.name for feature in features if feature.kind == kind]
        for kind in ("number", "flag", "text")
    )


def _fit_logistic(rows: pd.DataFrame, features: tuple[Feature, ...]) -> Model:
    numbers, flags, texts = _split(features)
    curves = make_pipeline(
        SimpleImputer(strategy="median", keep_empty_features=True),
        SplineTransformer(
            n_knots=5, knots="quantile", extrapolation="constant", include_bias=False
        ),
    )
    known = [name for name in numbers if rows[name].isna().any()]
    # fmt: off
    taken = ColumnTransformer(
        [
            ("numbers", curves, numbers),
            ("flags", SimpleImputer(strategy="most_frequent", keep_empty_features=True), flags),
            ("missing", MissingIndicator(features="all"), known),
            ("texts", OneHotEncoder(
                min_frequency=_RARE, handle_unknown="infrequent_if_exist"), texts),
        ],
        sparse_threshold=0,
    )
    # fmt: on
    model = make_pipeline(
        taken, StandardScaler(), LogisticRegression(C=0.1, solver="newton-cholesky", max_iter=200)
    )
    columns = (*numbers, *flags, *texts)
    return Fitted(model.fit(rows[list(columns)], rows[OUTCOME]), columns)


def _fit_trees(rows: pd.DataFrame, features: tuple[Feature, ...]) -> Model:
    numbers, flags, texts = _split(features)
    codes = OrdinalEncoder(
        min_frequency=_RARE,
        max_categories=60,
        handle_unknown="use_encoded_value",
        unknown_value=np.nan,
    )
    taken = ColumnTransformer([("texts", codes, texts), ("rest", "passthrough", numbers + flags)])
    trees = HistGradientBoostingClassifier(
        max_iter=100, learning_rate=0.08, max_leaf_nodes=15, min_samples_leaf=100,
        l2_regularization=5.0, max_bins=63, early_stopping=False,
        categorical_features=list(range(len(texts))), random_state=0,
    )  # fmt: skip
    columns = (*numbers, *flags, *texts)
    folds = GroupKFold(_FOLDS).split(rows, groups=rows[KEY])
    model = CalibratedClassifierCV(
        make_pipeline(taken, trees), method="sigmoid", cv=list(folds), ensemble=False
    )
    return Fitted(model.fit(rows[list(columns)], rows[OUTCOME]), columns)
