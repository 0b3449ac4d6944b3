"""What a guidance sign shows, in registers and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.decode import Value, decode, encode
from gateway.observation import Basis, FaceState
from gateway.reconcile import Balance
from gateway.register_map import load_map
from gateway.signs import (
    BLANK,
    CLOSED,
    FULL,
    STALE,
    BadFaceError,
    compare,
    find_shown,
    own_face,
    to_registers,
)

LINE = st.one_of(st.integers(0, 9_999).map(str), st.sampled_from([FULL, CLOSED, STALE, BLANK]))


def _balance(free: int | None, doubts: tuple[str, ...] = ()) -> Balance:
    occupied = None if free is None else 20 - free
    return Balance(20, 20, 0, 0, occupied, free, Basis.COUNTED, doubts)


@given(st.lists(LINE, min_size=1, max_size=4))
def test_any_face_comes_back_from_the_registers_of_the_sign(lines: list[str]) -> None:
    sign = load_map("led_sign")
    sent = to_registers(tuple(lines))
    received = {
        name: decode(sign.point(name), encode(sign.point(name), value))
        for name, value in sent.items()
    }
    assert find_shown(received, len(lines)) == tuple(lines)


@pytest.mark.parametrize("line", ["-1", "full", "1.5", " 7", "²", "٣", "12345", "1e3"], ids=ascii)
def test_a_line_no_sign_can_show_is_refused(line: str) -> None:
    with pytest.raises(BadFaceError, match="is neither a number nor one of 满 关 —"):
        to_registers((line,))


def test_a_sign_has_four_lines_at_most() -> None:
    with pytest.raises(BadFaceError, match="5 lines, but the sign has 4"):
        to_registers(("1",) * 5)


@pytest.mark.parametrize("values", [{}, {"numbers": (1,)}, {"numbers": 3, "faces": "full"}])
def test_registers_that_hold_no_lines_are_no_face(values: dict[str, Value]) -> None:
    assert find_shown(values, 1) is None


@pytest.mark.parametrize(
    ("free", "face"), [(20, "20"), (4, "4"), (3, FULL), (0, FULL), (None, STALE)]
)
def test_an_entrance_shows_its_free_spaces_or_full(free: int | None, face: str) -> None:
    assert own_face(_balance(free), 3) == (face,)


def test_a_doubtful_source_shows_a_dash_and_never_its_last_number() -> None:
    assert own_face(_balance(25, ("occupied -5 of 20 usable",)), 3) == (STALE,)


def test_a_car_park_without_a_working_machine_is_closed() -> None:
    assert own_face(Balance(20, 0, 20, 7, 0, 0, Basis.COUNTED), 3) == (CLOSED,)


def test_what_is_shown_is_compared_with_what_should_be() -> None:
    assert compare(("7",), ("7",)) is FaceState.AS_DESIRED
    assert compare(("7",), ("8",)) is FaceState.DIFFERS
    assert compare(("7",), None) is FaceState.UNKNOWN
