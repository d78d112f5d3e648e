import pytest
import yaml
from pydantic import ValidationError

from salesnb.errors import DataError, ParameterError
from salesnb.periods import FiscalCalendar, FiscalWeeks
from salesnb.schema import TABLES
from salesnb.sources.mapping import (
    Company,
    Mapping,
    identity_mapping,
    preset_names,
    read_company,
    read_mapping,
    read_preset,
)

SMALL = "tables: {reps: [{from: staff, columns: {rep_id: Id}}]}"


def spec(content):
    """Read one column's specification."""
    tables = {"reps": [{"from": "staff", "columns": {"name": yaml.safe_load(content)}}]}
    (block,) = Mapping.model_validate({"tables": tables}).tables["reps"]
    return block.columns["name"]


def write(tmp_path, text, name="m.yaml"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_fills_what_the_required_tables_need(name):
    mapping = read_preset(name)
    for table in TABLES.values():
        for block in mapping.tables.get(table.name, ()):
            assert set(table.required_columns) <= block.fills
    assert {table.name for table in TABLES.values() if table.required} <= set(mapping.tables)


def test_an_unknown_preset_lists_those_there_are():
    with pytest.raises(ParameterError, match="no preset 'mavn'. Choose one of: .*maven"):
        read_preset("mavn")


def test_a_missing_mapping_file_is_named(tmp_path):
    with pytest.raises(ParameterError, match=r"none.yaml: there is no such mapping file"):
        read_mapping(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tables: [", "(?s)m.yaml: not valid YAML: .*line 1"),
        ("a: b: c", "m.yaml: not valid YAML"),
        ("", r"m.yaml: 1 problem\(s\):\n  file: "),
        ("- reps", r"m.yaml: 1 problem\(s\):\n  file: "),
        ("about: nothing", "tables: Field required"),
        (b"tables: {\xe9: []}", "m.yaml: not UTF-8: .*Save it as UTF-8"),
    ],
)
def test_what_is_no_mapping_is_refused_with_the_place(tmp_path, text, said):
    with pytest.raises(ParameterError, match=said):
        read_mapping(write(tmp_path, text))


def test_a_mapping_may_begin_with_a_byte_order_mark(tmp_path):
    mapping = read_mapping(write(tmp_path, b"\xef\xbb\xbf" + SMALL.encode()))
    assert mapping.sources == ("staff",)


def test_unknown_names_are_all_reported(tmp_path):
    text = """
files: {deal.csv: {encoding: latin-1}, staff.csv: {decimal: ","}}
aliases: {product: {a: b}}
tables:
  rep: [{from: staff, columns: {rep_id: Id}}]
  reps: [{from: staff.csv, columns: {rep_id: Id, nme: Name, wage: Pay}}]
"""
    with pytest.raises(ParameterError) as caught:
        read_mapping(write(tmp_path, text))
    message = str(caught.value)
    assert "tables: 'rep' is not a table; known: reps, teams" in message
    assert "aliases: 'product' is not a table" in message
    assert "tables: reps: unknown columns nme, wage; known: rep_id, name, role" in message
    assert "files: no table is read from deal.csv; read: staff" in message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("company: {curency: EUR}", r"company.curency: Extra inputs"),
        ("company: {currency: euro}", r"company.currency: String should match"),
        ("company: {fiscal_year_start: 13}", r"company.fiscal_year_start: Input should be less"),
        ("files: {staff: {encoding: utf-9}}", r"files.staff.encoding: .*'utf-9' is no encoding"),
        (
            "files: {staff: {time_zone: Berlin}}",
            r"files.staff.time_zone: .*'Berlin' is no time zone",
        ),
        (
            "company: {time_zone: ../UTC}",
            r"company.time_zone: .*is no time zone; write it like UTC",
        ),
        ("company: {fiscal_weeks: {ends_on: friday}}", r"company.fiscal_weeks.anchor: Field req"),
        ("company: {fiscal_weeks: {ends_on: sat, anchor: last}}",
         r"company.fiscal_weeks.ends_on: Input should be 'monday', .* or 'sunday'"),
        ("company: {fiscal_weeks: {ends_on: friday, anchor: last, pattern: 4-4-5}}",
         r"company.fiscal_weeks.pattern: Unexpected"),
        ("company: {fiscal_year_named_by: middle}", r"fiscal_year_named_by: .* 'end' or 'start'"),
        ("files: {staff: {decimal: ';'}}", r"files.staff.decimal: String should match"),
        ("files: {staff: {delimiter: '||'}}", r"files.staff.delimiter: .*at most 1"),
        ("files: {staff: {delimiter: ''}}", r"files.staff.delimiter: .*at least 1"),
        ("files: {staff: {date_format: '%Q'}}", r"'%Q' is no date format; write it like %d/%m/%Y"),
    ],
)  # fmt: skip
def test_a_wrong_setting_is_named_with_its_place(tmp_path, text, said):
    with pytest.raises(ParameterError, match=said):
        read_mapping(write(tmp_path, f"{SMALL}\n{text}\n"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{column: A, constant: b}", "give exactly one of column, constant, template, first_of"),
        ("{map: {a: b}}", "give exactly one of"),
        ("{column: A, otherwise: b}", "`otherwise` needs a `map`"),
        ("{constant: A, map: {A: b}}", "`map` needs a column or first_of"),
        ("{constant: A, then: lower}", "`then` needs a column or first_of"),
        ("{sum: [A], column: B}", "give exactly one of"),
        ("{difference: [A]}", "`difference` needs two columns"),
        ("{seconds_between: [A, B, C]}", "at most 2 items"),
        ("{column: A, then: lowercase}", "Input should be 'lower', 'upper'"),
        ("{column: A, then: {scale: 2, before: x}}", "a step is exactly one thing"),
        ("{column: A, then: {scale: .nan}}", "finite number"),
        ("{column: A, ignore_case: true}", "`ignore_case` needs a `map`"),
        (
            "{column: A, only_if: {B: {found_in: {from: x, column: y}, is: z}}}",
            "give either values",
        ),
        ("[{column: A}, {colunm: B}]", "alternatives.1.colunm"),
        ("[]", "give exactly one of"),
        ("{template: '{A}', map: {A: b}}", "`map` needs a column or first_of"),
        ("{column: A, map: {Yes: ja, No: nein}}", "YAML reads yes, no, on and off as true"),
        ("{column: A, map: [a, b]}", "valid dictionary"),
        ("{colunm: A}", "Extra inputs are not permitted"),
        ("7", "valid dictionary"),
    ],
)
def test_a_column_has_one_origin_and_no_setting_without_effect(text, said):
    with pytest.raises(ValidationError, match=said):
        spec(text)


