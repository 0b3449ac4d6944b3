"""What the signs of one gateway shall show, when orders come from outside."""

import pytest

from gateway.config import GatewayConfig, Role, list_shipped, load_config
from gateway.observation import Basis, Observation
from gateway.signs import STALE
from gateway.station import Faces
from gateway.stream import SignOrder

NOTHING = Observation("x", 1, 1, 0, 0, 0, 0, None, None, Basis.DERIVED, (), (), (), ())


def _config() -> GatewayConfig:
    return next(
        config
        for config in map(load_config, list_shipped())
        if any(device.sign_level == 2 for device in config.devices_of(Role.SIGN))
    )


@pytest.mark.parametrize("lines", [("12", "满"), ("0",)])
def test_a_sign_at_a_junction_shows_what_was_ordered(lines: tuple[str, ...]) -> None:
    config = _config()
    sign = next(d for d in config.devices_of(Role.SIGN) if d.sign_level == 2)
    faces = Faces(config, lambda: 0, lambda: 1_000.0)
    faces.take_order(SignOrder(sign.device_id, lines, 7))
    assert faces.desired(sign, NOTHING, 0) == lines


@pytest.mark.parametrize("lines", [("abc",), ("123456",), ("1",) * 5, ("-3",)])
def test_an_order_that_no_sign_can_show_becomes_the_dash(lines: tuple[str, ...]) -> None:
    config = _config()
    sign = next(d for d in config.devices_of(Role.SIGN) if d.sign_level == 2)
    faces = Faces(config, lambda: 0, lambda: 1_000.0)
    faces.take_order(SignOrder(sign.device_id, lines, 7))
    assert faces.desired(sign, NOTHING, 0) == (STALE,)


def test_an_order_repeated_does_not_keep_a_sign_from_going_stale() -> None:
    config = _config()
    sign = next(d for d in config.devices_of(Role.SIGN) if d.sign_level == 2)
    seconds = [1_000.0]
    faces = Faces(config, lambda: 0, lambda: seconds[0])
    faces.take_order(SignOrder(sign.device_id, ("12",), 7))
    seconds[0] += 90.0
    faces.take_order(SignOrder(sign.device_id, ("12",), 7))
    assert faces.desired(sign, NOTHING, 0) == ("12",)
    seconds[0] += 0.1
    assert faces.desired(sign, NOTHING, 0) == (STALE,) * len(sign.lines)
