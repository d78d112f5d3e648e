import pytest
from small_company import OPPORTUNITIES, import_tables

HEADER = "opportunity_id,rep_id,created_on,closed_on,is_won,is_closed,amount\n"


def load(snapshot, table):
    return next(item for item in snapshot.report.tables if item.table == table)


def refusals(snapshot, table="opportunities"):
    """Reasons with counts and examples."""
    return {r.reason: (r.count, r.examples) for r in load(snapshot, table).refusals}


@pytest.mark.parametrize(
    ("row", "reason", "example"),
    [
        (",r1,2026-01-05,,0,0,1", "opportunity_id is empty", "row 4"),
        ("o9,r7,2026-01-05,,0,0,1", "rep_id is unknown in reps", "r7"),
        ("o9,r1,05/01/2026,,0,0,1", "created_on is not a date", "05/01/2026"),
        ("o9,r1,1985-01-05,,0,0,1", "created_on is not a plausible date", "1985-01-05"),
        ("o9,r1,2100-01-01,,0,0,1", "created_on is not a plausible date", "2100-01-01"),
        ("o9,r1,2026-01-05,,perhaps,0,1", "is_won is not yes or no", "perhaps"),
        ("o9,r1,2026-01-05,,,0,1", "is_won is empty", "o9"),
        ("o9,r1,2026-01-05,,0,0,free", "amount is not a number", "free"),
        ("o9,r1,2026-01-05,,0,0,nan", "amount is not a number", "nan"),
        ("o9,r1,2026-01-05,,0,0,-inf", "amount is not a number", "-inf"),
        ("o9,r1,2026-01-05,2026-01-04,1,1,1", "closed before created", "o9"),
        ("o9,r1,2026-01-05,,1,0,1", "won but not closed", "o9"),
        ("o9,r1,2026-01-05,,0,1,1", "closed without a close date", "o9"),
    ],
)
def test_a_faulty_row_is_refused_for_its_reason_and_the_others_kept(
    small_snapshot, row, reason, example
):
    snapshot = small_snapshot({"opportunities": OPPORTUNITIES + row + "\n"})
    assert refusals(snapshot) == {reason: (1, (example,))}
    assert list(snapshot.read("opportunities")["opportunity_id"]) == ["o1", "o2", "o3"]
    (refused,) = snapshot.read_quarantine("opportunities").fillna("").to_dict("records")
    assert (refused["file"], refused["row"], refused["reason"]) == ("opportunities.csv", 4, reason)
    # a row refused for another row is kept as it was read
    if reason == "rep_id is unknown in reps":
        row = row.replace(",0,0,", ",false,false,")
    assert [refused[name] for name in HEADER.strip().split(",")] == row.split(",")


@pytest.mark.parametrize(
    ("table", "text", "reason"),
    [
        ("reps", "rep_id,name,hired_on,left_on\nr1,A,,\nr2,B,2026-05-01,2026-04-01\n",
         "left before hired"),
        ("activities", "activity_id,rep_id,kind,started_at\na,r1,fax,2026-01-05\n",
         "kind is none of call, meeting, email"),
        ("activities", "activity_id,rep_id,kind,started_at,seconds\na,r1,call,2026-01-05,-3\n",
         "seconds is below 0"),
        ("leads", "lead_id,created_at\nl1,soon\n", "created_at is not a date and time"),
        ("leads", "lead_id,created_at,first_touch_at\nl1,2026-01-05,2026-01-04\n",
         "touched before created"),
        ("ratings", "form_id,skill,rep_id,rater_id,rated_on,score\nf,s,r1,m,2026-01-05,6\n",
         "score is above 5"),
        ("memberships", "rep_id,team_id,valid_from,valid_to\nr1,t,2026-02-01,2026-01-01\n",
         "ends before it starts"),
        ("targets", "owner_kind,owner_id,period,kpi,target\nboss,r1,2026Q1,bookings,5\n",
         "owner_kind is none of rep, team"),
    ],
)  # fmt: skip
def test_rules_of_other_tables_hold_too(small_snapshot, table, text, reason):
    tables = {table: text}
    if table == "reps":
        tables["opportunities"] = OPPORTUNITIES.replace(",r2,", ",r1,")
    snapshot = small_snapshot(tables)
    assert list(refusals(snapshot, table)) == [reason]


def test_all_reasons_of_a_row_are_kept_and_it_counts_once(small_snapshot):
    snapshot = small_snapshot({"opportunities": OPPORTUNITIES + "o9,,gestern,,vielleicht,,x\n"})
    assert refusals(snapshot) == {"created_on is not a date": (1, ("gestern",))}
    (refused,) = snapshot.read_quarantine("opportunities").to_dict("records")
    assert list(refused["all_reasons"]) == [
        "created_on is not a date", "is_won is not yes or no", "is_closed is empty",
        "amount is not a number",
    ]  # fmt: skip


def test_reasons_come_most_frequent_first_with_the_first_five_examples(small_snapshot):
    rows = "".join(f"x{n},r{n},2026-01-05,,0,0,1\n" for n in range(9, 2, -1))
    snapshot = small_snapshot({"opportunities": OPPORTUNITIES + ",r1,,,0,0,\n" + rows})
    assert list(refusals(snapshot).items()) == [
        ("rep_id is unknown in reps", (7, ("r3", "r4", "r5", "r6", "r7"))),
        ("opportunity_id is empty", (1, ("row 4",))),
    ]


