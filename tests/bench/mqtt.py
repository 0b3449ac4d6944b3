"""Messages of bay sensors a second: from a real broker to each bay's newest word, outbox included.

Sensors, broker and receiver share the machine. Redis is away: the outbox keeps what was told.
Messages come in waves, since more than 50,000 on end are a flood that the receiver cuts off; a wave
begins when all of the last one has been taken, and the time between counts.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import uvloop

from gateway.bay_config import BayConfig, load_maps, read_broker
from gateway.bay_ledger import BayPark
from gateway.bay_receiver import BayReceiver, BaySettings, run_bays
from gateway.outbox import Outbox
from gateway.process import monotonic_seconds, now_ms
from tests.bench.report import Report, at_least, at_most, shown
from tests.gateway.mosquitto import Mosquitto, mosquitto
from tests.waiting import until

GOAL, BAYS, ROUNDS_A_WAVE = 5_000, 500, 40
SENSORS = tuple(f"s{n}" for n in range(BAYS))
PARK = BayPark("mall", "mall", "common", {"all": SENSORS})
CONFIG = BayConfig((PARK,))


def measure(arguments: list[str]) -> Report:
    parser = argparse.ArgumentParser("zhibo bench mqtt")
    parser.add_argument("--messages", type=int, default=60_000)
    parser.add_argument("--qos", type=int, default=0, choices=(0, 1), help="of the sensors")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        return uvloop.run(_measure(chosen.messages, chosen.qos, Path(folder)))


async def _measure(messages: int, qos: int, folder: Path) -> Report:
    stopping = asyncio.Event()
    made: list[BayReceiver] = []
    async with mosquitto(folder) as broker, asyncio.TaskGroup() as group:
        address = read_broker(f"mqtt://127.0.0.1:{broker.port}", "")
        settings = BaySettings("redis://127.0.0.1:1", folder)
        group.create_task(
            run_bays(
                *(CONFIG, load_maps(CONFIG), address, settings),
                *(now_ms, monotonic_seconds, stopping, made.append),
            ),
            name="bays",
        )
        await until(lambda: made != [])
        await until(lambda: _taken(made[0], "zhibo_bay_broker_up") == 1)
        rounds = messages // BAYS
        seconds, cpu_seconds = await _send(broker, made[0], rounds, qos)
        stopping.set()
    outbox = Outbox(folder / "mall.sqlite", now_ms())
    last = outbox.newest()
    outbox.close()
    sent = rounds * BAYS
    expected = BAYS * (rounds // 2), BAYS * ((rounds - 1) // 2)
    kept = (last.entries_total, last.exits_total) if last else (0, 0)
    lost = sum(abs(a - b) for a, b in zip(kept, expected, strict=True))
    return Report(
        "mqtt",
        [
            at_least("messages a second", sent / seconds, GOAL, "1/s"),
            at_most("changes lost or doubled", lost, 0, "changes"),
            shown("processor time of this process a message", cpu_seconds / sent * 1e6, "us"),
        ],
        {"messages": sent, "bays": BAYS, "qos": qos, "entries_and_exits": list(kept)},
    )


async def _send(
    broker: Mosquitto, receiver: BayReceiver, rounds: int, qos: int
) -> tuple[float, float]:
    """A child process publishes, so that only receiving is this process's work."""
    told = map(str, (broker.port, BAYS, rounds, ROUNDS_A_WAVE, qos))
    sender = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.mqtt_sender", *told),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert sender.stdin is not None
    assert sender.stdout is not None
    await sender.stdout.readline()
    begun, cpu = time.perf_counter(), time.process_time()
    for first in range(0, rounds, ROUNDS_A_WAVE):
        sender.stdin.write(b"\n")
        due = min(first + ROUNDS_A_WAVE, rounds) * BAYS
        await until(partial(_has_taken, receiver, due), within_seconds=120)
    seconds, cpu_seconds = time.perf_counter() - begun, time.process_time() - cpu
    await sender.communicate(b"\n")
    if sender.returncode:
        raise SystemExit("the sender failed")
    return seconds, cpu_seconds


def _has_taken(receiver: BayReceiver, due: int) -> bool:
    return _all(receiver) >= due


def _all(receiver: BayReceiver) -> float:
    return sum(
        _taken(receiver, "zhibo_bay_messages_total", lot="mall", what=what)
        for what in ("changed", "confirmed", "old")
    )


def _taken(receiver: BayReceiver, name: str, **labels: str) -> float:
    return receiver.meters.registry.get_sample_value(name, labels) or 0.0
