"""What batches of each privacy leave behind, with notebooks that show all they can get."""

import os
import re
import stat

import pytest
from small_company import import_tables
from tiny_batch import make_params, write_notebooks

from salesnb.language import speaking, tr
from salesnb.measures.privacy import read_people
from salesnb.params import PurposeParams
from salesnb.publish.batch import run_batch
from salesnb.publish.plan import make_plan
from salesnb.publish.tell import describe

posix = pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")
TEAMS = {"North": 7, "South": 6, "Max Muster": 3}
NAMES = {f"005-{team[0]}-{n:05}": f"Given{team[0]}{n} Family{n}{team[0]}"
         for team, size in TEAMS.items() for n in range(size)}  # fmt: skip
SHOW = """import salesnb as sn
measures = sn.load_measures(snapshot)
scores = sn.load_pipeline_scores(snapshot)
frames = [measures.people, measures.memberships, measures.feedback, measures.teams, scores.open]
text = ' | '.join(frame.astype(object).to_csv() for frame in frames)
"""
LOUD = """import os, sys
os.write(2, text.encode())
print(text, file=sys.stderr)
sn.views.headlines(sn.find_insights())
"""
ALL_TEXTS = ("# Q?", SHOW, LOUD, "text", "raise ValueError(text[:200])")


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    reps = "".join(f"{one},{name}\n" for one, name in NAMES.items())
    team_of = {one: next(team for team in TEAMS if team[0] == one[4]) for one in NAMES}
    members = "".join(
        f"{one},{team},boss@acme.example,2024-01-01\n" for one, team in team_of.items()
    )
    deals = "".join(
        f"o{n}-{number},{one},2026-01-05,{('2026-05-01', '2026-02-01', '')[n]},"
        f"{'true' if n == 0 else 'false'},{'false' if n == 2 else 'true'},{100 + n}\n"
        for number, one in enumerate(NAMES)
        for n in range(3)
    )
    some = next(iter(NAMES))
    tables = {
        "reps": f"rep_id,name\n{reps}",
        "teams": "team_id,name\nNorth,North\nSouth,South\nMax Muster,Team of Max Muster\n",
        "memberships": f"rep_id,team_id,manager_id,valid_from\n{members}",
        "opportunities":
            f"opportunity_id,rep_id,created_on,closed_on,is_won,is_closed,amount\n{deals}",
        "feedback": "feedback_id,rep_id,author_id,given_on,comment\n"
            f"f1,{some},Max Muster,2026-05-05,{NAMES[some]} did well\n",
    }  # fmt: skip
    return import_tables(tmp_path_factory.mktemp("told"), tables).folder


def run(company, home, privacy, *, cells=ALL_TEXTS, **changes):
    kinds = ("team_review", "company_review")
    write_notebooks(home / "notebooks", **dict.fromkeys(kinds, cells))
    params = make_params(company, home, reports=kinds, privacy=privacy, **changes)
    return run_batch(make_plan(params), workers=2, isolation="warm")


def told(folder):
    """Read all files that a batch left."""
    files = [path for path in folder.parent.rglob("*") if path.is_file() and path.name != ".lock"]
    assert len(files) > 8
    text = " ".join(path.read_text(encoding="utf-8") for path in files)
    return f"{text} {' '.join(path.name for path in files)}"


in_any_language = pytest.mark.parametrize("code", ["en", "de"])
SECRETS = (*NAMES, *NAMES.values(), "Max", "Muster", "boss@acme.example")


@in_any_language
def test_under_pseudonyms_no_file_names_anybody(company, tmp_path, code):
    done = run(company, tmp_path, "pseudonyms", language=code)
    text = told(done.portal.parent)
    assert [secret for secret in SECRETS if secret in text] == []
    people = set(re.findall(r"Rep [A-Z]\d[A-Z]\d", text))
    assert len(people) == len(NAMES)
    assert "team-of-person-" in text
    assert "Max" not in " ".join(describe(item) for item in done.done)


