import copy
import pickle

import duckdb
import pytest

from salesnb import columns, schema
from salesnb.schema import TABLES, Column, Table
from salesnb.sources.cleaning import SQL_TYPES

COLUMNS = [column for table in TABLES.values() for column in table.columns.values()]


def test_a_column_is_its_name_and_knows_its_rule_and_table():
    column = schema.opportunities.rep_id
    assert column == "rep_id"
    assert (column.table, column.rule.references) == ("opportunities", "reps")
    assert schema.opportunities.declaration is TABLES["opportunities"]
    assert TABLES["opportunities"].columns["rep_id"] is column


def test_a_column_survives_a_pickle_with_what_it_knows():
    column = schema.opportunities.rep_id
    again = pickle.loads(pickle.dumps(column))
    assert (again, again.rule, again.table) == (column, column.rule, column.table)


def test_reps_and_opportunities_alone_are_required():
    assert {name for name, table in TABLES.items() if table.required} == {"reps", "opportunities"}


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_keys_are_columns_every_row_must_fill_unless_they_say_otherwise(table):
    assert table.key
    for name in table.key:
        rule = table.columns[name].rule
        assert rule.required is not rule.nullable
    # a reference is looked up by the first part of the key, so that part may not be missing
    assert table.columns[table.key[0]].rule.required


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_faults_are_sql_over_the_tables_own_columns(table):
    typed = ", ".join(
        f'null::{SQL_TYPES[column.rule.kind]} as "{name}"' for name, column in table.columns.items()
    )
    with duckdb.connect() as db:
        for fault in table.faults:
            found = db.sql(f"select ({fault.sql})::BOOLEAN from (select {typed})").fetchall()
            assert found == [(None,)]  # a missing value is no fault


def test_references_name_tables_that_are_loaded_before():
    order = list(TABLES)
    for column in COLUMNS:
        target = column.rule.references
        if target:
            assert order.index(target) <= order.index(column.table), f"{column.table}.{column}"


def test_rules_say_what_fits_their_kind():
    for column in COLUMNS:
        rule = column.rule
        assert rule.kind in SQL_TYPES
        assert not (rule.vocabulary and rule.kind != "text")
        assert not (rule.letters == "upper" and rule.kind != "text")
        assert not ((rule.minimum, rule.maximum) != (None, None) and rule.kind != "number")
        assert not (rule.unit and rule.kind != "number")
        assert rule.about


def test_a_table_files_itself_with_named_columns(monkeypatch):
    monkeypatch.setattr(columns, "TABLES", {})

    class visits(Table):  # noqa: N801 - tables are named as in the CRM
        """Visits to customers.

        More about them.
        """

        key = ("visit_id",)
        visit_id = schema.accounts.account_id
        note = schema.accounts.name

    assert list(columns.TABLES) == ["visits"]
    declared = columns.TABLES["visits"]
    assert declared.about == "Visits to customers."
    assert declared.required_columns == ("visit_id",)
    assert isinstance(visits.note, Column)
    assert visits.note == "note"
    assert visits.note.table == "visits"
    assert schema.accounts.account_id == "account_id"


def test_a_column_stays_what_it_is_when_copied_or_pickled():
    column = schema.opportunities.amount
    for other in (pickle.loads(pickle.dumps(column)), copy.deepcopy(column)):
        assert (other, other.rule, other.table) == ("amount", column.rule, "opportunities")
