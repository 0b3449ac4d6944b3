import pytest

from lot_sim.bus import reply_seconds, request_seconds

REQUEST_BYTES = 8


@pytest.mark.parametrize(
    ("registers", "measured_ms"), [(1, 28), (10, 47), (32, 93), (60, 151), (125, 286)]
)
def test_a_read_takes_as_long_as_on_a_real_bus(registers: int, measured_ms: int) -> None:
    seconds = request_seconds(REQUEST_BYTES) + reply_seconds(5 + 2 * registers)
    assert seconds * 1000 == pytest.approx(measured_ms, abs=1)
