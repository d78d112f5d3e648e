import os
import stat

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_company import make_measures
from small_company import OPPORTUNITIES

from salesnb.errors import DataError, ParameterError
from salesnb.measures.cache import load_measures, load_snapshot
from salesnb.measures.privacy import (
    FEWEST_SHOWN,
    People,
    is_about_one,
    is_pool,
    protect_measures,
    protect_report,
    read_people,
)
from salesnb.measures.privacy.cells import pool_small
from salesnb.privacy import NAMED, PRIVACY, Privacy, choose, read_choice, read_text
from salesnb.sources.report import LoadReport, Refusal, TableLoad

KEY, OTHER_KEY = "ab" * 32, "cd" * 32
PEOPLE = People(
    {"005A1": "Sabine Horvat", "005A2": "Ana", "ann@acme.example": "Ann O'Brien"}, ("Max Muster",)
)
posix = pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")

REPS = "rep_id,name\nr-00001,Sabine Horvat\nr-00002,Ana Öz\n"
OPPORTUNITIES_OF_TWO = OPPORTUNITIES.replace("r1", "r-00001").replace("r2", "r-00002")
MEMBERSHIPS = """rep_id,team_id,manager_id
r-00001,Max Muster,Max Muster
r-00002,Max Muster,Max Muster
"""
TEAMS = "team_id,name\nMax Muster,Team Max Muster\n"
FEEDBACK = """feedback_id,rep_id,author_id,given_on,comment
f1,r-00001,Max Muster,2026-01-09,"Well done, Sabine: call Mr Smith. Max"
"""


@pytest.fixture
def company(small_snapshot):
    return small_snapshot(
        {"reps": REPS, "opportunities": OPPORTUNITIES_OF_TWO, "memberships": MEMBERSHIPS,
         "teams": TEAMS, "feedback": FEEDBACK}
    )  # fmt: skip


def test_pseudonyms_depend_on_the_key_alone_and_are_all_different():
    everybody = People({f"id{n}": f"Name {n}" for n in range(2_000)}, ("m1",))
    codes = everybody.pseudonyms(KEY)
    assert len(set(codes.values())) == len(codes) == 2_001
    assert all(code[:4] == "Rep " and len(code) == 8 for one, code in codes.items() if one != "m1")
    assert codes["m1"].startswith("Person ")
    turned = People(dict(reversed(everybody.names.items())), everybody.others)
    assert turned.pseudonyms(KEY) == codes
    assert sum(codes[one] == code for one, code in everybody.pseudonyms(OTHER_KEY).items()) < 5


def test_somebody_new_changes_nobody_elses_pseudonym():
    before = {f"id{n}": "x" for n in range(100)}
    codes = People(before, ()).pseudonyms(KEY)
    more = People(before | {"new": "y"}, ()).pseudonyms(KEY)
    assert {one: more[one] for one in codes} == codes


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("Sabine Horvat won.", "[name] won."),
        ("HORVAT, Sabine", "[name]"),
        ("sabine.horvat wrote", "[name] wrote"),
        ("Sabine won.", "Sabine won."),
        ("Ask Ana or ANA", "Ask [name] or ANA"),
        ("by 005A1!", "by 005A1!"),
        ("ann@acme.example", "[name]"),
        ("bob@acme.example", "[e-mail]"),
        ("Ann O’Brien, Ann O'Brien", "[name], [name]"),
        ("Team Max Muster", "Team [name]"),
        ("nothing", "nothing"),
        ("", ""),
    ],
)
def test_who_is_named_in_a_text_is_hidden(text, hidden):
    assert PEOPLE.hide(text) == hidden


def test_accents_do_not_matter_and_long_ids_count():
    people = People({"005Nw0000004C93IAE": "Zoë Tóth"}, ())
    assert (
        people.hide("Zoe Toth, 005Nw0000004C93IAE, Zo\u0065\u0308 Tóth") == "[name], [name], [name]"
    )


def test_words_of_names_leave_comments():
    assert PEOPLE.without_words("Sabine, ask max for a plan") == ", ask  for a plan"


def test_a_page_that_names_somebody_is_known():
    assert PEOPLE.names_in("<b>Sabine Horvat</b>")
    assert PEOPLE.names_in("mail ann@acme.example")
    assert not PEOPLE.names_in("Ana 005A1 Sabine, Horvat")


