"""Whether the effect of slow answers is found, beside what is usually computed from leads.

Companies are drawn with a planted change of the log odds of qualifying per doubling of the wait.
Better sources are answered faster, some leads are never answered, qualifying takes weeks, and the
data end on a day: the last leads have had no time. Beside the package's figure stand the naive
ones: untouched leads counted as answered in vain, untouched and young leads not told apart, and
no adjustment for the source. All companies are teams of one export, imported and measured once.
Runs in under two minutes:

    python benchmarks/alignment_recovery.py
"""

from __future__ import annotations

import datetime as dt
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from rates_recovery import Report
from scipy.special import expit

from salesnb.analysis.alignment import ResponseEffect, response_effect
from salesnb.analysis.alignment.odds import fit_odds
from salesnb.measures.compute import compute_measures
from salesnb.sources.load import import_snapshot

N_COMPANIES, N_LEADS, N_DAYS = 100, 3000, 365
SLOPES = (-0.25, 0.0)
"""Planted changes of the log odds per doubling of the wait; so many companies each."""

START = np.datetime64("2025-07-01")
AS_OF = dt.date(2026, 6, 30)
QUALITY = {"Fair": -0.8, "Web": 0.0, "Referral": 1.0}
FASTER = {"Fair": 0.0, "Web": 0.8, "Referral": 2.0}
"""Doublings by which a source is answered faster: who looks promising is called first."""

UNTOUCHED, BASE, TYPICAL = 0.12, 0.2, 8.0
"""Share never answered; log odds of a Web lead answered after 2**TYPICAL minutes."""

COMPANY = f"""company: Made
currency: USD
as_of: {AS_OF}
maturity_days: 60
sla_minutes: 60
opens_at: 0
closes_at: 24
"""


def draw_leads(rng: np.random.Generator, slope: float, company: str) -> pd.DataFrame:
    """Draw leads of a company created on working days over a year, as known on the last day."""
    day = START + np.sort(rng.integers(0, N_DAYS, N_LEADS))
    day = np.busday_offset(day, 0, roll="backward")
    created = day.astype("datetime64[s]") + rng.integers(0, 12 * 3600, N_LEADS)
    source = rng.choice(list(QUALITY), N_LEADS)
    log = rng.normal(TYPICAL, 1.7, N_LEADS) - np.array([FASTER[one] for one in source])
    log = np.clip(log, np.log2(5), 13)
    touched = _after_working(created, 2**log)
    touched[rng.random(N_LEADS) < UNTOUCHED] = np.datetime64("NaT")
    odds = BASE + np.array([QUALITY[one] for one in source]) + slope * (log - TYPICAL)
    qualifies = rng.random(N_LEADS) < expit(odds)
    days = np.minimum(rng.exponential(25, N_LEADS), 59)
    qualified = touched + (days * 86400).astype("timedelta64[s]")
    end = np.datetime64(AS_OF) + np.timedelta64(1, "D")
    qualified[~qualifies | (qualified >= end)] = np.datetime64("NaT")
    touched[touched >= end] = np.datetime64("NaT")
    qualified[np.isnat(touched)] = np.datetime64("NaT")
    return pd.DataFrame(
        {
            "lead_id": [f"{company}-{number}" for number in range(N_LEADS)], "rep_id": company,
            "source": source, "created_at": created, "first_touch_at": touched,
            "qualified_at": qualified,
        }
    )  # fmt: skip


