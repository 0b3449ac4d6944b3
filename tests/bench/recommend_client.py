"""Drivers who ask at a fixed rate: `python -m tests.bench.recommend_client PORT RATE SECONDS`.

Open loop: a request is sent when it is due, however late the answers are, and its time counts from
then. Prints one JSON object: milliseconds of each answer, those that were none, car parks shown.
"""

import asyncio
import json
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import uvloop

CENTRE = (23.1560, 112.8945)
SPREAD_DEGREES = 0.01
PATIENCE_SECONDS = 10.0


@dataclass
class _Answers:
    took_ms: list[float] = field(default_factory=list)
    failed: int = 0
    shown: Counter[str] = field(default_factory=Counter)


def _question(chance: random.Random, number: int) -> dict[str, Any]:
    """A driver of his own, somewhere in town; nobody has the same name again."""
    lat, lng = (middle + chance.uniform(-SPREAD_DEGREES, SPREAD_DEGREES) for middle in CENTRE)
    question: dict[str, Any] = {
        "place": {"wgs84": {"lat": lat, "lng": lng}},
        "stay": chance.choice(("PT30M", "PT1H", "PT2H", "PT4H")),
        "driver": f"driver {number} {chance.random()}",
        "vehicle": {"class": "car", "height_metres": chance.choice((1.5, 1.7, 1.9))},
        "prefer": chance.choice(([], [], ["cheap"], ["near"], ["sure"])),
    }
    if chance.random() < 0.5:
        origin = {"lat": lat + chance.uniform(-0.03, 0.03), "lng": lng}
        question["from"] = {"wgs84": origin}
    return question


async def _ask(
    http: aiohttp.ClientSession, url: str, question: dict[str, Any], due: float, told: _Answers
) -> None:
    await asyncio.sleep(max(0.0, due - time.monotonic()))
    try:
        async with http.post(url, json=question) as answer:
            body = await answer.read()
            is_answer = answer.status == 200
    except (aiohttp.ClientError, TimeoutError):
        is_answer = False
    if not is_answer:
        told.failed += 1
        return
    told.took_ms.append((time.monotonic() - due) * 1e3)
    first = json.loads(body)["recommendations"][:1]
    told.shown[first[0]["lot"] if first else "none"] += 1


async def _load(port: int, rate: float, seconds: float) -> _Answers:
    # Of the port and the time: no question of the warm-up is asked again.
    told, chance = _Answers(), random.Random(f"{port} {seconds}")  # noqa: S311 -- no secrecy
    url = f"http://127.0.0.1:{port}/v1/recommendations"
    patience = aiohttp.ClientTimeout(total=PATIENCE_SECONDS)
    async with (
        aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=7), timeout=patience
        ) as http,
        asyncio.TaskGroup() as group,
    ):
        began = time.monotonic() + 0.2
        for number in range(round(rate * seconds)):
            due = began + number / rate
            group.create_task(_ask(http, url, _question(chance, number), due, told))
            if number % 50 == 0:
                await asyncio.sleep(max(0.0, due - 0.5 - time.monotonic()))
    return told


if __name__ == "__main__":
    found = uvloop.run(_load(int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])))
    print(json.dumps({"ms": found.took_ms, "failed": found.failed, "shown": found.shown}))
