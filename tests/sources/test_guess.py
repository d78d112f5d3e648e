"""Guesses: what is placed, why, what is said of it, and what is left to the reader."""

import io
import re
from importlib import resources
from pathlib import Path

import pandas as pd
import pytest
import yaml
from guess_company import made_company, read_families
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from small_company import write_export

from salesnb.errors import DataError
from salesnb.schema import TABLES
from salesnb.sources.guess import guess_mapping, read_previews
from salesnb.sources.guess.conventions import guess_file
from salesnb.sources.guess.values import kind_of, outcome_of, profile_column
from salesnb.sources.guess.vocabulary import read_vocabulary
from salesnb.sources.mapping import Mapping

FAMILIES = read_families("guess_families")
BROWSER = "pipedrive browser"


def mapping_of(guess):
    return Mapping.model_validate(yaml.safe_load(guess.to_yaml()))


def found(guess, table, column):
    (item,) = [
        item
        for b in guess.tables
        if b.table == table
        for item in b.columns
        if item.column == column
    ]
    return item


def block_of(guess, table):
    return next(block for block in guess.tables if block.table == table)


def deals(**columns):
    """Write forty deals of four owners, two of them won of each five; columns may be replaced."""
    n = 40
    days = pd.date_range("2026-01-05", periods=n, freq="D")
    frame = pd.DataFrame(
        {
            "Deal ID": [f"D{k:04d}" for k in range(n)],
            "Owner": ["Ana Abel", "Ben Brandt", "Carla Costa", "Deniz Dahl"] * 10,
            "Created": days.strftime("%Y-%m-%d"),
            "Close Date": (days + pd.Timedelta(days=30)).strftime("%Y-%m-%d"),
            "Stage": ["Won", "Lost", "Open", "Won", "Offer"] * 8,
            "Amount": [f"{100 + 7 * k}.50" for k in range(n)],
        }
    )
    return frame.assign(**{name: values for name, values in columns.items() if values is not None})


@pytest.mark.parametrize("name", list(FAMILIES))
def test_the_yaml_is_the_mapping_the_guess_says(name):
    guess = guess_mapping(FAMILIES[name].previews(n=60))
    mapping = mapping_of(guess)
    said = [
        (block.table, block.source, str(item.column), item.spec)
        for block in guess.tables
        if not block.unfilled or TABLES[block.table].required
        for item in block.columns
    ]
    content = yaml.safe_load(guess.to_yaml())["tables"]
    written = [
        (table, block["from"], column, spec)
        for table, blocks in content.items()
        for block in blocks
        for column, spec in block["columns"].items()
    ]
    assert sorted(map(repr, written)) == sorted(map(repr, said))
    order = list(TABLES)
    assert [order.index(t) for t in mapping.tables] == sorted(map(order.index, mapping.tables))


def test_each_line_says_how_sure_it_is_and_why():
    text = guess_mapping({"deals": deals()}).to_yaml()
    (line,) = [line for line in text.splitlines() if line.strip().startswith("closed_on:")]
    assert line == (
        "        closed_on: {column: Close Date, only_if: is_closed}  "
        "# 0.97  header 'Close Date' and 40 of 40 values are dates"
    )


def test_an_outcome_is_made_of_the_stage():
    guess = guess_mapping({"deals": deals()})
    assert found(guess, "opportunities", "is_won").spec == {
        "column": "Stage", "map": {"Won": "true"}, "otherwise": "false"
    }  # fmt: skip
    assert found(guess, "opportunities", "is_closed").spec["map"] == {"Lost": "true", "Won": "true"}
    assert found(guess, "opportunities", "closed_on").spec["only_if"] == "is_closed"
    expected = found(guess, "opportunities", "expected_close_on")
    assert expected.spec == "Close Date"
    assert "16 of 16 open opportunities have it too" in expected.reason


def test_without_a_word_for_lost_nothing_says_what_is_closed():
    guess = guess_mapping({"deals": deals(Stage=["Won", "Open"] * 20)})
    assert guess.unfilled == {"opportunities": ("is_closed",)}
    assert not guess.is_complete
    assert "Required and not found: opportunities: is_closed" in guess.finding
    assert "      # is_closed:  # required, not found" in guess.to_yaml()
    assert mapping_of(guess).tables["opportunities"][0].fills.isdisjoint({"is_closed"})


