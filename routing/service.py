"""Guidance: gathers, recommends and holds. The one entry for web, WeChat, board and signs."""

import asyncio
import contextlib
import hashlib
import secrets
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace
from redis.asyncio import Redis

from occupancy.effect.experiment import Arm, arm_of
from occupancy.experiment_shelf import ExperimentShelf
from occupancy.live import LiveOccupancy
from occupancy.lot import Lot
from occupancy.web.showcase import Showcase
from occupancy.web.tariff_shelf import TariffShelf
from routing import trip_store
from routing.candidate import Outlook
from routing.config import GuidanceSettings
from routing.deciding import Asker, Rules, Tolls, decide, no_tolls
from routing.gathering import Forecaster, Known, Way, gather, nearby
from routing.outlooks import Outlooks
from routing.patience import AwayError, Patience
from routing.plain_list import plain_list
from routing.promise import Due, minute_of
from routing.promise_desk import Held, PromiseDesk
from routing.question import Question
from routing.reason import Code, Reason, because
from routing.recommend import Recommendation
from routing.together import Together
from routing.trip import Trip, give_way, is_open
from routing.trip_promise import Answer, begin_trip, promise_of
from routing.ways import TravelTimes, ways_to

T = TypeVar("T")
DECIDE_WITHIN_SECONDS = 0.4
WORTH_PART = 0.5  # of the share wanted; with less of it a driver is decided anew


class Driver(msgspec.Struct, frozen=True):
    """One question, the car park its driver was shown before, and how an experiment treats him."""

    question: Question
    leaning: str = ""
    experiment: int = 0
    arm: Arm | None = None

    @property
    def is_plain(self) -> bool:
        return self.arm in (Arm.PLAIN, Arm.HELD_OUT)


