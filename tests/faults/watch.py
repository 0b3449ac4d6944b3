"""Ten times a second: what the web service publishes, and then what is true."""

import asyncio
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from gateway.process import now_ms
from tests.faults.live_checker import NEVER, Actual, Told, age_ms, list_excesses
from tests.faults.stage import Stage

EVERY_SECONDS = 0.1
KEPT_SAMPLES = 1_500
FRESH_MS = 2_000
SILENT = Told(None, None, None, None)


@dataclass
class Watch:
    """What was seen so far. `excesses` must stay empty."""

    stage: Stage
    actual: dict[str, list[Actual]] = field(default_factory=dict)
    told: dict[str, Told] = field(default_factory=dict)
    excesses: list[str] = field(default_factory=list)
    samples: int = 0
    unanswered: int = 0
    worst_age_ms: float = 0

    async def run(self) -> None:
        """Sample until cancelled."""
        while True:
            await asyncio.gather(self.sample(), asyncio.sleep(EVERY_SECONDS))

    async def sample(self) -> None:
        lots = self.stage.lots
        told = await asyncio.gather(*(self._published(lot_id) for lot_id in lots))
        truth = await self.stage.get(self.stage.sim + "/truth")
        at_ms = now_ms()
        for lot in truth["lots"]:
            kept = self.actual.setdefault(lot["lot_id"], [])
            kept.append(_actual(lot, at_ms))
            del kept[:-KEPT_SAMPLES]
        for lot_id, said in zip(lots, told, strict=True):
            self._judge(lot_id, said)
        self.worst_age_ms = max(self.worst_age_ms, *(self.age_ms(lot_id) for lot_id in lots))
        self.samples += 1

    def _judge(self, lot_id: str, said: Told) -> None:
        self.told[lot_id] = said
        for words in list_excesses(said, self.actual[lot_id]):
            self.excesses.append(f"{lot_id}: {words}, sample {self.samples}: {said}")

    def age_ms(self, lot_id: str) -> float:
        """How old what is published of a car park is."""
        actual = self.actual.get(lot_id)
        return age_ms(self.told[lot_id], actual) if actual else NEVER

    def is_fresh(self, since_ms: int) -> bool:
        """Every car park is told from a moment after `since_ms`, and rightly."""
        return bool(self.told) and all(
            (told.observed_at_ms or 0) >= since_ms and self.age_ms(lot_id) <= FRESH_MS
            for lot_id, told in self.told.items()
        )

    def is_exact(self) -> bool:
        """Every number is the truth of this moment: for a town that stands still."""
        return bool(self.told) and all(self.age_ms(lot_id) == 0 for lot_id in self.told)

    async def _published(self, lot_id: str) -> Told:
        try:
            lot = await self.stage.get(f"{self.stage.web}/v1/lots/{lot_id}")
        except (AssertionError, aiohttp.ClientError, TimeoutError, OSError):
            self.unanswered += 1
            return SILENT
        return _told(lot)


def _told(lot: Mapping[str, Any]) -> Told:
    live, flow = lot["live"], lot["flow"] or {}
    observed_at = live["observed_at"]
    return Told(
        entries=flow.get("entries_total"),
        exits=flow.get("exits_total"),
        free=live["free"],
        observed_at_ms=int(dt.datetime.fromisoformat(observed_at).timestamp() * 1_000)
        if observed_at
        else None,
    )


def _actual(lot: Mapping[str, Any], at_ms: int) -> Actual:
    return Actual(at_ms, lot["entries"], lot["exits"], lot["leaving"], lot["free"])
