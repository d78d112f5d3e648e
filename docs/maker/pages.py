"""Write the pages that are made from the package, each only when it changed."""

import re

from maker.commands import commands_page
from maker.face import face_pages
from maker.facts import load_report
from maker.kpis import kpi_pages
from maker.model import model_page, params_page

_TOCTREE = re.compile(r"^```{toctree}\n(.*?)^```", re.DOTALL | re.MULTILINE)


def made_pages():
    """Return file name -> text of every page that is made."""
    return {
        "commands.md": commands_page(),
        "model.md": model_page(),
        "params.md": params_page(),
        "load-report.txt": load_report(),
        **face_pages(),
        **kpi_pages(),
    }


def write_pages(docs):
    """Write the pages into docs/generated, and remove those that are made no more."""
    folder = docs / "generated"
    pages = made_pages() | {"more.txt": list_more(docs)}
    for path in folder.rglob("*.*"):
        if path.is_file() and str(path.relative_to(folder)) not in pages:
            path.unlink()
    for name, text in pages.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def list_more(docs):
    """List the pages of docs/ that no other page lists, for the end of the how-to pages."""
    texts = [path.read_text(encoding="utf-8") for path in docs.glob("*.md")]
    listed = {"index"}
    for text in texts:
        for block in _TOCTREE.findall(text):
            lines = (line.strip() for line in block.splitlines())
            listed |= {re.sub(r".*<(.*)>", r"\1", line) for line in lines}
    more = sorted({path.stem for path in docs.glob("*.md")} - listed)
    return "\n".join(["```{toctree}", ":caption: More", "", *more, "```", ""]) if more else ""
