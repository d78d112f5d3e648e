"""A company of four teams whose opportunities pass three stages, with a bottleneck to plant."""

import numpy as np
import pandas as pd

STAGES = (
    "stage,stage_order,is_qualified,is_won,is_lost\nLead,1,true,false,false\n"
    "Demo,2,true,false,false\nOffer,3,true,false,false\nWon,4,true,true,false\n"
    "Lost,5,false,false,true\n"
)
REPS = "rep_id,name\n" + "".join(f"r{number},R{number}\n" for number in range(4))
MEMBERS = "rep_id,team_id\n" + "".join(f"r{number},t{number}\n" for number in range(4))
COMPANY = "as_of: 2026-09-30\n"
LEAD, DEMO, OFFER = "Lead", "Demo", "Offer"


JULY = pd.Timestamp(2026, 6, 25)


def company(n=1200, *, drop=0.0, since=JULY, seed=0):
    """Draw opportunities of four teams; of t0 fewer leave Demo for Offer from a day on."""
    rng = np.random.default_rng(seed)
    deals, history = [], []
    first = pd.Timestamp(2025, 7, 1)
    for number in range(n):
        rep, at = number % 4, first + pd.Timedelta(days=int(rng.integers(0, 456)), hours=9)
        deal, end, stage = f"o{number:05d}", None, 0
        created = at
        while end is None and at <= pd.Timestamp(2026, 9, 30, 23):
            history.append((deal, (LEAD, DEMO, OFFER)[stage], at))
            low = drop if rep == 0 and stage == 1 and at >= since else 0.0
            moves = rng.random() < 0.75 - low
            at = at + pd.Timedelta(days=int(rng.gamma(2, 5)))
            if not moves or stage == 2:
                end = "Won" if moves else "Lost"
            stage += 1
        is_closed = end is not None and at <= pd.Timestamp(2026, 9, 30, 23)
        if is_closed:
            history.append((deal, end, at))
        closed = at.date() if is_closed else None
        deals.append((deal, f"r{rep}", created.date(), closed, is_closed and end == "Won",
                      is_closed, 1000))  # fmt: skip
    names = ["opportunity_id", "rep_id", "created_on", "closed_on", "is_won", "is_closed", "amount"]
    entries = pd.DataFrame(history, columns=["opportunity_id", "stage", "entered_at"])
    return {
        "reps": REPS, "memberships": MEMBERS, "stages": STAGES,
        "opportunities": pd.DataFrame(deals, columns=names), "stage_history": entries,
    }  # fmt: skip
