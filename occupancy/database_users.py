"""Operators in PostgreSQL: their passwords' hashes, second factors, and failed log-ins."""

import datetime as dt
import re
from collections.abc import Sequence

import msgspec

from occupancy.database import Connection, Pool
from occupancy.permissions import Person, Role

FAILURES_WINDOW_MINUTES = 15
MOST_FAILURES_OF_ACCOUNT = 5
MOST_FAILURES_FROM_ADDRESS = 30
_NAME = re.compile(r"[a-z][a-z0-9._-]{1,31}")


class Operator(msgspec.Struct, frozen=True):
    """A person who may log in."""

    operator_id: int
    name: str
    role: Role
    lots: tuple[str, ...]
    password_hash: str
    totp_secret: str | None
    totp_last_step: int
    is_locked: bool
    generation: int
    version: int
    password_at: dt.datetime
    must_change: bool

    def password_days(self, now_ms: int) -> float:
        """How old his password is."""
        return (now_ms / 1_000 - self.password_at.timestamp()) / 86_400

    @property
    def person(self) -> Person:
        return Person(self.name, self.role, self.lots)

    @property
    def facts(self) -> dict[str, object]:
        """What the audit may know of him."""
        return {
            "role": self.role.value,
            "lots": list(self.lots),
            "is_locked": self.is_locked,
            "has_second_factor": self.totp_secret is not None,
        }


def is_name(text: str) -> bool:
    """Whether somebody can be called so, as the table checks it."""
    return _NAME.fullmatch(text) is not None


class NameTakenError(Exception):
    """There is an operator of this name already; names are never given twice."""


async def add_operator(
    connection: Connection | Pool,
    name: str,
    role: Role,
    password_hash: str,
    created_by: str,
    lots: Sequence[str] = (),
) -> Operator:
    """Raises NameTakenError."""
    row = await connection.fetchrow(
        "INSERT INTO operator (name, role, lots, password_hash, created_by) "
        "VALUES ($1, $2, $3, $4, $5) ON CONFLICT (name) DO NOTHING RETURNING *",
        *(name, role.value, list(lots), password_hash, created_by),
    )
    if row is None:
        raise NameTakenError(f"{name}: there is an operator of this name; choose another")
    return _operator(row)


async def find_operator(connection: Connection | Pool, name: str) -> Operator | None:
    row = await connection.fetchrow("SELECT * FROM operator WHERE name = $1", name)
    return None if row is None else _operator(row)


async def list_operators(connections: Connection | Pool) -> list[Operator]:
    return [
        _operator(row) for row in await connections.fetch("SELECT * FROM operator ORDER BY name")
    ]


async def change_operator(
    connection: Connection, operator: Operator, role: Role, lots: Sequence[str], *, is_locked: bool
) -> Operator:
    """Set what he may; his sessions are over."""
    row = await connection.fetchrow(
        "UPDATE operator SET role = $2, lots = $3, is_locked = $4, version = version + 1, "
        "generation = generation + 1 WHERE operator_id = $1 RETURNING *",
        *(operator.operator_id, role.value, list(lots), is_locked),
    )
    return _operator(row)


async def lock_operator(connection: Connection, name: str) -> Operator | None:
    """Nobody else changes who may do what until the transaction ends."""
    await connection.execute("SELECT pg_advisory_xact_lock(hashtext('operator'))")
    return await find_operator(connection, name)


async def clear_second_factor(connection: Connection, operator: Operator) -> Operator:
    """He sets up another one when he comes next; his sessions and old codes are over."""
    await connection.execute(
        "DELETE FROM recovery_code WHERE operator_id = $1", operator.operator_id
    )
    row = await connection.fetchrow(
        "UPDATE operator SET totp_secret = NULL, version = version + 1, "
        "generation = generation + 1 WHERE operator_id = $1 RETURNING *",
        operator.operator_id,
    )
    return _operator(row)


async def set_password(connection: Connection | Pool, name: str, password_hash: str) -> int:
    """A new password; sessions of the old one are over. The generation of the new ones."""
    return int(
        await connection.fetchval(
            "UPDATE operator SET password_hash = $2, generation = generation + 1, "
            "version = version + 1, password_at = now(), must_change = false WHERE name = $1 "
            "RETURNING generation",
            *(name, password_hash),
        )
    )


async def demand_change(connection: Connection, operator: Operator) -> Operator:
    """Whoever gave it to him knows it: he chooses his own before anything else."""
    row = await connection.fetchrow(
        "UPDATE operator SET must_change = true WHERE operator_id = $1 RETURNING *",
        operator.operator_id,
    )
    return _operator(row)


async def enrol(
    connection: Connection, operator_id: int, secret: str, step: int, codes: Sequence[bytes]
) -> None:
    """Set the second factor and the codes that stand in for it."""
    await connection.execute(
        "UPDATE operator SET totp_secret = $2, totp_last_step = $3 WHERE operator_id = $1",
        *(operator_id, secret, step),
    )
    await connection.execute("DELETE FROM recovery_code WHERE operator_id = $1", operator_id)
    await connection.executemany(
        "INSERT INTO recovery_code (operator_id, code_hash) VALUES ($1, $2)",
        [(operator_id, code) for code in codes],
    )


async def use_step(connections: Pool, operator_id: int, step: int) -> bool:
    """Whether this step was not used before; two at once: one of them wins."""
    used = await connections.fetchval(
        "UPDATE operator SET totp_last_step = $2 WHERE operator_id = $1 AND totp_last_step < $2 "
        "RETURNING true",
        *(operator_id, step),
    )
    return bool(used)


async def use_recovery_code(connections: Pool, operator_id: int, code_hash: bytes) -> bool:
    used = await connections.fetchval(
        "UPDATE recovery_code SET used_at = now() WHERE operator_id = $1 AND code_hash = $2 "
        "AND used_at IS NULL RETURNING true",
        *(operator_id, code_hash),
    )
    return bool(used)


async def is_throttled(connections: Pool, name: str, address: str) -> bool:
    """Whether this account, there or not, or this address has failed too often lately."""
    row = await connections.fetchrow(
        "SELECT count(*) FILTER (WHERE subject = $1) AS account, "
        "count(*) FILTER (WHERE subject = $2) AS address FROM failed_login "
        "WHERE subject IN ($1, $2) AND at > now() - make_interval(mins => $3)",
        *(_account(name), _address(address), FAILURES_WINDOW_MINUTES),
    )
    return bool(
        row["account"] >= MOST_FAILURES_OF_ACCOUNT or row["address"] >= MOST_FAILURES_FROM_ADDRESS
    )


async def note_failure(connections: Pool, name: str, address: str) -> None:
    await connections.executemany(
        "INSERT INTO failed_login (subject) VALUES ($1)", [(_account(name),), (_address(address),)]
    )
    await connections.execute(
        "DELETE FROM failed_login WHERE at < now() - make_interval(mins => $1)",
        2 * FAILURES_WINDOW_MINUTES,
    )


async def forget_failures(connections: Pool, name: str) -> None:
    await connections.execute("DELETE FROM failed_login WHERE subject = $1", _account(name))


def _account(name: str) -> str:
    return f"account {name}"


def _address(address: str) -> str:
    return f"address {address}"


def _operator(row: object) -> Operator:
    told = {name: row[name] for name in Operator.__struct_fields__}  # type: ignore[index]
    return msgspec.convert(told, Operator)
