"""A car park's story as its gateway told it, step by step, and the windows of these steps."""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from gateway.history_rows import BASES, COLUMNS, SILENT_GROUP, HistoryRows
from gateway.observation import Basis
from occupancy.rollup import FRESH_MS, MINUTE_MS, TOLD_MS
from tests.recorded_story import Gap, LotStory, Numbers

STEPS_SECONDS = (1, 2, 5, 10)  # those that leave no hole and meet every minute
ROLLUP_COLUMNS = (
    *("told_ms", "fresh_ms", "suspect_ms", "full_ms", "occupied_ms", "free_ms", "usable_ms"),
    *("occupied_most", "entries", "exits", "entries_late", "exits_late"),
)
MOST = ROLLUP_COLUMNS.index("occupied_most")
FRESH = ROLLUP_COLUMNS.index("fresh_ms")


@dataclass(frozen=True)
class Samples:
    """One lot's observations in order; `begins` are the places at which its memory is new."""

    lot_id: str
    groups: int
    at_ms: Numbers
    occupied: Numbers
    usable: Numbers
    spaces: int
    entries_total: Numbers
    exits_total: Numbers
    epoch: Numbers

    def __len__(self) -> int:
        return len(self.at_ms)

    def between(self, from_ms: int, to_ms: int) -> "Samples":
        first, last = (int(place) for place in np.searchsorted(self.at_ms, (from_ms, to_ms)))
        columns = {
            name: getattr(self, name)[first:last]
            for name in ("at_ms", "occupied", "usable", "entries_total", "exits_total", "epoch")
        }
        return replace(self, **columns)


