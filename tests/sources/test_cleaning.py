import datetime as dt
import math

import duckdb
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from small_company import import_tables

from salesnb.schema import leads, opportunities
from salesnb.sources.cleaning import Conventions, infer_conventions, typed_expression
from salesnb.sources.cleaning.conventions import infer_day_first, infer_decimal
from salesnb.sources.cleaning.dates import Clock
from salesnb.sources.load.expressions import mapped_expression, raw_expression
from salesnb.sources.mapping import ColumnSpec, FileOptions


@pytest.fixture(scope="module")
def db():
    with duckdb.connect() as connection:
        yield connection


def convert(db, column, text, **conventions):
    value = typed_expression(column, "text", Conventions(**conventions))
    return db.execute(f"select {value} from (select ?::VARCHAR as text)", [text]).fetchall()[0][0]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0.0), ("-5", -5.0), ("+1.5", 1.5), (".5", 0.5), ("5.", 5.0), ("1e3", 1000.0),
        ("1,234", 1234.0), ("-1,234,567.89", -1234567.89), ("$1,234.50", 1234.5),
        ("€ 12.50", 12.5), ("1\u202f234\u00a0567.5", 1234567.5), ("1.234", 1.234),
        (None, None), ("(500)", -500.0), ("500-", -500.0), ("($1,234.50)", -1234.5),
        ("$342.09K", 342_090.0), ("5 k", 5000.0), ("1.5M", 1.5e6), ("€2bn", 2e9),
        ("USD 1,200.50", 1200.5), ("100.00 EUR", 100.0), ("R$ 500", 500.0), ("CHF 1'000", 1000.0),
        ("5MXN", 5.0), ("5KUSD", 5000.0),
    ],
)  # fmt: skip
def test_numbers_may_be_grouped_and_carry_a_currency_sign(db, text, value):
    assert convert(db, opportunities.amount, text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1,5", 1.5), ("1.234,56", 1234.56), ("-1.234.567", -1234567.0), ("12", 12.0),
        (",5", 0.5), ("1,5e3", 1500.0),
    ],
)  # fmt: skip
def test_a_decimal_comma_turns_points_into_groups(db, text, value):
    assert convert(db, opportunities.amount, text, decimal=",") == value


@pytest.mark.parametrize(
    ("text", "decimal"),
    [
        *((text, ".") for text in (
            "n/a", "nan", "NaN", "inf", "-inf", "Infinity", "1e999", "1,5", "1,23,456", "12.5.1",
            "1.234,56", "1_000", "0x1F", "(-5)", "--1", "5 x", "true", "2026-01-05", ".", "", "A5",
            "12%", "5kk", "(5", "'5",
        )),
        *((text, ",") for text in ("1.5", "1,234.5", "1.23.456", "1234.567", "nan", "1,5,1")),
    ],
)  # fmt: skip
def test_what_is_not_clearly_a_number_is_none(db, text, decimal):
    assert convert(db, opportunities.amount, text, decimal=decimal) is None


@given(number=st.floats(-1e12, 1e12).map(lambda value: round(value, 2)))
def test_a_number_is_read_as_it_was_written_in_either_notation(number):
    us = f"{number:,.2f}"
    german = us.translate(str.maketrans(",.", ".,"))
    with duckdb.connect() as db:
        assert convert(db, opportunities.amount, us) == number
        assert convert(db, opportunities.amount, german, decimal=",") == number
        assert convert(db, opportunities.amount, repr(number)) == number


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-05", dt.datetime(2026, 1, 5)),
        ("2026/1/5", dt.datetime(2026, 1, 5)),
        ("2026-01-05 16:30", dt.datetime(2026, 1, 5, 16, 30)),
        ("2026-01-05T16:30:59.250Z", dt.datetime(2026, 1, 5, 16, 30, 59, 250_000)),
        ("2026-01-05 23:30:00+02", dt.datetime(2026, 1, 5, 23, 30)),
        ("2026-01-05T23:30:00-0800", dt.datetime(2026, 1, 5, 23, 30)),
    ],
)
def test_iso_moments_are_kept_as_written(db, text, moment):
    assert convert(db, leads.created_at, text) == moment
    assert convert(db, opportunities.created_on, text) == moment.date()


