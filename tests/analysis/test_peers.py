import datetime as dt

import numpy as np
import pytest
from made_company import QUARTERS, make_measures

from salesnb.analysis.peers import peer_groups
from salesnb.errors import ParameterError

NOW = QUARTERS[-1]
END = dt.date(2026, 6, 30)


def company(roles, days):
    rows = [
        (f"A{number:02d}", "A", NOW, "win_rate", 3, 9, 9, np.nan, np.nan)
        for number in range(len(roles))
    ]
    hired = [None if day is None else END - dt.timedelta(days=day) for day in days]
    people = {"role": list(roles), "hired_on": hired}
    return make_measures(rows, kpis=("win_rate",), people=people)


def groups_of(roles, days, fewest):
    members = peer_groups(company(roles, days), period=NOW, fewest=fewest).members
    return members.set_index("rep_id").sort_index()["group"].tolist()


def test_groups_share_role_and_tenure_where_peers_can_be_found():
    roles = ["AE"] * 6 + ["Senior"] * 3
    days = [100, 200, 300, 400, 500, 365, 10, 900, 900]
    found = groups_of(roles, days, fewest=3)
    assert found == ["AE, new or ramping"] * 3 + ["AE, established"] * 3 + ["Senior"] * 3


def test_a_part_too_small_joins_the_next_smallest():
    # one SDR is alone: with the three Seniors, not with the five AEs
    found = groups_of(["SDR"] + ["Senior"] * 3 + ["AE"] * 5, [900] * 9, fewest=3)
    assert found == ["SDR or Senior"] * 4 + ["AE"] * 5


@pytest.mark.parametrize("fewest", [1, 2, 5, 8, 50])
def test_no_group_is_smaller_than_asked_unless_all_together_are(fewest):
    generator = np.random.default_rng(fewest)
    roles = generator.choice(["AE", "SDR", "Senior", "KAM"], 40, p=[0.6, 0.2, 0.15, 0.05])
    days = generator.integers(0, 1500, 40).tolist()
    members = peer_groups(company(roles, days), period=NOW, fewest=fewest).members
    assert members["rep_id"].is_unique
    assert len(members) == 40
    assert members.groupby("group").size().min() >= min(fewest, 40)
    assert (members.groupby("group")["rep_id"].transform("size") == members["n_peers"]).all()


def test_traits_nobody_has_set_nobody_apart():
    groups = peer_groups(company(["AE"] * 4, [None] * 4), period=NOW, fewest=2)
    assert groups.finding == "All 4 people are one peer group."
    assert set(groups.members["group"]) == {"everybody"}


def test_nobody_gives_no_groups_and_says_so():
    silent = make_measures([], kpis=("win_rate",))
    groups = peer_groups(silent, period=NOW)
    assert groups.members.empty
    assert "Nobody has a record" in groups.finding


def test_a_group_of_none_is_refused():
    with pytest.raises(ParameterError, match="fewest: 0 is no group size"):
        peer_groups(company(["AE"], [10]), period=NOW, fewest=0)
