"""Outlook of a running quarter: pace against past quarters, and chances to hit targets."""

from salesnb.analysis.outlook.calibration import Calibration
from salesnb.analysis.outlook.outlook import (
    OUTLOOK_ANCHOR,
    PACE_ANCHOR,
    Outlook,
    past_chances,
    target_outlook,
)
from salesnb.analysis.outlook.words import describe_calibration, format_chance, judge_chance

__all__ = [
    "OUTLOOK_ANCHOR",
    "PACE_ANCHOR",
    "Calibration",
    "Outlook",
    "describe_calibration",
    "format_chance",
    "judge_chance",
    "past_chances",
    "target_outlook",
]
