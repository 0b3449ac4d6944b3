"""Keys and entries: what was written is what is read, and a bad entry stays one entry."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from gateway import stream
from gateway.observation import (
    Basis,
    DeviceHealth,
    DeviceState,
    Direction,
    FaceState,
    GroupReading,
    GroupState,
    LaneReading,
    Observation,
    SignReading,
    decode_batch,
    encode_batch,
)
from gateway.signs import SignOrder
from tests.gateway.parks import observation

LOT = "small"


numbers = st.integers(-(2**53), 2**53)
words = st.lists(st.text(max_size=8), max_size=2).map(tuple)
maybe = st.none() | numbers
some_lanes = st.lists(
    st.builds(LaneReading, st.text(), st.sampled_from(Direction), numbers, numbers, words),
    max_size=2,
)
some_groups = st.lists(
    st.builds(
        GroupReading,
        st.text(),
        st.text(),
        st.sampled_from(GroupState),
        st.tuples(numbers, numbers),
        st.none() | st.tuples(numbers, numbers),
        maybe,
        maybe,
        st.none() | st.floats(allow_nan=False),
        numbers,
        words,
    ),
    max_size=2,
)
some_signs = st.lists(
    st.builds(
        SignReading, st.text(), words, st.none() | words, st.sampled_from(FaceState), numbers
    ),
    max_size=2,
)
some_devices = st.lists(
    st.builds(DeviceHealth, st.text(), st.sampled_from(DeviceState), maybe, st.text()), max_size=2
)
observations = st.builds(
    Observation,
    st.text(),
    *[numbers] * 6,
    maybe,
    maybe,
    st.sampled_from(Basis),
    some_lanes.map(tuple),
    some_groups.map(tuple),
    some_signs.map(tuple),
    some_devices.map(tuple),
    words,
)


@given(st.lists(observations, min_size=1, max_size=3))
def test_any_batch_of_observations_comes_back_as_it_was(batch: list[Observation]) -> None:
    assert decode_batch(encode_batch(tuple(batch))) == tuple(batch)


@given(st.integers(0, 2**52), st.integers(0, 2**40))
def test_a_position_reads_back_from_its_id(epoch: int, sequence: int) -> None:
    text = stream.entry_id(epoch, sequence)
    assert stream.position_of(text) == stream.position_of(text.encode()) == (epoch, sequence)


def test_all_keys_of_a_car_park_share_its_hash_tag() -> None:
    keys = (
        stream.observations_key,
        stream.now_key,
        stream.recorded_key,
        stream.unreadable_key,
        stream.faces_key,
    )
    assert all(key("kangle").startswith("zhibo:v1:{kangle}:") for key in keys)
    assert len({key("kangle") for key in keys}) == len(keys)


def test_what_a_server_holds_is_told_by_epoch() -> None:
    held = stream.Held((7, 40), (7, 41), stream.Acknowledgement(6, 90))
    assert (held.newest_epoch, held.newest_of(7), held.newest_of(6)) == (7, 41, 90)
    assert (held.top_of(7), held.now_of(7), held.top_of(6), held.now_of(6)) == (40, 41, 0, 0)
    nothing = stream.Held(None, None, None)
    assert (nothing.newest_epoch, nothing.newest_of(7), nothing.top_of(7)) == (0, 0, 0)


async def test_only_the_newest_few_are_kept_in_now(redis: Redis) -> None:
    for sequence in range(1, 21):
        placed = _placed(sequence)
        await stream.publish_now(redis, stream.NowEntry(placed, sequence))
    entries = await stream.read_now(redis, {LOT: "0-0"}, 1)
    assert len(entries) == stream.NOW_LENGTH
    assert entries[-1][1] == "7-20"
    assert await stream.read_now(redis, {LOT: "7-20"}, 1) == []


async def test_the_record_trims_what_lies_behind_it_and_lets_no_old_id_in_again(
    redis: Redis,
) -> None:
    for sequence in (2, 4, 6):
        await stream.publish_history(redis, (_placed(sequence - 1), _placed(sequence)))
    await stream.acknowledge(redis, LOT, 7, 5)
    kept = [entry.entry_id for entry in await stream.read_history(redis, LOT, "0-0", 10)]
    assert kept == [b"7-6"]
    await stream.acknowledge(redis, LOT, 7, 6)
    assert not await stream.publish_history(redis, (_placed(5), _placed(6)))
    assert (await stream.read_held(redis, LOT)).observations == (7, 6)


async def test_an_entry_that_cannot_be_read_is_kept_with_its_reason(redis: Redis) -> None:
    await stream.set_aside(redis, LOT, stream.HistoryEntry(b"7-3", None), "no payload")
    kept = await redis.xrange(stream.unreadable_key(LOT))
    assert [fields for _, fields in kept or ()] == [
        {b"entry": b"7-3", b"reason": b"no payload", b"r": b""}
    ]


async def test_an_order_nobody_can_read_hides_no_other(redis: Redis) -> None:
    await stream.order_faces(redis, LOT, [SignOrder("a", ("1",), 1)])
    await stream.order_faces(redis, LOT, [])
    await redis.hset(stream.faces_key(LOT), "b", b"\xc1")
    assert await stream.read_faces(redis, LOT) == {"a": SignOrder("a", ("1",), 1)}


async def test_a_refusal_that_is_no_repeat_is_raised(redis: Redis) -> None:
    await redis.set(stream.now_key(LOT), "not a stream")
    with pytest.raises(ResponseError, match="wrong kind"):
        await stream.publish_now(redis, stream.NowEntry(_placed(1), 1))
    with pytest.raises(ResponseError, match="wrong kind"):
        await stream.read_top(redis, stream.now_key(LOT))


def _placed(sequence: int) -> Observation:
    news = observation(sequence)
    rest = (getattr(news, name) for name in Observation.__struct_fields__[4:])
    return Observation(LOT, 7, sequence, sequence - 1, *rest)
