"""Operators come and prove who they are: added with their audit record, password, second factor."""

from collections.abc import Sequence
from typing import NamedTuple

from occupancy import database_audit, database_users, passwords, second_factor
from occupancy.audit import Entry
from occupancy.database import Pool
from occupancy.database_users import Operator
from occupancy.password_rules import ASVS, PasswordRules
from occupancy.permissions import Role

FIRST_ADMINISTRATOR = "admin"
FIRST_START = "first start"


class TooManyFailuresError(Exception):
    """Too many failed log-ins for this account or from this address; wait and try again."""


class Made(NamedTuple):
    """A new operator and his password, which nobody can be told again."""

    operator: Operator
    password: str


async def add_operator(
    connections: Pool,
    name: str,
    role: Role,
    lots: Sequence[str],
    by: str,
    reason: str = "new operator",
    rules: PasswordRules = ASVS,
) -> Made:
    """Add him with a password nobody chose, to be changed at once. Raises NameTakenError."""
    password = await passwords.make_password(name, rules)
    hashed = await passwords.hash_password(password)
    async with connections.acquire() as connection, connection.transaction():
        made = await database_users.add_operator(connection, name, role, hashed, by, lots)
        made = await database_users.demand_change(connection, made)
        entry = Entry(by, "add_user", f"user {name}", reason, after=made.facts)
        await database_audit.append(connection, entry)
    return Made(made, password)


async def add_first_administrator(connections: Pool) -> Made | None:
    """Where there is nobody yet; None otherwise."""
    if await database_users.list_operators(connections):
        return None
    return await add_operator(connections, FIRST_ADMINISTRATOR, Role.ADMIN, (), by=FIRST_START)


async def renew_password(
    connections: Pool, name: str, by: str, rules: PasswordRules = ASVS
) -> str | None:
    """A new password for somebody who lost his; None: there is nobody of this name."""
    password = await passwords.make_password(name, rules)
    hashed = await passwords.hash_password(password)
    async with connections.acquire() as connection, connection.transaction():
        found = await database_users.find_operator(connection, name)
        if found is None:
            return None
        await database_users.set_password(connection, name, hashed)
        await database_users.demand_change(connection, found)
        entry = Entry(by, "renew_password", f"user {name}", "password renewed")
        await database_audit.append(connection, entry)
    return password


async def change_password(connections: Pool, operator: Operator, password: str) -> int:
    """His own choice; the generation that sessions must have from now on."""
    hashed = await passwords.hash_password(password)
    async with connections.acquire() as connection, connection.transaction():
        generation = await database_users.set_password(connection, operator.name, hashed)
        entry = Entry(
            operator.name, "change_password", f"user {operator.name}", "own password changed"
        )
        await database_audit.append(connection, entry)
    return generation


async def check_password(
    connections: Pool, name: str, password: str, address: str
) -> Operator | None:
    """Who this is; None when name and password do not belong together, whichever is wrong.

    Raises TooManyFailuresError, for names nobody has as well.
    """
    await _require_patience(connections, name, address)
    operator = await database_users.find_operator(connections, name)
    known = None if operator is None or operator.is_locked else operator
    password_hash = None if known is None else known.password_hash
    if await passwords.fits(password_hash, password):
        return known
    await database_users.note_failure(connections, name, address)
    return None


async def check_code(
    connections: Pool, operator: Operator, code: str, now_ms: int, address: str
) -> bool:
    """Whether it is the second factor's code of now or an unused recovery code.

    Raises TooManyFailuresError.
    """
    await _require_patience(connections, operator.name, address)
    step = _find_step(operator, code, now_ms)
    if step is not None and await database_users.use_step(connections, operator.operator_id, step):
        return True
    hashed = second_factor.hash_code(code)
    if await database_users.use_recovery_code(connections, operator.operator_id, hashed):
        return True
    await database_users.note_failure(connections, operator.name, address)
    return False


def _find_step(operator: Operator, code: str, now_ms: int) -> int | None:
    """None for who has no second factor: everybody could work out the codes of an empty secret."""
    if operator.totp_secret is None:
        return None
    digits = code.replace(" ", "")
    return second_factor.find_step(operator.totp_secret, digits, now_ms, operator.totp_last_step)


async def enrol(
    connections: Pool, operator: Operator, secret: str, code: str, now_ms: int
) -> list[str] | None:
    """Set the second factor once its first code is right; the recovery codes, to be shown once."""
    step = second_factor.find_step(secret, code.replace(" ", ""), now_ms, 0)
    if step is None:
        return None
    codes = second_factor.make_recovery_codes()
    hashed = [second_factor.hash_code(one) for one in codes]
    async with connections.acquire() as connection, connection.transaction():
        await database_users.enrol(connection, operator.operator_id, secret, step, hashed)
        entry = Entry(operator.name, "enrol", f"user {operator.name}", "second factor set up")
        await database_audit.append(connection, entry)
    return codes


async def _require_patience(connections: Pool, name: str, address: str) -> None:
    if await database_users.is_throttled(connections, name, address):
        minutes = database_users.FAILURES_WINDOW_MINUTES
        raise TooManyFailuresError(f"too many failed log-ins; try again in {minutes} minutes")
