"""Everything the readers see, in memory: pictures in, prepared bytes out."""

import asyncio
import gzip
import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec
import structlog
from aiohttp import web
from redis.asyncio import Redis
from redis.exceptions import RedisError

from occupancy import snapshot
from occupancy.live import LiveOccupancy, stale_at_ms
from occupancy.lot import Lot
from occupancy.web import formats

GZIP_LEVEL = 5
GZIP_FROM_BYTES = 1_000
LINK_RETRY_SECONDS = 0.5
Changed = Callable[[Sequence[str]], None]

log = structlog.get_logger()


@dataclass(frozen=True)
class Prepared:
    """An answer's bytes, plain and packed, under a strong entity tag each."""

    plain: bytes
    packed: bytes
    tag: str

    def answer(self, request: web.Request) -> web.Response:
        packs = "gzip" in request.headers.get("Accept-Encoding", "")
        tag = f'"{self.tag}-gz"' if packs else f'"{self.tag}"'
        headers = {"ETag": tag, "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
        if tag in request.headers.get("If-None-Match", ""):
            return web.Response(status=304, headers=headers)
        if packs:
            headers["Content-Encoding"] = "gzip"
        body = self.packed if packs else self.plain
        return web.Response(body=body, headers=headers, content_type="application/json")


def prepare(content: object) -> Prepared:
    plain = msgspec.json.encode(content)
    tag = hashlib.blake2b(plain, digest_size=12).hexdigest()
    return Prepared(plain, gzip.compress(plain, GZIP_LEVEL, mtime=0), tag)


class Showcase:
    """The pictures of all lots as this process knows them. `clock` is UTC milliseconds."""

    def __init__(self, lots: Mapping[str, Lot], clock: Callable[[], int]) -> None:
        self.lots = dict(lots)
        self.pictures: dict[str, LiveOccupancy] = {}
        self.changed_at_ms: dict[str, int] = {}
        self.tariffs: dict[str, formats.PriceInWords] = {}
        self.is_primed = False
        self.link_lost_since_ms: int | None = None
        self._clock = clock
        self._list: Prepared | None = None
        self._details: dict[str, Prepared] = {}
        self._listeners: list[Changed] = []

    def listen(self, changed: Changed) -> None:
        """Call `changed(lot ids)` whenever what a reader would see has changed."""
        self._listeners.append(changed)

    def now_ms(self) -> int:
        return self._clock()

    def lot_list(self) -> Prepared:
        if self._list is None:
            self._list = prepare(formats.LotList(tuple(map(self.summary, self.lots))))
        return self._list

    def lot_detail(self, lot_id: str) -> Prepared:
        if lot_id not in self._details:
            self._details[lot_id] = prepare(self.detail(lot_id))
        return self._details[lot_id]

    def summary(self, lot_id: str) -> formats.LotSummary:
        now_ms = self._clock()
        return formats.summary(
            self.lots[lot_id], self.pictures.get(lot_id), self.tariffs.get(lot_id), now_ms
        )

    def detail(self, lot_id: str) -> formats.LotDetail:
        now_ms = self._clock()
        return formats.detail(
            self.lots[lot_id], self.pictures.get(lot_id), self.tariffs.get(lot_id), now_ms
        )

    def price(self, tariffs: Mapping[str, formats.PriceInWords]) -> None:
        """Show these free periods and prices from now on."""
        if tariffs != self.tariffs:
            self.tariffs = dict(tariffs)
            self._list = None
            self._details.clear()
            self._tell(tuple(self.lots))

    def take_in(self, pictures: Iterable[LiveOccupancy]) -> None:
        """Newer pictures replace older ones; listeners hear of what readers would notice."""
        noticed = []
        for picture in pictures:
            lot_id = picture.lot_id
            before = self.pictures.get(lot_id)
            if lot_id not in self.lots or not _is_news(before, picture):
                continue
            self.pictures[lot_id] = picture
            self._forget(lot_id)
            if before is None or _looks_other(before, picture, self._clock()):
                self.changed_at_ms[lot_id] = picture.received_at_ms
                noticed.append(lot_id)
        self._tell(noticed)

    async def follow(self, redis: Redis) -> None:
        """Keep the pictures up to date until cancelled; a lost link is told and tried again."""
        while True:
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
        """A lot that falls silent changes what readers see although nothing comes in."""
        while True:
            now_ms = self._clock()
            gone = [
                lot_id
                for lot_id, picture in self.pictures.items()
                if stale_at_ms(picture) <= now_ms < stale_at_ms(picture) + 2_000
            ]
            for lot_id in gone:
                self._forget(lot_id)
                self.changed_at_ms[lot_id] = now_ms
            self._tell(gone)
            await asyncio.sleep(1)

    def _forget(self, lot_id: str) -> None:
        self._list = None
        self._details.pop(lot_id, None)

    def _tell(self, lot_ids: Sequence[str]) -> None:
        if lot_ids:
            for changed in self._listeners:
                changed(lot_ids)


def _is_news(before: LiveOccupancy | None, picture: LiveOccupancy) -> bool:
    """Newer by position; or younger, when the gateway's memory began anew behind our back."""
    if before is None:
        return True
    return picture.position > before.position or picture.received_at_ms > before.received_at_ms


def _looks_other(before: LiveOccupancy, after: LiveOccupancy, now_ms: int) -> bool:
    if stale_at_ms(before) <= now_ms:
        return True
    hidden = {"sequence": 0, "observed_at_ms": 0, "received_at_ms": 0, "samples": ()}
    same = {**hidden, "devices": (), "groups": ()}  # the stream does not tell them
    plain_before, plain_after = (
        msgspec.structs.replace(p, **same, signs=tuple(_without_time(s) for s in p.signs))
        for p in (before, after)
    )
    return plain_before != plain_after


def _without_time(sign: object) -> object:
    return msgspec.structs.replace(sign, read_at_ms=0)  # type: ignore[type-var]
