"""One recorder looks for alarms, checks the night's truth and passes corrections on."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from redis.asyncio import Redis

from gateway import stream
from gateway.observation import DeviceHealth, DeviceState, FaceState, Observation, SignReading
from occupancy import (
    alarm_board,
    database,
    database_alarms,
    database_corrections,
    database_proofs,
    duty,
)
from occupancy.alarm import AlarmKind, Severity
from occupancy.correction import Count
from occupancy.counting import NotHeardError, check_lots, count_lot
from occupancy.database import Pool
from occupancy.database_proofs import Proof
from occupancy.duty import Duty, Heard
from occupancy.live import LiveOccupancy, Received, fold
from occupancy.recorder import Recorder
from tests.builders import MORNING_MS, a_lot, an_observation
from tests.occupancy.web.faces import AWAY
from tests.waiting import until

LOST = DeviceHealth("kangle-g1", DeviceState.LOST, None)


@dataclass
class Watched:
    """A duty whose hearing and clock the test moves."""

    redis: Redis
    connections: Pool
    name: str = "one"
    now_ms: int = MORNING_MS
    heard: dict[str, Heard] = field(default_factory=dict)
    pictures: dict[str, LiveOccupancy] = field(default_factory=dict)

    def hear(self, news: Observation) -> None:
        self.now_ms = news.observed_at_ms
        received = Received(news, self.now_ms, self.now_ms)
        self.heard["kangle"] = Heard.after(self.heard.get("kangle"), received)
        self.pictures["kangle"] = fold(self.pictures.get("kangle"), a_lot(), received)

    def duty(self) -> Duty:
        return Duty(
            redis=self.redis,
            connections=self.connections,
            lots={"kangle": a_lot()},
            clock=lambda: self.now_ms,
            name=self.name,
            heard=self.heard,
            pictures=self.pictures,
        )


@pytest.fixture(autouse=True)
def _quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duty, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(duty, "LEASE_SECONDS", 0.3)


@asynccontextmanager
async def on_duty(watched: Watched) -> AsyncIterator[Duty]:
    made = watched.duty()
    async with asyncio.TaskGroup() as group:
        work = group.create_task(made.run(), name="duty")
        yield made
        work.cancel()


def told(redis: Redis, *kinds: AlarmKind) -> Callable[[], Awaitable[bool]]:
    """Whether just these alarms are open in Redis."""

    async def holds() -> bool:
        sheet = await alarm_board.read(redis)
        return sheet is not None and {a.key.kind for a in sheet.alarms} == set(kinds)

    return holds


async def kept(connections: Pool) -> list[tuple[AlarmKind, bool]]:
    """Every alarm that is kept, and whether it is over."""
    alarms = await database_alarms.list_between(connections, 0, MORNING_MS * 2, 100)
    return [(one.alarm.key.kind, one.alarm.cleared_at_ms is not None) for one in alarms]


async def test_an_alarm_is_told_and_kept_and_ends_by_itself(
    redis: Redis, connections: Pool
) -> None:
    watched = Watched(redis, connections)
    watched.hear(an_observation(1, devices=(LOST,)))
    async with on_duty(watched):
        await until(told(redis, AlarmKind.DEVICE_OFFLINE))
        assert await kept(connections) == [(AlarmKind.DEVICE_OFFLINE, False)]
        watched.hear(an_observation(20))
        await until(told(redis))
        assert await kept(connections) == [(AlarmKind.DEVICE_OFFLINE, True)]


async def test_who_takes_the_duty_over_raises_nothing_twice(
    redis: Redis, connections: Pool
) -> None:
    first = Watched(redis, connections)
    first.hear(an_observation(1, devices=(LOST,)))
    async with on_duty(first):
        await until(told(redis, AlarmKind.DEVICE_OFFLINE))
    second = Watched(redis, connections, name="two")
    second.hear(an_observation(2, devices=(LOST,)))
    await redis.delete(alarm_board.KEY)
    async with on_duty(second):
        await until(told(redis, AlarmKind.DEVICE_OFFLINE))
    assert await kept(connections) == [(AlarmKind.DEVICE_OFFLINE, False)]


async def test_of_two_only_one_has_the_duty(
    redis: Redis, connections: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duty, "LEASE_SECONDS", 60.0)  # a slow machine lets nothing run out
    one, two = Watched(redis, connections), Watched(redis, connections, name="two")
    async with on_duty(one) as first:
        await until(lambda: first.is_holder)
        async with on_duty(two) as second:
            await until(told(redis))
            assert not second.is_holder


async def test_who_gets_the_duty_back_knows_what_another_kept_of_the_signs(
    redis: Redis, connections: Pool
) -> None:
    def showing(sequence: int) -> Observation:
        sign = SignReading("gate", ("5",), ("5",), FaceState.AS_DESIRED, 0)
        return an_observation(sequence, signs=(sign,))

    async def proven() -> list[tuple[str, ...]]:
        return [
            one.desired
            for one in await database_proofs.list_proofs(connections, "gate", MORNING_MS * 2, 9)
        ]

    async def is_proven(times: int) -> bool:
        return len(await proven()) == times

    watched = Watched(redis, connections)
    watched.hear(showing(1))
    async with on_duty(watched) as first:
        await until(lambda: is_proven(1))
        await connections.execute("UPDATE lease SET holder = 'two', until = now() + interval '1h'")
        await until(lambda: not first.is_holder)
        between = Proof("gate", "kangle", watched.now_ms + 1, ("7",), ("7",), FaceState.AS_DESIRED)
        await database_proofs.add_proof(connections, between)
        watched.hear(showing(2))
        await connections.execute("UPDATE lease SET until = now() - interval '1s'")
        await until(lambda: is_proven(3))
    assert await proven() == [("5",), ("7",), ("5",)]


async def test_alarms_wait_for_postgresql_and_are_told_meanwhile(
    redis: Redis, connections: Pool
) -> None:
    async with database.pool(AWAY) as away:
        watched = Watched(redis, connections)
        watched.hear(an_observation(1, devices=(LOST,)))
        async with on_duty(watched) as holder:
            await until(lambda: holder.is_holder)
            await until(told(redis, AlarmKind.DEVICE_OFFLINE))
            holder.connections = away
            watched.hear(an_observation(20))
            await until(told(redis))
            assert await kept(connections) == [(AlarmKind.DEVICE_OFFLINE, False)]
            holder.connections = connections
            await until(lambda: not holder.unsaved)
        assert await kept(connections) == [(AlarmKind.DEVICE_OFFLINE, True)]


async def test_rows_that_nobody_records_raise_an_alarm(redis: Redis, connections: Pool) -> None:
    await stream.publish_history(redis, (an_observation(400, previous_sequence=0),))
    watched = Watched(redis, connections)
    watched.hear(an_observation(900))
    async with on_duty(watched):

        async def is_measured() -> bool:
            watched.hear(an_observation(watched.heard["kangle"].news.sequence + 15))
            return await told(redis, AlarmKind.OUTBOX_GROWING, AlarmKind.RECORDER_BEHIND)()

        await until(is_measured)


async def test_a_second_gateway_is_an_alarm_as_long_as_it_says_that_it_is_there(
    redis: Redis, connections: Pool
) -> None:
    watched = Watched(redis, connections)
    watched.hear(an_observation(1))
    number = 0
    async with on_duty(watched):

        async def is_raised() -> bool:
            nonlocal number
            number += 1
            await stream.say_displaced(redis, "kangle", 77, number)
            return await told(redis, AlarmKind.TWO_EPOCHS)()

        await until(is_raised)
        sheet = await alarm_board.read(redis)
        assert sheet is not None
        assert "77" in sheet.alarms[0].words

        async def is_over() -> bool:
            watched.hear(an_observation(watched.heard["kangle"].news.sequence + 10))
            return await told(redis)()

        await until(is_over)


async def test_the_rules_operators_set_are_the_rules(redis: Redis, connections: Pool) -> None:
    await connections.execute(
        "INSERT INTO alarm_rule (kind, is_on, changed_by) VALUES ('device_offline', false, 'li'), "
        "('of a newer version', true, 'li')"
    )
    watched = Watched(redis, connections)
    watched.hear(an_observation(1, devices=(LOST,)))
    async with on_duty(watched) as holder:
        await until(lambda: not holder.rules.of(AlarmKind.DEVICE_OFFLINE, "kangle").is_on)
        await until(told(redis))


async def test_a_car_parks_own_rule_goes_before_the_towns(redis: Redis, connections: Pool) -> None:
    await connections.execute(
        "INSERT INTO alarm_rule (kind, lot_id, is_on, severity, changed_by) VALUES "
        "('device_offline', '', false, NULL, 'li'), "
        "('device_offline', 'kangle', true, 'critical', 'li'), "
        "('device_offline', 'sanda', true, 'minor', 'li')"
    )
    watched = Watched(redis, connections)
    watched.hear(an_observation(1, devices=(LOST,)))
    async with on_duty(watched):
        await until(told(redis, AlarmKind.DEVICE_OFFLINE))
    sheet = await alarm_board.read(redis)
    assert sheet is not None
    assert [alarm.severity for alarm in sheet.alarms] == [Severity.CRITICAL]


async def test_each_night_is_checked_once(redis: Redis, connections: Pool) -> None:
    watched = Watched(redis, connections)
    watched.hear(an_observation(1, cars_inside=15))

    def checks(number: int) -> Callable[[], Awaitable[bool]]:
        async def holds() -> bool:
            found = await database_corrections.list_checks(connections, "kangle", 10)
            return [one.drift_cars for one in found] == [3] * number

        return holds

    async with on_duty(watched):
        await until(checks(1))
        watched.hear(an_observation(2, cars_inside=15))
        await until(told(redis))
        await until(checks(1))
        watched.hear(an_observation(3, cars_inside=15, observed_at_ms=MORNING_MS + 24 * 3_600_000))
        await until(checks(2))


async def is_ordered(redis: Redis) -> bool:
    return await stream.read_correction(redis, "kangle") is not None


async def test_a_count_reaches_the_gateways_key_until_it_is_taken(
    redis: Redis, connections: Pool
) -> None:
    lots = {"kangle": a_lot()}
    recorder = Recorder(redis, connections, lots, [], lambda: MORNING_MS + 2_000)
    async with asyncio.TaskGroup() as group:
        work = group.create_task(recorder.run(), name="recorder")
        await stream.publish_now(redis, stream.NowEntry(an_observation(1), MORNING_MS + 2_000))
        await until(lambda: "kangle" in recorder.pictures)

        async def take() -> None:
            """What a gateway does."""
            await until(lambda: is_ordered(redis))
            ordered = await stream.read_correction(redis, "kangle")
            assert ordered is not None
            news = an_observation(2, correction_number=ordered.number)
            await stream.publish_now(redis, stream.NowEntry(news, MORNING_MS + 2_000))

        group.create_task(take(), name="gateway")
        count = Count(14, "夜间盘点", "li", MORNING_MS)
        counted = await count_lot(redis, connections, "kangle", count, lambda: 0.0)
        assert counted.is_taken
        assert "counts on" in counted.words
        (found,) = await check_lots(redis, connections, ["kangle"], lambda: MORNING_MS, "li")
        assert found.asked_by == "li"
        work.cancel()


async def test_a_count_that_nobody_takes_is_recorded_and_said_so(
    redis: Redis, connections: Pool
) -> None:
    recorder = Recorder(redis, connections, {"kangle": a_lot()}, [], lambda: MORNING_MS + 2_000)
    async with asyncio.TaskGroup() as group:
        work = group.create_task(recorder.run(), name="recorder")
        await stream.publish_now(redis, stream.NowEntry(an_observation(1), MORNING_MS + 2_000))
        await until(lambda: "kangle" in recorder.pictures)
        work.cancel()
    ticks = iter(range(0, 1_000, 6))
    count = Count(14, "夜间盘点", "li", MORNING_MS)
    counted = await count_lot(redis, connections, "kangle", count, lambda: float(next(ticks)))
    assert not counted.is_taken
    assert "as soon as it is heard" in counted.words


async def test_a_car_park_never_heard_cannot_be_counted(redis: Redis, connections: Pool) -> None:
    with pytest.raises(NotHeardError, match="nowhere"):
        await check_lots(redis, connections, ["nowhere"], lambda: MORNING_MS, "li")


async def test_a_sheet_nobody_can_read_is_no_sheet(redis: Redis) -> None:
    await redis.set(alarm_board.KEY, b"\xc1 nonsense")
    assert await alarm_board.read(redis) is None
