"""A recommendation over HTTP at 200 a second, with real servers."""

import argparse
import asyncio
import json
import os
import sys
from typing import Any

import uvloop

from tests.bench.report import Report, at_most, shown
from tests.bench.service import service

GOAL_MS = 50.0


def measure(arguments: list[str]) -> Report:
    parser = argparse.ArgumentParser(prog="zhibo bench recommend")
    parser.add_argument("--rate", type=float, default=200.0, help="requests a second")
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--workers", type=int, default=2)
    chosen = parser.parse_args(arguments)
    told = uvloop.run(_measure(chosen.workers, chosen.rate, chosen.seconds))
    took = sorted(told["ms"])
    asked = len(took) + told["failed"]
    at = f"at {chosen.rate:g}/s"
    return Report(
        "recommend",
        [
            at_most(f"recommendation over HTTP {at}, p99", _part(took, 0.99), GOAL_MS, "ms"),
            at_most("requests without an answer", told["failed"], 0, "requests"),
            shown(f"the same {at}, p95", _part(took, 0.95), "ms"),
            shown(f"the same {at}, median", _part(took, 0.5), "ms"),
        ],
        {
            "requests": asked,
            "workers": chosen.workers,
            "cores": os.cpu_count(),
            "shown": told["shown"],
        },
    )


def _part(took: list[float], part: float) -> float:
    return round(took[min(int(len(took) * part), len(took) - 1)], 2) if took else float("inf")


async def _measure(workers: int, rate: float, seconds: float) -> Any:  # noqa: ANN401 -- JSON
    async with service(workers=workers) as served:
        (port,) = served.ports
        print("warming up", file=sys.stderr)
        await _drivers(port, rate, 2.0)
        print(f"{rate:g} drivers a second for {seconds:g} s", file=sys.stderr)
        return await _drivers(port, rate, seconds)


async def _drivers(port: int, rate: float, seconds: float) -> Any:  # noqa: ANN401 -- JSON
    command = (sys.executable, "-m", "tests.bench.recommend_client")
    process = await asyncio.create_subprocess_exec(
        *command, str(port), str(rate), str(seconds), stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    return json.loads(output)
