import errno
import hashlib
import json
import os
import re
import stat
import sys
import threading
from concurrent.futures import CancelledError
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from tiny_batch import write_notebook

from salesnb.errors import SalesnbError
from salesnb.publish import execution
from salesnb.publish import run as runs
from salesnb.publish.manifest import Kpi, library_versions
from salesnb.publish.run import leave_out, run_report

FACTS = "application/vnd.salesnb.facts+json"
ADDED_BY_OTHERS = ("Traceback", "papermill-error", "An Exception was encountered", "print(")


class Made:
    """A report as it is on disk."""

    def __init__(self, record, folder):
        self.record = record
        self.page = (folder / f"{record.slug}.html").read_text(encoding="utf-8")
        self.body = re.sub(r"<(style|script)>.*?</\1>", "", self.page, flags=re.DOTALL)
        self.file = (folder / f"{record.slug}.ipynb").read_text(encoding="utf-8")
        self.notebook = nbformat.reads(self.file, as_version=4)
        self.log = (folder / "logs" / f"{record.slug}.log").read_text(encoding="utf-8")


@pytest.fixture
def report(plan_batch):
    """Return a function that runs the company review of the cells given."""

    def make(*cells, **changes):
        plan = plan_batch(cells={"company_review": cells}, reports=("company_review",), **changes)
        return Made(run_report(plan.jobs[0], plan), plan.folder)

    return make


def cell_of(notebook, source):
    return next(cell for cell in notebook.cells if source in cell.source)


def test_a_complete_report(report, tiny_company):
    made = report(
        "# Who leads?",
        "## First",
        "f'{quarter} {snapshot} {team}'",
        "## Second",
        f"from IPython.display import publish_display_data as show\n"
        f"show({{'text/plain': 'told', '{FACTS}': {{'headline': 'Up', 'evidence': 'strong'}}}})\n"
        f"show({{'text/plain': 'told', '{FACTS}': {{'headline': 'Down', 'kpis': [['a', '1']]}}}})",
    )
    record = made.record
    assert (record.status, record.reason, record.cell) == ("complete", "", None)
    assert (record.slug, record.kind, record.team) == ("company", "Company review", "")
    assert record.parameters == {"snapshot": str(tiny_company), "quarter": "2026Q2"}
    assert (record.headline, record.evidence, record.kpis) == ("Up", "strong", (Kpi("a", "1"),))
    assert record.versions == library_versions()
    assert 0 < record.seconds < 60
    assert f"2026Q2 {tiny_company} t1" in made.page
    assert "Who leads?" in made.page
    assert "incomplete" not in made.body
    assert made.notebook.metadata["salesnb"]["status"] == "complete"
    assert [cell.execution_count for cell in made.notebook.cells if cell.cell_type == "code"] == [
        1, 2, 3, 4,
    ]  # fmt: skip


