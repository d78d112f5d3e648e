"""Mappings that extend another one: what is kept, what goes over it, what is refused."""

import pytest
from compiled import problems_of, read_text, run

from salesnb.errors import ParameterError
from salesnb.sources.mapping import Mapping, read_mapping, read_preset, resolve

BASE = """
about: base
optional: true
company: {name: Base, currency: EUR, fiscal_year_start: 2}
files: {deals: {decimal: ",", date_format: "%d/%m/%Y"}, users: {decimal: ","}}
aliases: {products: {a: A, b: B}}
tables:
  reps:
    - {from: users, columns: {rep_id: Id, name: Name}}
    - {from: deals, only_new: true, distinct: true, columns: {rep_id: Owner, name: Owner}}
  opportunities:
    - from: deals
      skip: {Is Deleted: true, Test: true}
      columns:
        opportunity_id: Id
        rep_id: Owner
        stage: Stage
        is_won: {column: Stage, map: {Won: "true"}, otherwise: "false"}
        is_closed: {column: Stage, map: {Won: "true", Lost: "true"}, otherwise: "false"}
        closed_on: {column: Closed, only_if: is_closed}
        amount: Amount
  leads:
    - {from: leads, columns: {lead_id: Id, created_at: Created}}
"""
DEALS = (
    "Id,Owner,Stage,Amount,ARR,Closed,is_deleted,Test,Region\n"
    "1,ana,Won,10,100,2026-01-01,no,no,EU\n"
    "2,ana,Signed,20,200,2026-01-02,no,yes,EU\n"
    "3,ben,Lost,30,300,2026-01-03,yes,no,US\n"
)


def extend(tmp_path, text, base=BASE):
    (tmp_path / "base.yaml").write_text(base, encoding="utf-8")
    return read_text(tmp_path, f"extends: base.yaml\n{text}")


def deals(mapping, *columns):
    rows = run(mapping, {"deals": DEALS}, "opportunities")
    return [tuple(row.get(column) for column in ("opportunity_id", *columns)) for row in rows]


def test_settings_go_over_those_below_key_by_key(tmp_path):
    mapping = extend(tmp_path, """
company: {currency: USD}
files: {deals: {decimal: "."}, "*": {time_zone: UTC}}
aliases: {products: {b: C}, reps: {x: y}}
""")  # fmt: skip
    company, options = mapping.company, mapping.options("deals")
    assert (company.name, company.currency, company.fiscal_year_start) == ("Base", "USD", 2)
    assert (options.decimal, options.date_format, options.time_zone) == (".", "%d/%m/%Y", "UTC")
    assert mapping.aliases == {"products": {"a": "A", "b": "C"}, "reps": {"x": "y"}}
    assert mapping.about == "base"
    assert {name: len(blocks) for name, blocks in mapping.tables.items()} == {
        "reps": 2, "opportunities": 1, "leads": 1,
    }  # fmt: skip


def test_nothing_said_changes_nothing(tmp_path):
    (tmp_path / "base.yaml").write_text(BASE, encoding="utf-8")
    assert extend(tmp_path, "") == read_mapping(tmp_path / "base.yaml")


def test_a_column_is_changed_and_what_depends_on_it_follows(tmp_path):
    mine = extend(tmp_path, """
tables:
  opportunities:
    columns:
      amount: ARR
      source: Region
      is_won: {column: Stage, map: {Signed: "true"}, otherwise: "false"}
      is_closed: {column: Stage, map: {Signed: "true"}, otherwise: "false"}
""")  # fmt: skip
    assert deals(mine, "is_won", "closed_on", "amount", "source") == [
        ("1", "false", None, "100", "EU"),
    ]  # fmt: skip
    mine = extend(tmp_path, "tables: {opportunities: {skip: {Test: null}, columns: {stage: null}}}")
    assert deals(mine, "stage", "amount") == [("1", None, "10"), ("2", None, "20")]


def test_conditions_are_added_and_taken_away_however_they_are_written(tmp_path):
    mine = extend(tmp_path, "tables: {opportunities: {skip: {isdeleted: null, Region: US}}}")
    assert deals(mine) == [("1",)]
    mine = extend(tmp_path, "tables: {opportunities: {skip: {is_deleted: null, Test: null}}}")
    assert deals(mine) == [("1",), ("2",), ("3",)]
    mine = extend(
        tmp_path, "tables: {opportunities: {only: {Region: US}, skip: {IsDeleted: null}}}"
    )
    assert deals(mine) == [("3",)]


def test_blocks_are_added_replaced_and_dropped(tmp_path):
    mine = extend(tmp_path, """
tables:
  leads: null
  reps: [{from: deals, columns: {rep_id: Owner, name: Id}}]
  opportunities:
    add:
      - from: old
        columns: {opportunity_id: Nr, rep_id: Who, is_won: W, is_closed: C}
""")  # fmt: skip
    assert "leads" not in mine.tables
    assert [block.source for block in mine.tables["reps"]] == ["deals"]
    old = "Nr,Who,W,C\n9,ana,yes,yes\n"
    rows = run(mine, {"deals": DEALS, "old": old}, "opportunities")
    assert [row["opportunity_id"] for row in rows] == ["1", "9"]


