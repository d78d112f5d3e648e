"""Publish: notebooks times parameters, executed by papermill, exported as HTML, with a portal."""

import importlib
import sys


def _import_jsonschema() -> None:
    """Import what nbformat imports, without 38 grammars it would compile: a second of each command.

    They are of internationalised addresses, a format that no notebook has.
    """
    grammars = "rfc3987_syntax"
    if grammars in sys.modules or "jsonschema" in sys.modules:
        return
    sys.modules[grammars] = None  # type: ignore[assignment]
    try:
        importlib.import_module("jsonschema")
    finally:
        del sys.modules[grammars]


_import_jsonschema()
