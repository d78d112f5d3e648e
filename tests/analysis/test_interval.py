"""Wilson's interval beside scipy's, which takes whole counts only."""

import pytest
from scipy.stats import binomtest

from salesnb.analysis.interval import find_wilson


@pytest.mark.parametrize(("part", "whole"), [(0, 1), (1, 1), (3, 7), (0, 40), (199, 200)])
@pytest.mark.parametrize("level", [0.9, 0.95])
def test_it_is_scipys(part, whole, level):
    expected = binomtest(part, whole).proportion_ci(level, method="wilson")
    found = find_wilson(part / whole, whole, level=level)
    assert found == pytest.approx((expected.low, expected.high), rel=1e-9, abs=1e-12)


def test_records_that_are_not_whole_lie_between():
    lows = [find_wilson(0.4, size)[0] for size in (10, 10.5, 11)]
    assert lows == sorted(lows)
