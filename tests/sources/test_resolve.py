"""Mappings brought together with what an export has: names, alternatives, what is left out."""

import pytest
import yaml
from compiled import problems_of, run
from hypothesis import given
from hypothesis import strategies as st

from salesnb.sources.mapping import (
    Company,
    Mapping,
    identity_mapping,
    preset_names,
    read_preset,
    resolve,
)
from salesnb.sources.mapping.names import find_name, plain_name

REPS = {"staff": ("Id", "Full Name")}


def mapping_of(text):
    return Mapping.model_validate(yaml.safe_load(text))


def reps(block, **more):
    """Make a mapping of one block of reps, given as YAML."""
    return Mapping.model_validate({"tables": {"reps": [yaml.safe_load(block)]}, **more})


def resolve_block(block, headers=REPS, **more):
    resolution = resolve(reps(block, **more), headers)
    assert problems_of(resolution) == []
    (found,) = resolution.tables["reps"]
    return found


def problem(block, headers=REPS, **more):
    (text,) = problems_of(resolve(reps(block, **more), headers))
    return text


@pytest.mark.parametrize("header", ["CreatedDate", "created_date", "Created Date", "CREATED-DATE"])
@pytest.mark.parametrize("wanted", ["CreatedDate", "created date", "Created_Date"])
def test_a_name_is_found_however_it_is_written(wanted, header):
    assert find_name([wanted], ["Id", header]).name == header


def test_the_exact_name_goes_before_one_that_is_alike():
    assert find_name(["amount"], ["Amount", "amount", "AMOUNT"]).name == "amount"
    assert find_name(["Value", "amount"], ["Amount", "VALUE"]).name == "VALUE"
    assert find_name(["Amount", "Value"], ["amount", "AMOUNT", "value"]).name == "value"


@given(
    names=st.lists(st.text(max_size=5), max_size=5),
    wanted=st.lists(st.text(max_size=5), max_size=3),
)
def test_what_is_found_is_there_and_alike_or_nothing_is_without_doubt(names, wanted):
    match = find_name(wanted, names)
    if match.name is None:
        assert all(sum(plain_name(n) == plain_name(w) for n in set(names)) != 1 for w in wanted)
        assert not set(names) & set(wanted)
    else:
        assert match.name in names
        assert plain_name(match.name) in {plain_name(name) for name in wanted}


def test_two_names_alike_are_not_guessed_at():
    headers = {"staff": ("Id", "full name", "FULL_NAME")}
    said = problem("{from: staff, columns: {rep_id: Id, name: Full Name}}", headers)
    assert "staff: 1 column(s) missing ('Full Name' (may be 'full name' or 'FULL_NAME'))" in said
    said = problem(
        "{from: Staff, columns: {rep_id: Id, name: Id}}", {"staff": ("Id",), "STAFF": ("Id",)}
    )
    assert (
        said == "reps: from: 'Staff' (may be 'staff' or 'STAFF'). Write the one you mean exactly."
    )


def test_sources_and_columns_become_exact_everywhere():
    block = """
from: [People, STAFF.csv]
columns:
  rep_id: [Code, id]
  name: {template: "{id}: {full_name}"}
  role:
    first_of: [ID, {sum: [id, FULLNAME]}]
    lookup: {from: Roles, key: [code, id], value: TITLE}
  hired_on: {column: id, only_if: {full-name: x, a: {column: [b, ID], is: y}}}
skip: {full_name: x, ID: {found_in: {from: roles.csv, column: Title}}}
latest_by: [modified, full_name]
"""
    headers = {**REPS, "roles": ("Id", "Title")}
    resolved = resolve_block(block, headers)
    columns = resolved.columns
    assert (resolved.source, resolved.latest_by) == ("staff", ("Full Name",))
    assert columns["rep_id"].column == ("Id",)
    assert columns["name"].template == "{Id}: {Full Name}"
    assert columns["role"].inputs == ("Id", "Full Name")
    lookup = columns["role"].lookup
    assert (lookup.source, lookup.key, lookup.value) == (("roles",), ("Id",), ("Title",))
    assert [c.column for c in columns["hired_on"].only_if.values()] == [("Full Name",), ("Id",)]
    assert [c.column for c in resolved.skip.values()] == [("Full Name",), ("Id",)]
    assert resolved.skip["ID"].found_in.source == ("roles",)
    assert resolve(reps(block), headers).sources == ("roles", "staff")


def test_alternatives_are_chosen_by_what_the_export_has():
    block = """
from: staff
columns:
  rep_id: Id
  name: [{column: Name, map: {a: b}}, {first_of: [First, Last]}, Full Name, Id]
"""
    assert resolve_block(block).columns["name"].column == ("Full Name",)
    both = {"staff": ("Id", "First", "Last", "Full Name")}
    assert resolve_block(block, both).columns["name"].inputs == ("First", "Last")
    said = problem(block, {"staff": ("Id2", "First")})
    assert "'Id'" in said
    assert "'Name' or 'Last' or 'Full Name' or 'Id'" in said


