import json
import shutil
import subprocess

import nbformat
import pytest
from tiny_batch import PARAMETERS, TEAMS, make_params, make_snapshot, write_notebook

from salesnb.errors import DataError, ParameterError
from salesnb.params import REPORTS
from salesnb.privacy import NAMED
from salesnb.publish import plan as plans
from salesnb.publish.plan import make_plan, parameter_names


@pytest.fixture(autouse=True)
def _no_process_is_started(monkeypatch):
    def refuse(*args, **_):
        raise AssertionError(f"a process was started: {args}")

    monkeypatch.setattr(subprocess, "Popen", refuse)


def slugs(plan):
    return [job.slug for job in plan.jobs]


def test_all_teams_with_members_and_one_of_each_other_report(plan_batch):
    plan = plan_batch()
    assert slugs(plan) == ["north", "r-d-red-x-red", "company", "process", "data-quality"]
    assert [job.title for job in plan.jobs][1] == "R&D [red]x[/red]"
    assert [job.kind for job in plan.jobs] == ["Team review"] * 2 + [
        "Company review",
        "Sales process",
        "Data quality",
    ]


def test_open_opportunities_have_a_report_each_team_beside_its_review(plan_batch):
    plan = plan_batch(reports=REPORTS)
    assert slugs(plan) == [
        "north", "r-d-red-x-red", "company", "pipeline-north", "pipeline-r-d-red-x-red",
        "process", "data-quality",
    ]  # fmt: skip
    assert [job.kind for job in plan.jobs][3:5] == ["Open opportunities"] * 2
    assert plan.jobs[3].parameters == {
        "snapshot": plan.jobs[0].parameters["snapshot"], "quarter": "2026Q2", "team": "t1",
    }  # fmt: skip


def test_a_team_is_found_by_name_or_id_and_reported_once(plan_batch):
    plan = plan_batch(teams=("t2", "North", "t1"), reports=("team_review", "team_review"))
    assert slugs(plan) == ["r-d-red-x-red", "north"]


def test_parameters_are_texts_with_a_whole_path(plan_batch, tiny_company):
    parameters = plan_batch(teams=("North",)).jobs[0].parameters
    assert parameters == {
        "snapshot": str(tiny_company.resolve()),
        "quarter": "2026Q2",
        "team": "t1",
        "budget": None,
        "hours": None,
    }


def test_as_of_is_passed_on_and_limits_the_measures(plan_batch):
    plan = plan_batch(as_of="2026-05-01", teams=("t1",))
    assert [job.parameters["as_of"] for job in plan.jobs] == ["2026-05-01"] * 4
    assert plan.measures.as_of.isoformat() == "2026-05-01"


def test_the_fingerprint_follows_all_a_report_depends_on(plan_batch, tmp_path, monkeypatch):
    def prints(**changes):
        return [job.fingerprint for job in plan_batch(teams=("t1",), **changes).jobs]

    first = prints()
    assert prints(title="Other", out=tmp_path / "elsewhere") == first
    assert set(prints(quarter="2026Q1")).isdisjoint(first)
    assert set(prints(as_of="2026-05-01")).isdisjoint(first)
    changed = prints(cells={"team_review": ("# Another question?", "1")})
    assert [a == b for a, b in zip(changed, first, strict=True)] == [False, True, True, True]
    richer = make_snapshot(tmp_path, teams=(*TEAMS, ("t8", "More"))).folder
    assert set(prints(snapshot=richer)).isdisjoint(first)
    with monkeypatch.context() as patch:
        patch.setattr(plans, "code_fingerprint", lambda: "other code")
        assert set(prints()).isdisjoint(first)
    monkeypatch.setattr(plans, "library_versions", lambda: {"pandas": "99"})
    assert set(prints()).isdisjoint(first)