def test_an_exact_duplicate_is_refused_and_one_copy_kept(small_snapshot):
    rows = "o1,r1,2026-01-05,2026-02-01,TRUE,1,100.00\n" * 2
    snapshot = small_snapshot({"opportunities": OPPORTUNITIES + rows})
    assert refusals(snapshot) == {"exact duplicate of an accepted row": (2, ("o1",))}
    assert list(snapshot.read("opportunities")["opportunity_id"]) == ["o1", "o2", "o3"]
    assert list(snapshot.read_quarantine("opportunities")["row"]) == [4, 5]


def test_of_rows_that_contradict_one_another_none_is_kept(small_snapshot):
    rows = "o1,r1,2026-01-05,2026-02-01,true,true,101\n"
    snapshot = small_snapshot({"opportunities": OPPORTUNITIES + rows})
    assert refusals(snapshot) == {"same key, different content": (2, ("o1",))}
    assert list(snapshot.read("opportunities")["opportunity_id"]) == ["o2", "o3"]
    assert list(snapshot.read_quarantine("opportunities")["amount"]) == ["100", "101"]


def test_a_faulty_copy_does_not_take_the_sound_one_with_it(small_snapshot):
    snapshot = small_snapshot({"opportunities": OPPORTUNITIES + "o1,r1,,,true,false,7\n"})
    assert refusals(snapshot) == {"won but not closed": (1, ("o1",))}
    assert "o1" in set(snapshot.read("opportunities")["opportunity_id"])


def test_keys_of_several_columns_and_a_missing_part_tell_duplicates(small_snapshot):
    text = "rep_id,team_id,valid_from\nr1,a,\nr1,b,\nr1,a,2026-01-01\nr1,a,\n"
    snapshot = small_snapshot({"memberships": text})
    assert refusals(snapshot, "memberships") == {
        "exact duplicate of an accepted row": (1, ("r1 a",))
    }
    assert load(snapshot, "memberships").accepted == 3


def test_an_id_that_is_literally_na_is_an_id(small_snapshot):
    snapshot = small_snapshot(
        {
            "reps": "rep_id,name\nr1,None\nNA,NaN\nnull,\\N\n",
            "opportunities": HEADER + "NA,NA,2026-01-05,,0,0,\nnan,null,2026-01-05,,0,0,\n",
        }
    )
    assert list(snapshot.read("reps")["name"]) == ["None", "NaN", "\\N"]
    assert list(snapshot.read("opportunities")["opportunity_id"]) == ["NA", "nan"]


def test_a_row_is_refused_with_the_row_it_depends_on(small_snapshot):
    snapshot = small_snapshot(
        {
            "opportunities": OPPORTUNITIES + "bad,r1,2026-01-05,,1,0,1\n",
            "stage_history": "opportunity_id,stage,entered_at\nbad,New,2026-01-05\n"
            "o1,New,2026-01-05\n",
        }
    )
    assert refusals(snapshot, "stage_history") == {
        "opportunity_id is unknown in opportunities": (1, ("bad",))
    }


def test_references_into_tables_the_export_has_not_are_not_checked(small_snapshot):
    tables = {"memberships": "rep_id,team_id\nr1,anywhere\n"}
    assert load(small_snapshot(tables), "memberships").accepted == 1
    tables["teams"] = "team_id,name\nt1,One\n"
    tables["memberships"] += "r2,t1\n"
    assert refusals(small_snapshot(tables), "memberships") == {
        "team_id is unknown in teams": (1, ("anywhere",))
    }


def test_softer_references_are_warned_of_with_count_examples_and_action(small_snapshot):
    accounts = "account_id,name\nacme,Acme\n"
    named = ["acme", "", "Zeta", "beta", "Zeta"]
    rows = "".join(f"o{n},r1,0,0,{name}\n" for n, name in enumerate(named))
    table = "opportunity_id,rep_id,is_won,is_closed,account_id\n" + rows
    snapshot = small_snapshot(
        {"accounts": accounts, "opportunities": table}, company="as_of: 2026-06-30"
    )
    assert [str(warning) for warning in snapshot.report.warnings] == [
        "opportunities: 'account_id' has 3 values unknown in accounts (e.g. 'Zeta', 'beta'). "
        "Add an alias under aliases: accounts: in your mapping.",
    ]
    assert load(snapshot, "opportunities").accepted == 5


def test_a_team_may_name_its_parent_below_itself(small_snapshot):
    snapshot = small_snapshot({"teams": "team_id,name,parent_id\na,A,b\nb,B,\nc,C,x\n"})
    assert load(snapshot, "teams").accepted == 3
    assert str(snapshot.report.warnings[0]).startswith(
        "teams: 'parent_id' has 1 values unknown in teams (e.g. 'x'). Their teams belong to no "
        "region that is known."
    )


def test_values_outside_a_vocabulary_can_be_mapped_into_it(tmp_path):
    mapping = """
company: {as_of: 2026-06-30}
tables:
  reps: [{from: staff, columns: {rep_id: Id, name: Id}}]
  opportunities:
    - from: staff
      columns: {opportunity_id: Id, rep_id: Id, is_won: {constant: '0'}, is_closed: {constant: '0'}}
  activities:
    - from: tasks
      columns: {activity_id: Id, rep_id: Who, started_at: At,
                kind: {column: Type, map: {Phone: call, Visit: meeting}}}
"""
    tables = {
        "staff": "Id\na\n",
        "tasks": "Id,Who,At,Type\n1,a,2026-01-05,Phone\n2,a,2026-01-05,Fax\n",
    }
    snapshot = import_tables(tmp_path, tables, mapping=mapping)
    assert list(snapshot.read("activities")["kind"]) == ["call"]
    assert refusals(snapshot, "activities") == {
        "kind is none of call, meeting, email": (1, ("Fax",))
    }
    (refusal,) = load(snapshot, "activities").refusals
    assert refusal.action == "Add a `map` for the column in your mapping."
