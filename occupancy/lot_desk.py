"""Facts of a car park changed by operators: one transaction with its audit record."""

from occupancy import database_audit, database_lots
from occupancy.audit import Entry
from occupancy.database import Pool
from occupancy.edit import StaleEditError, require_reason
from occupancy.lot import Lot
from occupancy.lot_change import BadFactsError, differences, remarks_on

CHANGED = "change_lot"


class NoSuchLotError(Exception):
    """There is no car park of this name."""


async def change_lot(
    connections: Pool,
    wanted: Lot,
    *,
    version: int,
    by: str,
    reason: str,
    may_move_far: bool = False,
) -> Lot:
    """Keep these facts, if the person saw the last ones; recorder and web follow in seconds.

    Raises BadEditError (the reason), BadFactsError (all wrong fields), StaleEditError (both
    versions), NoSuchLotError.
    """
    why = require_reason(reason)
    async with connections.acquire() as connection, connection.transaction():
        kept = await database_lots.lock_lot(connection, wanted.lot_id)
        if kept is None:
            raise NoSuchLotError(f"没有 {wanted.lot_id} 这个车场")
        if kept.version != version:
            raise StaleEditError(wanted, kept)
        if remarks := remarks_on(wanted, kept.lot, may_move_far=may_move_far):
            raise BadFactsError(remarks)
        changed = differences(kept.lot, wanted)
        if not changed:
            raise BadFactsError({"nothing": "没有任何改动"})
        await database_lots.keep_lot(connection, wanted, by)
        entry = Entry(
            by,
            CHANGED,
            f"lot {wanted.lot_id}",
            why,
            wanted.lot_id,
            {name: before for name, (before, _) in changed.items()},
            {name: after for name, (_, after) in changed.items()},
        )
        await database_audit.append(connection, entry)
    return wanted
