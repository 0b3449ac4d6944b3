"""One car park's last hours: free spaces a minute, cars in and out of a day."""

from dataclasses import dataclass

MINUTES_AN_HOUR = 60


@dataclass(frozen=True)
class Trend:
    """Free spaces a minute, from the first that is known; None where history does not tell.

    `flow_since_ms`: the day's cars are counted from then on only; None: from its beginning.
    """

    free: tuple[float | None, ...] = ()
    entries_day: int | None = None
    exits_day: int | None = None
    flow_since_ms: int | None = None

    @property
    def span(self) -> str:
        """How far back the line goes, in words."""
        minutes = len(self.free)
        if minutes < MINUTES_AN_HOUR:
            return f"近 {minutes} 分钟" if minutes else "暂无走势"
        return f"近 {minutes / MINUTES_AN_HOUR:.1f} 小时".replace(".0 ", " ")

    def counted(self, now_ms: int) -> str:
        """For how long the day's cars are counted, in words."""
        if self.flow_since_ms is None:
            return "24 时"
        minutes = (now_ms - self.flow_since_ms) // 60_000
        return f"{minutes // MINUTES_AN_HOUR} 时" if minutes >= MINUTES_AN_HOUR else f"{minutes} 分"
