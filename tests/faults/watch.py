"""Ten times a second: what the web service publishes, and then what is true."""

import asyncio
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from gateway.config import Device, Role
from gateway.process import now_ms
from tests.faults.live_checker import NEVER, SILENT, Actual, Told, ToldGroup, age_ms, list_excesses
from tests.faults.stage import Stage
from tests.waiting import until

EVERY_SECONDS = 0.1
KEPT_SAMPLES = 1_500
FRESH_MS = 2_000
PATIENCE_SECONDS = 90.0
CLOCK_WRONG_MS = 60_000


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
            kept.append(_actual(lot, at_ms, truth["simulated_ms"]))
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

    async def until_fresh(self, since_ms: int) -> float:
        """Seconds from `since_ms` until every car park is told rightly again."""
        await until(lambda: self.is_fresh(since_ms), within_seconds=PATIENCE_SECONDS)
        return max(0, now_ms() - since_ms) / 1_000

    async def _published(self, lot_id: str) -> Told:
        try:
            lot = await self.stage.get(f"{self.stage.web}/v1/lots/{lot_id}")
        except (AssertionError, aiohttp.ClientError, TimeoutError, OSError):
            self.unanswered += 1
            return SILENT
        controllers = self.stage.configs[lot_id].devices_of(Role.GROUP)
        return _told(lot, {device.device_id: device for device in controllers})


def _told(lot: Mapping[str, Any], controllers: Mapping[str, Device]) -> Told:
    live, flow = lot["live"], lot["flow"] or {}
    observed_at_ms = _ms(live["observed_at"])
    since_ms = {
        controllers[device["id"]].group_id: _since_ms(
            _ms(device["last_answer_at"]), observed_at_ms, controllers[device["id"]].period_ms
        )
        for device in lot["devices"]
        if device["id"] in controllers
    }
    return Told(
        flow.get("entries_total"),
        flow.get("exits_total"),
        live["free"],
        observed_at_ms,
        {group["id"]: ToldGroup(group["free"], since_ms[group["id"]]) for group in lot["groups"]},
    )


def _since_ms(answered_at_ms: int | None, observed_at_ms: int | None, period_ms: int) -> int | None:
    """Its pallets were read since: a controller is also asked for other things in between.

    Its last answer is by the gateway's clock, which a fault may have set wrong.
    """
    if answered_at_ms is None or observed_at_ms is None:
        return None
    is_wrong = abs(observed_at_ms - answered_at_ms) > CLOCK_WRONG_MS
    return (observed_at_ms if is_wrong else answered_at_ms) - 2 * period_ms


def _ms(at: str | None) -> int | None:
    return None if at is None else int(dt.datetime.fromisoformat(at).timestamp() * 1_000)


def _actual(lot: Mapping[str, Any], at_ms: int, simulated_ms: int) -> Actual:
    free = {group["group_id"]: group["bays"] - group["on_pallets"] for group in lot["groups"]}
    return Actual(at_ms, simulated_ms, lot["entries"], lot["exits"], free)
