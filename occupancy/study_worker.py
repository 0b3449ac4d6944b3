"""Plays open studies one after the other, and keeps what came of each.

Who plays is handed in: the service knows no simulator. Whoever dies over a study is followed by
another, who begins it anew: the same facts give the same outcome.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol, TypeVar

import msgspec
import structlog

from occupancy import database_studies
from occupancy.database import NOT_READY, Pool
from occupancy.database_studies import KeptStudy
from occupancy.edit import BadEditError
from occupancy.study_gathering import NothingRecordedError, gather

LOOK_SECONDS, HEARD_SECONDS = 2.0, 15.0
T = TypeVar("T")
log = structlog.get_logger()


class Player(Protocol):
    """One study at play; every call takes seconds."""

    @property
    def spec(self) -> str: ...
    @property
    def is_done(self) -> bool: ...
    @property
    def seeds_done(self) -> int: ...
    def play_next(self) -> None: ...
    def outcome(self) -> str: ...


async def play_again(
    connections: Pool, number: int, make: Callable[[str], Player]
) -> tuple[bool, str]:
    """Whether a kept study brings the same outcome from the same facts, and that in words."""
    kept = await database_studies.find_study(connections, number)
    if kept is None or kept.spec is None or kept.outcome_sha256 is None:
        return False, f"there is no study {number} that was played to its end"
    player = make(kept.spec)
    while not player.is_done:
        player.play_next()
    seal = database_studies.digest(player.outcome())
    if seal == kept.outcome_sha256:
        return True, f"study {number}: the same outcome, sha256 {seal}"
    return False, f"study {number}: another outcome: {seal}, kept is {kept.outcome_sha256}"


class StudyWorker:
    """`make` turns facts (JSON) into a player, raising one of `refusals` where it cannot."""

    def __init__(
        self,
        connections: Pool,
        holder: str,
        make: Callable[[str], Player],
        refusals: tuple[type[Exception], ...],
    ) -> None:
        self._connections, self._holder = connections, holder
        self._make = make
        self._refusals: tuple[type[Exception], ...] = (
            *refusals,
            NothingRecordedError,
            BadEditError,
        )

    async def keep_playing(self, stopping: asyncio.Event) -> None:
        """Until `stopping`; a database that is away is waited for."""
        while not stopping.is_set():
            try:
                has_played = await self.play_one(stopping)
            except NOT_READY as trouble:
                log.warning("studies wait for the database", trouble=str(trouble))
                has_played = False
            if not has_played:
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_SECONDS):
                        await stopping.wait()

    async def play_one(self, stopping: asyncio.Event) -> bool:
        """The oldest open study, if there is one."""
        kept = await database_studies.take_up(self._connections, self._holder)
        if kept is None:
            return False
        try:
            await self._play(kept, stopping)
        except self._refusals as refusal:
            words = refusal.words if isinstance(refusal, BadEditError) else str(refusal)
            await database_studies.keep_trouble(self._connections, kept.number, self._holder, words)
        return True

    async def _play(self, kept: KeptStudy, stopping: asyncio.Event) -> None:
        facts = (
            kept.spec or msgspec.json.encode(await gather(self._connections, kept.wish)).decode()
        )
        player = await self._apart(kept.number, 0, lambda: self._make(facts))
        await database_studies.keep_spec(self._connections, kept.number, self._holder, player.spec)
        while not player.is_done:
            await self._apart(kept.number, player.seeds_done, player.play_next)
            is_ours = await database_studies.say_progress(
                self._connections, kept.number, self._holder, player.seeds_done
            )
            if not is_ours:
                return
            if stopping.is_set():
                await database_studies.let_go(self._connections, kept.number, self._holder)
                return
        outcome = player.outcome()
        await database_studies.keep_outcome(self._connections, kept.number, self._holder, outcome)

    async def _apart(self, number: int, done: int, work: Callable[[], T]) -> T:
        """On a thread, saying meanwhile that we are at it. Raises what `work` raises."""
        async with asyncio.TaskGroup() as group:
            saying = group.create_task(self._keep_saying(number, done), name="study heard")
            begun = asyncio.get_running_loop().run_in_executor(None, work)
            await asyncio.wait([begun])
            saying.cancel()
        return begun.result()

    async def _keep_saying(self, number: int, done: int) -> None:
        while True:
            await asyncio.sleep(HEARD_SECONDS)
            await database_studies.say_progress(self._connections, number, self._holder, done)
