"""What a change of bookings is made of: a bar a driver, and the same team by team."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from salesnb.analysis.drivers import (
    COUNTED,
    DRIVERS_ANCHOR,
    BookingDrivers,
    name_driver,
    signed_money,
)
from salesnb.analysis.wording import MISSING, format_money
from salesnb.language import format_number, format_share, mark, tr
from salesnb.views.blocks import Block, Cell, Figure, Matrix, Note
from salesnb.views.figures.parts import format_axis
from salesnb.views.theme import BETTER, LIGHT, NARROW, UNCLEAR, WIDE, WORSE, use_theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_KEY = (
    (2, mark("raised bookings, beyond chance")), (0, mark("within chance")),
    (-2, mark("lowered bookings, beyond chance")),
)  # fmt: skip
_Row = dict[Hashable, Any]


def driver_chart(result: BookingDrivers) -> Block:
    """Draw each driver's part of the change as a bar from zero, coloured only beyond chance."""
    if result.gap:
        return Note(result.finding, "missing")
    money = {"before": format_money(result.before, result.currency),
             "after": format_money(result.after, result.currency)}  # fmt: skip
    change = signed_money(result.change, result.currency)
    parts = ", ".join(
        f"{name_driver(row['driver'])} {signed_money(row['effect'], result.currency)}"
        for row in result.pieces.to_dict("records")
    )
    with use_theme():
        return Figure.from_axes(
            plot_drivers(result, width=WIDE),
            narrow=plot_drivers(result, width=NARROW),
            title=result.finding,
            caption=tr(
                "Bookings of {before} in {first} became {after} in {last}; bars add up to the "
                "change of {change}. Lines: 90% interval; small: the factor before and after. "
                "{caveat}",
                **money, first=result.versus, last=result.period, change=change,
                caveat=result.caveat,
            ),
            alt=tr(
                "Bars from zero that add up to a change of bookings of {change}: {parts}.",
                change=change, parts=parts,
            ),
            how_to_read=tr(
                "Each bar is what bookings gained or lost because this factor moved while the "
                "others stood at their mean. Blue raised and orange lowered bookings beyond "
                "chance; grey could be chance, however long the bar. Mix of teams is what came "
                "of where the reps are, not of how many there are."
            ),
            numbers=_numbers(result.pieces, result.currency),
            anchor=DRIVERS_ANCHOR,
        )  # fmt: skip


def plot_drivers(result: BookingDrivers, *, width: float) -> Axes:
    """Draw bars from top to bottom in the order of the chain; the last is their sum."""
    import matplotlib.pyplot as plt

    pieces = result.pieces
    _, axes = plt.subplots(figsize=(width, 1.1 + 0.5 * len(pieces)))
    places = np.arange(len(pieces), 0, -1)
    axes.barh(places, pieces["effect"], color=[_colour(row) for row in _rows(pieces)], height=0.56)
    axes.hlines(places, pieces["low"], pieces["high"], color=LIGHT["ink"], linewidth=1.4)
    axes.barh([0], [result.change], color=LIGHT["ink2"], height=0.56)
    axes.axvline(0, color=LIGHT["ink2"], linewidth=1)
    labels = [_label(row, result.currency) for row in _rows(pieces)]
    change = tr("Change {amount}", amount=signed_money(result.change, result.currency))
    axes.set_yticks([*places, 0], [*labels, change])
    axes.set_ylim(-0.6, len(pieces) + 0.6)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel(tr("Bookings gained or lost"))
    format_axis(
        axes.xaxis,
        lambda value: signed_money(value, result.currency),
        most=6 if width > NARROW else 3,
    )
    return axes