def _after_working(created: np.ndarray, minutes: np.ndarray) -> np.ndarray:
    """Let minutes of working days pass; they are open day and night."""
    start = created.astype("datetime64[D]")
    whole = (created - start).astype(float) + minutes * 60
    day = np.busday_offset(start, (whole // 86400).astype(int))
    return day.astype("datetime64[s]") + (whole % 86400).astype("timedelta64[s]")


def write_export(folder: Path, leads: pd.DataFrame) -> Path:
    """Write the leads of all companies, each one's with a rep and a team of its own."""
    folder.mkdir(parents=True)
    (folder / "company.yaml").write_text(COMPANY)
    names = leads[["rep_id"]].drop_duplicates()
    names.assign(name=names["rep_id"]).to_csv(folder / "reps.csv", index=False)
    teams = names.rename(columns={"rep_id": "team_id"})
    teams.assign(name=teams["team_id"]).to_csv(folder / "teams.csv", index=False)
    held = names.assign(team_id=names["rep_id"], valid_from="2020-01-01")
    held.to_csv(folder / "memberships.csv", index=False)
    deal = "opportunity_id,rep_id,created_on,closed_on,is_won,is_closed,amount"
    (folder / "opportunities.csv").write_text(
        f"{deal}\no1,{names.iloc[0, 0]},2025-07-01,2025-07-02,true,true,1\n"
    )
    leads.to_csv(folder / "leads.csv", index=False)
    return folder


def naive_figures(leads: pd.DataFrame) -> dict[str, float]:
    """Compute what is usually computed from a list of leads."""
    now = np.datetime64(AS_OF) + np.timedelta64(1, "D")
    touched = leads["first_touch_at"].to_numpy()
    is_touched = ~np.isnat(touched)
    wait = _working_minutes(leads["created_at"].to_numpy(), np.where(is_touched, touched, now))
    log = np.log2(np.maximum(wait, 5))
    reached = leads["qualified_at"].notna().to_numpy(float)
    sources = pd.get_dummies(leads["source"], dtype=float).to_numpy()

    def slope(kept: np.ndarray, more: np.ndarray) -> float:
        design = np.column_stack([log, more])[kept]
        return fit_odds(reached[kept], np.ones(int(kept.sum())), design).slope(0).value

    one = np.ones((len(leads), 1))
    everybody = np.ones(len(leads), dtype=bool)
    return {
        "untouched as answered in vain": slope(everybody, sources),
        "untouched dropped, young kept": slope(is_touched, sources),
        "not adjusted, young kept": slope(is_touched, one),
    }


def _working_minutes(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    first, last = start.astype("datetime64[D]"), end.astype("datetime64[D]")
    days = np.busday_count(first, last) * 86400.0
    return (days + (end - last).astype(float) - (start - first).astype(float)) / 60


def find_all(leads: pd.DataFrame) -> dict[str, ResponseEffect]:
    """Import and measure all companies together, and ask each one."""
    with tempfile.TemporaryDirectory() as scratch:
        export = write_export(Path(scratch) / "export", leads)
        measures = compute_measures(import_snapshot(export, to=Path(scratch) / "snapshot"))
    last = measures.periods[-1]
    return {
        team: response_effect(measures, period=last, team=team) for team in leads["rep_id"].unique()
    }


def response(report: Report) -> None:
    rng = np.random.default_rng(11)
    names = {slope: [f"s{number}-{n}" for n in range(N_COMPANIES)]
             for number, slope in enumerate(SLOPES)}  # fmt: skip
    drawn = {
        name: draw_leads(rng, slope, name) for slope in SLOPES for name in names[slope]
    }  # fmt: skip
    found = find_all(pd.concat(drawn.values(), ignore_index=True))
    for slope in SLOPES:
        naive = pd.DataFrame([naive_figures(drawn[name]) for name in names[slope]]).mean() - slope
        _add(report, slope, [found[name] for name in names[slope]], naive)


def _add(
    report: Report, slope: float, found: list[ResponseEffect], naive: pd.Series[float]
) -> None:
    slopes = [one.slope for one in found]
    bias = float(np.mean([one.value for one in slopes])) - slope
    covered = float(np.mean([one.low <= slope <= one.high for one in slopes]))
    claims = float(np.mean([one.p_value < 0.05 for one in slopes]))
    about = f"log odds per doubling {slope:+.2f}"
    for name, value in naive.items():
        report.add(f"{about}: bias, {name}", f"{value:+.3f}", bias, "within .01",
                   is_met=abs(bias) <= 0.01)  # fmt: skip
    report.add(f"{about}: 95% interval covers", "-", covered, ">= .90", is_met=covered >= 0.9)
    if slope == 0:
        report.add("claimed where there is nothing", "-", claims, "<= .10", is_met=claims <= 0.1)


def main() -> None:
    report = Report()
    report.run(response)
    report.close()


if __name__ == "__main__":
    main()
