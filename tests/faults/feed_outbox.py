"""`python -m tests.faults.feed_outbox FILE ROWS`: what a gateway writes while nothing moves."""

import sys
from pathlib import Path

import msgspec

from gateway.outbox import Memory, Outbox
from gateway.process import now_ms


def feed(path: Path, rows: int) -> None:
    """Add rows that say once more what the newest says; its gateway must not run."""
    outbox = Outbox(path, now_ms())
    newest, memory = outbox.newest(), Memory(outbox.counters(), outbox.anchor())
    assert newest is not None
    for number in range(1, rows + 1):
        later = msgspec.structs.replace(newest, observed_at_ms=newest.observed_at_ms + number)
        outbox.append(later, memory, counts=False)
    outbox.close()


if __name__ == "__main__":
    feed(Path(sys.argv[1]), int(sys.argv[2]))
