"""A new notebook is well made, runs as it is, and is a kind of report of its own."""

import nbformat
import papermill
import pytest
from tiny_batch import QUARTER, make_params, make_snapshot, write_notebook, write_notebooks

from salesnb.errors import ParameterError
from salesnb.publish.batch import run_batch
from salesnb.publish.lint import lint_file, lint_notebook
from salesnb.publish.notebooks import parameter_defaults
from salesnb.publish.own import own_kind
from salesnb.publish.plan import make_plan
from salesnb.publish.starter import make_starter, write_starter

COMPANY = 'snapshot = ""\nquarter = "2026Q1"'


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory):
    return make_snapshot(tmp_path_factory.mktemp("tiny")).folder


@pytest.mark.parametrize("each", ["company", "team"])
def test_it_is_well_made(each, tmp_path):
    path = write_starter(tmp_path / "renewals", make_starter("Who renews", each=each))
    assert lint_file(path) == ()
    assert nbformat.read(path, as_version=4).cells[0].source == "# Who renews?"


def test_its_question_is_one_line_and_never_missing():
    asked = [make_starter(text).cells[0].source for text in ("", " a\n# b? ", "c??")]
    assert asked == ["# What do you want to know?", "# a # b?", "# c?"]
    assert lint_notebook(make_starter(" a\n# b? ")) == ()


@pytest.mark.parametrize("name", ["1st", "a b", ".hidden", "ü/ü?"])
def test_what_is_no_name_is_refused(name, tmp_path):
    with pytest.raises(ParameterError, match="is no name for a notebook. Use letters"):
        write_starter(tmp_path / name, make_starter())


def test_nothing_is_written_over(tmp_path):
    write_starter(tmp_path / "mine", make_starter())
    with pytest.raises(ParameterError, match="is there already. Give another name"):
        write_starter(tmp_path / "mine.ipynb", make_starter())


@pytest.mark.parametrize(
    ("parameters", "each", "slug"),
    [
        ('team = "North"', "team", "by-region-"), ("team = None", "company", "by-region"),
        ('team = ""', "company", "by-region"), ('programme = "NEG"', "programme", "by-region-"),
    ],
)  # fmt: skip
def test_a_notebook_says_itself_of_what_there_is_a_report_each(parameters, each, slug, tmp_path):
    given = f'snapshot = ""\nquarter = "2026Q3"\n{parameters}\nkpis = ""\nmine = 3'
    kind = own_kind(write_notebook(tmp_path / "by_region.ipynb", "# Q?", parameters=given))
    assert (kind.label, kind.each, kind.slug, kind.takes) == ("By region", each, slug, {"kpis"})


def test_defaults_are_read_as_they_are_written(tmp_path):
    given = 'a = "x"\nb: int = 2\nc = -1\nd = e = None'
    path = write_notebook(tmp_path / "a.ipynb", parameters=given)
    defaults = parameter_defaults(nbformat.read(path, as_version=4))
    assert defaults == {"a": "x", "b": 2, "c": None, "d": None, "e": None}


def test_it_runs_under_papermill(snapshot, tmp_path):
    path = write_starter(tmp_path / "renewals", make_starter())
    done = papermill.execute_notebook(
        path, tmp_path / "done.ipynb", progress_bar=False,
        parameters={"snapshot": str(snapshot), "quarter": QUARTER},
    )  # fmt: skip
    kinds = [output.output_type for cell in done.cells for output in cell.get("outputs", [])]
    assert kinds.count("execute_result") == 5
    assert "error" not in kinds


def test_a_batch_makes_reports_of_it(snapshot, tmp_path):
    write_notebooks(tmp_path / "notebooks")
    each = write_starter(tmp_path / "own" / "renewals", make_starter("Who renews", each="team"))
    once = write_notebook(tmp_path / "own" / "once.ipynb", "# One?", "quarter", parameters=COMPANY)
    params = make_params(
        snapshot, tmp_path, reports=(), own_reports=(str(each), str(once)), teams=("North",)
    )
    plan = make_plan(params)
    assert [(job.slug, job.kind) for job in plan.jobs] == [
        ("renewals-north", "Renewals"), ("once", "Once"),
    ]  # fmt: skip
    result = run_batch(plan, isolation="cold")
    assert result.failed == ()
    assert "Who stands where" in (plan.folder / "renewals-north.html").read_text()
    assert "Renewals" in result.portal.read_text()


@pytest.mark.parametrize(
    ("own", "said"),
    [
        (("gone.ipynb",), "gone.ipynb: there is no such notebook"),
        (("bare.ipynb",), "bare.ipynb: no cell of assignments has the tag 'parameters'"),
        (("few.ipynb",), r"few.ipynb: takes no parameter 'quarter', 'snapshot'"),
        (("company.ipynb",), "would both be written to company.html"),
    ],
)
def test_one_that_cannot_be_run_is_refused_before(own, said, snapshot, tmp_path):
    write_notebooks(tmp_path / "notebooks")
    write_notebook(tmp_path / "bare.ipynb", "# Q?", parameters=None)
    write_notebook(tmp_path / "few.ipynb", "# Q?", parameters="x = 1")
    write_notebook(tmp_path / "company.ipynb", "# Q?", parameters=COMPANY)
    paths = tuple(str(tmp_path / name) for name in own)
    with pytest.raises(ParameterError, match=said):
        make_plan(make_params(snapshot, tmp_path, own_reports=paths))


def test_without_a_quarter_it_is_the_last_whole_one(snapshot, tmp_path):
    write_notebooks(tmp_path / "notebooks")
    plan = make_plan(make_params(snapshot, tmp_path, quarter="", reports=("data_quality",)))
    assert plan.params.quarter == plan.measures.last_whole
    assert plan.folder.name == plan.params.quarter
    assert plan.jobs[0].parameters["quarter"] == plan.params.quarter
