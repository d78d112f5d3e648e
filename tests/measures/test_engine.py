"""The engine that is always there: many files as one, odd paths, small frames."""

import pandas as pd
import pytest
from hostile_company import FACTS, hostile_snapshot, in_odd_folder, scatter

from salesnb.errors import ParameterError
from salesnb.measures.compute import compute_measures
from salesnb.measures.demand import DEMAND_FRAMES
from salesnb.measures.engine import DuckDBEngine, open_engine

FRAMES = ("totals", "values", "ratings")


def test_a_table_in_many_files_of_differing_columns_is_the_table(tmp_path):
    whole = hostile_snapshot(tmp_path)
    scattered = scatter(whole, tmp_path / "scattered")
    assert all(len(scattered.paths(table)) > 3 for table in FACTS)
    one, many = DuckDBEngine(whole), DuckDBEngine(scattered)
    for table in FACTS:
        key = list(whole.columns(table))
        a, b = (
            engine.collect(engine.table(table)).sort_values(key, ignore_index=True)
            for engine in (one, many)
        )
        assert list(a.columns) == key
        pd.testing.assert_frame_equal(a, b, check_exact=True)
    a, b = compute_measures(whole), compute_measures(scattered)
    for name in FRAMES:
        pd.testing.assert_frame_equal(getattr(a, name), getattr(b, name), rtol=1e-12)
    for name in DEMAND_FRAMES:
        one, other = getattr(a.demand, name), getattr(b.demand, name)
        pd.testing.assert_frame_equal(one, other, rtol=1e-12)


def test_a_folder_with_wildcards_in_its_name_is_that_folder(tmp_path):
    engine = DuckDBEngine(in_odd_folder(hostile_snapshot(tmp_path), tmp_path))
    assert len(engine.collect(engine.table("reps"))) == 5


def test_a_small_frame_keeps_what_is_missing_and_its_days(tmp_path, small_snapshot):
    engine = DuckDBEngine(small_snapshot())
    frame = pd.DataFrame(
        {"text": ["NaN", None], "never": [None, None], "number": [1.5, None],
         "day": pd.to_datetime(["2024-02-29", None])}
    )  # fmt: skip
    found = engine.collect(engine.local(frame))
    assert found.isna().to_numpy().tolist() == [[False, True, False, False], [True] * 4]
    assert found.loc[0, "text"] == "NaN"
    assert found.loc[0, "day"] == pd.Timestamp(2024, 2, 29)


def test_an_engine_there_is_not_is_refused(small_snapshot):
    with pytest.raises(ParameterError, match="'sprak' is unknown. Known: duckdb, spark"):
        open_engine(small_snapshot(), engine="sprak")
