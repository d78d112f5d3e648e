"""Marketing and sales on one page: how leads fare, who answers them how fast, who gets the credit.

`rows` picks what is looked at, `funnel` with `costs` follows leads by where they come from,
`response` asks how answers work (on `odds`; `answers` is what it says), `handover` what sales hands
back, `attribution` which touch gets the credit, and `table` is the one table both sign.
"""

from salesnb.analysis.alignment.answers import ResponseEffect
from salesnb.analysis.alignment.attribution import Attribution, attribution
from salesnb.analysis.alignment.funnel import LeadFunnel, lead_funnel
from salesnb.analysis.alignment.handover import Handover, handover
from salesnb.analysis.alignment.response import response_effect
from salesnb.analysis.alignment.table import AlignmentTable, alignment_table

__all__ = [
    "AlignmentTable",
    "Attribution",
    "Handover",
    "LeadFunnel",
    "ResponseEffect",
    "alignment_table",
    "attribution",
    "handover",
    "lead_funnel",
    "response_effect",
]
