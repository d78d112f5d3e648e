"""Messages: kept in English with what they were made of, and said in another language later."""

import copy
import datetime as dt
import pickle

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import write_po

from salesnb import language
from salesnb.language import speaking
from salesnb.measures.privacy.people import People
from salesnb.measures.privacy.protect import protect_report
from salesnb.message import (
    change_text,
    day_text,
    figure,
    listing,
    message,
    message_many,
    percentage,
    tell,
)
from salesnb.privacy import Privacy
from salesnb.sources.load.checks import actions
from salesnb.sources.notices.notice import Notice, examples_text, rows_of, share_text
from salesnb.sources.report import LoadReport, Refusal, TableLoad
from salesnb.views.imports import load_warnings, refusals_table

GERMAN = {
    ("{n} opportunity", "{n} opportunities"): ("{n} Chance", "{n} Chancen"),
    ("{rows} has no owner{examples}.", "{rows} have no owner{examples}."): (
        "Niemandem gehört {rows}{examples}.", "Niemandem gehören {rows}{examples}."
    ),
    " (e.g. {examples})": " (z. B. {examples})",
    "{name} on {day}": "{name} am {day}",
    "under {share}": "unter {share}",
    "{share} before {day}": "{share} vor dem {day}",
    "Give them an owner.": "Zuordnen.",
    "{column} is empty": "{column} ist leer",
}  # fmt: skip


@pytest.fixture
def german(tmp_path, monkeypatch):
    """Speak a German of the few texts above."""
    texts = Catalog(locale="de")
    for text, said in GERMAN.items():
        texts.add(text, said)
    with (tmp_path / "de.po").open("wb") as stream:
        write_po(stream, texts)
    monkeypatch.setattr(language, "CATALOGUES", tmp_path)
    for kept in (language._known_languages, language._catalogue):
        kept.cache_clear()
    with speaking("de"):
        yield
    for kept in (language._known_languages, language._catalogue):
        kept.cache_clear()


def unowned(n):
    """Say that opportunities have no owner."""
    return message_many(
        "{rows} has no owner{examples}.", "{rows} have no owner{examples}.",
        n, rows=rows_of("opportunities", n),
        examples=examples_text([message("{name} on {day}", name="Ana Lima",
                                        day=day_text(dt.date(2026, 10, 5)))]),
    )  # fmt: skip


NOTICE = Notice(table="opportunities", what=unowned(1200), action=message("Give them an owner."))
REPORT = LoadReport(
    tables=(
        TableLoad(
            table="reps", files=("reps.csv",), read=1, merged=0, accepted=0,
            refusals=(
                Refusal(reason=message("{column} is empty", column="name"), count=1,
                        examples=("r1",), action="As an older snapshot has it."),
            ),
        ),
    ),
    warnings=(NOTICE,),
)  # fmt: skip


def test_a_message_is_its_english_text():
    assert NOTICE.what == "1,200 opportunities have no owner (e.g. 'Ana Lima on 2026-10-05')."
    assert unowned(1) == "1 opportunity has no owner (e.g. 'Ana Lima on 2026-10-05')."
    assert tell(NOTICE.what) == NOTICE.what
    assert str(NOTICE) == f"opportunities: {NOTICE.what} Give them an owner."
    assert Notice(table="reps", what="As written.").what == "As written."


def test_in_another_language_it_is_said_from_what_it_was_made_of(german):
    assert tell(unowned(1)) == "Niemandem gehört 1 Chance (z. B. 'Ana Lima am 05.10.2026')."
    said = "Niemandem gehören 1.200 Chancen (z. B. 'Ana Lima am 05.10.2026')."
    assert tell(NOTICE.what) == said
    assert (NOTICE.told().what, NOTICE.told().action) == (said, "Zuordnen.")


