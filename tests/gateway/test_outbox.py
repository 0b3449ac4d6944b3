"""The outbox: nothing committed is lost, nothing recorded is kept for ever."""

import multiprocessing
import os
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.counter import CounterState
from gateway.outbox import DAY_MS, LONGEST_GAP_MS, Memory, Outbox, OutboxFullError, born_epoch
from gateway.outbox_file import VERSION, UnusableOutboxError
from gateway.outbox_packing import ROWS_A_DICTIONARY
from gateway.reconcile import Anchor
from tests.gateway.full_disk import no_file_grows_beyond
from tests.gateway.parks import NOW_MS, observation

NOTHING = Memory()
SMALL_BYTES = 64 * 4_096


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "outbox" / "small.sqlite"


@contextmanager
def _opened(path: Path, limit_bytes: int = 1 << 24, now_ms: int = NOW_MS) -> Iterator[Outbox]:
    outbox = Outbox(path, now_ms, limit_bytes)
    try:
        yield outbox
    finally:
        outbox.close()


def _append(outbox: Outbox, rows: int = 1, *, counts: bool = False, every_ms: int = 1_000) -> None:
    at_ms = NOW_MS + outbox.sequence * every_ms
    for number in range(1, rows + 1):
        outbox.append(observation(number, at_ms + number * every_ms), NOTHING, counts=counts)


def _sequences(outbox: Outbox, after: int = 0) -> list[tuple[int, int]]:
    """(previous, own) of every kept row."""
    return [(o.previous_sequence, o.sequence) for o in outbox.read_after(after, 100_000)]


def test_an_observation_gets_its_place_and_comes_back_whole(path: Path) -> None:
    with _opened(path) as outbox:
        first = outbox.append(observation(3), NOTHING, counts=True)
        second = outbox.append(observation(4), NOTHING, counts=True)
        assert (first.sequence, first.previous_sequence) == (1, 0)
        assert (second.sequence, second.previous_sequence) == (2, 1)
        assert outbox.read_after(0, 10) == (first, second)
        assert outbox.read_after(1, 10) == (second,)
        assert outbox.newest() == second


def test_counters_and_anchor_come_back_with_the_rows_that_moved_them(path: Path) -> None:
    counters = {"in": CounterState(10, 3, NOW_MS), "out": CounterState(20, 1, NOW_MS)}
    anchor = Anchor(7, 0, 0, NOW_MS)
    with _opened(path) as outbox:
        outbox.append(observation(3), Memory(counters, anchor), counts=True)
        moved = {**counters, "in": CounterState(11, 4, NOW_MS)}
        outbox.append(observation(4), Memory(moved, anchor), counts=True)
    with _opened(path) as outbox:
        assert outbox.counters() == moved
        assert outbox.anchor() == anchor
        assert (outbox.sequence, outbox.newest()) == (2, outbox.read_after(1, 1)[0])


def test_an_empty_outbox_has_no_newest_row(path: Path) -> None:
    with _opened(path) as outbox:
        assert (outbox.newest(), outbox.anchor(), outbox.counters()) == (None, None, {})


def test_the_epoch_is_born_with_the_file_and_stays(path: Path) -> None:
    with _opened(path) as outbox:
        epoch = outbox.epoch
    with _opened(path, now_ms=NOW_MS + DAY_MS) as outbox:
        assert outbox.epoch == epoch
    assert epoch >> 20 == NOW_MS // 1_000


def test_a_later_epoch_is_higher_and_one_above_another_is_above_it() -> None:
    assert born_epoch(NOW_MS + 2_000) > born_epoch(NOW_MS)
    assert born_epoch(NOW_MS, above=1 << 60) > 1 << 60


