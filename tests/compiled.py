"""Mappings run over a few rows: resolved, compiled to SQL, read from DuckDB views."""

import csv
import io

import duckdb
import yaml

from salesnb.sources.load.expressions import full_expression, left_out_expression
from salesnb.sources.mapping import Mapping, read_mapping, read_preset, resolve
from salesnb.sources.sql import identifier, quoted


def read_text(tmp_path, text, name="mine.yaml"):
    """Read a mapping from YAML text."""
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return read_mapping(path)


def spec_of(text):
    """Read one column's specification from YAML text."""
    block = {"from": "data", "columns": {"name": yaml.safe_load(text)}}
    return Mapping.model_validate({"tables": {"reps": [block]}}).tables["reps"][0].columns["name"]


def split(content):
    """Split CSV text (or rows, the first of them the header) into header and rows."""
    rows = list(csv.reader(io.StringIO(content))) if isinstance(content, str) else content
    return tuple(rows[0]), [tuple(row) for row in rows[1:]]


def resolve_files(mapping, files):
    """Resolve a mapping (or a preset's name) for files given as CSV text."""
    mapping = read_preset(mapping) if isinstance(mapping, str) else mapping
    return resolve(mapping, {name: split(content)[0] for name, content in files.items()})


def problems_of(resolution):
    """List the problems, but that a mapping of few tables lacks the required ones."""
    return [text for text in resolution.problems if not text.endswith("and has no source.")]


def run(mapping, files, table):
    """Give the rows of a table as texts, a dict each, in the order of blocks and rows.

    What the loader does with whole rows (distinct, latest_by, only_new, add_up) is not done.
    """
    resolution = resolve_files(mapping, files)
    assert problems_of(resolution) == []
    rows = []
    with duckdb.connect() as db:
        db.execute("set TimeZone = 'UTC'")
        relations = {name: make_relation(content) for name, content in files.items()}
        for block in resolution.tables.get(table, ()):
            made = {
                name: full_expression(spec, lookups=relations)
                for name, spec in block.columns.items()
            }
            select = ", ".join(f"{text} as {identifier(name)}" for name, text in made.items())
            left_out = left_out_expression(block, lookups=relations)
            found = db.sql(f"select {select} from {relations[block.source]} where not {left_out}")
            rows += [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]
    return rows


def make_relation(content):
    """Write rows as an SQL relation, every column text."""
    header, rows = split(content)
    columns = ", ".join(map(identifier, header))
    lines = ", ".join(f"({', '.join(f'{quoted(cell)}::VARCHAR' for cell in row)})" for row in rows)
    if not rows:
        nulls = ", ".join("NULL::VARCHAR" for _ in header)
        return f"(select * from (values ({nulls})) as t({columns}) where false)"
    return f"(select * from (values {lines}) as t({columns}))"
