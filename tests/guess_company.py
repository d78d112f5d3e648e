"""A made company whose records are written under the headers of many CRMs, with the answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

FIRST = (
    "Ana",
    "Ben",
    "Carla",
    "Deniz",
    "Emil",
    "Fatou",
    "Gina",
    "Hugo",
    "Ines",
    "Jonas",
    "Kira",
    "Liam",
    "Mona",
    "Nils",
    "Olga",
    "Pavel",
)
LAST = (
    "Abel",
    "Brandt",
    "Costa",
    "Dahl",
    "Egger",
    "Faber",
    "Gomez",
    "Haas",
    "Ivanov",
    "Jansen",
    "Keller",
    "Lopez",
    "Moreau",
)
FIRMS = (
    "Nord",
    "Sud",
    "Alpha",
    "Beta",
    "Gamma",
    "Delta",
    "Omega",
    "Blue",
    "Red",
    "Green",
    "Silver",
    "Golden",
    "Bright",
    "Swift",
)
KINDS = (
    "Logistics",
    "Foods",
    "Energy",
    "Software",
    "Media",
    "Pharma",
    "Tools",
    "Motors",
    "Textiles",
    "Paper",
)
STAGES = ("Prospecting", "Qualification", "Proposal", "Negotiation", "Closed Won", "Closed Lost")


def made_company(*, n=240, seed=1, stages=STAGES):
    """Return records by name: each a frame of plain columns (dates as timestamps)."""
    rng = np.random.default_rng(seed)
    people = pd.DataFrame({"first": rng.permutation(FIRST)[:12], "last": rng.choice(LAST, 12)})
    people["name"] = people["first"] + " " + people["last"]
    people["id"] = [f"005Ab{n:04d}XyQ{n % 7}" for n in range(12)]
    people["number"] = [str(41_000 + 137 * n) for n in range(12)]
    people["email"] = people["first"].str.lower() + "@acme.test"
    people["role"] = rng.choice(["Account Executive", "SDR"], 12)
    people["hired"] = pd.Timestamp("2021-01-04") + pd.to_timedelta(rng.integers(0, 900, 12), "D")
    people["team"] = rng.choice(["North", "South", "West"], 12)
    people["team_id"] = people["team"].map({"North": "00T01", "South": "00T02", "West": "00T03"})
    people["manager"] = people["team"].map(
        {"North": "Rosa Wolf", "South": "Tim Ott", "West": "Uli Zorn"}
    )
    people["flag"] = "true"
    firms = pd.DataFrame({"name": [f"{a} {b}" for a in FIRMS for b in KINDS][:60]})
    firms["id"] = [f"001Zz{n:05d}AAQ" for n in range(60)]
    firms["number"] = [str(900_100 + 31 * n) for n in range(60)]
    firms["industry"] = rng.choice(["Retail", "Health", "Finance", "Energy"], 60)
    firms["country"] = rng.choice(["Germany", "France", "Spain", "Austria"], 60)
    firms["revenue"] = rng.integers(1, 900, 60) * 100_000
    firms["phone"] = [f"+49 30 {n:06d}" for n in rng.integers(1, 999_999, 60)]
    firms["city"] = rng.choice(["Berlin", "Paris", "Madrid"], 60)
    return {
        "people": people, "firms": firms,
        "deals": _deals(rng, people, firms, n, stages), "teams": _teams(people),
    } | _other(rng, people, n)  # fmt: skip


def _deals(rng, people, firms, n, stages):
    owner, firm = rng.integers(0, 12, n), rng.integers(0, 60, n)
    created = pd.Timestamp("2025-01-02 09:12:44") + pd.to_timedelta(rng.integers(0, 500, n), "D")
    stage = rng.choice(stages, n, p=[0.1, 0.1, 0.1, 0.1, 0.3, 0.3])
    won, closed = stage == stages[4], np.isin(stage, stages[4:])
    close = created + pd.to_timedelta(rng.integers(5, 150, n), "D")
    deals = pd.DataFrame({"created": created, "stage": stage, "close": close})
    deals["id"] = [f"006Kk{k:06d}BBA" for k in rng.permutation(n)]
    deals["number"] = (7_000_001 + rng.permutation(n) * 3).astype(str)
    deals["firm"] = firms["name"].to_numpy()[firm]
    deals["title"] = deals["firm"] + " - " + rng.choice(["Renewal", "Pilot", "Rollout"], n)
    for column in ("id", "number", "name", "email", "team"):
        deals[f"owner_{column}"] = people[column].to_numpy()[owner]
    deals["firm_id"] = firms["id"].to_numpy()[firm]
    deals["firm_number"] = firms["number"].to_numpy()[firm]
    deals["closed_only"] = deals["close"].where(closed)
    deals["expected"] = deals["close"] + pd.to_timedelta(rng.integers(-9, 9, n), "D")
    deals["won"], deals["closed"] = won, closed
    deals["won_at"] = deals["close"].where(won)
    deals["lost_at"] = deals["close"].where(closed & ~won)
    deals["status"] = np.where(won, "won", np.where(closed, "lost", "open"))
    deals["modified"] = deals["close"] + pd.to_timedelta(rng.integers(0, 30, n), "D")
    deals["amount"] = np.round(rng.lognormal(9, 1, n), 2)
    deals["weighted"] = np.round(deals["amount"] * rng.choice([0.1, 0.5, 0.9], n), 2)
    deals["probability"] = np.where(won, 100, np.where(closed, 0, rng.choice([10, 25, 60], n)))
    deals["source"] = rng.choice(["Web", "Referral", "Trade show", "Cold call"], n)
    deals["type"] = rng.choice(["New Business", "Renewal"], n)
    deals["currency"] = rng.choice(["EUR", "EUR", "USD"], n)
    deals["product"] = rng.choice(["Basic", "Plus", "Pro"], n)
    reason = pd.Series(rng.choice(["Price", "Timing", "No decision"], n))
    deals["reason"] = reason.where(closed & ~won)
    deals["next_step"] = pd.Series(rng.choice(["Call back", "Send offer"], n)).where(~closed)
    deals["deleted"] = "false"
    return deals


def _teams(people):
    teams = people[["team", "team_id"]].drop_duplicates().sort_values("team_id")
    return teams.rename(columns={"team": "name", "team_id": "id"}).reset_index(drop=True)


def _other(rng, people, n):
    owner = rng.integers(0, 12, n)
    start = pd.Timestamp("2025-02-03 10:30:00") + pd.to_timedelta(
        rng.integers(0, 700_000, n), "min"
    )
    calls = pd.DataFrame({"start": start, "kind": rng.choice(["Call", "Meeting", "Email"], n)})
    calls["id"] = [f"00T9c{k:06d}CCA" for k in range(n)]
    calls["number"] = (55_000_001 + 7 * np.arange(n)).astype(str)
    calls["logged"] = start + pd.to_timedelta(rng.integers(0, 300, n), "min")
    calls["seconds"], calls["minutes"] = rng.integers(20, 2000, n), rng.choice([15, 30, 60], n)
    calls["end"] = start + pd.to_timedelta(calls["minutes"], "min")
    calls["subject"] = rng.choice(["Intro", "Follow up", "Check in"], n)
    calls["status"] = "Completed"
    calls["deal_id"] = [f"006Kk{k:06d}BBA" for k in rng.integers(0, n, n)]
    calls["deal_number"] = (7_000_001 + rng.integers(0, n, n) * 3).astype(str)
    leads = pd.DataFrame({"created": start - pd.to_timedelta(30, "D")})
    leads["id"] = [f"00Q7d{k:06d}DDA" for k in range(n)]
    leads["number"] = (33_000_001 + 11 * np.arange(n)).astype(str)
    leads["name"] = rng.choice(FIRST, n) + pd.Series([" "] * n) + rng.choice(LAST, n)
    leads["company"] = rng.choice(FIRMS, n)
    leads["email"] = [f"lead{k}@example.test" for k in range(n)]
    leads["status"] = rng.choice(["New", "Working", "Qualified", "Unqualified"], n)
    leads["source"] = rng.choice(["Web", "Referral", "Trade show"], n)
    leads["converted"] = (leads["created"] + pd.to_timedelta(9, "D")).where(rng.random(n) < 0.3)
    for frame in (calls, leads):
        for column in ("id", "number", "name"):
            frame[f"owner_{column}"] = people[column].to_numpy()[owner]
    return {"calls": calls, "leads": leads}


@dataclass(frozen=True)
class Family:
    """How a CRM writes the company's records, and what they are.

    Attributes
    ----------
    sources
        Per source: the records it holds and, per header, their column.
    truth
        Per table of the model: source, and per column the header or headers that are right.
    also
        Columns that may be placed or not.
    free
        Tables that are not judged.
    """

    sources: dict[str, tuple[str, dict[str, str]]]
    truth: dict[str, tuple[str, dict[str, str | tuple[str, ...]]]]
    date: str = "%Y-%m-%d %H:%M:%S"
    flags: tuple[str, str] = ("true", "false")
    decimal: str = "."
    money: str = ""
    stages: tuple[str, ...] = STAGES
    is_clean: bool = True
    also: dict[str, tuple[str, ...]] = field(default_factory=dict)
    free: tuple[str, ...] = ()

    def previews(self, *, n=240, seed=1):
        """Write the company's records as this family's exports do, as text."""
        records = made_company(n=n, seed=seed, stages=self.stages)
        return {
            name: pd.DataFrame({h: self._text(records[kind][c]) for h, c in headers.items()})
            for name, (kind, headers) in self.sources.items()
        }

    def _text(self, values):
        if pd.api.types.is_datetime64_any_dtype(values):
            return values.dt.strftime(self.date).where(values.notna()).astype("str")
        if pd.api.types.is_bool_dtype(values):
            return values.map(dict(zip((True, False), self.flags, strict=True))).astype("str")
        if pd.api.types.is_float_dtype(values):
            text = values.map("{:,.2f}".format if self.money else "{:.2f}".format)
            swap = str.maketrans(",.", ".,") if self.decimal == "," else {}
            return (self.money + text.str.translate(swap)).astype("str")
        return values.astype("str").where(values.notna())


def read_families(name):
    """Read the families of a YAML file beside this one."""
    text = (Path(__file__).parent / f"{name}.yaml").read_text(encoding="utf-8")
    return {family: _family(content) for family, content in yaml.safe_load(text).items()}


def _family(content):
    sources = {n: (s["records"], s["columns"]) for n, s in content.pop("sources").items()}
    truth = {t: (b["from"], b["columns"]) for t, b in content.pop("truth").items()}
    return Family(sources, truth, **content)
