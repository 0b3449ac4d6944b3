"""A district on one machine: 500 car parks, 5,000 devices, readers and drivers for ten minutes."""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import uvloop

from gateway.redis_client import connect
from occupancy import database, snapshot
from occupancy.lot import Lot
from tests.bench.district_edge import EPOCH
from tests.bench.district_parts import OURS, Used, used_by_part
from tests.bench.district_readers import READY
from tests.bench.pages_town import a_town, picture
from tests.bench.report import Figure, Report, at_most, shown
from tests.bench.service import Service, service

LOTS, FEW_LOTS = 500, 50
CARS_A_MINUTE, READERS, ASKED_A_SECOND = 20_000, 2_000, 50.0
SECONDS, FEW_SECONDS = 600.0, 120.0
LATE_MS, RATIO = 2_000, 1.1
SETTLES_SECONDS, OPENS_SECONDS, DRAINS_SECONDS = 20.0, 60.0, 120.0
EVERYBODY = {"ZHIBO_READS_A_MINUTE": "1000000", "ZHIBO_WRITES_A_MINUTE": "1000000"}


def measure(arguments: list[str]) -> Report:
    parser = argparse.ArgumentParser(prog="zhibo bench district")
    parser.add_argument("--lots", type=int, default=LOTS)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--workers", type=int, default=1, help="web workers")
    parser.add_argument("--no-ratio", action="store_true", help="leave out the 50 car parks")
    chosen = parser.parse_args(arguments)
    many = uvloop.run(_measure(chosen.lots, chosen.seconds, chosen.workers))
    few = {} if chosen.no_ratio else uvloop.run(_measure(FEW_LOTS, FEW_SECONDS, chosen.workers))
    return Report("district", _figures(many, few), {"many": _brief(many), "few": _brief(few)})


def _brief(told: dict[str, Any]) -> dict[str, Any]:
    """Without every answer's own time."""
    if told:
        told["drivers"]["ms"] = len(told["drivers"]["ms"])
    return told


def _figures(many: dict[str, Any], few: dict[str, Any]) -> list[Figure]:
    readers, drivers = many["readers"], many["drivers"]
    took = sorted(drivers["ms"])
    figures = [
        at_most("observations lost or doubled", many["wrong"], 0, ""),
        at_most("event to screen, p95", readers["p95"], LATE_MS, "ms"),
        shown("event to screen, median", readers["p50"], "ms"),
        shown("event to screen, p99", readers["p99"], "ms"),
        at_most("streams that were lost", readers["lost"], 0, ""),
        at_most("recommendations without an answer", drivers["failed"], 0, ""),
        shown("a recommendation, p99", round(took[int(len(took) * 0.99)], 1), "ms"),
        shown("history behind when the load ended", many["drained_seconds"], "s"),
        *(shown(f"{part}: cores", one["cores"], "") for part, one in many["parts"].items()),
        *(shown(f"{part}: memory", one["mb"], "MB") for part, one in many["parts"].items()),
    ]
    if few:
        ratio = many["ms_a_lot_second"] / few["ms_a_lot_second"]
        figures.append(at_most("cost a car park against that at 50", round(ratio, 2), RATIO, ""))
    return figures


async def _measure(lots: int, seconds: float, workers: int) -> dict[str, Any]:
    """Load in proportion to the car parks, so that 50 and 500 can be compared."""
    share, town = lots / LOTS, a_town(lots)
    with tempfile.TemporaryDirectory(prefix="zhibo-district-") as name:
        times = Path(name) / "times"
        async with (
            service(workers=workers, settings=EVERYBODY, town=town, hearing=_once) as served,
            _recording(served),
        ):
            port, readers = served.ports[0], round(READERS * share)
            whole = seconds + SETTLES_SECONDS + OPENS_SECONDS
            _say(f"{lots} car parks, {readers} readers, {seconds:.0f} s")
            edge = await _start(
                "district_edge", served.redis_url, lots, CARS_A_MINUTE * share, whole, times
            )
            await asyncio.sleep(SETTLES_SECONDS)
            listening = await _start("district_readers", port, readers, lots, seconds, times)
            await _until_open(listening)
            asking = await _start("recommend_client", port, ASKED_A_SECOND * share, seconds)
            before = used_by_part(os.getpid())
            begun, used = time.monotonic(), dict(before)
            watching = asyncio.create_task(_watch(used), name="parts")
            told = {"readers": await _told(listening), "drivers": await _told(asking)}
            watching.cancel()
            parts = _spent(before, used, time.monotonic() - begun)
            _say(f"the load has ended: {told['readers']}")
            sent = await _told(edge)
            ended = time.monotonic()
            wrong = await _wrong(served.postgres_url, sent)
    ours = sum(parts[part]["cores"] for part in OURS if part in parts)
    return {
        **told,
        "said_a_second": round(sent["said"] / whole),
        "cars": sent["cars"],
        "edge_late_seconds_p99": sent["late_seconds_p99"],
        "wrong": wrong,
        "drained_seconds": round(time.monotonic() - ended, 1),
        "parts": parts,
        "ms_a_lot_second": round(ours / lots * 1_000, 4),
    }


