"""One dead unit on a 9600-baud bus of ten, and what its neighbours feel."""

import argparse
import asyncio
import random
import statistics
import sys
from collections import defaultdict
from itertools import pairwise

import uvloop

from gateway.config import CarPark, Device, GatewayConfig, Link, LinkKind, Role
from gateway.poller import Field
from gateway.process import monotonic_seconds, now_ms
from gateway.reading import Failure, Reading
from gateway.register_map import Point, Purpose, RegisterMap, Table
from tests.bench.field_server import be_quiet, running
from tests.bench.report import Report, at_most, shown

UNITS = 10
DEAD_UNIT = 5
TIMEOUT_MS = 300
# A read of ten registers takes 47 ms on the wire, so a round of ten units about 0.5 s.
PERIODS_MS = {"full_bus": 100, "half_full_bus": 1_000}
_MAP = RegisterMap(
    "bench",
    "10 holding registers",
    (3,),
    (Point("registers", Table.HOLDING, 0, length=10, purpose=Purpose.SPACE),),
)


def measure(arguments: list[str]) -> Report:
    parser = argparse.ArgumentParser(prog="zhibo bench bus")
    parser.add_argument("--seconds", type=float, default=40.0)
    chosen = parser.parse_args(arguments)
    be_quiet()
    rtu = LinkKind.RTU_OVER_TCP
    with (
        running(2, rtu, "--baud=9600") as healthy,
        running(2, rtu, "--baud=9600", f"--dead-unit={DEAD_UNIT}") as wounded,
    ):
        return uvloop.run(_measure(healthy, wounded, chosen.seconds))


def _config(ports: list[int]) -> GatewayConfig:
    """One full and one half full bus."""
    buses = list(zip(PERIODS_MS.items(), ports, strict=True))
    links = tuple(Link(name, LinkKind.RTU_OVER_TCP, port) for (name, _), port in buses)
    devices = tuple(
        Device(f"{name}-{unit}", name, "bench", Role.GROUP, unit, period_ms, TIMEOUT_MS)
        for (name, period_ms), _ in buses
        for unit in range(1, UNITS + 1)
    )
    return GatewayConfig(CarPark("bench", links, devices), {"bench": _MAP})


class _Tally:
    """When each device was read; from the first moment, so with all of the dead unit's tries."""

    def __init__(self, ports: list[int]) -> None:
        self.times: dict[str, list[float]] = defaultdict(list)
        self.failures: dict[str, int] = defaultdict(int)
        dice = random.Random(1)  # noqa: S311
        self.polled = Field(_config(ports), now_ms, monotonic_seconds, self._take, dice)

    def _take(self, news: Reading | Failure) -> None:
        if isinstance(news, Failure):
            self.failures[news.device_id] += 1
        else:
            self.times[news.device_id].append(monotonic_seconds())

    def cycles_ms(self, bus: str) -> list[float]:
        """All times between two readings of one device, but for the dead unit's place."""
        return [
            (after - before) * 1_000
            for device_id, times in self.times.items()
            if device_id.startswith(f"{bus}-") and device_id != f"{bus}-{DEAD_UNIT}"
            for before, after in pairwise(times)
        ]


async def _measure(healthy: list[int], wounded: list[int], seconds: float) -> Report:
    tallies = _Tally(healthy), _Tally(wounded)
    print(f"polling four buses for {seconds:g} s", file=sys.stderr)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(t.polled.run(), name="polling") for t in tallies]
        await asyncio.sleep(seconds)
        for task in tasks:
            task.cancel()
    return _report(*tallies, seconds)


def _report(healthy: _Tally, wounded: _Tally, seconds: float) -> Report:
    figures = []
    for bus in PERIODS_MS:
        before, after = healthy.cycles_ms(bus), wounded.cycles_ms(bus)
        longer = (statistics.fmean(after) / statistics.fmean(before) - 1) * 100
        figures += [
            at_most(f"{bus}_others_cycle_longer", round(longer, 1), 10.0, "%"),
            shown(f"{bus}_cycle_healthy", round(statistics.fmean(before)), "ms"),
            shown(f"{bus}_cycle_with_a_dead_unit", round(statistics.fmean(after)), "ms"),
            shown(f"{bus}_longest_cycle_with_a_dead_unit", round(max(after)), "ms"),
        ]
    innocent = sum(n for id_, n in wounded.failures.items() if not id_.endswith(f"-{DEAD_UNIT}"))
    figures.append(at_most("failed_polls_of_others", innocent, 0, "polls"))
    tried = {id_: n for id_, n in wounded.failures.items() if id_.endswith(f"-{DEAD_UNIT}")}
    return Report("bus", figures, {"units": UNITS, "seconds": seconds, "dead_unit_asked": tried})
