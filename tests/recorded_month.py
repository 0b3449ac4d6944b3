"""A plausible past of the five car parks in PostgreSQL, by seed: for tests that look back.

`await record_month(connections)` writes October 2026 in some seconds: holidays and a make-up
workday, evenings on which 中山路 is full, two gaps, a machine group out of service, a gateway that
began anew, nightly truth checks and corrections. Windows of 1, 15 and 60 minutes stand for all of
it; raw rows, a tenth as many as a gateway writes, for the last `raw_days` only, because they take
most of the time. `record_period` writes any other past.
"""

import datetime as dt
import io
import random
from dataclasses import dataclass
from functools import lru_cache

import asyncpg
import msgspec
import numpy as np

from occupancy import database, history
from occupancy.copy_rows import write
from occupancy.database_rollup import prepare_months
from occupancy.history import Position
from occupancy.lot_file import load_shipped
from occupancy.rollup import DAY_MS, LEVELS_MINUTES, MINUTE_MS, date_start_ms
from tests.recorded_samples import (
    FRESH,
    MOST,
    ROLLUP_COLUMNS,
    STEPS_SECONDS,
    Samples,
    history_rows,
    longer,
    minutes_of,
    sample,
)
from tests.recorded_story import HOUR_MS, Closure, Fair, Gap, LotStory, Numbers, tell

OCTOBER = dt.date(2026, 10, 1)
CORRECTED_FROM_CARS = 6
BATCH_ROWS = 100_000
PASTS_KEPT = 4


class Past(msgspec.Struct, frozen=True):
    """What happened: some local days from `first` on, and what went wrong in them.

    `opened` names lots that told nothing before a moment; `resets` gateways that began anew.
    """

    first: dt.date = OCTOBER
    days: int = 31
    seed: str = "month"
    step_seconds: int = 10
    raw_days: int = 1
    gaps: tuple[Gap, ...] = ()
    closures: tuple[Closure, ...] = ()
    fairs: tuple[Fair, ...] = ()
    opened: dict[str, int] = {}
    resets: dict[str, tuple[int, ...]] = {}

    @property
    def span(self) -> tuple[int, int]:
        start_ms = date_start_ms(self.first)
        return start_ms, start_ms + self.days * DAY_MS


class Told(msgspec.Struct, frozen=True):
    """What was written: the past, and the truth behind it, a story a car park."""

    past: Past
    stories: dict[str, LotStory]

    def refused(self, lot_id: str) -> int:
        """Drivers who found the car park full in the period."""
        start_ms, end_ms = self.past.span
        return sum(start_ms <= at < end_ms for at in self.stories[lot_id].refused_ms)


def october() -> Past:
    """The month that `record_month` writes."""
    start = date_start_ms(OCTOBER)

    def at(day: int, hour: float) -> int:
        return start + (day - 1) * DAY_MS + int(hour * HOUR_MS)

    return Past(
        gaps=(
            Gap("sanda", at(9, 2), at(9, 8)),
            Gap("kangle", at(22, 13), at(22, 13.5)),
        ),
        closures=(Closure("zhanqian", 18, at(13, 3), at(16, 3)),),
        fairs=(
            Fair("三水广场", at(16, 18), 120, 220),
            Fair("三水广场", at(24, 18), 120, 220),
        ),
        resets={"huochezhan": (at(19, 10),)},
    )


async def record_month(connections: asyncpg.Pool) -> Told:
    return await record_period(connections, october())


async def record_period(connections: asyncpg.Pool, past: Past) -> Told:
    """Write a past into a migrated database; the five car parks as they ship."""
    if past.step_seconds not in STEPS_SECONDS:
        raise ValueError(f"step_seconds must be one of {STEPS_SECONDS}")
    await database.seed_lots(connections, load_shipped())
    made = _make(msgspec.msgpack.encode(past))
    for lot in made:
        await _copy_windows(connections, lot.windows, past.span)
        await _write_rows(connections, lot.raw)
        await _write_checks(connections, lot.story, past)
    await connections.execute("TRUNCATE rollup_due")
    return Told(past, {lot.story.lot_id: lot.story for lot in made})


@dataclass(frozen=True)
class _Made:
    """What a past comes to in one car park, before it is written."""

    story: LotStory
    windows: dict[int, str]
    raw: Samples


@lru_cache(PASTS_KEPT)
def _make(encoded: bytes) -> list[_Made]:
    """Most tests look back on the same past, and to think it out takes longer than to write it."""
    past = msgspec.msgpack.decode(encoded, type=Past)
    stories = tell(past.first, past.days, past.seed, past.closures, past.fairs)
    return [_make_lot(past, story) for story in stories]


