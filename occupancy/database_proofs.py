"""What each sign should show and what it said it showed, in PostgreSQL: one row a change."""

from typing import Any

import msgspec

from gateway.observation import FaceState
from occupancy.database import Pool
from occupancy.database_restrictions import time_of

KEPT_DAYS = 400


class Proof(msgspec.Struct, frozen=True):
    """From `at_ms` (UTC) until the next one this is what the sign was told and what it said.

    While its gateway is silent nothing is reported and the state is unknown.
    """

    sign_id: str
    lot_id: str
    at_ms: int
    desired: tuple[str, ...]
    reported: tuple[str, ...] | None
    state: FaceState

    def says_like(self, other: "Proof") -> bool:
        return (self.desired, self.reported, self.state) == (
            other.desired,
            other.reported,
            other.state,
        )


async def add_proof(connections: Pool, proof: Proof) -> None:
    """Telling it twice changes nothing."""
    await connections.execute(
        "INSERT INTO sign_proof (sign_id, at, lot_id, desired, reported, state) "
        "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
        *(proof.sign_id, time_of(proof.at_ms), proof.lot_id, list(proof.desired)),
        *(None if proof.reported is None else list(proof.reported), proof.state.value),
    )


async def list_newest_proofs(connections: Pool) -> dict[str, Proof]:
    """The last one of each sign."""
    rows = await connections.fetch(
        "SELECT DISTINCT ON (sign_id) * FROM sign_proof ORDER BY sign_id, at DESC"
    )
    return {row["sign_id"]: _proof(row) for row in rows}


async def list_proofs(connections: Pool, sign_id: str, before_ms: int, most: int) -> list[Proof]:
    """What held at `before_ms` first, then what was before it."""
    rows = await connections.fetch(
        "SELECT * FROM sign_proof WHERE sign_id = $1 AND at <= $2 ORDER BY at DESC LIMIT $3",
        *(sign_id, time_of(before_ms), most),
    )
    return [_proof(row) for row in rows]


async def forget_old_proofs(connections: Pool) -> None:
    await connections.execute(
        "DELETE FROM sign_proof WHERE at < now() - make_interval(days => $1)", KEPT_DAYS
    )


def _proof(row: Any) -> Proof:  # noqa: ANN401  # asyncpg's record
    names = ("sign_id", "lot_id", "desired", "reported", "state")
    told: dict[str, object] = {name: row[name] for name in names}
    return msgspec.convert({**told, "at_ms": round(row["at"].timestamp() * 1_000)}, Proof)