def test_a_column_knows_what_it_is_made_from():
    assert spec("Stage").inputs == ("Stage",)
    assert spec("{first_of: [A, B]}").inputs == ("A", "B")
    assert spec("{template: '{First} {Last}'}").inputs == ("First", "Last")
    assert spec("{constant: EUR}").inputs == ()
    mapped = spec("{column: Code, map: {1: true, 'No': 2.5}}")
    assert mapped.map == {"1": "true", "No": "2.5"}


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ({"from": "staff", "columns": {"rep_id": "Id"}, "rows": [{"rep_id": "a"}]}, "give either"),
        ({"columns": {"rep_id": "Id"}}, "give either"),
        ({"from": "staff"}, "`from` needs `columns`"),
        (
            {"from": "staff", "columns": {"rep_id": "Id"}, "only_filled": "name"},
            "does not fill name",
        ),
        ({"from": "staff", "columns": {"rep_id": "Id"}, "add_up": "name"}, "does not fill name"),
        (
            {"from": "staff", "columns": {"rep_id": "Id"}, "distinct": True, "latest_by": "Id"},
            "give one of distinct, latest_by",
        ),
    ],
)
def test_a_block_has_a_file_or_rows(block, said):
    with pytest.raises(ValidationError, match=said):
        Mapping.model_validate({"tables": {"reps": [block]}})


def test_files_that_have_the_models_names_need_no_mapping():
    files = {"reps": ("rep_id", "shoe_size", "name"), "notes": ("text",), "leads": ("a",)}
    mapping = identity_mapping(files, Company(name="Acme"))
    (block,) = mapping.tables["reps"]
    assert (block.source, sorted(block.columns)) == ("reps", ["name", "rep_id"])
    assert set(mapping.tables) == {"reps"}
    assert mapping.company.name == "Acme"


def test_files_of_other_names_need_one():
    with pytest.raises(DataError, match=r"\(found: deals, notes\). Give --preset \(.*\) or --mapp"):
        identity_mapping({"notes": ("text",), "deals": ("rep_id",)}, Company())


def test_the_company_is_read_from_beside_the_export(tmp_path):
    text = "company: Acme\ncurrency: EUR\nfiscal_year_start: 2\nas_of: 2026-05-01\n"
    company = read_company(write(tmp_path, text, "company.yaml"))
    assert (company.name, company.currency, company.fiscal_year_start) == ("Acme", "EUR", 2)
    assert str(company.as_of) == "2026-05-01"
    assert company.calendar == FiscalCalendar(2)
    assert read_company(write(tmp_path, "", "company.yaml")) == Company()


def test_a_companys_calendar_may_be_of_weeks_and_outlives_being_written(tmp_path):
    text = (
        "fiscal_year_start: 2\nfiscal_year_named_by: start\n"
        "fiscal_weeks: {ends_on: saturday, anchor: nearest}\n"
    )
    company = read_company(write(tmp_path, text, "company.yaml"))
    retail = FiscalCalendar(2, FiscalWeeks("saturday", "nearest"), named_by="start")
    assert company.calendar == retail
    assert Company.model_validate_json(company.model_dump_json()).calendar == retail


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("company: Acme\ncolour: red\nramp_days: -1\n", r"2 problem\(s\):\n  ramp_days: .*colour:"),
        ("company: [", "company.yaml: not valid YAML"),
        ("- Acme", r"company.yaml: 1 problem\(s\)"),
        (b"company: Caf\xe9", "company.yaml: not UTF-8"),
    ],
)
def test_a_wrong_company_file_is_refused_with_all_problems(tmp_path, text, said):
    with pytest.raises(ParameterError, match=f"(?s){said}"):
        read_company(write(tmp_path, text, "company.yaml"))
