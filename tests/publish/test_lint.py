"""What the structure lint finds: every rule broken once, and named with its cell and one action."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from salesnb.publish.lint import RULES, lint_file, lint_notebook

PARAMETERS = 'snapshot = ""\nquarter = "2026Q3"\nbudget = -1.5'
LOAD = "import salesnb as sn\n\nmeasures = sn.load_measures(snapshot)"


def code(source, *tags):
    return new_code_cell(source, metadata={"tags": list(tags)} if tags else {})


def prose(source, *tags):
    return new_markdown_cell(source, metadata={"tags": list(tags)} if tags else {})


def well_made():
    return [
        prose("# Who needs what?"),
        code(PARAMETERS, "parameters"),
        code(LOAD),
        prose("## Skills\n\nWhat is behind it.", "needs:ratings"),
        code("sn.team_skills(measures, period=quarter)", "needs:ratings"),
        code("measures.check_roll_up(period=quarter)", "checks", "remove-cell"),
    ]


def lint(cells):
    return lint_notebook(new_notebook(cells=cells))


def replaced(place, *cells):
    made = well_made()
    return [*made[:place], *cells, *made[place + 1 :]]


def executed(counts):
    cells = well_made()
    for cell, count in zip([c for c in cells if c.cell_type == "code"], counts, strict=True):
        cell.execution_count = count
    return cells


def test_a_well_made_notebook_has_no_problems():
    assert lint(well_made()) == ()
    assert lint(executed([1, 2, 3, 4])) == ()


BROKEN = {
    "no heading": (replaced(0, prose("## Who?")), "cell 1: there is no heading. Begin with"),
    "late heading": (
        [code(PARAMETERS, "parameters"), code(LOAD), prose("# Who?"), well_made()[-1]],
        "cell 3: its heading is not at the top. Move it to the first line of cell 1.",
    ),
    "no question": (
        replaced(0, prose("# Skills")), "cell 1: '# Skills' is no question. Let it ask",
    ),
    "two headings": (
        replaced(3, prose("# Skills")),
        "cell 4: '# Skills' is a second heading of the first level. Write ## instead.",
    ),
    "deep heading": (
        replaced(3, prose("### Skills")), "cell 4: '### Skills' is too deep a heading. Write ##",
    ),
    "loose prose": (
        replaced(3, prose("What is behind it.")), "cell 4: prose without a heading. Begin",
    ),
    "no parameters": (
        replaced(1, code(PARAMETERS)), "cell 2: 0 cells have the tag 'parameters'. Give it to",
    ),
    "two parameters": (
        replaced(2, code(LOAD, "parameters")), "cell 3: 2 cells have the tag 'parameters'.",
    ),
    "late parameters": (
        replaced(1, code("team = None"), code(PARAMETERS, "parameters")),
        "cell 3: the parameters come after other code. Move them to the top.",
    ),
    "computed parameters": (
        replaced(1, code('teams = ["North"]', "parameters")),
        "cell 2: parameters are assignments of text, numbers, true, false or None, not "
        "\"teams = ['North']\". Compute",
    ),
    "no Python": (
        replaced(4, code("%matplotlib inline", "needs:ratings")),
        "cell 5: is no Python. Correct it, and take out lines that begin with % or !.",
    ),
    "late import": (
        replaced(4, code("import pandas as pd", "needs:ratings")),
        "cell 5: 'import pandas as pd' is not in the cell after the parameters. Import there.",
    ),
    "logic": (
        replaced(4, code("for team in [1]:\n    [x for x in team if x]", "needs:ratings")),
        "cell 5: logic (for, a comprehension). Move it into a function of a module",
    ),
    "a class": (
        replaced(4, code("class A:\n    def f(self): ...", "needs:ratings")),
        "cell 5: logic (class, def). Move it",
    ),
    "a file": (
        replaced(4, code('measures.totals.to_csv("a.csv")', "needs:ratings")),
        "cell 5: 'to_csv' writes or prints. End the cell with the value instead",
    ),
    "print": (
        replaced(4, code("print(measures)", "needs:ratings")), "cell 5: 'print' writes or prints.",
    ),
    "a long cell": (
        replaced(4, code("\n".join("abcdef"), "needs:ratings")),
        "cell 5: 6 lines. Split it into cells of at most 5.",
    ),
    "a semicolon": (
        replaced(4, code("measures;", "needs:ratings")),
        "cell 5: ends with a semicolon, which hides its result. Delete the semicolon.",
    ),
    "a typed number": (
        replaced(3, prose("## Skills\n\nThere are 1,307.", "needs:ratings")),
        "cell 4: the number 1,307 is typed into prose. Let a result say it, or tag",
    ),
    "no checks": (
        well_made()[:-1], "cell 5: the last cell is not the one of checks. End with a cell tagged",
    ),
    "shown checks": (
        replaced(5, code("measures.check_roll_up(period=quarter)", "checks")),
        "cell 6: the report would show its checks. Tag the cell 'remove-cell' too.",
    ),
    "an unknown table": (
        replaced(4, code("measures", "needs:ratings", "needs:raitings")),
        "cell 5: there is no table 'raitings', as in the tag needs:raitings. Name one",
    ),
    "half a section": (
        replaced(4, code("measures")),
        "cell 5: stands under a heading that is left out without ratings. Tag it needs:ratings",
    ),
    "out of order": (
        executed([1, 2, 5, 4]),
        "cell 5: has the execution count 5, not 3. Restart the kernel and run all cells.",
    ),
    "half run": (
        executed([1, 2, None, 3]), "cell 5: has the execution count None, not 3.",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("cells", "said"), BROKEN.values(), ids=BROKEN.keys())
def test_what_is_broken_is_named_with_its_cell_and_one_action(cells, said):
    (problem,) = lint(cells)
    assert problem.startswith(said)


def test_every_rule_is_broken_above():
    fired = {
        rule
        for cells, _ in BROKEN.values()
        for rule in RULES
        if list(rule(new_notebook(cells=cells)))
    }
    assert fired == set(RULES)


@pytest.mark.parametrize(
    ("output", "said"),
    [
        (new_output("error", ename="E", evalue="", traceback=[]), "ended with an error"),
        (new_output("stream", text="x"), "printed something"),
    ],
)
def test_outputs_that_are_no_results_are_named(output, said):
    cells = executed([1, 2, 3, 4])
    cells[4].outputs = [output]
    (problem,) = lint(cells)
    assert problem.startswith(f"cell 5: {said}")


def test_a_number_that_no_data_decide_may_be_tagged():
    text = "## Skills\n\nThree of 4 is not yet 75%."
    assert lint(replaced(3, prose(text, "needs:ratings", "fixed-numbers"))) == ()


def test_an_empty_notebook_has_problems_and_no_crash():
    assert [problem.split(":")[0] for problem in lint([])] == ["cell 1", "cell 2", "cell 1"]


def test_a_file_is_named_and_one_that_is_no_notebook_too(tmp_path):
    path = tmp_path / "mine.ipynb"
    assert lint_file(path)[0].endswith("there is no such file. Give the path of a notebook.")
    path.write_text("{", encoding="utf-8")
    assert "cannot be read as a notebook" in lint_file(path)[0]
    path.write_text(nbformat.writes(new_notebook(cells=well_made()[:-1])), encoding="utf-8")
    (problem,) = lint_file(path)
    assert problem.startswith(f"{path}: cell 5: ")
