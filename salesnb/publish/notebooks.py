"""What a notebook says of itself: the parameters it takes, and the tables its cells need."""

from __future__ import annotations

import ast

import nbformat
from nbformat import NotebookNode

from salesnb.language import tr

PARAMETERS_TAG = "parameters"
NEEDS = "needs:"
"""A cell tagged `needs:<table>` is dropped when the snapshot lacks the table."""
PERSONS = "persons"
"""A cell tagged `needs:persons` is dropped where a batch tells of teams only."""


def say_texts(notebook: NotebookNode) -> NotebookNode:
    """Copy a notebook with its texts in the language spoken; what no catalogue has stays as it is.

    Texts are markdown cells; the catalogue knows each by its whole source.
    """
    copy: NotebookNode = nbformat.from_dict(notebook)
    for cell in copy.cells:
        if cell.cell_type == "markdown":
            cell.source = tr(cell.source)
    return copy


def tags_of(cell: NotebookNode) -> list[str]:
    """List a cell's tags."""
    return list(cell.metadata.get("tags", []))


def needed_tables(cell: NotebookNode) -> list[str]:
    """List the tables that a cell's tags say it needs."""
    needs = [tag.removeprefix(NEEDS) for tag in tags_of(cell) if tag.startswith(NEEDS)]
    return [need for need in needs if need != PERSONS]


def needs_persons(cell: NotebookNode) -> bool:
    """Whether a cell is about single people."""
    return f"{NEEDS}{PERSONS}" in tags_of(cell)


def parameter_names(notebook: NotebookNode) -> set[str] | None:
    """List the names assigned in the notebook's parameters cell; None without such a cell."""
    found = parameter_defaults(notebook)
    return None if found is None else set(found)


def parameter_defaults(notebook: NotebookNode) -> dict[str, object] | None:
    """Read the defaults of the notebook's parameters; None without a cell of assignments.

    What is no plain value reads as None.
    """
    for cell in notebook.cells:
        if PARAMETERS_TAG in tags_of(cell):
            try:
                body = ast.parse(cell.source).body
            except SyntaxError:
                return None
            return {name: value for node in body for name, value in _assigned(node).items()}
    return None


def _assigned(node: ast.stmt) -> dict[str, object]:
    targets: list[ast.expr] = []
    if isinstance(node, ast.Assign):
        targets = node.targets
    elif isinstance(node, ast.AnnAssign):
        targets = [node.target]
    value = getattr(node, "value", None)
    default = value.value if isinstance(value, ast.Constant) else None
    return {target.id: default for target in targets if isinstance(target, ast.Name)}
