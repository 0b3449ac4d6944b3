"""The official account at 200 messages a second: two `zhibo serve`, real Redis and PostgreSQL."""

import argparse
import asyncio
import json
import os
import sys
from typing import Any

import uvloop

from gateway.redis_client import connect
from tests.bench.report import Report, at_least, at_most, shown
from tests.bench.service import Service, service
from tests.wechat.account_server import AES_KEY, APP_ID, TOKEN

GOAL_MS = 1_000.0
PROCESSES = 2
SETTINGS = {
    "ZHIBO_WECHAT_APP_ID": APP_ID,
    "ZHIBO_WECHAT_TOKEN": TOKEN,
    "ZHIBO_WECHAT_AES_KEY": AES_KEY,
    "ZHIBO_WECHAT_MODE": "safe",
    "ZHIBO_PUBLIC_URL": "https://zhibo.example",
}


def measure(arguments: list[str]) -> Report:
    parser = argparse.ArgumentParser(prog="zhibo bench wechat")
    parser.add_argument("--rate", type=float, default=200.0, help="messages a second")
    parser.add_argument("--seconds", type=float, default=15.0)
    chosen = parser.parse_args(arguments)
    told = uvloop.run(_measure(chosen.rate, chosen.seconds))
    took = sorted(told["took_ms"])
    again = max(told["repeated"], 1)
    at = f"at {chosen.rate:g}/s"
    return Report(
        "wechat",
        [
            at_most(f"answer {at}, p99", _part(took, 0.99), GOAL_MS, "ms"),
            at_most("messages without an answer", told["missing"], 0, "messages"),
            at_most("wrong answers", told["wrong_count"], 0, "messages"),
            at_most("computed twice", told["trips"] - told["advice_asked"], 0, "messages"),
            at_least("repetitions answered alike", 100 * told["identical"] / again, 100, "%"),
            shown(f"the same {at}, p95", _part(took, 0.95), "ms"),
            shown(f"the same {at}, median", _part(took, 0.5), "ms"),
        ],
        {
            "messages": len(took) + told["missing"],
            "repeated": told["repeated"],
            "advice": told["advice_asked"],
            "trips": told["trips"],
            "kinds": told["kinds"],
            "wrong": told["wrong"],
            "processes": PROCESSES,
            "cores": os.cpu_count(),
        },
    )


def _part(took: list[float], part: float) -> float:
    return round(took[min(int(len(took) * part), len(took) - 1)], 2) if took else float("inf")


async def _measure(rate: float, seconds: float) -> Any:  # noqa: ANN401 -- JSON
    async with service(processes=PROCESSES, settings=SETTINGS) as served:
        print("warming up", file=sys.stderr)
        await _citizens(served, rate, 2.0)
        before = await _count_trips(served)
        print(f"{rate:g} messages a second for {seconds:g} s", file=sys.stderr)
        told = await _citizens(served, rate, seconds)
        told["trips"] = await _count_trips(served) - before
        return told


async def _count_trips(served: Service) -> int:
    """Every recommendation that was computed began a trip."""
    async with connect(served.redis_url) as redis:
        return len([key async for key in redis.scan_iter("zhibo:v1:trip:*", count=10_000)])


async def _citizens(served: Service, rate: float, seconds: float) -> Any:  # noqa: ANN401 -- JSON
    command = (sys.executable, "-m", "tests.bench.wechat_client", str(rate), str(seconds))
    process = await asyncio.create_subprocess_exec(
        *command, *map(str, served.ports), stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    return json.loads(output)
