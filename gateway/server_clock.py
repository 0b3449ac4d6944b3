"""What the server's clock says by now, from its last answer and a clock that nobody sets.

A message may lie for long before somebody reads it. Only who sends it can tell a delay from a
clock that is wrong: it asks the server for its time and counts on from there.
"""

import msgspec


class ServerClock(msgspec.Struct, frozen=True):
    """The server said `server_ms` (UTC) at the latest when our steady clock was at `heard_at`."""

    server_ms: int
    heard_at_seconds: float

    def at(self, steady_seconds: float) -> int:
        """The server's time at that moment, UTC milliseconds; early by the answer's way at most."""
        return self.server_ms + int((steady_seconds - self.heard_at_seconds) * 1_000)
