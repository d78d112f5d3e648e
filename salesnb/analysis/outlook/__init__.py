"""Outlook of a running quarter: pace against past quarters, and chances to hit targets."""

from salesnb.analysis.outlook.calibration import Calibration
from salesnb.analysis.outlook.outlook import (
    OUTLOOK_ANCHOR,
    PACE_ANCHOR,
    Outlook,
    describe_calibration,
    format_chance,
    past_chances,
    say_chance,
    target_outlook,
)

__all__ = [
    "OUTLOOK_ANCHOR",
    "PACE_ANCHOR",
    "Calibration",
    "Outlook",
    "describe_calibration",
    "format_chance",
    "past_chances",
    "say_chance",
    "target_outlook",
]