@pytest.mark.parametrize(
    "text",
    ["05/01/2026", "2026-02-30", "2026-13-01", "2026-01-05 25:00", "2026-01-05 10:00 XM", "99999",
     "12345", "now", "infinity", "epoch", "2026-01-05 later", "31 Feb 2026", "5 Jnu 2026"],
)  # fmt: skip
def test_what_is_not_clearly_a_date_is_none(db, text):
    assert convert(db, opportunities.created_on, text) is None
    assert convert(db, leads.created_at, text) is None


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("15 Apr, 2021 00:02:00", dt.datetime(2021, 4, 15, 0, 2)),
        ("15 Apr 2021", dt.datetime(2021, 4, 15)),
        ("Apr 5, 2021", dt.datetime(2021, 4, 5)),
        ("April 5, 2021 4:30 PM", dt.datetime(2021, 4, 5, 16, 30)),
        ("5-Apr-21", dt.datetime(2021, 4, 5)),
        ("20260105", dt.datetime(2026, 1, 5)),
        ("45000", dt.datetime(2023, 3, 15)),  # Excel's own answer for the number 45000
        ("45000.75", dt.datetime(2023, 3, 15, 18)),
        ("1672531200000", dt.datetime(2023, 1, 1)),
        ("2026-01-05 10:00 PM", dt.datetime(2026, 1, 5, 22)),
    ],
)
def test_dates_that_say_what_they_are_need_no_format(db, text, moment):
    assert convert(db, leads.created_at, text) == moment
    assert convert(db, opportunities.created_on, text) == moment.date()


@given(moment=st.datetimes(dt.datetime(1990, 1, 1), dt.datetime(2099, 12, 31)))
def test_either_order_of_day_and_month_is_read_as_it_was_written(moment):
    moment = moment.replace(second=0, microsecond=0)
    with duckdb.connect() as db:
        for form, day_first in (
            ("%d/%m/%Y %H:%M", True), ("%m/%d/%Y %I:%M %p", False), ("%d.%m.%Y %H:%M:%S", True),
            ("%m-%d-%Y, %I:%M %p", False),
        ):  # fmt: skip
            text = moment.strftime(form)
            assert convert(db, leads.created_at, text, day_first=day_first) == moment


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        (["05/01/2026", "31/01/2026"], True),
        (["05/01/2026", "01/31/2026"], False),
        (["05/01/2026"], None),
        (["31/01/2026", "01/31/2026"], None),
        (["05.01.2026"], True),
        (["2026-01-31", "31 Jan 2026"], None),
        ([], None),
    ],
)
def test_the_order_of_day_and_month_is_found_where_the_values_leave_no_doubt(texts, found):
    assert infer_day_first(texts) is found


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        (["1.234,50"], ","), (["1,234.50"], "."), (["12,5", "1.234"], ","), (["12.5"], "."),
        (["1.234"], None), (["1,234"], None), (["1.234.567"], ","), (["$1,234,567"], "."),
        (["12,5", "12.5"], None), (["1234,567"], ","), (["0,125"], None), (["7", "x"], None),
    ],
)  # fmt: skip
def test_the_decimal_point_is_found_where_the_values_leave_no_doubt(texts, found):
    assert infer_decimal(texts) == found


def test_what_the_mapping_says_goes_before_what_is_found():
    texts = {opportunities.amount: ["1.234,50"], opportunities.created_on: ["31/01/2026"]}
    found = infer_conventions(texts, FileOptions(), time_zone="Europe/Berlin")
    assert found == Conventions(",", True, None, Clock(None, "Europe/Berlin"))
    said = FileOptions(decimal=".", date_format="%m/%d/%Y", time_zone="UTC")
    assert infer_conventions(texts, said) == Conventions(".", True, "%m/%d/%Y", Clock("UTC"))
    assert infer_conventions({}, FileOptions(), delimiter=";").decimal == ","


