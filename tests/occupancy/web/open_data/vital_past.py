"""Five recorded days with their vital signs worked out, and the service that shows them."""

import datetime as dt
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

import asyncpg

from occupancy.lot_file import load_shipped
from occupancy.rollup import DAY_MS
from occupancy.vital_keeping import VitalKeeper
from tests.occupancy.web.faces import Served, served
from tests.recorded_month import Past, record_period

HOUR_MS = 3_600_000
DAYS = Past(first=dt.date(2026, 10, 27), days=5, raw_days=0)
END_MS = DAYS.span[1]
YESTERDAY_MS = END_MS - DAY_MS


class VitalPast(NamedTuple):
    """The service after those days, and the keeper that has looked once."""

    shown: Served
    keeper: VitalKeeper
    now_ms: list[int]


@asynccontextmanager
async def after_october(connections: asyncpg.Pool) -> AsyncIterator[VitalPast]:
    """Twenty minutes into November: the car parks opened five days ago."""
    await record_period(connections, DAYS)
    now_ms = [END_MS + HOUR_MS // 3]
    keeper = VitalKeeper(connections, lambda: now_ms[0], "one")
    keeper.looked_again_at_ms = now_ms[0]
    await keeper.look()
    async with served(load_shipped(), connections=connections) as shown:
        shown.clock.now_ms = now_ms[0]
        for lot_id in shown.lots:
            shown.show(lot_id, 1)
        yield VitalPast(shown, keeper, now_ms)
