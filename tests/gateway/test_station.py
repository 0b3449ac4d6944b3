"""One gateway whole: real Modbus lines, a real outbox, a real Valkey."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from redis.asyncio import Redis

from gateway import stream
from gateway.config import GatewayConfig
from gateway.correction import Correction
from gateway.observation import Basis, FaceState, Observation
from gateway.outbox import Outbox
from gateway.process import monotonic_seconds, now_ms
from gateway.settings import BadSettingError
from gateway.signs import SignOrder
from gateway.station import StationSettings, run_gateway
from tests.field_line import Act, FieldLine, Request, serving
from tests.gateway.full_disk import no_file_grows_beyond
from tests.gateway.parks import DEVICES, small_park
from tests.rows import Row, published
from tests.waiting import until

LOT = "small"
SIGN_FACES = {"number": 0, "full": 1, "closed": 2, "stale": 3, "blank": 4}


@dataclass
class Lots:
    """The registers of the small car park's field, and its lines."""

    cars: dict[str, int] = field(default_factory=lambda: {"in": 100, "out": 50})
    occupied: dict[str, int] = field(default_factory=lambda: {"g1": 2, "g2": 3})
    state: dict[str, int] = field(default_factory=lambda: {"g1": 0, "g2": 0})
    lines: dict[str, FieldLine] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)

    def line(self, device: str) -> FieldLine:
        return FieldLine(
            value=lambda _, address: self._word(device, address),
            script=lambda _: Act.BREAK if device in self.silent else Act.ANSWER,
        )

    def _word(self, device: str, address: int) -> int:
        if device in self.cars:
            return self.cars[device] if address == 0 else 0
        if device in self.occupied:
            bits = (1 << self.occupied[device]) - 1
            clock = now_ms() // 1_000
            words = {0: self.state[device], 4: 600, 6: clock >> 16, 7: clock & 0xFFFF}
            return {**words, 5: clock & 0xFFFF, 16: bits}.get(address, 0)
        return 0

    def face(self, sign: str) -> tuple[int, int]:
        """The number and the face code of the first line."""
        line = self.lines[sign]
        return line.word(1, 0), line.word(1, 4)

    def shows(self, sign: str, number: int, face: str) -> bool:
        return self.face(sign) == (number, SIGN_FACES[face])


@pytest.fixture
async def lots() -> AsyncIterator[Lots]:
    lots = Lots()
    async with AsyncExitStack() as stack:
        for device in DEVICES:
            lots.lines[device] = await stack.enter_async_context(serving(lots.line(device)))
        yield lots


def config(lots: Lots) -> GatewayConfig:
    return small_park({device: line.port for device, line in lots.lines.items()})


@asynccontextmanager
async def running(
    lots: Lots, redis_url: str, folder: Path, handed_over: asyncio.Event | None = None
) -> AsyncIterator[None]:
    stopping = asyncio.Event()
    settings = StationSettings(redis_url, folder)
    async with asyncio.TaskGroup() as group:
        clocks = (now_ms, monotonic_seconds)
        group.create_task(
            run_gateway(config(lots), settings, *clocks, stopping, handed_over), name="gateway"
        )
        yield
        stopping.set()


async def history(redis: Redis) -> list[Row]:
    return await published(redis, LOT)


def newest(redis: Redis, holds: Callable[[Observation], bool]) -> Callable[[], Awaitable[bool]]:
    """Whether the newest observation said is as it should be."""

    async def look() -> bool:
        entries = await stream.read_now(redis, {LOT: "0-0"}, 1)
        return bool(entries) and holds(entries[-1][2].observation)

    return look


