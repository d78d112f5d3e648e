"""Write environment.yml from pyproject.toml, or check that it is current (`--check`)."""

import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "environment.yml"
HEAD = "# Made from pyproject.toml by tests/environment.py; change that and run it again.\n"


def render() -> str:
    """Return the conda environment: Python from conda-forge, the rest by pip as declared."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    packages = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    lines = [
        "name: salesnb",
        "channels:",
        "  - conda-forge",
        "  - nodefaults",
        "dependencies:",
        f"  - python {project['requires-python']}",
        "  - pip",
        "  - pip:",
        *(f'      - "{package}"' for package in sorted(packages)),
        "      - -e .",
    ]
    return HEAD + "\n".join(lines) + "\n"


if __name__ == "__main__":
    if "--check" in sys.argv:
        if not TARGET.is_file() or TARGET.read_text(encoding="utf-8") != render():
            sys.exit(
                "environment.yml: not what pyproject.toml says. Run: python tests/environment.py"
            )
    else:
        TARGET.write_text(render(), encoding="utf-8")
