"""Records a second the push receiver takes: signed, counted once, committed before the answer.

The sender is a process of its own, the receiver has one core. Redis is away: the outbox keeps what
is answered.
"""

import argparse
import asyncio
import gc
import sys
import tempfile
import time
from pathlib import Path

import uvloop

from gateway.outbox import Outbox
from gateway.process import COLLECT_AFTER, monotonic_seconds, now_ms
from gateway.push_config import Sender
from gateway.push_ledger import PushPark
from gateway.push_receiver import ReceiverSettings, run_receiver
from tests.bench.push_sender import DIALECT, PARK_CODE, REPEATED_ONE_OF, SECRET
from tests.bench.report import Report, at_least, at_most, shown
from tests.waiting import until

GOAL = 3_000
SENDERS_AT_ONCE = 128
SENDER = Sender(PushPark("mall", PARK_CODE, "common", {"all": 100}), DIALECT, SECRET)


def measure(arguments: list[str]) -> Report:
    parser = argparse.ArgumentParser("zhibo bench push")
    parser.add_argument("--posts", type=int, default=6_000)
    parser.add_argument("--records", type=int, default=10, help="records a post")
    chosen = parser.parse_args(arguments)
    gc.set_threshold(*COLLECT_AFTER)  # as in every process of ours
    with tempfile.TemporaryDirectory() as folder:
        return uvloop.run(_measure(chosen.posts, chosen.records, Path(folder)))


async def _measure(posts: int, records: int, folder: Path) -> Report:
    stopping = asyncio.Event()
    ports: list[int] = []
    settings = ReceiverSettings("127.0.0.1", 0, "redis://127.0.0.1:1", folder)
    async with asyncio.TaskGroup() as group:
        group.create_task(
            run_receiver([SENDER], settings, now_ms, monotonic_seconds, stopping, ports.append),
            name="receiver",
        )
        await until(lambda: ports != [])
        seconds, cpu_seconds = await _send(ports[0], posts, records)
        stopping.set()
    outbox = Outbox(folder / "mall.sqlite", now_ms())
    newest = outbox.newest()
    outbox.close()
    different = (posts - posts // REPEATED_ONE_OF) * records
    off = abs((newest.entries_total if newest else 0) - different)
    return Report(
        "push",
        [
            at_least("records_a_second", round(posts * records / seconds), GOAL, "1/s"),
            at_most("lost_or_doubled", off, 0, "records"),
            shown("posts_a_second", round(posts / seconds), "1/s"),
            shown("cores_of_the_receiver", cpu_seconds / seconds, "cores"),
        ],
        {"posts": posts, "records_a_post": records, "connections": SENDERS_AT_ONCE},
    )


async def _send(port: int, posts: int, records: int) -> tuple[float, float]:
    """A child process sends; seconds, and those of this process's threads."""
    told = map(str, (port, posts, records, SENDERS_AT_ONCE))
    sender = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.push_sender", *told),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert sender.stdout is not None
    await sender.stdout.readline()
    begun, cpu = time.perf_counter(), time.process_time()
    await sender.communicate(b"\n")
    if sender.returncode:
        raise SystemExit("the sender failed")
    return time.perf_counter() - begun, time.process_time() - cpu
