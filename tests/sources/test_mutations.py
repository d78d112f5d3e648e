"""Whatever an export has been through, its import reconciles or says why not.

`benchmarks/import_mutations.py` tries 300; here are the first of them, and some that are larger.
"""

import sys

import pytest
from mutations import is_hungry, try_many

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs fork and /proc")


def test_spoiled_exports_are_imported_whole_or_refused_in_words(tmp_path):
    outcomes = try_many(tmp_path, range(60), rows=300)
    assert [outcome for outcome in outcomes if outcome.problem] == []
    assert [outcome for outcome in outcomes if is_hungry(outcome)] == []
    # both ends are met: the mutants are neither all harmless nor all hopeless
    assert 15 < sum(outcome.is_imported for outcome in outcomes) < 55


def test_memory_stays_within_bounds_for_larger_files(tmp_path):
    outcomes = try_many(tmp_path, range(1000, 1006), rows=30_000)
    assert [outcome for outcome in outcomes if outcome.problem or is_hungry(outcome)] == []
