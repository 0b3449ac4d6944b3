"""Nothing lost, nothing twice, through every fault of the table; how long each recovery takes."""

import argparse
import asyncio
import random
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import monotonic

from tests.bench.outbox import measure_catching_up, measure_outbox
from tests.bench.report import Figure, Report, at_least, at_most, shown
from tests.faults.catalogue import FAULTS
from tests.faults.history_checker import Kind
from tests.faults.play import Director, Outcome, run
from tests.faults.process_faults import TAKEN_OVER

RECOVERY_SECONDS = 5.0
WIPED_SECONDS = 2.0
TOLD = 20


def measure(arguments: list[str]) -> Report:
    """The whole table in a seeded order, then any faults until `--minutes` are over."""
    parser = argparse.ArgumentParser(prog="zhibo bench faults")
    parser.add_argument("--minutes", type=float, default=20, help="the table takes about 15")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args(arguments)
    outbox = [*measure_outbox(), *measure_catching_up()]
    begun = monotonic()

    async def long_run(director: Director) -> None:
        dice = random.Random(chosen.seed)  # noqa: S311  # repeatable
        todo = [name for name, fault in FAULTS.items() for _ in range(fault.at_least)]
        dice.shuffle(todo)
        while monotonic() - begun < chosen.minutes * 60:
            await director.play([todo.pop() if todo else dice.choice(sorted(FAULTS))])

    with tempfile.TemporaryDirectory(prefix="zhibo-faults-") as folder:
        outcome = asyncio.run(run(Path(folder), chosen.seed, [long_run], _say))
    return Report("faults", [*_figures(outcome), *outbox], _details(outcome, chosen.seed))


def _say(words: str) -> None:
    print(words, file=sys.stderr)


def _figures(outcome: Outcome) -> list[Figure]:
    verdict = outcome.verdict
    return [
        shown("count events sent", verdict.events, "events"),
        at_least("count events recorded", verdict.recorded, verdict.events, "events"),
        *(at_most(kind, verdict.count(kind), 0, "events") for kind in Kind),
        at_least("planted faults found", len(outcome.spoilt.findings), 2, "events"),
        at_most("published above the truth", len(outcome.excesses), 0, "counts"),
        at_most("parts that ended by themselves", len(outcome.deaths), 0, "ends"),
        at_most("live equals truth after the last fault", outcome.exact_seconds, 5, "s"),
        *_recoveries(outcome.recoveries),
        *_counts(outcome.played),
        *_hour(outcome.notes),
    ]


def _recoveries(recoveries: Mapping[str, Sequence[float]]) -> list[Figure]:
    return [
        at_most(
            f"fresh again after {name}, worst of {len(seconds)}",
            max(seconds),
            WIPED_SECONDS if name == "redis wiped" else RECOVERY_SECONDS,
            "s",
        )
        for name, seconds in sorted(recoveries.items())
    ]


def _counts(played: Mapping[str, int]) -> list[Figure]:
    return [
        at_least(f"times {name}", played.get(name, 0), fault.at_least, "faults")
        for name, fault in FAULTS.items()
    ]


def _hour(notes: Mapping[str, Sequence[float]]) -> list[Figure]:
    limits = {
        TAKEN_OVER: 10,
        "hour away: backlog gone, s": 60,
        "hour away: worst age while catching up, s": 2,
        "age of the live picture without PostgreSQL, s": 5,
    }
    return [
        at_most(name.removesuffix(", s"), max(notes[name]), limit, "s")
        for name, limit in limits.items()
        if name in notes
    ]


def _details(outcome: Outcome, seed: int) -> dict[str, object]:
    return {
        "seed": seed,
        "kills": dict(outcome.kills),
        "rows_recorded": outcome.verdict.rows,
        "samples_every_100_ms": outcome.samples,
        "samples_without_an_answer": outcome.unanswered,
        "history_complete_after_s": outcome.drained_seconds,
        "recovery_median_s": {
            name: statistics.median(seconds) for name, seconds in outcome.recoveries.items()
        },
        "findings": [" ".join(finding) for finding in outcome.verdict.findings[:TOLD]],
        "excesses": list(outcome.excesses[:TOLD]),
        "ends": list(outcome.deaths[:TOLD]),
    }
