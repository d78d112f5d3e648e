"""All kinds of reports of a whole company whose texts attack, with names hidden: no file tells."""

import html
import re

import pytest
from hostile_texts import QUARTER, hostile_snapshot

from salesnb.measures.privacy import read_people
from salesnb.params import REPORTS, RunParams
from salesnb.publish.batch import run_batch
from salesnb.publish.plan import make_plan

pytestmark = [pytest.mark.slow, pytest.mark.bench]
_MARK = re.compile("‹[A-Z][0-9][A-Z][0-9]›")


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory):
    return hostile_snapshot(tmp_path_factory.mktemp("company"))


@pytest.mark.parametrize("privacy", ["pseudonyms", "team_only"])
def test_no_file_of_any_kind_of_report_tells_who_anybody_is(snapshot, tmp_path, privacy):
    params = RunParams(
        snapshot=str(snapshot.folder), quarter=QUARTER, reports=REPORTS, teams=("north",),
        out=tmp_path / "reports", privacy=privacy,
    )  # fmt: skip
    done = run_batch(make_plan(params), workers=2)
    assert [(item.job.slug, item.record.reason) for item in done.failed] == []
    people = read_people(snapshot)
    plain = {" ".join(name.split()[:2]) for name in people.names.values()}
    told = {one for one in people.ids if len(one) > 5} | plain | set(people.names.values())
    files = [path for path in done.portal.parent.rglob("*") if path.is_file()]
    assert len(files) > 3 * len(done.done)
    for path in files:
        text = html.unescape(path.read_text(encoding="utf-8")) + path.name
        assert (path.name, [one for one in told if one in text]) == (path.name, [])
        assert (path.name, _MARK.findall(text)) == (path.name, [])
    has_pseudonyms = "Rep " in (done.portal.parent / "company.html").read_text(encoding="utf-8")
    assert has_pseudonyms == (privacy == "pseudonyms")
