"""All devices of a car park polled over lines that misbehave."""

import asyncio
import itertools
import random
import socket
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from gateway.config import CarPark, Device, GatewayConfig, Link, LinkKind, Role
from gateway.decode import UnwritableError
from gateway.poller import Field
from gateway.process import monotonic_seconds
from gateway.reading import Failure, FailureKind, Reading
from gateway.register_map import Point, Purpose, RegisterMap, Table, load_map
from tests.field_line import WRITE, Act, FieldLine, Request, serving
from tests.waiting import until

RTU = LinkKind.RTU_OVER_TCP
MAPS = {name: load_map(name) for name in ("nice_lp22", "led_sign", "shengjiang_plc")}
NOW_MS = 1_800_000_000_000


@dataclass
class News:
    """What the poller reported."""

    readings: list[Reading] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)

    def take(self, news: Reading | Failure) -> None:
        (self.readings if isinstance(news, Reading) else self.failures).append(news)  # type: ignore[arg-type]

    def of(self, device_id: str) -> list[Reading]:
        return [reading for reading in self.readings if reading.device_id == device_id]


def _lane(unit: int, *, period_ms: int = 20, timeout_ms: int = 2_000) -> Device:
    return Device(f"lane{unit}", "bus", "nice_lp22", Role.LANE, unit, period_ms, timeout_ms)


def _sign(unit: int, *, timeout_ms: int = 2_000) -> Device:
    return Device(f"sign{unit}", "bus", "led_sign", Role.SIGN, unit, 60_000, timeout_ms)


def _field(
    line: FieldLine,
    devices: Iterable[Device],
    news: News,
    maps: dict[str, RegisterMap] = MAPS,
    monotonic: Callable[[], float] = monotonic_seconds,
) -> Field:
    car_park = CarPark("x", (Link("bus", line.kind, line.port),), tuple(devices))
    config = GatewayConfig(car_park, maps)
    return Field(config, lambda: NOW_MS, monotonic, news.take, random.Random(7))  # noqa: S311


@asynccontextmanager
async def _running(polled: Field) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(polled.run(), name="field")
        yield
        task.cancel()


def _acts(*first: Act) -> Callable[[Request], Act]:
    """These in turn, then answers."""
    acts = itertools.chain(first, itertools.repeat(Act.ANSWER))
    return lambda _: next(acts)


@pytest.mark.parametrize("kind", [LinkKind.TCP, RTU])
async def test_devices_of_one_line_are_read_by_name(kind: LinkKind) -> None:
    news = News()
    async with (
        serving(FieldLine(kind)) as line,
        _running(_field(line, [_lane(11), _lane(12)], news)),
    ):
        await until(lambda: news.of("lane11") != [] and news.of("lane12") != [])
    assert news.of("lane11")[0].values == {"count": 11_000, "loop_status": (False, False)}
    assert news.of("lane12")[0].values["count"] == 12_000
    assert {reading.read_at_ms for reading in news.readings} == {NOW_MS}
    assert not news.failures


async def test_what_a_device_says_beyond_its_map_is_told_beside_what_is_known() -> None:
    news = News()
    group = Device("g1", "bus", "shengjiang_plc", Role.GROUP, 1, 20, 2_000)
    async with (
        serving(FieldLine(value=lambda _, address: address % 200)) as line,
        _running(_field(line, [group], news)),
    ):
        await until(lambda: any("storing_queue" in r.values for r in news.readings))
    reading = next(r for r in news.readings if "storing_queue" in r.values)
    assert reading.unreadable == ("group_state: code 0 has no meaning in the map",)
    assert "group_state" not in reading.values
    assert reading.values["fetching_queue"] == 2


