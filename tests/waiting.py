"""Wait on a condition, with a time-out that fails the test; never on time itself."""

import asyncio
from collections.abc import Awaitable, Callable
from inspect import isawaitable


async def until(
    condition: Callable[[], bool | Awaitable[bool]], *, within_seconds: float = 20.0
) -> None:
    """Return as soon as `condition()` holds; raise TimeoutError otherwise."""
    async with asyncio.timeout(within_seconds):
        # a foreign process has no event to wait for
        while not await _holds(condition):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def _holds(condition: Callable[[], bool | Awaitable[bool]]) -> bool:
    answer = condition()
    return await answer if isawaitable(answer) else answer
