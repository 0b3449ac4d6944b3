"""300 TCP devices at 2 reads a second of 125 registers: the CPU, and how late polls start."""

import argparse
import asyncio
import random
import resource
import statistics
import sys
import time
from dataclasses import dataclass, field

import uvloop

from gateway.config import CarPark, Device, GatewayConfig, Link, LinkKind, Role
from gateway.poller import Field
from gateway.process import monotonic_seconds, now_ms
from gateway.reading import Failure, Reading
from gateway.register_map import Point, Purpose, RegisterMap, Table
from tests.bench import bare_timer
from tests.bench.field_server import running
from tests.bench.report import Report, at_least, at_most, shown

DEVICES = 300
REGISTERS = 125
PERIOD_MS = 500
WARM_UP_SECONDS = 3.0
_MAP = RegisterMap(
    "bench",
    "125 holding registers",
    (3,),
    (Point("registers", Table.HOLDING, 0, length=REGISTERS, purpose=Purpose.SPACE),),
)


@dataclass
class _Tally:
    """What came in once the warm-up was over."""

    counting: bool = False
    readings: int = 0
    wrong: int = 0
    failures: int = 0
    late_ms: list[float] = field(default_factory=list)


def measure(arguments: list[str]) -> Report:
    parser = argparse.ArgumentParser(prog="zhibo bench gateway")
    parser.add_argument("--devices", type=int, default=DEVICES)
    parser.add_argument("--seconds", type=float, default=20.0)
    chosen = parser.parse_args(arguments)
    with running(chosen.devices, LinkKind.TCP) as ports, bare_timer.running() as timer:
        tally, cores, wall = uvloop.run(_measure(ports, chosen.seconds))
        return _report(tally, cores, len(ports), wall, timer.late_p99_ms())


def _config(ports: list[int]) -> GatewayConfig:
    links = tuple(Link(f"l{port}", LinkKind.TCP, port) for port in ports)
    devices = tuple(
        Device(f"d{port}", f"l{port}", "bench", Role.GROUP, period_ms=PERIOD_MS) for port in ports
    )
    return GatewayConfig(CarPark("bench", links, devices), {"bench": _MAP})


async def _measure(ports: list[int], seconds: float) -> tuple[_Tally, float, float]:
    """What was polled, the cores it took and the seconds it lasted."""
    tally = _Tally()
    expected = tuple(1_000 + address for address in range(REGISTERS))

    def take(news: Reading | Failure) -> None:
        if not tally.counting:
            return
        if isinstance(news, Failure):
            tally.failures += 1
            return
        tally.readings += 1
        tally.wrong += news.values["registers"] != expected
        tally.late_ms.append(late_of[news.device_id].late_ms)

    polled = Field(_config(ports), now_ms, monotonic_seconds, take, random.Random(1))  # noqa: S311
    late_of = {job.device.device_id: job for job in polled.jobs()}
    async with asyncio.TaskGroup() as group:
        polling = group.create_task(polled.run(), name="polling")
        await asyncio.sleep(WARM_UP_SECONDS)
        print(f"measuring {len(ports)} devices for {seconds:g} s", file=sys.stderr)
        tally.counting = True
        cpu, wall = _cpu_seconds(), time.monotonic()
        await asyncio.sleep(seconds)
        tally.counting = False
        cpu, wall = _cpu_seconds() - cpu, time.monotonic() - wall
        polling.cancel()
    return tally, cpu / wall, wall


def _report(tally: _Tally, cores: float, devices: int, wall: float, bare_late_ms: float) -> Report:
    late = statistics.quantiles(tally.late_ms, n=100)
    goal_rate = devices * 1_000 / PERIOD_MS
    return Report(
        "gateway",
        [
            at_most("cpu", round(cores, 3), 0.5, "cores"),
            at_most("start_of_a_poll_late_p99", round(late[98], 2), 5.0, "ms"),
            at_least("reads", round(tally.readings / wall, 1), round(0.99 * goal_rate, 1), "1/s"),
            at_most("failed_polls", tally.failures, 0, "polls"),
            at_most("wrong_values", tally.wrong, 0, "readings"),
            shown("start_of_a_poll_late_p50", round(late[49], 2), "ms"),
            shown("a_bare_timer_late_p99", round(bare_late_ms, 2), "ms"),
        ],
        {"devices": devices, "registers": REGISTERS, "seconds": round(wall, 1)},
    )


def _cpu_seconds() -> float:
    """Of this process, which is the gateway: the devices run in another."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
