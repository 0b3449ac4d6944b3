"""The chance of a space on arrival: how many cars want in, how sure that is, how many fit."""

from bisect import bisect_right
from math import exp

import msgspec

LEVELS = (0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.975, 0.99)
_MIDDLES = tuple((number + 0.5) / 20 for number in range(20))
_HALF_CAR = 0.5  # counts are whole: 3 cars stand for 2.5 to 3.5
_LEAST_STEP = 1e-6
_CLOSE = 0.05
_LEAST_SPARE = 0.01
_WEIBULL, _WEIBULL_MEAN = 1.5, 0.9027  # its shape, and the mean of one with scale 1


class Shape(msgspec.Struct, frozen=True):
    """How far off forecasts are, in units of their scale: errors at `LEVELS`, rising."""

    errors: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.errors) != len(LEVELS):
            raise ValueError(f"a shape has {len(LEVELS)} errors, not {len(self.errors)}")
        if any(b < a + _LEAST_STEP for a, b in zip(self.errors, self.errors[1:], strict=False)):
            raise ValueError("the errors of a shape rise from level to level")

    def chance_below(self, error: float) -> float:
        """The chance that the truth lies at most this far above the forecast, 0 to 1."""
        errors = self.errors
        if error <= errors[0]:
            return LEVELS[0] * exp((error - errors[0]) / self._tail(0))
        if error >= errors[-1]:
            return 1 - (1 - LEVELS[-1]) * exp((errors[-1] - error) / self._tail(-2))
        place = bisect_right(errors, error) - 1
        part = (error - errors[place]) / (errors[place + 1] - errors[place])
        return LEVELS[place] + part * (LEVELS[place + 1] - LEVELS[place])

    def error_at(self, level: float) -> float:
        """The error that is not exceeded with chance `level`, within the outermost levels."""
        inner = min(max(level, LEVELS[0]), LEVELS[-1])
        place = min(bisect_right(LEVELS, inner) - 1, len(LEVELS) - 2)
        part = (inner - LEVELS[place]) / (LEVELS[place + 1] - LEVELS[place])
        return self.errors[place] + part * (self.errors[place + 1] - self.errors[place])

    def _tail(self, place: int) -> float:
        """The tail falls as fast as the outermost two levels do."""
        return (self.errors[place + 1] - self.errors[place]) / 0.9


# Between the normal (too unsure in the middle) and the long tails that counts show.
USUAL_SHAPE = Shape(
    (-3.2, -2.4, -1.8, -1.25, -0.75, -0.44, -0.2, 0.0, 0.2, 0.44, 0.75, 1.25, 1.8, 2.4, 3.2)
)


class Demand(msgspec.Struct, frozen=True):
    """The cars that want to stand in one lot at one moment, even when they do not all fit.

    A lot that more drivers want than fit is not full all the time: some turn away, others leave,
    and for a while a space stands free. `spare` is how many such spaces there are on average.
    """

    cars: float
    scale: float
    shape: Shape = USUAL_SHAPE
    spare: float = 0.0

    def chance_of_at_least(self, spaces: float, usable: float, promised: float = 0.0) -> float:
        """The chance that `spaces` are free beyond those promised to others, 0 to 1."""
        if spaces > usable:
            return 0.0
        needed = spaces + promised
        room = usable - needed + _HALF_CAR
        wanted = self.shape.chance_below((room - self.cars) / max(self.scale, _LEAST_STEP))
        return wanted + (1 - wanted) * spare_chance(needed, self.spare)

    def free_at(self, level: float, usable: float) -> float:
        """The free spaces that are not exceeded with chance `level`."""
        room = self._room_at(level, usable)
        if self.spare < _LEAST_SPARE:
            return room
        low, high = room, float(usable)
        while high - low > _CLOSE:
            middle = (low + high) / 2
            if self._chance_of_no_more(middle, usable) < level:
                low = middle
            else:
                high = middle
        return low

    def free_mean(self, usable: float) -> float:
        free = 0.0
        for level in _MIDDLES:
            room = self._room_at(level, usable)
            free += room + spare_beyond(room, self.spare)
        return min(free / len(_MIDDLES), usable)

    def _room_at(self, level: float, usable: float) -> float:
        room = usable - self.cars - self.scale * self.shape.error_at(1 - level)
        return min(max(room, 0.0), usable)

    def _chance_of_no_more(self, free: float, usable: float) -> float:
        """Both must stay below: the room that is left, and the spaces between two cars."""
        wanted = self.shape.chance_below((usable - free - self.cars) / max(self.scale, _LEAST_STEP))
        return (1 - wanted) * (1 - spare_chance(free + 2 * _HALF_CAR, self.spare))


def spare_chance(spaces: float, spare: float) -> float:
    """The chance of so many free in a lot more drivers want than fit, `spare` on average.

    Cars leave one by one and the next come in: a few free are usual, many rare (Weibull).
    """
    if spare < _LEAST_SPARE:
        return 0.0 if spaces > 0 else 1.0
    return exp(-((_WEIBULL_MEAN * max(spaces - _HALF_CAR, 0.0) / spare) ** _WEIBULL))


def spare_beyond(room: float, spare: float) -> float:
    """About how many more than `room` are free on average."""
    return spare * spare_chance(room + _HALF_CAR, spare)
