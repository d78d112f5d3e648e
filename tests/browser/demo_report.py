"""A report made of every block, with names somebody could have typed into a CRM to do harm."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from nbformat.v4 import (
    new_code_cell,
    new_markdown_cell,
    new_notebook,
    new_output,
)

from salesnb.views import theme
from salesnb.views.blocks import (
    Cell,
    Definition,
    Definitions,
    Figure,
    Headline,
    Headlines,
    Matrix,
    Note,
    Remark,
    Remarks,
    Table,
    Tile,
    Tiles,
)

HOSTILE_NAMES = (
    "<script>document.title='ran'</script>",
    '"><img src=x onerror="document.title=\'ran\'">',
    "javascript:document.title='ran'",
    "</style></svg></title><svg onload=document.title='ran'>",
    "محمد عبد الرحمن بن سلمان",
    "Wolfeschlegelsteinhausenbergerdorff-Featherstonehaugh-Cholmon",
    "$\\frac{1}{0}$ {{7*7}} url(#p1)",
)
REPS = (
    "Ana Souza",
    "Bruno Dias",
    "Carla Nunes",
    "Diego Prado",
    "Elena Petrova",
    "Inês Moreau",
    "Liam O'Connor",
    *HOSTILE_NAMES,
)
MEASURES = ("Win rate", "Deal size", "Cycle, days", "Meetings per deal", "Forecast error")


def draw_caterpillar(width):
    """Draw win rates with intervals, ranked."""
    rates = np.linspace(0.20, 0.33, len(REPS))
    with theme.use_theme():
        _, axes = plt.subplots(figsize=(width, 4.4))
        rows = np.arange(len(REPS))
        colours = [theme.WORSE, *[theme.UNCLEAR] * (len(REPS) - 2), theme.BETTER]
        axes.hlines(rows, rates - 0.05, rates + 0.05, colors=colours, linewidth=2.5)
        axes.scatter(rates, rows, color=colours, s=42, edgecolor=theme.LIGHT["paper"], zorder=3)
        axes.axvline(0.26, color=theme.LIGHT["ink2"], linestyle="--", linewidth=1)
        axes.set_yticks(rows, [name if len(name) < 25 else f"{name[:24]}…" for name in REPS])
        axes.xaxis.set_major_formatter("{x:.0%}")
        axes.grid(axis="y", visible=False)
        axes.spines["left"].set_visible(False)
    return axes


def draw_funnel():
    """Draw rates against counts, inside control limits."""
    deals = np.arange(15, 160)
    half = 2 * np.sqrt(0.26 * 0.74 / deals)
    with theme.use_theme():
        _, axes = plt.subplots(figsize=(theme.WIDE, 3.6))
        axes.fill_between(deals, 0.26 - half, 0.26 + half, color=theme.LIGHT["band"], linewidth=0)
        axes.axhline(0.26, color=theme.LIGHT["ink2"], linestyle="--", linewidth=1)
        axes.scatter([39, 38, 85, 97, 140], [0.2, 0.31, 0.38, 0.24, 0.2], color=theme.UNCLEAR)
        axes.set_xlabel("Closed deals this quarter")
        axes.yaxis.set_major_formatter("{x:.0%}")
    return axes


def make_figures():
    """Make two figures, one with a phone variant."""
    numbers = pd.DataFrame({"Rep": REPS, "Deals": range(20, 20 + len(REPS)), "Win rate": 26.5})
    caterpillar = Figure.from_axes(
        draw_caterpillar(theme.WIDE),
        narrow=draw_caterpillar(theme.NARROW),
        title="1 of 14 reps is clearly above the team win rate, 1 clearly below",
        caption="Win rate adjusted for small samples, 90% interval, 2026 Q3, n = 1,303 deals. "
        "Grey: cannot be told apart from the team.",
        alt="Ranked dot plot of win rate for 14 reps, from 20 to 33 percent; 12 of the 14 "
        'intervals overlap the team rate of 26 percent. "<b>quoted</b>"',
        how_to_read="Each dot is the best estimate of a rep's win rate; the line holds the true "
        "rate nine times in ten. A line that crosses the dashed team line is about average.",
        numbers=numbers,
        anchor="fig-win-rate",
    )
    funnel = Figure.from_axes(
        draw_funnel(),
        title="Differences in win rate are mostly what chance would produce",
        caption="Each mark is one rep. Inside the funnel the gap is no bigger than luck allows.",
        alt="Funnel plot of win rate against closed deals for five reps; one lies outside.",
        how_to_read="Reps with few deals swing widely by chance, so the funnel is wide there.",
        numbers=numbers.head(5),
        anchor="fig-funnel",
    )
    return caterpillar, funnel


def make_matrix():
    """Make a matrix of 14 reps by five measures, every tint in it."""
    values = ("22%", "€11.4k", "61", "6.6", "11%")
    tints = (-2, -3, 0, 0, 2, 3, 0, 0, -2, 2, 0, 0, 0, 3)

    def cells(row):
        return [
            Cell(
                value,
                note=f"{1 + (row + column) % 9}–{3 + (row + column) % 9}",
                tint=tints[(row * 3 + column) % 14],
                sparkline=tuple(np.sin(np.arange(8) * (row + column + 1)).round(3)),
                sort_value=float((row * 7 + column * 3) % 11),
            )
            for column, value in enumerate(values)
        ]

    return Matrix(
        title="Where each rep stands on five measures",
        caption="Large: this quarter. Small: rank range, 90%. Line: last eight quarters.",
        columns=MEASURES,
        rows=[(name, cells(row)) for row, name in enumerate(REPS)],
        anchor="mx-reps",
        reference=("Team North", [Cell(value, note="14 reps") for value in values]),
    )


def make_findings():
    """Make headlines and tiles."""
    headlines = Headlines(
        (
            Headline(
                "Deals stall at proposal: 49% move on, down from 61%.",
                "The drop is in mid-market and began in August, after the price change.",
                "strong",
                "fig-funnel",
            ),
            Headline(
                f"{REPS[7]} stands out.", f"Also {REPS[8]} and {REPS[12]}.", "moderate", "mx-reps"
            ),
            Headline(
                "Whether the workshop helped cannot be said yet.",
                "Nine people were trained; twenty are needed to see four points.",
                "not enough evidence",
                "fig-that-was-left-out",
            ),
        )
    )
    tiles = Tiles(
        (
            Tile("Win rate", "27%", "−3 pts vs Q2", "down", "likely 25–29%"),
            Tile("Revenue won", "€4.1m", "+6% vs Q2", "up", "target €4.0m"),
            Tile("Median cycle", "58 days", "about the same", "flat", "likely 54–62"),
            Tile("Forecast error", "18%", "4 pts better", "up", "within ±20%"),
        )
    )
    return headlines, tiles


def make_table():
    """Make a plain table of actions."""
    frame = pd.DataFrame(
        {
            "Rep": REPS,
            "Action": "Two role plays on objections",
            "Due": pd.Timestamp("2026-11-15"),
            "Hours": np.arange(len(REPS)) * 500.5,
            "Win rate": [f"{20 + row}%" for row in range(len(REPS))],
        }
    )
    return Table.from_frame(
        frame, title="Next actions", caption="Agreed with each rep.", key=("Hours: planned.",)
    )


def make_notebook():
    """Make an executed notebook of all of it."""
    headlines, tiles = make_findings()
    caterpillar, funnel = make_figures()
    definitions = Definitions(
        (Definition("Win rate", "Won / (won + lost), by close date.", "Open deals do not count."),)
    )
    remarks = Remarks(
        "2 things to know before you trust the KPIs",
        "These rows were accepted.",
        (
            (
                "opportunities",
                (Remark(f"3 of {REPS[7]} are late.", "So.", ("Bookings",), "Close."),),
            ),
            ("leads", (Remark("The last lead is 64 days old."), Remark("2 have no owner."))),
        ),
    )
    sections = [
        ("# How does my team stand, what is real, what do we do next?", []),
        ("## What you need to know", [headlines, tiles]),
        (
            "## Who stands where\n\nColour shows only differences that the data can support; a "
            "plain cell means *about the team level*.",
            [make_matrix()],
        ),
        ("## Are the differences real?", [caterpillar, funnel]),
        ("## Actions\n\nWhat was agreed.", [make_table(), pd.DataFrame({"n": [1], REPS[7]: [2]})]),
        ("## What to know about the data", [remarks]),
        (
            f"## Definitions and limits\n\nName in markdown: {REPS[7]} {REPS[8]} "
            f"[click]({REPS[9]})",
            [definitions, Note(f"Ratings of {REPS[8]} are missing.", kind="missing")],
        ),
    ]
    cells = []
    for source, shown in sections:
        cells.append(new_markdown_cell(source))
        cells.extend(_run_cell(block) for block in shown)
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    return new_notebook(cells=cells, metadata={"salesnb": make_info()})


def make_info():
    """Make the notebook metadata the exporter reads."""
    return {
        "title": "Team North",
        "company": "Sample & Co.",
        "quarter": "2026 Q3",
        "team": "North",
        "as_of": "2026-10-05",
        "meta": "14 reps, 1,303 closed deals",
        "notice": "For the conversation between a manager and a rep; not a verdict on a person.",
        "left_out": [{"section": "Lead response", "needs": "the leads table"}],
        "provenance": [["Snapshot", "3f9c 1a20"], ["Rows", "1,303"], ["Owner", REPS[7]]],
        "links": [["All reports", "index.html"], ["Harm", "javascript:document.title='ran'"]],
    }


def _run_cell(block):
    """Make the code cell that displayed a block."""
    if hasattr(block, "render_html"):
        data = block._repr_mimebundle_()
    else:
        data = {"text/html": block.to_html(escape=False), "text/plain": str(block)}
    output = new_output("execute_result", data=data, execution_count=1)
    chatter = new_output("stream", name="stderr", text="UserWarning: a warning nobody should see")
    return new_code_cell("secret_code()", outputs=[chatter, output], execution_count=1)


mpl.use("agg")
