import asyncio

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from routing import promise_store
from routing.promise import Promise, due_by, explain, room_for
from tests.routing.test_promise import MINUTE_MS, NOW_MS, a_promise, wanted

LOT = "kangle"
DIGITS = 2e-6  # the store writes six


async def held(redis: Redis) -> list[Promise]:
    return list((await promise_store.read(redis, [LOT]))[LOT].promises)


async def test_a_retry_books_nothing_twice(redis: Redis) -> None:
    first = await promise_store.hold(redis, LOT, a_promise(), NOW_MS)
    again = await promise_store.hold(redis, LOT, a_promise(share=0.9), NOW_MS)
    assert first == again == 0.6
    assert due_by(await held(redis), a_promise().until_ms, NOW_MS) == 0.6


async def test_a_driver_who_opens_the_link_is_promised_more(redis: Redis) -> None:
    await promise_store.hold(redis, LOT, a_promise(), NOW_MS)
    chosen = a_promise(share=0.9)
    assert await promise_store.hold(redis, LOT, chosen, NOW_MS, strengthen=True) == 0.9
    weaker = a_promise(share=0.2)
    assert await promise_store.hold(redis, LOT, weaker, NOW_MS, strengthen=True) == 0.9


async def test_no_growth_beyond_the_limit(redis: Redis) -> None:
    await promise_store.hold(redis, LOT, a_promise("a", 0.5, limit=1.0), NOW_MS)
    await promise_store.hold(redis, LOT, a_promise("b", 0.5, limit=1.0), NOW_MS)
    grown = a_promise("a", 0.9, limit=1.0)
    assert await promise_store.hold(redis, LOT, grown, NOW_MS, strengthen=True) == 0.5


async def test_many_at_once_share_what_there_is(redis: Redis) -> None:
    asked = [a_promise(str(number), 0.5, limit=2.0) for number in range(40)]
    async with asyncio.TaskGroup() as group:
        for one in asked:
            group.create_task(promise_store.hold(redis, LOT, one, NOW_MS))
    assert due_by(await held(redis), asked[0].until_ms, NOW_MS) <= 2.0 + DIGITS
    assert len(await held(redis)) == 4


async def test_a_driver_who_goes_elsewhere_leaves_his_space(redis: Redis) -> None:
    await promise_store.hold(redis, LOT, a_promise(), NOW_MS)
    await promise_store.release(redis, LOT, "a")
    assert await held(redis) == []


async def test_an_expired_promise_is_swept_by_the_next(redis: Redis) -> None:
    old = a_promise("old", limit=0.6, begins=-60)
    await promise_store.hold(redis, LOT, old, old.from_ms)
    assert await promise_store.hold(redis, LOT, a_promise("new", limit=0.6), NOW_MS) == 0.6
    assert [promise.trip_id for promise in await held(redis)] == ["new"]


async def test_of_two_processes_one_matches_the_entries(redis: Redis) -> None:
    await promise_store.hold(redis, LOT, a_promise(begins=-2), NOW_MS - 10 * MINUTE_MS)
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


async def test_what_is_left_of_a_promise_is_kept(redis: Redis) -> None:
    await promise_store.hold(redis, LOT, a_promise(begins=-2), NOW_MS)
    read = (await promise_store.read(redis, [LOT]))[LOT]
    before = explain((), None, (1, 100), NOW_MS).seen
    after = explain(read.promises, type(before)(1, 100, NOW_MS, 1.0), (1, 101), NOW_MS)
    assert await promise_store.settle(redis, LOT, read, after)
    (left,) = await held(redis)
    assert 0.5 < left.share < 0.6
    assert left.booked == 0.6


async def test_what_another_version_wrote_is_passed_over(redis: Redis) -> None:
    await redis.hset(promise_store.promises_key(LOT), "odd", "1|2|3")
    assert await held(redis) == []


async def test_everything_is_gone_by_itself(redis: Redis) -> None:
    server_ms = int((await redis.time())[0]) * 1_000
    soon = Promise("a", 0.5, 0.5, server_ms, server_ms + 10, 1.0, server_ms + 60_000)
    await promise_store.hold(redis, LOT, soon, server_ms)
    assert 0 < await redis.pttl(promise_store.promises_key(LOT)) <= 61_000


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked=st.lists(wanted, max_size=12))
async def test_the_script_grants_what_the_pure_room_would(
    redis: Redis, asked: list[Promise]
) -> None:
    await redis.delete(promise_store.promises_key(LOT))
    for promise in asked:
        before = await held(redis)
        earlier = [one for one in before if one.trip_id == promise.trip_id]
        alive = [one for one in earlier if one.expires_ms > NOW_MS]
        expected = alive[0].share if alive else room_for(promise, before, NOW_MS)
        granted = await promise_store.hold(redis, LOT, promise, NOW_MS)
        assert abs(granted - expected) <= DIGITS
    now = await held(redis)
    for promise in now:
        if promise.expires_ms > NOW_MS:
            assert due_by(now, promise.until_ms, NOW_MS) <= promise.limit + 12 * DIGITS
