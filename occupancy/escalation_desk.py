"""Editing the steps of escalation: who is told after how long, of which severity."""

import re
from collections.abc import Sequence

import msgspec

from occupancy import database_audit, database_escalation_steps
from occupancy.alarm import Severity
from occupancy.audit import Entry
from occupancy.database import Connection, Pool
from occupancy.database_escalation_steps import FIRST
from occupancy.edit import BadEditError, SettledError, StaleEditError, require_reason
from occupancy.escalation import MOST_STEPS, Step

MOST_MINUTES, MOST_ADDRESSES = 10_080, 20
_ADDRESS = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[A-Za-z0-9.-]{1,253}", re.ASCII)


async def change_step(
    connections: Pool, change: Step, *, version: int, by: str, reason: str
) -> None:
    """Set one step, or add the next. In force within five seconds.

    Raises BadEditError, StaleEditError (both steps).
    """
    why = require_reason(reason)
    _require_somebody(change)
    async with connections.acquire() as connection, connection.transaction():
        steps = await database_escalation_steps.lock_steps(connection)
        before = find_step(steps, change.severity, change.number)
        if version != await _version(connection, change):
            raise StaleEditError(change, before)
        _require_in_turn(change, steps)
        await database_escalation_steps.keep_step(connection, change, by)
        entry = _entry("change_escalation", by, why, change, before, change)
        await database_audit.append(connection, entry)


async def withdraw_step(
    connections: Pool, severity: Severity, number: int, *, version: int, by: str, reason: str
) -> None:
    """Take the last step back; the first one goes back to the service's settings.

    Raises BadEditError, StaleEditError, SettledError if there is nothing to take back.
    """
    why = require_reason(reason)
    async with connections.acquire() as connection, connection.transaction():
        steps = await database_escalation_steps.lock_steps(connection)
        before = find_step(steps, severity, number)
        if before is None or before.from_settings:
            raise SettledError(f"第 {number} 步没有单独设置过，或者已经撤销")
        if before.version != version:
            raise StaleEditError(None, before)
        if number != FIRST and find_step(steps, severity, number + 1):
            raise SettledError(f"请先撤销后面的第 {number + 1} 步")
        await database_escalation_steps.withdraw_step(connection, severity, number, by)
        entry = _entry("withdraw_escalation", by, why, before, before, None)
        await database_audit.append(connection, entry)


def find_step(steps: Sequence[Step], severity: Severity, number: int) -> Step | None:
    return next((one for one in steps if (one.severity, one.number) == (severity, number)), None)


def _require_somebody(change: Step) -> None:
    if not 0 <= change.after_minutes <= MOST_MINUTES:
        raise BadEditError("after_minutes", f"在 0 到 {MOST_MINUTES} 分钟之间")
    if not (change.by_webhook or change.mail_to):
        raise BadEditError("mail_to", "通知谁：请勾选 webhook，或至少填一个邮箱")
    if len(change.mail_to) > MOST_ADDRESSES:
        raise BadEditError(
            "mail_to", f"最多 {MOST_ADDRESSES} 个邮箱，现有 {len(change.mail_to)} 个"
        )
    for address in change.mail_to:
        if not _ADDRESS.fullmatch(address):
            raise BadEditError("mail_to", f"“{address[:60]}”不是邮箱地址，每行写一个")


def _require_in_turn(change: Step, steps: Sequence[Step]) -> None:
    """Each step comes later than the one before it, and none is left out."""
    before = find_step(steps, change.severity, change.number - 1)
    after = find_step(steps, change.severity, change.number + 1)
    if not FIRST <= change.number <= MOST_STEPS:
        raise BadEditError("after_minutes", f"最多 {MOST_STEPS} 步")
    if change.number > FIRST and before is None:
        raise BadEditError("after_minutes", f"请先设第 {change.number - 1} 步")
    if before is not None and change.after_minutes <= before.after_minutes:
        words = f"要晚于第 {before.number} 步的 {before.after_minutes} 分钟"
        raise BadEditError("after_minutes", words)
    if after is not None and change.after_minutes >= after.after_minutes:
        words = f"要早于第 {after.number} 步的 {after.after_minutes} 分钟"
        raise BadEditError("after_minutes", words)


async def _version(connection: Connection, step: Step) -> int:
    return await database_escalation_steps.read_version(connection, step.severity, step.number)


def _entry(
    action: str, by: str, reason: str, step: Step, before: Step | None, after: Step | None
) -> Entry:
    subject = f"escalation {step.severity.value} {step.number}"
    return Entry(by, action, subject, reason, "", _facts(before), _facts(after))


def _facts(step: Step | None) -> dict[str, object] | None:
    if step is None:
        return None
    told = msgspec.structs.asdict(step)
    return {name: told[name] for name in ("after_minutes", "by_webhook", "mail_to")}
