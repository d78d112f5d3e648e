"""The data model's page and that of a batch's parameters, from their declarations."""

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from salesnb.params import RunParams
from salesnb.schema import TABLES
from salesnb.sources.mapping import Company

_TYPES = {
    "string": "text", "integer": "whole number", "number": "number", "boolean": "true or false",
    "object": "names with numbers",
}  # fmt: skip


def model_page():
    """Describe every table and column, as checks enforce them."""
    lines = [
        "# Data model",
        "",
        "The tables a snapshot holds. Only `reps` and `opportunities` must be there; what needs "
        "another table says so and is left out without it. A mapping "
        "([Map your CRM](../mappings.md)) says which column of your export becomes which of these.",
    ]
    for name, table in TABLES.items():
        required = " Required." if table.required else ""
        lines += [
            f"\n(table-{name.replace('_', '-')})=\n\n## {name}\n",
            f"{table.about}{required}\n",
            "| Column | Kind | What it holds | Rules |\n|---|---|---|---|",
            *(_column(column, table) for column in table.columns.values()),
        ]
        if table.faults:
            reasons = "; ".join(fault.reason for fault in table.faults)
            lines.append(f"\nRefused where: {reasons}.")
    return "\n".join(lines) + "\n"


def _column(column, table):
    rule = column.rule
    rules = [
        "key" if column in table.key else "",
        "required" if rule.required and column not in table.key else "",
        f"one of {', '.join(f'`{word}`' for word in rule.vocabulary)}" if rule.vocabulary else "",
        f"at least {rule.minimum:g}" if rule.minimum is not None else "",
        f"at most {rule.maximum:g}" if rule.maximum is not None else "",
        f"in `{rule.references}`, else {_UNKNOWN[rule.on_unknown]}" if rule.references else "",
    ]
    unit = f" ({rule.unit})" if rule.unit else ""
    return f"| `{column}` | {rule.kind}{unit} | {rule.about} | {'; '.join(filter(None, rules))} |"


_UNKNOWN = {"refuse": "refused", "warn": "a warning"}


def params_page():
    """Describe every key of a batch's parameters and of a mapping's company settings."""
    return "\n".join(
        [
            "# Parameters of a batch",
            "",
            "The keys of `params/*.yaml`, which `salesnb check` and `salesnb run` read. A key that "
            "is not here is refused. See [Run a quarter's batch](../batch.md).",
            "",
            *_fields(RunParams),
            "",
            "## Company settings",
            "",
            "The keys of `company:` in a mapping ([Map your CRM](../mappings.md)). They stay in "
            "the snapshot, and every report follows them.",
            "",
            *_fields(Company),
            "",
        ]
    )


def _fields(model):
    schema = model.model_json_schema()
    yield "| Key | What it says | Type | Default |\n|---|---|---|---|"
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            for key, part in inner.model_fields.items():
                kind = _type(inner.model_json_schema()["properties"][key], schema)
                yield _row(f"{name}.{key}", kind, part)
        else:
            yield _row(name, _type(schema["properties"][name], schema), field)


def _row(name, kind, field):
    about = field.description or ""
    default = _default(field)
    default = "all of them" if kind.endswith(f"one of {default}") else default
    return f"| `{name}` | {about} | {kind} | {default} |"


def _default(field):
    if field.is_required():
        return "required"
    value = field.default
    if value is PydanticUndefined or value in (None, "", (), {}):
        return "none"
    if isinstance(value, tuple):
        return ", ".join(f"`{one}`" for one in value)
    return f"`{value}`"


def _type(schema, whole):
    if "enum" in schema:
        return "one of " + ", ".join(f"`{word}`" for word in schema["enum"])
    if "anyOf" in schema:
        kinds = [_type(one, whole) for one in schema["anyOf"] if one.get("type") != "null"]
        return " or ".join(dict.fromkeys(kinds))
    if "$ref" in schema:
        return _type(whole["$defs"][schema["$ref"].rpartition("/")[2]], whole)
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}), whole)}"
    if schema.get("format") == "date":
        return "day"
    return _TYPES.get(schema.get("type"), schema.get("type", "text"))
