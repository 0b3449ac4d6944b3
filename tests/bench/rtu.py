"""A million RTU reads, one in a hundred late; none credited to another address.

Behind the serial server a late reply waits for the next connection and comes just before the
answer to its first question: the worst place it can come.
"""

import argparse
import asyncio
import random
import sys
from collections import Counter
from collections.abc import Mapping

import uvloop

from gateway.config import CarPark, Device, GatewayConfig, Link, LinkKind, Role
from gateway.decode import Value
from gateway.poller import Field
from gateway.process import monotonic_seconds, now_ms
from gateway.reading import Failure, Reading
from gateway.register_map import Point, Purpose, RegisterMap, Table
from tests.bench.field_server import be_quiet, running
from tests.bench.report import Report, at_least, at_most, shown

READS = 1_000_000
LATE_SHARE = 0.01
LINES = 8
UNITS = (1, 2, 3, 4)
TIMEOUT_MS = 50
# Apart, so that each is a read of its own, and of unlike sizes, as the configuration demands.
_POINTS = tuple(
    Point(f"p{n}", Table.HOLDING, 100 * n, length=n + 2, purpose=purpose)
    for n, purpose in enumerate((Purpose.COUNT, Purpose.SPACE, Purpose.FACE))
)
_MAP = RegisterMap("bench", "three reads", (3,), _POINTS)


def measure(arguments: list[str]) -> Report:
    parser = argparse.ArgumentParser(prog="zhibo bench rtu")
    parser.add_argument("--reads", type=int, default=READS)
    parser.add_argument("--late-share", type=float, default=LATE_SHARE)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args(arguments)
    be_quiet()
    options = (f"--late-share={chosen.late_share}", f"--seed={chosen.seed}")
    with running(LINES, LinkKind.RTU_OVER_TCP, *options) as ports:
        return uvloop.run(_measure(ports, chosen.reads))


def _config(ports: list[int]) -> GatewayConfig:
    links = tuple(Link(f"{port}", LinkKind.RTU_OVER_TCP, port) for port in ports)
    devices = tuple(
        Device(f"{port}/{unit}", f"{port}", "bench", Role.GROUP, unit, 10, TIMEOUT_MS)
        for port in ports
        for unit in UNITS
    )
    return GatewayConfig(CarPark("bench", links, devices), {"bench": _MAP})


class _Tally:
    def __init__(self, reads: int) -> None:
        self.reads = reads
        self.readings = 0
        self.wrong = 0
        self.failures: Counter[str] = Counter()
        self.done = asyncio.Event()
        self._true = {unit: _expected(unit) for unit in UNITS}

    def take(self, news: Reading | Failure) -> None:
        if isinstance(news, Failure):
            self.failures[news.kind] += 1
        else:
            true = self._true[int(news.device_id.partition("/")[2])]
            self.readings += 1
            self.wrong += any(true[name] != value for name, value in news.values.items())
        answered = self.readings + sum(self.failures.values())
        if answered % 50_000 == 0:
            print(f"{answered} reads, {self.wrong} wrong", file=sys.stderr)
        if answered >= self.reads:
            self.done.set()


def _expected(unit: int) -> Mapping[str, Value]:
    """What stands at each address of a unit, by the rule of tests.field_line."""
    return {p.name: tuple(unit * 1_000 + a for a in range(p.address, p.end)) for p in _POINTS}


async def _measure(ports: list[int], reads: int) -> Report:
    tally = _Tally(reads)
    dice = random.Random(1)  # noqa: S311
    polled = Field(_config(ports), now_ms, monotonic_seconds, tally.take, dice)
    started = monotonic_seconds()
    async with asyncio.TaskGroup() as group:
        polling = group.create_task(polled.run(), name="polling")
        await tally.done.wait()
        polling.cancel()
    seconds = monotonic_seconds() - started
    late = tally.failures.total()
    return Report(
        "rtu",
        [
            at_most("values_at_a_wrong_address", tally.wrong, 0, "readings"),
            at_least("reads", tally.readings + late, reads, "reads"),
            shown("readings", tally.readings, "reads"),
            shown("without_a_reading", late, "reads"),
            shown("reads_a_second", round((tally.readings + late) / seconds), "1/s"),
        ],
        {"failures": dict(tally.failures), "lines": len(ports), "units": len(UNITS)},
    )
