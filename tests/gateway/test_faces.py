"""What the signs of one gateway shall show: its own numbers, or orders from outside."""

import pytest

from gateway.config import Device, Role
from gateway.faces import FIRST_ORDER_MS, SIGN_REFRESH_MS, Faces, stale_face
from gateway.observation import Observation
from gateway.reading import Reading
from gateway.signs import STALE, SignOrder
from gateway.station_state import StationState
from tests.gateway.parks import NOW_MS, count, small_park, spaces

PARK = small_park()
ENTRANCE, JUNCTION = PARK.devices_of(Role.SIGN)
STALE_MS = PARK.car_park.stale_after_ms
ALL_HEARD = (count("in", 1), count("out", 1), spaces("g1", 2), spaces("g2", 3))


def _seen(*news: Reading, uptime_ms: int = 0) -> Observation:
    state = StationState(PARK, {}, None, uptime_ms=0)
    for one in news:
        state.fold(one, 0)
    state.observe(NOW_MS, 0)
    return state.observe(NOW_MS, uptime_ms)


NOTHING = _seen()


def _order(lines: tuple[str, ...], number: int) -> dict[str, SignOrder]:
    return {JUNCTION.device_id: SignOrder(JUNCTION.device_id, lines, number)}


def _faces(since_uptime_ms: int = -FIRST_ORDER_MS) -> Faces:
    """Of a gateway that has been running for long enough to know whether orders come."""
    return Faces(PARK.car_park, since_uptime_ms)


def _ordered(lines: tuple[str, ...]) -> Faces:
    faces = _faces()
    faces.take_orders(_order((STALE, STALE), 6), 0)
    faces.take_orders(_order(lines, 7), 0)
    return faces


def _shows(faces: Faces, uptime_ms: int, device: Device = JUNCTION) -> tuple[str, ...] | None:
    return faces.desired(device, NOTHING, uptime_ms)


def test_an_entrance_shows_its_own_free_spaces_without_any_order() -> None:
    assert _faces().desired(ENTRANCE, _seen(*ALL_HEARD), 0) == ("9",)


def test_an_entrance_whose_machines_and_loops_went_silent_shows_a_dash() -> None:
    faces = _faces()
    derived = _seen(*ALL_HEARD, uptime_ms=STALE_MS)
    assert faces.desired(ENTRANCE, derived, STALE_MS) == ("9",)
    silent = _seen(*ALL_HEARD, uptime_ms=STALE_MS + 1)
    assert faces.desired(ENTRANCE, silent, STALE_MS + 1) == (STALE,)


def test_an_entrance_knows_nothing_before_its_devices_have_spoken() -> None:
    assert _faces().desired(ENTRANCE, NOTHING, 0) == (STALE,)


def test_a_junction_without_an_order_shows_dashes() -> None:
    assert _shows(_faces(), 0) == (STALE, STALE) == stale_face(JUNCTION)


def test_a_junction_shows_what_was_ordered() -> None:
    assert _shows(_ordered(("12", "满")), 0) == ("12", "满")


def test_the_first_order_seen_may_be_hours_old_and_is_not_believed() -> None:
    faces = _faces()
    faces.take_orders(_order(("12", "满"), 7), 0)
    faces.take_orders(_order(("12", "满"), 7), 1_000)
    assert _shows(faces, 1_000) == (STALE, STALE)
    faces.take_orders(_order(("12", "满"), 8), 2_000)
    assert _shows(faces, 2_000) == ("12", "满")


def test_an_order_repeated_does_not_keep_a_sign_from_going_stale() -> None:
    faces = _ordered(("12", "满"))
    faces.take_orders(_order(("12", "满"), 7), STALE_MS)
    assert _shows(faces, STALE_MS) == ("12", "满")
    assert _shows(faces, STALE_MS + 1) == (STALE, STALE)


