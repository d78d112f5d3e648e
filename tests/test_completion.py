"""Tab in a notebook: a kernel is asked as JupyterLab asks it."""

import pytest
from jupyter_client.manager import start_new_kernel

import salesnb as sn


@pytest.fixture(scope="module")
def complete():
    manager, client = start_new_kernel()
    for code in ("import salesnb as sn", "made = sn.estimate_rates([3, 30, 5], [4, 90, 20])"):
        assert client.execute(code, reply=True, timeout=60)["content"]["status"] == "ok"

    def names(code):
        content = client.complete(code, reply=True, timeout=60)["content"]
        return {match.rpartition(".")[2].removesuffix("(") for match in content["matches"]}

    yield names
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def test_the_package_offers_its_public_face_and_nothing_else(complete):
    assert complete("sn.") == set(sn.__all__)


def test_a_beginning_is_enough(complete):
    assert complete("sn.performance_") == {"performance_matrix"}


@pytest.mark.parametrize("code", ["made.", "sn.estimate_rates([1], [2])."])
def test_a_result_offers_what_it_says_and_how_to_go_on(code, complete):
    assert {"finding", "caveat", "to_frame", "plot"} <= complete(code)


def test_arguments_are_offered(complete):
    assert {"period=", "by=", "team="} <= complete("sn.performance_matrix(")


def test_figures_are_offered(complete):
    assert "caterpillar" in complete("sn.views.cater")
