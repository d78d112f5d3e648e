"""What the language makes of values: compiled SQL, run by DuckDB."""

import datetime as dt

import duckdb
import pytest
import yaml
from compiled import make_relation, problems_of, run, spec_of
from hypothesis import given, settings
from hypothesis import strategies as st

from salesnb.periods import FiscalCalendar
from salesnb.sources.load.expressions import (
    full_expression,
    latest_expression,
    left_out_expression,
    raw_expression,
)
from salesnb.sources.mapping import Block, Mapping, resolve

HOSTILE = [
    'say "hi"',
    "a'b",
    "x; drop table data; --",
    "{curly}",
    "_key",
    "select",
    "né\u200be",
    " ",
]


def value(spec, row, **options):
    """Make one value of one row, given as a dict."""
    data = [list(row), list(row.values())]
    columns = {"rep_id": {"constant": "r"}, "name": yaml.safe_load(spec)}
    mapping = Mapping.model_validate(
        {
            "company": options.pop("company", {}),
            "tables": {"reps": [{"from": "data", "columns": columns}]},
        }
    )
    resolution = resolve(mapping, {"data": tuple(row)})
    assert problems_of(resolution) == []
    made = full_expression(resolution.tables["reps"][0].columns["name"], **options)
    with duckdb.connect() as db:
        db.execute("set TimeZone = 'UTC'")
        return db.sql(f"select {made} from {make_relation(data)}").fetchall()[0][0]