def test_missing_files_are_reported_together_with_what_there_is():
    mapping = mapping_of("""
tables:
  reps: [{from: [people, staff.csv], columns: {rep_id: a, name: a}}]
  teams: [{from: teams, columns: {team_id: a, name: a}}]
  opportunities:
    - {from: deals, columns: {opportunity_id: a, rep_id: a, is_won: a, is_closed: a}}
""")
    resolution = resolve(mapping, {"deals": ("a",)}, names={"deals": "deals.csv"})
    assert resolution.problems == (
        "2 file(s) missing (people or staff, teams); found: deals.csv. Export them, or change "
        "`from:` in your mapping.",
    )


def test_missing_columns_name_the_file_what_it_has_and_the_action():
    block = "{from: staff, columns: {rep_id: Nr, name: {first_of: [Name, Id]}, role: Id}}"
    resolution = resolve(reps(block), REPS, names={"staff": "staff.xlsx"})
    (said,) = problems_of(resolution)
    assert said == (
        "staff.xlsx: 2 column(s) missing ('Nr', 'Name'); the file has 'Id', 'Full Name'. "
        "Export them, or change the names under tables: in your mapping."
    )


@pytest.mark.parametrize(
    ("part", "lacks"),
    [
        ("skip: {Gone: true}", "'Gone'"),
        ("only: {Gone: true}", "'Gone'"),
        ("skip: {Id: {found_in: {from: merged, column: a}}}", "a file 'merged'"),
        ("latest_by: Changed", "'Changed'"),
        ("columns: {rep_id: Id, name: {column: Id, lookup: {from: x, key: a, value: b}}}", "a file 'x'"),  # noqa: E501
        ("columns: {rep_id: Id, name: {column: Id, lookup: {from: staff, key: Id, value: b}}}", "'b' in staff"),  # noqa: E501
        ("columns: {rep_id: Id, name: {column: Id, only_if: {b: 1}}}", "'b'"),
        ("columns: {rep_id: Id, name: {column: Id, only_if: role}}", "value_of: role is not filled here"),  # noqa: E501
        ("columns: {rep_id: Id, name: {value_of: name}}", "value_of: name goes round in a circle"),
        ("columns: {rep_id: {value_of: name}, name: {value_of: rep_id}}", "goes round in a circle"),
    ],
)  # fmt: skip
def test_what_a_block_names_must_be_there(part, lacks):
    block = {"from": "staff", "columns": {"rep_id": "Id", "name": "Id"}, **yaml.safe_load(part)}
    (said,) = problems_of(resolve(Mapping.model_validate({"tables": {"reps": [block]}}), REPS))
    assert "column(s) missing (" in said
    assert lacks in said


def test_columns_the_table_needs_must_be_filled():
    said = problem("{from: staff, columns: {rep_id: Id}}")
    assert said == (
        "staff: reps needs 1 more column(s): name. Add them to the export or under tables: reps: "
        "in your mapping."
    )
    said = problem("{from: staff, columns: {rep_id: Id, name: {column: Name, optional: true}}}")
    assert "reps needs 1 more column(s): name" in said
    said = problem("{rows: [{rep_id: a}]}")
    assert said.startswith("the mapping: reps needs 1 more column(s): name.")


OPTIONAL = """
tables:
  reps:
    - {from: users, optional: true, columns: {rep_id: Id, name: Id}}
    - {from: staff, optional: true, only_new: true, columns:
        {rep_id: Id, name: [Name, Full Name], role: {column: Role, optional: true}}}
  teams:
    - {from: staff, optional: true, columns: {team_id: {column: Team, optional: true}, name: Id}}
    - {from: groups, optional: true, columns: {team_id: Id, name: Id}}
  leads:
    - {from: leads, optional: true, columns: {lead_id: Id, created_at: At}}
"""


def test_what_is_optional_and_not_there_is_left_out_and_named():
    resolution = resolve(mapping_of(OPTIONAL), REPS, names={"staff": "staff.csv"})
    assert problems_of(resolution) == []
    (block,) = resolution.tables["reps"]
    assert sorted(block.columns) == ["name", "rep_id"]
    assert set(resolution.tables) == {"reps"}
    assert resolution.left_out == (
        "reps: no file 'users'.",
        "reps: staff.csv has no column for role.",
        "teams: no 'Team' for team_id in staff.csv; no file 'groups'.",
        "leads: no file 'leads'.",
    )


def test_a_block_that_only_fills_up_is_not_named_when_the_table_is_there():
    headers = {"users": ("Id",)}
    resolution = resolve(mapping_of(OPTIONAL), headers)
    assert [line for line in resolution.left_out if line.startswith("reps")] == []


def test_a_required_table_says_where_it_was_looked_for():
    text = OPTIONAL.replace("staff", "people")
    resolution = resolve(mapping_of(text), REPS)
    assert resolution.problems[0] == (
        "reps: the table is required and has no source: no file 'users'; no file 'people'. "
        "Found: staff. Export it, or say under sources: in your mapping which file is read instead."
    )
    assert resolution.problems[1] == "opportunities: the table is required and has no source."


