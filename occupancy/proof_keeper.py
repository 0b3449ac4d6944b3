"""Keeps what the signs show: each change of an order or of what a sign says of itself."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from gateway.observation import FaceState, SignReading
from occupancy import database_proofs
from occupancy.database import Pool
from occupancy.database_proofs import Proof
from occupancy.live import LiveOccupancy, stale_at_ms


@dataclass
class ProofKeeper:
    """What was kept last, by sign; read from PostgreSQL at the first look."""

    connections: Pool
    kept: dict[str, Proof] = field(default_factory=dict)
    is_primed: bool = False

    async def look(self, pictures: Iterable[LiveOccupancy], now_ms: int) -> None:
        """Keep what has changed. Raises what PostgreSQL raises; then the next look does it."""
        if not self.is_primed:
            self.kept = await database_proofs.list_newest_proofs(self.connections)
            self.is_primed = True
        for proof in proofs_of(pictures, now_ms):
            before = self.kept.get(proof.sign_id)
            if before is not None and (before.says_like(proof) or proof.at_ms <= before.at_ms):
                continue
            await database_proofs.add_proof(self.connections, proof)
            self.kept[proof.sign_id] = proof

    async def tidy(self) -> None:
        await database_proofs.forget_old_proofs(self.connections)


def proofs_of(pictures: Iterable[LiveOccupancy], now_ms: int) -> list[Proof]:
    """What every sign is told and says at this moment; nobody knows of a silent gateway's."""
    return [_proof(picture, sign, now_ms) for picture in pictures for sign in picture.signs]


def _proof(picture: LiveOccupancy, sign: SignReading, now_ms: int) -> Proof:
    silent_ms = stale_at_ms(picture)
    if now_ms >= silent_ms:
        return Proof(
            sign.device_id, picture.lot_id, silent_ms, sign.desired, None, FaceState.UNKNOWN
        )
    return Proof(
        sign.device_id,
        picture.lot_id,
        picture.observed_at_ms,
        sign.desired,
        sign.reported,
        sign.state,
    )
