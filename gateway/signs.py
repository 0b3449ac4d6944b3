"""The face of a guidance sign: texts a line, their registers, and what was read back."""

from collections.abc import Mapping

import msgspec

from gateway.config import SIGN_LINES
from gateway.decode import Value
from gateway.observation import FaceState
from gateway.reconcile import Balance

FULL, CLOSED, STALE, BLANK = "满", "关", "—", ""
_MOST_DIGITS = 4  # a register holds 65,535: any four digits fit
_CODE_OF = {FULL: "full", CLOSED: "closed", STALE: "stale", BLANK: "blank"}
_TEXT_OF = {code: text for text, code in _CODE_OF.items()}


class BadFaceError(Exception):
    """A face has a line a sign cannot show."""


class SignOrder(msgspec.Struct, frozen=True, array_like=True):
    """The face one sign shall show. `number` grows with each order; an old number is stale."""

    sign_id: str
    lines: tuple[str, ...]
    number: int


def own_face(balance: Balance, full_at: int) -> tuple[str, ...]:
    """The one line of a sign at the entrance: a number, 满, 关 or, in doubt, a dash."""
    if balance.free is None or balance.doubts:
        return (STALE,)
    if balance.usable == 0:
        return (CLOSED,)
    return (FULL,) if balance.free <= full_at else (str(balance.free),)


def to_registers(lines: tuple[str, ...]) -> dict[str, Value]:
    """The points `numbers` and `faces` of the led_sign map. Raises BadFaceError."""
    if len(lines) > SIGN_LINES:
        raise BadFaceError(f"{len(lines)} lines, but the sign has {SIGN_LINES}")
    padded = (*lines, *([BLANK] * (SIGN_LINES - len(lines))))
    numbers = tuple(0 if line in _CODE_OF else _number(line) for line in padded)
    return {"numbers": numbers, "faces": tuple(_CODE_OF.get(line, "number") for line in padded)}


def find_shown(values: Mapping[str, Value], lines: int) -> tuple[str, ...] | None:
    """What the sign says it shows, as many lines as it should have; None if it did not say."""
    numbers, faces = values.get("numbers"), values.get("faces")
    if not isinstance(numbers, tuple) or not isinstance(faces, tuple):
        return None
    shown = zip(numbers, faces, strict=True)
    return tuple(_TEXT_OF.get(str(face), str(number)) for number, face in shown)[:lines]


def compare(desired: tuple[str, ...], reported: tuple[str, ...] | None) -> FaceState:
    if reported is None:
        return FaceState.UNKNOWN
    return FaceState.AS_DESIRED if desired == reported else FaceState.DIFFERS


def _number(line: str) -> int:
    if not (line.isascii() and line.isdecimal() and len(line) <= _MOST_DIGITS):
        raise BadFaceError(f"{line!r} is neither a number nor one of {FULL} {CLOSED} {STALE}")
    return int(line)
