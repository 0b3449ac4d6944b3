"""Taking a sign over for a time, its test pattern, and giving it back; each with its record."""

from collections.abc import Sequence

from occupancy import database_audit, database_restrictions
from occupancy.audit import Entry
from occupancy.database import Pool
from occupancy.edit import BadEditError, SettledError, require_reason
from occupancy.override import (
    MOST_HOURS,
    TEST_LINE,
    TEST_SECONDS,
    WORDS,
    Override,
    is_showable,
)
from occupancy.sign_faces import TownSign

_HOUR_MS = 3_600_000


class NoSuchOverrideError(Exception):
    """There is none of this number."""


async def take_over(
    connections: Pool,
    sign: TownSign,
    lines: Sequence[str],
    *,
    until_ms: int,
    by: str,
    reason: str,
    now_ms: int,
) -> Override:
    """Show these lines until then; it returns by itself. Raises BadEditError."""
    why = require_reason(reason)
    require_showable(sign, lines)
    if until_ms <= now_ms:
        raise BadEditError("until", "结束时间已过：请填以后的时间")
    if until_ms - now_ms > MOST_HOURS * _HOUR_MS:
        raise BadEditError("until", f"最长 {MOST_HOURS} 小时；到时自动恢复，需要时再接管")
    made = Override(0, sign.sign_id, tuple(lines), now_ms, until_ms, False, why, by)  # noqa: FBT003
    return await _keep(connections, sign, made, "override_sign")


async def light_all(
    connections: Pool, sign: TownSign, *, by: str, reason: str, now_ms: int
) -> Override:
    """Every segment lit for a minute. Raises BadEditError."""
    why = require_reason(reason)
    lines = tuple(TEST_LINE for _ in sign.lot_ids)
    until_ms = now_ms + TEST_SECONDS * 1_000
    made = Override(0, sign.sign_id, lines, now_ms, until_ms, True, why, by)  # noqa: FBT003
    return await _keep(connections, sign, made, "test_sign")


async def give_back(
    connections: Pool, sign: TownSign, number: int, *, by: str, reason: str
) -> None:
    """Its computed numbers again. Raises BadEditError, NoSuchOverrideError, SettledError."""
    why = require_reason(reason)
    async with connections.acquire() as connection, connection.transaction():
        held = await database_restrictions.find_override(connection, number)
        if held is None or held.sign_id != sign.sign_id:
            raise NoSuchOverrideError(f"{sign.sign_id} 没有第 {number} 号接管")
        if not await database_restrictions.end_override(connection, number, by):
            raise SettledError("接管已经结束，诱导屏已自动恢复")
        entry = Entry(
            by,
            "give_sign_back",
            f"sign {sign.sign_id}",
            why,
            sign.driven_by,
            {"lines": list(held.lines)},
            {"ended": True},
        )
        await database_audit.append(connection, entry)


def require_showable(sign: TownSign, lines: Sequence[str]) -> None:
    """Raises BadEditError for the first line a sign cannot show."""
    if len(lines) != len(sign.lot_ids):
        raise BadEditError("line1", f"这块屏有 {len(sign.lot_ids)} 行，填了 {len(lines)} 行")
    for number, line in enumerate(lines, start=1):
        if not is_showable(line):
            known = "、".join(WORDS)
            raise BadEditError(
                f"line{number}", f"“{line[:20]}”显示不了：请填 0 到 9999 的数字，或 {known}"
            )


async def _keep(connections: Pool, sign: TownSign, made: Override, action: str) -> Override:
    async with connections.acquire() as connection, connection.transaction():
        kept = await database_restrictions.add_override(connection, made)
        entry = Entry(
            made.made_by,
            action,
            f"sign {sign.sign_id}",
            made.reason,
            sign.driven_by,
            None,
            {"lines": list(made.lines), "until_ms": made.until_ms, "number": kept.number},
        )
        await database_audit.append(connection, entry)
    return kept
