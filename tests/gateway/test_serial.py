"""Modbus RTU on a pseudo-terminal pair: what a serial adapter does to a gateway."""

import asyncio
import random
from pathlib import Path

import pytest

from gateway.bus_timing import Parity, SerialSettings, read_seconds, silence_seconds
from gateway.config import CarPark, Device, GatewayConfig, Link, LinkKind, Role
from gateway.decode import Block
from gateway.modbus import ModbusFailure, ModbusLine
from gateway.poller import Field
from gateway.process import monotonic_seconds
from gateway.reading import Failure, FailureKind, Reading
from gateway.register_map import Table, load_map
from tests.field_line import Act, FieldLine
from tests.serial_line import adapter, serial_link
from tests.waiting import until

PATIENT_MS = 5_000
TEN = Block(Table.HOLDING, 100, 10)
MAPS = {"nice_lp22": load_map("nice_lp22")}


async def _refusal(client: ModbusLine, ms: int = PATIENT_MS) -> ModbusFailure:
    with pytest.raises(ModbusFailure) as failure:
        await client.read(1, TEN, ms)
    return failure.value


@pytest.mark.parametrize(
    ("registers", "milliseconds"), [(1, 28), (10, 47), (32, 93), (60, 151), (125, 286)]
)
def test_a_read_takes_as_long_as_it_was_measured_on_a_bus(
    registers: int, milliseconds: int
) -> None:
    seconds = read_seconds(SerialSettings("/dev/x"), Block(Table.HOLDING, 0, registers))
    assert round(seconds * 1_000) == milliseconds


def test_bits_come_eight_a_character_and_parity_makes_characters_longer() -> None:
    plain, even = SerialSettings("/dev/x"), SerialSettings("/dev/x", parity=Parity.EVEN)
    bits, word = Block(Table.COIL, 0, 16), Block(Table.HOLDING, 0, 1)
    assert read_seconds(plain, bits) == read_seconds(plain, word)
    assert silence_seconds(even) == pytest.approx(silence_seconds(plain) * 11 / 10)
    assert silence_seconds(SerialSettings("/dev/x", 115_200)) == 0.00175


async def test_registers_bits_and_writes_go_over_the_wire(tmp_path: Path) -> None:
    line = FieldLine(LinkKind.RTU)
    with adapter(line, tmp_path):
        client = ModbusLine(serial_link(tmp_path))
        await client.write(21, 101, [1, 2], PATIENT_MS)
        words = await client.read(21, TEN, PATIENT_MS)
        bits = await client.read(21, Block(Table.COIL, 0, 20), PATIENT_MS)
        client.close()
    assert list(words) == [21_100, 1, 2, *range(21_103, 21_110)]
    assert [bool(bit) for bit in bits] == [n % 2 == 1 for n in range(20)]


async def test_a_late_reply_is_no_answer_to_the_next_question(tmp_path: Path) -> None:
    acts = iter([Act.LATE, Act.ANSWER])
    with adapter(FieldLine(LinkKind.RTU, script=lambda _: next(acts)), tmp_path):
        client = ModbusLine(serial_link(tmp_path))
        assert (await _refusal(client, 50)).kind is FailureKind.TIMEOUT
        words = await client.read(2, TEN, PATIENT_MS)
        client.close()
    assert list(words) == list(range(2_100, 2_110))


async def test_a_path_without_an_adapter_is_named(tmp_path: Path) -> None:
    failure = await _refusal(ModbusLine(serial_link(tmp_path)))
    assert failure.kind is FailureKind.REFUSED
    assert str(tmp_path / "ttyUSB0") in failure.note


async def test_a_path_that_is_no_serial_port_is_named(tmp_path: Path) -> None:
    (tmp_path / "ttyUSB0").write_text("no adapter")
    assert (await _refusal(ModbusLine(serial_link(tmp_path)))).kind is FailureKind.REFUSED


async def test_an_adapter_in_use_is_refused_to_a_second_master(tmp_path: Path) -> None:
    with adapter(FieldLine(LinkKind.RTU), tmp_path):
        first, second = ModbusLine(serial_link(tmp_path)), ModbusLine(serial_link(tmp_path))
        await first.read(1, TEN, PATIENT_MS)
        assert (await _refusal(second)).kind is FailureKind.REFUSED
        first.close()


async def test_pulling_the_adapter_is_told_to_a_request_that_waits(tmp_path: Path) -> None:
    line = FieldLine(LinkKind.RTU, script=lambda _: Act.SILENT)
    client = ModbusLine(serial_link(tmp_path))
    with adapter(line, tmp_path) as plugged:
        async with asyncio.TaskGroup() as group:
            asked = group.create_task(_refusal(client, 60_000), name="asked")
            await until(lambda: line.requests != [])
            plugged.pull_out()
        assert asked.result().kind is FailureKind.BROKEN
        assert not client.is_open


async def test_polls_go_on_by_themselves_when_the_adapter_is_plugged_in_again(
    tmp_path: Path,
) -> None:
    readings: list[Reading] = []
    failures: list[Failure] = []

    def take(news: Reading | Failure) -> None:
        if isinstance(news, Reading):
            readings.append(news)
        else:
            failures.append(news)

    lane = Device("lane", "bus", "nice_lp22", Role.LANE, 11, 20, 2_000)
    config = GatewayConfig(CarPark("x", (serial_link(tmp_path),), (lane,)), MAPS)
    polled = Field(config, lambda: 1, monotonic_seconds, take, random.Random(7))  # noqa: S311
    line = FieldLine(LinkKind.RTU)
    with adapter(line, tmp_path) as plugged:
        async with asyncio.TaskGroup() as group:
            polling = group.create_task(polled.run(), name="polling")
            await until(lambda: len(readings) >= 3)
            plugged.pull_out()
            await until(lambda: any(f.kind is FailureKind.REFUSED for f in failures))
            before = len(readings)
            plugged.plug_in()
            await until(lambda: len(readings) >= before + 3)
            polling.cancel()
    assert {reading.values["count"] for reading in readings if "count" in reading.values} == {
        11_000
    }


def test_a_link_without_its_serial_settings_names_them() -> None:
    assert Link("bus", LinkKind.RTU).place == "127.0.0.1:0"
