"""The page on mappings: every example is one, and what it shows is all there is."""

import re
from pathlib import Path

import pytest
from compiled import read_text

from salesnb.sources.mapping import Block, Change, ColumnSpec, Condition, preset_names
from salesnb.sources.mapping.columns import Word
from salesnb.sources.mapping.compose import Layer

PAGE = (Path(__file__).parents[1] / "docs" / "mappings.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```$", PAGE, flags=re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("example", EXAMPLES)
def test_each_example_is_a_mapping(tmp_path, example):
    assert read_text(tmp_path, example).tables


def test_all_there_is_to_write_is_shown():
    internal = {"changed", "changes", "dropped", "alternatives", "about", "year_start", "word"}
    known = set()
    for model in (Block, Change, ColumnSpec, Condition, Layer):
        known |= {field.alias or name for name, field in model.model_fields.items()}
    known |= set(Word.__args__) | {"before", "after", "scale", "greater_than"}
    shown = set(re.findall(r"[a-z_]+", PAGE))
    assert known - internal - {"is"} <= shown
    assert set(preset_names()) <= shown