@in_any_language
def test_of_teams_only_no_file_tells_of_anybody(company, tmp_path, code):
    """The notebooks show whom they can: their pages are not written, and say why."""
    done = run(company, tmp_path, "team_only", cells=("# Q?", SHOW, "text"), language=code)
    text = told(done.portal.parent)
    assert [secret for secret in SECRETS if secret in text] == []
    assert re.findall("‹....›", text) == []
    assert {item.record.status for item in done.done} == {"failed"}
    with speaking(code):
        why = tr("it tells of a single person, which privacy: team_only does not allow")
        reason = tr("it was not safe to be shown: {why}", why=why)
    assert {item.record.reason for item in done.done} == {reason}


@in_any_language
def test_of_teams_only_parts_about_people_are_dropped(company, tmp_path, code):
    cells = ("# Q?", ("needs:persons", "# People\n"), ("needs:persons", "1 / 0"), SHOW, "'fine'")
    done = run(company, tmp_path, "team_only", cells=cells, language=code)
    made = {item.job.slug: item.record.reason for item in done.done}
    assert made == {"north": "", "company": ""}
    assert "<b>People</b>" in (done.portal.parent / "north.html").read_text(encoding="utf-8")


def test_of_teams_only_small_teams_have_no_report_and_the_page_says_what_is_dropped(
    company, tmp_path
):
    cells = ("# Q?", ("needs:persons", "# People\n"), ("needs:persons", "1 / 0"), SHOW, "'fine'")
    done = run(company, tmp_path, "team_only", cells=cells)
    page = (done.portal.parent / "north.html").read_text(encoding="utf-8")
    assert "People</b> needs people to be told of, which privacy: team_only does not" in page
    assert "This report tells of teams only." in page
    portal = done.portal.read_text(encoding="utf-8")
    assert "are fewer than 5 people, or would tell of a team that is" in portal
    assert re.search(r"is not made for Team of Person \w{4}, South: they", portal)


def test_named_reports_name_people_but_logs_and_records_do_not(company, tmp_path):
    done = run(company, tmp_path, "named")
    folder = done.portal.parent
    assert NAMES["005-N-00000"] in (folder / "north.ipynb").read_text(encoding="utf-8")
    recorded = ("manifest.json", "manifest.jsonl", "index.html", *(f"logs/{item.job.slug}.log"
                for item in done.done))  # fmt: skip
    text = " ".join((folder / name).read_text(encoding="utf-8") for name in recorded)
    lines = " ".join(describe(item) for item in done.done)
    assert "rep_id" in text  # the log is there, and what was raised
    assert [name for name in SECRETS[:-3] if name in text + lines] == []
    assert "boss@acme.example" not in text + lines


def test_a_finding_that_names_somebody_is_not_the_portals(company, tmp_path):
    block = (
        "from salesnb.views.blocks import Headline, Headlines\n"
        "Headlines((Headline('GivenN0 FamilyN won', '', 'strong'),\n"
        f"           Headline('{NAMES['005-N-00000']} won most', '', 'strong'),\n"
        "           Headline('North [2] won', '', 'moderate')))"
    )
    turned = block.replace("Headline('GivenN0 FamilyN won', '', 'strong'),\n", "")
    done = run(company, tmp_path, "named", cells=("# Q?", turned), teams=("North",))
    records = {item.job.slug: item.record for item in done.done}
    assert {(r.headline, r.evidence) for r in records.values()} == {("North [2] won", "moderate")}
    assert NAMES["005-N-00000"] in (done.portal.parent / "north.html").read_text(encoding="utf-8")


def test_another_privacy_makes_all_anew_and_leaves_nothing_of_the_other(company, tmp_path):
    cells = ("# Q?", SHOW, "text")
    first = run(company, tmp_path, "named", cells=cells)
    again = run(company, tmp_path, "named", cells=cells)
    assert not any(item.is_new for item in again.done)
    hidden = run(company, tmp_path, "pseudonyms", cells=cells, teams=("North",))
    assert all(item.is_new for item in hidden.done)
    folder = hidden.portal.parent
    assert folder == first.portal.parent
    assert not (folder / "south.html").exists()
    text = told(folder)
    assert [secret for secret in SECRETS if secret in text] == []
    assert not any(item.is_new for item in run(company, tmp_path, "pseudonyms", cells=cells,
                                               teams=("North",)).done)  # fmt: skip