def test_what_is_added_is_needed_and_what_is_inherited_may_be_absent(tmp_path):
    mine = extend(tmp_path, """
tables:
  opportunities:
    columns: {amount: ARR2, currency: {column: Coin, optional: true}}
    skip: {Draft: true}
    add: [{from: old, columns: {opportunity_id: a, rep_id: a, is_won: a, is_closed: a}}]
""")  # fmt: skip
    headers = {"deals": tuple(DEALS.splitlines()[0].split(","))}
    problems = problems_of(resolve(mine, headers))
    assert len(problems) == 2
    assert problems[0].startswith("1 file(s) missing (old); found: deals.")
    assert "deals: 2 column(s) missing ('ARR2', 'Draft'), named in your change of" in problems[1]


def test_a_changed_column_is_taken_where_it_is_and_needed_in_one_source_only(tmp_path):
    text = "tables: {reps: {columns: {name: Title, role: Title}}}"
    headers = {"users": ("Id", "Name", "Title"), "deals": ("Id", "Owner", "Stage")}
    resolution = resolve(extend(tmp_path, text), headers)
    assert resolution.problems == ()
    users, owners = resolution.tables["reps"]
    assert (users.columns["name"].column, users.columns["role"].column) == (("Title",),) * 2
    assert (owners.columns["name"].column, "role" in owners.columns) == (("Owner",), False)


def test_layers_may_lie_on_layers(tmp_path):
    middle = (
        "extends: bottom.yaml\ntables: {opportunities: {columns: {amount: ARR, source: Region}}}"
    )
    (tmp_path / "bottom.yaml").write_text(BASE, encoding="utf-8")
    mine = extend(tmp_path, "tables: {opportunities: {columns: {amount: Id}}}", base=middle)
    assert deals(mine, "amount", "source") == [("1", "1", "EU")]
    lacking = {"deals": ("Id", "Owner", "Stage", "Amount")}
    (said,) = problems_of(resolve(mine, lacking))
    assert "1 column(s) missing ('Region')" in said


def test_what_was_changed_is_kept_with_the_mapping(tmp_path):
    text = "tables: {opportunities: {columns: {amount: ARR}, skip: {Test: null, Draft: true}}}"
    mine = extend(tmp_path, text)
    kept = Mapping.model_validate_json(mine.model_dump_json())
    assert kept == mine
    lacking = {"deals": ("Id", "Owner", "Stage", "Amount")}
    assert resolve(kept, lacking).problems == resolve(mine, lacking).problems
    assert len(problems_of(resolve(kept, lacking))) == 1


def test_a_preset_is_extended_by_its_name(tmp_path):
    mine = read_text(tmp_path, "extends: maven\ncompany: {name: Mine}\n")
    assert mine.company.name == "Mine"
    assert mine.tables == read_preset("maven").tables


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("extends: sales", r"mine.yaml: extends: 'sales' is neither a preset \(.*maven.*\) nor a file"),  # noqa: E501
        ("extends: [maven]", r"mine.yaml: .*extends: Input should be a valid string"),
        ("extends: mine.yaml", r"mine.yaml: extends: goes round in a circle: .*mine.yaml -> .*mine.ya"),  # noqa: E501
        ("extends: maven\ntables: {leads: {columns: {source: x}}}",
         "mine.yaml: tables: maven does not fill leads, so it cannot be changed; give a list"),
        ("extends: maven\ntables: {reps: {columns: {nme: x}}}", "reps: unknown columns nme; known"),
        ("extends: maven\ntables: {rep: {columns: {name: x}}}", "tables: 'rep' is not a table"),
        ("extends: maven\ntables: {reps: {columns: {name: {colunm: x}}}}",
         r"mine.yaml: .*tables.reps.columns.name.colunm: Extra inputs"),
        ("extends: maven\nfiles: {x: {decimal: ','}}", "mine.yaml: .*no table is read from x; read: a"),  # noqa: E501
        ("tables: {reps: {columns: {name: x}}}", "tables: reps: give a list of blocks; a change nee"),  # noqa: E501
        ("extends: maven\nchanges: {}", "unknown key changes"),
        ("extends: maven\ntables: {reps: {add: [{from: a}]}}", "reps.add.0: .*`from` needs `columns`"),  # noqa: E501
    ],
)  # fmt: skip
def test_a_wrong_extension_is_refused_with_its_file(tmp_path, text, said):
    with pytest.raises(ParameterError, match=f"(?s){said}"):
        read_text(tmp_path, text)


def test_a_circle_of_files_is_named_whole(tmp_path):
    for here, there in (("a", "b"), ("b", "c"), ("c", "a")):
        (tmp_path / f"{here}.yaml").write_text(f"extends: {there}.yaml\n", encoding="utf-8")
    with pytest.raises(ParameterError, match=r"c.yaml: extends: .*a.yaml -> .*c.yaml -> .*a.yaml"):
        read_mapping(tmp_path / "a.yaml")


def test_an_error_below_names_the_file_below(tmp_path):
    with pytest.raises(ParameterError, match=r"base.yaml: 1 problem.*\n  tables.reps.0: "):
        extend(tmp_path, "", base="tables: {reps: [{from: a}]}")