def test_nothing_is_left_of_how_it_was_run(report):
    made = report("# Q?", "1", "1 / 0")
    for text in (made.body, made.file):
        assert not [words for words in ADDED_BY_OTHERS if words in text.replace("Traceback", "")]
    assert "papermill" not in made.notebook.metadata
    assert not re.search(r"[0-9a-f]{32}", made.file)
    assert "execution" not in "".join(map(str, (cell.metadata for cell in made.notebook.cells)))
    assert [cell.id for cell in made.notebook.cells] == [f"cell-{n}" for n in range(5)]


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")
def test_only_the_owner_reads_what_is_written(report, tmp_path):
    report("# Q?", "1")
    folder = tmp_path / "reports" / "2026Q2"
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert {path.name for path in files} == {"company.html", "company.ipynb", "company.log"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


def test_equal_input_gives_equal_bytes(report):
    cells = ("# Q?", "{'b', 'a', 'c'} & {'c'}", "from IPython.display import HTML", "HTML('<p>x')")
    first, second = report(*cells), report(*cells)
    assert first.record.status == "complete"
    assert first.page == second.page
    assert first.file == second.file
    assert first.record.sha256 == second.record.sha256


def test_cells_whose_table_is_not_there_are_left_out_and_named(report):
    made = report(
        "# Q?",
        ("needs:targets", "## Targets"),
        ("needs:targets", "raise ValueError('run without targets')"),
        "## Skills",
        ("needs:ratings", "raise ValueError('run without ratings')"),
        ("needs:opportunities", "'opportunities are there'"),
    )
    assert made.record.status == "complete"
    assert made.record.left_out == (("Targets", "targets"), ("Skills", "ratings"))
    assert "opportunities are there" in made.page
    about = made.body[made.body.index("These parts were left out") :]
    assert re.search(r"Targets</b>\s*needs targets", about)
    assert "Targets</h2>" not in made.body
    assert "run without" not in made.file


class NoTables:
    def has(self, table):
        return False


def test_leaving_out_names_each_section_once_and_keeps_the_original():
    needs = {"tags": ["needs:leads", "needs:targets", "remove-input"]}
    notebook = new_notebook(
        cells=[
            new_markdown_cell("## Leads\n\nwords", metadata=needs),
            new_code_cell("a", metadata=needs),
            new_code_cell("b"),
        ]
    )
    kept, dropped = leave_out(notebook, NoTables())
    assert [cell.source for cell in kept.cells] == ["b"]
    assert dropped == [{"section": "Leads", "needs": "leads, targets"}]
    assert len(notebook.cells) == 3


def test_a_cell_that_raises_fails_the_report_and_keeps_what_was_before(report):
    made = report(
        "# Q?", "'shown before'", "raise ValueError('amount of <b>\\n  Ana</b>')", "'never shown'"
    )
    assert made.record.status == "failed"
    assert made.record.reason == "cell 4 raised ValueError: amount of <b> [name]</b>"
    assert made.record.cell == 4
    assert "<b>This report is incomplete</b>" in made.page
    assert "cell 4 raised ValueError: amount of &lt;b&gt; Ana&lt;/b&gt;" in made.page
    assert made.page.index("shown before") < made.page.index("This step did not finish")
    assert "never shown" not in made.page
    assert not [words for words in ADDED_BY_OTHERS if words in made.body]
    assert "ValueError" in str(cell_of(made.notebook, "raise ValueError").outputs)
    assert cell_of(made.notebook, "never shown").outputs == []


def test_a_long_reason_is_cut(report):
    made = report("raise KeyError('x' * 5000)")
    assert made.record.reason.startswith("cell 3 raised KeyError: 'xxx")
    assert len(made.record.reason) < 400
    assert made.record.reason.endswith("…")


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import sys; sys.exit(0)", "cell 4 stopped the kernel (SystemExit)"),
        ("import sys; sys.exit('enough')", "cell 4 raised SystemExit: enough"),
        ("raise KeyboardInterrupt", "cell 4 raised KeyboardInterrupt"),
        (
            "import os; os.kill(os.getpid(), 9)",
            "cell 4 ended the kernel: killed, or out of memory",
        ),
        ("import os; os._exit(0)", "cell 4 ended the kernel: killed, or out of memory"),
    ],
)
def test_a_report_that_stopped_early_is_never_complete(report, code, reason):
    made = report("# Q?", "'shown before'", code, "'never shown'")
    assert (made.record.status, made.record.cell) == ("failed", 4)
    assert made.record.reason == reason
    assert "shown before" in made.page
    assert "never shown" not in made.page
    assert "<b>This report is incomplete</b>" in made.page
    assert "print(" not in made.file


def test_a_cell_that_takes_too_long_fails_the_report(report):
    made = report(
        "# Q?", "'shown before'", "import time; time.sleep(60)", "'never shown'", timeout_seconds=2
    )
    assert made.record.reason == "cell 4 took longer than 2 s (timeout_seconds)"
    assert made.record.seconds < 20
    assert "shown before" in made.page
    assert "never shown" not in made.page


FORGERIES = {
    "reads the token and prints it": "print(token)",
    "prints it as the last output": "print(token)\nfrom IPython.display import clear_output\n"
    "clear_output()\nprint(token)",
    "writes the working notebook": "book.cells[-1].outputs = "
    "[nbformat.v4.new_output('stream', text=token)]\nnbformat.write(book, path)",
}


@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=FORGERIES)
def test_completion_cannot_be_forged_by_a_cell_that_leaves(report, forgery):
    steal = (
        "import nbformat, re, sys\n"
        "from pathlib import Path\n"
        "from ipykernel.connect import get_connection_file\n"
        "path = Path(get_connection_file()).with_name('report.ipynb')\n"
        "book = nbformat.read(path, as_version=4)\n"
        "token = re.search('[0-9a-f]{32}', book.cells[-1].source)[0]\n"
    )
    made = report("# Q?", steal + forgery, "sys.exit(0)", "'never shown'")
    assert made.record.status == "failed"
    assert made.record.reason == "cell 4 stopped the kernel (SystemExit)"


