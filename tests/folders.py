"""Folders of reports as batches leave them, written without running a notebook."""

import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

from nbformat.v4 import new_markdown_cell, new_notebook

from salesnb.publish.export import render_report
from salesnb.publish.journal import JOURNAL, Entry
from salesnb.publish.manifest import About, Record

NOTEBOOKS = {"Team review": "team_review.ipynb", "Company review": "company_review.ipynb"}
ABOUT = About(title="Acme", as_of="2026-10-05")


def make_record(slug="north", **changes):
    """Make a record of a complete team review; `sha256` is that of its page once written."""
    given = {
        "slug": slug, "kind": "Team review", "title": slug.title(), "team": slug.title(),
        "quarter": "2026Q3", "notebook": "team_review.ipynb", "parameters": {"team": slug},
        "fingerprint": "f", "snapshot_id": "s", "company": "Acme", "status": "complete",
        "seconds": 1.0, "built": "2026-10-06",
        **changes,
    }  # fmt: skip
    return Record(**given)


def write_folder(out, quarter, *records, about=ABOUT, left_out=()):
    """Write a quarter's folder: a page for each record, and the journal of a batch that ended."""
    folder = out / quarter
    folder.mkdir(parents=True, exist_ok=True)
    entries = [Entry(event="began", at="t", about=about, left_out=left_out)]
    for record in records:
        page = render_page(record).encode()
        (folder / f"{record.slug}.html").write_bytes(page)
        digest = hashlib.sha256(page).hexdigest()
        known = record.model_copy(update={"sha256": digest, "quarter": quarter})
        entries.append(Entry(event="report", at="t", record=known))
    entries.append(Entry(event="ended", at="t"))
    lines = [entry.model_dump_json(exclude_defaults=True) for entry in entries]
    with (folder / JOURNAL).open("a", encoding="utf-8") as journal:
        journal.write("\n".join(lines) + "\n")
    return folder


def render_page(record):
    """Render a report's page as a batch does before it knows the neighbours."""
    notebook = new_notebook(cells=[new_markdown_cell(f"# How is {record.title}?\n\nFine.")])
    links = [["All reports", "index.html"]]
    notebook.metadata["salesnb"] = {"title": record.title, "links": links}
    return render_report(notebook)


def read_links(page):
    """List the links of a page's header as pairs of words and target."""
    found = re.search(r'<nav class="links" .*?</nav>', page, re.DOTALL)
    pairs = re.findall(r'<a href="([^"]*)">(.*?)</a>', found[0] if found else "")
    return [(re.sub("<[^>]*>", "", words), target) for target, words in pairs]


class _Targets(HTMLParser):
    def __init__(self):
        super().__init__()
        self.targets = []

    def handle_starttag(self, tag, attrs):
        if tag == "a":
            self.targets.append(dict(attrs)["href"])


def find_dead_links(out):
    """List all links in all pages below a folder whose file is not there."""
    dead = []
    pages = sorted(out.rglob("*.html"))
    for page in pages:
        reader = _Targets()
        reader.feed(page.read_text(encoding="utf-8"))
        files = [target for target in reader.targets if target and not target.startswith("#")]
        dead += [
            (page.name, target)
            for target in files
            if not (page.parent / unquote(target.split("#")[0])).is_file()
        ]
    return dead, len(pages)


def check_records(folder):
    """Check that manifest and pages agree, and return the records by slug."""
    records = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["reports"]
    for slug, record in records.items():
        page = (Path(folder) / f"{slug}.html").read_bytes()
        assert hashlib.sha256(page).hexdigest() == record["sha256"]
    return records