async def test_what_the_devices_say_is_said_in_redis(
    lots: Lots, redis: Redis, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.station_state.PRIMED_AFTER_MS", 60_000)  # a slow machine is none
    async with running(lots, redis_url, tmp_path):
        await until(newest(redis, lambda o: (o.cars_on_pallets, o.cars_inside) == (5, 5)))
        lots.cars["in"] += 1
        lots.occupied["g1"] += 1
        await until(newest(redis, lambda o: (o.entries_total, o.cars_on_pallets) == (1, 6)))
        said = await history(redis)
    assert [one.sequence for one in said] == list(range(1, len(said) + 1))
    assert said[0].occupied == 5  # the first is only said when all have been asked
    assert {one.basis for one in said} == {Basis.COUNTED}


async def test_a_restarted_gateway_counts_what_passed_meanwhile(
    lots: Lots, redis: Redis, redis_url: str, tmp_path: Path
) -> None:
    async with running(lots, redis_url, tmp_path):
        await until(newest(redis, lambda o: o.cars_inside == 5))
    lots.cars["in"] += 2
    async with running(lots, redis_url, tmp_path):
        await until(newest(redis, lambda o: (o.entries_total, o.cars_inside) == (2, 7)))
        said = await history(redis)
    assert [one.sequence for one in said] == list(range(1, len(said) + 1))
    assert len({one.epoch for one in said}) == 1


async def test_the_entrance_shows_free_spaces_full_and_closed_also_without_redis(
    lots: Lots, tmp_path: Path
) -> None:
    async with running(lots, f"unix://{tmp_path}/nobody.sock", tmp_path):
        await until(lambda: lots.shows("sign", 9, "number"))
        lots.occupied.update(g1=7, g2=5)
        await until(lambda: lots.shows("sign", 0, "full"))
        lots.state.update(g1=1, g2=2)
        await until(lambda: lots.shows("sign", 0, "closed"))
        assert lots.shows("junction", 0, "stale")


async def test_a_gateway_that_stops_leaves_dashes_on_its_signs(lots: Lots, tmp_path: Path) -> None:
    async with running(lots, f"unix://{tmp_path}/nobody.sock", tmp_path):
        await until(lambda: lots.shows("sign", 9, "number"))
    assert lots.shows("sign", 0, "stale")
    assert lots.shows("junction", 0, "stale")


async def test_a_gateway_that_hands_over_leaves_its_signs_as_they_are(
    lots: Lots, tmp_path: Path
) -> None:
    handed_over = asyncio.Event()
    async with running(lots, f"unix://{tmp_path}/nobody.sock", tmp_path, handed_over):
        await until(lambda: lots.shows("sign", 9, "number"))
        handed_over.set()
    assert lots.shows("sign", 9, "number")


async def test_a_junction_shows_what_is_ordered_as_long_as_orders_come(
    lots: Lots, redis: Redis, redis_url: str, tmp_path: Path
) -> None:
    async with running(lots, redis_url, tmp_path):
        number = 0

        async def ordered() -> bool:
            nonlocal number
            number += 1
            await stream.order_faces(redis, LOT, [SignOrder("junction", ("41", "7"), number)])
            return lots.shows("junction", 41, "number")

        await until(ordered)
        await until(newest(redis, lambda o: o.signs[1].desired == ("41", "7")))
        await until(newest(redis, lambda o: o.signs[1].state is FaceState.AS_DESIRED))


async def test_orders_nobody_can_read_leave_the_dash(
    lots: Lots, redis: Redis, redis_url: str, tmp_path: Path
) -> None:
    await redis.hset(stream.faces_key(LOT), "junction", b"\xc1 nonsense")
    async with running(lots, redis_url, tmp_path):
        await until(newest(redis, lambda o: o.signs[1].state is FaceState.AS_DESIRED))
        assert lots.shows("junction", 0, "stale")


async def test_an_operators_count_is_taken_and_survives_a_restart(
    lots: Lots, redis: Redis, redis_url: str, tmp_path: Path
) -> None:
    async with running(lots, redis_url, tmp_path):
        await until(newest(redis, lambda o: o.cars_inside == 5))
        ((_, _, said),) = (await stream.read_now(redis, {LOT: "0-0"}, 1))[-1:]
        epoch = said.observation.epoch
        await stream.order_correction(redis, LOT, Correction(1, epoch, 7, 0, 0, 0, unseen_cars=2))
        await until(newest(redis, lambda o: (o.correction_number, o.cars_inside) == (1, 7)))
        await until(lambda: lots.shows("sign", 7, "number"))
    async with running(lots, redis_url, tmp_path):
        await until(newest(redis, lambda o: (o.unseen_cars, o.drift_cars) == (2, 0)))


async def test_a_count_nobody_can_read_changes_nothing(
    lots: Lots, redis: Redis, redis_url: str, tmp_path: Path
) -> None:
    await redis.set(stream.correction_key(LOT), b"\xc1 nonsense")
    async with running(lots, redis_url, tmp_path):
        await until(lambda: lots.shows("junction", 0, "stale"))
        await until(newest(redis, lambda o: (o.correction_number, o.cars_inside) == (0, 5)))


async def test_a_sign_that_lost_its_face_is_written_again(lots: Lots, tmp_path: Path) -> None:
    async with running(lots, f"unix://{tmp_path}/nobody.sock", tmp_path):
        await until(lambda: lots.shows("sign", 9, "number"))
        lots.lines["sign"].written.update({(1, 0): 77, (1, 4): 0})
        await until(lambda: lots.shows("sign", 9, "number"))


async def test_a_silent_group_is_derived_and_its_return_is_counted(
    lots: Lots, redis: Redis, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.device_memory.LOST_AFTER_MS", 300)
    monkeypatch.setattr("gateway.device_memory.LOST_AFTER_PERIODS", 3)
    async with running(lots, redis_url, tmp_path):
        await until(newest(redis, lambda o: o.cars_on_pallets == 5))
        lots.silent.add("g2")
        await until(newest(redis, lambda o: o.basis is Basis.DERIVED and o.cars_inside == 5))
        lots.silent.clear()
        await until(newest(redis, lambda o: o.basis is Basis.COUNTED))


async def test_a_full_disk_is_an_alarm_and_a_retry_and_the_signs_go_on(
    lots: Lots, redis: Redis, redis_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Outbox(tmp_path / "small.sqlite", now_ms()).close()
    async with running(lots, redis_url, tmp_path):
        with no_file_grows_beyond(0):
            await until(lambda: lots.shows("sign", 9, "number"))
            lots.occupied["g1"] += 1
            lots.cars["in"] += 1
            await until(lambda: lots.shows("sign", 8, "number"))
            assert await history(redis) == []
        await until(newest(redis, lambda o: o.cars_on_pallets == 6))
        await until(newest(redis, lambda o: not o.doubts and o.entries_total == 1))
        first = (await history(redis))[0]
    assert first.doubts == ("the outbox was full: what came before was not kept in detail",)
    assert first.sequence == 1
    told = capsys.readouterr().out
    assert told.count("the outbox takes no more") == 1
    assert "the outbox takes observations again" in told


async def test_now_and_then_the_station_says_how_far_its_counters_drift(
    lots: Lots, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("gateway.station.ROWS_A_LOOK", 1)
    told = ""

    def says_drift() -> bool:
        nonlocal told
        told += capsys.readouterr().out
        return "drift_cars=2" in told

    async with running(lots, f"unix://{tmp_path}/nobody.sock", tmp_path):
        await until(lambda: lots.shows("sign", 9, "number"))
        lots.cars["in"] += 2
        await until(says_drift)


async def test_an_outbox_of_another_gateway_ends_the_start_and_names_it(
    lots: Lots, tmp_path: Path
) -> None:
    other = Outbox(tmp_path / "small.sqlite", now_ms())
    settings = StationSettings(f"unix://{tmp_path}/nobody.sock", tmp_path)
    with pytest.raises(BadSettingError, match=r"ZHIBO_OUTBOX: .*small\.sqlite.*another gateway"):
        await run_gateway(config(lots), settings, now_ms, monotonic_seconds, asyncio.Event())
    other.close()
    assert all(not line.requests for line in lots.lines.values())


async def test_no_register_of_a_counter_or_machine_is_ever_written(
    lots: Lots, tmp_path: Path
) -> None:
    def writes(line: FieldLine) -> list[Request]:
        return [request for request in line.requests if request.words]

    async with running(lots, f"unix://{tmp_path}/nobody.sock", tmp_path):
        await until(lambda: lots.shows("sign", 9, "number"))
    assert [device for device, line in lots.lines.items() if writes(line)] == ["sign", "junction"]