def test_the_engine_is_passed_on_and_spark_has_ended_before_the_reports(plan_batch, monkeypatch):
    calls, load = [], plans.load_measures

    def note(snapshot, *, as_of, **where):
        calls.append(where)
        return load(snapshot, as_of=as_of)

    monkeypatch.setattr(plans, "load_measures", note)
    monkeypatch.setattr(plans, "stop_session", lambda: calls.append("ended"))
    on_spark = plan_batch(engine="spark", spark_master="spark://there:7077")
    assert calls == [
        {"engine": "spark", "spark_master": "spark://there:7077", "catalogue": "",
         "privacy": NAMED},
        "ended",
    ]  # fmt: skip
    on_duckdb = plan_batch()
    where = {"engine": "duckdb", "spark_master": "", "catalogue": "", "privacy": NAMED}
    assert calls[2:] == [where, "ended"]
    assert on_spark.jobs == on_duckdb.jobs


def test_kpis_weights_and_targets_reach_the_notebooks_that_take_them(
    plan_batch, tiny_company, tmp_path
):
    asked = {
        "kpis": ("win_rate", "deal_size"), "weights": {"win_rate": 2.0},
        "kpi_targets": {"win_rate": 0.25},
    }  # fmt: skip
    with pytest.raises(ParameterError, match="takes no parameter 'kpi_targets', 'kpis', 'weights'"):
        plan_batch(**asked)
    names = f'{PARAMETERS}\nkpis = weights = kpi_targets = ""'
    for name in ("team_review", "company_review", "sales_process", "data_quality"):
        write_notebook(tmp_path / "notebooks" / f"{name}.ipynb", "# ?", "1", parameters=names)
    plan = make_plan(make_params(tiny_company, tmp_path, **asked))
    told = {job.kind: job.parameters for job in plan.jobs}
    expected = {
        "kpis": "win_rate, deal_size", "weights": "win_rate=2.0", "kpi_targets": "win_rate=0.25",
    }  # fmt: skip
    assert expected.items() <= told["Company review"].items()
    assert expected.items() <= told["Team review"].items()
    assert expected.keys().isdisjoint(told["Data quality"])


def test_external_figures_reach_the_notebooks_by_their_path_and_count_for_the_fingerprint(
    tiny_company, tmp_path, monkeypatch
):
    path = tmp_path / "mine.yaml"
    monkeypatch.chdir(tmp_path)
    for name in ("team_review", "company_review", "sales_process", "data_quality"):
        text = f'{PARAMETERS}\nbenchmarks = ""'
        write_notebook(tmp_path / "notebooks" / f"{name}.ipynb", "# ?", "1", parameters=text)

    def jobs(value):
        entry = f"{{kpi: win_rate, value: {value}, source: A study, dated: 2026-01-31}}"
        path.write_text(f"benchmarks: [{entry}]", encoding="utf-8")
        plan = make_plan(make_params(tiny_company, tmp_path, benchmarks=path.name))
        return {job.kind: job for job in plan.jobs}

    before, after = jobs(0.2), jobs(0.3)
    for kind in ("Company review", "Team review"):
        assert before[kind].parameters["benchmarks"] == str(path)
        assert before[kind].fingerprint != after[kind].fingerprint
    assert before["Data quality"] == after["Data quality"]
    assert "benchmarks" not in before["Data quality"].parameters
    with pytest.raises(ParameterError, match=r"mine.yaml: 1 problem.*\n.*entry 1 \(win_rate\)"):
        jobs("many")


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"kpis": ("win_rate", "win")}, "kpi: 'win' is unknown. Known: "),
        ({"kpis": ("leads",)}, "kpi: leads needs leads; the snapshot has none"),
        ({"weights": {"deal": 1.0}}, "kpi: 'deal' is unknown"),
        ({"kpi_targets": {"size": 1.0}}, "kpi: 'size' is unknown"),
        ({"catalogue": "nowhere.py"}, "catalogue: nowhere.py: there is no such file"),
        ({"benchmarks": "nowhere.yaml"}, "benchmarks: nowhere.yaml: there is no such file"),
        ({"quarter": "2031Q1"}, "quarter: no data for '2031Q1'; they cover 2026Q1 to 2026Q2"),
        ({"teams": ("Nrth",)}, "team: 'Nrth' is unknown. Known: 'Nobody', 'North'"),
        ({"teams": ("t7",)}, "team: 't7' is unknown"),
        ({"teams": ("Nobody",)}, "team: 'Nobody' has no members in 2026Q2"),
        ({"as_of": "2031-01-01"}, "as_of"),
    ],
)
def test_what_the_data_do_not_have_is_refused(plan_batch, changes, match):
    with pytest.raises(ParameterError, match=match):
        plan_batch(**changes)


