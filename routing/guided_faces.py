"""Faces for the signs at junctions, computed by guidance; the recorder writes them."""

from collections.abc import Mapping, Sequence

from redis.asyncio import Redis

from gateway import stream
from occupancy.effect.experiment import Arm, arm_at
from occupancy.experiment_shelf import ExperimentShelf
from occupancy.live import LiveOccupancy
from occupancy.lot import Lot
from occupancy.sign_faces import TownSign, face
from routing import promise_store
from routing.sign_guidance import Junction, guided_face


class GuidedFaces:
    """Signs and phones say the same: both see promises.

    What was shown is read back from Redis, so that several recorders hold the same number still.
    In an experiment's blocks without guidance they show what is counted, as if nobody were guided.
    """

    def __init__(self, redis: Redis, experiments: ExperimentShelf | None = None) -> None:
        self._redis = redis
        self._experiments = experiments or ExperimentShelf()

    async def faces(
        self,
        signs: Sequence[TownSign],
        lots: Mapping[str, Lot],
        pictures: Mapping[str, LiveOccupancy],
        now_ms: int,
    ) -> dict[str, tuple[str, ...]]:
        """The lines of each sign. Raises RedisError or OSError: then nothing can be written."""
        running = self._experiments.running(now_ms)
        if running is not None and arm_at(running, now_ms) is Arm.PLAIN:
            return {sign.sign_id: face(sign.lot_ids, pictures, now_ms) for sign in signs}
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
