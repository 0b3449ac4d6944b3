"""What guidance says of its own work: advice that was given, drivers who are on their way."""

from collections.abc import Awaitable, Callable, Mapping

import msgspec

AHEAD_MINUTES, STEP_MINUTES = 60, 10


class Advice(msgspec.Struct, frozen=True):
    """How far the advice to go to one car park has come.

    `asked` drivers were told of it first, `shown` of them did not ask again at once, `chosen` set
    out, `arrived` were explained by an entry. `plain` of those who asked got no guidance.
    """

    lot_id: str
    asked: int
    shown: int
    chosen: int
    arrived: int
    plain: int = 0


class Coming(msgspec.Struct, frozen=True):
    """What is promised of a car park: drivers, the cars expected of them, and when.

    `by_step` has the cars of the next steps of ten minutes; who comes later is not in it.
    """

    drivers: int
    cars: float
    by_step: tuple[float, ...]


class Guiding(msgspec.Struct, frozen=True):
    """Asked by the operators' page. `coming` gives None while nobody can tell."""

    advice: Callable[[int, int], Awaitable[list[Advice]]]
    coming: Callable[[], Awaitable[Mapping[str, Coming] | None]]


def total(advice: list[Advice]) -> Advice:
    """Of all car parks together."""
    parts = (
        sum(getattr(one, name) for one in advice)
        for name in ("asked", "shown", "chosen", "arrived", "plain")
    )
    return Advice("", *parts)
