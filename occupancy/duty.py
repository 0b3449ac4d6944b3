"""What one recorder does for all: alarms, the nightly truth check, passing corrections on."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from gateway import stream
from gateway.observation import Observation
from gateway.process import is_cancelled
from occupancy import (
    alarm_board,
    database,
    database_alarm_rules,
    database_alarms,
    database_corrections,
    database_vitals,
    history,
)
from occupancy.alarm import SHIPPED, Alarm, Condition, Key, Rulebook, Watch, step, watching
from occupancy.alarm_board import AlarmSheet
from occupancy.alarm_conditions import LotFacts, list_conditions
from occupancy.certificate_alarms import certificate_conditions, unseen_keys
from occupancy.certificates import Certificates
from occupancy.history import Position
from occupancy.live import LiveOccupancy, Received, stale_at_ms
from occupancy.lot import Lot
from occupancy.part_keeper import PartKeeper
from occupancy.proof_keeper import ProofKeeper
from occupancy.reading import Reading, replica_conditions
from occupancy.stuck_loops import StuckLoops, follow
from occupancy.truth_check import check, night_of
from occupancy.vital_alarms import vital_conditions
from occupancy.vital_signs import Grain

LOOK_SECONDS = 0.5
LEASE_SECONDS = 6.0
LEASE_NAME = "*duty"  # no car park's name may begin so
SLOW_LOOKS = 10  # rules, watermarks and the night's check are looked at every so many looks
DAYS_AHEAD = 4  # partitions: today and three more
NIGHTLY = "nightly"

log = structlog.get_logger()


class Heard(msgspec.Struct, frozen=True):
    """The newest observation of a car park, and what its loops have missed."""

    news: Observation
    offset_ms: int
    loops: StuckLoops

    @staticmethod
    def after(before: "Heard | None", received: Received) -> "Heard":
        news = received.observation
        loops = before.loops if before else StuckLoops()
        return Heard(
            news,
            received.offset_ms,
            follow(loops, before.news if before else None, news),
        )


@dataclass
class Duty:
    """The loop of whoever holds the lease; `heard` and `pictures` are the recorder's own."""

    redis: Redis
    connections: database.Pool
    lots: Mapping[str, Lot]
    clock: Callable[[], int]
    name: str
    heard: Mapping[str, Heard]
    pictures: Mapping[str, LiveOccupancy]
    rules: Rulebook = SHIPPED
    watches: dict[Key, Watch] = field(default_factory=dict)
    waiting: dict[str, tuple[int | None, int | None]] = field(default_factory=dict)
    unreadable: dict[str, int] = field(default_factory=dict)
    displaced: dict[str, tuple[int, int]] = field(default_factory=dict)
    rivals: dict[str, int] = field(default_factory=dict)
    vitals: Sequence[Condition] = ()
    unsaved: list[Alarm] = field(default_factory=list)
    is_holder: bool = False
    since_ms: int = 0
    proofs: ProofKeeper | None = None
    parts: PartKeeper | None = None
    reading: Reading | None = None
    certificates: Certificates = field(default_factory=Certificates)

    async def run(self) -> None:
        """Look until cancelled. While PostgreSQL is away whoever held the duty keeps it."""
        self.since_ms = self.clock()
        looks = 0
        while not is_cancelled():
            try:
                await self._take_duty()
                if self.is_holder:
                    await self._work(is_slow=looks % SLOW_LOOKS == 0)
            except (RedisError, OSError, TimeoutError) as trouble:
                log.info("alarms wait for Redis", reason=str(trouble))
            looks += 1
            await asyncio.sleep(LOOK_SECONDS)

    async def _take_duty(self) -> None:
        """The lease in PostgreSQL says whose turn it is; a new holder learns what is open."""
        try:
            holds = await history.take_lease(self.connections, LEASE_NAME, self.name, LEASE_SECONDS)
            if holds and not self.is_holder:
                kept = await database_alarms.list_open(self.connections)
                self.watches = watching(one.alarm for one in kept)
                self.proofs = self.parts = None  # another recorder has kept them meanwhile
            self.is_holder = holds
        except database.NOT_READY as trouble:
            log.info("the duty waits for PostgreSQL", reason=str(trouble))

    async def _work(self, *, is_slow: bool) -> None:
        try:
            await self._pass_corrections_on()
            if is_slow:
                self.rules = await database_alarm_rules.read_rules(self.connections)
                await self._check_truth()
                await history.prepare_days(
                    self.connections, history.day_of(self.clock()), DAYS_AHEAD
                )
                await self._measure_waiting()
                await self._read_vitals()
            await self._keep_proofs(is_slow=is_slow)
            await self._keep_parts(is_slow=is_slow)
        except (*database.NOT_READY, RedisError) as trouble:
            log.info("corrections and checks wait", reason=str(trouble))
        await self._look_for_alarms()

    async def _keep_proofs(self, *, is_slow: bool) -> None:
        if self.proofs is None:
            self.proofs = ProofKeeper(self.connections)
        await self.proofs.look(list(self.pictures.values()), self.clock())
        if is_slow:
            await self.proofs.tidy()

    async def _keep_parts(self, *, is_slow: bool) -> None:
        if self.parts is None:
            self.parts = PartKeeper(self.connections)
        await self.parts.look(list(self.pictures.values()), self.clock())
        if is_slow:
            await self.parts.tidy()

    async def _look_for_alarms(self) -> None:
        now_ms = self.clock()
        conditions = [c for lot in self.lots for c in list_conditions(self._facts(lot), now_ms)]
        conditions += self.vitals
        conditions += replica_conditions(self.reading.standing) if self.reading else []
        terms = self.certificates.terms
        conditions += certificate_conditions(terms, now_ms)
        silent, unseen = self._silent_lots(now_ms), unseen_keys(terms)
        result = step(self.watches, conditions, now_ms, self.rules, silent, unseen)
        self.watches = result.watches
        self.unsaved += (*result.raised, *result.cleared)
        for changed in (*result.raised, *result.cleared):
            log.info("alarm", words=changed.words, key=changed.key, ends=changed.cleared_at_ms)
        alarms = (watch.alarm for watch in self.watches.values())
        sheet = AlarmSheet(now_ms, tuple(alarm for alarm in alarms if alarm is not None))
        await self._save()
        await alarm_board.write(self.redis, sheet)

    async def _read_vitals(self) -> None:
        newest = await database_vitals.list_newest(self.connections, Grain.QUARTER)
        self.vitals = vital_conditions(newest, self.clock())

    async def _save(self) -> None:
        """Keep changes in their order; while PostgreSQL is away they wait here."""
        while self.unsaved:
            try:
                await database_alarms.save(self.connections, self.unsaved[0])
            except database.NOT_READY as trouble:
                log.info("alarms wait for PostgreSQL", reason=str(trouble))
                return
            self.unsaved.pop(0)

    def _facts(self, lot_id: str) -> LotFacts:
        heard = self.heard.get(lot_id)
        in_outbox, in_stream = self.waiting.get(lot_id, (None, None))
        facts = LotFacts(
            lot_id,
            self.since_ms,
            rows_in_outbox=in_outbox,
            rows_in_stream=in_stream,
            unreadable_entries=self.unreadable.get(lot_id, 0),
            rival_epoch=self.rivals.get(lot_id),
        )
        if heard is None:
            return facts
        return msgspec.structs.replace(
            facts,
            news=heard.news,
            offset_ms=heard.offset_ms,
            loops=heard.loops,
        )

    def _silent_lots(self, now_ms: int) -> frozenset[str]:
        pictures = self.pictures
        return frozenset(
            lot for lot in self.lots if lot not in pictures or now_ms >= stale_at_ms(pictures[lot])
        )

    async def _measure_waiting(self) -> None:
        watermarks = await history.list_watermarks(self.connections)
        for lot_id in list(self.lots):
            top = await stream.read_top(self.redis, stream.observations_key(lot_id))
            heard = self.heard.get(lot_id)
            said = heard.news.position if heard else None
            recorded = watermarks.get(lot_id, Position(0, 0))
            self.waiting[lot_id] = (_rows(top, said), _rows(recorded, top))
            self.unreadable[lot_id] = await stream.count_unreadable(self.redis, lot_id)
            await self._look_for_rival(lot_id)

    async def _look_for_rival(self, lot_id: str) -> None:
        """A displaced gateway that says again that it is there is a second one that runs."""
        said = await stream.read_displaced(self.redis, lot_id)
        before = self.displaced.get(lot_id)
        self.rivals.pop(lot_id, None)
        if said is not None:
            if before is not None and said != before:
                self.rivals[lot_id] = said[0]
            self.displaced[lot_id] = said

    async def _pass_corrections_on(self) -> None:
        """Order each car park's newest count until its gateway says that it has taken it."""
        newest = await database_corrections.list_newest_corrections(self.connections)
        for lot_id, correction in newest.items():
            picture = self.pictures.get(lot_id)
            if (
                picture is not None
                and picture.epoch == correction.epoch
                and picture.correction_number < correction.number
            ):
                await stream.order_correction(self.redis, lot_id, correction)

    async def _check_truth(self) -> None:
        """Once a night each car park whose numbers are fresh."""
        now_ms = self.clock()
        night = night_of(now_ms)
        done = await database_corrections.list_checked_nights(self.connections, night)
        for lot_id in self._due(done, now_ms):
            before = await database_corrections.list_checks(self.connections, lot_id, 1)
            found = check(
                self.pictures[lot_id], before[0] if before else None, now_ms, NIGHTLY, night
            )
            await database_corrections.add_check(self.connections, found)
            log.info("truth check", lot=lot_id, drift_cars=found.drift_cars)

    def _due(self, done: set[str], now_ms: int) -> Sequence[str]:
        silent = self._silent_lots(now_ms)
        return [lot for lot in self.lots if lot not in done and lot not in silent]


def _rows(behind: tuple[int, int] | None, ahead: tuple[int, int] | None) -> int | None:
    """Rows from one position to a later one; None while the later one is unknown."""
    if ahead is None:
        return None
    epoch, sequence = behind or (0, 0)
    if (epoch, sequence) >= ahead:
        return 0
    return ahead[1] - (sequence if epoch == ahead[0] else 0)
