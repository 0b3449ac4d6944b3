"""Sessions: a new key at log-in and the old one dead; idle, absolute and ordered ends."""

import msgspec
from redis.asyncio import Redis

from occupancy import session_store
from occupancy.session_store import IDLE_MS, LIFETIME_MS, TOUCH_MS, Session
from tests.builders import MORNING_MS


def a_session(name: str = "li.ming", at_ms: int = MORNING_MS) -> Session:
    return Session(name, 1, session_store.make_csrf(), at_ms, at_ms, "192.0.2.7", "Chromium")


async def test_a_session_is_found_by_its_key_alone(redis: Redis) -> None:
    session = a_session()
    key = await session_store.begin(redis, session)
    assert await session_store.find(redis, key, MORNING_MS) == session
    assert await session_store.find(redis, key + "x", MORNING_MS) is None
    assert await session_store.find(redis, "", MORNING_MS) is None
    assert await session_store.find(redis, "no-dot", MORNING_MS) is None


async def test_redis_never_holds_a_key(redis: Redis) -> None:
    key = await session_store.begin(redis, a_session())
    kept = await redis.hgetall("zhibo:v1:{operator:li.ming}:sessions")
    assert key.partition(".")[2].encode() not in str(kept).encode()
    assert [*kept] == [session_store.digest(key).encode()]


async def test_a_new_key_ends_the_old_one(redis: Redis) -> None:
    old = await session_store.begin(redis, a_session())
    new = await session_store.begin(redis, a_session(), replaced_key=old)
    assert await session_store.find(redis, old, MORNING_MS) is None
    assert await session_store.find(redis, new, MORNING_MS) is not None


async def test_the_key_of_another_is_not_ended(redis: Redis) -> None:
    other = await session_store.begin(redis, a_session("wang"))
    await session_store.begin(redis, a_session(), replaced_key=other)
    assert await session_store.find(redis, other, MORNING_MS) is not None


async def test_idle_sessions_end_and_used_ones_go_on(redis: Redis) -> None:
    key = await session_store.begin(redis, a_session())
    later_ms = MORNING_MS + IDLE_MS - 1
    session = await session_store.find(redis, key, later_ms)
    assert session is not None
    await session_store.touch(redis, key, session, later_ms)
    seen = await session_store.find(redis, key, later_ms)
    assert seen is not None
    assert seen.seen_at_ms == later_ms
    assert await session_store.find(redis, key, later_ms + IDLE_MS - 1) is not None
    assert await session_store.find(redis, key, later_ms + 3 * IDLE_MS) is None
    # Gone, not asleep: an earlier clock does not wake it.
    assert await session_store.find(redis, key, MORNING_MS) is None


async def test_a_session_that_is_used_all_day_ends_as_well(redis: Redis) -> None:
    key = await session_store.begin(redis, a_session())
    now_ms = MORNING_MS
    while now_ms + TOUCH_MS * 20 < MORNING_MS + LIFETIME_MS:
        now_ms += TOUCH_MS * 20
        session = await session_store.find(redis, key, now_ms)
        assert session is not None
        await session_store.touch(redis, key, session, now_ms)
    assert await session_store.find(redis, key, MORNING_MS + LIFETIME_MS) is None


async def test_sessions_are_listed_and_ended_one_by_one(redis: Redis) -> None:
    first = await session_store.begin(redis, a_session())
    second = await session_store.begin(redis, a_session())
    assert len(await session_store.list_of(redis, "li.ming", MORNING_MS)) == 2
    await session_store.end(redis, "li.ming", session_store.digest(first))
    assert [*await session_store.list_of(redis, "li.ming", MORNING_MS)] == [
        session_store.digest(second)
    ]
    await session_store.end_all(redis, "li.ming")
    assert await session_store.list_of(redis, "li.ming", MORNING_MS) == {}


async def test_a_proposed_second_factor_is_remembered(redis: Redis) -> None:
    session = a_session()
    key = await session_store.begin(redis, session)
    await session_store.propose_secret(redis, key, session, "ABC")
    found = await session_store.find(redis, key, MORNING_MS)
    assert found == msgspec.structs.replace(session, proposed_secret="ABC")  # noqa: S106


async def test_a_session_that_was_ended_is_not_brought_back_by_its_last_request(
    redis: Redis,
) -> None:
    key = await session_store.begin(redis, a_session())
    session = await session_store.find(redis, key, MORNING_MS)
    assert session is not None
    await session_store.end(redis, session.name, session_store.digest(key))
    await session_store.touch(redis, key, session, MORNING_MS + IDLE_MS - 1)
    assert await session_store.find(redis, key, MORNING_MS) is None
