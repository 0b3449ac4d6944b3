"""Alarms in PostgreSQL: raised once, kept with their times."""

import datetime as dt
from typing import NamedTuple

import asyncpg

from occupancy.alarm import Alarm, AlarmKind, Key, Severity
from occupancy.database import Pool


class KeptAlarm(NamedTuple):
    """An alarm as it is kept, with what people did about it."""

    alarm_id: int
    alarm: Alarm
    acknowledged_at_ms: int | None
    acknowledged_by: str | None
    note: str


async def save(connections: Pool, alarm: Alarm) -> None:
    """Keep what was raised or cleared; telling it twice changes nothing."""
    key, at = alarm.key, _time(alarm.raised_at_ms)
    if alarm.cleared_at_ms is None:
        await connections.execute(
            "INSERT INTO alarm (kind, lot_id, subject, severity, words, raised_at) "
            "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
            *(key.kind.value, key.lot_id, key.subject),
            *(alarm.severity.value, alarm.words, at),
        )
        return
    await connections.execute(
        "UPDATE alarm SET cleared_at = $4 "
        "WHERE kind = $1 AND lot_id = $2 AND subject = $3 AND cleared_at IS NULL",
        *(key.kind.value, key.lot_id, key.subject),
        _time(alarm.cleared_at_ms),
    )


async def list_open(connections: Pool) -> list[KeptAlarm]:
    rows = await connections.fetch(f"{_ALL} WHERE cleared_at IS NULL ORDER BY alarm_id")
    return _known(rows)


async def list_between(
    connections: Pool, from_ms: int, to_ms: int, most: int, lot_id: str | None = None
) -> list[KeptAlarm]:
    """Alarms that lasted at some time of the span, the newest first, at most `most`."""
    rows = await connections.fetch(
        f"{_ALL} WHERE raised_at < $2 AND (cleared_at IS NULL OR cleared_at >= $1) "
        "AND ($4::text IS NULL OR lot_id = $4) ORDER BY alarm_id DESC LIMIT $3",
        *(_time(from_ms), _time(to_ms), most, lot_id),
    )
    return _known(rows)


_ALL = (
    "SELECT alarm_id, kind, lot_id, subject, severity, words, raised_at, cleared_at, "
    "acknowledged_at, acknowledged_by, note FROM alarm"
)


def _known(rows: list[asyncpg.Record]) -> list[KeptAlarm]:
    """Those of kinds this version knows: a newer one may run beside it."""
    kinds = {kind.value for kind in AlarmKind}
    return [_kept(row) for row in rows if row["kind"] in kinds]


def _kept(row: asyncpg.Record) -> KeptAlarm:
    alarm = Alarm(
        Key(AlarmKind(row["kind"]), row["lot_id"], row["subject"]),
        Severity(row["severity"]),
        row["words"],
        _ms(row["raised_at"]) or 0,
        _ms(row["cleared_at"]),
    )
    return KeptAlarm(
        row["alarm_id"],
        alarm,
        _ms(row["acknowledged_at"]),
        row["acknowledged_by"],
        row["note"],
    )


def _ms(at: dt.datetime | None) -> int | None:
    return None if at is None else round(at.timestamp() * 1_000)


def _time(ms: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(ms / 1_000, tz=dt.UTC)