@pytest.mark.parametrize(
    ("text", "given_zone", "moment", "day"),
    [
        # 23:30 UTC is the next day in Berlin, in summer by two hours
        ("2026-07-05T23:30:00Z", None, "2026-07-06 01:30:00", "2026-07-06"),
        ("2026-01-05 23:30:00+0000", None, "2026-01-06 00:30:00", "2026-01-06"),
        ("2026-01-05 23:30:00", "UTC", "2026-01-06 00:30:00", "2026-01-06"),
        ("2026-01-05 23:30:00", None, "2026-01-05 23:30:00", "2026-01-05"),
        ("2026-01-05 22:30:00", "America/New_York", "2026-01-06 04:30:00", "2026-01-06"),
        # a day is a day, and a midnight in a column of days too
        ("2026-01-05", "America/New_York", "2026-01-05 06:00:00", "2026-01-05"),
        ("2026-01-05 00:00:00", "America/New_York", "2026-01-05 06:00:00", "2026-01-05"),
        # what says its offset needs no zone of the file
        ("2026-01-05T23:30:00-08:00", "America/New_York", "2026-01-06 08:30:00", "2026-01-06"),
    ],
)
def test_times_are_brought_to_the_zone_of_the_company(db, text, given_zone, moment, day):
    clock = Clock(given_zone, "Europe/Berlin")
    assert str(convert(db, leads.created_at, text, clock=clock)) == moment
    assert str(convert(db, opportunities.created_on, text, clock=clock)) == day


@pytest.mark.parametrize(
    ("text", "form", "day"),
    [
        ("05/01/2026", "%d/%m/%Y", dt.date(2026, 1, 5)),
        ("01/05/2026", "%m/%d/%Y", dt.date(2026, 1, 5)),
        ("15 Apr, 2021 00:02:00", "%d %b, %Y %H:%M:%S", dt.date(2021, 4, 15)),
        ("31/02/2026", "%d/%m/%Y", None),
        ("2026-01-05", "%d/%m/%Y", None),
    ],
)
def test_a_date_format_holds_alone(db, text, form, day):
    assert convert(db, opportunities.created_on, text, date_format=form) == day


@pytest.mark.parametrize(
    ("words", "value"),
    [
        (("true", "TRUE", "t", "Yes", "y", "1"), True),
        (("false", "False", "f", "no", "N", "0"), False),
        (("maybe", "2", "on", "won", "", "1.0"), None),
    ],
)
def test_booleans_are_said_in_few_ways(db, words, value):
    assert {convert(db, opportunities.is_won, word) for word in words} == {value}


@pytest.mark.parametrize(
    ("spec", "raw", "mapped"),
    [
        ("Stage", "Won", "Won"),
        ("Padded", "x", "x"),
        ("Blank", None, None),
        ("{column: Stage, map: {Won: 'true'}}", "Won", "true"),
        ("{column: Stage, map: {Lost: 'false'}}", "Won", "Won"),
        ("{column: Stage, map: {Lost: 'false'}, otherwise: 'true'}", "Won", "true"),
        ("{column: Blank, map: {Lost: 'false'}, otherwise: 'true'}", None, "true"),
        ("{column: Stage, map: {Won: ''}}", "Won", None),
        ("{column: Quote, map: {\"it's\": \"that's\"}}", "it's", "that's"),
        ("{first_of: [Blank, Stage]}", "Won", "Won"),
        ("{first_of: [Blank, Stage], map: {Won: yes}}", "Won", "true"),
        ("{template: '{Stage}: {Quote}!'}", "Won: it's!", "Won: it's!"),
        ("{template: '{Stage}: {Blank}'}", None, None),
        ("{constant: it's}", "it's", "it's"),
        ("{constant: ''}", "", None),
    ],
)  # fmt: skip
def test_a_column_is_made_as_the_mapping_says(db, spec, raw, mapped):
    made = ColumnSpec.model_validate(yaml.safe_load(spec))
    query = (
        f"select raw, {mapped_expression(made, 'raw')} from (select {raw_expression(made)} as raw "
        "from (select 'Won' as \"Stage\", ' x ' as \"Padded\", ' ' as \"Blank\", "
        "'it''s' as \"Quote\"))"
    )
    assert db.sql(query).fetchall() == [(raw, mapped)]


