"""The committed notebooks tell the truth that is planted in the sample company."""

import json
import re
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from sklearn.metrics import adjusted_rand_score

from salesnb.sources.sample import sample_company
from salesnb.sources.sample.teams import PATCHES, TEAM_EFFECTS

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    return sample_company(tmp_path_factory.mktemp("sample"))


def read_table(notebook, call):
    """Read the table that a committed cell shows, as texts."""
    cells = nbformat.read(NOTEBOOKS / f"{notebook}.ipynb", as_version=4).cells
    cell = next(cell for cell in cells if cell.source.startswith(call))
    page = BeautifulSoup(cell.outputs[0]["data"]["text/html"], "html.parser")
    header, *rows = page.find("table").find_all("tr")
    names = [cell.get_text(" ", strip=True) for cell in header.find_all(["th", "td"])]
    texts = [
        [cell.get_text(" ", strip=True) for cell in row.find_all(["th", "td"])] for row in rows
    ]
    return pd.DataFrame(texts, columns=names)


def test_the_segments_are_the_planted_archetypes(company):
    truth = pd.read_csv(company / "truth" / "reps.csv", keep_default_na=False)
    people = pd.read_csv(company / "reps.csv", keep_default_na=False)
    people = people[~people["name"].duplicated(keep=False)]
    archetype = truth.set_index("rep_id")["archetype"]
    by_name = people.set_index("name")["rep_id"].map(archetype)
    shown = read_table("skill_segments", "sn.views.members_table")
    listed = shown.assign(name=shown["Surely"].str.split(", ")).explode("name")
    listed = listed[listed["name"].isin(by_name.index)]
    assert len(listed) > 90
    assert adjusted_rand_score(by_name[listed["name"]], listed["Segment"]) >= 0.9
    lacks = listed.groupby("Segment")["name"].agg(lambda names: by_name[names].mode()[0])
    assert sorted(lacks) == sorted(truth["archetype"].unique())


def test_the_course_that_works_is_found_and_the_useless_ones_are_not_called_working(company):
    truth = pd.read_csv(company / "truth" / "training_effects.csv").set_index("course_id")
    shown = read_table("training_impact", "sn.judge_programmes")
    verdicts = dict(zip(shown.iloc[:, 0].str.split().str[0], shown["Verdict"], strict=True))
    assert len(verdicts) == 4
    for course, verdict in verdicts.items():
        works = truth.loc[course, "win_logit_effect"] > 0
        assert verdict == ("Worked" if works else "No effect found"), course


def test_the_team_that_fails_at_one_stage_is_found_and_no_other_bottleneck_is_claimed():
    (planted,) = (effect for effect in TEAM_EFFECTS if effect.stage)
    shown = read_table("sales_process", "sn.views.team_bottlenecks_table")
    team = PATCHES[planted.team].name
    assert list(zip(shown["Team"], shown["Stage"], strict=True)) == [(team, planted.stage)]
    assert list(shown["Verdict"]) == ["bottleneck"]


def test_the_effect_of_slow_answers_is_the_planted_one(company):
    planted = json.loads((company / "truth" / "parameters.json").read_text())["response_effect"]
    shown = read_table("marketing_alignment", "sn.views.response_table(answers)")
    row = shown[shown["What"] == "Odds with each doubling of the wait"].iloc[0]
    interval = row["Rests on"].split(";")[0].replace("−", "-").removeprefix("95% interval ")
    low, high = (int(text) for text in re.findall(r"-?\d+(?=%)", interval))
    assert low <= (2**planted - 1) * 100 <= high


def test_who_opens_and_who_closes_are_the_planted_ones(company):
    roles = pd.read_csv(company / "truth" / "touch_roles.csv").set_index("source")
    shown = read_table("marketing_alignment", "sn.views.attribution_table(credit)")
    shown = shown.set_index("Source")[["First touch", "Last touch"]]
    shown = shown.replace(",", "", regex=True).astype(int).loc[roles.index]
    assert shown["First touch"].idxmax() == roles["opens_share"].idxmax()
    assert shown["Last touch"].idxmax() == roles["closes_share"].idxmax()
