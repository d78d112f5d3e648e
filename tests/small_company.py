"""Exports of a few rows, written and imported in a moment."""

import itertools
from pathlib import Path

import pandas as pd

from salesnb.sources.load import import_snapshot

REPS = "rep_id,name\nr1,Ana\nr2,Ben\n"
OPPORTUNITIES = """opportunity_id,rep_id,created_on,closed_on,is_won,is_closed,amount
o1,r1,2026-01-05,2026-02-01,true,true,100
o2,r1,2026-01-06,2026-02-02,false,true,50
o3,r2,2026-01-07,,false,false,200
"""


def write_export(folder, tables, *, company=""):
    """Write an export: CSV text, bytes, or a frame for each table (or file name)."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in tables.items():
        path = folder / (name if "." in name else f"{name}.csv")
        if isinstance(content, pd.DataFrame):
            content = content.to_csv(index=False)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    if company:
        (folder / "company.yaml").write_text(company, encoding="utf-8")
    return folder


_NUMBERS = itertools.count()


def import_tables(folder, tables, *, company="", mapping="", **options):
    """Write an export into a new folder within `folder` and import it."""
    home = Path(folder) / f"small{next(_NUMBERS)}"
    export = write_export(home / "export", tables, company=company)
    if mapping:
        options["mapping"] = home / "mapping.yaml"
        options["mapping"].write_text(mapping, encoding="utf-8")
    return import_snapshot(export, **{"to": home / "snapshot", **options})
