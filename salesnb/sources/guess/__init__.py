"""A first mapping for an export nobody has described: guessed from headers and values."""

from salesnb.sources.guess.previews import Previews, read_previews
from salesnb.sources.guess.proposal import guess_mapping
from salesnb.sources.guess.result import ColumnGuess, FileGuess, Guess, TableGuess

__all__ = [
    "ColumnGuess", "FileGuess", "Guess", "Previews", "TableGuess", "guess_mapping", "read_previews",
]  # fmt: skip
