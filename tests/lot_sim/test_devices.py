import asyncio
import struct
from contextlib import ExitStack

import pytest
from pymodbus.exceptions import ModbusIOException

from lot_sim.bus import reply_seconds, request_seconds
from lot_sim.devices import PortTakenError, lines_of, listen, open_lines
from lot_sim.frames import crc16
from lot_sim.instruments import Sign
from tests.lot_sim.serve import Clock, client, paced, served
from tests.lot_sim.towns import small_field
from tests.waiting import until

BUS, FIRST_GROUP = 7000, 7001
READ_COUNT_OF_11 = struct.pack(">BBHH", 11, 3, 0, 1)


def framed(request: bytes) -> bytes:
    return request + crc16(request).to_bytes(2, "little")


async def test_a_group_answers_over_tcp_what_stands_on_its_pallets() -> None:
    field = small_field()
    machine = field.town.lots[0].machines[0]
    async with served(field) as at, client(at.ports[FIRST_GROUP]) as modbus:
        reply = await modbus.read_input_registers(16, count=2)
        assert not reply.isError()
        shown = [bool(reply.registers[0] >> bay & 1) for bay in range(machine.bays)]
        assert shown == [car is not None for car in machine.pallets]
        refused = await modbus.read_holding_registers(0, count=1)
        assert refused.exception_code == 1


async def test_all_units_of_a_bus_answer_in_rtu_framing() -> None:
    field = small_field()
    async with served(field) as at, client(at.ports[BUS], rtu=True) as modbus:
        for unit in (11, 12):
            reply = await modbus.read_holding_registers(0, count=1, device_id=unit)
            assert reply.registers == [65_530]
        written = await modbus.write_registers(0, [7, 0, 0, 0, 0, 4, 4, 4], device_id=21)
        assert not written.isError()
    sign = field.instruments["small-sign"]
    assert isinstance(sign, Sign)
    assert sign.lines()[0] == ("number", 7)


async def test_a_bus_serves_one_exchange_after_the_other_at_its_speed() -> None:
    exchange = request_seconds(8) + reply_seconds(7)
    async with served(small_field()) as at:
        loop = asyncio.get_running_loop()
        streams = [await asyncio.open_connection("127.0.0.1", at.ports[BUS]) for _ in range(3)]
        begun = loop.time()
        for _, writer in streams:
            writer.write(framed(READ_COUNT_OF_11) * 2)
        for reader, _ in streams:
            await reader.readexactly(14)
        # never faster than the wire; how much slower depends on the machine
        assert loop.time() - begun >= 6 * exchange - 0.002
        for _, writer in streams:
            writer.close()


async def test_the_town_catches_up_before_a_device_answers() -> None:
    field = small_field()
    clock = Clock()
    async with (
        served(field, paced(field, 60.0, clock)) as at,
        client(at.ports[BUS], rtu=True) as modbus,
    ):
        clock.at_seconds = 600
        reply = await modbus.read_holding_registers(0, count=1, device_id=11)
        crossings = field.town.lots[0].crossings["small-in"]
        assert crossings > 20
        assert reply.registers == [(65_530 + crossings) % 65_536]


@pytest.mark.parametrize("unit", [11, 99])
async def test_a_silent_unit_lets_the_client_wait_and_its_neighbours_answer(unit: int) -> None:
    field = small_field()
    field.switch("small", "small-in", "comms_error", on=True)
    async with served(field) as at:
        async with client(at.ports[BUS], rtu=True, timeout_seconds=0.3) as modbus:
            with pytest.raises(ModbusIOException):
                await modbus.read_holding_registers(0, count=1, device_id=unit)
        async with client(at.ports[BUS], rtu=True) as modbus:
            reply = await modbus.read_holding_registers(0, count=1, device_id=12)
            assert reply.registers == [65_530]


async def test_a_silent_tcp_device_keeps_its_line_and_answers_again_when_mended() -> None:
    field = small_field()
    field.switch("small", "small-g1", "comms_error", on=True)
    async with served(field) as at:
        async with client(at.ports[FIRST_GROUP], timeout_seconds=0.3) as modbus:
            with pytest.raises(ModbusIOException):
                await modbus.read_input_registers(0, count=1)
        async with client(at.ports[FIRST_GROUP]) as modbus:
            field.switch("small", "small-g1", "comms_error", on=False)
            assert not (await modbus.read_input_registers(0, count=1)).isError()


