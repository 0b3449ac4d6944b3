"""Takes the posts of gate systems over HTTP: each checked, committed, then answered."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import msgspec
from aiohttp import hdrs, web
from prometheus_client import CollectorRegistry, Counter, generate_latest
from redis.asyncio import Redis

from gateway.listening import listen_at
from gateway.outbox import Outbox
from gateway.push_config import Sender
from gateway.push_message import (
    BadPushError,
    Passage,
    Push,
    Refusal,
    check_signature,
    named_by,
    read_fields,
    read_push,
)
from gateway.push_station import PushStation
from gateway.redis_client import connect
from gateway.refusal_log import RefusalLog

BODY_BYTES = 1 << 20
BODY_SECONDS = 10
CODE_SHOWN = 64  # characters of a park code that are told back and logged
KEEPALIVE_SECONDS = 30
_STATUS = {
    Refusal.MALFORMED: 400,
    Refusal.TOO_LARGE: 413,
    Refusal.SIGNATURE: 401,
    Refusal.UNKNOWN_PARK: 404,
    Refusal.REPLAYED: 409,
    Refusal.TIME: 422,
    Refusal.COUNT: 422,
}
_MIB = 1 << 20
_TAKEN = "another receiver runs there: stop it, or give this one another port in its file"


@dataclass(frozen=True)
class ReceiverSettings:
    """What the receiver is told besides its file; port 0 takes any."""

    host: str
    port: int
    redis_url: str
    outbox_folder: Path
    outbox_mib: int = 1_024


class Station(Protocol):
    """One car park that takes posts."""

    @property
    def sender(self) -> Sender: ...
    async def take(self, push: Push) -> tuple[Passage, ...] | None: ...


def nobody_is_told(_: BadPushError) -> None:
    """Refusals are answered, counted and logged, and that is all."""


class Receiver:
    """The routes over some stations, one a car park, told apart by the park code in the path."""

    def __init__(
        self,
        stations: Iterable[Station],
        clock: Callable[[], int],
        refused: Callable[[BadPushError], None] = nobody_is_told,
    ) -> None:
        self._stations = {station.sender.park.park_code: station for station in stations}
        self._clock = clock
        self._tell_refused = refused
        self._refusals = RefusalLog("post", asyncio.get_running_loop().call_later)
        self._registry = CollectorRegistry()
        self._refused = Counter(
            "zhibo_push_refused", "posts refused", ["lot", "why"], registry=self._registry
        )
        self._records = Counter(
            "zhibo_push_records", "records counted", ["lot"], registry=self._registry
        )
        self._records_of = {
            station.sender.park.lot_id: self._records.labels(station.sender.park.lot_id)
            for station in self._stations.values()
        }
        self._fees = Counter(
            "zhibo_push_fees_fen", "fees of counted exits, fen", ["lot"], registry=self._registry
        )

    def app(self) -> web.Application:
        app = web.Application(client_max_size=BODY_BYTES)
        app.router.add_post("/push/{park_code}", self._take)
        app.router.add_get("/metrics", self._metrics)
        app.on_cleanup.append(self._end)
        return app

    async def _end(self, _: web.Application) -> None:
        self._refusals.close()

    async def _take(self, request: web.Request) -> web.Response:
        code = request.match_info["park_code"][:CODE_SHOWN]
        station = self._stations.get(request.match_info["park_code"])
        if station is None:
            unknown = BadPushError(Refusal.UNKNOWN_PARK, "park_code", "is none of ours")
            return self._refuse(None, code, unknown)
        try:
            push = await self._read(station.sender, request)
            fresh = await station.take(push)
        except BadPushError as refusal:
            return self._refuse(station, code, named_by(station.sender.dialect, refusal))
        if fresh is None:
            return _answer({"error": "cannot be kept now; send it again"}, status=503)
        self._count(station.sender.park.lot_id, fresh)
        return _answer({"counted": len(fresh), "repeated": len(push.passages) - len(fresh)})

    def _count(self, lot_id: str, fresh: Sequence[Passage]) -> None:
        self._records_of[lot_id].inc(len(fresh))
        if fees_fen := sum(passage.fee_fen or 0 for passage in fresh):
            self._fees.labels(lot_id).inc(fees_fen)

    async def _read(self, sender: Sender, request: web.Request) -> Push:
        body = await _body(request)
        dialect = sender.dialect
        fields = read_fields(body)
        check_signature(dialect.signature, sender.secret, body, fields, request.headers)
        if fields.get(dialect.park_code) != sender.park.park_code:
            words = "is not the park code of the address"
            raise BadPushError(Refusal.UNKNOWN_PARK, dialect.park_code, words)
        return read_push(dialect, fields, self._clock())

    def _refuse(self, station: Station | None, code: str, refusal: BadPushError) -> web.Response:
        """`code` is the sender by his address; whether he is who he says is another matter."""
        lot_id = station.sender.park.lot_id if station else ""
        self._refused.labels(lot_id, refusal.kind).inc()
        self._tell_refused(refusal)
        # An address that is none of ours is not written down: anything may stand in it.
        park = code if station else None
        self._refusals.tell(lot_id, park=park, kind=refusal.kind, field=refusal.field)
        document = {
            "error": refusal.kind,
            "park": code,
            "field": refusal.field,
            "words": refusal.words,
        }
        return _answer(document, status=_STATUS[refusal.kind])

    async def _metrics(self, _: web.Request) -> web.Response:
        return web.Response(body=generate_latest(self._registry))


def _answer(document: dict[str, Any], status: int = 200) -> web.Response:
    body = msgspec.json.encode(document)
    return web.Response(body=body, status=status, content_type="application/json")


async def _body(request: web.Request) -> bytes:
    """Raises BadPushError."""
    coding = request.headers.get(hdrs.CONTENT_ENCODING, "identity")
    if coding != "identity":
        words = "must not be: send the body as it is"
        raise BadPushError(Refusal.MALFORMED, str(hdrs.CONTENT_ENCODING), words)
    try:
        if request.content.is_eof():  # all here, as mostly: watching would cost more than reading
            return await request.read()
        async with asyncio.timeout(BODY_SECONDS):
            return await request.read()
    except TimeoutError:
        raise BadPushError(Refusal.MALFORMED, "body", "came too slowly") from None
    except web.HTTPRequestEntityTooLarge:
        words = f"is longer than {BODY_BYTES} bytes: send fewer records in one post"
        raise BadPushError(Refusal.TOO_LARGE, "body", words) from None
    except web.RequestPayloadError:
        raise BadPushError(Refusal.MALFORMED, "body", "broke off") from None


async def run_receiver(
    senders: list[Sender],
    settings: ReceiverSettings,
    clock: Callable[[], int],
    monotonic: Callable[[], float],
    stopping: asyncio.Event,
    listening: Callable[[int], None] = lambda _: None,
) -> None:
    """Serve until `stopping`; what was answered is in the outboxes."""
    async with connect(settings.redis_url) as redis:
        with ExitStack() as stack:
            stations = [
                _open(sender, settings, redis, clock, monotonic, stack) for sender in senders
            ]
            await _serve(stations, settings, clock, stopping, listening)


def _open(
    sender: Sender,
    settings: ReceiverSettings,
    redis: Redis,
    clock: Callable[[], int],
    monotonic: Callable[[], float],
    stack: ExitStack,
) -> PushStation:
    path = settings.outbox_folder / f"{sender.park.lot_id}.sqlite"
    outbox = Outbox(path, clock(), settings.outbox_mib * _MIB)
    station = PushStation(sender, outbox, redis, clock, monotonic)
    stack.callback(station.close)
    return station


async def _serve(
    stations: list[PushStation],
    settings: ReceiverSettings,
    clock: Callable[[], int],
    stopping: asyncio.Event,
    listening: Callable[[int], None],
) -> None:
    runner = web.AppRunner(
        Receiver(stations, clock).app(),
        access_log=None,
        keepalive_timeout=KEEPALIVE_SECONDS,
        auto_decompress=False,  # a coding is refused, not unpacked
    )
    await runner.setup()
    try:
        async with asyncio.TaskGroup() as group:
            work = [
                group.create_task(station.run(), name=f"push {station.sender.park.lot_id}")
                for station in stations
            ]
            await listen_at(runner, settings.host, settings.port, if_taken=_TAKEN)
            listening(runner.addresses[0][1])
            await stopping.wait()
            await runner.cleanup()
            for task in work:
                task.cancel()
    finally:
        await runner.cleanup()
