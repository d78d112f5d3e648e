"""Cleaning: DuckDB expressions that turn an export's text into the model's types.

Text that cannot be converted becomes missing; `checks` then sees text without a value and
refuses the row with its reason, so nothing is coerced silently.
"""

from __future__ import annotations

from salesnb.errors import quote_examples
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
    "boolean": "BOOLEAN",
}
_TRUE = "('true', 't', 'yes', 'y', '1')"
_FALSE = "('false', 'f', 'no', 'n', '0')"
_SIGNS = "[\\s\\p{Z}$€£¥]"
_MOMENT = (
    r"\d{4}[-/]\d{1,2}[-/]\d{1,2}"
    r"([ T]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?( ?(Z|UTC|[-+]\d{2}(:?\d{2})?))?)?"
)


def raw_expression(spec: ColumnSpec) -> str:
    """Express the text a column is made from, as the export has it (blanks around it aside)."""
    if spec.constant is not None:
        return quoted(spec.constant)
    if spec.template is not None:
        return _template_expression(spec.template)
    inputs = [_as_text(name) for name in spec.inputs]
    return inputs[0] if len(inputs) == 1 else f"coalesce({', '.join(inputs)})"


def mapped_expression(spec: ColumnSpec, raw: str) -> str:
    """Replace the text `raw` by what the spec's `map` says; an empty text means missing."""
    if not spec.map:
        return f"nullif({raw}, '')"
    rest = raw if spec.otherwise is None else quoted(spec.otherwise)
    return f"nullif({_case(raw, spec.map)} else {rest} end, '')"


def typed_expression(column: Column, text: str, options: FileOptions) -> str:
    """Convert the expression `text` to the column's kind; missing where it cannot be.

    Of a time with an offset the day and time as written are kept.
    """
    kind = column.rule.kind
    if kind == "boolean":
        lowered = f"lower({text})"
        return f"case when {lowered} in {_TRUE} then true when {lowered} in {_FALSE} then false end"
    if kind == "number":
        return _number_expression(text, options.decimal)
    if kind in ("date", "timestamp"):
        moment = f"case when regexp_full_match({text}, '{_MOMENT}') then {text} end"
        moment = f"try_cast({moment} as TIMESTAMP)"
        if options.date_format:
            moment = f"try_strptime({text}, {quoted(options.date_format)})"
        return f"try_cast({moment} as {SQL_TYPES[kind]})"
    return f"upper({text})" if column.rule.letters == "upper" else text


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
    mapping: Mapping, block: Block, number: int, columns: list[Column], file: SourceFile | None
) -> str:
    """Select a block's rows as `checks` wants them, staged.

    Parameters
    ----------
    mapping
        For its aliases.
    block, number
        Which rows, from `file` or (None) written in the block itself; `number` tells the blocks
        of a table apart.
    columns
        Columns of the model the table will have; those the block does not fill are missing.

    Returns
    -------
    str
        A query: `_block`, `_file`, `_row` (data row from 1), `_merged` (rows made one by
        `distinct`), and per column its text as `raw_<column>`, its typed value and, unless it is
        text, `unread_<column>`: whether there was a text that could not be converted.
    """
    origin = LITERAL if file is None else file.name
    options = FileOptions() if file is None else file.options
    relation = _literal_rows(block) if file is None else file.sql
    specs = {name: block.columns.get(name, ColumnSpec(column=name)) for name in block.fills}
    raws = ", ".join(
        f"{raw_expression(specs[column]) if column in specs else 'NULL'}::VARCHAR as {_raw(column)}"
        for column in columns
    )
    rows = f"select row_number() over () as _row, 1 as _merged, {raws} from {relation}"
    texts = {
        column: mapped_expression(specs[column], _raw(column)) if column in specs else _raw(column)
        for column in columns
    }
    if block.distinct:
        firsts = ", ".join(f"first({_raw(c)} order by _row) as {_raw(c)}" for c in columns)
        rows = (
            f"select min(_row) as _row, count(*) as _merged, {firsts} from ({rows}) "
            f"group by {', '.join(texts.values())}"
        )
    typed = ", ".join(_typed_select(mapping, c, texts[c], options) for c in columns)
    return (
        f"(select {number} as _block, {quoted(origin)} as _file, _row, _merged::BIGINT as _merged, "
        f"{typed} from ({rows}) order by _row)"
    )


def _typed_select(mapping: Mapping, column: Column, text: str, options: FileOptions) -> str:
    aliases = mapping.aliases.get(column.rule.references, {})
    value = typed_expression(column, text, options)
    if aliases:
        value = f"{_case(text, aliases)} else {text} end"
    typed = f"({value})::{SQL_TYPES[column.rule.kind]}"
    if column.rule.kind == "text":
        return f"{_raw(column)}, {typed} as {identifier(column)}"
    unread = f"{text} is not null and {typed} is null"
    return (
        f"{_raw(column)}, {typed} as {identifier(column)}, "
        f"{unread} as {identifier(f'unread_{column}')}"
    )


def _literal_rows(block: Block) -> str:
    """Make a relation of the rows written in the mapping itself, all text."""
    names = list(dict.fromkeys(name for row in block.rows for name in row))
    lines = []
    for row in block.rows:
        values = ["NULL" if row.get(name) is None else quoted(_plain(row[name])) for name in names]
        lines.append(f"({', '.join(values)})")
    return f"(values {', '.join(lines)}) as literal({', '.join(map(identifier, names))})"


def identifier(name: str) -> str:
    """Write a column name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def _raw(column: Column) -> str:
    return identifier(f"raw_{column}")


def _case(text: str, replacements: dict[str, str]) -> str:
    cases = " ".join(f"when {quoted(key)} then {quoted(to)}" for key, to in replacements.items())
    return f"case {text} {cases}"


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


def _number_expression(text: str, decimal: str) -> str:
    """Read a number whose thousands, where they are grouped, are grouped in threes."""
    group = "." if decimal == "," else ","
    whole = rf"(\d+|\d{{1,3}}([{group}]\d{{3}})+)"
    form = rf"[-+]?({whole}([{decimal}]\d*)?|[{decimal}]\d+)([eE][-+]?\d+)?"
    bare = f"regexp_replace({text}, '{_SIGNS}', '', 'g')"
    plain = f"replace(replace({bare}, '{group}', ''), '{decimal}', '.')"
    number = f"try_cast(case when regexp_full_match({bare}, '{form}') then {plain} end as DOUBLE)"
    return f"case when isfinite({number}) then {number} end"
