"""How often guesses are right: labelled header families, the same spoilt, and public data."""

import sys

import numpy as np
import pandas as pd
import pytest
from guess_company import made_company, read_families
from guess_score import judge, rates, reliability, spoil

from salesnb.schema import TABLES
from salesnb.sources.guess import guess_mapping, read_previews
from salesnb.sources.guess.vocabulary import read_vocabulary
from salesnb.sources.load import import_snapshot

SEEN, UNSEEN, REAL = map(read_families, ("guess_families", "guess_unseen", "guess_real"))
CLEAN = [name for name, family in SEEN.items() if family.is_clean]


def judge_all(families, *, presets=None):
    """Guess all families and put what was placed together; how many columns were missed."""
    placed, n_missed = [], 0
    for family in families:
        guess = guess_mapping(family.previews(), vocabulary=read_vocabulary(presets))
        frame, missed = judge(family, guess)
        placed.append(frame)
        n_missed += len(missed)
    return pd.concat(placed, ignore_index=True), n_missed


def report(title, placed, n_missed):
    """Print what a reader of the log wants to know, and return precision where sure, and recall."""
    sure = placed[placed["confidence"] >= 0.8]
    precision, recall = rates(placed, n_missed)
    told = (
        f"{title}: {len(placed)} placed, precision {precision:.3f}, recall {recall:.3f}; where "
        f"confidence is 0.8 or more: precision {sure['is_right'].mean():.3f} of {len(sure)}"
    )
    sys.stdout.write(f"\n{told}\n{reliability(placed).round(3).to_string()}\n")
    return sure["is_right"].mean(), recall


@pytest.mark.parametrize("presets", [None, ()], ids=["with presets", "words alone"])
def test_known_families_are_placed(presets):
    precision, recall = report("known", *judge_all(SEEN.values(), presets=presets))
    assert precision >= 0.99
    assert recall >= 0.95


@pytest.mark.parametrize("name", CLEAN)
def test_what_clean_families_require_is_found(name):
    family = SEEN[name]
    guess = guess_mapping(family.previews())
    assert guess.is_complete
    placed, _ = judge(family, guess)
    for table in ("reps", "opportunities"):
        right = set(placed[(placed["table"] == table) & placed["is_right"]]["column"])
        assert {str(c) for c in TABLES[table].required_columns} <= right


def test_what_is_placed_of_unknown_families_is_right():
    precision, recall = report("unknown", *judge_all(UNSEEN.values()))
    assert precision >= 0.95
    assert recall >= 0.7


@pytest.fixture(scope="module")
def spoilt():
    """What was placed where a third of the columns is gone and a third of the rest misspelt."""
    families = [f for name, f in (SEEN | UNSEEN).items() if name != "no headers"]
    return judge_all(
        spoil(family, rng=np.random.default_rng(seed)) for seed in range(3) for family in families
    )


def test_spoilt_families_are_left_unplaced_rather_than_misplaced(spoilt):
    precision, recall = report("spoilt", *spoilt)
    assert precision >= 0.95
    assert recall >= 0.6


def test_confidence_is_honest(spoilt):
    bins = reliability(spoilt[0])
    bins = bins[bins["n"] >= 20]
    assert len(bins) >= 3
    # Ten points, or what chance does to as few as there are.
    tolerance = np.maximum(0.1, 2 * np.sqrt(0.25 / bins["n"]))
    assert (bins["hit_rate"] >= bins["confidence"] - tolerance).all()
    low = spoilt[0]["confidence"] < 0.8
    hits = spoilt[0]["is_right"].astype(float)
    assert hits[low].mean() < hits[~low].mean() - 0.1


def test_public_data_are_placed(shared_data):
    placed, n_missed = [], 0
    for name, family in REAL.items():
        frame, missed = judge(family, guess_mapping(read_previews(shared_data / name).tables))
        placed.append(frame)
        n_missed += len(missed)
    precision, recall = report("public data", pd.concat(placed), n_missed)
    assert precision >= 0.95
    assert recall >= 0.9


@pytest.mark.parametrize("name", CLEAN)
def test_a_guess_imports_the_company_it_was_made_of(name, tmp_path):
    family = SEEN[name]
    previews = family.previews()
    for source, frame in previews.items():
        (tmp_path / "export").mkdir(exist_ok=True)
        frame.to_csv(tmp_path / "export" / f"{source}.csv", index=False)
    read = read_previews(tmp_path / "export").tables
    (tmp_path / "guess.yaml").write_text(guess_mapping(read).to_yaml(), encoding="utf-8")
    snapshot = import_snapshot(
        tmp_path / "export", to=tmp_path / "to", mapping=tmp_path / "guess.yaml"
    )
    deals = made_company(stages=family.stages)["deals"]
    found = snapshot.read("opportunities")
    assert len(found) == len(deals) == 240
    assert (found["is_won"].sum(), found["is_closed"].sum()) == (
        deals["won"].sum(),
        deals["closed"].sum(),
    )
    assert found["amount"].sum() == pytest.approx(deals["amount"].round(2).sum(), rel=1e-9)
    closed = pd.to_datetime(found.loc[found["is_closed"], "closed_on"])
    expected = deals.loc[deals["closed"], "close"].dt.normalize()
    assert sorted(closed.dt.normalize()) == sorted(expected)
    assert found["rep_id"].nunique() == 12


def test_maven_is_imported_by_its_guess(shared_data, tmp_path):
    export = shared_data / "maven_crm"
    words = read_vocabulary(())  # nothing is learnt from the preset made for it
    guess = guess_mapping(read_previews(export).tables, vocabulary=words)
    (tmp_path / "guess.yaml").write_text(guess.to_yaml(), encoding="utf-8")
    snapshot = import_snapshot(export, to=tmp_path / "to", mapping=tmp_path / "guess.yaml")
    found = snapshot.read("opportunities")
    assert (len(found), found["is_won"].sum()) == (8800, 4238)
    assert found.loc[found["is_won"], "amount"].sum() == 10_005_534
    assert len(snapshot.read("reps")) == 35
    assert snapshot.report.refused == 0
    assert set(found["product_id"]) <= set(snapshot.read("products")["product_id"])
