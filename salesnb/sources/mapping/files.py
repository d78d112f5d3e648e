"""Files: mappings and company settings as YAML, the package's presets among them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib import resources
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from salesnb.errors import DataError, ParameterError, join_problems, meant
from salesnb.schema import TABLES
from salesnb.sources.mapping.blocks import Block, Mapping
from salesnb.sources.mapping.columns import ColumnSpec
from salesnb.sources.mapping.compose import Layer, compose
from salesnb.sources.mapping.names import plain_name
from salesnb.sources.mapping.options import Company

_PRESETS = resources.files("salesnb.sources") / "presets"


def preset_names() -> tuple[str, ...]:
    """Names of the mappings that come with the package."""
    names = [path.name for path in _PRESETS.iterdir() if path.name.endswith(".yaml")]
    return tuple(sorted(name.removesuffix(".yaml") for name in names))


def read_preset(name: str) -> Mapping:
    """Read one of the package's mappings.

    Raises
    ------
    ParameterError
        There is no such preset; the message lists those there are.
    """
    if name not in preset_names():
        known = ", ".join(preset_names())
        raise ParameterError(
            f"--preset: there is no preset {name!r}. Choose one of: {known}."
            f"{meant(name, preset_names())}"
        )
    return _read_preset(name, chain=())


def read_mapping(path: Path) -> Mapping:
    """Read a mapping from a YAML file, with what it extends.

    Raises
    ------
    ParameterError
        The file is missing, is not YAML, names tables or columns that do not exist, or extends
        what is not there or itself; the message lists every problem.
    """
    return _read_file(path, chain=())


def _read_preset(name: str, *, chain: tuple[str, ...]) -> Mapping:
    text = (_PRESETS / f"{name}.yaml").read_text(encoding="utf-8")
    return _parse(text, where=f"preset {name}", folder=None, chain=chain)


def _read_file(path: Path, *, chain: tuple[str, ...]) -> Mapping:
    if not path.is_file():
        raise ParameterError(f"{path}: there is no such mapping file.")
    return _parse(_read_text(path), where=str(path), folder=path.parent, chain=chain)


def _parse(text: str, *, where: str, folder: Path | None, chain: tuple[str, ...]) -> Mapping:
    try:
        layer = Layer.model_validate(_parse_yaml(text, where=where))
        base = _read_base(layer.extends, where=where, folder=folder, chain=chain)
        return compose(layer, base)
    except ValidationError as error:
        raise ParameterError(f"{where}: {describe_validation(error)}") from error
    except ValueError as error:
        raise ParameterError(f"{where}: {error}.") from error


def _read_base(
    name: str | None, *, where: str, folder: Path | None, chain: tuple[str, ...]
) -> Mapping | None:
    """Read what a mapping extends: a preset by its name, or a file beside it."""
    if name is None:
        return None
    if name in preset_names():
        target = f"preset {name}"
    else:
        target = str((folder / name).resolve()) if folder else name
    here = str(Path(where).resolve()) if folder else where
    if target in (*chain, here):
        circle = " -> ".join([*chain, here, target])
        raise ParameterError(f"{where}: extends: goes round in a circle: {circle}. Break it.")
    if target.startswith("preset "):
        return _read_preset(name, chain=(*chain, here))
    if not Path(target).is_file():
        known = ", ".join(preset_names())
        raise ParameterError(
            f"{where}: extends: {name!r} is neither a preset ({known}) nor a file beside it "
            f"({target}). Correct the name."
        )
    return _read_file(Path(target), chain=(*chain, here))


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ParameterError(f"{path}: not UTF-8: {error}. Save it as UTF-8.") from error


def _parse_yaml(text: str, *, where: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ParameterError(f"{where}: not valid YAML: {error}") from error


def describe_validation(error: ValidationError, known: Iterable[str] = ()) -> str:
    """Write pydantic's findings as one line each; `known` keys may have been meant."""
    items = error.errors()
    wrong = {item["loc"][:1] for item in items if len(item["loc"]) > 1}
    problems = [
        f"{_place(item['loc'])}: {item['msg'].rstrip('.')}.{_meant(item, known)}"
        for item in items
        if item["type"] != "too_short" or item["loc"] not in wrong
    ]
    return join_problems(problems, heading=f"{len(problems)} problem(s)")


def _meant(item: ErrorDetails, known: Iterable[str]) -> str:
    """Ask whether a known key or one of the values allowed was meant."""
    if item["type"] == "extra_forbidden" and len(item["loc"]) == 1:
        return meant(item["loc"][0], known)
    if item["type"] == "literal_error":
        return meant(item["input"], re.findall("'([^']*)'", item["ctx"]["expected"]))
    return ""


def _place(location: tuple[int | str, ...]) -> str:
    """Write where a finding is; changes stand under `tables:` too."""
    parts = [str(part) for part in location]
    if parts[:1] == ["changes"]:
        parts[0] = "tables"
    return ".".join(parts) or "file"


def identity_mapping(columns_by_file: dict[str, tuple[str, ...]], company: Company) -> Mapping:
    """Map an export that already has the model's names: files named like tables, columns alike.

    Parameters
    ----------
    columns_by_file
        Column names of each file, by the file's stem.
    company
        Settings that hold for all tables.

    Raises
    ------
    DataError
        No file is named like a table of the model.
    """
    tables = {}
    for name, declaration in TABLES.items():
        if name in columns_by_file:
            present = [column for column in declaration.columns if column in columns_by_file[name]]
            columns = {str(column): ColumnSpec(column=(str(column),)) for column in present}
            if columns:
                tables[name] = (Block(sources=(name,), columns=columns),)
    if not set(columns_by_file) & set(TABLES):
        found = ", ".join(sorted(columns_by_file))
        fitting = _fitting_presets(columns_by_file)
        like = f" These are named like {fitting[0]}'s: --preset {fitting[0]}." if fitting else ""
        raise DataError(
            f"no file is named like a table of the model (found: {found}). "
            f"Give --preset ({', '.join(preset_names())}) or --mapping.{like}"
        )
    return Mapping(company=company, tables=tables)


def _fitting_presets(names: Iterable[str]) -> list[str]:
    """List the presets that files are named for, the one that most are named for first."""
    plain = {plain_name(name) for name in names}
    fits = {}
    for preset in preset_names():
        blocks = [block for blocks in read_preset(preset).tables.values() for block in blocks]
        wanted = {plain_name(source) for block in blocks for source in block.sources}
        fits[preset] = len(plain & wanted)
    return sorted((name for name in fits if fits[name]), key=lambda name: -fits[name])


def read_company(path: Path) -> Company:
    """Read `company.yaml` beside an export; the key `company` is the company's name.

    Raises
    ------
    ParameterError
        The file is not YAML, or a setting is unknown or wrong; the message lists every problem.
    """
    content = _parse_yaml(_read_text(path), where=str(path))
    if isinstance(content, dict) and "company" in content:
        content = {**content, "name": content["company"]}
        del content["company"]
    try:
        return Company.model_validate({} if content is None else content)
    except ValidationError as error:
        raise ParameterError(f"{path}: {describe_validation(error)}") from error
