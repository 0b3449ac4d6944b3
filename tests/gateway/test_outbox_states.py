"""Whatever happens to an outbox, the recorder can follow what it reads out, and counts stay."""

import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gateway.history_rows import rows_of
from gateway.outbox import Memory, Outbox
from gateway.reconcile import Anchor
from occupancy.copy_rows import contiguous
from occupancy.history import Position
from tests.gateway.parks import NOW_MS, observation
from tests.rows import plain_rows

LIMIT_BYTES = 14 * 4_096
EVERY = 100_000


class OutboxLife(RuleBasedStateMachine):
    """Appends, thinning by a small limit, records, restarts and changes of epoch."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory(prefix="zhibo-outbox-")
        self._path = Path(self._folder.name) / "small.sqlite"
        self.outbox = Outbox(self._path, NOW_MS, LIMIT_BYTES)
        self.counted: set[int] = set()
        self.used: set[int] = set()
        self.total = 0
        self.recorded = Position(0, 0)

    def teardown(self) -> None:
        self.outbox.close()
        self._folder.cleanup()

    @rule(rows=st.integers(1, 200), every=st.sampled_from([20, 1_000]))
    def append(self, rows: int, every: int) -> None:
        for row in range(rows):
            counts = row % every == 0
            self.total += counts
            memory = Memory(anchor=Anchor(self.total, 0, 0, NOW_MS))
            news = observation(self.total, NOW_MS + self.outbox.sequence * 1_000)
            placed = self.outbox.append(news, memory, counts=counts)
            assert placed.sequence not in self.used
            self.used.add(placed.sequence)
            if counts:
                self.counted.add(placed.sequence)

    @rule(share=st.floats(0, 1))
    def record(self, share: float) -> None:
        """The recorder takes a part of what it is given, and says so."""
        news = self.outbox.read_after(self.outbox.recorded, EVERY)
        run, _ = contiguous(rows_of(news), *self.recorded)
        taken = plain_rows(run)[: int(share * len(news))]
        if taken:
            self.outbox.note_published()
            self.recorded = Position(taken[-1].epoch, taken[-1].sequence)
            self.outbox.note_recorded(taken[-1].sequence)

    @rule()
    def start_again(self) -> None:
        self.outbox.close()
        self.outbox = Outbox(self._path, NOW_MS, LIMIT_BYTES)

    @precondition(lambda self: not self.outbox.is_published)
    @rule()
    def bear_again(self) -> None:
        self.outbox.bear_again(NOW_MS, above=self.outbox.epoch + 1)

    @precondition(lambda self: self.outbox.is_published)
    @rule()
    def leave_epoch(self) -> None:
        self.outbox.leave_epoch(NOW_MS, above=self.outbox.epoch + 1)

    @invariant()
    def the_recorder_can_follow(self) -> None:
        news = self.outbox.read_after(self.outbox.recorded, EVERY)
        run, has_hole = contiguous(rows_of(news), *self.recorded)
        assert [row.sequence for row in plain_rows(run)] == [one.sequence for one in news]
        assert not has_hole

    @invariant()
    def no_count_is_missing(self) -> None:
        kept = {one.sequence for one in self.outbox.read_after(0, EVERY)}
        ours = {sequence for sequence in self.counted if sequence > self.outbox.floor}
        assert ours <= kept

    @invariant()
    def the_newest_row_and_the_memory_agree(self) -> None:
        newest, anchor = self.outbox.newest(), self.outbox.anchor()
        if newest is not None:
            assert anchor is not None
            assert newest.entries_total == anchor.cars_inside


TestOutboxLife = OutboxLife.TestCase
TestOutboxLife.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