RATINGS = "form_id,skill,rep_id,rater_id,score,rated_on\nf1,discovery,r1,m1,3,2026-05-01\n"
COURSES = "course_id,name,skill\nc1,Asking,discovery\n"
TRAININGS = """rep_id,course_id,assigned_on,cohort
r1,c1,2026-05-04,=Spring <b>
r2,c1,2026-02-03,
r3,c1,2026-07-06,Autumn
r4,c1,,Never
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Folder of a snapshot with ratings, and programmes of two quarters and one to come."""
    folder = tmp_path_factory.mktemp("trained")
    rows = (
        "opportunity_id,rep_id,created_on,closed_on,is_won,is_closed,amount\n"
        "o1,r1,2026-01-05,2026-02-01,true,true,100\no2,r2,2026-01-06,2026-08-02,true,true,200\n"
    )
    tables = {"ratings": RATINGS, "courses": COURSES, "trainings": TRAININGS}
    return make_snapshot(folder, opportunities=rows, **tables).folder


SKILLS = ("skill_segments", "training_impact")


def test_a_report_whose_table_is_not_there_is_left_out_with_the_reason(plan_batch, tmp_path):
    (tmp_path / "notebooks").mkdir()
    plan = plan_batch()
    assert {"skills"}.isdisjoint(slugs(plan))
    assert plan.left_out == (
        ("Marketing and sales", "needs leads; the snapshot has none"),
        ("Skill segments", "needs ratings; the snapshot has none"),
        ("Training impact", "needs trainings; the snapshot has none"),
    )
    with pytest.raises(ParameterError, match="nothing to make: Skill segments needs ratings; the"):
        plan_batch(reports=("skill_segments",))


def test_programmes_that_had_begun_have_a_report_each_oldest_first(plan_batch, trained):
    plan = plan_batch(snapshot=trained, reports=SKILLS)
    assert plan.left_out == ()
    assert [(job.slug, job.kind, job.title, job.team) for job in plan.jobs] == [
        ("skills", "Skill segments", "Skills and training plan", ""),
        ("training-asking-c1-2026q1", "Training impact", "Asking (c1 2026Q1)", ""),
        ("training-asking-spring-b", "Training impact", "Asking (=Spring <b>)", ""),
    ]
    assert [job.parameters.get("programme") for job in plan.jobs] == [
        None, "c1 2026Q1", "=Spring <b>",
    ]  # fmt: skip
    later = plan_batch(snapshot=trained, reports=SKILLS, quarter="2026Q3")
    assert slugs(later)[-1] == "training-asking-autumn"


def test_a_cohort_of_two_courses_is_two_programmes(plan_batch, tmp_path):
    rows = "rep_id,course_id,assigned_on,cohort\nr1,c1,2026-05-04,Spring\nr2,c2,2026-05-04,Spring\n"
    both = f"{COURSES}c2,Closing,discovery\n"
    snapshot = make_snapshot(tmp_path, courses=both, trainings=rows).folder
    plan = plan_batch(snapshot=snapshot, reports=("training_impact",))
    assert [job.parameters["programme"] for job in plan.jobs] == ["c1 Spring", "c2 Spring"]