@pytest.mark.parametrize(
    "lines", [("abc", "1"), ("123456", "1"), ("1",) * 5, ("-3", "1"), ("1",), ()]
)
def test_an_order_that_the_sign_cannot_show_becomes_the_dash(lines: tuple[str, ...]) -> None:
    assert _shows(_ordered(lines), 0) == (STALE, STALE)


def test_an_order_for_another_sign_changes_nothing() -> None:
    faces = _faces()
    for number in (1, 2):
        faces.take_orders({"elsewhere": SignOrder("elsewhere", ("1", "2"), number)}, 0)
    assert _shows(faces, 0) == (STALE, STALE)


def test_a_face_is_written_when_new_then_refreshed_within_half_a_minute() -> None:
    faces = _faces()

    def due(line: str, uptime_ms: int) -> bool:
        return faces.is_due(ENTRANCE, (line,), uptime_ms, differs=False)

    assert due("9", 0)
    assert not due("9", SIGN_REFRESH_MS - 1)
    assert due("8", SIGN_REFRESH_MS - 1)
    assert due("8", 2 * SIGN_REFRESH_MS)
    assert SIGN_REFRESH_MS < 30_000


def test_a_sign_that_shows_something_else_is_corrected_soon_but_not_at_every_look() -> None:
    faces = _faces()
    patience_ms = 2 * ENTRANCE.period_ms
    assert faces.is_due(ENTRANCE, ("9",), 0, differs=False)
    assert not faces.is_due(ENTRANCE, ("9",), patience_ms - 1, differs=True)
    assert faces.is_due(ENTRANCE, ("9",), patience_ms, differs=True)
    assert not faces.is_due(ENTRANCE, ("9",), patience_ms + 1, differs=True)


def _told(*numbers: int) -> Faces:
    """An entrance that was told to show that it is closed."""
    faces = _faces()
    for number in numbers:
        order = SignOrder(ENTRANCE.device_id, ("关",), number)
        faces.take_orders({ENTRANCE.device_id: order}, 0)
    return faces


def test_an_entrance_shows_what_it_is_told_until_that_is_withdrawn() -> None:
    faces, seen = _told(7, 8), _seen(*ALL_HEARD)
    assert faces.desired(ENTRANCE, seen, 1_000) == ("关",)
    faces.take_orders({}, 2_000)
    assert faces.desired(ENTRANCE, seen, 2_000) == ("9",)


def test_an_entrance_nobody_tells_any_more_shows_its_own_number_again() -> None:
    seen = _seen(*ALL_HEARD)
    assert _told(7, 8).desired(ENTRANCE, seen, STALE_MS) == ("关",)
    assert _told(7, 8).desired(ENTRANCE, seen, STALE_MS + 1) == ("9",)
    assert _told(7).desired(ENTRANCE, seen, 0) == ("9",), "the first one may be hours old"


def test_a_gateway_that_has_just_begun_leaves_the_junction_as_its_predecessor_left_it() -> None:
    faces = _faces(0)
    faces.take_orders(_order(("12", "满"), 7), 100)
    assert _shows(faces, 100) is None
    assert _shows(faces, FIRST_ORDER_MS - 1) is None
    assert _shows(faces, FIRST_ORDER_MS) == (STALE, STALE), "nobody renewed it"
    faces.take_orders(_order(("12", "满"), 8), FIRST_ORDER_MS)
    assert _shows(faces, FIRST_ORDER_MS) == ("12", "满")


def test_a_gateway_that_has_just_begun_asks_before_it_overrules_a_closed_entrance() -> None:
    faces, seen = _faces(0), _seen(*ALL_HEARD)
    assert faces.desired(ENTRANCE, seen, 0) is None, "it has not looked for orders yet"
    faces.take_orders({ENTRANCE.device_id: SignOrder(ENTRANCE.device_id, ("关",), 1)}, 10)
    assert faces.desired(ENTRANCE, seen, 10) is None
    faces.take_orders({}, 20)
    assert faces.desired(ENTRANCE, seen, 20) == ("9",)
