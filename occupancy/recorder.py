"""From the streams to the live picture and to history; any number of recorders may run."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from gateway import stream
from gateway.history_rows import HistoryRows, decode_rows
from gateway.process import is_cancelled
from gateway.signs import SignOrder
from occupancy import database, database_restrictions, history, restriction_board, snapshot
from occupancy.audit_keeper import AuditKeeper
from occupancy.audit_notes import AuditNotes
from occupancy.certificates import Certificates
from occupancy.copy_rows import contiguous, write
from occupancy.database_rollup import Retention
from occupancy.duty import Duty, Heard
from occupancy.escalation_config import EscalationSettings
from occupancy.escalator import Escalator
from occupancy.experiment_shelf import ExperimentShelf
from occupancy.history import MovedOnError, Position
from occupancy.live import LiveOccupancy, Received, fold
from occupancy.lot import Lot
from occupancy.lot_file import load_shipped
from occupancy.lot_stage import Stage, StagedLot, by_stage, leaving
from occupancy.lot_watch import LotWatch
from occupancy.open_history_keeping import OpenHistoryKeeper
from occupancy.reading import Reading, reading
from occupancy.replica import NO_REPLICA, ReplicaSettings
from occupancy.restriction_board import RestrictionSheet
from occupancy.rollup_keeping import RollupKeeper
from occupancy.sign_faces import TownSign, face
from occupancy.sign_orders import orders
from occupancy.vital_config import PushSettings
from occupancy.vital_keeping import VitalKeeper
from occupancy.vital_pusher import VitalPusher

NOW_BLOCK_MS = 1_000
HISTORY_ENTRIES = 50
# History may be late, the live picture may not: a car park's rows wait for one another, the longer
# the more car parks there are, so that five hundred cost a recorder no more a row than five.
HISTORY_PAUSE_SECONDS, PAUSE_A_LOT_SECONDS = 0.25, 0.02
# Asking of five hundred car parks costs as much for one answer as for fifty: a tenth of a second
# between two looks there, a millisecond with five.
LIVE_PAUSE_A_LOT_SECONDS = 0.0002
LEASE_SECONDS, LEASE_PAUSES = 6.0, 3
LOTS_WAIT_SECONDS = 5.0
FACES_SECONDS = 1.0
RESTRICTIONS_SECONDS = 1.0
RETRY_SECONDS = 0.5
_LOST = (RedisError, OSError, TimeoutError)
NOBODY_IS_TOLD = EscalationSettings({})
NOBODY_IS_PUSHED = PushSettings()


@dataclass(frozen=True)
class Chores:
    """What a recorder does besides recording: whom it tells, what it keeps, where it notes.

    `tls` are the addresses, with their settings' names, whose certificates are looked at.
    """

    escalation: EscalationSettings = NOBODY_IS_TOLD
    keep: Retention = field(default_factory=Retention)
    notes: AuditNotes | None = None
    push: PushSettings = NOBODY_IS_PUSHED
    replica: ReplicaSettings = NO_REPLICA
    tls: Sequence[tuple[str, str]] = ()


log = structlog.get_logger()


Faces = Callable[
    [Sequence[TownSign], Mapping[str, Lot], Mapping[str, LiveOccupancy], int],
    Awaitable[Mapping[str, tuple[str, ...]]],
]


async def plain_faces(
    signs: Sequence[TownSign],
    _: Mapping[str, Lot],
    pictures: Mapping[str, LiveOccupancy],
    now_ms: int,
) -> dict[str, tuple[str, ...]]:
    """The free spaces as they are counted."""
    return {sign.sign_id: face(sign.lot_ids, pictures, now_ms) for sign in signs}


@dataclass(frozen=True)
class Computed:
    """Who computes the junction signs' faces, and the experiments he must know of."""

    faces: Faces = plain_faces
    experiments: ExperimentShelf = field(default_factory=ExperimentShelf)


