"""The sample company with a team of forty whose names somebody typed to do harm, or just has."""

import pandas as pd

from salesnb.sources.load import import_snapshot
from salesnb.sources.sample import sample_company

RAN = "document.title='ran'"
NAMES = (
    f"<script>{RAN}</script>",
    f'"><img src=x onerror="{RAN}">',
    f"javascript:{RAN}",
    f"</style></svg></title><svg onload={RAN}>",
    "$\\frac{1}{0}$ {{7*7}} url(#p1)",
    "'};*{display:none} \\27 --h1:'x'",
    "=HYPERLINK('https://example.org')",
    "محمد عبد الرحمن بن سلمان الأنصاري",
    "אברהם בן־דוד (מנהל)",
    "Wolfeschlegelsteinhausenbergerdorff-Featherstonehaugh-Cholmondeley",
    "Ana María de los Ángeles Fernández-Quiñónez y Villaseñor de la Cerda",
    "Nguyễn Thị Ngọc Ánh Đặng",
    "Þórhallur Guðmundsson Ólafsson",
    "李小明 Zoë 😀 Ω",
    "A" * 70,
    "Line\tbreak\u202egnirts",
)
"""Hostile, right-to-left, long, accented, of other scripts; each is taken more than once."""

PEOPLE = 44


def crowded_snapshot(folder):
    """Import the sample company as one team, everybody with such a name."""
    export = sample_company(folder / "raw", reps=PEOPLE)
    reps = pd.read_csv(export / "reps.csv", keep_default_na=False)
    reps["name"] = [
        f"{NAMES[place % len(NAMES)]} {place}" if place % 3 else f"{place} {NAMES[place % 16]}"
        for place in range(len(reps))
    ]
    reps.to_csv(export / "reps.csv", index=False)
    memberships = pd.read_csv(export / "memberships.csv", keep_default_na=False)
    memberships["team_id"] = memberships["team_id"].value_counts().index[0]
    memberships.to_csv(export / "memberships.csv", index=False)
    return import_snapshot(export, to=folder / "snapshot")
