"""The page of docs/ shows what its benchmark measures, of the versions that it installs."""

from pathlib import Path

import pytest

playwright = pytest.importorskip("playwright")

from batch import Cost  # noqa: E402
from compare_reports import (  # noqa: E402
    BEGIN,
    END,
    OTHERS,
    OURS,
    PLAIN,
    PORTAL,
    Page,
    put_between,
    rows_of,
    write_table,
)
from lighthouse import Scores  # noqa: E402
from pages_measured import Attacked, Seen  # noqa: E402

PAGE = Path(__file__).parents[1] / "docs" / "side-by-side.md"
NAMES = (OURS, PORTAL, PLAIN, *OTHERS)


@pytest.fixture
def pages():
    """One page measured, the others not."""
    measured = Page(
        seen=Seen(267_045, 58_200, 0, 0, 0, 12, 4000, 3990),
        attacked=Attacked(0, 2),
        scores={"phone": Scores(96, 100, 92, 0.0123, ())},
        costs={"from nothing": Cost(2, 10.0, 8.0, 0, {})},
    )
    return {name: measured if name == OURS else Page() for name in NAMES}


def table_of_the_page():
    lines = PAGE.read_text(encoding="utf-8").split(BEGIN)[1].split(END)[0].splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if "|" in line]
    return {row[0]: row[1:] for row in rows}


def test_the_page_answers_every_question_for_every_program(pages):
    shown = table_of_the_page()
    assert tuple(shown[""]) == NAMES
    for question in rows_of(pages):
        assert len(shown[question]) == len(NAMES)


def test_the_page_is_of_the_versions_that_are_installed(pages):
    assert table_of_the_page()["version"][3:] == rows_of(pages)["version"][3:]


def test_what_was_measured_is_written_and_what_was_not_is_said(pages):
    rows = {name: cells[:2] for name, cells in rows_of(pages).items()}
    assert rows["size, kB (compressed)"] == ["267 (58)", "not measured"]
    assert rows["hostile text ran"] == ["no", "not measured"]
    assert rows["hostile text made it ask elsewhere"] == ["**yes**", "not measured"]
    assert rows["words visible without script"] == ["100% of 4,000", "not measured"]
    assert rows["best practices"] == ["92", "not measured"]
    assert rows["performance, desktop"] == ["not measured", "not measured"]
    assert "| salesnb | from nothing | 5.0 | 4.0 |" in write_table(pages, "tools").splitlines()


def test_only_the_tables_of_a_page_are_renewed():
    text = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    assert put_between(text, "new") == f"before\n{BEGIN}\n\nnew\n\n{END}\nafter\n"
    with pytest.raises(SystemExit, match="lacks the marks"):
        put_between("before", "new")
