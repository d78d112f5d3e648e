"""Does the process come out as it was planted? Beside what is usually reported.

Companies drawn opportunity by opportunity through four stages with known chances and times, seen
as a CRM shows them: those closed before the first day are missing, those not yet closed are open.
P(win by T), median days in a stage and shares moved on beside won/closed and the median of what
has ended; bottlenecks over companies of equal teams, and over companies with one planted.

Run `python benchmarks/process_recovery.py`: some three to four minutes on one core.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from rates_recovery import Report  # noqa: E402
from small_company import import_tables  # noqa: E402

from salesnb.analysis.process import bottlenecks, stage_flow, win_timing  # noqa: E402
from salesnb.measures.compute import compute_measures  # noqa: E402
from salesnb.measures.flow import Flow  # noqa: E402
from salesnb.measures.measures import Measures  # noqa: E402

STAGES = ("Lead", "Demo", "Offer", "Contract")
TEAMS = ("t1", "t2", "t3", "t4")
FIRST, AS_OF, PERIOD = dt.date(2025, 1, 1), dt.date(2026, 9, 30), "2026Q3"
BEFORE, UNTIL = -300, (AS_OF - FIRST).days + 1
TIMES = (30, 60, 90, 180)
N_COMPANIES, N_EQUAL, N_PLANTED = 50, 200, 60
LARGEST_BIAS, LARGEST_DAYS_BIAS, LEAST_COVERAGE, MOST_FALSE = 0.01, 0.03, 0.92, 0.05
LEAST_FOUND = 0.8


@dataclass(frozen=True)
class World:
    """Chances to move on and typical days, stage by stage; lost ones take `slow` times as long.

    `growth` is the factor by which more opportunities come in at the end than at the beginning,
    `back` the chance that what would move on goes back a stage first.
    """

    moves: tuple[float, ...] = (0.8, 0.75, 0.7, 0.82)
    days: tuple[float, ...] = (10.0, 15.0, 18.0, 9.0)
    slow: float = 1.6
    spread: float = 0.7
    growth: float = 1.0
    back: float = 0.0


WORLDS = {
    "steady": World(),
    "growing fourfold": World(growth=4.0),
    "long cycles": World(days=(20.0, 35.0, 50.0, 25.0), growth=2.0),
    "going back": World(back=0.1),
}


@dataclass(frozen=True)
class Drawn:
    """Opportunities (team, created, ended, is_won) and their stays, in days since FIRST."""

    deals: pd.DataFrame
    stays: pd.DataFrame


def draw(
    rng: np.random.Generator, world: World, n: int, planted: float = 0.0, begin: float = BEFORE
) -> Drawn:
    """Draw opportunities; of team t1 fewer move on from Offer in the last quarter if planted."""
    at = rng.random(n)
    if world.growth > 1:
        at = np.log1p(at * (world.growth - 1)) / np.log(world.growth)
    created = begin + at * (UNTIL - begin)
    team = rng.integers(0, len(TEAMS), n)
    stage, now = np.zeros(n, int), created.copy()
    alive, won, ended = np.arange(n), np.zeros(n, bool), np.full(n, np.inf)
    again, parts = np.zeros((n, len(STAGES)), bool), []
    quarter = (dt.date(2026, 7, 1) - FIRST).days
    while len(alive):
        here, chance = stage[alive], np.array(world.moves)[stage[alive]]
        is_hit = (here == 2) & (team[alive] == 0) & (now[alive] >= quarter - 20)
        odds = np.log(chance / (1 - chance)) - planted * is_hit
        moves = rng.random(len(alive)) < 1 / (1 + np.exp(-odds))
        typical = np.array(world.days)[here] * np.where(moves, 1.0, world.slow)
        left = now[alive] + typical * np.exp(world.spread * rng.normal(size=len(alive)))
        back = moves & (here > 0) & (rng.random(len(alive)) < world.back)
        last = here == len(STAGES) - 1
        end = np.select([~moves, back, last], ["lost", "back", "won"], "advanced")
        parts.append(
            pd.DataFrame({"deal": alive, "stage": here, "entered": now[alive], "left": left,
                          "end": end, "again": again[alive, here]})
        )  # fmt: skip
        again[alive, here] = True
        over = np.isin(end, ["lost", "won"])
        ended[alive[over]], won[alive[over]] = left[over], end[over] == "won"
        now[alive], stage[alive] = left, here + np.where(back, -1, 1)
        alive = alive[~over]
    deals = pd.DataFrame({"team": team, "created": created, "ended": ended, "is_won": won})
    return Drawn(deals, pd.concat(parts, ignore_index=True))


def see(drawn: Drawn) -> Drawn:
    """Leave out what was closed before the first day; the rest of its history is known."""
    kept = drawn.deals["ended"] >= 0
    return Drawn(drawn.deals[kept], drawn.stays[drawn.stays["deal"].isin(drawn.deals.index[kept])])


def count_flow(base: Measures, seen: Drawn) -> Flow:
    """Count what is seen as the measures do: by day, cut at the quarters' ends."""
    calendar = base.calendar
    bounds = [
        ((calendar.first_day(p) - FIRST).days, min((calendar.last_day(p) - FIRST).days, UNTIL - 1))
        for p in base.periods
    ]  # fmt: skip
    stays = seen.stays[seen.stays["entered"] < UNTIL].merge(
        seen.deals[["team"]], left_on="deal", right_index=True
    )
    entered, left = (np.floor(stays[name].to_numpy()) for name in ("entered", "left"))
    team, stage = np.array(TEAMS)[stays["team"]], np.array(STAGES)[stays["stage"]]
    end, again = stays["end"].to_numpy(), stays["again"].to_numpy()
    frames = []
    for period, (first, last) in zip(base.periods, bounds, strict=True):
        there = (entered <= last) & (left >= first)
        fresh = np.where(again & (entered >= first), "reentered", "entered")
        is_over = left <= last
        for event, day in (
            (fresh, np.maximum(entered, first)),
            (np.where(is_over, end, "open"), np.minimum(left, last)),
        ):
            frames.append(
                pd.DataFrame({"team_id": team, "period": period, "stage": stage,
                              "days": (day - entered).astype(int), "event": event})[there]
            )  # fmt: skip
    keys = ["team_id", "period", "stage", "days", "event"]
    counted = pd.concat(frames).groupby(keys).size().rename("n").reset_index()
    fates, practices = _count_fates(base, seen), base.flow.practices.iloc[:0]
    return dataclasses.replace(
        base.flow, fates=fates, stays=counted, steps=_count_steps(base, stays, end, team, stage),
        practices=practices,
    )  # fmt: skip