@pytest.mark.parametrize(
    ("spec", "row", "made"),
    [
        # numbers: a sum takes a missing part as 0, a difference too, a product and a ratio do not
        ("{sum: [A, B]}", {"A": "1.5", "B": "2"}, "3.5"),
        ("{sum: [A, B]}", {"A": "1", "B": ""}, "1"),
        ("{sum: [A, B]}", {"A": "", "B": " "}, None),
        ("{sum: [A, B, C]}", {"A": "1", "B": "2", "C": "3"}, "6"),
        ("{difference: [A, B]}", {"A": "$1,000.50", "B": ".25"}, "1000.25"),
        ("{difference: [A, B]}", {"A": "5", "B": ""}, "5"),
        ("{difference: [A, B]}", {"A": "", "B": "5"}, None),
        ("{product: [A, B]}", {"A": "3", "B": "4"}, "12"),
        ("{product: [A, B]}", {"A": "3", "B": ""}, None),
        ("{ratio: [A, B]}", {"A": "1", "B": "4"}, "0.25"),
        ("{ratio: [A, B]}", {"A": "1", "B": "0"}, None),
        # what is no number is kept, so that the row is refused and shows it
        ("{sum: [A, B]}", {"A": "1", "B": "n/a"}, "n/a"),
        ("{product: [A, B]}", {"A": "1,5", "B": "2"}, "1,5"),
        ("{column: A, then: {scale: 0.001}}", {"A": "1,5"}, "1,5"),
        ("{column: A, then: {scale: 0.001}}", {"A": "61500"}, "61.5"),
        ("{column: A, then: {scale: 60}}", {"A": "30"}, "1800"),
        ("{column: A, then: {greater_than: 20}}", {"A": "20"}, "false"),
        ("{column: A, then: {greater_than: 20}}", {"A": "20.1"}, "true"),
        ("{column: A, then: {greater_than: 20}}", {"A": "high"}, "high"),
        # parts may be made themselves
        ("{sum: [{product: [A, B]}, {constant: '1'}]}", {"A": "3", "B": "4"}, "13"),
        # texts
        ("{column: A, then: lower}", {"A": "AbC"}, "abc"),
        ("{column: A, then: [upper, {before: '@'}]}", {"A": "ana@acme.com"}, "ANA"),
        ("{column: A, then: {before: ' ('}}", {"A": "Closed won (Sales (EU))"}, "Closed won"),
        ("{column: A, then: {before: ' ('}}", {"A": "Closed won"}, "Closed won"),
        ("{column: A, then: {after: '::'}}", {"A": "a::b::c"}, "b::c"),
        ("{column: A, then: {after: '::'}}", {"A": "abc"}, "abc"),
        ("{column: A, then: {after: \"'\"}}", {"A": "it's"}, "s"),
        ("{column: A, then: not}", {"A": "YES"}, "false"),
        ("{column: A, then: not}", {"A": "0"}, "true"),
        ("{column: A, then: not}", {"A": "maybe"}, "maybe"),
        ("{is_filled: A}", {"A": " "}, "false"),
        ("{is_filled: A}", {"A": "0"}, "true"),
        # times
        ("{column: A, then: day}", {"A": "2026-01-31T23:59:00.000+0000"}, "2026-01-31"),
        ("{column: A, then: day}", {"A": "2026-01-31"}, "2026-01-31"),
        ("{column: A, then: day}", {"A": "31/01/2026"}, "31/01/2026"),
        ("{column: A, then: hours_minutes}", {"A": "01:30"}, "5400"),
        ("{column: A, then: minutes_seconds}", {"A": "01:30"}, "90"),
        ("{column: A, then: minutes_seconds}", {"A": "1:00:30"}, "3630"),
        ("{column: A, then: hours_minutes}", {"A": "1h30"}, "1h30"),
        ("{seconds_between: [A, B]}", {"A": "2026-01-01 10:00", "B": "2026-01-01T10:30:00.5Z"}, "1800.5"),  # noqa: E501
        ("{seconds_between: [A, B]}", {"A": "2026-01-01 10:00+02", "B": "2026-01-01 10:00"}, "7200"),  # noqa: E501
        ("{seconds_between: [A, B]}", {"A": "15 Apr, 2021 00:02:00", "B": "15 Apr, 2021 00:03:00"}, "60"),  # noqa: E501
        ("{seconds_between: [A, B]}", {"A": "2026-01-01 10:00", "B": ""}, None),
        ("{seconds_between: [A, B]}", {"A": "2026-01-01 10:00", "B": "soon"}, "soon"),
        # map, missing values, conditions
        ("{column: A, map: {Won: 'true'}, ignore_case: true, otherwise: 'false'}", {"A": "WON"}, "true"),  # noqa: E501
        ("{column: A, map: {Won: 'true'}, ignore_case: true}", {"A": "Open"}, "Open"),
        ("{column: A, map: {Won: 'true'}, otherwise: 'false'}", {"A": "WON"}, "false"),
        ("{column: A, if_empty: none}", {"A": ""}, "none"),
        ("{column: A, if_empty: none}", {"A": "x"}, "x"),
        ("{column: A, map: {x: ''}, if_empty: none}", {"A": "x"}, "none"),
        ("{column: A, only_if: {B: [won, lost]}}", {"A": "x", "B": "WON "}, "x"),
        ("{column: A, only_if: {B: [won, lost]}}", {"A": "x", "B": ""}, None),
        ("{column: A, only_if: {B: true}}", {"A": "x", "B": "Yes"}, "x"),
        ("{column: A, only_if: {B: true, C: x}}", {"A": "a", "B": "1", "C": "y"}, None),
        ("{column: A, only_if: {B: ''}}", {"A": "a", "B": " "}, "a"),
        ("{column: A, only_if: {B: true}, map: {a: b}, if_empty: z}", {"A": "a", "B": "1"}, "b"),
        ("{column: A, only_if: {B: true}, map: {a: b}, if_empty: z}", {"A": "a", "B": "0"}, "z"),
        ("{value_of: rep_id}", {"A": "x"}, "r"),
        ("{first_of: [{column: A, map: {x: ''}}, B]}", {"A": "x", "B": "y"}, "y"),
    ],
)  # fmt: skip
def test_a_value_is_made_as_the_mapping_says(spec, row, made):
    assert value(spec, row) == made


@pytest.mark.parametrize(
    ("spec", "row", "made"),
    [
        ("{sum: [A, B]}", {"A": "1.234,5", "B": "1"}, "1235,5"),
        ("{column: A, then: {scale: 0.001}}", {"A": "1.234"}, "1,234"),
        ("{sum: [A, B]}", {"A": "1,234.5", "B": "1"}, "1,234.5"),
    ],
)
def test_numbers_are_computed_and_written_with_the_files_decimal_comma(spec, row, made):
    assert value(spec, row, decimal=",") == made


