"""Everything the readers see, in memory: pictures in, prepared bytes out."""

import asyncio
import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from gateway.process import is_cancelled
from occupancy import snapshot
from occupancy.live import LiveOccupancy, stale_at_ms
from occupancy.lot import Lot
from occupancy.web import formats
from occupancy.web.prepared import Prepared, prepare

LINK_RETRY_SECONDS = 0.5
LOOK_AT_AGES_SECONDS = 1.0
LOOK_LENGTH = 6
NEVER_MS = 1 << 62
Changed = Callable[[Sequence[str]], None]
Settled = Callable[[], None]


@dataclass(slots=True)
class _Seen:
    """One lot as readers see it, until the clock alone changes that; `detail` once it is asked."""

    change: formats.LotChange
    made_at_ms: int
    until_ms: int
    detail: formats.LotDetail | None = None


log = structlog.get_logger()


class Showcase:
    """The pictures of all lots as this process knows them. `clock` is UTC milliseconds."""

    def __init__(self, lots: Mapping[str, Lot], clock: Callable[[], int]) -> None:
        self.lots = dict(lots)
        self.pictures: dict[str, LiveOccupancy] = {}
        self.tariffs: dict[str, formats.PriceInWords] = {}
        self.is_primed = False
        self.facts_ms = 0  # when facts were taken up that somebody edited while we ran
        self.link_lost_since_ms: int | None = None
        self.edition = 0  # another one whenever anything was taken in, priced or has grown old
        self._clock = clock
        self._list: Prepared | None = None
        self._details: dict[str, Prepared] = {}
        self._seen: dict[str, _Seen] = {}
        self._listeners: list[Changed] = []
        self._roster_listeners: list[Settled] = []
        self._looks: dict[str, str] = {}
        self._fresh: set[str] = set()
        self._next_stale_ms = NEVER_MS  # or earlier: who is heard again is not taken out of it
        self._look_again(self.lots)

    def listen(self, changed: Changed) -> None:
        """Call `changed(lot ids)` whenever what a reader would see has changed."""
        self._listeners.append(changed)

    def listen_roster(self, settled: Settled) -> None:
        """Call `settled()` whenever a car park came or left."""
        self._roster_listeners.append(settled)

    def now_ms(self) -> int:
        return self._clock()

    def lot_list(self) -> Prepared:
        self.let_age()
        if self._list is None:
            self._list = prepare(formats.LotList(tuple(map(self.summary, self.lots))), "/v1/lots")
        return self._list

    def lot_detail(self, lot_id: str) -> Prepared:
        self.let_age()
        if lot_id not in self._details:
            self._details[lot_id] = prepare(self.detail(lot_id), "/v1/lots/")
        return self._details[lot_id]

    def summary(self, lot_id: str) -> formats.LotSummary:
        return formats.summary(*self._told_of(lot_id), self._clock())

    def detail(self, lot_id: str) -> formats.LotDetail:
        """The same object until a reader would see something else of it."""
        self.let_age()
        seen = self._as_seen(lot_id)
        if seen.detail is None:
            seen.detail = formats.detail(*self._told_of(lot_id), seen.made_at_ms)
        return seen.detail

    def change(self, lot_id: str) -> formats.LotChange:
        """What the live stream says of it, likewise."""
        return self._as_seen(lot_id).change

    def look(self, lot_id: str) -> str:
        """`LOOK_LENGTH` characters that are others as soon as a reader would see a change.

        The same in every process that serves the lot: nothing but what is shown goes in.
        """
        return self._looks[lot_id]

    def know(self, lots: Mapping[str, Lot]) -> None:
        """Take up edited facts of car parks that are there."""
        others = [lot for lot in self.lots if lot in lots and lots[lot] != self.lots[lot]]
        for lot_id in others:
            self.lots[lot_id] = lots[lot_id]
            self.facts_ms = self._clock()
        self._tell(self._look_again(others))

    def settle(self, lots: Mapping[str, Lot]) -> None:
        """These car parks are there from now on, and no others; in the order of their ids."""
        gone, come = self.lots.keys() - lots.keys(), lots.keys() - self.lots.keys()
        if gone or come:
            for lot_id in gone:
                self._forget(lot_id)
            everybody = {lot_id: self.lots.get(lot_id) or lots[lot_id] for lot_id in lots}
            self.lots.clear()  # in place: others hold this mapping
            self.lots.update(everybody)
            self._list, self.facts_ms = None, self._clock()
            self._look_again(come)
            for settled in self._roster_listeners:
                settled()
        self.know(lots)

    def price(self, tariffs: Mapping[str, formats.PriceInWords]) -> None:
        """Show these free periods and prices from now on."""
        if tariffs != self.tariffs:
            self.tariffs = dict(tariffs)
            self._tell(self._look_again(self.lots))

    def take_in(self, pictures: Iterable[LiveOccupancy]) -> None:
        """Newer pictures replace older ones; listeners hear of what readers would notice."""
        newer = []
        for picture in pictures:
            if self._is_news(picture):
                self.pictures[picture.lot_id] = picture
                newer.append(picture.lot_id)
        self._tell(self._look_again(newer))

    def let_age(self) -> None:
        """A lot that falls silent changes what readers see although nothing comes in."""
        now_ms = self._clock()
        if now_ms >= self._next_stale_ms:
            ends = {lot: stale_at_ms(self.pictures[lot]) for lot in self._fresh}
            self._next_stale_ms = min((at for at in ends.values() if at > now_ms), default=NEVER_MS)
            self._tell(self._look_again([lot for lot, at in ends.items() if at <= now_ms]))

    async def follow(self, redis: Redis) -> None:
        """Keep the pictures up to date until cancelled; a lost link is told and tried again."""
        while not is_cancelled():
            try:
                async for pictures in snapshot.follow(redis, self.lots):
                    if self.link_lost_since_ms is not None:
                        log.info("pictures come again")
                    self.link_lost_since_ms = None
                    self.take_in(pictures)
                    self.is_primed = True
            except (RedisError, OSError, TimeoutError) as trouble:
                if self.link_lost_since_ms is None:
                    log.warning("no pictures: Redis is away", reason=str(trouble))
                    self.link_lost_since_ms = self._clock()
                await asyncio.sleep(LINK_RETRY_SECONDS)

    async def watch_ages(self) -> None:
        """Let lots grow old in time, until cancelled."""
        while True:
            self.let_age()
            left_seconds = (self._next_stale_ms - self._clock()) / 1_000
            await asyncio.sleep(min(max(left_seconds, 0.0), LOOK_AT_AGES_SECONDS))

    def _is_news(self, picture: LiveOccupancy) -> bool:
        """Newer by position; or younger, when the gateway's memory began anew behind our back."""
        before = self.pictures.get(picture.lot_id)
        if picture.lot_id not in self.lots or before is None:
            return picture.lot_id in self.lots
        return picture.position > before.position or picture.received_at_ms > before.received_at_ms

    def _as_seen(self, lot_id: str) -> "_Seen":
        """Made once for all who ask; again with each picture, and when a closing comes or goes."""
        now_ms, seen = self._clock(), self._seen.get(lot_id)
        if seen is None or now_ms >= seen.until_ms:
            until_ms = _next_turn_ms(self.pictures.get(lot_id), now_ms)
            change = formats.change(*self._told_of(lot_id), now_ms)
            seen = self._seen[lot_id] = _Seen(change, now_ms, until_ms)
        return seen

    def _told_of(
        self, lot_id: str
    ) -> tuple[Lot, LiveOccupancy | None, formats.PriceInWords | None]:
        return self.lots[lot_id], self.pictures.get(lot_id), self.tariffs.get(lot_id)

    def _look_again(self, lot_ids: Iterable[str]) -> list[str]:
        """Forget what was prepared of these lots; which of them look other than before."""
        changed = []
        self.edition += 1
        for lot_id in lot_ids:
            self._list = None
            self._details.pop(lot_id, None)
            self._seen.pop(lot_id, None)
            self._note_age(lot_id)
            look = _look(self.change(lot_id))
            if look != self._looks.get(lot_id):
                self._looks[lot_id] = look
                changed.append(lot_id)
        return changed

    def _note_age(self, lot_id: str) -> None:
        picture = self.pictures.get(lot_id)
        if picture is not None and stale_at_ms(picture) > self._clock():
            self._fresh.add(lot_id)
            self._next_stale_ms = min(self._next_stale_ms, stale_at_ms(picture))
        else:
            self._fresh.discard(lot_id)

    def _forget(self, lot_id: str) -> None:
        self.lots.pop(lot_id)
        for kept in (self.pictures, self.tariffs, self._details, self._seen, self._looks):
            kept.pop(lot_id, None)
        self._fresh.discard(lot_id)

    def _tell(self, lot_ids: Sequence[str]) -> None:
        if lot_ids:
            for changed in self._listeners:
                changed(lot_ids)


def _next_turn_ms(picture: LiveOccupancy | None, now_ms: int) -> int:
    """When the next of its closings comes or goes; its age is watched apart."""
    closings = () if picture is None else picture.closings
    turns = (at for one in closings for at in (one.from_ms, one.until_ms) if at is not None)
    return min((at for at in turns if at > now_ms), default=NEVER_MS)


def _look(change: formats.LotChange) -> str:
    ageless = msgspec.structs.replace(
        change, live=msgspec.structs.replace(change.live, observed_at=None)
    )
    digest = hashlib.blake2b(msgspec.msgpack.encode(ageless), digest_size=4).digest()
    return urlsafe_b64encode(digest).decode()[:LOOK_LENGTH]