MAPPING = """
company: {as_of: 2026-06-30}
files: {deals.csv: {date_format: "%d.%m.%Y", decimal: ",", encoding: latin-1}}
tables:
  reps: [{from: deals, distinct: true, columns: {rep_id: Owner, name: {template: "Rep {Owner}"}}}]
  stages:
    - rows:
      - {stage: Gagné, stage_order: 1, is_won: true, is_lost: false}
      - {stage: Perdu, stage_order: 2, is_won: false}
  opportunities:
    - from: deals
      columns:
        opportunity_id: 'Deal "ID"'
        rep_id: Owner
        stage: Stage
        created_on: Opened
        closed_on: {first_of: [Won on, Lost on]}
        is_won: {column: Stage, map: {Gagné: "true", Perdu: "false"}}
        is_closed: {constant: "true"}
        amount: Amount
"""
DEALS = '''"Deal ""ID""";Owner;Stage;Opened;Won on;Lost on;Amount
1;José;Gagné;05.01.2026;01.02.2026;;$ 1.234,50
2;José;Perdu;05.01.2026;;02.02.2026;7
3;José;En cours;05.01.2026;;02.02.2026;1.5
'''


def test_a_whole_mapping_makes_typed_tables_and_keeps_the_original_of_what_it_refuses(tmp_path):
    snapshot = import_tables(tmp_path, {"deals": DEALS.encode("latin-1")}, mapping=MAPPING)
    frame = snapshot.read("opportunities")
    assert frame[["opportunity_id", "amount", "is_won"]].to_dict("list") == {
        "opportunity_id": ["1", "2"], "amount": [1234.5, 7.0], "is_won": [True, False],
    }  # fmt: skip
    assert [str(day) for day in frame["closed_on"]] == ["2026-02-01", "2026-02-02"]
    assert snapshot.read("reps")["name"].tolist() == ["Rep José"]
    assert snapshot.read("stages")["is_lost"].tolist()[0] is False
    (refused,) = snapshot.read_quarantine("opportunities").to_dict("records")
    assert list(refused["all_reasons"]) == ["is_won is not yes or no", "amount is not a number"]
    # the stage as exported, not what the mapping made or failed to make of it
    assert (refused["is_won"], refused["stage"], refused["amount"]) == ("En cours",) * 2 + ("1.5",)
    assert (refused["file"], refused["row"]) == ("deals.csv", 3)
    assert refused["created_on"] == "05.01.2026"


def test_rows_are_one_when_what_the_mapping_makes_of_them_is_one(tmp_path):
    mapping = """
company: {as_of: 2026-06-30}
tables:
  reps: [{from: deals, distinct: true, columns: {rep_id: Owner, name: Owner,
                                                role: {column: Role, map: {Acount: Account}}}}]
  opportunities:
    - from: deals
      columns: {opportunity_id: Id, rep_id: Owner, is_won: {constant: 'no'},
                is_closed: {constant: 'no'}}
"""
    deals = "Id,Owner,Role\n1,a,Acount\n2,a,Account\n3,b,\n"
    snapshot = import_tables(tmp_path, {"deals": deals}, mapping=mapping)
    table = snapshot.report.tables[0]
    assert (table.read, table.merged, table.accepted) == (3, 1, 2)
    assert snapshot.read("reps")["role"].fillna("").tolist() == ["Account", ""]


def test_an_empty_text_by_the_mapping_means_missing(tmp_path):
    mapping = """
company: {as_of: 2026-06-30}
tables:
  reps: [{from: deals, distinct: true, columns: {rep_id: Owner, name: Owner}}]
  opportunities:
    - from: deals
      columns: {opportunity_id: Id, rep_id: {column: Owner, map: {nobody: ''}},
                amount: {column: Amount, map: {n/a: ''}},
                is_won: {constant: 'no'}, is_closed: {constant: 'no'}}
"""
    deals = "Id,Owner,Amount\n1,a,n/a\n2,nobody,7\n"
    snapshot = import_tables(tmp_path, {"deals": deals}, mapping=mapping)
    assert snapshot.read("opportunities")["rep_id"].fillna("").tolist() == ["a", ""]
    assert math.isnan(snapshot.read("opportunities")["amount"].iloc[0])
