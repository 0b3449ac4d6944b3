"""Editing the rules by which alarms are raised, with what ships beside what was set."""

import msgspec

from occupancy import database_alarms, database_audit
from occupancy.alarm import RULES, AlarmKind, Rule
from occupancy.audit import Entry
from occupancy.database import Pool
from occupancy.edit import BadEditError, StaleEditError, require_reason

MOST_VALUE, MOST_SECONDS = 1_000_000.0, 86_400.0


class RuleChange(msgspec.Struct, frozen=True):
    """What a rule shall be; thresholds in the unit of the kind's rule."""

    threshold: float
    hysteresis: float
    raise_after_seconds: float
    clear_after_seconds: float
    is_on: bool


async def change_rule(
    connections: Pool, kind: AlarmKind, change: RuleChange, *, version: int, by: str, reason: str
) -> Rule:
    """Raises BadEditError, StaleEditError (both rules). In force within five seconds."""
    why = require_reason(reason)
    require_possible(change)
    async with connections.acquire() as connection, connection.transaction():
        before, known = await database_alarms.lock_rule(connection, kind)
        if known != version:
            raise StaleEditError(change, before)
        facts = msgspec.structs.asdict(change)
        after = msgspec.structs.replace(before, **facts)
        await database_alarms.keep_rule(connection, kind, after, by)
        names = tuple(facts)
        entry = Entry(
            by,
            "change_rule",
            f"rule {kind.value}",
            why,
            "",
            {name: getattr(before, name) for name in names},
            facts,
        )
        await database_audit.append(connection, entry)
    return after


def require_possible(change: RuleChange) -> None:
    """Raises BadEditError for the first value that cannot be."""
    if not 0 < change.threshold <= MOST_VALUE:
        raise BadEditError("threshold", "阈值要大于 0")
    if not 0 <= change.hysteresis < change.threshold:
        raise BadEditError("hysteresis", "回差要在 0 和阈值之间")
    for name in ("raise_after_seconds", "clear_after_seconds"):
        if not 0 <= getattr(change, name) <= MOST_SECONDS:
            raise BadEditError(name, "时间在 0 到 86400 秒之间")


def shipped(kind: AlarmKind) -> Rule:
    return RULES[kind]
