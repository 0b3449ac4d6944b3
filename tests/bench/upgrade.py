"""An upgrade while people read and cars move: failed reads, observations lost or doubled."""

import argparse
import asyncio
import tempfile
from pathlib import Path

from tests.bench.report import Figure, Report, at_least, at_most, shown
from tests.faults.history_checker import Kind
from tests.machines.upgrade import GATEWAYS, READS_A_SECOND, Outcome, run


def measure(arguments: list[str]) -> Report:
    """The version before the newest migration to this one, part by part."""
    argparse.ArgumentParser(prog="zhibo bench upgrade").parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="zhibo-upgrade-") as folder:
        outcome = asyncio.run(run(Path(folder)))
    details = {
        "reads_a_second": READS_A_SECOND,
        "older_version": "before the newest migration" if outcome.is_older else "the same code",
        "failed": outcome.failed[:20],
        "statuses": {str(status): count for status, count in outcome.statuses.items()},
        "exit_codes": outcome.exit_codes,
        "dashes": outcome.dashes[:20],
    }
    return Report("upgrade", _figures(outcome), details)


def _figures(outcome: Outcome) -> list[Figure]:
    verdict = outcome.verdict
    if verdict is None:
        raise RuntimeError("nothing was compared")
    return [
        shown("migrations applied under load", outcome.migrations, "migrations"),
        shown("reads", outcome.reads, "reads"),
        at_most("failed reads", len(outcome.failed), 0, "reads"),
        shown("live streams that ended and came back", outcome.stream_ends, "streams"),
        shown("gateways rolled", len(GATEWAYS), "gateways"),
        shown("looks at the signs meanwhile", outcome.looks_at_signs, "looks"),
        at_most("signs seen without their number", len(outcome.dashes), 0, "signs"),
        shown("count events sent", verdict.events, "events"),
        at_least("count events recorded", verdict.recorded, verdict.events, "events"),
        *(at_most(kind, verdict.count(kind), 0, "events") for kind in Kind),
    ]
