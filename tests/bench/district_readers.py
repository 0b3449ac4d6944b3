"""Phones and screens of a district: `python -m tests.bench.district_readers PORT READERS LOTS
SECONDS TIMES`.

Every reader holds a live stream: a phone that of five car parks, one in two hundred that of all, as
a big screen does. How late each number is, is looked up in TIMES (see district_edge). Prints JSON.
"""

import json
import random
import re
import select
import socket
import sys
import time
from collections import defaultdict
from pathlib import Path

import numpy as np

from tests.bench.district_edge import times_of
from tests.bench.limits import allow_many_files
from tests.bench.pages_town import a_town

READY = "all are open"
LOTS_A_PHONE, SCREEN_EVERY = 5, 200
SETTLE_SECONDS, SPELL_SECONDS = 5.0, 10.0
_TAKE = 1 << 18
_EVENT = re.compile(rb'data: \{"id":"([^"]+)"[^\n]*?"occupied":(\d+)')


def run(port: int, readers: int, lots: int, seconds: float, file: Path) -> dict[str, object]:
    ids = [lot.lot_id for lot in a_town(lots)]
    places = {lot_id.encode(): number for number, lot_id in enumerate(ids)}
    times, chance = times_of(file, lots), random.Random(2)  # noqa: S311
    sockets = {}
    for number in range(readers):
        chosen = ",".join(chance.sample(ids, LOTS_A_PHONE)) if number % SCREEN_EVERY else ""
        opened = _open(port, chosen)
        sockets[opened.fileno()] = opened
    poll = select.epoll()
    for number in sockets:
        poll.register(number, select.EPOLLIN)
    print(READY, flush=True)
    late: list[float] = []
    spells: dict[int, list[float]] = defaultdict(list)  # the same by the ten seconds of the run
    held: dict[tuple[int, bytes], int] = {}  # what each reader knows of each car park
    told, lost, took_bytes = 0, 0, 0
    begun = time.monotonic()
    while (passed := time.monotonic() - begun) < seconds:
        for number, _ in poll.poll(0.5):
            got = sockets[number].recv(_TAKE)
            took_bytes += len(got)
            if not got:
                lost += 1
                poll.unregister(number)
                continue
            now = time.time() * 1_000
            for found in _EVENT.finditer(got):
                told += 1
                lot_id, cars = found[1], int(found[2])
                before, held[number, lot_id] = held.get((number, lot_id)), cars
                came_at = times[places[lot_id], cars]
                if passed > SETTLE_SECONDS and came_at and before is not None and cars != before:
                    late.append(now - came_at)
                    spells[int(passed / SPELL_SECONDS)].append(late[-1])
    ordered = np.sort(np.array(late)) if late else np.zeros(1)
    return {
        "told": told,
        "lost": lost,
        "bytes": took_bytes,
        "p95_by_spell": [round(float(np.quantile(spells[n], 0.95))) for n in sorted(spells)],
        **{
            name: round(float(ordered[int((len(ordered) - 1) * share)]))
            for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("max", 1.0))
        },
    }


def _open(port: int, chosen: str) -> socket.socket:
    reader = socket.create_connection(("127.0.0.1", port))
    query = f"?lots={chosen}" if chosen else ""
    reader.send(f"GET /v1/stream{query} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    return reader


if __name__ == "__main__":
    allow_many_files()
    port_, readers_, lots_, seconds_, file_ = sys.argv[1:]
    print(json.dumps(run(int(port_), int(readers_), int(lots_), float(seconds_), Path(file_))))
