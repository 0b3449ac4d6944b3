"""How long to leave a silent unit or line alone: fast at first, then backing off."""

from dataclasses import dataclass

FIRST_PAUSE_MS = 100
LONGEST_PAUSE_MS = 30_000
PATIENCE = 2  # failures in a row before a unit is left alone


@dataclass
class Breaker:
    """One unit behind one line, or the line itself. Times are monotonic milliseconds."""

    patience: int = PATIENCE
    first_pause_ms: int = FIRST_PAUSE_MS
    failures: int = 0
    closed_until_ms: float = 0.0

    def lets_pass(self, now_ms: float) -> bool:
        return now_ms >= self.closed_until_ms

    def succeeded(self) -> None:
        self.failures = 0
        self.closed_until_ms = 0.0

    def failed(self, now_ms: float) -> None:
        self.failures += 1
        doublings = self.failures - self.patience
        if doublings >= 0:
            # 2 ** 20 is far beyond the longest pause; the bound keeps the number small.
            pause_ms = self.first_pause_ms * 2 ** min(doublings, 20)
            self.closed_until_ms = now_ms + min(pause_ms, LONGEST_PAUSE_MS)
