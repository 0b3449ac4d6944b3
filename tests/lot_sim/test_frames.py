import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.framer import FramerRTU, FramerSocket
from pymodbus.pdu import DecodePDU, ModbusPDU
from pymodbus.pdu.bit_message import ReadDiscreteInputsRequest
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersRequest,
    ReadInputRegistersRequest,
    WriteMultipleRegistersRequest,
    WriteSingleRegisterRequest,
)

from lot_sim import frames
from lot_sim.frames import NotModbusError, Refused, Request, take_rtu, take_tcp

words = st.lists(st.integers(0, 65_535), min_size=1, max_size=123)
asked = st.one_of(
    st.builds(
        lambda kind, address, count: kind(address=address, count=count),
        st.sampled_from(
            [ReadHoldingRegistersRequest, ReadInputRegistersRequest, ReadDiscreteInputsRequest]
        ),
        st.integers(0, 65_000),
        st.integers(1, 125),
    ),
    st.builds(
        lambda address, registers: WriteMultipleRegistersRequest(
            address=address, registers=registers
        ),
        st.integers(0, 65_000),
        words,
    ),
    st.builds(
        lambda address, word: WriteSingleRegisterRequest(address=address, registers=[word]),
        st.integers(0, 65_000),
        st.integers(0, 65_535),
    ),
)
units = st.integers(1, 247)


def expected(pdu: ModbusPDU, unit: int) -> Request:
    written = tuple(pdu.registers) if pdu.function_code in (6, 16) else ()
    return Request(unit, pdu.function_code, pdu.address, pdu.count or 1, written)


@given(asked, units, st.integers(0, 65_535), st.binary(max_size=5))
def test_a_request_of_another_library_is_read_from_tcp(
    pdu: ModbusPDU, unit: int, transaction: int, rest: bytes
) -> None:
    pdu.dev_id, pdu.transaction_id = unit, transaction
    frame = FramerSocket(DecodePDU(is_server=True)).buildFrame(pdu)
    assert take_tcp(frame + rest) == (transaction, expected(pdu, unit), rest)
    assert all(take_tcp(frame[:cut]) is None for cut in range(len(frame)))


@given(asked, units, st.binary(max_size=5))
def test_a_request_of_another_library_is_read_from_rtu(
    pdu: ModbusPDU, unit: int, rest: bytes
) -> None:
    pdu.dev_id = unit
    frame = FramerRTU(DecodePDU(is_server=True)).buildFrame(pdu)
    assert take_rtu(frame + rest) == (expected(pdu, unit), rest)
    assert all(take_rtu(frame[:cut]) is None for cut in range(len(frame)))


@given(words, units)
def test_another_library_reads_our_registers(registers: list[int], unit: int) -> None:
    pdu = frames.read_reply(frames.READ_HOLDING, registers)
    for framer, frame in (
        (FramerSocket, frames.wrap_tcp(7, unit, pdu)),
        (FramerRTU, frames.wrap_rtu(unit, pdu)),
    ):
        _, reply = framer(DecodePDU(is_server=False)).handleFrame(frame, unit, 0)
        assert reply is not None
        assert list(reply.registers) == registers


@given(st.lists(st.integers(0, 1), min_size=1, max_size=100))
def test_another_library_reads_our_bits(bits: list[int]) -> None:
    frame = frames.wrap_rtu(3, frames.read_reply(frames.READ_DISCRETE, bits))
    _, reply = FramerRTU(DecodePDU(is_server=False)).handleFrame(frame, 3, 0)
    assert reply is not None
    assert [int(bit) for bit in reply.bits[: len(bits)]] == bits


@given(st.integers(1, 127), st.integers(1, 11))
def test_another_library_reads_our_refusals(function: int, code: int) -> None:
    frame = frames.wrap_tcp(1, 1, frames.refusal(function, code))
    _, reply = FramerSocket(DecodePDU(is_server=False)).handleFrame(frame, 1, 1)
    assert reply is not None
    assert reply.isError()
    assert reply.exception_code == code


@given(st.binary(max_size=400))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    for take in (take_tcp, take_rtu):
        try:
            taken = take(data)
        except NotModbusError:
            continue
        assert taken is None or len(taken[-1]) < len(data)


@given(st.integers(0, 255), st.binary(min_size=1, max_size=250))
def test_any_whole_frame_is_a_request_or_refused(unit: int, pdu: bytes) -> None:
    taken = take_tcp(frames.wrap_tcp(9, unit, pdu))
    assert taken is not None
    transaction, request, rest = taken
    assert (transaction, request.unit, rest) == (9, unit, b"")


@pytest.mark.parametrize(
    ("pdu", "code"),
    [
        (b"\x2b\x0e\x01\x00", frames.ILLEGAL_FUNCTION),
        (b"\x90\x00\x00\x00\x00", frames.ILLEGAL_FUNCTION),
        (b"\x03\x00\x00", frames.ILLEGAL_VALUE),
        (b"\x10\x00\x00\x00\x02\x02\x00\x01", frames.ILLEGAL_VALUE),
        (b"\x10\x00", frames.ILLEGAL_VALUE),
    ],
)
def test_what_no_device_does_is_refused_as_the_standard_says(pdu: bytes, code: int) -> None:
    request = frames.parse_pdu(1, pdu)
    assert isinstance(request, Refused)
    assert request.code == code


def test_a_wrong_crc_or_protocol_is_no_modbus() -> None:
    with pytest.raises(NotModbusError, match="CRC"):
        take_rtu(b"\x01\x03\x00\x00\x00\x01\x00\x00")
    with pytest.raises(NotModbusError, match="protocol 5"):
        take_tcp(b"\x00\x01\x00\x05\x00\x06\x01")


def test_a_single_write_is_echoed() -> None:
    request = Request(1, frames.WRITE_ONE, 4, 1, (9,))
    assert frames.write_reply(request) == b"\x06\x00\x04\x00\x09"
