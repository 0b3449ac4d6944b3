"""The gateways of a whole district as one process, said to Redis as real ones say it.

`python -m tests.bench.district_edge REDIS_URL LOTS CARS_A_MINUTE SECONDS TIMES`: each car park has
ten devices and is said once a second and with each car, 0.2 s after it at most. TIMES is a file in
which readers look up when a car park last came to hold so many cars. Prints one JSON object.
"""

import asyncio
import json
import random
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import uvloop
from numpy.typing import NDArray

from gateway import stream
from gateway.observation import DeviceHealth, DeviceState, Direction, LaneReading, Observation
from gateway.process import now_ms
from gateway.redis_client import connect
from gateway.stream import NowEntry
from occupancy.lot import Lot
from tests.bench.pages_town import a_town, groups_of
from tests.builders import an_observation

TICK_SECONDS, TICKS_A_SECOND = 0.2, 5
DEVICES = 10
EPOCH = 2
MOST_CARS = 1_000


def times_of(file: Path, lots: int) -> NDArray[np.float64]:
    """Milliseconds since 1970 by car park and cars in it."""
    if file.exists():
        return np.memmap(file, np.float64, "r+", shape=(lots, MOST_CARS))
    return np.memmap(file, np.float64, "w+", shape=(lots, MOST_CARS))


@dataclass
class Edge:
    """One car park's counters."""

    lot: Lot
    inside: int
    entries: int = 0
    exits: int = 0
    sequence: int = 0

    def pass_car(self, chance: random.Random) -> None:
        """In or out: the emptier the likelier in, so that no car park ends up full or empty."""
        if chance.random() < self.inside / self.lot.capacity:
            self.exits += 1
            self.inside -= 1
        else:
            self.entries += 1
            self.inside += 1

    def observe(self, at_ms: int) -> Observation:
        self.sequence += 1
        lot_id = self.lot.lot_id
        return an_observation(
            self.sequence,
            lot_id=lot_id,
            epoch=EPOCH,
            observed_at_ms=at_ms,
            cars_inside=self.inside,
            cars_on_pallets=self.inside,
            entries_total=self.entries,
            exits_total=self.exits,
            lanes=(
                LaneReading(f"{lot_id}-in", Direction.ENTRY, self.entries, at_ms),
                LaneReading(f"{lot_id}-out", Direction.EXIT, self.exits, at_ms),
            ),
            groups=groups_of(self.lot, self.inside),
            devices=tuple(
                DeviceHealth(f"{lot_id}-d{number}", DeviceState.ONLINE, at_ms)
                for number in range(DEVICES)
            ),
        )


async def run(
    redis_url: str, lots: int, cars: float, seconds: float, file: Path
) -> dict[str, object]:
    chance, arrivals = random.Random(1), np.random.default_rng(1)  # noqa: S311
    edges = [Edge(lot, lot.capacity // 2) for lot in a_town(lots)]
    times, late = times_of(file, lots), []
    passed = 0
    began = time.monotonic()
    async with connect(redis_url) as redis:
        for tick in range(round(seconds * TICKS_A_SECOND)):
            due = began + tick * TICK_SECONDS
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            late.append(time.monotonic() - due)
            speaking = set(range(tick % TICKS_A_SECOND, lots, TICKS_A_SECOND))
            at_ms = now_ms()
            for _ in range(arrivals.poisson(cars / 60 * TICK_SECONDS)):
                number = chance.randrange(lots)
                edges[number].pass_car(chance)
                times[number, edges[number].inside] = at_ms
                speaking.add(number)
                passed += 1
            pipe = redis.pipeline(transaction=False)
            for number in speaking:
                news = edges[number].observe(at_ms)
                await stream.publish_history(pipe, (news,))
                await stream.publish_now(pipe, NowEntry(news, at_ms, at_ms))
            await pipe.execute()
    late.sort()
    return {
        "cars": passed,
        "said": sum(edge.sequence for edge in edges),
        "late_seconds_p99": round(late[int(len(late) * 0.99)], 3),
        "lots": {
            edge.lot.lot_id: [edge.sequence, edge.entries, edge.exits, edge.inside]
            for edge in edges
        },
    }


if __name__ == "__main__":
    url, lots_, cars_, seconds_, file_ = sys.argv[1:]
    print(json.dumps(uvloop.run(run(url, int(lots_), float(cars_), float(seconds_), Path(file_)))))