def test_numbers_shares_days_and_lists_are_written_as_the_language_does(german):
    shown = message("{share} before {day}", share=share_text(1, 900), day=day_text(dt.date.max))
    assert shown == "under 1% before 9999-12-31"
    assert tell(shown) == "unter 1\N{NO-BREAK SPACE}% vor dem 31.12.9999"
    assert tell(figure(1234.5, 1)) == "1.234,5"
    assert tell(percentage(0.125, 1)) == "12,5\N{NO-BREAK SPACE}%"
    assert tell(listing([figure(1e3), "EUR"], between=" ")) == "1.000 EUR"


def test_what_the_catalogue_lacks_is_said_in_english(german):
    assert tell(message("{n} of them", n=figure(1000))) == "1.000 of them"
    assert tell("A plain text.") == "A plain text."


def test_written_and_read_it_stays_a_message(german):
    for same in (
        Notice.model_validate_json(NOTICE.model_dump_json()),
        Notice.model_validate(NOTICE.model_dump()),
        copy.deepcopy(NOTICE),
        pickle.loads(pickle.dumps(NOTICE)),
    ):
        assert same == NOTICE
        assert tell(same.what) == tell(NOTICE.what)


def test_an_older_snapshot_has_plain_texts_and_they_are_said_as_they_are(german):
    old = '{"table": "reps", "what": "3 reps are gone.", "effect": "", "kpis": [], "action": ""}'
    notice = Notice.model_validate_json(old)
    assert notice.told().what == "3 reps are gone."
    assert notice.model_dump_json() == old.replace(": ", ":").replace(", ", ",")


@pytest.mark.parametrize(
    "kept",
    [
        {}, {"text": "a"}, {"text": "a", "made_of": {"day": "soon"}}, {"made_of": {}}, 3,
        {"text": "a", "made_of": {"text": "{a} and {b}", "values": {"a": "x"}}},
        {"text": "a", "made_of": {"text": "{a", "values": {"a": "x"}}},
        {"text": "a", "made_of": {"text": "{a.__class__}", "values": {"a": "x"}}},
        {"text": "a", "made_of": {"text": "{a:>9999999999}", "values": {"a": "x"}}},
        {"text": "a", "made_of": {"text": "{n} row", "many": "{n} rows of {a!r}", "n": 2}},
    ],
)  # fmt: skip
def test_what_is_no_message_is_refused(kept):
    with pytest.raises(ValueError, match="validation error"):
        Notice.model_validate({"table": "reps", "what": kept})


def test_other_programs_read_plain_texts():
    assert LoadReport.model_validate_json(REPORT.to_json()) == REPORT
    assert "made_of" not in REPORT.to_json()
    assert "made_of" in REPORT.model_dump_json()


def test_a_change_reaches_the_values_and_leaves_the_wording(german):
    hidden = change_text(NOTICE.what, lambda text: text.replace("Ana Lima", "…").replace("n", "N"))
    assert hidden == "1,200 opportuNities have No owNer (e.g. '… oN 2026-10-05')."
    assert tell(hidden) == "Niemandem gehören 1.200 Chancen (z. B. '… oN 2026-10-05')."


def test_reports_that_hide_names_hide_them_in_every_language(german):
    people = People(names={"r1": "Ana Lima"}, others=())
    hidden = protect_report(REPORT, people, Privacy("pseudonyms", "00" * 16)).told()
    assert hidden.warnings[0].what == "Niemandem gehören 1.200 Chancen (z. B. '…')."
    assert hidden.tables[0].refusals[0].reason == "name ist leer"


def test_views_say_what_an_import_wrote(german):
    assert "Niemandem gehören 1.200 Chancen" in load_warnings(REPORT).render_text()
    shown = refusals_table(REPORT).render_text()
    assert "name ist leer" in shown
    assert "As an older snapshot has it." in shown


def test_reasons_of_refusal_are_messages():
    from salesnb.schema import TABLES

    for table in TABLES.values():
        for reason, action in actions(table).items():
            assert reason.made_of.say() == reason
            assert action.made_of.say() == action
