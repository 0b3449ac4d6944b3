"""How fast the town's time passes: a multiple of a clock's, and it may stand still."""

from collections.abc import Callable

from lot_sim.instruments import Moment
from lot_sim.town import Town

SPEED_MOST = 1_000


class Pace:
    """The town's time is where it was when the speed was set, plus speed times what passed."""

    def __init__(
        self,
        town: Town,
        speed: float,
        seconds: Callable[[], float],
        wall_ms: Callable[[], int],
    ) -> None:
        self.speed = speed
        self._town, self._seconds, self._wall_ms = town, seconds, wall_ms
        self._since_seconds, self._since_ms = seconds(), town.now_ms

    def advance(self) -> Moment:
        """Let everything happen in town that is due by now."""
        passed_seconds = self._seconds() - self._since_seconds
        self._town.run_until(self._since_ms + int(passed_seconds * 1000 * self.speed))
        return Moment(self._town.now_ms, self._wall_ms())

    def set_speed(self, speed: float) -> None:
        """From now on; 0 stops the town, and its devices go on answering."""
        self._since_ms = self.advance().town_ms
        self._since_seconds, self.speed = self._seconds(), speed