class Guidance:
    """Made once a process."""

    def __init__(
        self,
        showcase: Showcase,
        shelf: TariffShelf,
        redis: Redis,
        forecasts: Forecaster,
        travel: TravelTimes,
        settings: GuidanceSettings,
        tell: Callable[[Trip], None] = lambda _: None,
        stopwatch: Callable[[], float] = lambda: 0.0,
    ) -> None:
        """`tell` hears of every trip that begins or comes further; `stopwatch` is in seconds."""
        self.settings = settings
        self.tell = tell
        self.tolls: Tolls = no_tolls
        self.experiments = ExperimentShelf()
        self._stopwatch = stopwatch
        self.clock: Callable[[], int] = showcase.now_ms
        self.patience = Patience(self.clock)
        self.desk = PromiseDesk(redis, self.patience, self.clock)
        self.forecasts = Outlooks(forecasts)
        self._showcase = showcase
        self._shelf = shelf
        self._redis = redis
        self._travel = travel
        self._together = Together(self._decide, settings.gather_seconds)

    @property
    def lots(self) -> Mapping[str, Lot]:
        return self._showcase.lots

    @property
    def pictures(self) -> Mapping[str, LiveOccupancy]:
        return self._showcase.pictures

    def expect(self, lot_id: str, at_ms: int) -> Outlook:
        """What a car park will have, from its newest picture; promises are not taken off."""
        picture = self.pictures.get(lot_id)
        if picture is not None:
            self.forecasts.see(picture)
        return self.forecasts.expect(lot_id, at_ms, self.clock())

    def price(self, tolls: Tolls) -> None:
        """Let early choices leave room for those who come later, from now on at these tolls."""
        self.tolls = tolls

    async def recommend(self, question: Question, driver: str = "") -> Answer:
        """Where to park; what is shown is promised. `driver` is what his program calls itself."""
        digest = digest_of(driver) if driver else ""
        _, trip_id = await self._recall(digest)
        answer = await self._answer(question, trip_id, digest)
        trip = answer.trip
        if trip is not None:
            with contextlib.suppress(AwayError):  # he has his answer; only the trip is not followed
                await self.patience.ask(
                    lambda: trip_store.keep(self._redis, trip, trip.shown_at_ms, digest)
                )
        return answer

    async def same_answer(
        self, question: Question, driver: str, asked: str, encode: Callable[[Answer], bytes]
    ) -> bytes:
        """The answer's bytes; for a short while the same for a driver's same question."""
        if not driver or not self.settings.same_answer_ms:
            return encode(await self.recommend(question, driver))
        digest, asked = digest_of(driver), digest_of(driver, asked)
        known, trip_id = await self._recall(digest, asked)
        if known is not None:
            return known
        answer = await self._answer(question, trip_id, digest)
        body, trip, kept_ms = encode(answer), answer.trip, self.settings.same_answer_ms
        try:
            holds = await self.patience.ask(
                lambda: trip_store.keep_answer(
                    self._redis, trip, answer.asked_at_ms, digest, asked, body, kept_ms
                )
            )
        except AwayError:
            return body
        if holds != body:
            await self._give_back(answer)  # another process answered the same question first
        return holds

    def known(self, held: Held) -> Known:
        """The town as this process knows it now."""
        for lot_id in held.due:
            if lot_id in self.pictures:
                self.forecasts.see(self.pictures[lot_id])
        return Known(self.lots, self.pictures, self._shelf.book, held.due, self.clock())

    async def _decide(self, drivers: Sequence[Driver]) -> list[Answer]:
        """Everyone once; whose space went to another process meanwhile, once more."""
        ways = await _all(self._ways(driver.question) for driver in drivers)
        answers, due = await self._round(drivers, ways)
        again = [
            n for n, one in enumerate(answers) if self._is_short(one) and self._had_room(one, due)
        ]
        for number in again:
            await self._give_back(answers[number])
        if again:
            second, _ = await self._round([drivers[n] for n in again], [ways[n] for n in again])
            for number, answer in zip(again, second, strict=True):
                answers[number] = answer
        return [_said(answer) if self._is_short(answer) else answer for answer in answers]

    async def _round(
        self, drivers: Sequence[Driver], ways: Sequence[tuple[dict[str, Way], list[Reason]]]
    ) -> tuple[list[Answer], Mapping[str, Due]]:
        """Everyone's answer, and what was promised before it."""
        lot_ids = list(dict.fromkeys(lot_id for found, _ in ways for lot_id in found))
        held = await self.desk.read(lot_ids)
        known = self.known(held)
        away = [] if held.is_shared else [because(Code.PROMISES_AWAY)]
        askers = [
            Asker(
                driver.question,
                tuple(gather(driver.question, known, found, self.forecasts)),
                driver.leaning,
                (*notes, *away),
            )
            for driver, (found, notes) in zip(drivers, ways, strict=True)
        ]
        shown = self._shown(drivers, askers)
        answers = await _all(
            self._hold(driver, recommendation, known.now_ms)
            for driver, recommendation in zip(drivers, shown, strict=True)
        )
        return answers, held.due

    def _shown(
        self, drivers: Sequence[Driver], askers: Sequence[Asker]
    ) -> Iterator[Recommendation]:
        """The guided ones are decided together; the others get the plain list."""
        settings = self.settings
        rules = Rules(settings.follow_shown, settings.most_regret_minutes, self.tolls)
        guided = [a for d, a in zip(drivers, askers, strict=True) if not d.is_plain]
        decided = iter(decide(guided, rules, self._deadline()))
        for driver, asker in zip(drivers, askers, strict=True):
            if driver.is_plain:
                yield plain_list(asker.question, asker.candidates, asker.notes)
            else:
                yield next(decided)

    def _deadline(self) -> Callable[[], bool]:
        late = self._stopwatch() + DECIDE_WITHIN_SECONDS
        return lambda: self._stopwatch() > late

    async def _ways(self, question: Question) -> tuple[dict[str, Way], list[Reason]]:
        lots = nearby(self.lots, question.destination)
        return await ways_to(self._travel, lots, question)

    async def _hold(self, driver: Driver, recommendation: Recommendation, now_ms: int) -> Answer:
        question, arm = driver.question, driver.arm
        if recommendation.chosen is None:
            return Answer(question, recommendation, now_ms, arm=arm)
        trip = begin_trip(secrets.token_urlsafe(9), question, recommendation, now_ms, self.settings)
        trip = replace(trip, experiment=driver.experiment, arm=arm)
        if trip.is_plain:
            return Answer(question, recommendation, now_ms, trip, arm)
        share = self.settings.follow_shown
        limit = trip.shown[trip.lot_id].limit
        granted = await self.desk.hold(trip.lot_id, promise_of(trip, share), limit)
        return Answer(question, recommendation, now_ms, replace(trip, promised=granted), arm)

    async def _give_back(self, answer: Answer) -> None:
        if answer.trip is not None and answer.trip.promised > 0:
            await self.desk.release(answer.trip.lot_id, answer.trip.trip_id)

    def _is_short(self, answer: Answer) -> bool:
        wanted, trip = self.settings.follow_shown * WORTH_PART, answer.trip
        return trip is not None and not trip.is_plain and trip.promised < wanted

    def _had_room(self, answer: Answer, due: Mapping[str, Due]) -> bool:
        """Whether the space went meanwhile: only then does deciding anew know anything new."""
        trip = answer.trip
        if trip is None:
            return False
        wanted = promise_of(trip, self.settings.follow_shown)
        limit, now_minute = trip.shown[trip.lot_id].limit, minute_of(answer.asked_at_ms)
        room = due.get(trip.lot_id, Due()).room_for(wanted, limit, now_minute)
        return room >= self.settings.follow_shown * WORTH_PART

    async def _recall(self, digest: str, asked: str = "") -> tuple[bytes | None, str | None]:
        """What he was answered to the same question, and the trip he was shown last."""
        if not digest:
            return None, None
        try:
            return await self.patience.ask(lambda: trip_store.recall(self._redis, digest, asked))
        except AwayError:
            return None, None

    async def _answer(self, question: Question, trip_id: str | None, digest: str) -> Answer:
        leaning = await self._take_back(trip_id) if trip_id else ""
        answer = await self._together.ask(self._treated(Driver(question, leaning), digest))
        if answer.trip is not None:
            self.tell(answer.trip)
        return answer

    def _treated(self, driver: Driver, digest: str) -> Driver:
        """How the running experiment treats him; who has no name is drawn anew each time."""
        now_ms = self.clock()
        running = self.experiments.running(now_ms)
        if running is None:
            return driver
        arm = arm_of(running, now_ms, digest or secrets.token_hex(8))
        return replace(driver, experiment=running.number, arm=arm)

    async def _take_back(self, trip_id: str) -> str:
        """The car park this driver was shown last; its promise is free again for his new one."""
        now_ms = self.clock()
        try:
            changed = await self.patience.ask(
                lambda: trip_store.change_trip(
                    self._redis, trip_id, lambda trip: give_way(trip, now_ms)
                )
            )
        except AwayError:
            return ""
        if changed is None or not is_open(changed[0], now_ms):
            return ""
        self.tell(changed[1])
        await self.desk.release(changed[0].lot_id, trip_id)
        return changed[0].lot_id


async def _all(work: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """All at once, in order; one is done without the cost of a task."""
    first, *others = work
    if not others:
        return [await first]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one) for one in (first, *others)]
    return [task.result() for task in tasks]


def digest_of(*parts: object) -> str:
    """What stands for a driver or his question in a key: nobody can read it back."""
    text = "\x1f".join(str(part) for part in parts)
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).hexdigest()


def _said(answer: Answer) -> Answer:
    """With the note that nothing could be held."""
    notes = (*answer.recommendation.notes, because(Code.NOT_HELD))
    return replace(answer, recommendation=replace(answer.recommendation, notes=notes))