def test_the_secret_is_private_kept_and_makes_each_quarter_its_own_key(tmp_path):
    first = choose("pseudonyms", "2026Q3", tmp_path / "cache")
    assert choose("pseudonyms", "2026Q3", tmp_path / "cache") == first
    assert choose("pseudonyms", "2026Q4", tmp_path / "cache").key != first.key
    assert choose("pseudonyms", "2026Q3", tmp_path / "other").key != first.key
    assert choose("named", "2026Q3", tmp_path / "none") == NAMED
    assert not (tmp_path / "none").exists()
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["privacy.key"]


@posix
def test_only_the_owner_reads_the_secret(tmp_path):
    before = os.umask(0)
    try:
        choose("team_only", "2026Q3", tmp_path / "cache")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "cache" / "privacy.key").stat().st_mode) == 0o600


def test_the_key_is_in_no_text_of_the_choice(tmp_path):
    chosen = choose("pseudonyms", "2026Q3", tmp_path)
    assert chosen.key not in f"{chosen!r} {chosen.tag}"
    assert (tmp_path / "privacy.key").read_bytes().hex() not in chosen.to_text()
    assert read_text(chosen.to_text()) == chosen


def test_a_broken_secret_is_refused_in_words(tmp_path):
    (tmp_path / "privacy.key").write_bytes(b"short")
    with pytest.raises(DataError, match=r"privacy\.key: is no key of pseudonyms\. Remove it"):
        choose("pseudonyms", "2026Q3", tmp_path)


@pytest.mark.parametrize("told", ["pseudonyms:", "pseudonym:ab", "team_only", "x"])
def test_a_kernel_that_cannot_read_the_choice_names_nobody(monkeypatch, told):
    monkeypatch.setenv(PRIVACY, told)
    with pytest.raises(ParameterError, match="SALESNB_PRIVACY: cannot be read"):
        read_choice()


def texts_of(measures):
    frames = [value for value in vars(measures).values() if isinstance(value, pd.DataFrame)]
    frames += [
        frame for group in (measures.flow, measures.demand) for frame in vars(group).values()
    ]
    return " ".join(frame.astype(object).to_csv() for frame in frames)


def test_no_table_holds_a_name_or_an_id_and_figures_stay(company):
    named = load_measures(company.folder)
    hidden = load_measures(company.folder, privacy=Privacy("pseudonyms", KEY))
    told = texts_of(hidden)
    for secret in ("Sabine", "Horvat", "Ana Öz", "r-0000", "Max", "Muster"):
        assert secret in texts_of(named)
        assert secret not in told
    codes = read_people(company).pseudonyms(KEY)
    assert set(hidden.people["name"]) == {codes["r-00001"], codes["r-00002"]}
    assert hidden.team_name(hidden.team_ids()[0]) == f"Team {codes['Max Muster']}"
    assert hidden.team_ids() == (codes["Max Muster"],)
    assert "call Mr Smith" in hidden.feedback["comment"].iloc[0]
    same = named.roll_up(by="team").drop(columns="unit_id")
    pd.testing.assert_frame_equal(hidden.roll_up(by="team").drop(columns="unit_id"), same)


def test_rows_are_not_in_the_order_of_the_ids():
    reps = [f"A{n:02}" for n in range(30)]
    rows = [(rep, "A", "2026Q1", "bookings", 1.0, 1.0, 1, 1.0, 1.0) for rep in reps]
    measures = make_measures(rows, kpis=("bookings",))
    people = People(dict(zip(measures.people["rep_id"], measures.people["name"], strict=True)), ())
    hidden = protect_measures(measures, people, Privacy("pseudonyms", KEY))
    codes = people.pseudonyms(KEY)
    assert list(hidden.people["rep_id"]) == sorted(codes.values())
    assert list(hidden.people["rep_id"]) != [codes[rep] for rep in reps]


def test_a_kernel_of_a_batch_hides_names_whatever_its_notebook_asks(company, monkeypatch):
    monkeypatch.setenv(PRIVACY, Privacy("pseudonyms", KEY).to_text())
    assert "Sabine" not in texts_of(load_measures(company.folder))
    assert load_snapshot(company.folder).id == company.id


def test_a_load_report_has_no_examples_and_names_nobody():
    refusal = Refusal(reason="rep_id 'x9' is unknown", count=1, examples=("x9",), action="Ask Ana.")
    table = TableLoad(
        table="reps", files=("Sabine Horvat.csv",), read=1, merged=0, accepted=0,
        refusals=(refusal,),
    )  # fmt: skip
    hidden = protect_report(LoadReport(tables=(table,)), PEOPLE, Privacy("pseudonyms", KEY))
    assert hidden.tables[0].refusals[0].model_dump() == {
        "reason": "rep_id '…' is unknown", "count": 1, "examples": (), "action": "Ask [name].",
    }  # fmt: skip
    assert hidden.tables[0].files == ("[name].csv",)
    assert hidden.check()