def driver_table(result: BookingDrivers) -> Block:
    """Show teams by drivers; a cell is tinted only where its part is beyond chance."""
    if result.gap or result.teams.empty:
        return Note(result.finding, "missing")
    drivers = list(dict.fromkeys(result.teams["driver"]))
    rows = [
        (str(team["unit"].iloc[0]), _team_cells(team, result.currency))
        for _, team in result.teams.groupby("unit_id", sort=False)
    ]
    return Matrix(
        title=_table_title(result),
        caption=tr(
            "{first} to {last}. Large: money gained or lost by a driver, which add up to the "
            "change; small: the factor before and after. A team's reps hold its part of the mix "
            "of teams. {caveat}",
            first=result.versus, last=result.period, caveat=result.caveat,
        ),
        columns=[*map(name_driver, drivers), tr("Change")],
        rows=rows,
        key=_KEY,
        anchor=f"{DRIVERS_ANCHOR}-teams",
        corner=tr("Team"),
        numbers=_numbers(result.teams, result.currency),
    )  # fmt: skip


def _table_title(result: BookingDrivers) -> str:
    """Count the teams of which more than the reps, who are counted, moved beyond chance."""
    teams = result.teams["unit_id"].nunique()
    if teams == 1:
        return result.finding
    is_real = result.teams["is_beyond_chance"].astype(bool) & (result.teams["driver"] != COUNTED)
    moved = result.teams.loc[is_real, "unit_id"].nunique()
    if not moved:
        return tr(
            "{unit}: in none of {n} teams more than the number of reps moved beyond chance",
            unit=result.unit, n=teams,
        )  # fmt: skip
    return tr(
        "{unit}: in {moved} of {n} teams more than the number of reps moved beyond chance",
        unit=result.unit, moved=moved, n=teams,
    )  # fmt: skip


def _team_cells(team: pd.DataFrame, currency: str) -> list[Cell]:
    cells = [_cell(row, currency) for row in _rows(team)]
    change = float(team["effect"].sum())
    return [
        *cells,
        Cell(signed_money(change, currency), words=mark("sum of the drivers"), sort_value=change),
    ]


def _cell(row: _Row, currency: str) -> Cell:
    tint = 0 if not row["is_beyond_chance"] else 2 if row["effect"] > 0 else -2
    return Cell(
        value=signed_money(row["effect"], currency),
        note=_write_move(row, currency),
        tint=tint,
        words=dict(_KEY)[tint],
        sort_value=float(row["effect"]),
    )


def _colour(row: _Row) -> str:
    if not row["is_beyond_chance"]:
        return UNCLEAR
    return BETTER if row["effect"] > 0 else WORSE


def _label(row: _Row, currency: str) -> str:
    head = f"{name_driver(row['driver'])} {signed_money(row['effect'], currency)}"
    move = _write_move(row, currency)
    return f"{head}\n{move}" if move else head


def _write_move(row: _Row, currency: str) -> str:
    """Write a factor before and after; nothing for the mix, which is no single figure."""
    if pd.isna(row["before"]):
        return ""
    driver = str(row["driver"])
    return (
        f"{_write_factor(driver, row['before'], currency)} → "
        f"{_write_factor(driver, row['after'], currency)}"
    )


def _write_factor(driver: str, value: float, currency: str) -> str:
    if pd.isna(value):
        return MISSING
    if driver == "deal_size":
        return format_money(value, currency)
    return format_share(value, 1) if driver == "win_rate" else format_number(value, 1)


def _numbers(pieces: pd.DataFrame, currency: str) -> pd.DataFrame:
    rows = _rows(pieces)

    def money(name: str) -> list[str]:
        return [signed_money(row[name], currency) for row in rows]

    return pd.DataFrame(
        {
            tr("Of"): [row["unit"] for row in rows],
            tr("Driver"): [name_driver(row["driver"]) for row in rows],
            tr("Before"): [_write_factor(row["driver"], row["before"], currency) for row in rows],
            tr("After"): [_write_factor(row["driver"], row["after"], currency) for row in rows],
            tr("Part"): money("effect"),
            tr("90% interval"): [
                tr("{low} to {high}", low=low, high=high)
                for low, high in zip(money("low"), money("high"), strict=True)
            ],
            tr("Beyond chance"): [
                tr("yes") if row["is_beyond_chance"] else tr("no") for row in rows
            ],
        }
    )


def _rows(pieces: pd.DataFrame) -> list[_Row]:
    return pieces.to_dict("records")
