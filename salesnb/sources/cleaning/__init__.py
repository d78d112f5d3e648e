"""Cleaning: an export's text becomes the model's types.

Text that cannot be converted becomes missing; `checks` then sees text without a value and
refuses the row with its reason, so nothing is coerced silently.
"""

from salesnb.sources.cleaning.conventions import Conventions, infer_conventions
from salesnb.sources.cleaning.values import SQL_TYPES, text_expression, typed_expression

__all__ = ["SQL_TYPES", "Conventions", "infer_conventions", "text_expression", "typed_expression"]
