"""The house rules: who may import whom, how large a module may be, what the papers say."""

import ast
import importlib.util
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import environment
import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "salesnb"
PAPER = ROOT / "ARCHITECTURE.md"
ROOMS = ("sources", "measures", "analysis", "views", "publish")
SHARED = (
    "columns", "errors", "language", "message", "periods", "privacy", "progress", "schema",
    "secrecy", "summary",
)  # fmt: skip
LEFT_OF = {
    **dict.fromkeys(SHARED, SHARED),
    **{room: (*SHARED, *ROOMS[:place]) for place, room in enumerate(ROOMS)},
    "params": (*SHARED, "sources"),
    "publish": (*SHARED, "params", *ROOMS[:-1]),
    "cli": (*SHARED, "params", *ROOMS),
}
"""Top-level name -> what it may import, besides itself."""


def name_of(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def imported(name, path, *, at_run_time=False):
    """List the package's modules that a module imports anywhere in it, functions included."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    if at_run_time:
        tree = WithoutTypes().visit(tree)
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            package = name if path.name == "__init__.py" else name.rpartition(".")[0]
            dots = "." * node.level + (node.module or "")
            base = importlib.util.resolve_name(dots, package) if node.level else node.module
            for alias in node.names:
                inner = f"{base}.{alias.name}"
                found.add(inner if inner in MODULES else base)
    return {module for module in found if module in MODULES and module != name}


class WithoutTypes(ast.NodeTransformer):
    """Drop what only type checkers import."""

    def visit_If(self, node):
        return None if ast.unparse(node.test) == "TYPE_CHECKING" else self.generic_visit(node)


@cache
def graph(*, at_run_time=False):
    return {name: imported(name, path, at_run_time=at_run_time) for name, path in MODULES.items()}


def room_of(name):
    return (name.split(".") + [""])[1]


def test_the_reader_of_imports_sees_them_everywhere(tmp_path):
    path = tmp_path / "some.py"
    path.write_text(
        "from salesnb import errors\nimport salesnb.schema\n"
        "def f():\n    from ..views.blocks import Note, base\n"
        "if TYPE_CHECKING:\n    from salesnb.params import RunParams\n",
        encoding="utf-8",
    )
    at_run_time = {
        "salesnb.errors", "salesnb.schema", "salesnb.views.blocks", "salesnb.views.blocks.base",
    }  # fmt: skip
    assert imported("salesnb.publish.some", path, at_run_time=True) == at_run_time
    assert imported("salesnb.publish.some", path) == at_run_time | {"salesnb.params"}


def test_every_top_level_name_has_its_place():
    assert {room_of(name) for name in MODULES} - {""} == set(LEFT_OF)


def test_imports_go_only_to_the_left():
    wrong = [
        f"{name} imports {other}"
        for name, others in graph().items()
        for other in others
        if name != "salesnb" and room_of(other) not in (room_of(name), *LEFT_OF[room_of(name)])
    ]
    assert wrong == []


def test_modules_do_not_import_one_another_in_circles():
    waiting = dict(graph(at_run_time=True))
    while free := [name for name, others in waiting.items() if not others & set(waiting)]:
        for name in free:
            del waiting[name]
    assert waiting == {}


def test_the_public_face_names_what_exists():
    import salesnb

    for name in salesnb.__all__:
        assert getattr(salesnb, name) is not None
    assert dir(salesnb) == sorted(salesnb.__all__)
    with pytest.raises(AttributeError, match="no attribute 'sample_compny'"):
        salesnb.sample_compny  # noqa: B018


def test_no_module_is_a_drawer_for_the_rest():
    drawers = {"utils", "util", "helpers", "misc", "common"}
    assert [name for name in MODULES if name.rpartition(".")[2] in drawers] == []


def test_no_module_is_long():
    lengths = {
        name: len(path.read_text(encoding="utf-8").splitlines()) for name, path in MODULES.items()
    }
    assert {name: length for name, length in lengths.items() if length > 400} == {}


@pytest.mark.parametrize("module", ["salesnb", "salesnb.cli"])
def test_importing_it_loads_nothing_heavy(module):
    heavy = ("pandas", "numpy", "matplotlib", "nbconvert", "duckdb", "papermill", "pydantic")
    code = f"import sys, {module}; print([m for m in {heavy} if m in sys.modules])"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert run.stdout.strip() == "[]"


@pytest.fixture
def paper():
    if not PAPER.is_file():
        pytest.skip("there is no ARCHITECTURE.md yet")
    return PAPER.read_text(encoding="utf-8")


def test_the_architecture_page_names_every_room(paper):
    rooms = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").is_file()}
    assert {f"salesnb/{room}" for room in rooms} <= set(re.findall(r"`([\w/]+)`", paper))


def test_the_architecture_page_names_only_paths_that_exist(paper):
    paths = re.findall(r"`([\w.-]+/[\w./-]*)`", paper)
    assert len(paths) > 10
    inside = [ROOT, PACKAGE, *(PACKAGE / room for room in ROOMS)]
    absent = [path for path in paths if not any((base / path).exists() for base in inside)]
    assert absent == []


def test_the_architecture_page_names_only_modules_that_exist(paper):
    rows = re.findall(r"^\| `salesnb/(\w+)` \|.*\|(.*)\|$", paper, re.MULTILINE)
    assert {room for room, _ in rows} == set(ROOMS)
    for room, holds in rows:
        named = [name.rstrip("/") for name in re.findall(r"`(\w+/?)`", holds)]
        there = {path.stem for path in (PACKAGE / room).iterdir()}
        assert set(named) <= there


def test_the_conda_environment_is_what_the_project_declares():
    if not environment.TARGET.is_file():
        pytest.skip("there is no environment.yml yet")
    assert environment.TARGET.read_text(encoding="utf-8") == environment.render()
