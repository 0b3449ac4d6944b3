"""Messages of bay sensors a second: from a real broker to each bay's newest word, outbox included.

Sensors, broker and receiver share the machine. Redis is away: the outbox keeps what was told.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

import aiomqtt
import uvloop

from gateway.bay_config import BayConfig, load_maps, read_broker
from gateway.bay_ledger import BayPark
from gateway.bay_map import load_bay_map
from gateway.bay_receiver import BayReceiver, BaySettings, run_bays
from gateway.outbox import Outbox
from gateway.process import monotonic_seconds, now_ms
from lot_sim.bay_sensors import BaySensors
from tests.bench.report import Report, at_least, at_most, shown
from tests.gateway.mosquitto import Mosquitto, mosquitto
from tests.waiting import until

GOAL, BAYS, ONE_IN_FLIGHT = 5_000, 500, 200
SENSORS = tuple(f"s{n}" for n in range(BAYS))
PARK = BayPark("mall", "mall", "common", {"all": SENSORS})
CONFIG = BayConfig((PARK,))


def measure(arguments: list[str]) -> Report:
    parser = argparse.ArgumentParser("zhibo bench mqtt")
    parser.add_argument("--messages", type=int, default=60_000)
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        return uvloop.run(_measure(chosen.messages, Path(folder)))


async def _measure(messages: int, folder: Path) -> Report:
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
        seconds, cpu_seconds = await _send(broker, made[0], rounds)
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
        {"messages": sent, "bays": BAYS, "entries_and_exits": list(kept)},
    )


async def _send(broker: Mosquitto, receiver: BayReceiver, rounds: int) -> tuple[float, float]:
    """A child process publishes, so that only receiving is this process's work."""
    sender = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.mqtt", str(broker.port), str(rounds)
    )
    await until(lambda: _all(receiver) > 0, within_seconds=60)
    begun, cpu = time.perf_counter(), time.process_time()
    await until(lambda: _all(receiver) >= rounds * BAYS, within_seconds=120)
    seconds, cpu_seconds = time.perf_counter() - begun, time.process_time() - cpu
    await sender.wait()
    return seconds, cpu_seconds


def _all(receiver: BayReceiver) -> float:
    return sum(
        _taken(receiver, "zhibo_bay_messages_total", lot="mall", what=what)
        for what in ("changed", "confirmed", "old")
    )


def _taken(receiver: BayReceiver, name: str, **labels: str) -> float:
    return receiver.meters.registry.get_sample_value(name, labels) or 0.0


async def _publish(port: int, rounds: int) -> None:
    sensors = BaySensors(load_bay_map("common"), "mall", SENSORS, "1")
    async with aiomqtt.Client(
        "127.0.0.1", port, identifier="sensors", max_inflight_messages=ONE_IN_FLIGHT
    ) as client:
        for n in range(rounds):
            for one in sensors.say(dict.fromkeys(SENSORS, n % 2 == 1), now_ms()):
                await client.publish(one.topic, one.payload, 0, retain=True)


if __name__ == "__main__":
    asyncio.run(_publish(int(sys.argv[1]), int(sys.argv[2])))