def sample(
    story: LotStory,
    span: tuple[int, int],
    step_seconds: int,
    gaps: tuple[Gap, ...] = (),
    resets_ms: tuple[int, ...] = (),
) -> Samples:
    """What was told every step of a span, but in the gaps. A reset begins the totals anew."""
    at_ms = np.arange(*span, step_seconds * 1_000, dtype=np.int64)
    for gap in gaps:
        if gap.lot_id == story.lot_id:
            at_ms = at_ms[(at_ms < gap.from_ms) | (at_ms >= gap.until_ms)]
    place = np.searchsorted(np.asarray(story.at_ms), at_ms, side="right") - 1
    epoch = np.searchsorted(np.asarray(resets_ms, dtype=np.int64), at_ms, side="right")
    return Samples(
        lot_id=story.lot_id,
        groups=max(1, story.spaces // 20),
        at_ms=at_ms,
        occupied=np.asarray(story.occupied)[place],
        usable=np.asarray(story.usable)[place],
        spaces=story.spaces,
        entries_total=_since_reset(story.entered_ms, at_ms, resets_ms),
        exits_total=_since_reset(story.gone_ms, at_ms, resets_ms),
        epoch=epoch + 1,
    )


def _since_reset(crossed_ms: list[int], at_ms: Numbers, resets_ms: tuple[int, ...]) -> Numbers:
    crossed = np.asarray(crossed_ms)
    total = np.searchsorted(crossed, at_ms, side="right")
    for reset_ms in resets_ms:
        before = np.searchsorted(crossed, reset_ms)
        total = np.where(
            at_ms >= reset_ms, np.searchsorted(crossed, at_ms, "right") - before, total
        )
    return total.astype(np.int64)


def minutes_of(told: Samples, span: tuple[int, int]) -> Numbers:
    """Each minute of a span, a row of ROLLUP_COLUMNS: what occupancy.database_rollup makes of it.

    Holds where every observation is sound and stands on a step that divides ten seconds.
    """
    following = np.append(told.at_ms[1:], told.at_ms[-1] + FRESH_MS)
    behind = np.concatenate(([told.at_ms[0]], told.at_ms[:-1]))
    told_ms = np.minimum(following - told.at_ms, TOLD_MS)
    free = told.usable - told.occupied
    is_full = (free <= 1) | (free * 50 <= told.usable)
    is_late = told.at_ms - behind > TOLD_MS
    entries, exits = (_new(told, total) for total in (told.entries_total, told.exits_total))
    minute = (told.at_ms - span[0]) // MINUTE_MS
    minutes = (span[1] - span[0]) // MINUTE_MS
    columns = (
        *(told_ms, told_ms * 0, told_ms * 0, told_ms * is_full, told_ms * told.occupied),
        *(told_ms * free, told_ms * told.usable),
        *(told_ms * 0, entries, exits, entries * is_late, exits * is_late),
    )
    made = np.zeros((minutes, len(ROLLUP_COLUMNS)), dtype=np.int64)
    for number, column in enumerate(columns):
        made[:, number] = np.bincount(minute, weights=column, minlength=minutes).astype(np.int64)
    made[:, FRESH] = _fresh(told, following, span)
    most = np.full(minutes, -1, dtype=np.int64)
    np.maximum.at(most, minute, told.occupied)
    made[:, MOST] = most
    return made


def _new(told: Samples, total: Numbers) -> Numbers:
    """Cars counted since the row before; none that a new memory or the first row could tell."""
    made: Numbers = np.diff(total, prepend=total[:1]) * (
        np.diff(told.epoch, prepend=told.epoch[:1]) == 0
    )
    return made


def _fresh(told: Samples, following: Numbers, span: tuple[int, int]) -> Numbers:
    """Milliseconds of each minute in which the newest row was younger than FRESH_MS."""
    seconds = np.zeros((span[1] - span[0]) // 1_000 + 1, dtype=np.int64)
    until = np.minimum(np.minimum(following, told.at_ms + FRESH_MS), span[1])
    np.add.at(seconds, (told.at_ms - span[0]) // 1_000, 1)
    np.add.at(seconds, (until - span[0]) // 1_000, -1)
    fresh: Numbers = np.cumsum(seconds)[:-1].reshape(-1, 60).sum(axis=1) * 1_000
    return fresh


def longer(minutes: Numbers, count: int) -> Numbers:
    """So many minutes to one window."""
    parts = minutes.reshape(-1, count, minutes.shape[1])
    made: Numbers = parts.sum(axis=1)
    made[:, MOST] = parts[:, :, MOST].max(axis=1)
    return made


def history_rows(told: Samples, first_sequence: int = 1) -> list[HistoryRows]:
    """The same as a gateway's history, one part an epoch; cars are spread over the groups."""
    if not len(told):
        return []
    edges = [0, *(np.flatnonzero(np.diff(told.epoch)) + 1).tolist(), len(told)]
    parts = []
    for start, stop in pairwise(edges):
        sequence = np.arange(stop - start, dtype=np.int64) + (first_sequence if not start else 1)
        parts.append(_part(told, slice(start, stop), sequence))
    return parts


def _part(told: Samples, rows: slice, sequence: Numbers) -> HistoryRows:
    occupied, usable = told.occupied[rows], told.usable[rows]
    columns = {
        "sequence": sequence,
        "previous_sequence": sequence - 1,
        "observed_at_ms": told.at_ms[rows],
        "entries_total": told.entries_total[rows],
        "exits_total": told.exits_total[rows],
        "occupied": occupied,
        "free": usable - occupied,
        "usable": usable,
        "out_of_service": told.spaces - usable,
    }
    numbers = np.stack([columns[name] for name in COLUMNS], axis=1)
    lanes = np.stack([told.entries_total[rows], told.exits_total[rows]], axis=1)
    group = np.arange(told.groups)
    groups = occupied[:, None] // told.groups + (group < occupied[:, None] % told.groups)
    is_silent = group >= np.ceil(usable[:, None] * told.groups / told.spaces)
    spread = np.where(is_silent, SILENT_GROUP, groups)
    return HistoryRows(
        lot_id=told.lot_id,
        epoch=int(told.epoch[rows][0]),
        lanes=2,
        groups=told.groups,
        numbers=numbers.astype("<i8").tobytes(),
        lane_totals=lanes.astype("<i8").tobytes(),
        group_occupied=spread.astype("<i8").tobytes(),
        bases=bytes([BASES.index(Basis.COUNTED)]) * len(occupied),
    )