def test_a_report_whose_last_cell_could_not_speak_is_failed(report):
    made = report("# Q?", "print = len")
    assert made.record.status == "failed"
    assert made.record.reason == "the kernel stopped before the notebook's end"


def break_papermill(monkeypatch, *, left_behind):
    def execute(notebook, output, **_):
        if left_behind is not None:
            output.write_text(left_behind, encoding="utf-8")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(execution.papermill, "execute_notebook", execute)


@pytest.mark.parametrize("left_behind", [None, '{"cells": [', ""])
def test_when_nothing_ran_old_outputs_of_the_notebook_are_not_published(
    plan_batch, tmp_path, monkeypatch, left_behind
):
    plan = plan_batch(reports=("company_review",))
    path = write_notebook(tmp_path / "notebooks" / "company_review.ipynb", "# Q?", "1")
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[-1].outputs = [new_output("execute_result", {"text/plain": "of another team"})]
    nbformat.write(notebook, path)
    break_papermill(monkeypatch, left_behind=left_behind)
    made = Made(run_report(plan.jobs[0], plan), plan.folder)
    assert made.record.status == "failed"
    assert made.record.reason == "OSError: [Errno 28] No space left on device"
    assert "of another team" not in made.page + made.file


def test_outputs_no_page_can_be_made_of_fail_the_report_alone(report, monkeypatch):
    show = "from IPython.display import publish_display_data as show\n"
    wrong = [3, [], {"kpis": 3}, {"evidence": "proven"}]
    made = report(f"{show}for told in {wrong}: show({{'text/plain': '', '{FACTS}': told}})")
    assert (made.record.status, made.record.headline) == ("complete", "")

    def refuse_outputs(notebook):
        if any(cell.get("outputs") for cell in notebook.cells):
            raise RecursionError("too deep")
        return render(notebook)

    render = runs.render_report
    monkeypatch.setattr(runs, "render_report", refuse_outputs)
    made = report("# Q?", "1")
    assert made.record.reason == "its outputs cannot be shown: RecursionError: too deep"
    assert "<b>This report is incomplete</b>" in made.page


def test_a_kernel_is_private_quiet_and_has_one_thread(report, capfd):
    made = report(
        "import json, os, sys, tempfile\n"
        "from ipykernel.connect import get_connection_file\n"
        "connection = json.load(open(get_connection_file()))\n"
        "os.write(2, b'chatter of a library')\n"
        "import hashlib\n"
        "own = hashlib.sha256(os.path.realpath(sys.executable).encode()).hexdigest()\n"
        "json.dumps([own, connection['transport'], os.getpgid(0) == os.getpid(),\n"
        "            [os.environ[f'{name}_NUM_THREADS'] for name in ('OMP', 'OPENBLAS', 'MKL')]])"
    )
    assert made.record.status == "complete"
    shown = cell_of(made.notebook, "chatter").outputs[-1].data["text/plain"]
    python, transport, leads_its_group, threads = json.loads(shown.strip("'"))
    here = str(Path(sys.executable).resolve())
    assert python == hashlib.sha256(here.encode()).hexdigest()
    assert transport == ("tcp" if os.name == "nt" else "ipc")
    assert leads_its_group
    assert threads == ["1", "1", "1"]
    assert capfd.readouterr() == ("", "")
    assert "TCP without encryption" not in made.log
    assert "chatter of a library" not in made.body


def test_what_jupyter_says_of_a_failure_is_in_the_log_not_on_the_console(report, capfd):
    made = report("import os\nos.write(2, b'last words')\nos._exit(1)")
    assert made.record.status == "failed"
    assert "Kernel died" in made.log
    assert capfd.readouterr() == ("", "")


def test_a_stopped_batch_writes_no_report(plan_batch):
    plan = plan_batch(reports=("company_review",))
    stop = threading.Event()
    stop.set()
    with pytest.raises(CancelledError):
        run_report(plan.jobs[0], plan, stop=stop)
    assert not list(plan.folder.glob("*.*"))


def test_a_folder_that_cannot_be_written_is_an_error(plan_batch):
    plan = plan_batch(reports=("company_review",))
    (plan.folder / "logs").write_text("in the way", encoding="utf-8")
    with pytest.raises(SalesnbError, match=r"company\.log: cannot be written"):
        run_report(plan.jobs[0], plan)
