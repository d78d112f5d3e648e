"""Feedback: who gets any and how often, what it is about, and whether skills moved after it."""

from salesnb.analysis.feedback.effect import feedback_effect
from salesnb.analysis.feedback.loop import feedback_loop
from salesnb.analysis.feedback.result import FeedbackLoop
from salesnb.analysis.feedback.themes import FeedbackThemes, feedback_themes
from salesnb.analysis.feedback.verdict import FeedbackEffect

__all__ = [
    "FeedbackEffect",
    "FeedbackLoop",
    "FeedbackThemes",
    "feedback_effect",
    "feedback_loop",
    "feedback_themes",
]
