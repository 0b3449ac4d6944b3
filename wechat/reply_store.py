"""Which process answers a message, and what was answered, in Redis for WeChat's repetitions.

claim   string `zhibo:v1:wechat:{digest}:claim`: somebody computes; gone when he must have finished
answer  stream `zhibo:v1:wechat:{digest}:answer`: at most one entry, the answer; whoever waits for
        it reads blocking. The first of several wins, as an explicit id is taken only once
"""

import hashlib
from typing import Any, cast

from redis.asyncio import Redis

CLAIM_MS = 5_000
KEPT_MS = 60_000
_ONLY_ID = "1-0"
_FIELD = b"answer"

# KEYS: answer. ARGV: the answer, milliseconds to keep it. Gives the answer that holds.
_SETTLE = """
local held = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)
if held[1] then return held[1][2][2] end
redis.call('XADD', KEYS[1], '1-0', 'answer', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return ARGV[1]
"""


def claim_key(message: str) -> str:
    return f"zhibo:v1:wechat:{{{_digest(message)}}}:claim"


def answer_key(message: str) -> str:
    return f"zhibo:v1:wechat:{{{_digest(message)}}}:answer"


async def claim(redis: Redis, message: str) -> bool:
    """Whether it is ours to compute the answer."""
    return bool(await redis.set(claim_key(message), b"1", px=CLAIM_MS, nx=True))


async def settle(redis: Redis, message: str, answer: bytes) -> bytes:
    """Keep this answer unless there is one; the one that holds."""
    held = await redis.eval(_SETTLE, 1, answer_key(message), answer, KEPT_MS)
    return cast("bytes", held)


async def wait_for_answer(redis: Redis, message: str, within_ms: int) -> bytes | None:
    """What the process that claimed it answers; None when it stays silent."""
    key = answer_key(message)
    found: Any = await redis.xread({key: "0"}, count=1, block=max(within_ms, 1))
    if not found:
        return None
    entries = next(iter(found.values()))[0] if isinstance(found, dict) else found[0][1]
    return cast("bytes", entries[0][1][_FIELD])


def _digest(message: str) -> str:
    return hashlib.blake2b(message.encode("utf-8", "replace"), digest_size=16).hexdigest()