def test_pseudonyms_are_those_of_the_quarter_in_all_reports(company, tmp_path):
    cells = ("# Q?", SHOW, "', '.join(sorted(measures.people.name))")
    shown = {}
    for quarter in ("2026Q1", "2026Q2"):
        done = run(company, tmp_path, "pseudonyms", cells=cells, quarter=quarter, teams=("North",))
        texts = [
            re.findall(r"Rep [A-Z]\d[A-Z]\d", path.read_text(encoding="utf-8"))
            for path in done.portal.parent.glob("[cn]*.html")
        ]
        assert len(texts) == 2
        assert texts[0] == texts[1]
        shown[quarter] = set(texts[0])
    assert len(shown["2026Q2"]) == len(NAMES)
    assert len(shown["2026Q1"] & shown["2026Q2"]) <= 1


def test_the_privacy_and_the_purpose_are_on_the_page(company, tmp_path):
    purpose = PurposeParams(use="For <b>talks</b>.", readers="For managers.")
    done = run(company, tmp_path, "pseudonyms", cells=("# Q?", "1"), purpose=purpose)
    page = (done.portal.parent / "north.html").read_text(encoding="utf-8")
    assert "<dt>Privacy</dt><dd>pseudonyms, others each quarter" in page
    assert (
        "For &lt;b&gt;talks&lt;/b&gt;. For managers. No figure here is by itself a verdict" in page
    )
    assert "People go by pseudonyms" in page
    assert 'name="robots" content="noindex' in page
    changed = purpose.model_copy(update={"readers": "For coaches."})
    again = run(company, tmp_path, "pseudonyms", cells=("# Q?", "1"), purpose=changed)
    assert all(item.is_new for item in again.done)


@posix
def test_only_the_owner_reads_what_a_batch_leaves(company, tmp_path):
    before = os.umask(0)
    try:
        done = run(company, tmp_path, "pseudonyms", cells=("# Q?", "1"), teams=("North",))
    finally:
        os.umask(before)
    for path in [done.portal.parent.parent, *done.portal.parent.parent.rglob("*")]:
        wanted = 0o700 if path.is_dir() else 0o600
        assert (path.name, stat.S_IMODE(path.stat().st_mode)) == (path.name, wanted)


def test_no_key_and_no_path_is_in_what_a_batch_leaves(company, tmp_path):
    cells = ("# Q?", "import os\nos.environ['SALESNB_PRIVACY'][:10]")
    done = run(company, tmp_path, "pseudonyms", cells=cells, teams=("North",))
    plan = make_plan(make_params(company, tmp_path, privacy="pseudonyms"))
    text = told(done.portal.parent)
    assert plan.privacy.key
    assert plan.privacy.key not in text
    assert plan.privacy.key not in repr(plan)


def test_everybody_is_known_to_the_check_of_pages(company):
    from salesnb.sources.snapshot import open_snapshot

    people = read_people(open_snapshot(company))
    assert set(people.ids) == {*NAMES, "Max Muster", "boss@acme.example"}


def test_a_team_called_by_its_leader_is_found_by_that_name(company, tmp_path):
    done = run(company, tmp_path, "pseudonyms", cells=("# Q?", "1"), teams=("Team of Max Muster",))
    assert [item.record.status for item in done.done] == ["complete"] * 2
    assert "Max" not in told(done.portal.parent)


def test_a_page_that_is_not_safe_is_published_without_its_outputs(company, tmp_path):
    cells = ("# Q?", "'postgresql://ann:hunter2@db/crm'")
    done = run(company, tmp_path, "named", cells=cells, teams=("North",))
    assert {item.record.reason for item in done.done} == {
        "it was not safe to be shown: it shows what looks like an address with a password"
    }
    for slug in ("north", "company"):
        page = (done.portal.parent / f"{slug}.html").read_text(encoding="utf-8")
        assert "hunter2" not in page
        assert "This report is incomplete" in page