def _make_lot(past: Past, story: LotStory) -> _Made:
    span = (max(past.span[0], past.opened.get(story.lot_id, 0)), past.span[1])
    told = sample(story, span, past.step_seconds, past.gaps, past.resets.get(story.lot_id, ()))
    raw = told.between(past.span[1] - past.raw_days * DAY_MS, past.span[1])
    return _Made(story, _windows(told, past.span), raw)


async def write_windows(connections: asyncpg.Pool, told: Samples, span: tuple[int, int]) -> None:
    """The windows of a span's observations, as the rollup would make them."""
    await _copy_windows(connections, _windows(told, span), span)


async def _copy_windows(
    connections: asyncpg.Pool, windows: dict[int, str], span: tuple[int, int]
) -> None:
    for level, lines in windows.items():
        async with connections.acquire() as connection:
            await prepare_months(connection, f"rollup_{level}", *span)
            await connection.copy_to_table(
                f"rollup_{level}",
                source=io.BytesIO(lines.encode()),
                columns=("lot_id", "start", *ROLLUP_COLUMNS),
            )


def _windows(told: Samples, span: tuple[int, int]) -> dict[int, str]:
    """By minutes, as lines for COPY."""
    minutes = minutes_of(told, span)
    windows = {}
    for level in LEVELS_MINUTES:
        made = longer(minutes, level)
        starts = span[0] + np.arange(len(made)) * level * MINUTE_MS
        has_data = made[:, FRESH] > 0
        windows[level] = _lines(told.lot_id, starts[has_data], made[has_data])
    return windows


def _lines(lot_id: str, starts: Numbers, made: Numbers) -> str:
    """PostgreSQL's COPY, text format."""
    moments = np.datetime_as_string(starts.astype("datetime64[ms]"), unit="s", timezone="UTC")
    rows = made.astype(object)
    rows[made[:, MOST] < 0, MOST] = None
    told = (str(row)[1:-1].replace(", ", "\t").replace("None", "\\N") for row in rows.tolist())
    return "".join(
        f"{lot_id}\t{moment}\t{row}\n" for moment, row in zip(moments, told, strict=True)
    )


async def _write_rows(connections: asyncpg.Pool, told: Samples) -> None:
    """As the recorder would: the watermark moves with the rows."""
    behind = Position(0, 0)
    for part in history_rows(told):
        for start in range(0, len(part), BATCH_ROWS):
            rows = part.part(start, start + BATCH_ROWS)
            written = write([rows], 0, int(told.at_ms[-1]) + HOUR_MS)
            behind = await history.record(connections, told.lot_id, written, behind)


async def _write_checks(connections: asyncpg.Pool, story: LotStory, past: Past) -> None:
    """Counters against machines each night: they drift apart until somebody counts again."""
    chance = random.Random(f"{past.seed}:{story.lot_id}:drift")  # noqa: S311 -- by seed
    drift, entered, gone = 0, np.asarray(story.entered_ms), np.asarray(story.gone_ms)
    for day in range(past.days):
        at_ms = past.span[0] + day * DAY_MS + 3 * HOUR_MS
        news = round(chance.gauss(0.4, 1.5))
        drift += news
        entries = int(np.searchsorted(entered, at_ms))
        exits = int(np.searchsorted(gone, at_ms))
        inside = entries - exits
        await connections.execute(
            _CHECK,
            story.lot_id,
            _time(at_ms),
            past.first + dt.timedelta(days=day),
            *(day + 1, story.spaces, entries, exits, inside + drift, inside, drift, news),
        )
        if abs(drift) >= CORRECTED_FROM_CARS:
            await connections.execute(
                _CORRECTION,
                story.lot_id,
                day + 1,
                inside,
                entries,
                exits,
                inside + drift,
                _time(at_ms + 6 * HOUR_MS),
            )
            drift = 0


def _time(ms: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(ms / 1_000, tz=dt.UTC)


_CHECK = """
INSERT INTO truth_check (lot_id, checked_at, night, asked_by, epoch, sequence, capacity,
    entries_total, exits_total, cars_by_counters, cars_by_machines, unseen_cars, drift_cars,
    drift_since_last_cars)
VALUES ($1, $2, $3, '', 1, $4, $5, $6, $7, $8, $9, 0, $10, $11)
"""

_CORRECTION = """
INSERT INTO correction (lot_id, epoch, sequence, cars_inside, entries_total, exits_total,
    unseen_cars, cars_by_counters, cars_by_machines, reason, corrected_by, corrected_at)
VALUES ($1, 1, $2, $3, $4, $5, 0, $6, $3, '人工盘点', '值班员', $7)
"""
