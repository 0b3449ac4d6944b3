"""How much of what perfect guidance could save ours saves: unguided, live sign, ours, the bound."""

import argparse
import os
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from math import inf, sqrt
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from routing.assignment import MOST_REGRET_MINUTES
from tests.bench.guidance_bound import lower_bound
from tests.bench.guidance_ours import Habits, Ours
from tests.bench.guidance_peers import LiveSign
from tests.bench.guidance_run import Outcome, run
from tests.bench.guidance_towns import Kind, make_world
from tests.bench.guidance_world import BadWorldError, World, read_world, write_world
from tests.bench.report import Figure, Report, at_least, at_most, shown

SEEDS = 20
UNCAPPED, CAPPED = inf, MOST_REGRET_MINUTES
_NOTHING_TO_GAIN = 1e-6


@dataclass(frozen=True)
class Case:
    """One kind of day, the regret that may be asked for, and what is to be reached."""

    name: str
    kind: Kind
    most_regret_minutes: float = UNCAPPED
    least_closed: float | None = None
    most_met_full: float | None = None


CASES = (
    Case("tight", Kind(), UNCAPPED, 0.95, 0.015),
    Case("tight, 5 minutes' regret", Kind(), CAPPED, 0.90, 0.015),
    Case("overload", Kind(peak=1.15), UNCAPPED, 0.93),
    Case("60 % guided", Kind(guided=0.6), UNCAPPED, None, 0.03),
    Case("forecasts 20 % too low", Kind(history_level=0.8), UNCAPPED, 0.85),
    Case("forecasts 20 % too high", Kind(history_level=1.2), UNCAPPED, 0.85),
)


@dataclass(frozen=True)
class Result:
    """Mean generalised minutes a driver, and the share of the guided who met a full lot."""

    unguided: float
    live_sign: float
    ours: float
    bound: float
    met_full_live_sign: float
    met_full_ours: float

    @property
    def closed(self) -> float | None:
        """The share of the gap between live sign and bound; None where there is no gap."""
        gap = self.live_sign - self.bound
        return (self.live_sign - self.ours) / gap if gap > _NOTHING_TO_GAIN else None


def measure(arguments: list[str]) -> Report:
    told = _parser().parse_args(arguments)
    try:
        if told.write:
            write_world(told.write, make_world(told.first_seed, CASES[0].kind))
            return Report("guidance", [], {"written": str(told.write), "seed": told.first_seed})
        return _foreign(told.world) if told.world else _towns(told.first_seed, told.seeds)
    except BadWorldError as bad:
        print(f"zhibo bench guidance: {bad}", file=sys.stderr)
        sys.exit(2)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="zhibo bench guidance")
    parser.add_argument(
        "--world", type=Path, metavar="DIR", help="somebody's town (docs/guidance.md)"
    )
    parser.add_argument("--seeds", type=int, default=SEEDS, metavar="N")
    parser.add_argument("--first-seed", type=int, default=0, metavar="N")
    parser.add_argument("--write", type=Path, metavar="DIR", help="write a made-up world and stop")
    return parser


def play(world: World, regrets: Sequence[float]) -> list[Result]:
    """The same day under every policy; one result for each regret that ours may ask for."""
    sign = LiveSign(world.lots, world.rules)
    unguided = run(world, sign, nobody_guided=True).mean_minutes
    live, bound = run(world, sign), lower_bound(world)
    return [_result(unguided, live, _ours(world, most), bound) for most in regrets]


def _ours(world: World, most_regret: float) -> Outcome:
    habits = Habits(most_regret_minutes=most_regret)
    return run(world, Ours(world.lots, world.rules, world.history, habits))


def _result(unguided: float, live: Outcome, ours: Outcome, bound: float) -> Result:
    return Result(
        unguided,
        live.mean_minutes,
        ours.mean_minutes,
        bound,
        live.share_met_full,
        ours.share_met_full,
    )


def _play_case(asked: tuple[Case, int]) -> Result:
    case, seed = asked
    (result,) = play(make_world(seed, case.kind), [case.most_regret_minutes])
    return result


def _towns(first_seed: int, seeds: int) -> Report:
    asked = [(case, first_seed + n) for case in CASES for n in range(seeds)]
    with ProcessPoolExecutor(os.cpu_count()) as workers:
        results = list(_told(workers.map(_play_case, asked), len(asked)))
    by_case = {
        case.name: results[place * seeds : (place + 1) * seeds] for place, case in enumerate(CASES)
    }
    figures = [figure for case in CASES for figure in _figures(case, by_case[case.name])]
    details: dict[str, Any] = {"seeds": [first_seed, first_seed + seeds - 1]}
    details["cases"] = {name: _summary(found) for name, found in by_case.items()}
    return Report("guidance", figures, details)


def _told(results: Iterable[Result], number: int) -> Iterable[Result]:
    for done, result in enumerate(results, start=1):
        print(f"\r{done} of {number} days", end="", file=sys.stderr, flush=True)
        yield result
    print(file=sys.stderr)


def _figures(case: Case, results: Sequence[Result]) -> list[Figure]:
    closed = [result.closed for result in results if result.closed is not None]
    met_full = fmean(result.met_full_ours for result in results)
    figures = []
    if closed:
        name = f"{case.name}: gap closed"
        goal = case.least_closed
        share = fmean(closed)
        figures.append(shown(name, share, "") if goal is None else at_least(name, share, goal, ""))
    name, most = f"{case.name}: guided who met a full lot", case.most_met_full
    figures.append(shown(name, met_full, "") if most is None else at_most(name, met_full, most, ""))
    return figures


def _summary(results: Sequence[Result]) -> dict[str, Any]:
    """Means over the seeds, and the 95 % interval of the mean gap closed."""
    closed = [result.closed for result in results if result.closed is not None]
    rows = [asdict(result) for result in results]
    means = {name: round(fmean(row[name] for row in rows), 4) for name in rows[0]}
    half = 1.96 * stdev(closed) / sqrt(len(closed)) if len(closed) > 1 else 0.0
    middle = fmean(closed) if closed else 0.0
    return {
        **means,
        "gap_closed_interval_95": [round(middle - half, 4), round(middle + half, 4)],
        "gap_closed_by_seed": [round(value, 4) for value in closed],
    }


def _foreign(folder: Path) -> Report:
    world = read_world(folder)
    free, capped = play(world, [UNCAPPED, CAPPED])
    figures = [
        shown("unguided nearest", free.unguided, "min"),
        shown("live sign", free.live_sign, "min"),
        shown("ours", free.ours, "min"),
        shown("ours, 5 minutes' regret", capped.ours, "min"),
        shown("lower bound", free.bound, "min"),
        shown("live sign: guided who met a full lot", free.met_full_live_sign, ""),
        shown("ours: guided who met a full lot", free.met_full_ours, ""),
        shown("ours, 5 minutes' regret: guided who met a full lot", capped.met_full_ours, ""),
    ]
    if free.closed is not None and capped.closed is not None:
        figures += [
            shown("gap closed", free.closed, ""),
            shown("gap closed, 5 minutes' regret", capped.closed, ""),
        ]
    details = {
        "world": str(folder),
        "lots": len(world.lots.ids),
        "trips": len(world.day.trips),
        "history_days": len(world.history),
        "history_left_out": list(world.history_left_out),
    }
    return Report("guidance", figures, details)
