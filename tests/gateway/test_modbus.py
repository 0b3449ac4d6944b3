"""The Modbus client against a line that misbehaves on command."""

import socket

import pytest

from gateway.config import Link, LinkKind
from gateway.decode import Block
from gateway.modbus import ModbusFailure, ModbusLine
from gateway.reading import FailureKind
from gateway.register_map import Table
from tests.field_line import Act, FieldLine, Request, serving

PATIENT_MS = 5_000
IMPATIENT_MS = 50
TEN = Block(Table.HOLDING, 100, 10)
KINDS = [LinkKind.TCP, LinkKind.RTU_OVER_TCP]
both_kinds = pytest.mark.parametrize("kind", KINDS)


def _client(line: FieldLine) -> ModbusLine:
    return ModbusLine(Link("line", line.kind, line.port))


async def _failure(client: ModbusLine, block: Block = TEN, ms: int = PATIENT_MS) -> FailureKind:
    with pytest.raises(ModbusFailure) as failure:
        await client.read(1, block, ms)
    return failure.value.kind


@both_kinds
@pytest.mark.parametrize("table", [Table.HOLDING, Table.INPUT])
@pytest.mark.parametrize("size", [1, 10, 125])
async def test_registers_arrive_as_they_stand(kind: LinkKind, table: Table, size: int) -> None:
    async with serving(FieldLine(kind)) as line:
        client = _client(line)
        words = await client.read(7, Block(table, 50, size), PATIENT_MS)
        client.close()
    assert list(words) == [7_000 + address for address in range(50, 50 + size)]


@both_kinds
@pytest.mark.parametrize("table", [Table.COIL, Table.DISCRETE])
@pytest.mark.parametrize("size", [1, 8, 20, 32])
async def test_bits_arrive_without_their_padding(kind: LinkKind, table: Table, size: int) -> None:
    async with serving(FieldLine(kind, value=lambda _, address: address % 3 == 0)) as line:
        client = _client(line)
        bits = await client.read(1, Block(table, 0, size), PATIENT_MS)
        client.close()
    assert [bool(bit) for bit in bits] == [address % 3 == 0 for address in range(size)]


@both_kinds
async def test_written_registers_are_read_back(kind: LinkKind) -> None:
    async with serving(FieldLine(kind)) as line:
        client = _client(line)
        await client.write(21, 4, [1, 2, 65_535], PATIENT_MS)
        words = await client.read(21, Block(Table.HOLDING, 3, 5), PATIENT_MS)
        client.close()
    assert list(words) == [21_003, 1, 2, 65_535, 21_007]
    assert line.connections == 1


@both_kinds
@pytest.mark.parametrize(
    ("act", "kind_of_failure"),
    [
        (Act.SHORT, FailureKind.SHORT_REPLY),
        (Act.BUSY, FailureKind.BUSY),
        (Act.REFUSE, FailureKind.EXCEPTION),
        (Act.OTHER_FUNCTION, FailureKind.STRAY_REPLY),
        (Act.BREAK, FailureKind.BROKEN),
    ],
)
async def test_what_is_no_answer_is_never_a_reading(
    kind: LinkKind, act: Act, kind_of_failure: FailureKind
) -> None:
    async with serving(FieldLine(kind, script=lambda _: act)) as line:
        client = _client(line)
        assert await _failure(client) is kind_of_failure
        client.close()


@both_kinds
async def test_a_broken_connection_is_told_at_once_and_opened_again(kind: LinkKind) -> None:
    acts = iter([Act.BREAK, Act.ANSWER])
    async with serving(FieldLine(kind, script=lambda _: next(acts))) as line:
        client = _client(line)
        assert await _failure(client) is FailureKind.BROKEN
        assert len(await client.read(1, TEN, PATIENT_MS)) == TEN.size
        client.close()
    assert line.connections == 2


@both_kinds
async def test_silence_closes_the_connection(kind: LinkKind) -> None:
    acts = iter([Act.SILENT, Act.ANSWER])
    async with serving(FieldLine(kind, script=lambda _: next(acts))) as line:
        client = _client(line)
        assert await _failure(client, ms=IMPATIENT_MS) is FailureKind.TIMEOUT
        assert not client.is_open
        assert len(await client.read(1, TEN, PATIENT_MS)) == TEN.size
        client.close()
    assert line.connections == 2


@both_kinds
async def test_a_late_reply_is_not_the_answer_to_another_question(kind: LinkKind) -> None:
    """The line sends the late reply just before the answer to the next question."""
    acts = iter([Act.LATE, Act.ANSWER, Act.ANSWER])
    async with serving(FieldLine(kind, script=lambda _: next(acts))) as line:
        client = _client(line)
        assert await _failure(client, TEN, IMPATIENT_MS) is FailureKind.TIMEOUT
        other = Block(Table.HOLDING, 300, 9)
        try:
            words = list(await client.read(1, other, IMPATIENT_MS))
        except ModbusFailure:
            words = list(await client.read(1, other, PATIENT_MS))
        client.close()
    assert words == [1_000 + address for address in range(300, 309)]


async def test_a_neighbours_late_reply_is_passed_over_and_costs_no_second_question() -> None:
    acts = iter([Act.LATE, Act.ANSWER])
    line = FieldLine(LinkKind.RTU_OVER_TCP, script=lambda _: next(acts))
    async with serving(line):
        client = _client(line)
        assert await _failure(client, TEN, IMPATIENT_MS) is FailureKind.TIMEOUT
        words = list(await client.read(2, TEN, PATIENT_MS))
        client.close()
    assert words == [2_000 + address for address in range(100, 110)]
    assert len(line.requests) == 2


@both_kinds
async def test_an_answer_in_pieces_is_put_together(kind: LinkKind) -> None:
    async with serving(FieldLine(kind, script=lambda _: Act.IN_PIECES)) as line:
        client = _client(line)
        assert len(await client.read(1, TEN, PATIENT_MS)) == TEN.size
        client.close()


async def test_a_port_where_nobody_listens_is_refused() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        client = ModbusLine(Link("line", LinkKind.TCP, taken.getsockname()[1]))
        assert await _failure(client) is FailureKind.REFUSED


@both_kinds
async def test_a_write_that_another_address_confirms_has_failed(kind: LinkKind) -> None:
    class Elsewhere(FieldLine):
        def answer(self, request: Request) -> bytes:
            return bytes([16, 0, 99, 0, request.count])

    async with serving(Elsewhere(kind)) as line:
        client = _client(line)
        with pytest.raises(ModbusFailure) as failure:
            await client.write(21, 4, [1], PATIENT_MS)
    assert failure.value.kind is FailureKind.STRAY_REPLY


@both_kinds
async def test_a_write_that_is_refused_has_failed(kind: LinkKind) -> None:
    async with serving(FieldLine(kind, script=lambda _: Act.REFUSE)) as line:
        client = _client(line)
        with pytest.raises(ModbusFailure) as failure:
            await client.write(21, 4, [1], PATIENT_MS)
        client.close()
    assert failure.value.kind is FailureKind.EXCEPTION
    assert not line.written


def test_only_the_connection_itself_takes_the_blame_for_a_whole_line() -> None:
    to_blame = {kind for kind in FailureKind if ModbusFailure(kind, "").of_the_line}
    assert to_blame == {FailureKind.REFUSED, FailureKind.BROKEN}
