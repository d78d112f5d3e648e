"""Collect the texts of reports into the catalogue, or check that it is current (`--check`).

Texts are what the code gives to `tr`, `tr_many`, `count_things`, `mark`, `message` and
`message_many`, what templates give to `tr`, the words of the KPI catalogue, and the cells of
notebooks that hold text. Translations keep what still applies; a text that is new to them is left
empty, and so said in English.
"""

import ast
import sys
from collections.abc import Iterator
from io import BytesIO
from itertools import chain
from pathlib import Path

import nbformat
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from salesnb.language import CATALOGUES
from salesnb.measures.catalogue import TEMPLATES, WORDS

ROOT = Path(__file__).resolve().parents[1]
LIST = CATALOGUES / "salesnb.pot"
_PLACES = {
    "tr": (0,), "tr_many": (0, 1), "count_things": (1, 2), "mark": (0,), "message": (0,),
    "message_many": (0, 1),
}  # fmt: skip
"""Which arguments of a function are texts: one, or one and its plural."""


def collect() -> Catalog:
    """Collect all texts, with the files they are in."""
    found = Catalog()
    package = ROOT / "salesnb"
    for path in sorted(package.rglob("*.py")):
        for text in read_code(path.read_text(encoding="utf-8")):
            found.add(text, locations=[(str(path.relative_to(ROOT)), None)])
    templates = extract_from_dir(package, [("**.j2", "jinja2")], keywords={"tr": None})
    for name, _, text, _, _ in templates:
        found.add(text, locations=[(f"salesnb/{name}", None)])
    for kpi in TEMPLATES:
        for word in WORDS:
            if getattr(kpi, word):
                found.add(getattr(kpi, word), locations=[("salesnb/measures/catalogue", None)])
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "markdown":
                found.add(cell.source, locations=[(f"notebooks/{path.name}", None)])
    return found


def read_code(code: str) -> Iterator[str | tuple[str, str]]:
    """Find the texts in Python code, also in f-strings, which Babel's own reader passes over."""
    for node in ast.walk(ast.parse(code)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        given = [node.args[at : at + 1] for at in _PLACES.get(node.func.id, ())]
        texts = [
            one.value for one in chain(*given)
            if isinstance(one, ast.Constant) and isinstance(one.value, str) and one.value
        ]  # fmt: skip
        if texts and len(texts) == len(given):
            yield texts[0] if len(texts) == 1 else (texts[0], texts[1])


def render(catalogue: Catalog) -> bytes:
    """Write a catalogue as a file, sorted by its texts so that changes stay small."""
    stream = BytesIO()
    write_po(stream, catalogue, width=100, sort_output=True, include_lineno=False, omit_header=True)
    return stream.getvalue()


def read_translation(path: Path) -> Catalog:
    """Read what a language's file says."""
    with path.open("rb") as stream:
        return read_po(stream, locale=path.stem)


def forms_of(text: str | tuple[str, ...]) -> list[str]:
    """List the forms of a text: one, or one for each number that has its own."""
    return [text] if isinstance(text, str) else list(text)


def renew(path: Path, found: Catalog) -> bytes:
    """Bring a translation up to date; what it says of texts that are gone is dropped."""
    kept = read_translation(path)
    kept.update(found, no_fuzzy_matching=True)
    kept.obsolete.clear()
    return render(kept)


if __name__ == "__main__":
    found = collect()
    files = {LIST: render(found)}
    files |= {path: renew(path, found) for path in sorted(CATALOGUES.glob("*.po"))}
    for path, content in files.items():
        if "--check" not in sys.argv:
            path.write_bytes(content)
        elif not path.is_file() or path.read_bytes() != content:
            sys.exit(f"{path.relative_to(ROOT)}: lacks texts. Run: python tests/texts.py")
