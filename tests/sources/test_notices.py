from itertools import groupby

import pytest
from pydantic import ValidationError

from salesnb.measures import catalogue
from salesnb.schema import TABLES, opportunities, reps
from salesnb.sources.notices.notice import (
    KPIS_OF,
    SEVERAL,
    WON_AMOUNT_KPIS,
    Notice,
    by_table,
    examples_text,
    kpis_of,
    lacking_kpis,
    table_kpis,
)

HEADLINE = [kpi for kpi in catalogue.CATALOGUE if kpi.is_headline]


def test_the_kpis_of_a_column_are_those_of_the_catalogue_that_need_it():
    needs = sorted((c.table, str(c), kpi.kpi) for kpi in HEADLINE for c in kpi.needs)
    by_column = {key: [row[2] for row in rows] for key, rows in groupby(needs, lambda r: r[:2])}
    assert {key: sorted(kpis) for key, kpis in KPIS_OF.items()} == by_column
    money = {k.kpi for k in HEADLINE if opportunities.amount in k.needs and "is_won" in k.needs}
    assert set(WON_AMOUNT_KPIS) == money


def test_kpis_are_listed_once_by_column_and_table():
    assert kpis_of(opportunities.qualified_on, opportunities.qualified_on) == ("pipeline_created",)
    assert kpis_of(reps.name) == ()
    assert table_kpis("targets") == ("quota_attainment", "pipeline_coverage")
    assert table_kpis("courses") == ()


def test_a_kpi_lacks_what_any_of_its_columns_lacks():
    whole = {name: table.columns for name, table in TABLES.items()}
    assert lacking_kpis(whole) == set()
    assert lacking_kpis({}) == {kpi.kpi for kpi in HEADLINE}
    less = {**whole, "leads": ["lead_id", "created_at"]}
    assert lacking_kpis(less) == {"lead_to_won"}


def test_a_notice_reads_as_sentences_with_its_table_in_front():
    notice = Notice(table="leads", what="What.", effect="So.", kpis=("leads",), action="Do.")
    assert str(notice) == "leads: What. So. KPIs: leads. Do."
    assert str(Notice(table="leads", what="What.")) == "leads: What."
    with pytest.raises(ValidationError, match="frozen"):
        notice.what = "x"


def test_notices_are_grouped_in_the_order_of_the_tables():
    tables = [SEVERAL, "leads", "opportunities", "leads"]
    notices = [Notice(table=table, what=str(n)) for n, table in enumerate(tables)]
    groups = by_table(notices)
    assert list(groups) == ["opportunities", "leads", SEVERAL]
    assert [notice.what for notice in groups["leads"]] == ["1", "3"]


def test_no_examples_give_no_brackets_and_many_only_three():
    assert examples_text([]) == ""
    assert examples_text("abcd") == " (e.g. 'a', 'b', 'c')"
