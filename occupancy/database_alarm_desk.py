"""The alarms that people deal with, in PostgreSQL: their four states, comments, quiet windows."""

import datetime as dt
from collections.abc import Collection, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

import msgspec

from occupancy.alarm import AlarmKind, Severity
from occupancy.database import Connection, Pool


class DeskState(StrEnum):
    """Whether an alarm lasts, and whether somebody has said that he has seen it."""

    ACTIVE_UNACK = "active_unack"
    ACTIVE_ACK = "active_ack"
    CLEARED_UNACK = "cleared_unack"
    CLEARED_ACK = "cleared_ack"


class DeskAlarm(msgspec.Struct, frozen=True):
    """One alarm with all that people did about it. Times are UTC milliseconds."""

    alarm_id: int
    kind: AlarmKind
    lot_id: str
    subject: str
    severity: Severity
    words: str
    raised_at_ms: int
    cleared_at_ms: int | None
    acknowledged_at_ms: int | None
    acknowledged_by: str | None
    note: str
    assigned_to: str | None
    snoozed_until_ms: int | None
    is_quiet: bool
    version: int

    @property
    def is_active(self) -> bool:
        return self.cleared_at_ms is None

    @property
    def is_acknowledged(self) -> bool:
        return self.acknowledged_at_ms is not None

    @property
    def state(self) -> DeskState:
        if self.is_active:
            return DeskState.ACTIVE_ACK if self.is_acknowledged else DeskState.ACTIVE_UNACK
        return DeskState.CLEARED_ACK if self.is_acknowledged else DeskState.CLEARED_UNACK

    def is_snoozed(self, now_ms: int) -> bool:
        return self.snoozed_until_ms is not None and now_ms < self.snoozed_until_ms

    def waits(self, now_ms: int) -> bool:
        """For somebody to say that he has seen it."""
        return not (self.is_acknowledged or self.is_quiet or self.is_snoozed(now_ms))

    def facts(self) -> dict[str, object]:
        """What the audit knows of it."""
        return {
            "acknowledged_by": self.acknowledged_by,
            "note": self.note,
            "assigned_to": self.assigned_to,
            "snoozed_until_ms": self.snoozed_until_ms,
        }


class AlarmFilter(msgspec.Struct, frozen=True):
    """Which alarms; empty is any. `is_open`: that last, or that nobody has acknowledged yet.

    A `state` goes before `is_open`. The times are those at which they were raised.
    """

    is_open: bool = True
    lots: tuple[str, ...] = ()
    lot_id: str = ""
    kind: str = ""
    severity: str = ""
    text: str = ""
    before_id: int | None = None
    state: DeskState | None = None
    from_ms: int | None = None
    until_ms: int | None = None


class Comment(NamedTuple):
    """What somebody said of an alarm."""

    at_ms: int
    who: str
    words: str


class QuietWindow(msgspec.Struct, frozen=True):
    """Planned work; times are UTC milliseconds. No kinds: every one."""

    number: int
    lot_id: str
    kinds: tuple[str, ...]
    from_ms: int
    until_ms: int
    reason: str
    made_by: str


class Waiting(NamedTuple):
    """How many alarms wait for somebody, and a sum that changes whenever one of them does."""

    alarms: int
    state: int


# Planned work that went on when the alarm was over, or goes on now; `least` passes over NULL.
QUIET = (
    "EXISTS (SELECT FROM quiet_window w WHERE w.lot_id = a.lot_id "
    "AND (w.kinds = '{}' OR a.kind = ANY(w.kinds)) "
    "AND w.from_at <= coalesce(a.cleared_at, now()) "
    "AND least(w.until_at, w.ended_at) > coalesce(a.cleared_at, now()))"
)
_SELECT = f"SELECT a.*, {QUIET} AS is_quiet FROM alarm a "  # noqa: S608  # our own words
_OPEN = "(a.cleared_at IS NULL OR a.acknowledged_at IS NULL)"


async def list_alarms(
    connections: Connection | Pool, wanted: AlarmFilter, most: int
) -> list[DeskAlarm]:
    """The newest first."""
    rows = await connections.fetch(
        f"{_SELECT} WHERE (NOT $1 OR {_OPEN}) AND ($2::text[] = '{{}}' OR a.lot_id = ANY($2)) "
        "AND ($3 = '' OR a.lot_id = $3) AND ($4 = '' OR a.kind = $4) "
        "AND ($5 = '' OR a.severity = $5) "
        "AND ($6 = '' OR strpos(lower(concat_ws(' ', a.words, a.subject, a.note)), lower($6)) > 0) "
        "AND ($7::bigint IS NULL OR a.alarm_id < $7) "
        "AND ($9::boolean IS NULL OR (a.cleared_at IS NULL) = $9) "
        "AND ($10::boolean IS NULL OR (a.acknowledged_at IS NOT NULL) = $10) "
        "AND ($11::timestamptz IS NULL OR a.raised_at >= $11) "
        "AND ($12::timestamptz IS NULL OR a.raised_at < $12) "
        "ORDER BY a.alarm_id DESC LIMIT $8",
        *(wanted.is_open and wanted.state is None, list(wanted.lots), wanted.lot_id),
        *(wanted.kind, wanted.severity, wanted.text, wanted.before_id, most),
        *_lasts_and_seen(wanted.state),
        *(_time(wanted.from_ms), _time(wanted.until_ms)),
    )
    return _known(rows)