@pytest.mark.parametrize(
    ("act", "kind"), [(Act.SILENT, FailureKind.TIMEOUT), (Act.BREAK, FailureKind.BROKEN)]
)
async def test_a_dead_unit_is_asked_ever_less_and_its_neighbours_go_on(
    act: Act, kind: FailureKind
) -> None:
    def script(request: Request) -> Act:
        return act if request.unit == 12 else Act.ANSWER

    news = News()
    devices = [_lane(11), _lane(12, timeout_ms=20), _lane(13)]
    async with (
        serving(FieldLine(RTU, script=script)) as line,
        _running(_field(line, devices, news)),
    ):
        await until(lambda: min(len(news.of("lane11")), len(news.of("lane13"))) >= 40)
    assert not news.of("lane12")
    assert "lane12" in {failure.device_id for failure in news.failures}
    assert {failure.kind for failure in news.failures} == {kind}
    asked = sum(request.unit == 12 for request in line.requests)
    assert 2 <= asked <= 10


async def test_a_unit_that_answers_again_is_polled_as_before() -> None:
    news = News()
    line = FieldLine(RTU, script=_acts(Act.SILENT, Act.SILENT))
    async with serving(line), _running(_field(line, [_lane(11, timeout_ms=20)], news)):
        await until(lambda: len(news.readings) >= 5)
    assert len(news.failures) == 2


async def test_busy_is_asked_again_and_is_no_failure() -> None:
    news = News()
    async with (
        serving(FieldLine(script=_acts(Act.BUSY, Act.BUSY))) as line,
        _running(_field(line, [_lane(11)], news)),
    ):
        await until(lambda: news.readings != [])
    assert not news.failures
    assert line.requests[0] == line.requests[1] == line.requests[2]


async def test_a_device_that_stays_busy_has_failed() -> None:
    news = News()
    async with (
        serving(FieldLine(script=lambda _: Act.BUSY)) as line,
        _running(_field(line, [_lane(11)], news)),
    ):
        await until(lambda: news.failures != [])
    assert news.failures[0].kind is FailureKind.BUSY
    assert not news.readings


async def test_a_lost_line_is_told_for_each_device_and_found_again() -> None:
    news = News()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    line = FieldLine(port=port)
    async with _running(_field(line, [_lane(11), _lane(12)], news)):
        await until(lambda: len(news.failures) >= 4)
        assert {failure.kind for failure in news.failures} == {FailureKind.REFUSED}
        assert {failure.device_id for failure in news.failures} == {"lane11", "lane12"}
        async with serving(line, port):
            await until(lambda: news.of("lane11") != [] and news.of("lane12") != [])
            line.break_all()
            seen = len(news.readings)
            await until(lambda: len(news.readings) > seen + 2)


async def test_late_replies_are_never_credited_to_another_address() -> None:
    """The late ones come over the new connection, just before the answer to the next question."""
    dice = random.Random(3)  # noqa: S311
    points = tuple(
        Point(f"p{n}", Table.HOLDING, 100 * n, length=n + 1, purpose=purpose)
        for n, purpose in enumerate(Purpose)
    )
    maps = {"nice_lp22": RegisterMap("bench", "", (3,), points)}
    line = FieldLine(RTU, script=lambda _: Act.LATE if dice.random() < 0.1 else Act.ANSWER)
    news = News()
    devices = [_lane(unit, period_ms=10, timeout_ms=10) for unit in (1, 2, 3)]
    async with serving(line), _running(_field(line, devices, news, maps)):
        await until(lambda: len(news.readings) >= 200 and len(news.failures) >= 20)
    for reading in news.readings:
        unit = int(reading.device_id.removeprefix("lane"))
        for name, value in reading.values.items():
            start, size = 100 * int(name[1:]), int(name[1:]) + 1
            expected = tuple(line.word(unit, start + i) for i in range(size))
            assert value == (expected[0] if size == 1 else expected)


async def test_of_several_faces_for_a_sign_the_last_is_written_first_of_all_and_read_back() -> None:
    news = News()
    async with serving(FieldLine(RTU)) as line:
        polled = _field(line, [_lane(11), _sign(21)], news)
        for number in (5, 6, 7):
            faces = ("number", "blank", "blank", "blank")
            polled.write("sign21", {"faces": faces, "numbers": (number, 0, 0, 0)})
        async with _running(polled):
            await until(lambda: any("faces" in r.values for r in news.of("sign21")))
    assert line.requests[0] == Request(21, WRITE, 0, 8, (7, 0, 0, 0, 0, 4, 4, 4))
    assert sum(request.function == WRITE for request in line.requests) == 1
    read_back = next(r for r in news.of("sign21") if "faces" in r.values)
    assert read_back.values["numbers"] == (7, 0, 0, 0)


