from dataclasses import replace

import numpy as np
import pytest
from skills_company import PERIOD, segment_free, segmented

from salesnb import views
from salesnb.analysis.profiles import skill_profiles
from salesnb.analysis.segments import SEGMENTS_ANCHOR, skill_segments
from salesnb.views.blocks import Figure, Note

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def found():
    company = segmented(np.random.default_rng([1, 5]), 100, 1.3)
    return skill_segments(skill_profiles(company.measures, period=PERIOD), n_null=19)


def test_each_segment_has_a_panel_with_its_numbers(found):
    figure = found.plot()
    assert isinstance(figure, Figure)
    assert figure.title == found.finding
    assert figure.anchor == SEGMENTS_ANCHOR
    assert figure.narrow_svg
    assert len(figure.numbers) == 13 * len(found.described)
    assert set(figure.numbers["Segment"]) == set(found.described["name"])
    words = figure.svg.replace("\n", " ")
    for skill in ("skill 00", "skill 12"):
        assert skill in words
    for name, size in zip(found.described["name"], found.described["size"], strict=True):
        assert f"{name}: {size} people." in figure.alt


def test_members_are_listed_once_surely_or_between(found):
    table = views.members_table(found)
    listed = [name for row in table.rows for cell in row[1:] for name in cell.split(", ")]
    assert sorted(name for name in listed if name != "–") == sorted(found.members["unit"])
    n_sure = int((~found.members["is_between"]).sum())
    assert f"{n_sure} of 100 people surely belong to a segment" in table.title


def test_long_lists_of_members_are_cut_and_counted(found):
    one = replace(found, segments=found.segments.head(1), members=found.members.assign(segment=0))
    cell = views.members_table(one).rows[0][1]
    n_sure = int((~found.members["is_between"]).sum())
    assert cell.endswith(f" and {n_sure - 60} more")


def test_the_table_says_how_sure_each_segment_is(found):
    html = views.segments_table(found).render_html()
    assert "Found again" in html
    assert f"{len(found.segments)} skill segments, {found.verdict}" in html


def test_names_are_data_and_never_code(found):
    members = found.members.assign(unit=HOSTILE)
    segments = found.segments.assign(name=[f"{HOSTILE}{n}" for n in found.segments["segment"]])
    hostile = replace(found, members=members, segments=segments, unit=HOSTILE)
    for view in (views.segments_chart, views.segments_table, views.members_table):
        assert "<script>" not in view(hostile).render_html()


def test_without_segments_all_views_say_how_to_plan():
    company = segment_free(np.random.default_rng(2), "normal", 60)
    none = skill_segments(skill_profiles(company.measures, period=PERIOD), n_null=19)
    for view in (views.segments_chart, views.segments_table, views.members_table):
        note = view(none)
        assert isinstance(note, Note)
        assert "plan training person by person" in note.render_html()