async def find_alarms(
    connection: Connection | Pool, alarm_ids: Collection[int], *, lock: bool = False
) -> dict[int, DeskAlarm]:
    """Those that are there, by number."""
    rows = await connection.fetch(
        f"{_SELECT} WHERE a.alarm_id = ANY($1) ORDER BY a.alarm_id"
        + (" FOR UPDATE OF a" if lock else ""),
        list(alarm_ids),
    )
    return {one.alarm_id: one for one in _known(rows)}


async def change_alarm(connection: Connection, changed: DeskAlarm) -> None:
    """Keep what people did about it under the next version."""
    await connection.execute(
        "UPDATE alarm SET acknowledged_at = $2, acknowledged_by = $3, note = $4, "
        "assigned_to = $5, snoozed_until = $6, version = version + 1 WHERE alarm_id = $1",
        *(changed.alarm_id, _time(changed.acknowledged_at_ms), changed.acknowledged_by),
        *(changed.note, changed.assigned_to, _time(changed.snoozed_until_ms)),
    )


async def add_comment(connection: Connection, alarm_id: int, who: str, words: str) -> None:
    await connection.execute(
        "INSERT INTO alarm_comment (alarm_id, who, words) VALUES ($1, $2, $3)",
        *(alarm_id, who, words),
    )


async def list_comments(connections: Pool, alarm_id: int) -> list[Comment]:
    rows = await connections.fetch(
        "SELECT at, who, words FROM alarm_comment WHERE alarm_id = $1 ORDER BY at", alarm_id
    )
    return [Comment(_ms(row["at"]) or 0, row["who"], row["words"]) for row in rows]


async def read_waiting(connections: Pool) -> Waiting:
    row = await connections.fetchrow(
        "SELECT count(*) FILTER (WHERE a.acknowledged_at IS NULL "  # noqa: S608  # our own words
        f"AND coalesce(a.snoozed_until <= now(), true) AND NOT {QUIET}) AS waiting, "
        "coalesce(sum(a.version * 2 + (a.cleared_at IS NULL)::int), 0) + count(*) AS state "
        f"FROM alarm a WHERE {_OPEN}"  # our own words
    )
    return Waiting(row["waiting"], int(row["state"]))


async def add_quiet_window(connection: Connection, made: QuietWindow) -> int:
    return int(
        await connection.fetchval(
            "INSERT INTO quiet_window (lot_id, kinds, from_at, until_at, reason, made_by) "
            "VALUES ($1, $2, $3, $4, $5, $6) RETURNING number",
            *(made.lot_id, list(made.kinds), _time(made.from_ms), _time(made.until_ms)),
            *(made.reason, made.made_by),
        )
    )


async def end_quiet_window(connection: Connection, number: int, by: str) -> QuietWindow | None:
    """None if there is none that is still open."""
    row = await connection.fetchrow(
        "UPDATE quiet_window SET ended_at = now(), ended_by = $2 "
        "WHERE number = $1 AND ended_at IS NULL AND until_at > now() RETURNING *",
        *(number, by),
    )
    return None if row is None else _window(row)


async def list_quiet_windows(connections: Connection | Pool) -> list[QuietWindow]:
    """Those that are not over."""
    rows = await connections.fetch(
        "SELECT * FROM quiet_window WHERE ended_at IS NULL AND until_at > now() ORDER BY from_at"
    )
    return [_window(row) for row in rows]


def _lasts_and_seen(state: DeskState | None) -> tuple[bool | None, bool | None]:
    if state is None:
        return None, None
    return (
        state in (DeskState.ACTIVE_UNACK, DeskState.ACTIVE_ACK),
        state in (DeskState.ACTIVE_ACK, DeskState.CLEARED_ACK),
    )


def _known(rows: Sequence[Any]) -> list[DeskAlarm]:
    """Those of kinds this version knows: a newer one may run beside it."""
    kinds = {kind.value for kind in AlarmKind}
    return [_alarm(row) for row in rows if row["kind"] in kinds]


def _alarm(row: Any) -> DeskAlarm:  # noqa: ANN401  # asyncpg's record
    return DeskAlarm(
        row["alarm_id"],
        AlarmKind(row["kind"]),
        row["lot_id"],
        row["subject"],
        Severity(row["severity"]),
        row["words"],
        _ms(row["raised_at"]) or 0,
        _ms(row["cleared_at"]),
        _ms(row["acknowledged_at"]),
        row["acknowledged_by"],
        row["note"],
        row["assigned_to"],
        _ms(row["snoozed_until"]),
        row["is_quiet"],
        row["version"],
    )


def _window(row: Any) -> QuietWindow:  # noqa: ANN401
    return QuietWindow(
        row["number"],
        row["lot_id"],
        tuple(row["kinds"]),
        _ms(row["from_at"]) or 0,
        _ms(row["until_at"]) or 0,
        row["reason"],
        row["made_by"],
    )


def _ms(at: dt.datetime | None) -> int | None:
    return None if at is None else round(at.timestamp() * 1_000)


def _time(ms: int | None) -> dt.datetime | None:
    return None if ms is None else dt.datetime.fromtimestamp(ms / 1_000, tz=dt.UTC)