def test_a_flag_that_is_only_set_where_it_holds_is_read_so():
    won = ["1", None, None, "1", None] * 8
    guess = guess_mapping(
        {"deals": deals(**{"Is Won": won, "Is Closed": ["1", "1", None, "1", None] * 8})}
    )
    assert found(guess, "opportunities", "is_won").spec == {
        "column": "Is Won", "map": {"1": "true"}, "otherwise": "false"
    }  # fmt: skip
    assert "empty is taken for no" in found(guess, "opportunities", "is_won").reason


def test_reps_are_collected_from_owners_where_there_are_no_users():
    guess = guess_mapping({"deals": deals()})
    reps = block_of(guess, "reps")
    assert (reps.source, dict(reps.options)) == (
        "deals",
        {"distinct": True, "only_filled": "rep_id"},
    )
    assert found(guess, "reps", "name").inputs == ("Owner",)


def test_owners_that_users_lack_are_added():
    users = pd.DataFrame(
        {"User ID": ["1", "2", "3"], "Name": ["Ana Abel", "Ben Brandt", "Carla Costa"]}
    )
    guess = guess_mapping({"deals": deals(), "users": users})
    first, second = [block for block in guess.tables if block.table == "reps"]
    assert (first.source, first.columns[0].inputs) == ("users", ("Name",))
    assert (second.source, second.options["only_new"]) == ("deals", True)
    assert "3 of 4 values are in users: Name" in found(guess, "opportunities", "rep_id").reason


def test_users_that_are_others_are_not_the_reps():
    users = pd.DataFrame({"User ID": ["1", "2", "3"], "Name": ["Xu Li", "Yan Wu", "Zoe Ma"]})
    reps = block_of(guess_mapping({"deals": deals(), "users": users}), "reps")
    assert reps.source == "deals"
    assert reps.reason == "users lacks the owners"


def test_of_two_columns_of_one_name_neither_is_sure_and_both_are_named():
    frame = deals().assign(amount=[f"{k}.25" for k in range(40)])
    guess = guess_mapping({"deals": frame})
    amount = found(guess, "opportunities", "amount")
    assert amount.confidence <= 0.5
    assert {*amount.inputs, *amount.alternatives} == {"Amount", "amount"}
    assert f"#   or: {amount.alternatives[0]}" in guess.to_yaml()


def test_two_columns_that_say_the_same_take_nothing_from_each_other():
    numbers = [str(501 + k % 4) for k in range(40)]
    alone = guess_mapping({"deals": deals()})
    both = guess_mapping({"deals": deals(**{"Owner ID": numbers})})
    assert found(both, "opportunities", "rep_id").inputs == ("Owner ID",)
    assert (
        found(both, "opportunities", "rep_id").confidence
        >= found(alone, "opportunities", "rep_id").confidence - 0.05
    )
    assert found(both, "reps", "name").inputs == ("Owner",)


@pytest.mark.parametrize(
    ("header", "values", "column"),
    [
        ("Close Date", ["soon", "later"] * 20, "closed_on"),
        ("Amount", ["large", "small"] * 20, "amount"),
        ("Deal ID", ["same"] * 40, "opportunity_id"),
        ("Owner", [f"2026-01-{1 + k % 28:02d}" for k in range(40)], "rep_id"),
    ],
)
def test_a_header_is_not_believed_against_its_values(header, values, column):
    guess = guess_mapping({"deals": deals(**{header: values})})
    placed = {str(item.column) for item in block_of(guess, "opportunities").columns}
    assert column not in placed
    assert header in guess.unplaced_columns["deals"]


def test_misleading_neighbours_are_left_unplaced():
    frame = deals().drop(columns=["Amount", "Close Date", "Created"])
    frame["Weighted amount"], frame["Last Modified Date"] = "12.5", "2026-01-05"
    guess = guess_mapping({"deals": frame})
    placed = {name for item in block_of(guess, "opportunities").columns for name in item.inputs}
    assert placed == {"Deal ID", "Owner", "Stage"}
    assert guess.unplaced_columns["deals"] == ("Weighted amount", "Last Modified Date")
    assert "# not placed: Weighted amount, Last Modified Date" in guess.to_yaml()


