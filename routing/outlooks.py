"""Forecasts for many drivers: each lot and minute of arrival is worked out once a second."""

from occupancy.live import LiveOccupancy
from routing.candidate import Outlook
from routing.gathering import Forecaster

MINUTE_MS = 60_000
KEPT_MS = 1_000


class Outlooks:
    """A forecaster to the nearest minute, which remembers until a picture or the second changes."""

    def __init__(self, forecasts: Forecaster) -> None:
        self._forecasts = forecasts
        self._seen: dict[str, LiveOccupancy] = {}
        self._known: dict[tuple[str, int], Outlook] = {}
        self._second = 0

    def see(self, picture: LiveOccupancy) -> None:
        """A picture of one lot may say something of the others, too."""
        if self._seen.get(picture.lot_id) is picture:
            return
        self._seen[picture.lot_id] = picture
        self._known.clear()
        self._forecasts.see(picture)

    def expect(self, lot_id: str, at_ms: int, now_ms: int, /) -> Outlook:
        if now_ms // KEPT_MS != self._second:
            self._second = now_ms // KEPT_MS
            self._known.clear()
        minute = round(at_ms / MINUTE_MS)
        key = lot_id, minute
        if key not in self._known:
            nearest_ms = max(minute * MINUTE_MS, now_ms)
            self._known[key] = self._forecasts.expect(lot_id, nearest_ms, now_ms)
        return self._known[key]
