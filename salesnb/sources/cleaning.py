"""Cleaning: DuckDB expressions that turn an export's text into the model's types.

Text that cannot be converted becomes missing; `checks` then sees text without a value and
refuses the row with its reason, so nothing is coerced silently.
"""

from __future__ import annotations

from salesnb.errors import DataError, quote_examples
from salesnb.schema import Column
from salesnb.sources.mapping import Block, ColumnSpec, FileOptions, Mapping
from salesnb.sources.readers import SourceFile, quoted

LITERAL = "the mapping"
"""Origin of rows that are written in the mapping itself."""

SQL_TYPES = {
    "text": "VARCHAR",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
    "number": "DOUBLE",
    "integer": "BIGINT",
    "boolean": "BOOLEAN",
}
_TRUE = "('true', 't', 'yes', 'y', '1')"
_FALSE = "('false', 'f', 'no', 'n', '0')"
_GROUPED = r"^[-+]?\d{1,3}(,\d{3})+(\.\d+)?$"


def raw_expression(spec: ColumnSpec) -> str:
    """Express the text a column is made from, before conversion."""
    if spec.constant is not None:
        return quoted(spec.constant)
    if spec.template is not None:
        return _template_expression(spec.template)
    inputs = [_as_text(name) for name in spec.inputs]
    text = inputs[0] if len(inputs) == 1 else f"coalesce({', '.join(inputs)})"
    if not spec.map:
        return text
    cases = " ".join(f"when {quoted(key)} then {quoted(to)}" for key, to in spec.map.items())
    rest = text if spec.otherwise is None else quoted(spec.otherwise)
    return f"case {text} {cases} else {rest} end"


def typed_expression(column: Column, raw: str, options: FileOptions) -> str:
    """Convert the text expression `raw` to the column's kind; missing where it cannot be."""
    kind = column.rule.kind
    if kind == "boolean":
        lowered = f"lower({raw})"
        return f"case when {lowered} in {_TRUE} then true when {lowered} in {_FALSE} then false end"
    if kind in ("number", "integer"):
        return _number_expression(raw, options.decimal)
    if kind in ("date", "timestamp"):
        moment = f"try_cast({raw} as TIMESTAMP)"
        if options.date_format:
            moment = f"try_strptime({raw}, {quoted(options.date_format)})"
        return f"try_cast({moment} as {SQL_TYPES[kind]})"
    return raw


def check_block_columns(block: Block, file: SourceFile) -> list[str]:
    """Name the columns a block needs and the file lacks, as messages."""
    needed = [name for spec in block.columns.values() for name in spec.inputs]
    absent = [name for name in dict.fromkeys(needed) if name not in file.columns]
    if not absent:
        return []
    return [
        f"{file.name}: {len(absent)} column(s) missing ({quote_examples(absent)}); the file has "
        f"{quote_examples(file.columns, most=30)}. Export them, or change the names under tables: "
        "in your mapping."
    ]


def stage_sql(
    mapping: Mapping, block: Block, columns: list[Column], file: SourceFile | None
) -> str:
    """Select a block's rows as `checks` wants them, staged.

    Parameters
    ----------
    mapping
        For its aliases.
    block
        Which rows, from `file` or (None) written in the block itself.
    columns
        Columns of the model the table will have; those the block does not fill are missing.

    Returns
    -------
    str
        A query: `_file`, `_row` (data row from 1), `_merged` (rows made one by `distinct`), and
        per column its text as `raw_<column>` and its typed value.
    """
    if file is None:
        name, options, relation = LITERAL, FileOptions(), literal_rows_sql(block)
        raws = {column: _as_text(column) for column in block.fills}
    else:
        name, options, relation = file.name, file.options, file.sql
        raws = {name: raw_expression(spec) for name, spec in block.columns.items()}
    raw_columns = [
        f"{raws.get(column, 'NULL')}::VARCHAR as {identifier(f'raw_{column}')}"
        for column in columns
    ]
    numbered = f"select row_number() over () as _row, {', '.join(raw_columns)} from {relation}"
    merged = "1"
    if block.distinct:
        names = ", ".join(identifier(f"raw_{column}") for column in columns)
        numbered = (
            f"select min(_row) as _row, count(*) as _n, {names} from ({numbered}) group by all"
        )
        merged = "_n"
    typed = [_typed_select(mapping, column, options) for column in columns]
    return (
        f"(select {quoted(name)} as _file, _row, {merged}::BIGINT as _merged, {', '.join(typed)} "
        f"from ({numbered}) order by _row)"
    )


def _typed_select(mapping: Mapping, column: Column, options: FileOptions) -> str:
    raw = identifier(f"raw_{column}")
    aliases = mapping.aliases.get(column.rule.references, {})
    value = typed_expression(column, raw, options)
    if aliases:
        cases = " ".join(f"when {quoted(key)} then {quoted(to)}" for key, to in aliases.items())
        value = f"case {raw} {cases} else {raw} end"
    return f"{raw}, ({value})::{SQL_TYPES[column.rule.kind]} as {identifier(column)}"


def literal_rows_sql(block: Block) -> str:
    """Make a relation of the rows written in the mapping itself, all text."""
    names = list(dict.fromkeys(name for row in block.rows for name in row))
    lines = []
    for row in block.rows:
        values = ["NULL" if row.get(name) is None else quoted(_plain(row[name])) for name in names]
        lines.append(f"({', '.join(values)})")
    if not lines:
        raise DataError("rows: there are none. Write at least one row.")
    return f"(values {', '.join(lines)}) as literal({', '.join(map(identifier, names))})"


def identifier(name: str) -> str:
    """Write a column name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _as_text(name: str) -> str:
    return f"nullif(trim({identifier(name)}::VARCHAR), '')"


def _template_expression(template: str) -> str:
    pieces = []
    for position, piece in enumerate(template.replace("}", "{").split("{")):
        if piece:
            pieces.append(_as_text(piece) if position % 2 else quoted(piece))
    return " || ".join(pieces)


def _number_expression(raw: str, decimal: str) -> str:
    bare = f"regexp_replace({raw}, '[\\s$€£¥]', '', 'g')"
    if decimal == ",":
        bare = f"replace(replace({bare}, '.', ''), ',', '.')"
    else:
        bare = (
            f"case when regexp_matches({bare}, '{_GROUPED}') "
            f"then replace({bare}, ',', '') else {bare} end"
        )
    number = f"try_cast({bare} as DOUBLE)"
    return f"case when isfinite({number}) then {number} end"