async def test_a_face_wakes_a_line_that_rests() -> None:
    news = News()
    async with serving(FieldLine()) as line:
        polled = _field(line, [_sign(21)], news, monotonic=lambda: 0.0)  # nothing is ever due
        async with _running(polled):
            polled.write("sign21", {"faces": ("full", "blank", "blank", "blank")})
            await until(lambda: (21, 4) in line.written)
    assert line.written[21, 4] == 1


async def test_a_face_that_a_silent_sign_did_not_take_is_a_failure() -> None:
    news = News()
    async with serving(FieldLine(RTU, script=lambda _: Act.SILENT)) as line:
        polled = _field(line, [_sign(21, timeout_ms=20)], news)
        polled.write("sign21", {"numbers": (1, 0, 0, 0)})
        async with _running(polled):
            await until(lambda: news.failures != [])
            polled.write("sign21", {"numbers": (2, 0, 0, 0)})  # given up while the sign rests
            await until(lambda: len(news.failures) >= 3)
    assert news.failures[0].kind is FailureKind.TIMEOUT
    assert not line.written


async def test_only_what_the_map_lets_be_written_is_written() -> None:
    polled = _field(FieldLine(port=1), [_lane(11), _sign(21)], News())
    with pytest.raises(UnwritableError, match="map nice_lp22 does not let count be written"):
        polled.write("lane11", {"count": 0})
    with pytest.raises(UnwritableError, match="lies outside 0 to 65535"):
        polled.write("sign21", {"numbers": (70_000, 0, 0, 0)})


async def test_points_apart_are_written_apart() -> None:
    points = tuple(
        Point(name, Table.HOLDING, address, writable=True, purpose=Purpose.FACE)
        for name, address in (("a", 0), ("b", 1), ("c", 9))
    )
    maps = {"led_sign": RegisterMap("x", "", (3, 16), points)}
    async with serving(FieldLine()) as line:
        polled = _field(line, [_sign(21)], News(), maps)
        polled.write("sign21", {"c": 3, "a": 1, "b": 2})
        async with _running(polled):
            await until(lambda: len(line.written) == 3)
    written = [(r.address, r.words) for r in line.requests if r.function == WRITE]
    assert written == [(0, (1, 2)), (9, (3,))]


@pytest.mark.parametrize("steps", range(12))
async def test_a_poller_ends_when_told_to_at_whatever_moment(steps: int) -> None:
    """Before Python 3.12 a cancellation that met a reply was swallowed inside pymodbus."""
    asked = asyncio.Event()

    def script(_: Request) -> Act:
        asked.set()
        return Act.ANSWER

    line = FieldLine(script=script)
    async with serving(line), _running(_field(line, [_lane(11)], News())):
        await asked.wait()
        for _ in range(steps):
            await asyncio.sleep(0)


@pytest.mark.parametrize("kind", [LinkKind.TCP, RTU])
@pytest.mark.parametrize("seed", range(3))
async def test_no_answer_however_wild_ends_the_poller_or_leaves_a_traceback(
    kind: LinkKind, seed: int, caplog: pytest.LogCaptureFixture
) -> None:
    dice = random.Random(seed)  # noqa: S311

    class Wild(FieldLine):
        def answer(self, request: Request) -> bytes:
            if dice.random() < 0.8:
                return super().answer(request)
            function = dice.choice([request.function, dice.randrange(256)])
            return bytes([function]) + dice.randbytes(dice.randrange(12))

    news = News()
    devices = [_lane(unit, period_ms=10, timeout_ms=10) for unit in (1, 2, 3, 4)]
    async with serving(Wild(kind)) as line, _running(_field(line, devices, news)):
        await until(lambda: len(news.readings) >= 30 and len(news.failures) >= 5)
    assert not caplog.records
