"""The rules of alarms in PostgreSQL: the town's, and those that single car parks have instead."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from occupancy.alarm import RULES, AlarmKind, Rule, Rulebook, Severity
from occupancy.database import Connection, Pool

TOWN = ""  # in the place of a car park


class KeptRule(NamedTuple):
    """The rule that holds here and its version; `own` none: the town's or the shipped one does."""

    rule: Rule
    version: int
    own: Rule | None


_ALL = "SELECT * FROM alarm_rule WHERE NOT is_withdrawn"
_NAMES = ("threshold", "hysteresis", "raise_after_seconds", "clear_after_seconds", "is_on")


async def read_rules(connections: Connection | Pool) -> Rulebook:
    """The rules that ship, with what operators set otherwise."""
    town, lots = dict(RULES), {}
    for row in await connections.fetch(f"{_ALL} AND kind = ANY($1)", list(AlarmKind)):
        kind = AlarmKind(row["kind"])
        rule = _changed(RULES[kind], row)
        if row["lot_id"] == TOWN:
            town[kind] = rule
        else:
            lots[row["lot_id"], kind] = rule
    return Rulebook(town, lots)


async def find_rule(connections: Connection | Pool, kind: AlarmKind, lot_id: str) -> KeptRule:
    """What holds at a car park, or in the town."""
    book = await read_rules(connections)
    version = await connections.fetchval(
        "SELECT version FROM alarm_rule WHERE kind = $1 AND lot_id = $2", kind.value, lot_id
    )
    own = book.lots.get((lot_id, kind)) if lot_id else _other(book.town, kind)
    return KeptRule(book.of(kind, lot_id), version or 0, own)


async def lock_rule(connection: Connection, kind: AlarmKind, lot_id: str) -> KeptRule:
    """What holds; nobody else changes it until the transaction ends."""
    await connection.execute("SELECT pg_advisory_xact_lock(hashtext('alarm_rule'))")
    return await find_rule(connection, kind, lot_id)


async def keep_rule(
    connection: Connection, kind: AlarmKind, lot_id: str, rule: Rule, by: str
) -> None:
    """In place of what was set before."""
    await connection.execute(
        "INSERT INTO alarm_rule (kind, lot_id, threshold, hysteresis, raise_after_seconds, "
        "clear_after_seconds, is_on, severity, changed_by) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) "
        "ON CONFLICT (kind, lot_id) DO UPDATE SET threshold = $3, hysteresis = $4, "
        "raise_after_seconds = $5, clear_after_seconds = $6, is_on = $7, severity = $8, "
        "changed_by = $9, changed_at = now(), is_withdrawn = false, "
        "version = alarm_rule.version + 1",
        *(kind.value, lot_id, rule.threshold, rule.hysteresis, rule.raise_after_seconds),
        *(rule.clear_after_seconds, rule.is_on, rule.severity.value, by),
    )


async def withdraw_rule(connection: Connection, kind: AlarmKind, lot_id: str, by: str) -> None:
    """From now on what holds without it holds."""
    await connection.execute(
        "UPDATE alarm_rule SET is_withdrawn = true, version = version + 1, changed_by = $3, "
        "changed_at = now() WHERE kind = $1 AND lot_id = $2",
        *(kind.value, lot_id, by),
    )


def _other(town: Mapping[AlarmKind, Rule], kind: AlarmKind) -> Rule | None:
    return None if town[kind] == RULES[kind] else town[kind]


def _changed(rule: Rule, row: Any) -> Rule:  # noqa: ANN401  # asyncpg's record
    told = {name: row[name] for name in _NAMES if row[name] is not None}
    if row["severity"] is not None:
        told["severity"] = Severity(row["severity"])
    return msgspec.structs.replace(rule, **told)
