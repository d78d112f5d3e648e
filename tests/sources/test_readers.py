import csv
import gzip
import io
import re

import duckdb
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from salesnb.errors import DataError
from salesnb.sources.mapping import FileOptions
from salesnb.sources.readers import Found, find_sources, group, open_part


def open_path(db, path, **options):
    """Open a file by itself, copies beside it."""
    found = Found(path.stem, path.stem, str(path))
    return open_part(db, found, FileOptions(**options), workspace=path.parent, number=0)


def read(folder, content, name="deals.csv", **options):
    """Read a CSV: its columns, its rows in order, and the lines that could not be split."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with duckdb.connect() as db:
        part = open_path(db, path, **options)
        rows = db.sql(f"select * from {part.rows()}").fetchall()
        try:
            rejected = part.rejected(len(rows))
        except DataError:
            rows = db.sql(f"select * from {part.carefully().rows()}").fetchall()
            rejected = part.carefully().rejected(len(rows))
        return part.columns, rows, [(line.line, line.text, line.reason) for line in rejected]


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
        ("a,b\n1,é\n".encode("utf-16"), {}),
        ("\ufeffa,b\n1,é\n".encode("utf-16-be"), {}),
        ("a,b\n1,é\n".encode("latin-1"), {"encoding": "latin-1"}),
        ("a,b\r\n1,é\r\n".encode("cp1252"), {}),
        ("a,b\r\n1,é\n", {}),
        ("sep=;\na;b\n1;é\n", {}),
        (gzip.compress(b"a,b\n1,\xc3\xa9\n", mtime=0), {"name": "deals.csv.gz"}),
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
        ('1,"two\r\nlines"', ("1", "two\nlines")),
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


def _with_line_feeds(row):
    return tuple(re.sub("\r\n?", "\n", cell or "") for cell in row)


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
    assert [_with_line_feeds(row) for row in found] == [_with_line_feeds(row) for row in rows]
    assert rejected == []


def test_lines_within_a_quoted_text_are_no_rows_in_a_large_file_either(tmp_path):
    """Read in parallel, DuckDB 2.0 makes 788,891 rows of a file of 400,000 such as this."""
    number = 400_000
    content = "a,b\n" + "".join(f'{n},"\n5,6\n7,8\n9,10\n11,12\n"\n' for n in range(number))
    path = tmp_path / "notes.csv"
    path.write_text(content, encoding="utf-8")
    with duckdb.connect() as db:
        db.execute("set threads = 4")
        part = open_path(db, path)
        found = db.sql(f"select count(*), sum(a::BIGINT), count(distinct b) from {part.rows()}")
        assert found.fetchall() == [(number, number * (number - 1) // 2, 1)]
        assert part.rejected(number) == []


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


@given(st.lists(st.lists(st.sampled_from(["", "1", "x y", "é"]), max_size=5), max_size=12))
def test_each_line_is_read_or_set_aside(tmp_path_factory, table):
    """DuckDB passes over blank lines and empty cells at the end; no line is lost."""
    lines = [",".join(cells) for cells in table]
    _, rows, rejected = read(tmp_path_factory.mktemp("ragged"), "\n".join(["a,b,c", *lines, ""]))
    fits = [len(cells) >= 3 and not any(cells[3:]) for cells in table]
    wanted = [cells for cells, fit in zip(table, fits, strict=True) if fit]
    assert [[cell or "" for cell in row] for row in rows] == [cells[:3] for cells in wanted]
    others = [(at, line) for at, (line, fit) in enumerate(zip(lines, fits, strict=True)) if not fit]
    assert [line[:2] for line in rejected] == [(at + 2, line) for at, line in others if line]


def test_one_line_with_a_stray_quote_is_set_aside_alone(tmp_path):
    _, rows, rejected = read(tmp_path, 'a,b\n1,2\n"x"y,3\n4,5\n')
    assert rows == [("1", "2"), ("4", "5")]
    assert rejected == [(3, '"x"y,3', "line cannot be split: stray quote")]


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
        part = open_path(db, path)
    assert part.rejected(3) == []
    with pytest.raises(DataError, match=r"deals.csv: 2 of 3 rows could be read. Export it again"):
        part.rejected(2)


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


CHUNK = 1 << 22


@pytest.mark.parametrize(
    ("content", "encoding", "byte"),
    [
        ("name\nJosé\n".encode("latin-1"), "utf-8", 8),
        ("\ufeffname\nJosé\n".encode()[:-2], "utf-8", 11),
        (b"a" * CHUNK + "é".encode()[:1] + b"x", "utf-8", CHUNK),
        (b"a" * (CHUNK - 1) + "€".encode()[:2] + b"x", "utf-8", CHUNK - 1),
        ("name\nJosé\n".encode("utf-16")[:-1], "utf-16", 20),
        (b"name\nJos\x81\n", "cp1252", 8),
    ],
    ids=["latin-1", "cut short", "after a chunk", "across chunks", "odd", "cp1252"],
)
def test_bytes_of_another_encoding_are_refused_with_their_place(tmp_path, content, encoding, byte):
    said = f"deals.csv: byte {byte:,} is not {encoding} .*Set its encoding under files: deals.csv:"
    with pytest.raises(DataError, match=said):
        read(tmp_path, content, encoding=encoding)


def test_what_is_not_utf8_is_read_as_windows_writes_it_and_said(tmp_path):
    path = tmp_path / "deals.csv"
    path.write_bytes("name,amount\nJosé,€ 5\n".encode("cp1252"))
    with duckdb.connect() as db:
        part = open_path(db, path)
        assert db.sql(f"from {part.rows()}").fetchall() == [("José", "€ 5")]
    (note,) = part.notes
    assert note.startswith("deals.csv: is not UTF-8 (byte 15, near")
    assert "read as cp1252. Set its encoding" in note


def test_bytes_that_no_guess_explains_are_refused(tmp_path):
    with pytest.raises(DataError, match="deals.csv: byte 8 is not cp1252"):
        read(tmp_path, b"name\nJos\x81\n")


@pytest.mark.parametrize("content", ["a,b\n1,é\n".encode("utf-16-le"), b"PK\x03\x04\x00\x00"])
def test_bytes_that_no_text_has_are_refused(tmp_path, content):
    with pytest.raises(DataError, match=r"deals.csv: byte \d is zero, which no text has"):
        read(tmp_path, content)


def test_a_gzip_file_cut_short_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"deals.csv.gz: is not a whole gzip file"):
        read(tmp_path, gzip.compress(b"a,b\n1,2\n" * 100)[:-12], name="deals.csv.gz")


def test_a_parquet_file_keeps_its_types_and_columns(tmp_path):
    folder = tmp_path / "b=7"
    folder.mkdir()
    path = folder / "deals.parquet"
    pd.DataFrame({"a": [1.5]}).to_parquet(path)
    with duckdb.connect() as db:
        part = open_path(db, path)
        assert part.columns == ("a",)
        assert db.sql(f"select * from {part.rows()}").fetchall() == [(1.5,)]


def test_what_is_no_parquet_file_is_refused(tmp_path):
    path = tmp_path / "deals.parquet"
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    with duckdb.connect() as db, pytest.raises(DataError, match="deals.parquet: is not a Parquet"):
        open_path(db, path)


def families(source, asked=()):
    """Names of the sources found, with their files in order."""
    grouped = group(find_sources(str(source)), asked)
    return {name: [item.label for item in items] for name, items in grouped.items()}


def touch(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return folder


def test_files_are_found_by_stem_and_others_left(tmp_path):
    touch(tmp_path, "reps.csv", "Deals.CSV", "calls.parquet", "notes.md", "company.yaml", "~$x.csv")
    touch(tmp_path, "truth/rates.csv", ".hidden/2026.csv", "_dlt/2026.parquet")
    (tmp_path / "old.csv").mkdir()
    assert families(tmp_path) == {
        "reps": ["reps.csv"], "Deals": ["Deals.CSV"], "calls": ["calls.parquet"],
    }  # fmt: skip
    assert families(tmp_path / "reps.csv") == {"reps": ["reps.csv"]}


@pytest.mark.parametrize(
    ("names", "labels"),
    [
        (["deals_2026-01.csv", "deals_2026-02.csv"], ["deals_2026-01.csv", "deals_2026-02.csv"]),
        (["deals 2026Q1.csv", "deals 2026Q2.csv"], ["deals 2026Q1.csv", "deals 2026Q2.csv"]),
        (["20260105-deals.csv"], ["20260105-deals.csv"]),
        (["2026-01/deals.csv", "2026-02/deals.csv"], ["2026-01/deals.csv", "2026-02/deals.csv"]),
        (["deals/2026-01.csv", "deals/2026-02.csv"], ["deals/2026-01.csv", "deals/2026-02.csv"]),
        (["deals/part-2.csv", "deals/part-10.csv"], ["deals/part-2.csv", "deals/part-10.csv"]),
        (["deals/2.csv", "deals/10.csv"], ["deals/2.csv", "deals/10.csv"]),
        (["2026/01/deals.csv", "2026/02/deals.csv"], ["01/deals.csv", "02/deals.csv"]),
    ],
)
def test_files_that_differ_by_a_date_or_number_are_parts_of_one_source(tmp_path, names, labels):
    assert families(touch(tmp_path, *names)) == {"deals": labels}
    assert families(f"{tmp_path}/**/*.csv") == {"deals": labels}


def test_a_name_the_mapping_asks_for_stays_whole(tmp_path):
    touch(tmp_path, "deals_2026.csv", "deals_2025.csv")
    assert families(tmp_path, {"deals_2026"}) == {
        "deals_2026": ["deals_2026.csv"], "deals": ["deals_2025.csv"],
    }  # fmt: skip


def test_one_table_in_two_formats_is_refused(tmp_path):
    touch(tmp_path, "reps.csv", "reps.parquet")
    with pytest.raises(DataError, match=r"reps.csv and reps.parquet hold the same table. Keep one"):
        find_sources(str(tmp_path))


def test_what_is_no_export_is_refused(tmp_path):
    with pytest.raises(DataError, match="none: there is no such folder. Give the folder"):
        find_sources(str(tmp_path / "none"))
    with pytest.raises(DataError, match=r"no .csv, .*or .ddb files. Export your tables into it"):
        find_sources(str(tmp_path))
    with pytest.raises(DataError, match=r"\*.csv: matches no .* file. Check the pattern"):
        find_sources(str(tmp_path / "*.csv"))
    letter = tmp_path / "deals.docx"
    letter.touch()
    with pytest.raises(DataError, match=rf"{re.escape(str(letter))}: is not .csv, .*Save it as"):
        find_sources(str(letter))
