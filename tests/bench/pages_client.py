"""Operators' browsers as a process of their own: `python -m tests.bench.pages_client PORT SECONDS`.

The keys of their sessions come as a JSON list on stdin. Each keeps a live stream open and opens
the overview and the parts of it that look again by themselves; prints one JSON object.
"""

import asyncio
import json
import random
import sys
import time
from collections import defaultdict
from typing import cast

import uvloop

from tests.bench.limits import allow_many_files

OVERVIEW = "/admin/"
# How often one operator asks for each, in seconds: the page itself when he comes back to it, and
# its parts as often as the page says.
EVERY_SECONDS = {OVERVIEW: 30.0, "/admin/table": 60.0, "/admin/waiting": 30.0}
AT_ONCE = (1, 8, 200)
ROUND_SECONDS = 5.0
_ANSWER_SECONDS = 30.0


class _Stream(asyncio.Protocol):
    """One live stream: counts what comes."""

    def __init__(self, request: bytes, told: dict[str, int]) -> None:
        self._request = request
        self._told = told

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast("asyncio.Transport", transport).write(self._request)

    def data_received(self, data: bytes) -> None:
        self._told["bytes"] += len(data)
        self._told["lots"] += data.count(b"event: lot")

    def connection_lost(self, _: Exception | None) -> None:
        self._told["lost"] += 1


def _request(path: str, key: str) -> bytes:
    return (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: zhibo-session={key}\r\n\r\n"
    ).encode()


class Operators:
    """All of them; milliseconds of each answer by its address."""

    def __init__(self, port: int, keys: list[str]) -> None:
        self._port = port
        self._keys = keys
        self.took_ms: dict[str, list[float]] = defaultdict(list)
        self.wrong: dict[str, int] = defaultdict(int)
        self.told: dict[str, int] = {"bytes": 0, "lots": 0, "lost": 0}
        self.page_bytes = 0

    async def listen(self) -> None:
        loop = asyncio.get_running_loop()
        for key in self._keys:
            request = _request("/admin/stream", key)
            await loop.create_connection(
                lambda request=request: _Stream(request, self.told),  # type: ignore[misc]
                "127.0.0.1",
                self._port,
            )

    async def work(self, seconds: float) -> None:
        """Each when it is his turn, however long the answers of others take."""
        until = time.monotonic() + seconds
        async with asyncio.TaskGroup() as group:
            for path, every in EVERY_SECONDS.items():
                name = f"turns of {path}"
                group.create_task(self._turns(path, every / len(self._keys), until), name=name)

    async def refresh(self, at_once: int, seconds: float) -> tuple[float, list[float]]:
        """So many who open the overview again as soon as they have it: answers a second, times."""
        until, began, before = time.monotonic() + seconds, time.monotonic(), self.took_ms
        self.took_ms = defaultdict(list)

        async def again(key: str) -> None:
            while time.monotonic() < until:
                await self._ask(OVERVIEW, key)

        async with asyncio.TaskGroup() as group:
            for number in range(at_once):
                group.create_task(again(self._keys[number]), name=f"refresh {number}")
        took, self.took_ms = self.took_ms[OVERVIEW], before
        return len(took) / (time.monotonic() - began), took

    async def _turns(self, path: str, apart_seconds: float, until: float) -> None:
        random.seed(1)
        async with asyncio.TaskGroup() as group:
            while time.monotonic() < until:
                await asyncio.sleep(random.expovariate(1 / apart_seconds))
                key = random.choice(self._keys)  # noqa: S311
                group.create_task(self._ask(path, key), name=path)

    async def _ask(self, path: str, key: str) -> None:
        """From the first byte asked to the last byte answered, on a connection of its own."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port, limit=1 << 22)
        began = time.perf_counter()
        writer.write(_request(path, key))
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
                lines = head.lower().split(b"\r\n")
                length = next(int(x.split(b":")[1]) for x in lines if x.startswith(b"content-len"))
                await reader.readexactly(length)
        except (TimeoutError, asyncio.IncompleteReadError):
            self.wrong["nothing"] += 1
            return
        finally:
            writer.close()
        if not head.startswith(b"HTTP/1.1 200"):
            self.wrong[head[9:12].decode()] += 1
            return
        self.took_ms[path].append((time.perf_counter() - began) * 1_000)
        if path == OVERVIEW:
            self.page_bytes = max(self.page_bytes, length)


def nth(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))], 1) if ordered else -1


async def _run(port: int, seconds: float, keys: list[str]) -> dict[str, object]:
    people = Operators(port, keys)
    await people.listen()
    await asyncio.sleep(2)
    before = dict(people.told)
    await people.work(seconds)
    told = {name: round((n - before[name]) / seconds) for name, n in people.told.items()}
    answers = {
        path: {"n": len(t), "p50": nth(t, 0.5), "p95": nth(t, 0.95), "max": nth(t, 1)}
        for path, t in people.took_ms.items()
    }
    refreshed = {}
    for at_once in AT_ONCE:
        rate, took = await people.refresh(min(at_once, len(keys)), ROUND_SECONDS)
        refreshed[at_once] = {
            "a_second": round(rate),
            "p50": nth(took, 0.5),
            "p95": nth(took, 0.95),
        }
    return {
        "answers": answers,
        "refreshed": refreshed,
        "stream_a_second": told,
        "wrong": people.wrong,
        "page_bytes": people.page_bytes,
    }


if __name__ == "__main__":
    allow_many_files()
    print(
        json.dumps(
            uvloop.run(_run(int(sys.argv[1]), float(sys.argv[2]), json.loads(sys.stdin.readline())))
        )
    )
