"""Rows copied by the hundred say the same as rows read one by one."""

import datetime as dt
from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.history_rows import decode_rows, encode_rows, join, rows_of
from gateway.observation import Basis, Observation
from gateway.reconcile import balance_of
from occupancy import history
from occupancy.copy_rows import CLOCK_DOUBT, contiguous, write
from occupancy.database import Pool
from occupancy.history import Position
from tests.builders import MORNING_MS, a_group, an_observation
from tests.rows import plain_rows, written

small = st.integers(0, 6)
groups = st.lists(st.one_of(st.none(), st.tuples(small, small, small)), min_size=1, max_size=3).map(
    lambda found: tuple(a_group(n, occupied) for n, occupied in enumerate(found, start=1))
)
doubts = st.lists(st.sampled_from(["a", "疑问", "x, {y} \"z\" \\ 'w'"]), max_size=2).map(tuple)
moments = st.one_of(st.integers(MORNING_MS, MORNING_MS + 86_400_000), st.just(5), st.just(1 << 45))


@st.composite
def batches(draw: st.DrawFn) -> list[Observation]:
    """One lot's observations in order, of any shape, with new memories in between."""
    found: list[Observation] = []
    epoch, sequence = 1, 0
    for _ in range(draw(st.integers(1, 12))):
        if draw(st.integers(0, 9)) == 0:
            epoch, sequence = epoch + 1, 0
        step = draw(st.integers(1, 3))
        found.append(
            an_observation(
                sequence + step,
                epoch=epoch,
                previous_sequence=sequence,
                observed_at_ms=draw(moments),
                entries_total=draw(st.integers(0, 1 << 40)),
                exits_total=draw(st.integers(0, 1 << 40)),
                groups=draw(groups),
                doubts=draw(doubts),
                basis=draw(st.sampled_from(Basis)),
                cars_inside=draw(st.none() | st.integers(-5, 60)),
            )
        )
        sequence += step
    return found


def expected(news: Observation, offset_ms: int, recorded_at_ms: int) -> tuple[object, ...]:
    """The row as the table's documentation has it."""
    spaces = balance_of(news)
    at_ms = news.observed_at_ms + offset_ms
    possible = 1_577_836_800_000 <= at_ms <= recorded_at_ms + 86_400_000
    return (
        news.lot_id,
        news.epoch,
        news.sequence,
        _time(at_ms if possible else recorded_at_ms),
        _time(news.observed_at_ms),
        _time(recorded_at_ms),
        spaces.occupied,
        spaces.free,
        spaces.usable,
        spaces.out_of_service,
        news.entries_total,
        news.exits_total,
        [lane.cars_total for lane in news.lanes],
        [-1 if g.occupied_by_level is None else sum(g.occupied_by_level) for g in news.groups],
        news.basis.value,
        [*news.doubts, *([] if possible else [CLOCK_DOUBT])],
    )


def _time(ms: int) -> dt.datetime:
    return dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(milliseconds=ms)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batch=batches(), offset_ms=st.sampled_from([0, 7_000, -7_000]))
async def test_postgresql_holds_what_was_observed(
    connections: Pool, batch: list[Observation], offset_ms: int
) -> None:
    recorded_at_ms = MORNING_MS + 3_600_000
    await connections.execute("TRUNCATE observation, watermark, gateway_epoch")
    copied = write(rows_of(batch), offset_ms, recorded_at_ms)
    reached = await history.record(connections, "kangle", copied, Position(0, 0))
    assert reached == Position(*batch[-1].position)
    rows = await connections.fetch("SELECT * FROM observation ORDER BY epoch, sequence")
    assert [tuple(row) for row in rows] == [
        expected(one, offset_ms, recorded_at_ms) for one in batch
    ]


@given(batches())
def test_rows_come_back_as_they_were_sent(batch: list[Observation]) -> None:
    assert decode_rows(encode_rows(batch)) == rows_of(batch)
    assert [row.sequence for row in plain_rows(rows_of(batch))] == [o.sequence for o in batch]


def slow_run(batch: Sequence[Observation], behind: tuple[int, int]) -> list[int]:
    """Row by row: each must say that it follows the one before."""
    found: list[int] = []
    for news in batch:
        if news.position <= behind:
            continue
        follows = news.epoch == behind[0] and news.previous_sequence <= behind[1]
        begins = news.epoch > behind[0] and news.previous_sequence == 0
        if not (follows or begins):
            break
        found.append(news.sequence)
        behind = news.position
    return found


@given(batches(), st.data())
def test_a_run_behind_any_place_is_the_same_found_at_once_or_row_by_row(
    batch: list[Observation], data: st.DataObject
) -> None:
    lost = data.draw(st.sets(st.integers(0, len(batch) - 1), max_size=2))
    behind = data.draw(st.tuples(st.integers(0, 3), st.integers(0, 12)))
    left = [news for place, news in enumerate(batch) if place not in lost]
    run, has_hole = contiguous(rows_of(left), *behind)
    kept = slow_run(left, behind)
    assert [row.sequence for row in plain_rows(run)] == kept
    fresh = [news for news in left if news.position > behind]
    assert has_hole == (len(kept) < len(fresh))


@given(batch=batches())
def test_rows_sent_one_by_one_are_written_as_if_sent_together(batch: list[Observation]) -> None:
    one_by_one = [part for news in batch for part in rows_of([news])]
    together = rows_of(batch)
    assert join(one_by_one) == list(together)
    assert write(one_by_one, 0, MORNING_MS) == write(together, 0, MORNING_MS)


def test_the_days_of_the_rows_are_named_in_order() -> None:
    night = an_observation(1, observed_at_ms=MORNING_MS)
    later = an_observation(2, observed_at_ms=MORNING_MS + 86_400_000)
    copied = written(later, night, recorded_at_ms=MORNING_MS + 86_400_000)
    assert copied.days == (dt.date(2026, 11, 23), dt.date(2026, 11, 24))


def test_a_lot_without_lanes_or_groups_has_empty_arrays() -> None:
    (part,) = rows_of([an_observation(1, lanes=(), groups=())])
    (row,) = plain_rows([part])
    assert (row.lane_totals, row.group_occupied) == ((), ())
    assert write([part], 0, MORNING_MS).payload


def test_what_no_column_holds_is_refused_and_not_cut() -> None:
    huge = a_group(1, occupied=(1 << 33, 0, 0))
    with pytest.raises(OverflowError, match="does not fit"):
        write(rows_of([an_observation(1, groups=(huge,))]), 0, MORNING_MS)


@pytest.mark.parametrize(
    "broken",
    [
        {"numbers": b"1234"},
        {"lane_totals": b""},
        {"group_occupied": b"12345678"},
        {"bases": b"\x09"},
        {"doubts": {3: ("beyond",)}},
    ],
)
def test_a_batch_that_contradicts_itself_cannot_be_read(broken: dict[str, object]) -> None:
    (part,) = rows_of([an_observation(1)])
    payload = msgspec.msgpack.encode((msgspec.structs.replace(part, **broken),))
    with pytest.raises(msgspec.ValidationError):
        decode_rows(payload)
