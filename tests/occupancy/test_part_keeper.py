"""Levels and devices are looked at once a minute; between looks that lie far apart is a gap."""

import asyncpg
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.observation import DeviceHealth, DeviceState
from occupancy import database, database_parts
from occupancy.database_explore import explore
from occupancy.edit import BadEditError
from occupancy.explore import Answered, Part, Plan, Subject, curve_of_spans, plan_steps
from occupancy.live import LiveOccupancy, Received, fold
from occupancy.part_keeper import PartKeeper
from tests.builders import MORNING_MS, a_group, a_lot, an_observation

MINUTE, QUARTER = 60_000, 900_000


def picture(
    minute: int, state: DeviceState = DeviceState.ONLINE, cars: tuple[int, ...] | None = (3, 2, 1)
) -> LiveOccupancy:
    at_ms = MORNING_MS + minute * MINUTE
    seen = an_observation(
        minute + 1,
        observed_at_ms=at_ms,
        groups=(a_group(1, cars), a_group(2, cars)),
        devices=(DeviceHealth("kangle-g1", state, at_ms, "timeout" if state != "online" else ""),),
    )
    return fold(None, a_lot(), Received(seen, at_ms, at_ms))


async def look(keeper: PartKeeper, minute: int, *pictures: LiveOccupancy) -> None:
    await keeper.look(pictures, MORNING_MS + minute * MINUTE)


async def test_a_device_has_a_span_a_state_and_gaps_where_nobody_looked(
    connections: asyncpg.Pool, postgres_url: str
) -> None:
    keeper = PartKeeper(connections)
    for minute in range(10):
        state = DeviceState.LOST if minute in (4, 5) else DeviceState.ONLINE
        await look(keeper, minute, picture(minute, state))
    await look(PartKeeper(connections), 10, picture(10))  # another recorder takes over
    await look(PartKeeper(connections), 30, picture(30))  # nobody looked for twenty minutes
    spans = await database_parts.list_spans(
        connections, "kangle", "kangle-g1", MORNING_MS, MORNING_MS + 31 * MINUTE
    )
    told = [
        ((span.from_ms - MORNING_MS) // MINUTE, (span.until_ms - MORNING_MS) // MINUTE, span.state)
        for span in spans
    ]
    on, lost = DeviceState.ONLINE, DeviceState.LOST
    assert told == [(0, 3, on), (4, 5, lost), (6, 10, on), (30, 30, on)]
    assert spans[1].note == "timeout"
    plan = Plan(MORNING_MS, MORNING_MS + 3 * QUARTER, 900)
    device = Subject("kangle", Part.DEVICE, name="kangle-g1")
    async with database.pool(postgres_url, database.WEB_ROLE) as web:
        found = await explore(web, device, plan)
    # Eleven minutes were looked at in the first quarter, nine of them on-line.
    assert list(found.now.occupied) == [81.82, None, None]
    with pytest.raises(BadEditError, match="可选：kangle-g1"):
        await explore(connections, Subject("kangle", Part.DEVICE, name="<b>"), plan)


async def test_levels_are_told_from_the_first_look_on_and_a_silent_one_is_a_gap(
    connections: asyncpg.Pool,
) -> None:
    keeper = PartKeeper(connections)
    for minute in range(31):
        cars = None if 10 <= minute < 20 else (3, 2, 1)
        await look(keeper, minute, picture(minute, cars=cars))
    second = Subject("kangle", Part.LEVEL, 2)
    plan = Plan(MORNING_MS - QUARTER, MORNING_MS + 3 * QUARTER, 900)
    found = await explore(connections, second, plan)
    assert list(found.now.occupied) == [None, 4, None, 4]
    assert list(found.now.free) == [None, 8, None, 8]
    raw = await explore(connections, second, Plan(MORNING_MS, MORNING_MS + 21 * MINUTE, 60))
    assert list(raw.now.occupied) == [*[4] * 10, *[None] * 10, 4]
    assert not any(raw.now.entries)
    with pytest.raises(BadEditError, match="可选 1 到 3"):
        await explore(connections, Subject("kangle", Part.LEVEL, 4), plan)
    assert await database_parts.count_levels(connections, "kangle") == 3
    assert await database_parts.find_first_ms(connections, "kangle") == (MORNING_MS, MORNING_MS)


async def test_a_silent_car_park_is_not_looked_at(connections: asyncpg.Pool) -> None:
    keeper = PartKeeper(connections)
    await look(keeper, 0, picture(0))
    await look(keeper, 5, picture(0))
    assert await connections.fetchval("SELECT count(*) FROM level_sample") == 1
    assert await database_parts.list_devices(connections, "kangle") == ["kangle-g1"]


async def test_within_a_minute_nothing_is_looked_at_twice(connections: asyncpg.Pool) -> None:
    keeper = PartKeeper(connections)
    for second in range(0, 59, 10):
        at_ms = MORNING_MS + second * 1_000
        one = msgspec.structs.replace(picture(0), observed_at_ms=at_ms)
        await keeper.look([one], at_ms)
    assert await connections.fetchval("SELECT count(*) FROM level_sample") == 1


async def test_what_is_older_than_is_kept_goes(connections: asyncpg.Pool) -> None:
    keeper = PartKeeper(connections)
    await look(keeper, 0, picture(0))
    await connections.execute("UPDATE level_sample SET at = at - interval '2 years'")
    await connections.execute(
        "UPDATE device_span SET from_at = from_at - interval '2 years', "
        "until_at = until_at - interval '2 years'"
    )
    await keeper.tidy()
    assert await connections.fetchval("SELECT count(*) FROM level_sample") == 0
    assert await database_parts.list_devices(connections, "kangle") == []


def test_a_step_finer_than_the_looks_is_refused() -> None:
    ends = (MORNING_MS, MORNING_MS + QUARTER, MORNING_MS + QUARTER)
    assert plan_steps(*ends, 0, 60).step_seconds == 60
    with pytest.raises(BadEditError, match="最细到1分钟"):
        plan_steps(*ends, 10, 60)


@given(st.lists(st.tuples(st.integers(-30, 200), st.integers(0, 40), st.booleans()), max_size=6))
def test_a_share_is_one_and_a_step_nobody_saw_is_a_gap(
    parts: list[tuple[int, int, bool]],
) -> None:
    spans, ends = [], -10_000
    for start, length, is_online in sorted(parts):
        if start <= ends:
            continue
        ends = start + length
        from_ms, until_ms = (MORNING_MS + minute * MINUTE for minute in (start, ends))
        spans.append(Answered(from_ms, until_ms, is_online))
    curve = curve_of_spans(Plan(MORNING_MS, MORNING_MS + 12 * QUARTER, 900), spans)
    for percent, told in zip(curve.occupied, curve.completeness, strict=True):
        assert 0 <= told <= 1
        assert (percent is None) == (told < 0.5)
        assert percent is None or 0 <= percent <= 100
