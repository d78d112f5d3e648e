"""Groups of demand: teams in quarters, and the names that are frequent enough to be kept."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import narwhals as nw
import pandas as pd

from salesnb.measures.demand.names import OTHER, PLACE, empty_frame
from salesnb.measures.engine import Lazy
from salesnb.measures.people import OWNER
from salesnb.measures.prepare import Ground
from salesnb.schema import sources

MOST = 30
"""Names (of campaigns, sources, segments, reasons) kept a quarter; the others are added up."""

GROUP, QUARTER = "group", "quarter"
_KEPT, _ONE, _LESS, _PLACE = "is_kept", "one", "fewer", "place"


@dataclass(frozen=True)
class Grouping:
    """Teams in quarters by number: `groups` says which, and `owners` which of them an owner is."""

    ground: Ground
    groups: pd.DataFrame
    owners: Lazy

    def attribute(self, rows: Lazy, on: str) -> Lazy:
        """Give each row the team and quarter of its owner on the day `on`."""
        return self.ground.attribute(rows, on).join(self.owners, on=OWNER)

    def sum_up(self, rows: Lazy, keys: list[str], values: Iterable[str]) -> pd.DataFrame:
        """Add values up by team, quarter and keys, in the order of all keys."""
        sums = (nw.col(name).cast(nw.Float64).sum() for name in values)
        found = self.ground.engine.collect(rows.group_by(GROUP, *keys).agg(*sums))
        found = found.sort_values([GROUP, *keys], ignore_index=True)
        places = self.groups.loc[found.pop(GROUP).to_numpy(), PLACE].reset_index(drop=True)
        return pd.concat([places, found], axis=1)

    def find_most(self, rows: Lazy, name: str) -> pd.DataFrame:
        """List the most frequent values of a column in each quarter: quarter, the column."""
        counts = rows.group_by(QUARTER, name).agg(nw.len().cast(nw.Float64).alias(_LESS))
        counts = counts.filter((nw.col(name) != "").fill_null(False)).with_columns(
            (-nw.col(_LESS)).alias(_LESS), nw.lit(1.0).alias(_ONE)
        )
        place = nw.col(_ONE).cum_sum().over(QUARTER, order_by=[_LESS, name])
        most = counts.with_columns(place.alias(_PLACE)).filter(nw.col(_PLACE) <= MOST)
        return self.ground.engine.collect(most.select(QUARTER, name))

    def with_paid(self, most: pd.DataFrame) -> pd.DataFrame:
        """Add the sources with a spend to those kept: their costs are asked for by name."""
        spent = read_spend(self.ground)
        quarters = {period: number for number, period in enumerate(self.ground.periods)}
        paid = spent.assign(**{QUARTER: spent[sources.period].map(quarters)})
        paid = paid[paid[QUARTER].notna()][[QUARTER, sources.source]]
        whole = pd.concat([most, paid.astype({QUARTER: "int32"})]) if len(paid) else most
        return whole.drop_duplicates(ignore_index=True)

    def keep(self, rows: Lazy, most: dict[str, pd.DataFrame]) -> Lazy:
        """Keep the most frequent values of columns; the rest become `OTHER`.

        What is missing becomes an empty text and stays.
        """
        for name, kept in most.items():
            value = nw.col(name).fill_null("")
            rows = rows.with_columns(value.alias(name))
            if len(kept):
                listed = self.ground.engine.local(kept.assign(**{_KEPT: True}))
                rows = rows.join(listed, on=[QUARTER, name], how="left")
                is_kept = ~nw.col(_KEPT).is_null() | (nw.col(name) == "")
                found = nw.when(is_kept).then(nw.col(name)).otherwise(nw.lit(OTHER))
                rows = rows.with_columns(found.alias(name)).drop(_KEPT)
        return rows


def read_spend(ground: Ground) -> pd.DataFrame:
    """Read what was spent: source, period, spend; empty where nothing is known of it."""
    if not ground.snapshot.has("sources", sources.spend):
        return empty_frame("spend")
    spent = ground.snapshot.read("sources")[[sources.source, sources.period, sources.spend]]
    spent = spent.dropna(subset=[sources.spend]).astype({sources.spend: float})
    return spent.sort_values([sources.source, sources.period], ignore_index=True)


def group_owners(ground: Ground) -> Grouping:
    """Give teams in quarters numbers."""
    names = ground.names[PLACE]
    numbers = names.groupby(PLACE).ngroup().astype("int32")
    groups = names.assign(**{GROUP: numbers}).drop_duplicates(GROUP).set_index(GROUP)
    quarters = {period: number for number, period in enumerate(ground.periods)}
    owners = pd.DataFrame(
        {
            OWNER: names.index.to_numpy(),
            GROUP: numbers.to_numpy(),
            QUARTER: names["period"].map(quarters).astype("int32").to_numpy(),
        }
    )
    return Grouping(ground, groups, ground.engine.local(owners))
