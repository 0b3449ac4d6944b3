"""Closing and reserving, with its record in the audit; ended by reopening, never edited."""

from collections.abc import Mapping

import msgspec

from occupancy import database_audit, database_restrictions
from occupancy.audit import Entry
from occupancy.database import Pool
from occupancy.edit import BadEditError, SettledError, require_reason, require_text
from occupancy.lot import Lot
from occupancy.restriction import Extent, Restriction

MOST_WORDING = 60
MOST_DAYS_MS = 366 * 86_400_000
LATE_MS = 300_000  # "now" may have been typed a while ago


class NoSuchRestrictionError(Exception):
    """There is none of this number."""


class Wish(msgspec.Struct, frozen=True):
    """What shall be closed or reserved, as somebody typed it; times are UTC milliseconds."""

    extent: Extent
    from_ms: int
    until_ms: int | None
    wording: str
    part: str = ""
    spaces: int = 0


async def restrict(
    connections: Pool, lot: Lot, wish: Wish, *, by: str, reason: str, now_ms: int
) -> Restriction:
    """Keep it; the recorder has it within a second. Raises BadEditError."""
    why = require_reason(reason)
    made = require_possible(lot, wish, now_ms)
    async with connections.acquire() as connection, connection.transaction():
        kept = await database_restrictions.add_restriction(connection, made, why, by)
        action = "reserve" if made.extent is Extent.SPACES else "close"
        entry = Entry(by, action, f"lot {lot.lot_id}", why, lot.lot_id, None, facts_of(kept))
        await database_audit.append(connection, entry)
    return kept


async def end(connections: Pool, number: int, *, by: str, reason: str, now_ms: int) -> Restriction:
    """Open again. Raises BadEditError, NoSuchRestrictionError, SettledError if it is over."""
    why = require_reason(reason)
    async with connections.acquire() as connection, connection.transaction():
        kept = await database_restrictions.lock_restriction(connection, number)
        if kept is None:
            raise NoSuchRestrictionError(f"没有第 {number} 号停用或预留")
        if kept.ended_at_ms is not None:
            raise SettledError(f"{kept.ended_by} 已经结束了它")
        if kept.restriction.is_over(now_ms):
            raise SettledError("它已经到期，自动恢复了")
        await database_restrictions.end_restriction(connection, number, by)
        lot_id, before = kept.restriction.lot_id, facts_of(kept.restriction)
        entry = Entry(by, "reopen", f"lot {lot_id}", why, lot_id, before, {"ended": True})
        await database_audit.append(connection, entry)
    return kept.restriction


def require_possible(lot: Lot, wish: Wish, now_ms: int) -> Restriction:
    """What is kept of a wish. Raises BadEditError for the first field that cannot be."""
    wording = require_text(
        "wording", wish.wording, MOST_WORDING, "请填写给市民看的说明，如“设备检修”"
    )
    if wish.from_ms < now_ms - LATE_MS:
        raise BadEditError("from", "开始时间已过：请填现在或以后")
    if wish.until_ms is not None and wish.until_ms <= max(wish.from_ms, now_ms):
        raise BadEditError("until", "恢复时间要在开始时间和现在之后")
    if wish.until_ms is not None and wish.until_ms - wish.from_ms > MOST_DAYS_MS:
        raise BadEditError("until", "最长一年；更久的停用请修改车场资料")
    _require_part(lot, wish)
    if wish.extent is Extent.SPACES and wish.until_ms is None:
        raise BadEditError("until", "预留必须有结束时间")
    is_spaces = wish.extent is Extent.SPACES
    return Restriction(
        0,
        lot.lot_id,
        wish.extent,
        max(wish.from_ms, now_ms),
        wish.until_ms,
        wording,
        "" if wish.extent in (Extent.LOT, Extent.SPACES) else wish.part,
        wish.spaces if is_spaces else 0,
    )


def facts_of(made: Restriction) -> Mapping[str, object]:
    """What the audit knows of it."""
    return {
        "number": made.number,
        "extent": made.extent.value,
        "part": made.part,
        "spaces": made.spaces,
        "from_ms": made.from_ms,
        "until_ms": made.until_ms,
        "wording": made.wording,
    }


def _require_part(lot: Lot, wish: Wish) -> None:
    if wish.extent is Extent.GROUP:
        known = [group.group_id for group in lot.groups]
        if wish.part not in known:
            raise BadEditError("part", f"没有机组 {wish.part[:20]}；可选：{'、'.join(known)}")
    if wish.extent is Extent.LEVEL:
        levels = max((len(group.bays_by_level) for group in lot.groups), default=0)
        if wish.part not in {str(level) for level in range(1, levels + 1)}:
            raise BadEditError("part", f"没有 {wish.part[:20]} 层；可选：1 到 {levels}")
    if wish.extent is Extent.SPACES and not 1 <= wish.spaces <= lot.capacity:
        raise BadEditError("spaces", f"这里共 {lot.capacity} 个车位，可预留 1 到 {lot.capacity} 个")
