import csv
import io
import re

import duckdb
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from salesnb.errors import DataError
from salesnb.sources.mapping import FileOptions
from salesnb.sources.readers import check_all_read, list_files, open_file, rejected_lines


def read(folder, content, name="deals.csv", **options):
    """Read a CSV: its columns, its rows in order, and the lines that could not be split."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with duckdb.connect() as db:
        file = open_file(db, path, FileOptions(**options))
        rows = db.sql(f"select * from {file.sql}").fetchall()
        rejected = rejected_lines(db)
        check_all_read(file, len(rows) + len(rejected))
        return file.columns, rows, [(line, text, reason) for _, line, text, reason in rejected]


@pytest.mark.parametrize(
    ("content", "options"),
    [
        ("a,b\n1,é\n", {}),
        ("\ufeffa,b\n1,é\n", {}),
        ('\ufeff"a","b"\r\n"1","é"\r\n', {}),
        ("a,b\r1,é\r", {}),
        ("a;b\n1;é\n", {}),
        ("a\tb\n1\té\n", {}),
        ("a|b\n1|é", {}),
        ("a,b\n1,é\n".encode("utf-16"), {"encoding": "utf-16"}),
        ("a,b\n1,é\n".encode("latin-1"), {"encoding": "latin-1"}),
        ("a:b\n1:é\n", {"delimiter": ":"}),
        (" a ,b \n1,é\n\n\n", {}),
    ],
)
def test_the_same_row_is_read_however_it_is_written(tmp_path, content, options):
    assert read(tmp_path, content, **options) == (("a", "b"), [("1", "é")], [])


@pytest.mark.parametrize(
    ("row", "cells"),
    [
        ('1,"two\nlines"', ("1", "two\nlines")),
        ('1,"two\r\nlines"', ("1", "two\r\nlines")),
        ('1,"x,y"', ("1", "x,y")),
        ('1,"say ""hi"""', ("1", 'say "hi"')),
        ('1,6" pipe', ("1", '6" pipe')),
        ("NA,NULL", ("NA", "NULL")),
        ("#1,\\N", ("#1", "\\N")),
        ('"",', (None, None)),
        ("007,1e5", ("007", "1e5")),
        ("2026-01-05,true", ("2026-01-05", "true")),
        ("1,2,", ("1", "2")),
    ],
)
def test_text_stays_text(tmp_path, row, cells):
    assert read(tmp_path, f"a,b\n{row}\nx,y\n")[1] == [cells, ("x", "y")]


def test_a_file_may_have_one_column_and_many_rows(tmp_path):
    rows = [(str(number),) for number in range(3000)]
    content = "a\n" + "".join(f"{number}\n" for (number,) in rows)
    assert read(tmp_path, content) == (("a",), rows, [])


@given(
    rows=st.lists(
        st.tuples(*[st.text(st.sampled_from('ab1 ,;"\n\ré'), max_size=6)] * 2).filter(any),
        max_size=6,
    ),
    line_end=st.sampled_from(["\n", "\r\n"]),
)
def test_whatever_a_csv_writer_quotes_is_read_back(tmp_path_factory, rows, line_end):
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator=line_end, quoting=csv.QUOTE_ALL)
    writer.writerows([("a", "b"), *rows])
    _, found, rejected = read(tmp_path_factory.mktemp("quoted"), text.getvalue())
    assert [tuple(cell or "" for cell in row) for row in found] == rows
    assert rejected == []