@pytest.mark.parametrize(
    ("mine", "other", "made"),
    [
        ("2026-02-01", "2026-02-01T00:00:00Z", "2026-02-01"),
        ("2026-02-02", "2026-02-01", None),
        ("15 Apr, 2021 00:02:00", "14 Apr, 2021 00:00:00", None),
        ("2026-02-02", "", "2026-02-02"),
        ("02/02/2026", "2026-02-01", "02/02/2026"),
    ],
)
def test_a_day_may_be_missing_where_it_is_after_another(mine, other, made):
    columns = {
        "opportunity_id": {"constant": "o"},
        "created_on": {"column": "A", "not_after": "closed_on"},
        "closed_on": "B",
    }
    columns |= {name: {"constant": "1"} for name in ("rep_id", "is_won", "is_closed")}
    reps = {"rep_id": {"constant": "1"}, "name": {"constant": "1"}}
    mapping = Mapping.model_validate(
        {"tables": {"reps": [{"from": "data", "columns": reps}],
                    "opportunities": [{"from": "data", "columns": columns}]}}
    )  # fmt: skip
    (row,) = run(mapping, {"data": [["A", "B"], [mine, other]]}, "opportunities")
    assert row["created_on"] == made


@given(day=st.dates(dt.date(1999, 1, 1), dt.date(2099, 12, 31)), start=st.integers(1, 12))
def test_quarters_are_those_of_the_fiscal_calendar(day, start):
    company = {"fiscal_year_start": start}
    made = value("{column: A, then: quarter}", {"A": day.isoformat()}, company=company)
    assert made == FiscalCalendar(start).quarter_of(day)


@settings(max_examples=10)
@given(numbers=st.lists(st.integers(-(10**9), 10**9), min_size=2, max_size=4))
def test_sums_do_not_depend_on_the_order_and_undo_differences(numbers):
    row = {f"c{n}": str(number) for n, number in enumerate(numbers)}
    names = list(row)
    assert float(value(f"{{sum: {names}}}", row)) == sum(numbers)
    assert value(f"{{sum: {names[::-1]}}}", row) == value(f"{{sum: {names}}}", row)
    undone = f"{{difference: [{{sum: {names}}}, {names[0]}]}}"
    assert float(value(undone, row)) == sum(numbers[1:])


@given(name=st.text(min_size=1, max_size=12).filter(lambda text: "\0" not in text))
def test_any_header_is_only_a_name(name):
    block = Block.model_validate(
        {"from": "data", "columns": {"name": {"column": name}}, "skip": {name: "x"}}
    )
    with duckdb.connect() as db:
        relation = make_relation([[name], ["v"], ["x"]])
        made, left_out = full_expression(block.columns["name"]), skip_of(block)
        found = db.sql(f"select {made} from {relation} where not {left_out}").fetchall()
    assert found == [("v",)]


def skip_of(block):
    """Compile a block's conditions, their names being exact already."""
    skip = {n: c.model_copy(update={"column": (n,)}) for n, c in block.skip.items()}
    return left_out_expression(block.model_copy(update={"skip": skip}))


@pytest.mark.parametrize("name", HOSTILE[:-1])
def test_hostile_headers_are_quoted_everywhere(name):
    row = {name: "7", "other": "1", "at": "2026-01-01"}
    spec = lambda **keys: yaml.safe_dump(keys)  # noqa: E731
    assert value(spec(column=name), row) == "7"
    assert value(spec(sum=[name, "other"]), row) == "8"
    assert value(spec(first_of=[name, "other"]), row) == "7"
    assert value(spec(is_filled=name), row) == "true"
    assert value(spec(column="other", only_if={name: 7}), row) == "1"
    assert value(spec(column=name, map={"7": name}), row) == name
    if "{" not in name:
        assert value(spec(template=f"<{{{name}}}> '"), row) == "<7> '"


LOOKUP = """
tables:
  reps:
    - from: data
      columns:
        rep_id: {constant: r}
        name: {column: code, lookup: {from: codes, key: code, value: text}, if_empty: unknown}
"""