@dataclass
class Recorder:
    """One recorder process. `clock` is UTC milliseconds."""

    redis: Redis
    connections: database.Pool
    lots: dict[str, Lot]
    signs: Sequence[TownSign]
    clock: Callable[[], int]
    name: str = field(default_factory=lambda: secrets.token_hex(6))
    pictures: dict[str, LiveOccupancy] = field(default_factory=dict)
    heard: dict[str, Heard] = field(default_factory=dict)
    run_id: str = ""
    face_number: int = 0
    computed: Computed = field(default_factory=Computed)
    sheet: RestrictionSheet | None = None
    joining: dict[str, Lot] = field(default_factory=dict)  # recorded, but nobody is guided there
    trial_pictures: dict[str, LiveOccupancy] = field(default_factory=dict)
    histories: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    reading: Reading | None = None  # watched for an alarm; a recorder reads the primary
    certificates: Certificates = field(default_factory=Certificates)
    chores: Chores = field(default_factory=Chores)

    async def run(self) -> None:
        """Record until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(_again(self.follow_now, "live picture"), name="live")
            group.create_task(_again(self.order_faces, "sign orders"), name="signs")
            self._keep_histories(group, self.lots)

            def know_all(staged: Sequence[StagedLot]) -> None:
                self.know_joining(by_stage(staged, Stage.JOINING))
                recorded = {*self.joining, *leaving(staged, self.clock())}
                self._keep_histories(group, {*by_stage(staged, Stage.LIVE), *recorded})

            facts = LotWatch(self.connections, self.know, know_all)
            group.create_task(facts.keep_fresh(), name="facts")
            group.create_task(_again(self.follow_restrictions, "closures"), name="closures")
            duty = Duty(
                self.redis,
                self.connections,
                self.lots,
                self.clock,
                self.name,
                self.heard,
                self.pictures,
                reading=self.reading,
                certificates=self.certificates,
            )
            group.create_task(duty.run(), name="duty")
            escalator = Escalator(self.connections, self.chores.escalation, lambda: duty.is_holder)
            group.create_task(escalator.run(), name="escalation")
            keeper = RollupKeeper(self.connections, self.clock, self.name, self.chores.keep)
            group.create_task(keeper.run(), name="rollups")
            months = OpenHistoryKeeper(self.connections, self.clock, self.name)
            group.create_task(months.run(), name="open months")
            if self.chores.notes:
                noter = AuditKeeper(
                    self.connections, self.chores.notes, self.clock, lambda: duty.is_holder
                )
                group.create_task(noter.run(), name="audit heads")
            vitals = VitalKeeper(self.connections, self.clock, self.name)
            group.create_task(vitals.run(), name="vital signs")
            follow = self.computed.experiments.keep_fresh(self.connections)
            group.create_task(follow, name="experiments")
            pusher = VitalPusher(self.connections, self.clock, self.name, self.chores.push)
            group.create_task(pusher.run(), name="vital push")

    def know(self, lots: Mapping[str, Lot]) -> None:
        """These are live from now on, by these facts; those that are missing were removed."""
        for lot_id in self.lots.keys() - lots.keys():
            log.info("a car park is removed", lot=lot_id)
            del self.lots[lot_id]
            self.pictures.pop(lot_id, None)
            self.heard.pop(lot_id, None)
        for lot_id in lots.keys() - self.lots.keys():
            log.info("a car park is live", lot=lot_id)
            if picture := self.trial_pictures.pop(lot_id, None):
                self.pictures[lot_id] = picture
        self.lots.update(lots)

    def know_joining(self, lots: Mapping[str, Lot]) -> None:
        """Their pictures are made for those who bring them in: no alarms, signs or forecasts."""
        self.joining = dict(lots)
        for lot_id in self.trial_pictures.keys() - lots.keys():
            # One that went live takes its picture along: `know` is told next.
            if lot_id in self.lots:
                del self.trial_pictures[lot_id]

    def _keep_histories(self, group: asyncio.TaskGroup, lot_ids: Iterable[str]) -> None:
        """A task for each of these, and none for any other."""
        wanted = set(lot_ids)
        for lot_id in self.histories.keys() - wanted:
            self.histories.pop(lot_id).cancel()
        for lot_id in sorted(wanted - self.histories.keys()):
            self.histories[lot_id] = group.create_task(
                _again(lambda lot_id=lot_id: self.keep_history(lot_id), f"history {lot_id}"),  # type: ignore[misc]
                name=f"history {lot_id}",
            )

    async def follow_now(self) -> None:
        """Fold the newest observations of all lots into their pictures."""
        self.run_id = await snapshot.read_run_id(self.redis)
        self.pictures.clear()  # a server that restarted is built anew from what gateways say
        self.trial_pictures.clear()
        for picture in await snapshot.read_all(self.redis, list(self.lots)):
            self.pictures[picture.lot_id] = picture
        seen: dict[str, str] = {}
        while not is_cancelled():
            after = {lot_id: seen.get(lot_id, "0-0") for lot_id in (*self.lots, *self.joining)}
            if not after:
                await asyncio.sleep(NOW_BLOCK_MS / 1_000)
                continue
            told = await stream.read_now(self.redis, after, NOW_BLOCK_MS)
            newest = {lot_id: (entry_id, entry) for lot_id, entry_id, entry in told}
            taken_in = [self._take_in(entry) for _, entry in newest.values()]
            pictures = [picture for picture in taken_in if picture is not None]
            if pictures:
                await snapshot.write_all(self.redis, self.run_id, pictures)
            seen |= {lot_id: entry_id for lot_id, (entry_id, _) in newest.items()}
            await asyncio.sleep(LIVE_PAUSE_A_LOT_SECONDS * len(after))

    def _take_in(self, entry: stream.NowEntry) -> LiveOccupancy | None:
        """The lot's new picture; None where it is the old one."""
        news = entry.observation
        lot_id, is_joining = news.lot_id, news.lot_id in self.joining
        lot = self.joining.get(lot_id) or self.lots.get(lot_id)
        if lot is None:  # removed a moment ago
            return None
        received = Received(news, entry.made_at_ms, self.clock(), entry.server_made_at_ms)
        if not is_joining:
            self.heard[lot_id] = Heard.after(self.heard.get(lot_id), received)
        pictures = self.trial_pictures if is_joining else self.pictures
        before = pictures.get(lot_id)
        restrictions = self.sheet.of(lot_id) if self.sheet else ()
        picture = fold(before, lot, received, restrictions)
        if picture is before:
            return None
        pictures[lot_id] = picture
        return picture

    async def order_faces(self) -> None:
        """Tell each junction sign's gateway what to show, once a second."""
        while not is_cancelled():
            self.face_number = self.clock()
            town = [sign for sign in self.signs if not sign.at_entrance]
            computed = await self.computed.faces(town, self.lots, self.pictures, self.clock())
            overrides = self.sheet.overrides if self.sheet else ()
            told = orders(self.signs, computed, self.pictures, overrides, self.clock())
            for sign in self.signs:
                await self._order(sign, told[sign.sign_id])
            await asyncio.sleep(FACES_SECONDS)

    async def _order(self, sign: TownSign, lines: tuple[str, ...] | None) -> None:
        if lines is None:
            await stream.withdraw_face(self.redis, sign.driven_by, sign.sign_id)
            return
        order = SignOrder(sign.sign_id, lines, self.face_number)
        await stream.order_faces(self.redis, sign.driven_by, [order])

    async def follow_restrictions(self) -> None:
        """Know what operators have closed and overridden, once a second."""
        while not is_cancelled():
            try:
                restrictions = await database_restrictions.list_in_force(self.connections)
                overrides = await database_restrictions.list_overrides_in_force(self.connections)
            except database.NOT_READY:
                # What Redis kept serves until PostgreSQL is back; what we know serves longer.
                self.sheet = self.sheet or await restriction_board.read(self.redis)
            else:
                self.sheet = RestrictionSheet(tuple(restrictions), tuple(overrides))
                await restriction_board.write(self.redis, self.sheet)
            await asyncio.sleep(RESTRICTIONS_SECONDS)

    async def keep_history(self, lot_id: str) -> None:
        """Copy one lot's stream into PostgreSQL while we hold its lease."""
        has_told = False
        while not is_cancelled():
            pause_seconds = max(HISTORY_PAUSE_SECONDS, PAUSE_A_LOT_SECONDS * len(self.histories))
            lease_seconds = max(LEASE_SECONDS, LEASE_PAUSES * pause_seconds)
            if not await history.take_lease(self.connections, lot_id, self.name, lease_seconds):
                await asyncio.sleep(lease_seconds / 3)
                continue
            behind = await history.read_watermark(self.connections, lot_id)
            if not has_told:
                await self._tell_recorded(lot_id, behind)
                has_told = True
            if not await self._record_next(lot_id, behind):
                await asyncio.sleep(pause_seconds)

    async def _tell_recorded(self, lot_id: str, behind: Position) -> None:
        """A server that was wiped, or a recorder that died between the two, told nobody."""
        told = await stream.read_acknowledged(self.redis, lot_id)
        if behind != Position(0, 0) and (told is None or (told.epoch, told.sequence) < behind):
            await stream.acknowledge(self.redis, lot_id, *behind)

    async def _record_next(self, lot_id: str, behind: Position) -> bool:
        """Record the next entries; False when no more wait."""
        after = stream.entry_id(*behind)
        entries = await stream.read_history(self.redis, lot_id, after, HISTORY_ENTRIES)
        parts = [part for entry in entries for part in await self._decode(lot_id, entry)]
        run, has_hole = contiguous(parts, *behind)
        if not run:
            if has_hole:
                log.warning("the stream has a hole", lot=lot_id, behind=after)
                await stream.ask_again(self.redis, lot_id, *behind)
            return False
        heard = self.heard.get(lot_id)
        written = write(run, heard.offset_ms if heard else 0, self.clock())
        try:
            reached = await history.record(self.connections, lot_id, written, behind)
        except MovedOnError:
            return True
        await stream.acknowledge(self.redis, lot_id, *reached)
        return len(entries) == HISTORY_ENTRIES

    async def _decode(self, lot_id: str, entry: stream.HistoryEntry) -> tuple[HistoryRows, ...]:
        """An entry's rows; what cannot be read is set aside with its reason."""
        try:
            return decode_rows(entry.payload or b"")
        except (msgspec.DecodeError, msgspec.ValidationError) as reason:
            log.error("an entry cannot be read", lot=lot_id, entry=entry.entry_id, why=str(reason))  # noqa: TRY400
            await stream.set_aside(self.redis, lot_id, entry, str(reason))
            return ()


