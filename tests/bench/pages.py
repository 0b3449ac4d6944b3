"""The overview with 500 car parks and 200 operators connected; an operator's deeds in Chromium."""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from typing import Any

from tests.bench.pages_hands import deeds
from tests.bench.pages_sign import calibrated
from tests.bench.pages_town import a_town, as_line, be_heard, give_a_past, hire
from tests.bench.report import Figure, Report, shown
from tests.bench.service import service

GOAL_MS = 200
DEEDS_SECONDS, TOWN_SECONDS, LOAD_SECONDS = (
    240.0,
    180.0,
    240.0,
)  # each part ends, whatever the machine has to do
_NONE = {"n": 0, "p50": -1.0, "p95": -1.0}
GOALS_SECONDS = {
    "overview painted": 1,
    "worst lot found": 5,
    "gate event to eight tabs, p95": 1,
    "stale marked, after its 90 s": 1,
    "lost link banner": 5,
    "fresh after return": 3,
    "acknowledge with a note": 6,
    "others see it": 2,
    "calibrate": 15,
    "calibration on its sign": 5,
    "close with preview and reopening": 20,
    "override a sign": 12,
    "tariff version, edit to approval": 180,
    "search result after the last key": 0.3,
    "a month of quarters as XLSX, three clicks": 5,
}


def measure(arguments: list[str]) -> Report:
    parser = argparse.ArgumentParser(prog="zhibo bench pages")
    parser.add_argument("--lots", type=int, default=500)
    parser.add_argument("--operators", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--only-load", action="store_true", help="no browser")
    chosen = parser.parse_args(arguments)
    done = {}
    if not chosen.only_load:
        done = _apart(DEEDS_SECONDS, "deeds") | _apart(TOWN_SECONDS, "town")
    told = _apart(LOAD_SECONDS, "load", chosen.lots, chosen.operators, chosen.seconds)
    figures = [
        _timed(one, round(done.get(one, -1.0), 2), GOALS_SECONDS[one], "s")
        for one in GOALS_SECONDS
        if done
    ]
    return Report("pages", [*_load_figures(told), *figures], told)


def _apart(seconds: float, *part: object) -> dict[str, Any]:
    """A part of the bench in a process of its own; nothing of one that has not ended by then.

    Its servers end with it, and its folder goes with ours.
    """
    command = [sys.executable, "-m", "tests.bench.pages", *map(str, part)]
    with tempfile.TemporaryDirectory(prefix="zhibo-pages-", ignore_cleanup_errors=True) as folder:
        environ = {**os.environ, "TMPDIR": folder}
        try:
            done = subprocess.run(  # noqa: S603  # our own module
                command, stdout=subprocess.PIPE, timeout=seconds, env=environ, check=False
            )
        except subprocess.TimeoutExpired:
            print(f"{part[0]}: not done in {seconds:.0f} s, given up", file=sys.stderr)
            return {}
    told: dict[str, Any] = json.loads(done.stdout) if done.returncode == 0 else {}
    return told


def _timed(name: str, value: float, limit: float, unit: str) -> Figure:
    """What was never measured (-1) has missed its goal."""
    return Figure(name, value, unit, f"<= {limit:g}", 0 <= value <= limit)


def _load_figures(told: Mapping[str, Any]) -> list[Figure]:
    page = told.get("answers", {}).get("/admin/", _NONE)
    refreshed = told.get("refreshed", {}).get("200", _NONE)
    return [
        _timed("overview, p95", page["p95"], GOAL_MS, "ms"),
        shown("overview, median", page["p50"], "ms"),
        _timed("answers that were none", sum(told["wrong"].values()) if told else -1, 0, ""),
        shown("all refreshing without a pause, p95", refreshed["p95"], "ms"),
    ]


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


if __name__ == "__main__":
    name, *numbers = sys.argv[1:]
    if name == "deeds":
        told = asyncio.run(deeds())
    elif name == "town":
        told = asyncio.run(calibrated())
    else:
        lots, operators, seconds = numbers
        told = asyncio.run(_measure(int(lots), int(operators), float(seconds)))
    print(json.dumps(told))
