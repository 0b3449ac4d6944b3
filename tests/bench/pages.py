"""The overview with 500 car parks and 200 operators connected; an operator's deeds in Chromium."""

import argparse
import asyncio
import json
import sys
from typing import Any

from tests.bench.pages_hands import deeds
from tests.bench.pages_town import a_town, as_line, be_heard, give_a_past, hire
from tests.bench.report import Report, at_most, shown
from tests.bench.service import service

GOAL_MS = 200
GOALS_SECONDS = {
    "overview painted": 1,
    "worst lot found": 5,
    "gate event to eight tabs, p95": 1,
    "acknowledge with a note": 6,
    "calibrate": 15,
    "close with preview and reopening": 20,
    "search result after the last key": 0.3,
}


def measure(arguments: list[str]) -> Report:
    parser = argparse.ArgumentParser(prog="zhibo bench pages")
    parser.add_argument("--lots", type=int, default=500)
    parser.add_argument("--operators", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--only-load", action="store_true", help="no browser")
    chosen = parser.parse_args(arguments)
    done = {} if chosen.only_load else asyncio.run(deeds())
    told = asyncio.run(_measure(chosen.lots, chosen.operators, chosen.seconds))
    page, all_at_once = told["answers"]["/admin/"], told["refreshed"]["200"]
    return Report(
        "pages",
        [
            at_most("overview, p95", page["p95"], GOAL_MS, "ms"),
            shown("overview, median", page["p50"], "ms"),
            at_most("answers that were none", sum(told["wrong"].values()), 0, ""),
            shown("all refreshing without a pause, p95", all_at_once["p95"], "ms"),
            *(at_most(one, round(done[one], 2), GOALS_SECONDS[one], "s") for one in done),
        ],
        told,
    )


async def _measure(lots: int, operators: int, seconds: float) -> dict[str, Any]:
    town = a_town(lots)
    async with service(town=town, hearing=be_heard) as served:
        await give_a_past(served.postgres_url, town)
        keys = await hire(served.postgres_url, served.redis_url, operators)
        print("they work", file=sys.stderr)
        client = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.bench.pages_client", str(served.ports[0]), str(seconds)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        out, _ = await client.communicate(f"{as_line(keys)}\n".encode())
        told: dict[str, Any] = json.loads(out)
        return told
