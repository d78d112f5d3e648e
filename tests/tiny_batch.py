"""A company of four people and notebooks of a few cells, to run batches in seconds."""

import os
from pathlib import Path

import nbformat
import small_company
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from salesnb.params import REPORTS, RunParams
from salesnb.sources.load import import_snapshot

QUARTER = "2026Q2"
PARAMETERS = 'snapshot = ""\nquarter = "2026Q1"\nteam = "t1"\nas_of = ""\nbudget = hours = None'
MORE_PARAMETERS = {
    "training_impact": f'{PARAMETERS}\nprogramme = ""',
}
TEAMS = (("t1", "North"), ("t2", "R&D [red]x[/red]"), ("t9", "Nobody"))

_REPS = """rep_id,name,hired_on
r1,Ana,2024-01-01
r2,Ben,2024-01-01
r3,Cy,2024-01-01
r4,Di,2024-01-01
"""
_MEMBERSHIPS = """rep_id,team_id,valid_from
r1,t1,2024-01-01
r2,t1,2024-01-01
r3,t2,2024-01-01
r4,t2,2024-01-01
"""
_OPPORTUNITIES = """opportunity_id,rep_id,created_on,closed_on,is_won,is_closed,amount
o1,r1,2026-01-05,2026-02-01,true,true,100
o2,r2,2026-01-06,2026-04-02,false,true,200
o3,r3,2026-01-07,2026-05-03,true,true,300
o4,r4,2026-01-08,2026-05-04,false,true,400
o5,r1,2026-04-09,2026-06-05,true,true,500
"""


def write_export(
    folder, *, teams=TEAMS, memberships=_MEMBERSHIPS, opportunities=_OPPORTUNITIES, **more
):
    """Write the export of the tiny company, and `more` tables; files are named like the tables."""
    listed = "".join(f"{team},{name}\n" for team, name in teams)
    tables = {
        "reps": _REPS,
        "teams": f"team_id,name\n{listed}",
        "memberships": memberships,
        "opportunities": opportunities,
        **more,
    }
    return small_company.write_export(folder, tables)


def make_snapshot(folder, **changes):
    """Import the tiny company's export."""
    return import_snapshot(write_export(folder / "export", **changes), to=folder / "snapshot")


def write_notebook(path, *cells, parameters=PARAMETERS):
    """Write a notebook with a parameters cell; a cell is code, or markdown when it begins with #.

    A pair of a tag and a cell is a cell with that tag.
    """
    made = [] if parameters is None else [_cell(("parameters", parameters))]
    notebook = new_notebook(cells=[*made, *map(_cell, cells)])
    for position, cell in enumerate(notebook.cells):
        cell["id"] = f"c{position}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(nbformat.writes(notebook), encoding="utf-8")
    return path


def _cell(content):
    tag, source = content if isinstance(content, tuple) else ("", content)
    cell = new_markdown_cell(source) if source.startswith("#") else new_code_cell(source)
    cell.metadata["tags"] = [tag] if tag else []
    return cell


def write_notebooks(folder, **cells):
    """Write all notebooks, each with the cells given under its name or one that prints."""
    for name in REPORTS:
        parameters = MORE_PARAMETERS.get(name, PARAMETERS)
        told = cells.get(name, ("# Q?", f"{name!r}"))
        write_notebook(folder / f"{name}.ipynb", *told, parameters=parameters)
    return folder


def make_params(snapshot, folder, **changes):
    """Ask for all but one kind of reports, from `folder/notebooks` to `folder/reports`.

    Of those of each team one kind is enough.
    """
    given = {
        "snapshot": str(Path(snapshot).resolve()),
        "quarter": QUARTER,
        "reports": tuple(name for name in REPORTS if name != "pipeline_priorities"),
        "out": folder / "reports",
        "notebooks": folder / "notebooks",
        **changes,
    }
    return RunParams(**given)


def is_running(pid):
    """Whether a process exists and has not ended."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not (status.is_file() and status.read_text().rsplit(")", 1)[1].split()[0] == "Z")
