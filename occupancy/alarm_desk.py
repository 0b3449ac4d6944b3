"""What people do about alarms: acknowledge, comment, assign, snooze; one or many at once."""

from collections.abc import Callable, Mapping, Sequence

import msgspec

from occupancy import database_alarm_desk, database_audit, database_users
from occupancy.audit import Entry
from occupancy.database import Connection, Pool
from occupancy.database_alarm_desk import DeskAlarm, QuietWindow
from occupancy.edit import BadEditError, SettledError, StaleEditError, require_reason, require_text
from occupancy.lot import Lot

MOST_SNOOZE_MS = 24 * 3_600_000
MOST_QUIET_MS = 31 * 86_400_000
MOST_NOTE = 200
MOST_AT_ONCE = 500
Picks = Mapping[int, int]  # alarm to the version that was seen


async def acknowledge(
    connections: Pool, picks: Picks, *, by: str, note: str, now_ms: int
) -> list[DeskAlarm]:
    """Somebody has seen them and says so. Raises BadEditError, StaleEditError."""
    words = _optional(note)

    def seen(alarm: DeskAlarm) -> DeskAlarm:
        if alarm.is_acknowledged:
            raise StaleEditError(words, alarm)
        return msgspec.structs.replace(
            alarm, acknowledged_at_ms=now_ms, acknowledged_by=by, note=words
        )

    return await _change(connections, picks, seen, "acknowledge", by, words or "已确认")


async def assign(
    connections: Pool, picks: Picks, *, to: str, by: str, reason: str
) -> list[DeskAlarm]:
    """Somebody takes care of them; nobody if `to` is empty."""
    if to:
        found = await database_users.find_operator(connections, to)
        if found is None or found.is_locked:
            raise BadEditError("to", f"没有可以登录的用户 {to[:32]}")
    words = _optional(reason)

    def given(alarm: DeskAlarm) -> DeskAlarm:
        return msgspec.structs.replace(alarm, assigned_to=to or None)

    return await _change(
        connections, picks, given, "assign_alarm", by, words or f"交给 {to or '—'}"
    )


async def snooze(
    connections: Pool, picks: Picks, *, until_ms: int, by: str, reason: str, now_ms: int
) -> list[DeskAlarm]:
    """They wait for nobody until then, and then again."""
    why = require_reason(reason)
    if not now_ms < until_ms <= now_ms + MOST_SNOOZE_MS:
        raise BadEditError("until", "暂缓到以后 24 小时之内的时间")

    def asleep(alarm: DeskAlarm) -> DeskAlarm:
        return msgspec.structs.replace(alarm, snoozed_until_ms=until_ms)

    return await _change(connections, picks, asleep, "snooze_alarm", by, why)


async def comment(connections: Pool, alarm_id: int, *, by: str, words: str) -> None:
    """Raises BadEditError; SettledError if there is no such alarm."""
    said = require_text("words", words, MOST_NOTE, "请填写内容")
    async with connections.acquire() as connection, connection.transaction():
        found = await database_alarm_desk.find_alarms(connection, [alarm_id], lock=True)
        if alarm_id not in found:
            raise SettledError(f"没有第 {alarm_id} 号告警")
        await database_alarm_desk.add_comment(connection, alarm_id, by, said)
        await database_alarm_desk.change_alarm(connection, found[alarm_id])
        await _record(connection, "comment_alarm", found[alarm_id], found[alarm_id], by, said)


async def keep_quiet(
    connections: Pool,
    lot: Lot,
    kinds: Sequence[str],
    *,
    from_ms: int,
    until_ms: int,
    by: str,
    reason: str,
    now_ms: int,
) -> QuietWindow:
    """Planned work at a car park. Raises BadEditError."""
    why = require_reason(reason)
    if until_ms <= max(from_ms, now_ms):
        raise BadEditError("until", "结束时间要在开始时间和现在之后")
    if until_ms - from_ms > MOST_QUIET_MS:
        raise BadEditError("until", "最长 31 天")
    made = QuietWindow(0, lot.lot_id, tuple(kinds), from_ms, until_ms, why, by)
    async with connections.acquire() as connection, connection.transaction():
        number = await database_alarm_desk.add_quiet_window(connection, made)
        kept = msgspec.structs.replace(made, number=number)
        facts = msgspec.structs.asdict(kept)
        entry = Entry(by, "keep_quiet", f"lot {lot.lot_id}", why, lot.lot_id, None, facts)
        await database_audit.append(connection, entry)
    return kept


async def end_quiet(connections: Pool, number: int, *, by: str, reason: str) -> None:
    """Raises BadEditError, SettledError if it is over."""
    why = require_reason(reason)
    async with connections.acquire() as connection, connection.transaction():
        ended = await database_alarm_desk.end_quiet_window(connection, number, by)
        if ended is None:
            raise SettledError(f"第 {number} 号静默时段已经结束")
        facts, lot_id = msgspec.structs.asdict(ended), ended.lot_id
        entry = Entry(by, "end_quiet", f"lot {lot_id}", why, lot_id, facts, {"ended": True})
        await database_audit.append(connection, entry)


async def _change(
    connections: Pool,
    picks: Picks,
    change: Callable[[DeskAlarm], DeskAlarm],
    action: str,
    by: str,
    reason: str,
) -> list[DeskAlarm]:
    """All or none. Raises StaleEditError for the first that is other than it was seen."""
    if not picks:
        raise BadEditError("alarms", "请先勾选告警")
    if len(picks) > MOST_AT_ONCE:
        raise BadEditError("alarms", f"一次最多 {MOST_AT_ONCE} 条，勾选了 {len(picks)} 条")
    async with connections.acquire() as connection, connection.transaction():
        found = await database_alarm_desk.find_alarms(connection, picks, lock=True)
        changed = []
        for alarm_id, version in picks.items():
            before = found.get(alarm_id)
            if before is None or before.version != version:
                raise StaleEditError(None, before)
            after = change(before)
            await database_alarm_desk.change_alarm(connection, after)
            await _record(connection, action, before, after, by, reason)
            changed.append(after)
    return changed


async def _record(
    connection: Connection, action: str, before: DeskAlarm, after: DeskAlarm, by: str, reason: str
) -> None:
    subject = f"alarm {before.alarm_id}"
    entry = Entry(by, action, subject, reason, before.lot_id, before.facts(), after.facts())
    await database_audit.append(connection, entry)


def _optional(words: str) -> str:
    return require_text("note", words, MOST_NOTE, "") if words.strip() else ""
