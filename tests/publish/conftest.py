import pytest
from tiny_batch import make_params, make_snapshot, write_notebooks

from salesnb.publish.plan import make_plan


@pytest.fixture(scope="session")
def tiny_company(tmp_path_factory):
    """Folder of a snapshot of four people."""
    return make_snapshot(tmp_path_factory.mktemp("tiny")).folder


@pytest.fixture
def plan_batch(tiny_company, tmp_path):
    """Return a function that writes notebooks with the cells given and plans their batch."""

    def plan(*, cells=None, snapshot=tiny_company, **changes):
        write_notebooks(tmp_path / "notebooks", **(cells or {}))
        return make_plan(make_params(snapshot, tmp_path, **changes))

    return plan