def _count_fates(base: Measures, seen: Drawn) -> pd.DataFrame:
    deals = seen.deals[(seen.deals["created"] >= 0) & (seen.deals["created"] < UNTIL)]
    created, ended = np.floor(deals["created"]), np.floor(deals["ended"])
    is_open = ended > UNTIL - 1
    day = pd.to_datetime(FIRST) + pd.to_timedelta(created, unit="D")
    frame = pd.DataFrame(
        {"team_id": np.array(TEAMS)[deals["team"]],
         "period": day.dt.year.astype(str) + "Q" + day.dt.quarter.astype(str),
         "days": (np.minimum(ended, UNTIL - 1) - created).astype(int),
         "fate": np.select([is_open, deals["is_won"]], ["open", "won"], "lost")}
    )  # fmt: skip
    return frame.groupby(list(frame)).size().rename("n").reset_index()


def _count_steps(
    base: Measures, stays: pd.DataFrame, end: np.ndarray, team: np.ndarray, stage: np.ndarray
) -> pd.DataFrame:
    moved = np.isin(end, ["advanced", "back"]) & (stays["left"].to_numpy() < UNTIL)
    to = np.clip(stays["stage"].to_numpy() + np.where(end == "back", -1, 1), 0, len(STAGES) - 1)
    frame = pd.DataFrame(
        {"team_id": team, "period": base.periods[-1], "from_stage": stage,
         "to_stage": np.array(STAGES)[to]}
    )[moved]  # fmt: skip
    return frame.groupby(list(frame)).size().rename("n").reset_index()


def base_measures(folder: str) -> Measures:
    """Measure a small company with the same calendar, teams and stages."""
    reps = "rep_id,name\n" + "".join(f"r{team},R{team}\n" for team in TEAMS)
    members = "rep_id,team_id\n" + "".join(f"r{team},{team}\n" for team in TEAMS)
    listed = [f"{name},{place},true,false,false\n" for place, name in enumerate(STAGES, 1)]
    stages = "stage,stage_order,is_qualified,is_won,is_lost\n" + "".join(listed)
    rows = [
        f"o{number},r{TEAMS[number % 4]},{day},{day},true,true,{1000 + number}\n"
        for number, day in enumerate(pd.date_range(FIRST, AS_OF, freq="7D").date)
    ]
    opportunities = "opportunity_id,rep_id,created_on,closed_on,is_won,is_closed,amount\n"
    tables = {
        "reps": reps, "memberships": members, "opportunities": opportunities + "".join(rows),
        "stages": f"{stages}Won,5,true,true,false\nLost,6,false,false,true\n",
        "stage_history": f"opportunity_id,stage,entered_at\no0,Lead,{FIRST} 09:00:00\n",
    }  # fmt: skip
    return compute_measures(import_tables(folder, tables, company=f"as_of: {AS_OF}\n"))


