"""Levels and devices over time in PostgreSQL: looked at once a minute, a span a device's state."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from gateway.observation import DeviceState
from occupancy.database import Pool
from occupancy.database_restrictions import time_of

KEPT_DAYS = 400


class LevelSample(NamedTuple):
    """Cars and free spaces of each level at one moment, from the ground up; None: not known."""

    lot_id: str
    at_ms: int
    occupied: tuple[int | None, ...]
    free: tuple[int | None, ...]


class DeviceSpan(NamedTuple):
    """A device was in this state from its first look to its last, UTC milliseconds."""

    lot_id: str
    device_id: str
    from_ms: int
    until_ms: int
    state: DeviceState
    note: str = ""


async def add_levels(connections: Pool, samples: Sequence[LevelSample]) -> None:
    """Telling one twice changes nothing."""
    await connections.executemany(
        "INSERT INTO level_sample (lot_id, at, occupied, free) VALUES ($1, $2, $3, $4) "
        "ON CONFLICT DO NOTHING",
        [(one.lot_id, time_of(one.at_ms), one.occupied, one.free) for one in samples],
    )


async def keep_spans(connections: Pool, spans: Sequence[DeviceSpan]) -> None:
    """Begin a span, or let one that is there last longer."""
    await connections.executemany(
        "INSERT INTO device_span (lot_id, device_id, from_at, until_at, state, note) "
        "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (lot_id, device_id, from_at) "
        "DO UPDATE SET until_at = greatest(device_span.until_at, excluded.until_at)",
        [
            (
                *(one.lot_id, one.device_id, time_of(one.from_ms), time_of(one.until_ms)),
                *(one.state.value, one.note),
            )
            for one in spans
        ],
    )


async def list_newest_spans(connections: Pool) -> list[DeviceSpan]:
    """The last one of each device."""
    rows = await connections.fetch(
        "SELECT DISTINCT ON (lot_id, device_id) * FROM device_span "
        "ORDER BY lot_id, device_id, from_at DESC"
    )
    return [_span(row) for row in rows]


async def list_spans(
    connections: Pool, lot_id: str, device_id: str, from_ms: int, to_ms: int
) -> list[DeviceSpan]:
    """Those that reach into the period, the earliest first."""
    rows = await connections.fetch(
        "SELECT * FROM device_span WHERE lot_id = $1 AND device_id = $2 "
        "AND until_at >= $3 AND from_at < $4 ORDER BY from_at",
        *(lot_id, device_id, time_of(from_ms), time_of(to_ms)),
    )
    return [_span(row) for row in rows]


async def list_devices(connections: Pool, lot_id: str) -> list[str]:
    """Every device that was ever looked at, also one that is gone."""
    rows = await connections.fetch(
        "SELECT DISTINCT device_id FROM device_span WHERE lot_id = $1 ORDER BY device_id", lot_id
    )
    return [row["device_id"] for row in rows]


async def count_levels(connections: Pool, lot_id: str) -> int:
    """How many levels the newest look found; none before the first."""
    count = await connections.fetchval(
        "SELECT cardinality(occupied) FROM level_sample WHERE lot_id = $1 ORDER BY at DESC LIMIT 1",
        lot_id,
    )
    return int(count or 0)


async def find_first_ms(connections: Pool, lot_id: str) -> tuple[int | None, int | None]:
    """Since when levels and devices of a car park are looked at."""
    row = await connections.fetchrow(
        "SELECT (SELECT min(at) FROM level_sample WHERE lot_id = $1) AS levels, "
        "(SELECT min(from_at) FROM device_span WHERE lot_id = $1) AS devices",
        lot_id,
    )
    return _ms(row["levels"]), _ms(row["devices"])


async def forget_old(connections: Pool) -> None:
    await connections.execute(
        "DELETE FROM level_sample WHERE at < now() - make_interval(days => $1)", KEPT_DAYS
    )
    await connections.execute(
        "DELETE FROM device_span WHERE until_at < now() - make_interval(days => $1)", KEPT_DAYS
    )


def _span(row: Any) -> DeviceSpan:  # noqa: ANN401  # asyncpg's record
    from_ms, until_ms = (round(row[name].timestamp() * 1_000) for name in ("from_at", "until_at"))
    state = DeviceState(row["state"])
    return DeviceSpan(row["lot_id"], row["device_id"], from_ms, until_ms, state, row["note"])


def _ms(at: Any) -> int | None:  # noqa: ANN401  # a datetime of asyncpg's or None
    return None if at is None else round(at.timestamp() * 1_000)