def test_rows_stay_until_they_are_recorded_and_a_day_old(path: Path) -> None:
    with _opened(path) as outbox:
        _append(outbox, rows=3, every_ms=1_000)
        outbox.note_recorded(2)
        assert outbox.rows() == 3
        _append(outbox, rows=DAY_MS // LONGEST_GAP_MS + 1, every_ms=LONGEST_GAP_MS)
        outbox.note_recorded(2)
        assert _sequences(outbox, after=2)[0] == (2, 3)
        assert outbox.rows() == outbox.sequence - 2
        outbox.note_recorded(3)
        assert outbox.rows() == outbox.sequence - 3


@pytest.mark.parametrize("step_ms", [400 * DAY_MS, -400 * DAY_MS])
def test_a_clock_that_is_set_makes_no_row_old(path: Path, step_ms: int) -> None:
    with _opened(path) as outbox:
        _append(outbox, rows=3)
        outbox.append(observation(9, NOW_MS + step_ms), NOTHING, counts=False)
        outbox.note_recorded(4)
        assert outbox.rows() == 4


def test_sequences_go_on_after_the_outbox_was_emptied(path: Path) -> None:
    with _opened(path) as outbox:
        _append(outbox, rows=5)
        outbox.note_recorded(5)
        epoch = outbox.epoch
    raw = sqlite3.connect(path)
    raw.execute("DELETE FROM observation")
    raw.commit()
    raw.close()
    with _opened(path) as outbox:
        assert outbox.append(observation(6), NOTHING, counts=False).sequence == 6
        assert _sequences(outbox, after=5) == [(5, 6)]
        assert outbox.epoch == epoch


def test_what_is_recorded_is_remembered_and_never_falls(path: Path) -> None:
    with _opened(path) as outbox:
        _append(outbox, rows=5)
        outbox.note_recorded(4)
        outbox.note_recorded(2)
        assert outbox.recorded == 4
    with _opened(path) as outbox:
        assert outbox.recorded == 4


def test_a_day_of_a_large_car_park_fits_in_64_megabytes(path: Path) -> None:
    with _opened(path) as outbox:
        empty = outbox.bytes_used()
        for number in range(2_000):
            outbox.append(
                observation(number, NOW_MS + number * 1_000, groups=12), NOTHING, counts=True
            )
        assert (outbox.bytes_used() - empty) * 86_400 / 2_000 < 64 * 1_000_000


def test_rows_packed_with_an_older_dictionary_stay_readable(path: Path) -> None:
    with _opened(path) as outbox:
        _append(outbox, rows=ROWS_A_DICTIONARY + 2)
        read = outbox.read_after(0, ROWS_A_DICTIONARY * 2)
        assert [o.entries_total for o in read] == list(range(1, ROWS_A_DICTIONARY + 3))
    with _opened(path) as outbox:
        assert outbox.read_after(0, ROWS_A_DICTIONARY * 2) == read


def test_dictionaries_leave_with_the_last_row_they_packed(path: Path) -> None:
    with _opened(path) as outbox:
        _append(outbox, rows=3)
        outbox.note_recorded(3)
        _append(outbox, rows=ROWS_A_DICTIONARY, every_ms=LONGEST_GAP_MS)
        _append(outbox, rows=DAY_MS // LONGEST_GAP_MS, every_ms=LONGEST_GAP_MS)
        outbox.note_recorded(outbox.sequence - 10)
        while outbox.rows() > DAY_MS // LONGEST_GAP_MS + 1:
            outbox.note_recorded(outbox.sequence - 10)
        kept = outbox.read_after(0, 100_000)
        assert kept[-1].sequence == outbox.sequence
        assert len(kept) == outbox.rows()
    raw = sqlite3.connect(path)
    assert raw.execute("SELECT min(id) FROM dictionary").fetchone() > (1,)
    raw.close()


def test_a_full_outbox_thins_snapshots_and_names_the_row_before(path: Path) -> None:
    with _opened(path, SMALL_BYTES) as outbox:
        while outbox.rows() == outbox.sequence:
            _append(outbox, counts=outbox.sequence % 10 == 0)
        kept = _sequences(outbox)
        assert len(kept) < outbox.sequence
        assert [previous for previous, _ in kept[1:]] == [own for _, own in kept[:-1]]
        counted = {number for number in range(1, outbox.sequence + 1) if (number - 1) % 10 == 0}
        assert counted <= {own for _, own in kept}


def test_counts_are_never_thinned_even_if_nothing_more_fits(path: Path) -> None:
    with _opened(path, SMALL_BYTES) as outbox:
        with pytest.raises(OutboxFullError, match="full of counts that nobody has recorded"):
            _append(outbox, rows=100_000, counts=True)
        assert outbox.is_nearly_full()
        assert outbox.rows() == outbox.sequence
        before = outbox.sequence
        with pytest.raises(OutboxFullError):
            outbox.append(observation(1), Memory({"in": CounterState(1, 1, 1)}), counts=True)
        assert (outbox.sequence, outbox.counters()) == (before, {})
        assert len(outbox.read_after(0, 100_000)) == before


def test_an_outbox_with_room_is_not_nearly_full(path: Path) -> None:
    with _opened(path) as outbox:
        assert not outbox.is_nearly_full()
        assert outbox.bytes_used() < outbox.bytes_limit()


def test_a_full_disk_refuses_the_row_and_thins_nothing_and_goes_on_when_it_is_freed(
    path: Path,
) -> None:
    with _opened(path) as outbox:
        _append(outbox, rows=10)
        in_use = max(file.stat().st_size for file in path.parent.iterdir())
        with no_file_grows_beyond(in_use), pytest.raises(OutboxFullError, match="free some"):
            _append(outbox, rows=2_000)
        held = outbox.sequence
        assert _sequences(outbox) == [(n - 1, n) for n in range(1, held + 1)]
        _append(outbox, rows=3)
        assert _sequences(outbox)[-1] == (held + 2, held + 3)


def test_on_a_full_disk_what_is_recorded_is_known_and_no_epoch_begins(path: Path) -> None:
    with _opened(path) as outbox:
        _append(outbox, rows=10)
        epoch = outbox.epoch
        with no_file_grows_beyond(0):
            outbox.note_recorded(7)
            assert outbox.recorded == 7
            with pytest.raises(OutboxFullError, match="free some"):
                outbox.note_published()
            with pytest.raises(OutboxFullError, match="free some"):
                outbox.leave_epoch(NOW_MS, above=epoch)
        assert (outbox.epoch, outbox.is_published) == (epoch, False)
        outbox.note_recorded(8)
    with _opened(path) as again:
        assert (again.recorded, again.sequence) == (8, 10)


def test_an_outbox_that_is_there_opens_on_a_full_disk(path: Path) -> None:
    with _opened(path) as outbox:
        _append(outbox, rows=10)
    with no_file_grows_beyond(0), _opened(path) as outbox:
        assert len(outbox.read_after(0, 100)) == 10


def _append_until_killed(path: Path, ready: "multiprocessing.synchronize.Event") -> None:
    outbox = Outbox(path, NOW_MS)
    while True:
        total = outbox.sequence + 1
        memory = Memory({"in": CounterState(total, total, NOW_MS)})
        outbox.append(observation(total), memory, counts=True)
        if total == 50:
            ready.set()


def test_after_a_kill_counters_and_rows_say_the_same(path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    for _ in range(3):
        ready = context.Event()
        writer = context.Process(target=_append_until_killed, args=(path, ready))
        writer.start()
        assert ready.wait(30)
        assert writer.pid is not None
        os.kill(writer.pid, signal.SIGKILL)
        writer.join()
        with _opened(path) as outbox:
            newest = outbox.newest()
            assert newest is not None
            assert newest.entries_total == outbox.counters()["in"].total == outbox.sequence
            assert len(_sequences(outbox)) == outbox.sequence
        path.unlink()


def _copy_of_a_running_outbox(path: Path, to: Path, rows: int) -> None:
    """The files as a power cut leaves them: the log not yet folded into the main file."""
    with _opened(path) as outbox:
        for total in range(1, rows + 1):
            memory = Memory({"in": CounterState(total, total, NOW_MS)})
            outbox.append(observation(total), memory, counts=True)
        to.parent.mkdir()
        for suffix in ("", "-wal"):
            source = path.with_name(path.name + suffix)
            to.with_name(to.name + suffix).write_bytes(source.read_bytes())


@pytest.mark.parametrize("cut_bytes", [1, 100, 4_096, 5_000, 20_000])
def test_a_log_torn_at_its_end_loses_only_what_was_torn(
    path: Path, tmp_path: Path, cut_bytes: int
) -> None:
    torn = tmp_path / "torn" / "small.sqlite"
    _copy_of_a_running_outbox(path, torn, rows=20)
    wal = torn.with_name("small.sqlite-wal")
    wal.write_bytes(wal.read_bytes()[:-cut_bytes])
    with _opened(torn) as outbox:
        assert 0 < outbox.sequence < 20
        assert outbox.counters()["in"].total == outbox.sequence
        assert [o.entries_total for o in outbox.read_after(0, 100)] == list(
            range(1, outbox.sequence + 1)
        )
        assert outbox.append(observation(99), NOTHING, counts=True).sequence > 0


def test_a_log_whose_last_page_is_garbage_loses_only_that(path: Path, tmp_path: Path) -> None:
    torn = tmp_path / "torn" / "small.sqlite"
    _copy_of_a_running_outbox(path, torn, rows=20)
    wal = torn.with_name("small.sqlite-wal")
    content = bytearray(wal.read_bytes())
    content[-2_000:] = os.urandom(2_000)
    wal.write_bytes(content)
    with _opened(torn) as outbox:
        assert outbox.sequence == 19
        assert outbox.counters()["in"].total == 19


def test_a_broken_file_is_set_aside_and_a_new_epoch_begins(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with _opened(path) as outbox:
        _append(outbox, rows=500)
        epoch = outbox.epoch
    content = bytearray(path.read_bytes())
    content[4_096:40_960] = os.urandom(36_864)
    path.write_bytes(content)
    with _opened(path, now_ms=NOW_MS + 60_000) as outbox:
        assert (outbox.sequence, outbox.counters()) == (0, {})
        assert outbox.epoch > epoch
    assert path.with_name("small.sqlite.broken-1").read_bytes() == bytes(content)
    said = capsys.readouterr().out
    assert "the outbox is broken" in said
    assert "small.sqlite.broken-1" in said


def test_a_file_that_is_no_database_is_set_aside_each_time_under_a_new_name(path: Path) -> None:
    path.parent.mkdir()
    for number in (1, 2):
        path.write_bytes(b"not a database" * 1_000)
        with _opened(path) as outbox:
            assert outbox.sequence == 0
        assert path.with_name(f"small.sqlite.broken-{number}").exists()


def test_a_row_that_has_rotted_is_passed_over(path: Path) -> None:
    with _opened(path) as outbox:
        _append(outbox, rows=4)
    raw = sqlite3.connect(path)
    raw.execute("UPDATE observation SET payload = zeroblob(20) WHERE sequence = 2")
    raw.execute("UPDATE observation SET dictionary = 99 WHERE sequence = 3")
    raw.commit()
    raw.close()
    with _opened(path) as outbox:
        assert _sequences(outbox) == [(0, 1), (1, 4)]


def test_a_file_of_a_newer_version_is_left_alone(path: Path) -> None:
    with _opened(path) as outbox:
        _append(outbox)
    raw = sqlite3.connect(path)
    raw.execute(f"PRAGMA user_version = {VERSION + 1}")
    raw.close()
    with pytest.raises(UnusableOutboxError, match=r"small\.sqlite was written by a newer version"):
        Outbox(path, NOW_MS)


@pytest.mark.parametrize("missing", ["heard", "pushed"])
def test_a_file_of_an_older_version_gets_what_is_new_and_keeps_its_rows(
    path: Path, missing: str
) -> None:
    with _opened(path) as outbox:
        _append(outbox, counts=True)
        epoch = outbox.epoch
    raw = sqlite3.connect(path)
    raw.execute(f"DROP TABLE {missing}")
    raw.close()
    with _opened(path) as outbox:
        outbox.append(
            observation(2, NOW_MS), NOTHING, counts=True, pushed=[("r1", 1)], heard=[("n1", 1)]
        )
        assert (outbox.epoch, _sequences(outbox)) == (epoch, [(0, 1), (1, 2)])
        assert (outbox.pushed(), outbox.heard()) == (["r1"], {"n1": 1})


def test_two_gateways_never_share_an_outbox(path: Path) -> None:
    with _opened(path), pytest.raises(UnusableOutboxError, match="another gateway has it"):
        Outbox(path, NOW_MS)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="ascii")
    with pytest.raises(UnusableOutboxError, match="choose another folder"):
        Outbox(tmp_path / "file" / "small.sqlite", NOW_MS)


def test_a_path_that_is_a_folder_is_named(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(UnusableOutboxError, match="unable to open database file"):
        Outbox(path, NOW_MS)


def test_an_epoch_under_which_nothing_left_may_be_born_again_with_all_its_rows(path: Path) -> None:
    with _opened(path) as outbox:
        _append(outbox, rows=3)
        outbox.bear_again(NOW_MS, above=outbox.epoch + 5_000_000)
        assert {o.epoch for o in outbox.read_after(0, 10)} == {outbox.epoch}
        assert _sequences(outbox) == [(0, 1), (1, 2), (2, 3)]
        assert not outbox.is_published
        outbox.note_published()
        outbox.note_published()
        assert outbox.is_published


def test_an_old_copy_begins_an_epoch_for_the_rows_to_come(path: Path) -> None:
    with _opened(path) as outbox:
        _append(outbox, rows=3)
        outbox.note_published()
        outbox.note_recorded(2)
        old = outbox.epoch
        outbox.leave_epoch(NOW_MS, above=old)
        assert (outbox.recorded, outbox.newest()) == (0, None)
        placed = outbox.append(observation(9), NOTHING, counts=True)
        outbox.append(observation(9), NOTHING, counts=True)
        assert (placed.sequence, placed.previous_sequence) == (4, 0)
        assert placed.epoch == outbox.epoch > old
        assert _sequences(outbox) == [(0, 4), (4, 5)]
    with _opened(path) as outbox:
        assert _sequences(outbox) == [(0, 4), (4, 5)]