def test_programmes_asked_for_by_name(plan_batch, trained):
    asked = {"snapshot": trained, "reports": ("training_impact",)}
    with pytest.raises(ParameterError, match="team: 'Nrth' is unknown"):
        plan_batch(teams=("Nrth",), **asked)
    plan = plan_batch(programmes=("=Spring <b>",), **asked)
    assert slugs(plan) == ["training-asking-spring-b"]
    with pytest.raises(ParameterError, match="programmes: 'Autumn' began after 2026Q2"):
        plan_batch(programmes=("Autumn", "c1 2026Q1"), **asked)
    with pytest.raises(ParameterError, match="'Sprng' unknown. Known: 'c1 2026Q1', '=Spring"):
        plan_batch(programmes=("Sprng",), **asked)


@pytest.mark.parametrize("asked", [{"teams": ("Nrth",)}, {"programmes": ("Sprng",)}])
def test_wrong_names_are_refused_though_no_report_asks_for_them(plan_batch, trained, asked):
    (name,) = (names[0] for names in asked.values())
    with pytest.raises(ParameterError, match=f"'{name}' "):
        plan_batch(snapshot=trained, reports=("company_review",), **asked)
    with pytest.raises(ParameterError, match=f"'{name}' "):
        plan_batch(reports=("company_review",), **asked)


def test_no_programme_had_begun(plan_batch, trained):
    plan = plan_batch(snapshot=trained, reports=SKILLS, as_of="2026-01-31", quarter="2026Q1")
    assert plan.left_out == (
        ("Training impact", "has no programme that had begun by the end of 2026Q1"),
    )


def test_the_limits_of_the_plan_reach_the_notebook_that_plans(plan_batch, trained):
    plan = plan_batch(snapshot=trained, plan={"budget": 20_000}, reports=(*SKILLS, "data_quality"))
    told = [job.parameters for job in plan.jobs]
    assert [parameters.get("budget") for parameters in told] == [20_000.0, None, None, None]
    assert told[0]["hours"] is None
    other = plan_batch(snapshot=trained, plan={"budget": 1}, reports=(*SKILLS, "data_quality"))
    same = [a.fingerprint == b.fingerprint for a, b in zip(plan.jobs, other.jobs, strict=True)]
    assert same == [False, True, True, True]


def test_a_missing_snapshot_is_refused(plan_batch, tmp_path):
    with pytest.raises(DataError, match="there is no snapshot"):
        plan_batch(snapshot=tmp_path / "none")


def test_a_batch_of_no_reports_is_refused(tmp_path, plan_batch):
    snapshot = make_snapshot(tmp_path, memberships="rep_id,team_id,valid_from\n").folder
    assert slugs(plan_batch(snapshot=snapshot)) == ["company", "process", "data-quality"]
    said = "nothing to make: Team review has no team with members in 2026Q2"
    with pytest.raises(ParameterError, match=said):
        plan_batch(snapshot=snapshot, reports=("team_review",))


def test_two_teams_with_one_file_are_refused_by_name(tmp_path, plan_batch):
    snapshot = make_snapshot(tmp_path, teams=(("t1", "North & Co"), ("t2", "North Co")))
    with pytest.raises(
        ParameterError, match=r"'North & Co' and 'North Co' would .* north-co\.html"
    ):
        plan_batch(snapshot=snapshot.folder)


def test_a_team_may_not_be_called_like_another_report_or_the_portal(tmp_path, plan_batch):
    snapshot = make_snapshot(tmp_path, teams=(("t1", "Company"), ("t2", "Index")))
    with pytest.raises(ParameterError, match="2 problem") as caught:
        plan_batch(snapshot=snapshot.folder)
    assert "would both be written to company.html" in str(caught.value)
    assert "'Index' would be written over the portal" in str(caught.value)


def test_teams_by_letters_without_a_latin_form_have_files_of_their_own(tmp_path, plan_batch):
    snapshot = make_snapshot(tmp_path, teams=(("t1", "北"), ("t2", "南")))
    names = slugs(plan_batch(snapshot=snapshot.folder, reports=("team_review",)))
    assert len(set(names)) == 2


