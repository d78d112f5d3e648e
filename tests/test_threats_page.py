"""The page of threats names tests that there are."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "threats.md").read_text(encoding="utf-8")
FILES = {path.name: path for path in (ROOT / "tests").rglob("test_*.py")}


def test_every_test_that_is_named_exists_and_every_claim_names_one():
    table = PAGE.split("## Claims and tests")[1].split("\n## ")[0]
    claims = [line for line in table.splitlines() if line.startswith("|")][2:]
    assert len(claims) > 10
    texts = [path.read_text(encoding="utf-8") for path in FILES.values()]
    written = {name for text in texts for name in re.findall(r"(?m)^def (test_\w+)", text)}
    for claim in claims:
        named = re.findall(r"`(?:test_\w+\.py::)?(test_\w+(?:\.py)?)`", claim)
        assert named, claim
        assert [name for name in named if name not in {*FILES, *written}] == []
