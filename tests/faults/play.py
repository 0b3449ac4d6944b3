"""Plays a schedule of faults against a stage and judges what is left of it."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gateway.process import now_ms
from tests.faults import process_faults
from tests.faults.catalogue import FAULTS
from tests.faults.history_checker import Verdict
from tests.faults.ledger import compare, spoil
from tests.faults.live_checker import NEVER
from tests.faults.stage import FASTEST, Stage, stage
from tests.faults.watch import PATIENCE_SECONDS, Watch
from tests.waiting import until

SPEED = 60.0
PAUSE_SECONDS = (0.2, 1.5)
DRAIN_SECONDS = 120.0
DOUBLED_LOT, LOST_LOT = "sanda", "kangle"
Say = Callable[[str], None]
Act = Callable[["Director"], Awaitable[None]]


@dataclass(frozen=True)
class Outcome:
    """What a run has shown; `spoilt` is the verdict after faults were planted in the history."""

    verdict: Verdict
    spoilt: Verdict
    played: Mapping[str, int]
    kills: Mapping[str, int]
    recoveries: dict[str, list[float]]
    exact_seconds: float
    drained_seconds: float
    excesses: Sequence[str]
    deaths: Sequence[str]
    samples: int
    unanswered: int
    notes: dict[str, list[float]]


@dataclass
class Director:
    """One run: the stage, the watch beside it, and how long each recovery took."""

    stage: Stage
    watch: Watch
    say: Say
    recoveries: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    played: Counter[str] = field(default_factory=Counter)

    async def play(self, names: Iterable[str]) -> None:
        """One fault after the other, each until its harm is gone."""
        for name in names:
            await asyncio.sleep(self.stage.dice.uniform(*PAUSE_SECONDS))
            await self.strike(name)

    async def play_at_once(self, *rows: Sequence[str]) -> None:
        """Several rows of faults beside each other; their harm must be gone when all are over."""
        async with asyncio.TaskGroup() as group:
            for row in rows:
                group.create_task(self._play_row(row), name=row[0])
        await self._until_fresh(" and ".join(row[0] for row in rows), now_ms())

    async def _play_row(self, row: Sequence[str]) -> None:
        for name in row:
            await FAULTS[name].strike(self.stage, self.watch)
            self.played[name] += 1
            self.say(f"{name}, beside others")

    async def strike(self, name: str) -> None:
        self.stage.struck = ""
        healed_at_ms = await FAULTS[name].strike(self.stage, self.watch)
        self.played[name] += 1
        exactly = f"{name} {self.stage.struck}".strip()
        seconds = await self._until_fresh(exactly, healed_at_ms)
        self.recoveries[exactly].append(seconds)
        self.say(f"{exactly}: fresh again after {seconds:.1f} s")

    async def _until_fresh(self, name: str, healed_at_ms: int) -> float:
        try:
            return await self.watch.until_fresh(healed_at_ms)
        except TimeoutError:
            raise AssertionError(f"{name}: not fresh again: {self.watch.told}") from None

    async def finish(self) -> Outcome:
        """A last kill, then the town stands still and everything must come to agree."""
        healed_at_ms = await process_faults.kill(self.stage, self.watch)
        await self.stage.set_speed(0)
        exact_seconds = await self._until_exact(healed_at_ms)
        exact_at_ms = now_ms()
        verdict = await self._drained()
        drained_at_ms = now_ms()
        await spoil(self.stage, DOUBLED_LOT, LOST_LOT)
        spoilt = await compare(self.stage, FASTEST)
        return Outcome(
            verdict,
            spoilt,
            self.played,
            self.stage.kills,
            dict(self.recoveries),
            exact_seconds,
            (drained_at_ms - exact_at_ms) / 1_000,
            self.watch.excesses,
            self.stage.deaths,
            self.watch.samples,
            self.watch.unanswered,
            self.stage.notes,
        )

    async def _until_exact(self, healed_at_ms: int) -> float:
        """Seconds until every published number is the truth; NEVER if patience ends before."""
        watch = self.watch
        try:
            await until(
                lambda: watch.is_exact() and watch.is_fresh(healed_at_ms),
                within_seconds=PATIENCE_SECONDS,
            )
        except TimeoutError:
            return NEVER
        return (now_ms() - healed_at_ms) / 1_000

    async def _drained(self) -> Verdict:
        """The verdict once nothing is missing any more, or when patience ends."""
        over_ms = now_ms() + DRAIN_SECONDS * 1_000
        while True:
            verdict = await compare(self.stage, FASTEST)
            if verdict.recorded == verdict.events or now_ms() > over_ms:
                return verdict
            await asyncio.sleep(0.5)


async def run(folder: Path, seed: int, acts: Sequence[Act], say: Say) -> Outcome:
    """Raise the stage, let the town go, play all acts, judge."""
    async with stage(folder, seed, SPEED) as ready:
        watch = Watch(ready)
        director = Director(ready, watch, say)
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(watch.run(), name="watch")
            await watch.until_fresh(now_ms())
            await ready.set_speed(SPEED)
            for act in acts:
                await act(director)
            outcome = await director.finish()
            watching.cancel()
    return outcome
