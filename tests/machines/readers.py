"""People who ask a web worker all the time, and note each answer that is none."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp

PAGES = ("/v1/lots", "/board", "/v1/lots/kangle")
QUESTION = {"destination": "三水区人民医院", "stay": "PT2H"}
PAUSE_SECONDS = 0.1
PATIENCE_SECONDS = 10.0  # of a machine whose cores are shared


@dataclass
class Readers:
    """What came: `failed` says of each failure what was asked and what was got."""

    answers: int = 0
    slowest_seconds: float = 0.0
    failed: list[str] = field(default_factory=list)


@asynccontextmanager
async def reading(web: str) -> AsyncIterator[Readers]:
    """Somebody reads and somebody asks where to park, until the block ends."""
    seen = Readers()
    patience = aiohttp.ClientTimeout(PATIENCE_SECONDS)
    async with aiohttp.ClientSession(web, timeout=patience) as http, asyncio.TaskGroup() as group:
        asking = [
            group.create_task(_ask(http, "GET", PAGES, None, seen), name="reader"),
            group.create_task(_ask(http, "POST", ("/v1/recommendations",), QUESTION, seen)),
        ]
        yield seen
        for task in asking:
            task.cancel()


async def _ask(
    http: aiohttp.ClientSession,
    method: str,
    paths: tuple[str, ...],
    body: dict[str, str] | None,
    seen: Readers,
) -> None:
    """Until cancelled."""
    clock = asyncio.get_running_loop().time
    while True:
        for path in paths:
            asked_at = clock()
            try:
                async with http.request(method, path, json=body) as answer:
                    await answer.read()
                    if answer.status != 200:
                        seen.failed.append(f"{path}: {answer.status}")
            except (aiohttp.ClientError, TimeoutError) as trouble:
                seen.failed.append(f"{path}: {trouble!r}")
            seen.answers += 1
            seen.slowest_seconds = max(seen.slowest_seconds, clock() - asked_at)
            await asyncio.sleep(PAUSE_SECONDS)
