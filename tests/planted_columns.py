"""Columns of a user's own: some know how opportunities ended, some do not."""

import numpy as np
import pandas as pd

LEAKS = {"signed_score", "contract_number", "closed_by"}
"""A score set at signing, a number given to won ones, and a text filled at the end of all."""


def plant_columns(history, *, seed=0):
    """Give every opportunity of a history the columns of `LEAKS`, and two honest ones."""
    rng = np.random.default_rng(seed)
    last = history.past.drop_duplicates("opportunity_id", keep="last")
    both = pd.concat([last["opportunity_id"], history.open["opportunity_id"]]).drop_duplicates()
    won = both.map(last.set_index("opportunity_id")["is_won"]).fillna(False).to_numpy(dtype=bool)
    ended = both.isin(last.loc[last["closed_on"].notna(), "opportunity_id"]).to_numpy()
    n = len(both)
    return pd.DataFrame(
        {
            "opportunity_id": both.to_numpy(),
            "signed_score": won + rng.normal(0, 0.2, n),
            "contract_number": np.where(won, [f"C{place}" for place in range(n)], None),
            "closed_by": np.where(ended, rng.choice(["a", "b"], n), None),
            "asked_budget": rng.choice(["yes", "no"], n),
            "seats": rng.poisson(20, n).astype(float),
        }
    )
