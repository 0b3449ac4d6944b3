"""Editing the rules by which alarms are raised: for the town, or otherwise for one car park."""

import msgspec

from occupancy import database_alarm_rules, database_audit
from occupancy.alarm import AlarmKind, Rule, Severity
from occupancy.audit import Entry
from occupancy.database import Connection, Pool
from occupancy.edit import BadEditError, SettledError, StaleEditError, require_reason

MOST_VALUE, MOST_SECONDS = 1_000_000.0, 86_400.0


class RuleChange(msgspec.Struct, frozen=True):
    """What a rule shall be; thresholds in the unit of the kind's rule."""

    threshold: float
    hysteresis: float
    raise_after_seconds: float
    clear_after_seconds: float
    is_on: bool
    severity: Severity


async def change_rule(
    connections: Pool,
    kind: AlarmKind,
    change: RuleChange,
    *,
    version: int,
    by: str,
    reason: str,
    lot_id: str = database_alarm_rules.TOWN,
) -> Rule:
    """The town's rule, or one car park's own. In force within five seconds.

    Raises BadEditError, StaleEditError (both rules).
    """
    why = require_reason(reason)
    require_possible(change)
    async with connections.acquire() as connection, connection.transaction():
        before = await database_alarm_rules.lock_rule(connection, kind, lot_id)
        if before.version != version:
            raise StaleEditError(change, before.rule)
        after = msgspec.structs.replace(before.rule, **msgspec.structs.asdict(change))
        await database_alarm_rules.keep_rule(connection, kind, lot_id, after, by)
        await _record(connection, Deed("change_rule", by, why), kind, lot_id, before.rule, after)
    return after


async def withdraw_rule(
    connections: Pool, kind: AlarmKind, lot_id: str, *, version: int, by: str, reason: str
) -> None:
    """Let the town's rule hold at this car park again.

    Raises BadEditError, StaleEditError, SettledError if it holds already.
    """
    why = require_reason(reason)
    async with connections.acquire() as connection, connection.transaction():
        before = await database_alarm_rules.lock_rule(connection, kind, lot_id)
        if before.own is None:
            raise SettledError("这个车场没有单独的规则，已经按全区规则执行")
        if before.version != version:
            raise StaleEditError(None, before.rule)
        await database_alarm_rules.withdraw_rule(connection, kind, lot_id, by)
        after = await database_alarm_rules.find_rule(connection, kind, lot_id)
        deed = Deed("withdraw_rule", by, why)
        await _record(connection, deed, kind, lot_id, before.rule, after.rule)


def require_possible(change: RuleChange) -> None:
    """Raises BadEditError for the first value that cannot be."""
    if not 0 < change.threshold <= MOST_VALUE:
        raise BadEditError("threshold", f"阈值要大于 0，最多 {MOST_VALUE:.0f}")
    if not 0 <= change.hysteresis < change.threshold:
        raise BadEditError("hysteresis", "回差要在 0 和阈值之间")
    for name in ("raise_after_seconds", "clear_after_seconds"):
        if not 0 <= getattr(change, name) <= MOST_SECONDS:
            raise BadEditError(name, "时间在 0 到 86400 秒之间")


class Deed(msgspec.Struct, frozen=True):
    """What somebody does to a rule, and why."""

    action: str
    by: str
    reason: str


async def _record(
    connection: Connection, deed: Deed, kind: AlarmKind, lot_id: str, before: Rule, after: Rule
) -> None:
    names = RuleChange.__struct_fields__
    was, has = ({name: getattr(rule, name) for name in names} for rule in (before, after))
    subject = f"rule {kind.value}"
    entry = Entry(deed.by, deed.action, subject, deed.reason, lot_id, was, has)
    await database_audit.append(connection, entry)