def test_kinds_of_activities_are_words_or_the_name_of_the_source():
    calls = made_company()["calls"].head(30).astype("str")
    columns = {"id": "Id", "owner_name": "Owner", "start": "Start"}
    plain = calls[list(columns)].rename(columns=columns)
    types = ["Phone call", "Onsite demo", "To-do"] * 10
    guess = guess_mapping(
        {"deals": deals(), "Calls": plain, "activities": plain.assign(Type=types)}
    )
    blocks = {block.source: block for block in guess.tables if block.table == "activities"}
    specs = {name: block.columns[2].spec for name, block in blocks.items()}
    assert specs == {
        "Calls": {"constant": "call"},
        "activities": {
            "column": "Type",
            "map": {"Onsite demo": "meeting", "Phone call": "call"},
            "otherwise": "",
        },
    }  # fmt: skip
    assert blocks["activities"].options == {"only_filled": "kind"}


def test_a_length_in_minutes_becomes_seconds():
    calls = made_company()["calls"].head(30).astype("str")
    columns = {"id": "Id", "owner_name": "Owner", "start": "Start", "minutes": "Duration (minutes)"}
    guess = guess_mapping({"deals": deals(), "Calls": calls[list(columns)].rename(columns=columns)})
    assert found(guess, "activities", "seconds").spec == {
        "column": "Duration (minutes)", "then": {"scale": 60}
    }  # fmt: skip


def test_deleted_rows_are_skipped_unless_all_are():
    some = deals(IsDeleted=["true"] * 3 + ["false"] * 37)
    assert block_of(guess_mapping({"deals": some}), "opportunities").options == {
        "skip": {"IsDeleted": True}
    }
    assert (
        "skip"
        not in block_of(guess_mapping({"deals": deals(IsDeleted="true")}), "opportunities").options
    )


def test_values_that_differ_in_blanks_only_become_aliases():
    products = pd.DataFrame({"Product": ["GTX Pro", "MG Advanced"], "Price": ["10", "20"]})
    frame = deals(Product=["GTXPro", "MG Advanced"] * 20)
    guess = guess_mapping({"deals": frame, "products": products})
    assert guess.aliases == {"products": {"GTXPro": "GTX Pro"}}
    assert mapping_of(guess).aliases == {"products": {"GTXPro": "GTX Pro"}}


@pytest.mark.parametrize(
    ("texts", "options", "said"),
    [
        (["05/01/2026", "31/01/2026"], {"date_format": "%d/%m/%Y"}, "day first, as in 31/01/2026"),
        (
            ["05/01/2026", "01/31/2026"],
            {"date_format": "%m/%d/%Y"},
            "month first, as in 01/31/2026",
        ),
        (["5.1.26", "6.1.26"], {"date_format": "%d.%m.%y"}, "day first"),
        (["01/31/2026 4:05 PM"], {"date_format": "%m/%d/%Y %I:%M %p"}, "month first"),
        (["05/01/2026", "06/01/2026"], {}, "day or month first? 05/01/2026 does not tell"),
        (["31/01/2026", "2026-01-31"], {}, "day first, and dates are written in several ways"),
    ],
)
def test_the_order_of_day_and_month_is_told_by_values(texts, options, said):
    guess = guess_mapping(
        {"deals": deals(**{"Close Date": (texts * 40)[:40]}).drop(columns="Created")}
    )
    (file,) = guess.files
    assert file.options == options
    assert said in file.reason
    assert mapping_of(guess).options("deals").date_format == options.get("date_format")


def test_plain_dates_and_numbers_need_no_options():
    assert guess_mapping({"deals": deals()}).files == ()


def test_a_decimal_comma_and_a_currency_sign_are_seen():
    amounts = [f"1.{100 + k},50 €" for k in range(40)]
    guess = guess_mapping({"deals": deals(Amount=amounts)})
    assert guess.files[0].options == {"decimal": ","}
    assert guess.currency == "EUR"
    assert mapping_of(guess).company.currency == "EUR"


def test_of_several_currencies_the_most_frequent_is_reported_in():
    guess = guess_mapping({"deals": deals(Currency=["CHF", "CHF", "EUR", "USD"] * 10)})
    assert guess.currency == "CHF"
    assert guess.currency_reason == "20 rows of deals are in it; 3 currencies need exchange_rates"


