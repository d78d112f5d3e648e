"""Refuse arguments that cannot be estimated from, all problems in one message."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from salesnb.analysis.rates.evidence import FloatArray
from salesnb.errors import ParameterError, join_problems, quote_examples

Columns = dict[str, FloatArray]


def read_columns(function: str, columns: dict[str, ArrayLike]) -> Columns:
    """Turn arguments into equally long float vectors.

    Parameters
    ----------
    function : name of the public function, for the message.
    columns : argument name to values; missing values may be None, NaN or pandas.NA.

    Returns
    -------
    dict of (R,) float64 arrays; missing values are NaN and still to be refused.

    Raises
    ------
    ParameterError
        When an argument is not numeric, not one-dimensional, or lengths differ.
    """
    arrays: Columns = {}
    problems = []
    for name, values in columns.items():
        try:
            arrays[name] = _to_floats(values)
        except (TypeError, ValueError):
            problems.append(f"{name!r} is not numeric; expected one number per unit. Convert it.")
            continue
        if arrays[name].ndim != 1:
            problems.append(
                f"{name!r} has {arrays[name].ndim} dimensions; expected one value per unit. "
                "Pass a single column."
            )
    lengths = {name: array.size for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        described = ", ".join(f"{name!r} has {size:,}" for name, size in lengths.items())
        problems.append(f"lengths differ: {described}; expected one value per unit in each. Align.")
    refuse(function, problems)
    return arrays


def _to_floats(values: ArrayLike) -> FloatArray:
    if isinstance(values, pd.Series | pd.Index):
        values = values.to_numpy(dtype=object, na_value=np.nan)
    array = np.asarray(values)
    if array.dtype.kind not in "biufO" or any(isinstance(value, str) for value in array.flat):
        raise TypeError(array.dtype)
    return array.astype(np.float64)


def find_bad(
    name: str, values: FloatArray, is_bad: NDArray[np.bool_], what: str, action: str
) -> list[str]:
    """Describe the bad values of one argument: none gives an empty list, else one sentence."""
    if not is_bad.any():
        return []
    examples = quote_examples(f"{values[row]:g} in row {row}" for row in np.flatnonzero(is_bad))
    return [f"{name!r} has {int(is_bad.sum()):,} {what} (e.g. {examples}). {action}"]


def find_not_finite(columns: Columns) -> list[str]:
    """Describe missing and infinite values of every argument."""
    return [
        problem
        for name, values in columns.items()
        for problem in find_bad(
            name,
            values,
            ~np.isfinite(values),
            "missing or infinite values; expected finite numbers",
            "Drop these units or give them 0 evidence.",
        )
    ]


def find_not_counts(name: str, values: FloatArray) -> list[str]:
    """Describe values that are not whole numbers of at least 0."""
    finite = np.isfinite(values)
    is_bad = finite & ((values < 0) | (values != np.round(values)))
    expected = "values that are no counts; expected whole numbers >= 0"
    return find_bad(name, values, is_bad, expected, "Pass counts, not shares or weighted sums.")


def refuse(function: str, problems: list[str]) -> None:
    """Raise one ParameterError with all problems; none passes.

    Raises
    ------
    ParameterError
        When there is at least one problem.
    """
    if len(problems) == 1:
        raise ParameterError(f"{function}: {problems[0]}")
    if problems:
        raise ParameterError(join_problems(problems, heading=f"{function}: bad arguments"))


def read_labels(function: str, labels: ArrayLike | None, n_units: int) -> NDArray[np.object_]:
    """Return (R,) labels, 0..R-1 when None; every unit needs its own.

    Raises
    ------
    ParameterError
        When the number of labels is not R or a label repeats.
    """
    found = np.empty(n_units, dtype=object)
    given = list(range(n_units)) if labels is None else list(np.asarray(labels, dtype=object))
    if len(given) != n_units:
        refuse(function, [f"'labels' has {len(given):,} values; expected {n_units:,}. Align."])
    found[:] = given
    repeated = [label for label, times in Counter(given).items() if times > 1]
    if repeated:
        examples = quote_examples(repeated)
        refuse(
            function,
            [
                f"'labels' has {len(repeated):,} repeated values (e.g. {examples}); expected one "
                "row per unit. Add up a unit's rows first, or label by id instead of name."
            ],
        )
    return found
