"""A new notebook to begin from: a question, parameters, claims with a call each, and checks."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from salesnb.errors import ParameterError
from salesnb.publish.files import write_whole
from salesnb.publish.lint import CHECKS_TAG, HIDDEN_TAG
from salesnb.publish.notebooks import PARAMETERS_TAG

Each = Literal["company", "team"]
SUFFIX = ".ipynb"

_QUESTION = "What do you want to know?"
_NAME = re.compile(r"[A-Za-z][\w-]*")
_PARAMETERS = """snapshot = ""  # folder of a snapshot; empty for the sample company
quarter = "2026Q3"
{team}
as_of = ""  # a day such as 2026-09-30; empty for the snapshot's
catalogue = ""  # Python file of KPIs of your own"""
_TEAM: dict[Each, str] = {
    "company": "team = None  # a team's name or id; None for the company",
    "team": 'team = "North"  # a team\'s name or id; there is a report for each',
}
_LOAD = """import salesnb as sn

measures = sn.load_measures(snapshot, as_of=as_of, catalogue=catalogue)
matrix = sn.performance_matrix(measures, period=quarter, by="rep", team=team)
trend = sn.quarter_trend(measures, period=quarter, team=team)"""
_PAIRS = (
    ("What you need to know", "Chosen from all below, surest first.",
     "sn.views.headlines(sn.find_insights(matrix, trend))"),
    ("Who stands where",
     "Write here what you claim; the next cell is what it rests on. Say what it does not mean.",
     "matrix"),
    ("What changed", "One claim a section, and one call of at most a few lines.", "trend.plot()"),
    ("Definitions and limits", "Every figure says how it is made.",
     "sn.views.definitions(measures)"),
)  # fmt: skip
_CHECK = "measures.check_roll_up(period=quarter, team=team)"


def make_starter(question: str = "", *, each: Each = "company") -> NotebookNode:
    """Make a notebook that is well made and runs as it is on the sample company.

    Parameters
    ----------
    question
        Its heading; a question mark is added where there is none. Empty: one to be written.
    each
        Whether a batch makes one report of the company, or one a team.
    """
    asked = " ".join(question.split()).rstrip("?") or _QUESTION.rstrip("?")
    given = _PARAMETERS.format(team=_TEAM[each])
    cells = [
        new_markdown_cell(f"# {asked}?"),
        new_code_cell(given, metadata={"tags": [PARAMETERS_TAG]}),
        new_code_cell(_LOAD),
    ]
    for heading, claim, call in _PAIRS:
        cells += [new_markdown_cell(f"## {heading}\n\n{claim}"), new_code_cell(call)]
    cells.append(new_code_cell(_CHECK, metadata={"tags": [CHECKS_TAG, HIDDEN_TAG]}))
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    made: NotebookNode = new_notebook(cells=cells, metadata={"kernelspec": kernel})
    return made


def write_starter(name: str | Path, notebook: NotebookNode) -> Path:
    """Write a new notebook and give its path.

    Parameters
    ----------
    name
        File, with or without .ipynb; reports are called as it is.
    notebook
        From `make_starter`.

    Raises
    ------
    ParameterError
        The name is no plain one, or the file is there already: nothing is ever written over.
    """
    path = Path(name)
    path = path if path.suffix == SUFFIX else path.with_name(f"{path.name}{SUFFIX}")
    if not _NAME.fullmatch(path.stem):
        raise ParameterError(
            f"{path.stem!r}: is no name for a notebook. Use letters, digits, _ and -, such as "
            "renewals_by_team."
        )
    if path.exists():
        raise ParameterError(f"{path}: is there already. Give another name.")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, nbformat.writes(notebook))
    return path