def _say(words: str) -> None:
    print(f"district: {words}", file=sys.stderr, flush=True)


async def _once(redis_url: str, lots: Sequence[Lot]) -> None:
    """Everybody is heard once, so that the service is ready; then the gateways speak."""
    async with connect(redis_url) as redis:
        run_id = await snapshot.read_run_id(redis)
        for lot in lots:
            await snapshot.write(redis, run_id, picture(lot, 1, lot.capacity // 2))
    await asyncio.Event().wait()


@asynccontextmanager
async def _recording(served: Service) -> AsyncIterator[None]:
    environ = {
        **os.environ,
        "ZHIBO_POSTGRES_URL": served.postgres_url,
        "ZHIBO_REDIS_URL": served.redis_url,
    }
    recorder = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "zhibo", "recorder"), env=environ, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        yield
    finally:
        recorder.terminate()
        await recorder.wait()


async def _start(module: str, *words: object) -> asyncio.subprocess.Process:
    command = (sys.executable, "-m", f"tests.bench.{module}", *map(str, words))
    return await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)


async def _watch(used: dict[str, Used]) -> None:
    """What each part has taken so far, also of those that end before the others."""
    while True:
        for part, one in used_by_part(os.getpid()).items():
            if one.seconds >= used.get(part, one).seconds:
                used[part] = one
        await asyncio.sleep(1.0)


async def _until_open(readers: asyncio.subprocess.Process) -> None:
    """They connect one after the other, and the load is there already."""
    assert readers.stdout is not None
    began = time.monotonic()
    async with asyncio.timeout(OPENS_SECONDS):
        line = (await readers.stdout.readline()).decode().strip()
    if line != READY:
        raise RuntimeError(f"the readers did not all connect: {line!r}")
    _say(f"all readers are open after {time.monotonic() - began:.1f} s")


async def _told(process: asyncio.subprocess.Process) -> Any:  # noqa: ANN401  # JSON
    output, _ = await process.communicate()
    return json.loads(output)


def _spent(before: dict[str, Used], after: dict[str, Used], seconds: float) -> dict[str, Any]:
    nothing = Used(0.0, 0)
    return {
        part: {
            "cores": round((one.seconds - before.get(part, nothing).seconds) / seconds, 3),
            "mb": round(one.own_bytes / 1e6),
        }
        for part, one in sorted(after.items())
    }


async def _wrong(postgres_url: str, sent: dict[str, Any]) -> int:
    """Rows that are not there, or twice, and totals that are not those of the gateways."""
    async with database.pool(postgres_url) as pool:
        until = time.monotonic() + DRAINS_SECONDS
        while (wrong := await _differences(pool, sent)) and time.monotonic() < until:  # noqa: ASYNC110 -- another process
            await asyncio.sleep(0.5)
    return wrong


async def _differences(pool: asyncpg.Pool, sent: dict[str, Any]) -> int:
    rows = await pool.fetch(
        "SELECT lot_id, count(*) AS rows, count(DISTINCT sequence) AS others, "
        "max(entries_total) AS entries, max(exits_total) AS exits "
        "FROM observation WHERE epoch = $1 GROUP BY lot_id",
        EPOCH,
    )
    held = {row["lot_id"]: row for row in rows}
    wrong = 0
    for lot_id, (sequence, entries, exits, _) in sent["lots"].items():
        row = held.get(lot_id)
        if row is None:
            wrong += sequence
            continue
        wrong += abs(sequence - row["others"]) + row["rows"] - row["others"]
        wrong += (row["entries"], row["exits"]) != (entries, exits)
    return wrong