@pytest.mark.parametrize(
    ("code", "text"), [("a", "A"), ("b", "B1"), ("c", "unknown"), ("", "unknown")]
)
def test_a_lookup_translates_by_another_file(code, text):
    files = {"data": [["code", "text"], [code, "own"]],
             "codes": "code,text\nb,B2\na,A\nb,B1\n,empty\nc,\n"}  # fmt: skip
    (row,) = run(Mapping.model_validate(yaml.safe_load(LOOKUP)), files, "reps")
    assert row["name"] == text


def test_a_lookup_is_not_confused_by_columns_of_the_same_or_its_own_names():
    mapping = yaml.safe_load(LOOKUP.replace("column: code", "column: _key"))
    files = {"data": "_key,code,_value_of_key\nx,y,z\n", "codes": "code,text\nx,right\ny,wrong\n"}
    (row,) = run(Mapping.model_validate(mapping), files, "reps")
    assert row["name"] == "right"


def test_a_lookup_may_be_what_a_condition_or_another_lookup_needs():
    mapping = yaml.safe_load("""
tables:
  reps:
    - from: data
      columns:
        rep_id: Id
        name:
          column: Id
          only_if: role
          map: {"1": one}
        role:
          first_of: [{column: Id, lookup: {from: first, key: a, value: b}}]
          lookup: {from: second, key: b, value: a}
""")
    files = {"data": "Id\n1\n2\n", "first": "a,b\n1,x\n2,y\n", "second": "a,b\ntrue,x\nfalse,y\n"}
    rows = run(Mapping.model_validate(mapping), files, "reps")
    assert [(row["name"], row["role"]) for row in rows] == [("one", "true"), (None, "false")]


@pytest.mark.parametrize(
    ("conditions", "kept"),
    [
        ("{skip: {Deleted: true}}", "bcd"),
        ("{skip: {Deleted: [true, '']}}", "bd"),
        ("{skip: {Deleted: true, Stage: test}}", "bc"),
        ("{only: {Stage: [won, lost]}}", "ab"),
        ("{only: {Stage: [won, lost], Deleted: false}}", "b"),
        ("{skip: {Id: {found_in: {from: merged, column: old}}}}", "acd"),
        ("{only: {Id: {found_in: {from: merged, column: old}}}}", "b"),
        ("{only_filled: role}", "abc"),
        ("{skip: {gone: {column: [removed, Deleted], is: true}}}", "bcd"),
    ],
)
def test_rows_are_left_out_as_declared(conditions, kept):
    columns = {"rep_id": "Id", "name": "Id", "role": {"column": "Stage", "map": {"Test": ""}}}
    block = {"from": "data", "columns": columns, **yaml.safe_load(conditions)}
    files = {
        "data": "Id,Deleted,Stage\na,TRUE,Won\nb,0,Lost\nc,,Open\nd,no,Test\n",
        "merged": 'old\nb\n""\nz\n',
    }
    rows = run(Mapping.model_validate({"tables": {"reps": [block]}}), files, "reps")
    assert "".join(row["rep_id"] for row in rows) == kept


@pytest.mark.parametrize(
    ("values", "first"),
    [
        (["2026-01-02", "2026-01-10", ""], "2026-01-10"),
        (["9", "-10", "", "10"], "10"),
        (["-9", "-10", ""], "-9"),
        (["b", "c", "a"], "c"),
        (["2026-01-02T00:00:00Z", "2026-01-01T23:59:59.999Z"], "2026-01-02T00:00:00Z"),
    ],
)
def test_the_latest_is_found_among_times_numbers_and_texts(values, first):
    block = Block.model_validate({"from": "data", "columns": {"name": "A"}, "latest_by": "A"})
    with duckdb.connect() as db:
        relation = make_relation([["A"], *([text] for text in values)])
        found = db.sql(
            f'select "A" from {relation} order by {latest_expression(block)} desc'
        ).fetchall()
    assert found[0][0] == first


def test_what_is_not_resolved_is_not_compiled():
    for text in ("[A, B]", "{value_of: rep_id}"):
        with pytest.raises(ValueError, match="not resolved"):
            raw_expression(spec_of(text))
    with pytest.raises(ValueError, match="too many values"):
        raw_expression(spec_of("{column: [A, B]}"))
