"""The sample company: a realistic raw export that carries its truth."""

from salesnb.sources.sample.company import sample_company

__all__ = ["sample_company"]