def test_lines_within_a_quoted_text_are_no_rows_in_a_large_file_either(tmp_path):
    """Read in parallel, DuckDB 2.0 makes 788,891 rows of a file of 400,000 such as this."""
    number = 400_000
    content = "a,b\n" + "".join(f'{n},"\n5,6\n7,8\n9,10\n11,12\n"\n' for n in range(number))
    path = tmp_path / "notes.csv"
    path.write_text(content, encoding="utf-8")
    with duckdb.connect() as db:
        db.execute("set threads = 4")
        file = open_file(db, path, FileOptions())
        found = db.sql(f"select count(*), sum(a::BIGINT), count(distinct b) from {file.sql}")
        assert found.fetchall() == [(number, number * (number - 1) // 2, 1)]
        check_all_read(file, number)


def test_names_that_are_missing_or_doubled_get_their_number(tmp_path):
    columns, rows, _ = read(tmp_path, "a,,A,a,b\n1,2,3,4,5\n")
    assert columns == ("a", "column1", "A_2", "a_3", "b")
    assert rows == [("1", "2", "3", "4", "5")]


def test_lines_of_another_width_are_set_aside_with_their_number(tmp_path):
    _, rows, rejected = read(tmp_path, "a,b\n1,2\n3\n4,5\n6,7,8\n")
    assert rows == [("1", "2"), ("4", "5")]
    assert rejected == [
        (3, "3", "line cannot be split: missing columns"),
        (5, "6,7,8", "line cannot be split: too many columns"),
    ]


def test_one_line_with_a_stray_quote_is_set_aside_alone(tmp_path):
    _, rows, rejected = read(tmp_path, 'a,b\n1,2\n"x"y,3\n4,5\n')
    assert rows == [("1", "2"), ("4", "5")]
    assert rejected == [(3, '"x"y,3', "line cannot be split: unquoted value")]


@pytest.mark.parametrize(
    "after",
    [
        "",
        '9,"9"\n',
        "".join(f"{n},{n}\n" for n in range(400_000)),  # more than DuckDB takes for one line
    ],
    ids=["at the end", "a quote later", "a large file"],
)
def test_a_quote_that_is_not_closed_swallows_no_rows_in_silence(tmp_path, after):
    with pytest.raises(DataError, match=r"deals.csv: the row that begins in line 3 has a quote"):
        read(tmp_path, 'a,b\n1,2\n3,"4\n5,6\n7,8\n' + after)


def test_rows_lost_on_the_way_are_counted(tmp_path):
    path = tmp_path / "deals.csv"
    path.write_text('a,b\n1,"two\nlines"\n3,4\n5,6\n', encoding="utf-8")
    with duckdb.connect() as db:
        file = open_file(db, path, FileOptions())
    check_all_read(file, 3)
    with pytest.raises(DataError, match=r"deals.csv: 2 of 3 rows could be read. Export it again"):
        check_all_read(file, 2)


def test_an_empty_file_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"deals.csv: the file is empty. Export it again"):
        read(tmp_path, b"")


@pytest.mark.parametrize("content", ["\n", "\n\na,b\n1,2\n", "\ufeff", "  \n1,2\n"])
def test_a_file_without_names_in_its_first_line_is_refused(tmp_path, content):
    with pytest.raises(DataError, match=r"deals.csv: the first line is blank; expected column na"):
        read(tmp_path, content)


def test_a_quote_left_open_in_the_header_is_refused(tmp_path):
    with pytest.raises(DataError, match="deals.csv: line 1 cannot be split"):
        read(tmp_path, 'a,"b\n1,2\n')


@pytest.mark.parametrize(
    ("content", "encoding", "byte"),
    [
        ("name\nJosé\n".encode("latin-1"), "utf-8", 8),
        ("\ufeffname\nJosé\n".encode()[:-2], "utf-8", 11),
        (b"a" * (1 << 20) + "é".encode()[:1] + b"x", "utf-8", 1 << 20),
        (b"a" * ((1 << 20) - 1) + "€".encode()[:2] + b"x", "utf-8", (1 << 20) - 1),
        ("name\nJosé\n".encode("utf-16")[:-1], "utf-16", 20),
    ],
    ids=["latin-1", "cut short", "after a chunk", "across chunks", "odd"],
)
def test_bytes_of_another_encoding_are_refused_with_their_place(tmp_path, content, encoding, byte):
    said = f"deals.csv: byte {byte:,} is not {encoding} .*Set its encoding under files: deals.csv:"
    with pytest.raises(DataError, match=said):
        read(tmp_path, content, encoding=encoding)


@pytest.mark.parametrize(
    "content", ["a,b\n1,é\n".encode("utf-16-le"), "\ufeffa,b\n1,é\n".encode("utf-16-be"), b"ab"]
)
def test_another_utf16_is_refused_not_read_as_no_rows(tmp_path, content):
    with pytest.raises(DataError, match="deals.csv: is not little-endian UTF-16 with a byte order"):
        read(tmp_path, content, encoding="utf-16")


def test_a_parquet_file_keeps_its_types_and_columns(tmp_path):
    folder = tmp_path / "b=7"
    folder.mkdir()
    path = folder / "deals.parquet"
    pd.DataFrame({"a": [1.5]}).to_parquet(path)
    with duckdb.connect() as db:
        file = open_file(db, path, FileOptions())
        assert file.columns == ("a",)
        assert db.sql(f"select * from {file.sql}").fetchall() == [(1.5,)]


def test_what_is_no_parquet_file_is_refused(tmp_path):
    path = tmp_path / "deals.parquet"
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    with duckdb.connect() as db, pytest.raises(DataError, match="deals.parquet: is not a Parquet"):
        open_file(db, path, FileOptions())


def test_files_are_found_by_stem_and_others_left(tmp_path):
    for name in ("reps.csv", "Deals.2026.CSV", "calls.parquet", "notes.txt", "company.yaml"):
        (tmp_path / name).touch()
    (tmp_path / "old.csv").mkdir()
    found = list_files(tmp_path)
    assert {stem: path.name for stem, path in found.items()} == {
        "reps": "reps.csv", "Deals.2026": "Deals.2026.CSV", "calls": "calls.parquet",
    }  # fmt: skip
    assert list_files(tmp_path / "reps.csv") == {"reps": tmp_path / "reps.csv"}


def test_one_table_in_two_formats_is_refused(tmp_path):
    for name in ("reps.csv", "reps.parquet"):
        (tmp_path / name).touch()
    with pytest.raises(DataError, match=r"reps.csv and reps.parquet hold the same table. Keep one"):
        list_files(tmp_path)


def test_what_is_no_export_is_refused(tmp_path):
    with pytest.raises(DataError, match="none: there is no such folder. Give the folder"):
        list_files(tmp_path / "none")
    with pytest.raises(DataError, match=r"no .csv or .parquet files. Export your tables into it"):
        list_files(tmp_path)
    book = tmp_path / "deals.xlsx"
    book.touch()
    with pytest.raises(DataError, match=rf"{re.escape(str(book))}: is not .csv or .parquet. Save"):
        list_files(book)
