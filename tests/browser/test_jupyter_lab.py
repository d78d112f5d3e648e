"""JupyterLab is really started, and a notebook run through its interface as an analyst would."""

import re
import shutil
from pathlib import Path

import nbformat
import pytest
from jupyter_lab import family_of, is_alive, running_lab
from playwright.sync_api import expect

import salesnb as sn

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "getting_started.ipynb"
PATIENCE = 90_000
"""Milliseconds that a step may take on a busy machine."""
FEWEST_ROWS = 2
NARROWEST = 300

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """Folder of one notebook without outputs, set to a small snapshot that nothing has measured."""
    folder = tmp_path_factory.mktemp("desk")
    export = sn.sample_company(folder / "export", reps=24)
    sn.import_snapshot(export, to=folder / "snapshot")
    shutil.rmtree(export)
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    given = next(c for c in notebook.cells if "parameters" in c.metadata.get("tags", []))
    changes = {'snapshot = ""': f'snapshot = "{folder / "snapshot"}"', '"North"': '"Adria"'}
    for old, new in changes.items():
        assert old in given.source
        given.source = given.source.replace(old, new)
    (folder / "lab").mkdir()
    nbformat.write(notebook, folder / "lab" / "tour.ipynb")
    return folder


@pytest.fixture
def page(chromium):
    context = chromium.new_context(viewport={"width": 1400, "height": 900})
    yield context.new_page()
    context.close()


def run_all(page, address, token):
    """Open the notebook, run it by the menu, and wait until its last cell has a number."""
    page.goto(f"{address}/lab/tree/tour.ipynb?token={token}&reset")
    cells = page.locator(".jp-Notebook .jp-CodeCell")
    cells.first.wait_for(timeout=PATIENCE)
    page.get_by_text(re.compile(r"Python 3.* \| Idle")).first.wait_for(timeout=PATIENCE)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    last = sum(cell.cell_type == "code" for cell in nbformat.read(NOTEBOOK, as_version=4).cells)
    prompt = page.locator(".jp-InputPrompt", has_text=f"[{last}]:")
    prompt.wait_for(timeout=PATIENCE, state="attached")


def test_an_analyst_runs_the_tour_in_jupyterlab(desk, page):
    with running_lab(desk, desk / "lab") as (address, token, server):
        run_all(page, address, token)
        family = family_of(server)
        shown = page.locator(".jp-Notebook .jp-OutputArea-output")
        for kind in ("error", "stderr"):
            told = shown.and_(page.locator(f"[data-mime-type$='jupyter.{kind}']"))
            assert told.all_inner_texts() == []
        matrix = page.locator(".jp-Notebook .snb table.mx").first
        matrix.scroll_into_view_if_needed()
        expect(matrix).to_be_visible(timeout=PATIENCE)
        assert matrix.locator("tbody tr").count() > FEWEST_ROWS
        figure = page.locator(".jp-Notebook .snb figure svg").first
        figure.scroll_into_view_if_needed()
        assert figure.bounding_box()["width"] > NARROWEST
        measured = shown.filter(has_text=re.compile("Measuring: done in [0-9]+ s"))
        expect(measured).to_have_count(1, timeout=PATIENCE)
    assert len(family) > 1
    assert [process for process in family if is_alive(process)] == []
