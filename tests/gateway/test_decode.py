"""Registers to values and back, and reads planned as few blocks."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.decode import (
    Block,
    UnreadableError,
    UnwritableError,
    Value,
    blocks_of,
    decode,
    decode_blocks,
    encode,
    lookalikes,
)
from gateway.register_map import (
    Point,
    PointType,
    RegisterMap,
    Table,
    WordOrder,
    load_map,
    parse_map,
)

HIGH_FIRST = Point("n", Table.HOLDING, 0, PointType.U32)
LOW_FIRST = Point("n", Table.HOLDING, 0, PointType.U32, word_order=WordOrder.LOW_FIRST)


def _points() -> st.SearchStrategy[Point]:
    return st.builds(
        Point,
        name=st.just("p"),
        table=st.sampled_from([Table.HOLDING, Table.INPUT]),
        address=st.integers(0, 60_000),
        type=st.sampled_from(PointType),
        length=st.integers(1, 40),
        word_order=st.sampled_from(WordOrder),
    )


@given(_points(), st.randoms())
def test_any_registers_come_back_from_their_value(point: Point, dice: random.Random) -> None:
    words = [dice.randrange(65_536) for _ in range(point.width)]
    if point.type is PointType.BITS and point.length % 16:
        words[-1] &= (1 << point.length % 16) - 1  # bits beyond the length belong to nobody
    assert encode(point, decode(point, words)) == words


@given(st.lists(st.booleans(), min_size=1, max_size=40))
def test_bits_in_coils_and_in_registers_mean_the_same(bits: list[bool]) -> None:
    packed = Point("p", Table.INPUT, 0, PointType.BITS, len(bits))
    single = Point("p", Table.DISCRETE, 0, PointType.BITS, len(bits))
    value = tuple(bits)
    assert decode(packed, encode(packed, value)) == decode(single, encode(single, value)) == value


def test_word_order_decides_which_register_weighs_more() -> None:
    assert decode(HIGH_FIRST, [1, 2]) == 65_538
    assert decode(LOW_FIRST, [1, 2]) == 131_073


def test_a_signed_register_goes_below_zero() -> None:
    assert decode(Point("t", Table.INPUT, 0, PointType.I16), [0xFFFE]) == -2


@given(st.integers(0, 65_535))
def test_a_scaled_value_is_its_register_times_the_scale(raw: int) -> None:
    tenths = Point("s", Table.INPUT, 0, scale=0.1)
    assert decode(tenths, [raw]) == pytest.approx(raw / 10)
    assert encode(tenths, raw / 10) == [raw]


@given(st.lists(st.integers(0, 65_535), max_size=5).filter(lambda words: len(words) != 2))
def test_a_short_or_long_answer_is_never_a_value(words: list[int]) -> None:
    with pytest.raises(UnreadableError, match="asked 2 addresses"):
        decode(HIGH_FIRST, words)


def test_a_code_without_a_meaning_is_unreadable_and_the_rest_is_read() -> None:
    points = load_map("lift_slide_plc").points[:3]
    values, troubles = decode_blocks(points, {Block(Table.INPUT, 0, 3): [7, 0, 4]})
    assert values == {"fault_code": 0, "storing_queue": 4}
    assert troubles == ["group_state: code 7 has no meaning in the map"]


def test_a_point_outside_every_answer_is_told() -> None:
    wrong_place = {
        Block(Table.INPUT, 0, 2): [1, 2],  # another table
        Block(Table.HOLDING, 1, 2): [1, 2],  # begins too late
        Block(Table.HOLDING, 0, 1): [1],  # ends too early
    }
    assert decode_blocks([HIGH_FIRST], wrong_place) == ({}, ["n: not in the answer"])


@pytest.mark.parametrize(
    ("point", "value", "words"),
    [
        (Point("n", Table.HOLDING, 0), 65_536, "lies outside 0 to 65535"),
        (Point("n", Table.HOLDING, 0), -1, "lies outside 0 to 65535"),
        (HIGH_FIRST, 1 << 32, "lies outside 0 to 4294967295"),
        (Point("n", Table.HOLDING, 0, PointType.I16), 32_768, "lies outside -32768 to 32767"),
        (Point("n", Table.HOLDING, 0, length=2), 5, "takes 2 values, got 1"),
        (Point("n", Table.HOLDING, 0, PointType.BITS, 2), (True,), "takes 2 bits"),
        (Point("n", Table.HOLDING, 0, PointType.BITS, 1), 1, "takes 1 bits"),
        (load_map("led_sign").point("faces"), ("ful",) * 4, "'ful' is none of blank, closed"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(point: Point, value: Value, words: str) -> None:
    with pytest.raises(UnwritableError, match=words):
        encode(point, value)


def test_words_are_written_as_their_codes() -> None:
    faces = load_map("led_sign").point("faces")
    assert encode(faces, ("number", "full", "closed", "stale")) == [0, 1, 2, 3]


def test_neighbours_are_read_at_once_and_far_ones_are_not() -> None:
    plc = load_map("shengjiang_plc")
    assert blocks_of(plc, plc.points) == (
        Block(Table.DISCRETE, 100, 32),
        Block(Table.HOLDING, 200, 9),
    )


def _map(points: list[Point], hole: int, block: int) -> RegisterMap:
    return RegisterMap("m", "", (3, 4), tuple(points), block, hole)


def _many_points() -> st.SearchStrategy[list[Point]]:
    point = st.builds(
        Point,
        name=st.just("p"),
        table=st.sampled_from([Table.HOLDING, Table.INPUT]),
        address=st.integers(0, 200),
        type=st.just(PointType.U16),
        length=st.integers(1, 6),
    )
    return st.lists(point, min_size=1, max_size=12)


@given(_many_points(), st.integers(0, 20), st.integers(6, 125))
def test_blocks_hold_every_point_within_the_device_limits(
    points: list[Point], hole: int, longest: int
) -> None:
    blocks = blocks_of(_map(points, hole, longest), points)
    for point in points:
        assert any(
            b.table is point.table and b.address <= point.address and point.end <= b.end
            for b in blocks
        )
    for block in blocks:
        assert block.size <= longest
        wanted = {a for p in points if p.table is block.table for a in range(p.address, p.end)}
        unwanted_run = 0
        for address in range(block.address, block.end):
            unwanted_run = 0 if address in wanted else unwanted_run + 1
            assert unwanted_run <= hole


@given(_many_points())
def test_without_limits_each_table_is_one_read(points: list[Point]) -> None:
    register_map = _map(points, 300, 300)
    assert len(blocks_of(register_map, points)) == len({point.table for point in points})


def test_reads_that_rtu_replies_cannot_tell_apart_are_found() -> None:
    text = (
        'model = "x"\nabout = ""\nfunctions = [3]\n'
        '[[point]]\nname = "a"\ntable = "holding"\naddress = 0\npurpose = "count"\n'
        '[[point]]\nname = "b"\ntable = "holding"\naddress = 4\n'
    )
    assert lookalikes(parse_map(text, "x.toml")) == [Block(Table.HOLDING, 4, 1)]
    longer = parse_map(text + "length = 2\n", "x.toml")
    assert lookalikes(longer) == []