async def test_a_dead_tcp_device_hangs_up_and_its_neighbour_does_not() -> None:
    field = small_field()
    async with served(field) as at:
        reader, writer = await asyncio.open_connection("127.0.0.1", at.ports[FIRST_GROUP])
        field.switch("small", "small-g1", "dead_unit", on=True)
        writer.write(struct.pack(">HHHBBHH", 1, 0, 6, 1, 4, 0, 1))
        assert await reader.read() == b""
        writer.close()
        reader, writer = await asyncio.open_connection("127.0.0.1", at.ports[FIRST_GROUP])
        assert await reader.read() == b""
        writer.close()
        async with client(at.ports[FIRST_GROUP + 1]) as modbus:
            assert not (await modbus.read_input_registers(0, count=1)).isError()


async def test_a_late_reply_arrives_after_the_time_out_as_the_answer_of_nothing() -> None:
    field = small_field()
    field.switch("small", "small-g1", "late_replies", on=True)
    request = struct.Struct(">HHHBBHH")
    async with served(field) as at:
        reader, writer = await asyncio.open_connection("127.0.0.1", at.ports[FIRST_GROUP])
        transactions = []
        for number in range(1, 5):
            writer.write(request.pack(number, 0, 6, 1, 4, 0, 1))
        for _ in range(4):
            head = await reader.readexactly(11)
            transactions.append(int.from_bytes(head[:2]))
        assert transactions == [1, 2, 4, 3]
        writer.close()


async def test_a_late_reply_to_a_client_that_left_goes_nowhere() -> None:
    field = small_field()
    field.switch("small", "small-in", "late_replies", on=True)
    async with served(field) as at:
        for _ in range(3):
            _, writer = await asyncio.open_connection("127.0.0.1", at.ports[BUS])
            writer.write(framed(READ_COUNT_OF_11))
            await writer.drain()
            writer.close()
        async with client(at.ports[BUS], rtu=True) as modbus:
            assert (await modbus.read_holding_registers(0, count=1, device_id=12)).registers
        await until(lambda: not at.connections)


async def test_garbage_ends_a_tcp_connection() -> None:
    async with served(small_field()) as at:
        reader, writer = await asyncio.open_connection("127.0.0.1", at.ports[FIRST_GROUP])
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        assert await reader.read() == b""
        writer.close()


async def test_a_bus_is_silent_to_garbage_and_answers_the_next_request() -> None:
    async with served(small_field()) as at:
        reader, writer = await asyncio.open_connection("127.0.0.1", at.ports[BUS])
        writer.write(b"\x0b\x03\x00\x00\x00\x01\x00\x00")
        await writer.drain()
        async with client(at.ports[BUS], rtu=True) as modbus:
            assert not (await modbus.read_holding_registers(0, count=1, device_id=11)).isError()
        writer.write(framed(READ_COUNT_OF_11))
        assert await reader.readexactly(7) == framed(b"\x0b\x03\x02\xff\xfa")
        writer.close()


async def test_a_bus_forgets_half_a_frame_after_a_silence() -> None:
    async with served(small_field()) as at:
        reader, writer = await asyncio.open_connection("127.0.0.1", at.ports[BUS])
        writer.write(framed(READ_COUNT_OF_11)[:5])
        async with client(at.ports[BUS], rtu=True, timeout_seconds=0.4) as other:
            with pytest.raises(ModbusIOException):  # its time-out is the silence
                await other.read_holding_registers(0, count=1, device_id=99)
        writer.write(framed(READ_COUNT_OF_11))
        assert await reader.readexactly(7) == framed(b"\x0b\x03\x02\xff\xfa")
        writer.close()


async def test_another_unit_behind_a_tcp_port_is_not_there() -> None:
    async with served(small_field()) as at:
        reader, writer = await asyncio.open_connection("127.0.0.1", at.ports[FIRST_GROUP])
        for unit in (9, 1):
            writer.write(struct.pack(">HHHBBHH", unit, 0, 6, unit, 4, 0, 1))
        assert (await reader.readexactly(11))[:2] == b"\x00\x01"
        writer.close()


def test_a_taken_port_is_named_with_its_device_and_setting() -> None:
    field = small_field()
    with listen(0, "a test", "nothing") as taken, ExitStack() as stack:
        offset = taken.getsockname()[1] - FIRST_GROUP
        lines = {FIRST_GROUP: lines_of(field.instruments)[FIRST_GROUP]}
        words = rf"port {FIRST_GROUP + offset} for small-g1 is taken.*ZHIBO_MODBUS_PORT_OFFSET"
        with pytest.raises(PortTakenError, match=words):
            open_lines(lines, offset, stack)