async def run_recorder(
    redis: Redis,
    postgres_url: str,
    signs: Sequence[TownSign],
    clock: Callable[[], int],
    stopping: asyncio.Event,
    computed: Computed | None = None,
    chores: Chores | None = None,
) -> None:
    """Run one recorder until `stopping`; waits for PostgreSQL, which may start later."""
    chores = chores or Chores()
    certificates = Certificates(chores.tls)
    async with (
        database.pool(postgres_url) as connections,
        reading(connections, chores.replica, clock) as watched,
    ):
        lots = {lot.lot_id: lot for lot in await _lots(connections)}
        recorder = Recorder(
            redis,
            connections,
            lots,
            signs,
            clock,
            computed=computed or Computed(),
            chores=chores,
            reading=watched,
            certificates=certificates,
        )
        async with asyncio.TaskGroup() as group:
            work = group.create_task(recorder.run(), name="recorder")
            watch = group.create_task(watched.keep_looking(), name="replica")
            look = group.create_task(certificates.keep_looking(), name="certificates")
            await stopping.wait()
            for task in (work, watch, look):
                task.cancel()


async def _lots(connections: database.Pool) -> list[Lot]:
    """The operators' facts; while PostgreSQL is away those that ship, so that guidance goes on."""
    try:
        async with asyncio.timeout(LOTS_WAIT_SECONDS):
            lots = await database.list_lots(connections)
    except database.NOT_READY as trouble:
        log.warning("PostgreSQL is away: the car parks' shipped facts serve", reason=str(trouble))
        lots = []
    return lots or load_shipped()


async def _again(work: Callable[[], Awaitable[None]], what: str) -> None:
    """Do `work` again whenever Redis or PostgreSQL was lost, and say so once."""
    failed = False
    while not is_cancelled():
        try:
            await work()
        except (*_LOST, *database.NOT_READY, ResponseError) as trouble:
            if not failed:
                log.warning("interrupted, trying again", what=what, reason=str(trouble))
            failed = True
            await asyncio.sleep(RETRY_SECONDS)
        else:
            failed = False
