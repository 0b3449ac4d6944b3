"""Changes named by planners, so that before and after are compared; each step in the audit."""

from collections.abc import Collection, Mapping

import msgspec

from occupancy import database_audit, database_changes
from occupancy.audit import Entry
from occupancy.calendar import date_of
from occupancy.database import Pool
from occupancy.database_changes import KeptChange
from occupancy.edit import BadEditError, SettledError, require_reason, require_text
from occupancy.effect.change import Change
from occupancy.effect.interrupted import LEAST_DAYS
from occupancy.effect.metric import OF_BLOCKS
from occupancy.experiment_results import read_change_detectable
from occupancy.rollup import local_day

MOST_DAYS, MOST_AHEAD_DAYS, MOST_BACK_DAYS = 180, 366, 1_100
LONGEST_NAME, LONGEST_PLACE = 60, 80


class NoSuchChangeError(Exception):
    """There is none of this number."""


async def preview(
    connections: Pool, lots: Collection[str], wish: Change, now_ms: int
) -> float | None:
    """The smallest effect it could show; None: too little past to tell. Raises BadEditError."""
    return await read_change_detectable(connections, _require_days(wish, lots, now_ms), now_ms)


async def note(
    connections: Pool, lots: Collection[str], wish: Change, *, by: str, reason: str, now_ms: int
) -> KeptChange:
    """Keep it, with what it could show. Raises BadEditError."""
    change = require_possible(wish, lots, now_ms)
    why = require_reason(reason)
    detectable = await read_change_detectable(connections, change, now_ms)
    async with connections.acquire() as connection, connection.transaction():
        kept = await database_changes.add_change(
            connection, change, detectable, reason=why, by=by, now_ms=now_ms
        )
        entry = Entry(by, "note_change", f"change {kept.number}", why, "", None, facts_of(kept))
        await database_audit.append(connection, entry)
    return kept


async def withdraw(connections: Pool, number: int, *, by: str, reason: str, now_ms: int) -> None:
    """It was named wrongly: reports leave it out from now on.

    Raises BadEditError, NoSuchChangeError, SettledError.
    """
    why = require_reason(reason)
    async with connections.acquire() as connection, connection.transaction():
        kept = await database_changes.find_change(connection, number)
        if kept is None:
            raise NoSuchChangeError(f"没有第 {number} 号变化")
        if not await database_changes.mark_withdrawn(
            connection, number, reason=why, by=by, now_ms=now_ms
        ):
            raise SettledError("已经有人撤销了它")
        before, after = {"withdrawn": False}, {"withdrawn": True}
        entry = Entry(by, "withdraw_change", f"change {number}", why, "", before, after)
        await database_audit.append(connection, entry)


def require_possible(wish: Change, lots: Collection[str], now_ms: int) -> Change:
    """The change with its texts as they are kept. Raises BadEditError for the first bad field."""
    name = require_text("name", wish.name, LONGEST_NAME, "请填写变化是什么，如“中山路口加诱导屏”")
    place = wish.place.strip()
    if place:
        place = require_text("place", place, LONGEST_PLACE, "")
    return _require_days(msgspec.structs.replace(wish, name=name, place=place), lots, now_ms)


def _require_days(wish: Change, lots: Collection[str], now_ms: int) -> Change:
    if wish.lot_id is not None and wish.lot_id not in lots:
        raise BadEditError("lot", f"没有 {wish.lot_id[:40]} 这个车场")
    if wish.metric not in OF_BLOCKS:
        raise BadEditError("metric", f"只能选 {'、'.join(one.words for one in OF_BLOCKS)}")
    today = local_day(now_ms)
    if not today - MOST_BACK_DAYS <= wish.day <= today + MOST_AHEAD_DAYS:
        raise BadEditError("since", "日期最早是三年以前，最晚一年以后")
    for field, days in (("before", wish.before_days), ("after", wish.after_days)):
        if not LEAST_DAYS <= days <= MOST_DAYS:
            raise BadEditError(field, f"前后各可以取 {LEAST_DAYS} 到 {MOST_DAYS} 天")
    return wish


def facts_of(kept: KeptChange) -> Mapping[str, object]:
    """What the audit knows of it."""
    change = kept.change
    return {
        "number": kept.number,
        "name": change.name,
        "kind": change.kind.value,
        "lot": change.lot_id,
        "place": change.place,
        "since": date_of(change.day).isoformat(),
        "metric": change.metric.value,
        "before_days": change.before_days,
        "after_days": change.after_days,
        "detectable": kept.detectable,
    }
