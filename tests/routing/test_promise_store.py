import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from routing import promise_store
from routing.promise import Promise, Seen, due_of, explain, is_over
from tests.routing.test_promise import MINUTE_MS, NOW, NOW_MS, a_promise, asked

LOT = "kangle"
DIGITS = 2e-6  # the store writes six


async def hold(
    redis: Redis, promise: Promise, limit: float = 3.0, *, strengthen: bool = False
) -> float:
    return await promise_store.hold(redis, LOT, promise, limit, NOW_MS, strengthen=strengthen)


async def held(redis: Redis) -> list[Promise]:
    return list((await promise_store.read(redis, [LOT]))[LOT].promises)


async def due(redis: Redis, minute: int = NOW + 60) -> float:
    """What is due, once it has been seen that the sums are those of the single promises."""
    summed = (await promise_store.read_due(redis, [LOT]))[LOT]
    single = due_of(await held(redis), {})
    assert summed.by(minute, NOW) == pytest.approx(single.by(minute, NOW), abs=20 * DIGITS)
    return summed.by(minute, NOW)


async def test_a_retry_books_nothing_twice(redis: Redis) -> None:
    first = await hold(redis, a_promise())
    again = await hold(redis, a_promise(share=0.9))
    assert first == again == await due(redis) == 0.6


async def test_a_driver_who_opens_the_link_is_promised_more(redis: Redis) -> None:
    await hold(redis, a_promise())
    assert await hold(redis, a_promise(share=0.9), strengthen=True) == 0.9
    assert await hold(redis, a_promise(share=0.2), strengthen=True) == 0.9
    assert await due(redis) == pytest.approx(0.9)


async def test_no_growth_beyond_the_limit(redis: Redis) -> None:
    await hold(redis, a_promise("a", 0.5), 1.0)
    await hold(redis, a_promise("b", 0.5), 1.0)
    assert await hold(redis, a_promise("a", 0.9), 1.0, strengthen=True) == 0.5
    assert await due(redis) == pytest.approx(1.0)


async def test_many_at_once_share_what_there_is(redis: Redis) -> None:
    async with asyncio.TaskGroup() as group:
        for number in range(40):
            group.create_task(hold(redis, a_promise(str(number), 0.5), 2.0))
    assert await due(redis) == pytest.approx(2.0)
    assert len(await held(redis)) == 4


async def test_a_driver_who_goes_elsewhere_leaves_his_space(redis: Redis) -> None:
    await hold(redis, a_promise("a"))
    await hold(redis, a_promise("b"))
    await promise_store.release(redis, LOT, "a")
    await promise_store.release(redis, LOT, "a")
    assert await due(redis) == pytest.approx(0.6)
    assert [promise.trip_id for promise in await held(redis)] == ["b"]


async def test_what_is_overdue_is_swept_by_the_next(redis: Redis) -> None:
    await promise_store.hold(redis, LOT, a_promise("old", begins=-60), 0.6, NOW_MS - 3_600_000)
    assert await hold(redis, a_promise("new"), 0.6) == 0.6
    summed = (await promise_store.read_due(redis, [LOT]))[LOT]
    assert list(summed.cars.values()) == [0.6]
    assert list(summed.limits) == [a_promise().until_minute]


async def test_of_two_processes_one_matches_the_entries(redis: Redis) -> None:
    await hold(redis, a_promise(begins=-2))
    read = (await promise_store.read(redis, [LOT]))[LOT]
    first = explain(read.promises, None, (1, 100), NOW_MS - MINUTE_MS)
    assert await promise_store.settle(redis, LOT, read, first)
    assert not await promise_store.settle(redis, LOT, read, first)
    read = (await promise_store.read(redis, [LOT]))[LOT]
    assert read.seen == first.seen
    second = explain(read.promises, read.seen, (1, 101), NOW_MS)
    assert second.arrived == ("a",)
    assert await promise_store.settle(redis, LOT, read, second)
    assert await held(redis) == []
    assert await due(redis) == 0


async def test_what_is_left_of_a_promise_is_kept(redis: Redis) -> None:
    await hold(redis, a_promise(begins=-2))
    read = (await promise_store.read(redis, [LOT]))[LOT]
    after = explain(read.promises, Seen(1, 100, NOW_MS, 1.0), (1, 101), NOW_MS)
    assert await promise_store.settle(redis, LOT, read, after)
    (left,) = await held(redis)
    assert 0.5 < left.share < 0.6
    assert left.booked == 0.6
    assert await due(redis) == pytest.approx(left.share, abs=DIGITS)


async def test_a_promise_that_changed_meanwhile_is_left_alone(redis: Redis) -> None:
    await hold(redis, a_promise(begins=-2))
    read = (await promise_store.read(redis, [LOT]))[LOT]
    await hold(redis, a_promise(share=0.9, begins=-2), strengthen=True)
    await hold(redis, a_promise("later"))
    after = explain(read.promises, Seen(1, 100, NOW_MS, 0.0), (1, 101), NOW_MS)
    assert await promise_store.settle(redis, LOT, read, after)
    assert sorted(p.share for p in await held(redis)) == [0.6, 0.9]
    assert await due(redis) == pytest.approx(1.5)


async def test_everything_is_gone_by_itself(redis: Redis) -> None:
    await hold(redis, a_promise(begins=5, lasts=10))
    for key in promise_store.keys_of(LOT):
        assert 70 * MINUTE_MS < await redis.pttl(key) <= 75 * MINUTE_MS


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(wishes=asked, strengthen=st.booleans())
async def test_the_script_grants_what_the_pure_room_would(
    redis: Redis,
    wishes: list[tuple[Promise, float]],
    strengthen: bool,  # noqa: FBT001 -- drawn
) -> None:
    await redis.delete(*promise_store.keys_of(LOT))
    for promise, limit in wishes:
        before = await held(redis)
        limits = (await promise_store.read_due(redis, [LOT]))[LOT].limits
        own = [p.share for p in before if p.trip_id == promise.trip_id and not is_over(p, NOW)]
        others = due_of((p for p in before if p.trip_id != promise.trip_id), limits)
        room = others.room_for(promise, limit, NOW)
        expected = (max(own[0], room) if strengthen else own[0]) if own else room
        granted = await hold(redis, promise, limit, strengthen=strengthen)
        assert granted == pytest.approx(expected, abs=30 * DIGITS)
        await due(redis)
