"""What administrators change of people: role, car parks, disabled or not, a lost second factor."""

from collections.abc import Collection

import msgspec

from occupancy import database_audit, database_users
from occupancy.audit import Entry
from occupancy.database import Connection, Pool
from occupancy.database_users import Operator
from occupancy.edit import BadEditError, StaleEditError, require_reason
from occupancy.permissions import Role


class NoSuchPersonError(Exception):
    """There is no operator of this name."""


class LastAdministratorError(Exception):
    """Nobody would be left who may change who may do what."""


class PersonChange(msgspec.Struct, frozen=True):
    """What a person shall be; no car parks: every one."""

    role: Role
    lots: tuple[str, ...] = ()
    is_locked: bool = False


async def change_person(
    connections: Pool,
    name: str,
    change: PersonChange,
    *,
    version: int,
    known_lots: Collection[str],
    by: str,
    reason: str,
) -> Operator:
    """Set role, car parks and whether he is disabled; his sessions are over.

    Raises BadEditError, StaleEditError (his `PersonChange` and theirs), NoSuchPersonError,
    LastAdministratorError.
    """
    why = require_reason(reason)
    _require_known(change.lots, known_lots)
    async with connections.acquire() as connection, connection.transaction():
        found = await _lock(connection, name)
        if found.version != version:
            raise StaleEditError(change, found)
        if name == by and (change.is_locked or change.role is not found.role):
            raise BadEditError("role", "不能改自己的角色或停用自己，请由另一名管理员办理")
        await _require_an_administrator(connection, name, change)
        changed = await database_users.change_operator(
            connection, found, change.role, change.lots, is_locked=change.is_locked
        )
        await _record(connection, "change_user", found, changed, by, why)
    return changed


async def reset_second_factor(
    connections: Pool, name: str, *, version: int, by: str, reason: str
) -> Operator:
    """For a lost phone: he sets up another at his next log-in; his sessions are over.

    Raises BadEditError, StaleEditError, NoSuchPersonError.
    """
    why = require_reason(reason)
    if name == by:
        raise BadEditError("name", "不能重置自己的第二因素，请由另一名管理员办理")
    async with connections.acquire() as connection, connection.transaction():
        found = await _lock(connection, name)
        if found.version != version:
            raise StaleEditError(None, found)
        changed = await database_users.clear_second_factor(connection, found)
        await _record(connection, "reset_second_factor", found, changed, by, why)
    return changed


def _require_known(lots: tuple[str, ...], known_lots: Collection[str]) -> None:
    if unknown := [lot_id for lot_id in lots if lot_id not in known_lots]:
        known = "、".join(sorted(known_lots))
        raise BadEditError("lots", f"没有停车场 {'、'.join(unknown)}；可选：{known}")
    if len(set(lots)) < len(lots):
        raise BadEditError("lots", "同一停车场选了多次")


async def _lock(connection: Connection, name: str) -> Operator:
    found = await database_users.lock_operator(connection, name)
    if found is None:
        raise NoSuchPersonError(f"没有用户 {name}")
    return found


async def _require_an_administrator(
    connection: Connection, name: str, change: PersonChange
) -> None:
    """Somebody else who may come in, unless it is still he."""
    if change.role is Role.ADMIN and not change.is_locked:
        return
    others = await database_users.list_operators(connection)
    if not any(one.role is Role.ADMIN and not one.is_locked and one.name != name for one in others):
        raise LastAdministratorError(f"{name} 是最后一名可登录的管理员，请先另设一名")


async def _record(
    connection: Connection, action: str, before: Operator, after: Operator, by: str, reason: str
) -> None:
    subject = f"user {before.name}"
    entry = Entry(by, action, subject, reason, before=before.facts, after=after.facts)
    await database_audit.append(connection, entry)
