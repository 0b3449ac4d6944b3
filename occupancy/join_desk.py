"""A car park brought in and taken out: each step one transaction with its audit record."""

from collections.abc import Mapping
from typing import Any

import msgspec

from occupancy import database_audit, database_lots, database_tariffs
from occupancy.audit import Entry
from occupancy.database import Connection, Pool, list_lots
from occupancy.database_lots import KeptLot
from occupancy.edit import SettledError, StaleEditError, require_reason
from occupancy.join_check import reasons_to_wait
from occupancy.live import LiveOccupancy
from occupancy.lot import Lot
from occupancy.lot_change import BadFactsError, remarks_on_new
from occupancy.lot_desk import NoSuchLotError
from occupancy.lot_stage import Stage
from occupancy.tariff import Tariff

JOINED, WENT_LIVE, WITHDRAWN, REMOVED = "join_lot", "live_lot", "withdraw_lot", "remove_lot"


class NotReadyError(Exception):
    """A car park may not go live yet; `reasons` say why and what to do."""

    def __init__(self, reasons: list[str]) -> None:
        self.reasons = reasons
        super().__init__("；".join(reasons))


class LastLotError(Exception):
    """The only car park that is live is not removed: nobody would find any."""


async def begin(
    connections: Pool,
    lot: Lot,
    *,
    by: str,
    reason: str,
    tariff: Tariff | None = None,
    version: int | None = None,
) -> bool:
    """Keep the facts of a car park that is to join; False if they are kept already.

    With `version` only over the state that was seen. A tariff is published if it has no version
    yet. Raises BadEditError (the reason), BadFactsError, SettledError: it is live already,
    StaleEditError.
    """
    why = require_reason(reason)
    if remarks := remarks_on_new(lot, await list_lots(connections)):
        raise BadFactsError(remarks)
    async with connections.acquire() as connection, connection.transaction():
        kept = await database_lots.lock_lot(connection, lot.lot_id)
        require_not_live(kept)
        if version is not None and (kept.version if kept else 0) != version:
            raise StaleEditError(lot, kept)
        if kept is not None and kept.stage is Stage.JOINING and kept.lot == lot:
            is_new = False
        else:
            await database_lots.add_lot(connection, lot, by)
            await _record(connection, JOINED, lot.lot_id, why, by, kept, lot)
            is_new = True
    if tariff is not None:
        await database_tariffs.seed_tariffs(connections, [tariff])
    return is_new


def require_not_live(kept: KeptLot | None) -> None:
    """What is live does not join. Raises SettledError."""
    if kept is not None and kept.stage is Stage.LIVE:
        words = "资料请在“车场资料”页修改，或另取一个编号"
        raise SettledError(f"{kept.lot.lot_id} 已上线（{kept.lot.name}）：{words}")


async def go_live(
    connections: Pool,
    lot_id: str,
    picture: LiveOccupancy | None,
    *,
    by: str,
    reason: str,
    now_ms: int,
) -> Lot:
    """From now on for everybody; processes follow in seconds.

    Raises NotReadyError, NoSuchLotError, SettledError, BadEditError.
    """
    why = require_reason(reason)
    tariffs = [one.tariff_id for one in await database_tariffs.list_tariffs(connections)]
    async with connections.acquire() as connection, connection.transaction():
        kept = await _joining(connection, lot_id)
        if reasons := reasons_to_wait(kept.lot, picture, tariffs, now_ms):
            raise NotReadyError(reasons)
        await database_lots.set_live(connection, lot_id, now_ms, by)
        await _record(connection, WENT_LIVE, lot_id, why, by, kept, kept.lot)
    return kept.lot


async def withdraw(connections: Pool, lot_id: str, *, by: str, reason: str) -> None:
    """Give up a car park that joins. Raises NoSuchLotError, SettledError, BadEditError."""
    why = require_reason(reason)
    async with connections.acquire() as connection, connection.transaction():
        kept = await _joining(connection, lot_id)
        await database_lots.delete_joining(connection, lot_id)
        await _record(connection, WITHDRAWN, lot_id, why, by, kept, None)


async def remove(connections: Pool, lot_id: str, *, by: str, reason: str, now_ms: int) -> Lot:
    """Nobody is led there or told of it any more; history, reports and audit stay.

    Raises NoSuchLotError, SettledError (not live), LastLotError, BadEditError.
    """
    why = require_reason(reason)
    async with connections.acquire() as connection, connection.transaction():
        kept = await _known(connection, lot_id)
        if kept.stage is not Stage.LIVE:
            raise SettledError(f"{lot_id} 没有上线，不必移除：还在接入的，请在“新车场”页放弃接入")
        if await database_lots.count_live(connection) == 1:
            raise LastLotError(f"{lot_id} 是唯一的车场：请先接入另一个")
        await database_lots.set_removed(connection, lot_id, now_ms, by)
        await _record(connection, REMOVED, lot_id, why, by, kept, None)
    return kept.lot


async def _joining(connection: Connection, lot_id: str) -> KeptLot:
    kept = await _known(connection, lot_id)
    if kept.stage is not Stage.JOINING:
        if kept.stage is Stage.LIVE:
            raise SettledError(f"{lot_id} 已上线，不必再做；不再开放时，请移除它")
        raise SettledError(f"{lot_id} 已移除：要再上线，请先重新接入")
    return kept


async def _known(connection: Connection, lot_id: str) -> KeptLot:
    kept = await database_lots.lock_lot(connection, lot_id)
    if kept is None:
        raise NoSuchLotError(f"没有 {lot_id[:40]} 这个车场：请核对编号，新车场要先接入")
    return kept


async def _record(
    connection: Connection,
    action: str,
    lot_id: str,
    why: str,
    by: str,
    before: KeptLot | None,
    after: Lot | None,
) -> None:
    entry = Entry(
        *(by, action, f"lot {lot_id}", why, lot_id),
        None if before is None else {"stage": before.stage.value, **_facts(before.lot)},
        None if after is None else _facts(after),
    )
    await database_audit.append(connection, entry)


def _facts(lot: Lot) -> Mapping[str, Any]:
    facts: dict[str, Any] = msgspec.to_builtins(lot)
    return facts
