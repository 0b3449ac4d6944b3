"""Faces for the signs at junctions, computed by guidance; the recorder writes them."""

from collections.abc import Mapping, Sequence

from redis.asyncio import Redis

from gateway import stream
from occupancy.live import LiveOccupancy
from occupancy.lot import Lot
from occupancy.sign_faces import TownSign
from routing import promise_store
from routing.sign_guidance import Junction, guided_face


class GuidedFaces:
    """Signs and phones say the same: both see promises.

    What was shown is read back from Redis, so that several recorders hold the same number still.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def faces(
        self,
        signs: Sequence[TownSign],
        lots: Mapping[str, Lot],
        pictures: Mapping[str, LiveOccupancy],
        now_ms: int,
    ) -> dict[str, tuple[str, ...]]:
        """The lines of each sign. Raises RedisError or OSError: then nothing can be written."""
        due = await promise_store.read_due(self._redis, list(lots))
        junction = Junction(lots, pictures, due, now_ms)
        orders = [
            await stream.read_faces(self._redis, driven_by)
            for driven_by in {sign.driven_by for sign in signs}
        ]
        shown = {sign_id: order.lines for found in orders for sign_id, order in found.items()}
        return {
            sign.sign_id: guided_face(sign.lot_ids, junction, shown.get(sign.sign_id, ()))
            for sign in signs
        }
