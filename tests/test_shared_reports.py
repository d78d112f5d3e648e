"""Real exports of CRMs, whatever tables they have: imported with their preset and reported."""

import pytest

from salesnb.measures.cache import load_measures
from salesnb.params import RunParams
from salesnb.publish.batch import run_batch
from salesnb.publish.plan import make_plan
from salesnb.sources.load import import_snapshot


@pytest.mark.slow
@pytest.mark.parametrize(
    ("folder", "preset"),
    [
        ("salesforce_datacloud_demo", "salesforce"),
        pytest.param("salesforce_schema", "salesforce", marks=pytest.mark.bench),
        pytest.param("hubspot_schema", "hubspot", marks=pytest.mark.bench),
    ],
)
def test_every_export_gives_reports(shared_data, tmp_path, folder, preset):
    to = tmp_path / "snapshot"
    snapshot = import_snapshot(shared_data / folder, to=to, preset=preset)
    assert snapshot.report.check()
    quarter = load_measures(to).periods[-1]
    plan = make_plan(RunParams(snapshot=str(to), quarter=quarter, out=tmp_path / "reports"))
    kinds = {job.kind for job in plan.jobs}
    assert {"Company review", "Data quality"} <= kinds
    result = run_batch(plan, workers=2)
    assert [(item.job.slug, item.record.reason) for item in result.failed] == []
    for job in plan.jobs:
        page = (plan.folder / f"{job.slug}.html").read_text(encoding="utf-8")
        assert "incomplete" not in page.split("<body", 1)[1].split("</header>", 1)[0].lower()
    assert result.portal.is_file()
