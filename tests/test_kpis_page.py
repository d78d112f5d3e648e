"""The example of docs/kpis.md works, and what is no catalogue is refused."""

import re
from pathlib import Path

import pytest
from small_company import import_tables

from salesnb.errors import ParameterError
from salesnb.measures.cache import load_measures
from salesnb.measures.catalogue import read_kpis

PAGE = Path(__file__).parents[1] / "docs" / "kpis.md"
OPPORTUNITIES = """opportunity_id,rep_id,created_on,closed_on,is_won,is_closed,amount
o1,r1,2026-01-05,2026-02-01,true,true,30000
o2,r1,2026-01-05,2026-02-01,true,true,100
o3,r1,2026-01-06,2026-02-02,false,true,50000
o4,r2,2026-01-07,2026-02-03,true,true,20000
"""


@pytest.fixture
def example(tmp_path):
    """The page's example, in a file."""
    text = PAGE.read_text(encoding="utf-8")
    path = tmp_path / "my_kpis.py"
    path.write_text(re.search(r"```python\n(.*?)```", text, re.DOTALL)[1], encoding="utf-8")
    return path


def test_the_example_is_measured_kept_and_measured_anew_when_it_changes(
    example, tmp_path, monkeypatch
):
    monkeypatch.setenv("SALESNB_CACHE", str(tmp_path / "cache"))
    snapshot = import_tables(
        tmp_path, {"reps": "rep_id,name\nr1,Ana\nr2,Ben\n", "opportunities": OPPORTUNITIES}
    )
    for _ in range(2):  # computed, then read
        measures = load_measures(snapshot.folder, catalogue=example)
        assert measures.kpi("large_share").label == "Large wins"
        values = measures.roll_up(by="rep", kpi="large_share").set_index("unit_id")["value"]
        assert values.to_dict() == {"r1": 1 / 2, "r2": 1.0}
        assert measures.roll_up(by="company", kpi="large_share")["value"].item() == 2 / 3
    text = example.read_text(encoding="utf-8")
    example.write_text(text.replace(">= 20000", ">= 25000"), encoding="utf-8")
    changed = load_measures(snapshot.folder, catalogue=example)
    assert changed.roll_up(by="company", kpi="large_share")["value"].item() == 1 / 3
    with pytest.raises(ParameterError, match="'large_share' is unknown"):
        load_measures(snapshot.folder).kpi("large_share")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("KPIS = [1]", "expected KPIS, a list of Kpi"),
        ("", "expected KPIS, a list of Kpi"),
        ("1 / 0", "does not run: ZeroDivisionError"),
        (
            "from salesnb.measures.catalogue import CATALOGUE\nKPIS = CATALOGUE[:1]",
            "bookings is there already",
        ),
        (
            "from dataclasses import replace\n"
            "from salesnb.measures.catalogue import CATALOGUE, Part\n"
            "KPIS = [replace(CATALOGUE[0], kpi='x', moment=Part('deals', 'day', None))]",
            "no fact deals. Known: opportunities, amounts",
        ),
    ],
)
def test_what_is_no_catalogue_is_refused(tmp_path, text, said):
    path = tmp_path / "mine.py"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ParameterError, match=said):
        read_kpis(path)
    with pytest.raises(ParameterError, match="no such file"):
        read_kpis(tmp_path / "other.py")
