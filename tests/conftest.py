"""What all tests share: data from outside, small snapshots, and a cache of their own."""

import os
from pathlib import Path

import pytest
from hypothesis import settings
from small_company import OPPORTUNITIES, REPS, import_tables

SHARED = Path(__file__).parents[2] / "shared" / "data"

settings.register_profile("salesnb", deadline=None, max_examples=20, derandomize=True)
settings.load_profile("salesnb")


@pytest.fixture(scope="session", autouse=True)
def _cache_of_their_own(tmp_path_factory):
    """Keep what tests compute out of the user's cache; `SALESNB_TEST_CACHE` names one to keep."""
    folder = os.environ.get("SALESNB_TEST_CACHE") or tmp_path_factory.mktemp("salesnb-cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SALESNB_CACHE", str(folder))
        yield


@pytest.fixture(scope="session")
def shared_data():
    """Folder of the public data sets beside the checkout."""
    if not SHARED.is_dir():
        pytest.skip(f"the public data sets are not there: {SHARED}")
    return SHARED


@pytest.fixture
def small_snapshot(tmp_path):
    """Return a function that writes tables (frames or CSV text) and imports them.

    It takes what `import_snapshot` takes, `company` as YAML and `mapping` as YAML. Two reps and
    three opportunities are there unless given.
    """

    def make(tables=None, **options):
        whole = {"reps": REPS, "opportunities": OPPORTUNITIES, **(tables or {})}
        present = {name: content for name, content in whole.items() if content is not None}
        return import_tables(tmp_path, present, **options)

    return make