# Small groups -----------------------------------------------------------------------------

TREE = {"a": "x", "b": "x", "c": "x", "d": "y", "e": "y", "x": "", "y": ""}


@pytest.mark.parametrize(
    ("counts", "moved"),
    [
        ({"a": 5, "b": 6}, {}),
        ({"a": 2, "b": 3, "c": 9}, {"a": "small-teams-x", "b": "small-teams-x"}),
        ({"a": 4, "b": 7, "c": 9}, {"a": "small-teams-x", "b": "small-teams-x"}),
        ({"a": 1, "b": 1, "d": 6, "e": 9}, dict.fromkeys("abd", "small-teams")),
        ({"a": 1, "d": 3}, {"a": "", "d": ""}),
        ({"": 2, "a": 8}, {"": "small-teams", "a": "small-teams"}),
        ({}, {}),
    ],
    ids=["all large", "two small", "one small takes another", "a small branch", "all too few",
         "without a team", "none"],
)  # fmt: skip
def test_small_teams_are_counted_with_those_beside_them(counts, moved):
    assert pool_small(counts, TREE) == moved


@given(
    counts=st.dictionaries(st.sampled_from([*"abcdexy", ""]), st.integers(1, 12)),
    parents=st.fixed_dictionaries({team: st.sampled_from(["", "x", "y"]) for team in "abcde"}),
)
def test_no_group_is_small_and_none_can_be_told_from_the_whole(counts, parents):
    moved = pool_small(counts, parents)
    shown = {}
    for team, n in counts.items():
        place = moved.get(team, team)
        shown[place] = shown.get(place, 0) + n
    if sum(counts.values()) < FEWEST_SHOWN:
        assert set(moved.values()) <= {""}
        assert set(moved) == set(counts)
        return
    assert "" not in moved.values()
    assert all(n >= FEWEST_SHOWN for n in shown.values())
    assert sum(shown.values()) == sum(counts.values())


def company_of(sizes, *, without=()):
    rows = [
        (f"{team}{n}", team, "2026Q1", kpi, 1.0, 2.0, 2, 1.0, 1.0)
        for team, size in sizes.items()
        for n in range(size)
        for kpi in ("bookings", "win_rate")
        if (f"{team}{n}", kpi) not in without
    ]
    measures = make_measures(
        rows, kpis=("bookings", "win_rate"), quarters=("2026Q1",),
        trainings=[(f"A{n}", "c1", "2026-01-05", None, "large", "") for n in range(5)]
        + [(f"B{n}", "c1", "2026-01-05", None, "small", "") for n in range(4)],
    )  # fmt: skip
    names = dict(zip(measures.people["rep_id"], measures.people["name"], strict=True))
    return measures, protect_measures(measures, People(names, ()), Privacy("team_only", KEY))


def test_teams_of_few_are_shown_together_and_sums_stay():
    measures, hidden = company_of({"A": 8, "B": 6, "C": 3})
    shown = hidden.roll_up(by="team", kpi="bookings").set_index("unit_id")["numerator"]
    assert shown.to_dict() == {"A": 8.0, "small-teams": 9.0}
    assert hidden.team_name("small-teams") == "Small teams"
    assert [team for team in hidden.team_ids() if not is_pool(team)] == ["A"]
    whole = [
        m.roll_up(by="company", kpi="win_rate")["numerator"].iloc[0] for m in (measures, hidden)
    ]
    assert whole[0] == whole[1]
    assert set(hidden.trainings["cohort"]) == {"large"}


def test_a_kpi_that_few_of_a_large_team_have_is_not_shown_of_it():
    few = {(f"A{n}", "win_rate") for n in range(4)}
    _, hidden = company_of({"A": 8, "B": 12}, without=few)
    assert set(hidden.roll_up(by="team", kpi="bookings")["unit_id"]) == {"A", "B"}
    assert set(hidden.roll_up(by="team", kpi="win_rate")["unit_id"]) == {"small-teams"}


def test_too_small_a_company_is_refused():
    with pytest.raises(ParameterError, match="team_only shows groups of 5 people and more; in no"):
        company_of({"A": 2, "B": 2})


def test_everybody_carries_a_mark_that_gives_a_text_away():
    _, hidden = company_of({"A": 8})
    assert hidden.people["name"].map(is_about_one).all()
    assert hidden.people["rep_id"].map(is_about_one).all()
    assert not is_about_one("Rep K7M4 of North")