@pytest.fixture
def refusal(tiny_company, tmp_path):
    """Return a function that plans a batch of the notebooks there are and says why it cannot."""

    def refuse(**changes):
        with pytest.raises(ParameterError) as caught:
            make_plan(make_params(tiny_company, tmp_path, **changes))
        return str(caught.value)

    return refuse


@pytest.mark.parametrize(
    ("parameters", "cells", "words"),
    [
        (None, ("# Q?", "1"), "no cell of assignments has the tag 'parameters'"),
        ("%time team = 1", (), "no cell of assignments has the tag 'parameters'"),
        (
            "snapshot = ''\nquarter = ''\nas_of = ''",
            (),
            "takes no parameter 'budget', 'hours', 'team'; it has 'as_of'",
        ),
        (PARAMETERS, (("needs:lead", "1"),), "there is no table 'lead', as in the tag needs:lead"),
    ],
)
def test_a_notebook_that_cannot_take_the_batch_is_refused(
    refusal, tmp_path, parameters, cells, words
):
    path = tmp_path / "notebooks" / "team_review.ipynb"
    write_notebook(path, *cells, parameters=parameters)
    said = refusal(reports=("team_review",), teams=("t1",))
    assert f"{path}: " in said
    assert words in said


def test_a_parameter_may_have_a_type(tmp_path):
    typed = "snapshot: str = ''\nquarter: str = ''\nteam = ''"
    path = write_notebook(tmp_path / "team_review.ipynb", parameters=typed)
    notebook = nbformat.read(path, as_version=4)
    assert parameter_names(notebook) == {"snapshot", "quarter", "team"}


def test_a_missing_or_broken_notebook_is_named(plan_batch, refusal, tmp_path):
    plan_batch()
    notebooks = tmp_path / "notebooks"
    (notebooks / "data_quality.ipynb").unlink()
    (notebooks / "company_review.ipynb").write_text("{", encoding="utf-8")
    said = refusal()
    assert "data_quality.ipynb: there is no such notebook. Set `notebooks:`" in said
    assert "company_review.ipynb: cannot be read as a notebook" in said


def test_all_problems_are_said_at_once(plan_batch, refusal, tmp_path):
    plan_batch()
    (tmp_path / "notebooks" / "data_quality.ipynb").unlink()
    said = refusal(quarter="2031Q1", teams=("Nrth", "North"))
    assert said.startswith("3 problem")
    for words in ("quarter: no data", "team: 'Nrth' is unknown", "there is no such notebook"):
        assert words in said
    assert "no members" not in said


def test_a_file_in_the_way_of_the_reports_is_refused(plan_batch, tmp_path):
    (tmp_path / "reports").write_text("not a folder", encoding="utf-8")
    with pytest.raises(ParameterError, match=r"cannot be created \(.*\)\. Set `out:`"):
        plan_batch()


def test_a_folder_that_may_not_be_written_is_refused(plan_batch, monkeypatch):
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(ParameterError, match="2026Q2: is not writable"):
        plan_batch()


def test_a_full_disk_is_refused_before_it_is_written_to(plan_batch, monkeypatch):
    usage = shutil.disk_usage("/")._replace(free=1_000_000)
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    with pytest.raises(ParameterError, match="1 MB free; at least 50 MB are needed"):
        plan_batch()


def test_the_plan_leaves_the_notebooks_as_they_were(plan_batch, tmp_path):
    path = tmp_path / "notebooks" / "team_review.ipynb"
    plan_batch()
    before = path.read_bytes()
    plan_batch()
    assert path.read_bytes() == before
    assert json.loads(before)["cells"][0]["metadata"]["tags"] == ["parameters"]


def test_the_tiny_company_is_as_these_tests_suppose(plan_batch):
    measures = plan_batch().measures
    assert dict(zip(measures.teams["team_id"], measures.teams["name"], strict=True)) == dict(TEAMS)
    assert measures.members("t1", "2026Q2") == ("r1", "r2")
    assert measures.members("t9", "2026Q2") == ()
