"""What the signs of one gateway shall show, when orders come from outside."""

import pytest

from gateway.config import Device, GatewayConfig, Role, list_shipped, load_config
from gateway.faces import Faces
from gateway.observation import Basis, Observation
from gateway.signs import STALE, SignOrder

NOTHING = Observation("x", 1, 1, 0, 0, 0, 0, None, None, Basis.DERIVED, (), (), (), ())
STALE_AFTER_MS = 90_000


def _junction() -> tuple[GatewayConfig, Device]:
    signs = (
        (config, device)
        for config in map(load_config, list_shipped())
        for device in config.devices_of(Role.SIGN)
        if device.sign_level == 2
    )
    return next(signs)


def _faces_ordered(lines: tuple[str, ...]) -> tuple[Faces, Device]:
    """A new order at 1,000 ms, after one whose age nobody knew."""
    config, sign = _junction()
    faces = Faces(config.car_park)
    for number in (6, 7):
        faces.take_orders({sign.device_id: SignOrder(sign.device_id, lines, number)}, 1_000)
    return faces, sign


def _lines(sign: Device, line: str) -> tuple[str, ...]:
    return (line,) * len(sign.lines)


@pytest.mark.parametrize("line", ["12", "0", "满", "关"])
def test_a_sign_at_a_junction_shows_what_was_ordered(line: str) -> None:
    _, sign = _junction()
    faces, sign = _faces_ordered(_lines(sign, line))
    assert faces.desired(sign, NOTHING, 1_000) == _lines(sign, line)


@pytest.mark.parametrize("line", ["abc", "123456", "-3", "²"], ids=ascii)
def test_an_order_that_no_sign_can_show_becomes_the_dash(line: str) -> None:
    _, sign = _junction()
    faces, sign = _faces_ordered(_lines(sign, line))
    assert faces.desired(sign, NOTHING, 1_000) == _lines(sign, STALE)


def test_an_order_with_too_many_lines_becomes_the_dash() -> None:
    faces, sign = _faces_ordered(("1",) * 5)
    assert faces.desired(sign, NOTHING, 1_000) == _lines(sign, STALE)


def test_an_order_repeated_does_not_keep_a_sign_from_going_stale() -> None:
    _, sign = _junction()
    faces, sign = _faces_ordered(_lines(sign, "12"))
    last_fresh_ms = 1_000 + STALE_AFTER_MS
    again = SignOrder(sign.device_id, _lines(sign, "12"), 7)
    faces.take_orders({sign.device_id: again}, last_fresh_ms)
    assert faces.desired(sign, NOTHING, last_fresh_ms) == _lines(sign, "12")
    assert faces.desired(sign, NOTHING, last_fresh_ms + 1) == _lines(sign, STALE)


def test_an_order_found_at_the_start_may_be_hours_old_and_is_not_shown() -> None:
    config, sign = _junction()
    faces = Faces(config.car_park)
    order = SignOrder(sign.device_id, _lines(sign, "12"), 7)
    faces.take_orders({sign.device_id: order}, 1_000)
    assert faces.desired(sign, NOTHING, 1_000) == _lines(sign, STALE)
