"""Mappings: which column of an export becomes which column of the model, as YAML.

A mapping says, per table of the model, where its rows come from::

    extends: salesforce
    company: {name: Acme, currency: EUR, fiscal_year_start: 2}
    tables:
      opportunities:
        columns:
          amount: ARR__c
          is_won: {column: StageName, map: {Signed: "true"}, otherwise: "false"}

Everything is declared; nothing is evaluated. `docs/mappings.md` shows the whole language.
"""

from salesnb.sources.mapping.blocks import Block, Change, Mapping
from salesnb.sources.mapping.columns import ColumnSpec, Condition, FoundIn, Lookup, Step
from salesnb.sources.mapping.files import (
    describe_validation,
    identity_mapping,
    preset_names,
    read_company,
    read_mapping,
    read_preset,
)
from salesnb.sources.mapping.names import SUFFIXES, file_stem
from salesnb.sources.mapping.options import Company, FileOptions
from salesnb.sources.mapping.resolve import LITERAL, Resolution, resolve
from salesnb.sources.mapping.strict import FALSE_WORDS, TRUE_WORDS

__all__ = [
    "FALSE_WORDS",
    "LITERAL",
    "SUFFIXES",
    "TRUE_WORDS",
    "Block",
    "Change",
    "ColumnSpec",
    "Company",
    "Condition",
    "FileOptions",
    "FoundIn",
    "Lookup",
    "Mapping",
    "Resolution",
    "Step",
    "describe_validation",
    "file_stem",
    "identity_mapping",
    "preset_names",
    "read_company",
    "read_mapping",
    "read_preset",
    "resolve",
]
