"""What-if studies in PostgreSQL: asked for, taken up by one worker at a time, kept whole."""

import datetime as dt
import hashlib

import msgspec

from occupancy.database import Connection, Pool
from occupancy.study import StudyWish

SILENT_SECONDS = 60  # a worker that says nothing for so long is taken for dead


class KeptStudy(msgspec.Struct, frozen=True):
    """One study; `spec` and `outcome` are JSON texts of whoever plays it."""

    number: int
    wish: StudyWish
    asked_by: str
    asked_at_ms: int
    seeds_done: int
    is_taken_up: bool
    spec: str | None
    outcome: str | None
    outcome_sha256: str | None
    trouble: str | None
    ended_at_ms: int | None
    withdrawn_by: str | None

    @property
    def is_open(self) -> bool:
        return self.ended_at_ms is None


def digest(outcome: str) -> str:
    return hashlib.sha256(outcome.encode()).hexdigest()


async def add_study(connection: Connection, wish: StudyWish, by: str) -> int:
    return int(
        await connection.fetchval(
            "INSERT INTO study (wish, asked_by) VALUES ($1::jsonb, $2) RETURNING number",
            *(msgspec.json.encode(wish).decode(), by),
        )
    )


async def find_study(connections: Connection | Pool, number: int) -> KeptStudy | None:
    row = await connections.fetchrow("SELECT * FROM study WHERE number = $1", number)
    return None if row is None else _kept(row)


async def list_studies(connections: Pool, most: int) -> list[KeptStudy]:
    """The newest first."""
    rows = await connections.fetch("SELECT * FROM study ORDER BY number DESC LIMIT $1", most)
    return [_kept(row) for row in rows]


async def withdraw_study(connection: Connection, number: int, by: str) -> bool:
    """False where it has ended already."""
    done = await connection.fetchval(
        "UPDATE study SET ended_at = now(), withdrawn_by = $2 "
        "WHERE number = $1 AND ended_at IS NULL RETURNING number",
        *(number, by),
    )
    return done is not None


async def take_up(connections: Pool, holder: str) -> KeptStudy | None:
    """The oldest open study that nobody plays; it is ours from now on."""
    row = await connections.fetchrow(
        "UPDATE study SET holder = $1, heard_at = now(), seeds_done = 0 WHERE number = ("
        "SELECT number FROM study WHERE ended_at IS NULL AND (heard_at IS NULL "
        "OR heard_at < now() - $2 * interval '1 second') ORDER BY number LIMIT 1 "
        "FOR UPDATE SKIP LOCKED) RETURNING *",
        *(holder, SILENT_SECONDS),
    )
    return None if row is None else _kept(row)


async def say_progress(connections: Pool, number: int, holder: str, seeds_done: int) -> bool:
    """Whether it is still ours to play: withdrawn, or taken by another, it is not."""
    told = await connections.fetchval(
        "UPDATE study SET heard_at = now(), seeds_done = $3 "
        "WHERE number = $1 AND holder = $2 AND ended_at IS NULL RETURNING number",
        *(number, holder, seeds_done),
    )
    return told is not None


async def let_go(connections: Pool, number: int, holder: str) -> None:
    """Not finished: whoever looks next begins it anew, at once."""
    await connections.execute(
        "UPDATE study SET holder = NULL, heard_at = NULL, seeds_done = 0 "
        "WHERE number = $1 AND holder = $2",
        *(number, holder),
    )


async def keep_spec(connections: Pool, number: int, holder: str, spec: str) -> None:
    await connections.execute(
        "UPDATE study SET spec = $3, heard_at = now() WHERE number = $1 AND holder = $2",
        *(number, holder, spec),
    )


async def keep_outcome(connections: Pool, number: int, holder: str, outcome: str) -> None:
    await connections.execute(
        "UPDATE study SET outcome = $3, outcome_sha256 = $4, ended_at = now() "
        "WHERE number = $1 AND holder = $2 AND ended_at IS NULL",
        *(number, holder, outcome, digest(outcome)),
    )


async def keep_trouble(connections: Pool, number: int, holder: str, trouble: str) -> None:
    await connections.execute(
        "UPDATE study SET trouble = $3, ended_at = now() "
        "WHERE number = $1 AND holder = $2 AND ended_at IS NULL",
        *(number, holder, trouble),
    )


def _kept(row: "dict[str, object]") -> KeptStudy:
    told = dict(row)
    return KeptStudy(
        number=msgspec.convert(told["number"], int),
        wish=msgspec.json.decode(str(told["wish"]), type=StudyWish),
        asked_by=str(told["asked_by"]),
        asked_at_ms=_ms(told["asked_at"]) or 0,
        seeds_done=msgspec.convert(told["seeds_done"], int),
        is_taken_up=told["holder"] is not None,
        spec=_text(told["spec"]),
        outcome=_text(told["outcome"]),
        outcome_sha256=_text(told["outcome_sha256"]),
        trouble=_text(told["trouble"]),
        ended_at_ms=_ms(told["ended_at"]),
        withdrawn_by=_text(told["withdrawn_by"]),
    )


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _ms(value: object) -> int | None:
    return round(value.timestamp() * 1_000) if isinstance(value, dt.datetime) else None