def test_an_optional_block_still_checks_the_columns_that_are_not():
    block = "{from: staff, optional: true, columns: {rep_id: Id, name: Id, role: Title}}"
    assert "staff: 1 column(s) missing ('Title')" in problem(block)


@pytest.mark.parametrize(
    ("part", "applies"),
    [
        ("skip: {Gone: true}", True),
        ("only: {Gone: true}", False),
        ("only_filled: role", False),
        ("latest_by: Changed", True),
    ],
)
def test_optional_conditions_without_their_column(part, applies):
    """Nothing can be skipped then; and nothing be said to be what alone is wanted."""
    settings = yaml.safe_load(part)
    for conditions in ("skip", "only"):
        if conditions in settings:
            settings[conditions]["Gone"] = {"is": True, "optional": True}
    columns = {"rep_id": "Id", "name": "Id", "role": {"column": "Role", "optional": True}}
    block = {"from": "staff", "optional": True, "columns": columns, **settings}
    resolution = resolve(Mapping.model_validate({"tables": {"reps": [block]}}), REPS)
    assert ("reps" in resolution.tables) is applies


def test_an_optional_first_of_does_without_what_is_not_there():
    strict = "{from: staff, columns: {rep_id: Id, name: {first_of: [Name, Full Name]}}}"
    assert "'Name'" in problem(strict)
    loose = strict.replace("Full Name]", "Full Name], optional: true")
    assert resolve_block(loose).columns["name"].inputs == ("Full Name",)
    total = strict.replace("first_of", "sum").replace("Full Name]", "Full Name], optional: true")
    assert "needs 1 more column(s): name" in problem(total)


def test_sources_that_cannot_be_opened_are_passed_over():
    text = "{from: staff, columns: {rep_id: Id, name: Id}}"
    assert problems_of(resolve(reps(text), {}, unread=["staff"])) == []
    opened = identity_mapping({"reps": ("rep_id", "name")}, Company())
    assert resolve(opened, {"reps": ("rep_id", "name")}, unread=["opportunities"]).problems == ()


def test_a_source_may_be_read_instead_of_the_one_a_mapping_names():
    block = "{from: [users, people], columns: {rep_id: Id, name: Id}}"
    headers = {"report 7": ("Id",), "people": ("Nr",)}
    assert resolve_block(block, headers, sources={"Users": "report_7.csv"}).source == "report 7"
    (said,) = problems_of(resolve(reps(block, sources={"users": "x"}), headers))
    assert said.startswith("1 file(s) missing (x); found: people, report 7.")


def test_options_of_a_file_go_over_those_of_all():
    mapping = mapping_of("""
files:
  "*": {decimal: ",", time_zone: UTC}
  Staff List.csv: {time_zone: Europe/Berlin}
tables: {reps: [{from: [staff_list, people], columns: {rep_id: Id, name: Id}}]}
""")
    own, other = mapping.options("staff list"), mapping.options("people")
    assert (own.time_zone, own.decimal) == ("Europe/Berlin", ",")
    assert (other.time_zone, other.decimal) == ("UTC", ",")


def test_resolving_what_is_resolved_changes_nothing():
    mapping = mapping_of(OPTIONAL)
    first = resolve(mapping, REPS)
    again = resolve(mapping.model_copy(update={"tables": first.tables}), REPS)
    assert again.tables == first.tables


@pytest.mark.parametrize(
    "header", ['a"b', "x; drop table staff", "it's", "{b}", "a\nb", "*", "_row"]
)
def test_hostile_headers_are_found_and_read(header):
    mapping = {"tables": {"reps": [{"from": "staff", "columns": {"rep_id": "Id", "name": header}}]}}
    files = {"staff": [["Id", header], ["1", "a"]]}
    assert run(Mapping.model_validate(mapping), files, "reps") == [{"rep_id": "1", "name": "a"}]


class Lazy(dict):
    """Headers that are read when they are asked for."""

    def __init__(self, headers):
        super().__init__(headers)
        self.asked = set()

    def __getitem__(self, name):
        self.asked.add(name)
        return super().__getitem__(name)


def test_only_the_sources_that_are_needed_are_asked_for():
    headers = Lazy({**REPS, "notes": ("a",), "roles": ("Id", "Title"), "broken": ()})
    block = """
from: staff
columns: {rep_id: Id, name: Id, role: {column: Id, lookup: {from: roles, key: Id, value: Title}}}
"""
    resolution = resolve(reps(block), headers)
    assert headers.asked <= {"staff", "roles"}
    assert resolution.numbers == {"reps": (0,)}
    assert problems_of(resolve(reps(block.replace("staff", "broken")), headers)) == []


def test_blocks_keep_their_place_in_the_mapping():
    resolution = resolve(mapping_of(OPTIONAL), {"groups": ("Id",), **REPS})
    assert resolution.numbers == {"reps": (1,), "teams": (1,)}


@pytest.mark.parametrize("name", preset_names())
def test_a_mapping_can_be_kept_as_json(name):
    mapping = read_preset(name)
    assert Mapping.model_validate_json(mapping.model_dump_json()) == mapping
    short = mapping.model_dump_json(exclude_defaults=True)
    assert Mapping.model_validate_json(short) == mapping
