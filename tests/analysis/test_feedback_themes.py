import datetime as dt
from dataclasses import replace

import numpy as np
import pytest
from made_company import make_measures
from scipy.sparse import csr_matrix

from salesnb.analysis.feedback import feedback_themes
from salesnb.analysis.feedback.topics import find_topics
from salesnb.analysis.feedback.words import plain, words_of

QUARTERS = ("2024Q3", "2024Q4", "2025Q1", "2025Q2", "2025Q3", "2025Q4", "2026Q1", "2026Q2")
NOW = QUARTERS[-1]
SENTENCES = {
    "discount": "Offered a discount before anybody asked, trade instead",
    "notes": "Opportunity notes missing again, update pipeline records weekly",
    "questions": "Excellent open questions, customer explained budget himself",
}
HOSTILE = "<script>alert(1)</script> =SUM(A1) <img src=x onerror=alert(2)>"


def company(comments, *, reps=30, names=None):
    """Comments by (rep number, quarter, text, skill)."""
    rows = [
        (f"A{n:02d}", "A", quarter, "win_rate", 3, 10, 10, np.nan, np.nan)
        for n in range(reps)
        for quarter in QUARTERS
    ]
    feedback = [
        (f"f{k}", f"A{n:02d}", "m", _day(quarter), "praise", skill, text)
        for k, (n, quarter, text, skill) in enumerate(comments)
    ]
    return make_measures(
        rows, kpis=("win_rate",), feedback=feedback, quarters=QUARTERS, names=names
    )


def _day(quarter):
    return dt.date(int(quarter[:4]), 3 * int(quarter[-1]) - 1, 10)


def mixed(*, quarters=QUARTERS, per_quarter=30, weights=None):
    """Comments of all three kinds, each said with the words around it in another order."""
    generator = np.random.default_rng(1)
    names, out = list(SENTENCES), []
    for quarter in quarters:
        for n in range(per_quarter):
            kind = generator.choice(names, p=(weights or {}).get(quarter))
            words = SENTENCES[kind].split()
            text = " ".join(generator.permutation(words)[: len(words) - 1])
            out.append((n % 30, quarter, text, kind if generator.random() < 0.8 else None))
    return out


def find(comments, **arguments):
    return feedback_themes(company(comments, **arguments), period=NOW)


def test_planted_themes_are_found_with_their_skills():
    found = find(mixed())
    assert len(found.themes) == 3
    assert sorted(found.themes["skills"]) == [("discount",), ("notes",), ("questions",)]
    by_skill = dict(zip(found.themes["skills"], found.themes["words"], strict=True))
    assert set(by_skill[("discount",)]) <= set(words_of(SENTENCES["discount"]))
    assert found.themes["share"].sum() == pytest.approx(1)
    assert found.themes["n"].sum() == found.n == 120
    assert found.n_before == 120
    assert (found.themes["stability"] > 0.9).all()
    assert found.window == QUARTERS[4:]


def test_a_theme_that_grew_is_offered_and_one_that_did_not_is_not_told():
    calm = find(mixed()).candidates()[0]
    assert calm.p_value > 0.05
    now = dict.fromkeys(QUARTERS[4:], (0.8, 0.1, 0.1))
    grown = find(mixed(weights=now)).candidates()[0]
    assert grown.p_value < 0.001
    assert "discount" in grown.text or "asked" in grown.text or "trade" in grown.text


def test_words_that_meet_by_chance_are_no_theme():
    named = 0
    for seed in range(2):
        generator = np.random.default_rng(seed)
        chance = 1 / np.arange(3, 83) ** 0.8
        counts = np.zeros((150, 80))
        for row in counts:
            row[generator.choice(80, generator.integers(4, 9), replace=False,
                                 p=chance / chance.sum())] = 1  # fmt: skip
        counts = counts[:, counts.sum(axis=0) >= 5]
        named += find_topics(csr_matrix(counts), random_state=0).is_named.sum()
    assert named == 0


def test_too_few_comments_or_people_are_said_to_be_too_few():
    few = find(mixed(per_quarter=5))
    assert few.themes.empty
    assert "comments about 5 people are too few to find themes in; it takes 60" in few.finding
    one_person = find([(0, quarter, text, None) for _, quarter, text, _ in mixed()])
    assert "0 comments about 0 people" in one_person.finding  # no word is about five people
    assert few.candidates() == ()


def test_names_and_what_fewer_than_five_people_were_told_never_show():
    names = {f"A{n:02d}": f"Zelda{n} Quux" for n in range(30)}
    secret = [(n, NOW, f"Quux secretword {SENTENCES['notes']}", None) for n in range(4)]
    told = [(n, q, f"{text} quux", skill) for n, q, text, skill in mixed()]
    found = find([*told, *secret], names=names)
    shown = " ".join(str(value) for value in found.themes.to_numpy().ravel()).lower()
    assert len(found.themes) >= 3
    assert "secretword" not in shown
    assert "quux" not in shown
    same = [(n, q, f"{SENTENCES['notes']} says Quux", None) for q in QUARTERS for n in range(8)]
    assert set(find([*mixed(), *same], names=names).themes["example"]) == {""}


def test_names_of_authors_outside_the_people_never_show():
    told = [(n, q, f"{text} says Quux", skill) for n, q, text, skill in mixed()]
    measures = company(told)
    measures = replace(measures, feedback=measures.feedback.assign(author_id="Zelda.Quux"))
    found = feedback_themes(measures, period=NOW)
    shown = " ".join(str(value) for value in found.themes.to_numpy().ravel()).lower()
    assert len(found.themes) >= 3
    assert "quux" not in shown


def test_a_sentence_is_quoted_only_when_five_people_got_it():
    same = [(n, q, SENTENCES["notes"], None) for q in QUARTERS for n in range(8)]
    found = find([*mixed(), *same])
    quoted = set(found.themes["example"])
    assert SENTENCES["notes"] in quoted
    assert quoted <= {SENTENCES["notes"], ""}


def test_hostile_texts_and_other_scripts_are_words_or_nothing():
    assert words_of(HOSTILE) == ("alert", "sum")
    assert plain("<b>Call</b> back &amp; ask <-> 5 < 6") == "Call back & ask <-> 5 < 6"
    assert words_of("お客様の課題")[:2] == ("お客", "客様")
    assert words_of("ما الذي يحتاجه العميل") == ("يحتاجه", "العميل")
    assert words_of("Wie können wir dich bei Preisen unterstützen?") == ("preisen", "unterstützen")
    assert words_of("Άννα πολύ καλή προετοιμασία", frozenset({"άννα"})) == ("καλή", "προετοιμασία")
    found = find([*mixed(), *[(n, NOW, HOSTILE, None) for n in range(6)], (7, NOW, "", None)])
    shown = " ".join(str(value) for value in found.themes.to_numpy().ravel())
    assert "<" not in shown


def test_without_feedback_it_says_what_it_needs():
    found = find([])
    assert found.finding == "Acme: it needs the feedback table; the snapshot has none."
    assert found.to_frame().empty


def test_the_same_comments_give_the_same_themes():
    one, other = find(mixed()), find(mixed())
    assert one.themes.equals(other.themes)
