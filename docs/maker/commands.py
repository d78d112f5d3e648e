"""The command line's page, as typer writes it from the commands themselves."""

import subprocess
import sys

EXIT_CODES = """
## Exit codes

| code | meaning |
|---|---|
| 0 | everything was done |
| 1 | some reports failed; the others are complete |
| 2 | the request was wrong: an argument, a parameter, a file |
| 3 | the data were refused |
| 130, 143 | stopped by Ctrl-C or a termination signal |
"""


def commands_page():
    """Describe every command with its arguments and options."""
    made = subprocess.run(
        [sys.executable, "-m", "typer", "salesnb.cli", "utils", "docs", "--name", "salesnb",
         "--title", "Commands"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    return made.rstrip() + "\n" + EXIT_CODES
