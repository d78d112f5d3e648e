"""Drivers: what a change of bookings is made of, to the cent, and what of it is beyond chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control, norm

from salesnb.analysis.finding import Candidate
from salesnb.analysis.result import Result
from salesnb.analysis.shapley import (
    carry_over,
    find_factors,
    split_change,
    split_mix,
    weigh_factors,
)
from salesnb.analysis.wording import format_money, within_sentence
from salesnb.errors import ParameterError
from salesnb.language import format_share, mark, tr, write_day
from salesnb.measures.measures import Measures

DRIVERS_ANCHOR = "drivers"
"""Id of the figure and, with `-teams`, of the table that show the drivers."""

YEAR = "year"
"""Asks for the comparison with the same quarter a year before."""

FALSE_CLAIMS = 0.05
"""Share of the drivers called beyond chance that may be chance."""

LABELS = {
    "capacity": mark("Reps"),
    "mix": mark("Mix of teams"),
    "volume": mark("Closed per rep"),
    "win_rate": mark("Win rate"),
    "deal_size": mark("Deal size"),
}
_FACTORS = ("capacity", "volume", "win_rate", "deal_size")
_KPIS = {"win_rate": "win_rate", "deal_size": "deal_size"}
COUNTED = "capacity"
"""The driver that is counted and not estimated, so that it is tested by itself."""

_LEAST_REPS = 1e-6
"""Full quarters of active time, some seconds, below which there was no rep to divide by."""
_LEVEL = 0.9
_REACH = float(norm.ppf(0.5 + _LEVEL / 2))
_PIECES = [
    "unit_id", "unit", "driver", "before", "after", "effect", "low", "high", "p_value",
    "p_adjusted", "is_beyond_chance",
]  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False)
class BookingDrivers(Result):
    """A change of bookings, split into its drivers.

    Attributes
    ----------
    period, versus
        The quarter and the one it is compared with.
    unit
        Name of the team or company.
    before, after
        Bookings in `versus` and in `period`.
    pieces
        One row a driver of the whole: `before` and `after` of the factor, `effect` in money with
        90% interval `low` to `high`, `p_value`, `p_adjusted` for the number of drivers tested,
        `is_beyond_chance`. Effects sum to the change.
    teams
        The same per team (unit_id, unit); a team's `capacity` holds its part of the mix too. The
        teams' effects of a driver sum to the whole's (capacity: to capacity and mix).
    gap
        Why there is nothing to split; empty when there is.
    """

    period: str
    versus: str
    unit: str
    before: float
    after: float
    pieces: pd.DataFrame
    teams: pd.DataFrame
    currency: str
    gap: str = ""

    @property
    def change(self) -> float:
        """Bookings of `period` less those of `versus`."""
        return self.after - self.before

    @property
    def finding(self) -> str:
        """Say the change and the drivers that are beyond chance."""
        if self.gap:
            return f"{self.unit}: {self.gap}"
        ordered = self.pieces.sort_values("effect", key=lambda effect: -effect.abs())
        is_real = ordered["is_beyond_chance"].astype(bool)
        parts = []
        if is_real.any():
            parts.append(tr("beyond chance: {drivers}", drivers=self._name(ordered[is_real])))
        if not is_real.iloc[0]:
            largest = self._name(ordered.head(1))
            parts.append(tr("within chance: {driver}, the largest driver", driver=largest))
        said = {
            "unit": self.unit, "amount": format_money(abs(self.change), self.currency),
            "before": self.versus, "now": self.period, "drivers": "; ".join(parts),
        }  # fmt: skip
        if not self.change:
            return tr("{unit}: bookings stayed the same from {before} to {now}; {drivers}.", **said)
        if self.change > 0:
            return tr(
                "{unit}: bookings rose by {amount} from {before} to {now}; {drivers}.", **said
            )
        return tr("{unit}: bookings fell by {amount} from {before} to {now}; {drivers}.", **said)

    def _name(self, pieces: pd.DataFrame) -> str:
        return ", ".join(
            f"{within_sentence(name_driver(row['driver']))} {self._write(row['effect'])}"
            for row in pieces.to_dict("records")
        )

    def _write(self, amount: float) -> str:
        return signed_money(amount, self.currency)

    @property
    def caveat(self) -> str:
        """Say what a driver is and what the intervals leave out."""
        if self.gap:
            return ""
        said = tr(
            "Drivers say which factor moved, not why. Intervals hold chance in the records "
            "counted, on the reps there were."
        )
        season = tr("Seasons are in them: see the year before too.")
        return said if self.is_same_season else f"{said} {season}"

    @property
    def is_same_season(self) -> bool:
        """Whether both are the same quarter of a year."""
        return self.period[4:] == self.versus[4:]

    def to_frame(self) -> pd.DataFrame:
        """List one row a driver: the whole first, then team by team."""
        return pd.concat([self.pieces, self.teams], ignore_index=True)

    def candidates(self) -> tuple[Candidate, ...]:
        """Offer each driver of the whole; its effect is its share of the bookings before."""
        level = max(self.before, self.after)
        return tuple(
            Candidate(
                text=tr(
                    "{driver} moved bookings by {amount} from {before} to {now}.",
                    driver=name_driver(row["driver"]),
                    amount=self._write(row["effect"]),
                    before=self.versus,
                    now=self.period,
                ),
                why=tr(
                    "Of a change of {change}; {level} interval {low} to {high}.",
                    level=format_share(_LEVEL),
                    change=self._write(self.change),
                    low=self._write(row["low"]),
                    high=self._write(row["high"]),
                ),
                anchor=DRIVERS_ANCHOR,
                effect=min(abs(row["effect"]) / level, 1.0),
                p_value=row["p_value"],
                kpi=_KPIS.get(row["driver"], "bookings"),
            )
            for row in self.pieces.to_dict("records")
            if row["effect"] != 0
        )


def name_driver(driver: str) -> str:
    """Name a driver.

    >>> name_driver("mix")
    'Mix of teams'
    """
    return tr(LABELS[driver])


def signed_money(amount: float, currency: str) -> str:
    """Write an amount of money with its sign.

    >>> signed_money(-1_250_000, "EUR"), signed_money(300, "EUR")
    ('−€1.2m', '+€300')
    """
    return f"{'+' if amount > 0 else ''}{format_money(amount, currency)}"


def booking_drivers(
    measures: Measures, *, period: str, versus: str | None = None, team: str | None = None,
    n_draws: int = 2000, random_state: int = 0,
) -> BookingDrivers:  # fmt: skip
    """Split the change of bookings between two quarters into its drivers.

    Bookings = reps (full quarters of active time) x closed opportunities a rep x win rate x
    bookings a win. Each team's change is split by the Shapley value (`analysis.shapley`); the
    whole's drivers are the sums over its teams, so that a change of the teams' weights is never
    read as one of win rate or size: it is shown as `mix`, the part of capacity that comes of
    where the reps are. A running quarter is not split: its last weeks are not in it.

    Parameters
    ----------
    measures
        From `compute_measures` or `load_measures`.
    period
        Fiscal quarter, 2026Q3.
    versus
        Quarter to compare with; default the one before, `year` the same quarter a year before.
    team
        Id or name; None is the whole company.
    n_draws, random_state
        Draws behind the intervals, and their seed.

    Returns
    -------
    BookingDrivers
        Empty, with the reason in `gap`, where a quarter is not whole or bookings and wins were
        not measured.

    Raises
    ------
    ParameterError
        A quarter or the team is unknown, or both quarters are the same.
    """
    measures.check_period(period)
    versus = _find_versus(measures, period, versus)
    team_id = measures.find_team(team) if team is not None else None
    unit = measures.unit_name(team_id)
    gap = _find_gap(measures, period, versus)
    if gap:
        empty = pd.DataFrame(columns=_PIECES)
        return BookingDrivers(
            period, versus, unit, np.nan, np.nan, empty, empty, measures.company.currency, gap
        )
    chains = _read_chains(measures, (versus, period), team_id)
    pieces, teams = _split(chains, n_draws, np.random.default_rng(random_state))
    names = {unit_id: measures.team_name(unit_id) for unit_id in chains.units}
    before, after = chains.levels[:, :, -1].sum(axis=0)
    return BookingDrivers(
        period=period,
        versus=versus,
        unit=unit,
        before=float(before),
        after=float(after),
        pieces=pieces.assign(unit_id=team_id or "company", unit=unit)[_PIECES],
        teams=teams.assign(unit=teams["unit_id"].map(names))[_PIECES],
        currency=measures.company.currency,
    )


@dataclass(frozen=True)
class _Chains:
    """Reps, closed, won and bookings of units in two periods, and how amounts scatter.

    `levels` is (units, 2 periods, 4); `scatter` the squared coefficient of variation of amounts.
    """

    units: tuple[str, ...]
    levels: np.ndarray
    scatter: float


def _find_versus(measures: Measures, period: str, versus: str | None) -> str:
    back = {None: -1, YEAR: -4}
    found = measures.calendar.shift(period, back[versus]) if versus in back else versus
    assert found is not None
    measures.calendar.first_day(found)
    if found == period:
        raise ParameterError(f"versus: {period} cannot be compared with itself. Name another.")
    return found


def _find_gap(measures: Measures, period: str, versus: str) -> str:
    """Say why two quarters cannot be compared; nothing when they can."""
    for name in ("bookings", "win_rate"):
        if name in measures.missing:
            return tr("drivers of bookings need {needs}.", needs=measures.missing[name])
        if name not in {kpi.kpi for kpi in measures.kpis}:
            return tr("drivers of bookings need {kpi}, which was not measured.", kpi=name)
    for quarter in (period, versus):
        if quarter not in measures.periods:
            return tr("there are no data of {period} to compare with.", period=quarter)
        if measures.calendar.last_day(quarter) > measures.as_of:
            return tr(
                "{period} was still running on {day}; drivers are split once its last weeks are "
                "in.",
                period=quarter, day=write_day(measures.as_of),
            )  # fmt: skip
        if not measures.is_whole(quarter):
            return tr(
                "the data hold only a part of {period}, so it is not compared.", period=quarter
            )
    return ""


def _read_chains(measures: Measures, periods: tuple[str, str], team: str | None) -> _Chains:
    rows = measures.roll_up(by="team", periods=periods, team=team)
    rows = rows.set_index(["kpi", "unit_id", "period"])
    units = tuple(sorted(set(rows.index.get_level_values("unit_id"))))
    index = pd.MultiIndex.from_product([units, periods], names=["unit_id", "period"])
    bookings, win_rate = (
        rows[rows.index.get_level_values("kpi") == kpi].droplevel("kpi").reindex(index).fillna(0.0)
        for kpi in ("bookings", "win_rate")
    )
    chain = [bookings["denominator"], win_rate["denominator"], win_rate["numerator"]]
    sums = np.stack([part.to_numpy(dtype=float) for part in [*chain, bookings["numerator"]]])
    levels = sums.T.reshape(len(units), 2, 4)
    levels[..., 0][levels[..., 0] < _LEAST_REPS] = 0.0
    is_used = np.asarray(levels.any(axis=(1, 2)))
    used = tuple(unit for unit, has in zip(units, is_used, strict=True) if has)
    return _Chains(used, levels[is_used], _find_scatter(bookings))


def _find_scatter(bookings: pd.DataFrame) -> float:
    """Pool the squared coefficient of variation of amounts within teams and quarters."""
    rows = bookings[(bookings["n"] > 1) & (bookings["total"] > 0)]
    mean = rows["total"] / rows["n"]
    freedom = float((rows["n"] - 1).sum())
    if freedom <= 0:
        return 1.0
    squares = float((rows["total_of_squares"] / mean**2 - rows["n"]).sum())
    return max(squares / freedom, 1e-6)


def _split(
    chains: _Chains, n_draws: int, generator: np.random.Generator
) -> tuple[pd.DataFrame, pd.DataFrame]:
    factors = find_factors(chains.levels)
    drawn = _draw_factors(chains, factors, n_draws, generator)
    effects, spread = split_change(factors), split_change(drawn)
    reps = chains.levels[:, :, 0]
    drivers = list(_FACTORS)
    whole, spread_whole = effects.sum(axis=0), spread.sum(axis=1)
    if len(chains.units) > 1:
        known = np.where(factors[:, :, 0] == reps, reps, 0.0)
        parts = [split_mix(known, weigh_factors(made)[..., 0]) for made in (factors, drawn)]
        (size, mix), (size_drawn, mix_drawn) = parts
        drivers.insert(1, "mix")
        whole = np.concatenate([[size.sum(), mix.sum()], whole[1:]])
        two = np.stack([size_drawn.sum(axis=1), mix_drawn.sum(axis=1)], axis=1)
        spread_whole = np.concatenate([two, spread_whole[:, 1:]], axis=1)
    pieces = _judge(pd.DataFrame({"driver": drivers}), whole, spread_whole)
    total = find_factors(chains.levels.sum(axis=0))
    place = [_FACTORS.index(driver) if driver in _FACTORS else -1 for driver in drivers]
    pieces["before"] = [np.nan if at < 0 else total[0, at] for at in place]
    pieces["after"] = [np.nan if at < 0 else total[1, at] for at in place]
    units = np.repeat(np.array(chains.units, dtype=object), len(_FACTORS))
    named = pd.DataFrame({"unit_id": units, "driver": list(_FACTORS) * len(chains.units)})
    teams = _judge(named, effects.ravel(), spread.reshape(n_draws, -1))
    return pieces, teams.assign(before=factors[:, 0].ravel(), after=factors[:, 1].ravel())


def _draw_factors(
    chains: _Chains, factors: np.ndarray, n_draws: int, generator: np.random.Generator
) -> np.ndarray:
    """Draw the factors as they may truly be: (draws, units, 2 periods, 4).

    Closed opportunities are a Poisson count and wins one of trials, with Jeffreys' priors, so
    that a team without a win is not sure to win nothing; a mean amount scatters as amounts do.
    """
    reps, closed, won, booked = np.moveaxis(chains.levels, -1, 0)
    size = (n_draws, *reps.shape)
    drawn = np.broadcast_to(factors, (n_draws, *factors.shape)).copy()
    exposure = factors[..., 0]
    volume = generator.gamma(closed + 0.5, 1.0, size)
    drawn[..., 1] = np.divide(volume, exposure, out=np.full(size, np.nan), where=exposure > 0)
    rate = generator.beta(won + 0.5, np.maximum(closed - won, 0.0) + 0.5, size)
    drawn[..., 2] = np.where(closed > 0, rate, np.nan)
    weight = np.maximum(won, 1.0) / chains.scatter
    noise = generator.gamma(weight, 1.0, size) / weight
    mean = np.divide(booked, won, out=np.full(won.shape, np.nan), where=won > 0)
    drawn[..., 3] = mean * noise
    return carry_over(drawn)


def _judge(named: pd.DataFrame, effect: np.ndarray, drawn: np.ndarray) -> pd.DataFrame:
    """Add interval and test to the effects; reps are counted, so they are tested by themselves."""
    error = drawn.std(axis=0, ddof=1)
    z = np.divide(np.abs(effect), error, out=np.where(effect == 0, 0.0, np.inf), where=error > 0)
    p_value = 2 * norm.sf(z)
    adjusted = p_value.copy()
    is_tested = (named["driver"] != COUNTED).to_numpy()
    if is_tested.any():
        adjusted[is_tested] = false_discovery_control(p_value[is_tested])
    return named.assign(
        effect=effect,
        low=effect - _REACH * error,
        high=effect + _REACH * error,
        p_value=p_value,
        p_adjusted=adjusted,
        is_beyond_chance=adjusted < FALSE_CLAIMS,
    )
