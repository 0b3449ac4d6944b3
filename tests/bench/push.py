"""Records a second the push receiver takes: signed, counted once, committed before the answer.

Sender and receiver share one process, so that both together have one core. Redis is away: the
outbox keeps what is answered.
"""

import argparse
import asyncio
import tempfile
from pathlib import Path

import aiohttp
import msgspec

from gateway.outbox import Outbox
from gateway.process import monotonic_seconds, now_ms
from gateway.push_config import Sender
from gateway.push_dialect import load_dialect
from gateway.push_ledger import PushPark
from gateway.push_message import sign
from gateway.push_receiver import ReceiverSettings, run_receiver
from tests.bench.report import Report, at_least, at_most, shown
from tests.waiting import until

GOAL = 3_000
SENDERS_AT_ONCE = 32
REPEATED_ONE_OF = 10
DIALECT = load_dialect("common")
SENDER = Sender(PushPark("mall", "P-1", "common", {"all": 100}), DIALECT, b"a secret of the bench")


def measure(arguments: list[str]) -> Report:
    parser = argparse.ArgumentParser("zhibo bench push")
    parser.add_argument("--posts", type=int, default=6_000)
    parser.add_argument("--records", type=int, default=10, help="records a post")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_measure(chosen.posts, chosen.records, Path(folder)))


def _post(number: int, records: int) -> bytes:
    """Every tenth post says again what the one before it said, under a nonce of its own."""
    said = number - 1 if number % REPEATED_ONE_OF == REPEATED_ONE_OF - 1 else number
    passages = [
        {"recordNo": f"{said}-{n}", "direction": "in", "time": now_ms()} for n in range(records)
    ]
    post = {"parkCode": "P-1", "timestamp": now_ms(), "nonce": f"{number}", "records": passages}
    return msgspec.json.encode(post)


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
        started = monotonic_seconds()
        await _push_all(f"http://127.0.0.1:{ports[0]}/push/P-1", posts, records)
        seconds = monotonic_seconds() - started
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
        ],
        {"posts": posts, "records_a_post": records, "connections": SENDERS_AT_ONCE},
    )


async def _push_all(url: str, posts: int, records: int) -> None:
    numbers = iter(range(posts))

    async def sender(http: aiohttp.ClientSession) -> None:
        for number in numbers:
            body = _post(number, records)
            headers = {"X-Signature": sign(DIALECT.signature, SENDER.secret, body, {})}
            async with http.post(url, data=body, headers=headers) as answer:
                answer.raise_for_status()

    async with aiohttp.ClientSession() as http, asyncio.TaskGroup() as group:
        for lane in range(SENDERS_AT_ONCE):
            group.create_task(sender(http), name=f"sender {lane}")
