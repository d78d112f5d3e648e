"""Collect the texts of reports into the catalogue, or check that it is current (`--check`).

Texts are what the code gives to `tr`, `tr_many`, `count_things`, `mark`, `message` and
`message_many`, what templates give to `tr`, the words of the KPI catalogue, and the cells of
notebooks that hold text. Translations keep what still applies; a text that is new to them is left
empty, and so said in English.
"""

import sys
from io import BytesIO
from pathlib import Path

import nbformat
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from salesnb.language import CATALOGUES
from salesnb.measures.catalogue import TEMPLATES, WORDS

ROOT = Path(__file__).resolve().parents[1]
LIST = CATALOGUES / "salesnb.pot"
_METHODS = [("**.py", "python"), ("**.j2", "jinja2")]
_KEYWORDS = {
    "tr": None, "tr_many": (1, 2), "count_things": (2, 3), "mark": None,
    "message": None, "message_many": (1, 2),
}  # fmt: skip


def collect() -> Catalog:
    """Collect all texts, with the files they are in."""
    found = Catalog()
    package = ROOT / "salesnb"
    for name, _, text, comments, _ in extract_from_dir(package, _METHODS, keywords=_KEYWORDS):
        found.add(text, locations=[(f"salesnb/{name}", None)], auto_comments=comments)
    for kpi in TEMPLATES:
        for word in WORDS:
            if getattr(kpi, word):
                found.add(getattr(kpi, word), locations=[("salesnb/measures/catalogue", None)])
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "markdown":
                found.add(cell.source, locations=[(f"notebooks/{path.name}", None)])
    return found


def render(catalogue: Catalog) -> bytes:
    """Write a catalogue as a file, sorted by its texts so that changes stay small."""
    stream = BytesIO()
    write_po(stream, catalogue, width=100, sort_output=True, include_lineno=False, omit_header=True)
    return stream.getvalue()


def renew(path: Path, found: Catalog) -> bytes:
    """Bring a translation up to date; what it says of texts that are gone is dropped."""
    with path.open("rb") as stream:
        kept = read_po(stream, locale=path.stem)
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
