"""The benchmark's company, small: salesnb, SQL and pandas find the same, and see what differs."""

from pathlib import Path

import pandas as pd
import pytest

from salesnb.measures.compute import compute_measures
from salesnb.sources.load import import_snapshot

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
ROWS = 3000


@pytest.fixture
def company(monkeypatch, tmp_path):
    """Its export, its snapshot and salesnb's measures."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    from large_company import write_large_company

    write_large_company(tmp_path / "export", rows=ROWS)
    snapshot = import_snapshot(tmp_path / "export", to=tmp_path / "snapshot", strict=True)
    measures = compute_measures(snapshot)
    folder = tmp_path / "salesnb"
    folder.mkdir()
    for name in ("totals", "values"):
        getattr(measures, name).to_parquet(folder / f"{name}.parquet")
    return snapshot


def test_three_programs_find_the_same_and_one_changed_sum_is_seen(company, tmp_path):
    from measures_by_pandas import measure_by_pandas
    from measures_by_sql import measure_by_sql
    from measures_compared import find_differences, write_sums

    tables = {name: [str(p) for p in company.paths(name)] for name in company.index.tables}
    for program in (measure_by_sql, measure_by_pandas):
        folder = tmp_path / program.__name__
        folder.mkdir()
        write_sums(program(tables), folder)
        assert find_differences(tmp_path / "salesnb", folder) == []

    def differences(table, column, change):
        path = tmp_path / "measure_by_sql" / f"{table}.parquet"
        whole = pd.read_parquet(path)
        changed = whole.copy()
        changed.loc[0, column] += change
        changed.to_parquet(path)
        found = find_differences(tmp_path / "salesnb", tmp_path / "measure_by_sql")
        whole.to_parquet(path)
        return found

    n_rows = len(pd.read_parquet(tmp_path / "measure_by_sql" / "created.parquet"))
    assert differences("created", "n_created", 1) == [
        f"close_rate: denominator differs in 1 of {n_rows:,} rows"
    ]
    assert differences("activities", "n_calls", 1) != []
    assert differences("people", "quota", 0.01) != []
    assert [text.split(":")[0] for text in differences("values", "n", 1)] == ["values"]
    assert [text.split(":")[0] for text in differences("closed", "log_days", 1e-3)] == [
        "cycle_days"
    ]


def test_the_company_is_what_it_says_and_the_same_again(company, tmp_path):
    from large_company import write_large_company

    rows = {load.table: load.accepted for load in company.report.tables}
    assert [rows[table] for table in ("reps", "opportunities", "leads", "activities")] == [
        2000, ROWS, ROWS // 5, 4 * ROWS,
    ]  # fmt: skip
    deals = company.read("opportunities")
    assert deals["is_won"].mean() == pytest.approx(0.25, abs=0.03)
    assert (~deals["is_closed"]).mean() == pytest.approx(0.11, abs=0.03)
    write_large_company(tmp_path / "again", rows=ROWS)
    for path in (tmp_path / "export").iterdir():
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes()