def test_an_optional_table_that_lacks_something_is_a_comment():
    leads = pd.DataFrame({"Lead ID": ["l1", "l2", "l3"], "Lead Source": ["Web", "Web", "Fair"]})
    guess = guess_mapping({"deals": deals(), "leads": leads})
    assert guess.unfilled == {"leads": ("created_at",)}
    assert guess.is_complete
    assert "  # leads:" in guess.to_yaml()
    assert "leads" not in mapping_of(guess).tables


def test_sources_that_are_no_table_are_named():
    other = pd.DataFrame({"Table": ["a"], "Field": ["b"], "Description": ["c"]})
    guess = guess_mapping({"deals": deals(), "data_dictionary": other})
    assert guess.unused_sources == {"data_dictionary": ("Table", "Field", "Description")}
    assert "# No table is read from data_dictionary: Table, Field, Description" in guess.to_yaml()


@pytest.mark.parametrize("previews", [{}, {"deals": pd.DataFrame()}])
def test_of_nothing_nothing_is_guessed(previews):
    guess = guess_mapping(previews)
    assert guess.tables == ()
    assert set(guess.unfilled) == {"reps", "opportunities"}
    assert mapping_of(guess).tables == {}


def test_without_rows_headers_decide_and_are_less_sure():
    empty = guess_mapping({"deals": deals().head(0)})
    full = guess_mapping({"deals": deals()})
    assert found(empty, "opportunities", "amount").reason == "header 'Amount' and it is empty"
    assert (
        found(empty, "opportunities", "amount").confidence
        < found(full, "opportunities", "amount").confidence
    )
    assert not empty.is_complete


def test_headers_that_yaml_would_misread_are_quoted():
    odd = {"Close Date": "on", "Owner": "Owner: {name} #1\n(new)", "Amount": "yes"}
    guess = guess_mapping({"no": deals().rename(columns=odd)})
    mapping = mapping_of(guess)
    assert {b.source for blocks in mapping.tables.values() for b in blocks} <= {"no"}
    inputs = {name for item in block_of(guess, "opportunities").columns for name in item.inputs}
    written = yaml.safe_load(guess.to_yaml())["tables"]["opportunities"][0]["columns"].values()
    assert {s if isinstance(s, str) else s["column"] for s in written} == inputs


def test_a_preset_teaches_its_headers_and_names():
    with_presets, without = read_vocabulary(("salesforce",)), read_vocabulary(())
    assert ("system", "modstamp") not in without.columns["opportunities", "created_on"]
    assert ("opportunity", "owner", "alias") in with_presets.columns["opportunities", "rep_id"]
    assert ("opportunity", "owner", "alias") not in without.columns["opportunities", "rep_id"]
    assert "forecastingquota" in with_presets.tables["targets"]
    assert with_presets.tables["reps"].isdisjoint({"opportunity", "task"})
    assert ("is", "closed") not in with_presets.columns["stages", "is_lost"]


def test_words_are_of_the_model():
    path = resources.files("salesnb.sources.guess") / "vocabulary.yaml"
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    written = {(t, c) for t, part in content["tables"].items() for c in part["columns"]}
    known = {(t, str(c)) for t, d in TABLES.items() for c in d.columns}
    assert written <= known
    words = read_vocabulary(())
    assert set(words.columns) == known  # without words of its own a column has its name
    assert all(words.columns.values())
    names = [name for names in words.tables.values() for name in names]
    assert not set(names) & words.others


@given(seed=st.integers(0, 10_000))
@settings(max_examples=10)
def test_the_order_of_rows_and_columns_does_not_matter(seed):
    family = FAMILIES[BROWSER]
    previews = family.previews(n=60)
    mixed = {
        name: frame.sample(frac=1, random_state=seed).sample(frac=1, axis=1, random_state=seed)
        for name, frame in previews.items()
    }

    def placed(guess):
        frame = guess.to_frame()
        return set(
            zip(frame["table"], frame["column"], frame["from"], frame["confidence"], strict=True)
        )

    assert placed(guess_mapping(previews)) == placed(guess_mapping(mixed))


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
HEADERS = st.one_of(
    TEXTS, st.sampled_from(["Id", "Owner", "Stage", "Amount", "Close Date", "Created", "Name"])
)
CELLS = st.one_of(
    st.none(),
    TEXTS,
    st.sampled_from(["Won", "Lost", "1", "2026-01-05", "5.1.26", "x@y.z", "€ 5,50"]),
)


