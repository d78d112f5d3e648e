"""Measures to findings: estimates, matrices, trends and what they mean."""
