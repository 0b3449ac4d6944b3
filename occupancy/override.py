"""What a sign shows instead of its numbers, for a time."""

import msgspec

from gateway.signs import CLOSED, FULL, STALE

MOST_HOURS = 24
MOST_DIGITS = 4
WORDS = (FULL, CLOSED, STALE)
TEST_LINE, TEST_SECONDS = "8888", 60  # every segment is lit


class Override(msgspec.Struct, frozen=True):
    """What a sign shows instead of its numbers; times are UTC milliseconds."""

    number: int
    sign_id: str
    lines: tuple[str, ...]
    from_ms: int
    until_ms: int
    is_test: bool
    reason: str
    made_by: str
    ended_at_ms: int | None = None
    ended_by: str | None = None

    def holds_at(self, at_ms: int) -> bool:
        return self.ended_at_ms is None and self.from_ms <= at_ms < self.until_ms


def is_showable(line: str) -> bool:
    """A number of at most four digits, or one of the words a sign knows."""
    is_number = line.isascii() and line.isdecimal() and len(line) <= MOST_DIGITS
    return is_number or line in WORDS