def report_world(report: Report, base: Measures, name: str, world: World) -> None:
    """Compare figures with the truth, which is drawn to the end from 400,000 opportunities."""
    endless = draw(np.random.default_rng(99), world, 400_000)
    length = endless.deals["ended"] - endless.deals["created"]
    won = {t: float((endless.deals["is_won"] & (length <= t + 0.5)).mean()) for t in TIMES}
    stay = endless.stays.assign(days=endless.stays["left"] - endless.stays["entered"])
    medians = stay.groupby("stage")["days"].median().to_numpy()
    for n in (1_500, 12_000):
        timings, flows, newest = [], [], []
        for seed in range(N_COMPANIES if n < 5_000 else N_COMPANIES // 2):
            seen = see(draw(np.random.default_rng([n, seed]), world, n))
            measures = dataclasses.replace(base, flow=count_flow(base, seen))
            timings.append(win_timing(measures, period=PERIOD, days=TIMES).within)
            fresh = win_timing(measures, period=PERIOD, n_quarters=1, days=(60,)).within
            newest.append(fresh[fresh["days"] == 60])
            flows.append(stage_flow(measures, period=PERIOD).rows.assign(truth=medians))
        _report_wins(report, f"{name}, {n:,}", pd.concat(timings), won)
        if n > 5_000:
            _report_wins(report, f"{name}, newest quarter", pd.concat(newest), won)
        _report_days(report, f"{name}, {n:,}", pd.concat(flows))


def _report_wins(report: Report, name: str, found: pd.DataFrame, won: dict[int, float]) -> None:
    found = found[found["days"].isin(TIMES)].assign(truth=lambda rows: rows["days"].map(won))
    off = (found["won"] - found["truth"]).groupby(found["days"]).mean()
    naive = (found["naive"] - found["truth"]).groupby(found["days"]).mean()
    worst = off.abs().idxmax()
    report.add(f"{name}: P(win by {worst}), bias", f"{naive.abs().max():.3f}", off[worst],
               f"within {LARGEST_BIAS}", is_met=abs(off[worst]) <= LARGEST_BIAS)  # fmt: skip
    covers = ((found["low"] <= found["truth"]) & (found["truth"] <= found["high"])).mean()
    report.add("  95% interval holds it", "", covers, f">= {LEAST_COVERAGE}",
               is_met=covers >= LEAST_COVERAGE)  # fmt: skip


def _report_days(report: Report, name: str, found: pd.DataFrame) -> None:
    off = ((found["days"] - found["truth"]) / found["truth"]).groupby(found["stage"]).mean()
    naive = found["naive_days"] - found["truth"]
    naive = (naive / found["truth"]).groupby(found["stage"]).mean()
    worst = off.abs().idxmax()
    report.add(f"{name}: median days in {worst}, off by", f"{naive.abs().max():.3f}", off[worst],
               f"within {LARGEST_DAYS_BIAS}",
               is_met=abs(off[worst]) <= LARGEST_DAYS_BIAS)  # fmt: skip
    covers = ((found["days_low"] <= found["truth"]) & (found["truth"] <= found["days_high"])).mean()
    report.add("  95% interval holds it", "", covers, f">= {LEAST_COVERAGE}",
               is_met=covers >= LEAST_COVERAGE)  # fmt: skip


def report_bottlenecks(report: Report, base: Measures) -> None:
    """Look for bottlenecks where there is none, and where one is planted."""
    for team, said in (("t1", "a team beside the others"), (None, "a quarter beside four before")):
        claims = [
            not find(base, seed, n, team, 0.0).found.empty
            for n in (2_500, 12_000)
            for seed in range(N_EQUAL // 2)
        ]
        share = float(np.mean(claims))
        report.add(f"{len(claims)} equal companies, {said}: claimed", "", share,
                   f"<= {MOST_FALSE}", is_met=share <= MOST_FALSE)  # fmt: skip
    found = [find(base, seed, 12_000, "t1", 0.75) for seed in range(N_PLANTED)]
    named = [not one.found.empty and one.found["stage"].iloc[0] == "Offer" for one in found]
    report.add("planted in one team, odds x .47: found first", "", float(np.mean(named)),
               f">= {LEAST_FOUND}", is_met=np.mean(named) >= LEAST_FOUND)  # fmt: skip
    others = [set(one.found["stage"]) > {"Offer"} for one in found]
    report.add("  another stage named too", "", float(np.mean(others)), f"<= {MOST_FALSE}",
               is_met=np.mean(others) <= MOST_FALSE)  # fmt: skip


def find(base: Measures, seed: int, n: int, team: str | None, planted: float):  # noqa: ANN201
    seen = see(draw(np.random.default_rng([7, n, seed]), World(), n, planted))
    measures = dataclasses.replace(base, flow=count_flow(base, seen))
    return bottlenecks(measures, period=PERIOD, team=team)


def main() -> None:
    report = Report()
    with tempfile.TemporaryDirectory() as folder:
        base = base_measures(folder)

    def worlds(report: Report) -> None:
        for name, world in WORLDS.items():
            report_world(report, base, name, world)

    def leaks(report: Report) -> None:
        report_bottlenecks(report, base)

    report.run(worlds, leaks)
    report.close()


if __name__ == "__main__":
    main()