@given(data=st.data())
@settings(max_examples=60)
def test_whatever_an_export_holds_the_guess_is_a_mapping(data):
    previews = {}
    for name in data.draw(st.lists(TEXTS.filter(str.strip), min_size=1, max_size=3, unique=True)):
        headers = data.draw(st.lists(HEADERS, min_size=1, max_size=6, unique=True))
        rows = data.draw(st.integers(0, 4))
        cells = {h: data.draw(st.lists(CELLS, min_size=rows, max_size=rows)) for h in headers}
        previews[name] = pd.DataFrame(cells, dtype="str")
    guess = guess_mapping(previews)
    content = yaml.safe_load(guess.to_yaml())
    for block in guess.tables:
        for item in block.columns:
            assert set(item.inputs) <= set(previews[block.source].columns)
            assert 0 <= item.confidence <= 0.99
    assert set(content) <= {"company", "files", "aliases", "tables"}


@pytest.mark.parametrize(
    ("text", "outcome"),
    [("Closed Won", "won"), ("closedlost", "lost"), ("9 - Gewonnen", "won"), ("Perdue", "lost"),
     ("Won't proceed", ""), ("Wonderful", ""), ("Open", ""), ("Lost to winner", "lost")],
)  # fmt: skip
def test_outcomes_are_told_by_words(text, outcome):
    assert outcome_of(text) == outcome


@pytest.mark.parametrize(
    ("text", "kind"),
    [("Outbound call", "call"), ("E-Mail", "email"), ("Réunion", "meeting"), ("Task", "")],
)
def test_kinds_are_told_by_words(text, kind):
    assert kind_of(text) == kind


def test_blank_cells_are_missing():
    profile = profile_column(pd.Series([" a ", "a", " ", "", None, "b"], dtype="str"))
    assert (profile.n, profile.n_filled, profile.n_distinct) == (6, 3, 2)
    assert profile.distinct == ("a", "b")


def test_files_with_nothing_to_say_have_no_entry():
    from salesnb.sources.guess.scores import score_sources

    source = score_sources({"deals": deals()}, read_vocabulary())["deals"]
    assert guess_file(source, []) is None


def test_the_table_names_what_was_and_was_not_placed():
    console = Console(width=200, file=io.StringIO())
    console.print(guess_mapping({"deals": deals(Remark="hello"), "notes": deals()[["Stage"]]}))
    shown = console.file.getvalue()
    assert "Everything required was found." in shown
    assert "Not placed of deals: Remark" in shown
    assert "No table is read from notes." in shown


def test_previews_are_text_of_the_first_rows(tmp_path):
    export = write_export(tmp_path / "export", {"deals": "Id,Value\n007, 1.50 \n008,\n009,3\n"})
    frame = read_previews(export, rows=2).tables["deals"]
    assert frame["Id"].tolist() == ["007", "008"]
    assert frame["Value"].iloc[0] == "1.50"
    assert frame["Value"].isna().tolist() == [False, True]


def test_a_file_that_cannot_be_read_is_named_and_the_others_are(tmp_path):
    export = write_export(
        tmp_path / "export", {"deals": deals(), "broken": b"", "users": "Id\n1\n"}
    )
    previews = read_previews(export)
    assert set(previews.tables) == {"deals", "users"}
    (problem,) = previews.problems
    assert "broken.csv: the file is empty" in problem


def test_where_nothing_can_be_read_every_problem_is_said(tmp_path):
    export = write_export(tmp_path / "export", {"deals": b"", "users": b""})
    with pytest.raises(DataError, match=r"2 problem\(s\)(.|\n)*deals.csv(.|\n)*users.csv"):
        read_previews(export)


def test_the_page_shows_what_is_written():
    page = (Path(__file__).parents[2] / "docs" / "guess.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"^```yaml\n(.*?)^```$", page, flags=re.DOTALL | re.MULTILINE)
    frame = deals(Remark=["x y", "z"] * 20, AMOUNT=[f"{k}.25" for k in range(40)])
    assert guess_mapping({"deals": frame}).to_yaml().endswith(shown)
