"""How a notebook is to be made, checked by code: one question, parameters, calls, no logic.

A notebook is read by people and run by machines. What decides figures belongs into the package or
a module of yours, where it is tested; numbers that the data decide belong into outputs.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from salesnb.errors import quote_examples
from salesnb.publish.notebooks import NEEDS, PARAMETERS_TAG, needed_tables, tags_of
from salesnb.schema import TABLES

CHECKS_TAG = "checks"
HIDDEN_TAG = "remove-cell"
FIXED_TAG = "fixed-numbers"
"""Prose tagged so may hold numbers, as they are true of any data."""
LONGEST = 5
"""Lines of a cell; that of parameters, and the one that loads, may have more."""

_LOGIC: dict[type[ast.AST], str] = {
    ast.FunctionDef: "def", ast.AsyncFunctionDef: "def", ast.ClassDef: "class",
    ast.Lambda: "lambda", ast.For: "for", ast.AsyncFor: "for", ast.While: "while", ast.If: "if",
    ast.Try: "try", ast.With: "with", ast.ListComp: "a comprehension",
    ast.SetComp: "a comprehension", ast.DictComp: "a comprehension",
    ast.GeneratorExp: "a comprehension",
}  # fmt: skip
_WRITES = re.compile(r"open|write\w*|to_(csv|parquet|excel|html|json|pickle|sql)|save\w*|print")
_SCALARS = (str, int, float, bool, type(None))

Problems = Iterator[str]


def lint_file(path: str | Path) -> tuple[str, ...]:
    """Check a notebook's file; what `lint_notebook` finds, with the file's name.

    A file that is missing or no notebook is a problem too.
    """
    try:
        notebook = nbformat.read(Path(path), as_version=4)
    except FileNotFoundError:
        return (f"{path}: there is no such file. Give the path of a notebook.",)
    except Exception as error:
        reason = type(error).__name__
        return (f"{path}: cannot be read as a notebook ({reason}). Save it in JupyterLab again.",)
    return tuple(f"{path}: {problem}" for problem in lint_notebook(notebook))


def lint_notebook(notebook: NotebookNode) -> tuple[str, ...]:
    """List what is not as a notebook is to be made: where, what, and the one thing to do.

    Returns
    -------
    tuple of str
        Cells are counted from 1, as they stand. Empty for a notebook that is well made.
    """
    return tuple(problem for rule in RULES for problem in rule(notebook))


def _numbered(notebook: NotebookNode, kind: str) -> list[tuple[str, NotebookNode]]:
    cells = enumerate(notebook.cells, start=1)
    return [(f"cell {place}", cell) for place, cell in cells if cell.cell_type == kind]


def _trees(notebook: NotebookNode) -> list[tuple[str, NotebookNode, ast.Module]]:
    """Parse the cells of code; those that do not parse are named by `_find_python`."""
    found = []
    for place, cell in _numbered(notebook, "code"):
        try:
            found.append((place, cell, ast.parse(cell.source)))
        except SyntaxError:
            continue
    return found


def _find_heading(notebook: NotebookNode) -> Problems:
    """One heading of the first level, a question, at the top."""
    places = [
        (place, line)
        for place, cell in _numbered(notebook, "markdown")
        for line in cell.source.splitlines()
        if line.startswith("# ")
    ]
    if not places:
        yield "cell 1: there is no heading. Begin with the notebook's question: # Who ...?"
        return
    place, heading = places[0]
    if place != "cell 1" or not notebook.cells[0].source.startswith(heading):
        yield f"{place}: its heading is not at the top. Move it to the first line of cell 1."
    if not heading.rstrip().endswith("?"):
        yield f"{place}: {heading!r} is no question. Let it ask what the notebook answers."
    for other, line in places[1:]:
        yield f"{other}: {line!r} is a second heading of the first level. Write ## instead."


def _find_sections(notebook: NotebookNode) -> Problems:
    """Prose stands under headings of the second level."""
    for place, cell in _numbered(notebook, "markdown"):
        lines = cell.source.splitlines()
        deeper = [line for line in lines if re.match(r"#{3,} ", line)]
        if deeper:
            yield f"{place}: {deeper[0]!r} is too deep a heading. Write ## instead."
        is_top = place == "cell 1" or any(line.startswith("# ") for line in lines)
        if not is_top and not deeper and not cell.source.startswith("## "):
            yield f"{place}: prose without a heading. Begin the cell with ## and what it is about."


def _find_parameters(notebook: NotebookNode) -> Problems:
    """One cell of parameters, the first of code, of plain values."""
    code = _numbered(notebook, "code")
    tagged = [(place, cell) for place, cell in code if PARAMETERS_TAG in tags_of(cell)]
    if len(tagged) != 1:
        at = tagged[1][0] if tagged else code[0][0] if code else "cell 2"
        yield (
            f"{at}: {len(tagged)} cells have the tag {PARAMETERS_TAG!r}. "
            "Give it to the one cell of defaults."
        )
        return
    place, cell = tagged[0]
    if cell is not code[0][1]:
        yield f"{place}: the parameters come after other code. Move them to the top."
    try:
        body = ast.parse(cell.source).body
    except SyntaxError:
        return
    strange = [ast.unparse(node) for node in body if not _is_plain(node)]
    if strange or not body:
        yield (
            f"{place}: parameters are assignments of text, numbers, true, false or None, not "
            f"{quote_examples(strange) or 'empty'}. Compute what follows from them in a later cell."
        )


def _is_plain(node: ast.stmt) -> bool:
    if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
        return False
    value = node.value
    if isinstance(value, ast.UnaryOp) and isinstance(value.op, ast.USub):
        value = value.operand
    return isinstance(value, ast.Constant) and type(value.value) in _SCALARS


def _find_python(notebook: NotebookNode) -> Problems:
    """Code is Python alone, so that it can be checked."""
    parsed = {place for place, _, _ in _trees(notebook)}
    for place, _ in _numbered(notebook, "code"):
        if place not in parsed:
            yield f"{place}: is no Python. Correct it, and take out lines that begin with % or !."


def _find_load(notebook: NotebookNode) -> Problems:
    """Everything is imported in one cell, that after the parameters."""
    code = [cell for _, cell in _numbered(notebook, "code")]
    given = [place for place, cell in enumerate(code) if PARAMETERS_TAG in tags_of(cell)]
    load = (given or [0])[0] + 1
    for place, cell, tree in _trees(notebook):
        imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
        if imports and cell not in code[load : load + 1]:
            yield (
                f"{place}: {ast.unparse(imports[0])!r} is not in the cell after the parameters. "
                "Import there."
            )


def _find_logic(notebook: NotebookNode) -> Problems:
    """No logic: neither definitions nor branches nor loops."""
    for place, _, tree in _trees(notebook):
        used = dict.fromkeys(_LOGIC[type(node)] for node in ast.walk(tree) if type(node) in _LOGIC)
        if used:
            yield (
                f"{place}: logic ({', '.join(used)}). Move it into a function of a module, where "
                "it can be tested, and call that."
            )


def _find_writes(notebook: NotebookNode) -> Problems:
    """Nothing is written or printed."""
    for place, _, tree in _trees(notebook):
        calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
        names = [getattr(call, "attr", getattr(call, "id", "")) for call in calls]
        found = [name for name in names if _WRITES.fullmatch(name)]
        if found:
            yield (
                f"{place}: {found[0]!r} writes or prints. End the cell with the value instead; "
                "the report shows it."
            )


def _find_length(notebook: NotebookNode) -> Problems:
    """Cells are short, and end with what they show."""
    code = _numbered(notebook, "code")
    for number, (place, cell) in enumerate(code):
        lines = cell.source.strip().splitlines()
        is_longer = number > 1 and PARAMETERS_TAG not in tags_of(cell)
        if is_longer and len(lines) > LONGEST:
            yield f"{place}: {len(lines)} lines. Split it into cells of at most {LONGEST}."
        if lines and lines[-1].rstrip().endswith(";"):
            yield f"{place}: ends with a semicolon, which hides its result. Delete the semicolon."


def _find_prose(notebook: NotebookNode) -> Problems:
    """No number is typed that the data decide."""
    for place, cell in _numbered(notebook, "markdown"):
        typed = re.findall(r"\d[\d.,]*", cell.source)
        if typed and FIXED_TAG not in tags_of(cell):
            yield (
                f"{place}: the number {typed[0].rstrip('.,')} is typed into prose. Let a result "
                f"say it, or tag the cell {FIXED_TAG!r} where it is true of any data."
            )


def _find_checks(notebook: NotebookNode) -> Problems:
    """Let the last cell check what was shown, and no report show it."""
    last = notebook.cells[-1] if notebook.cells else None
    place = f"cell {len(notebook.cells) or 1}"
    tagged = [p for p, cell in _numbered(notebook, "code") if CHECKS_TAG in tags_of(cell)]
    if tagged != [place]:
        yield (
            f"{place}: the last cell is not the one of checks. End with a cell tagged "
            f"{CHECKS_TAG!r}, such as measures.check_roll_up(period=quarter)."
        )
    elif last is not None and HIDDEN_TAG not in tags_of(last):
        yield f"{place}: the report would show its checks. Tag the cell {HIDDEN_TAG!r} too."


def _find_needs(notebook: NotebookNode) -> Problems:
    """Leave out a section with its heading."""
    section: list[str] = []
    for number, cell in enumerate(notebook.cells, start=1):
        needed = needed_tables(cell)
        if strange := [table for table in needed if table not in TABLES]:
            yield (
                f"cell {number}: there is no table {strange[0]!r}, as in the tag "
                f"{NEEDS}{strange[0]}. Name one of salesnb/schema.py."
            )
        if cell.cell_type == "markdown":
            section = needed
        lacking = [table for table in section if table not in needed]
        if lacking and CHECKS_TAG not in tags_of(cell):
            yield (
                f"cell {number}: stands under a heading that is left out without {lacking[0]}. "
                f"Tag it {NEEDS}{lacking[0]} too."
            )


def _find_counts(notebook: NotebookNode) -> Problems:
    """Run a notebook with outputs from top to bottom, without an error."""
    code = _numbered(notebook, "code")
    if not any(cell.get("outputs") or cell.get("execution_count") for _, cell in code):
        return
    for number, (place, cell) in enumerate(code, start=1):
        if cell.get("execution_count") != number:
            yield (
                f"{place}: has the execution count {cell.get('execution_count')}, not {number}. "
                "Restart the kernel and run all cells."
            )
            return
    for place, cell in code:
        kinds = {output.output_type for output in cell.get("outputs", [])}
        if "error" in kinds:
            yield f"{place}: ended with an error. Correct it and run all cells again."
        elif "stream" in kinds:
            yield f"{place}: printed something. End the cell with the value instead."


RULES: tuple[Callable[[NotebookNode], Problems], ...] = (
    _find_heading, _find_sections, _find_parameters, _find_python, _find_load, _find_logic,
    _find_writes, _find_length, _find_prose, _find_checks, _find_needs, _find_counts,
)  # fmt: skip
"""All rules, in the order in which their problems are listed."""
