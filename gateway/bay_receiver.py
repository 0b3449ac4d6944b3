"""Listens to the bay sensors of some car parks over MQTT: each message folded in, committed, told.

Retained messages bring every bay's state at each connection; what changed and changed back while
nobody listened is not known. The broker's word that the radio gateway is gone is its last will.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import aiomqtt
import structlog
from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from redis.asyncio import Redis

from gateway.bay_config import BayConfig, Broker
from gateway.bay_ledger import BayLedger, BayPark, Folded
from gateway.bay_map import BayMap
from gateway.bay_message import BadBayMessageError, BayRefusal, read_bay
from gateway.ledger_station import LedgerStation
from gateway.outbox import Outbox
from gateway.process import is_cancelled
from gateway.redis_client import connect

AT_LEAST_ONCE = 1
KEEPALIVE_SECONDS = 15
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 30.0
MOST_WAITING = 50_000  # messages; beyond, the broker is asked anew for the retained ones
_MIB = 1 << 20

log = structlog.get_logger()


@dataclass(frozen=True)
class BaySettings:
    """What the receiver is told besides its file."""

    redis_url: str
    outbox_folder: Path
    outbox_mib: int = 1_024


class Meters:
    """What is counted of messages, for `/metrics`."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.refused = Counter(
            "zhibo_bay_refused", "messages refused", ["lot", "why"], registry=self.registry
        )
        self.messages = Counter(
            "zhibo_bay_messages", "messages taken", ["lot", "what"], registry=self.registry
        )
        self.connected = Gauge(
            "zhibo_bay_broker_up", "whether the broker is connected", registry=self.registry
        )
        self.floods = Counter(
            "zhibo_bay_floods", "connections given up for a flood", registry=self.registry
        )


class BayStation(LedgerStation):
    """One car park of bay sensors at work."""

    gather_seconds = 0.05

    def __init__(
        self,
        park: BayPark,
        bay_map: BayMap,
        outbox: Outbox,
        redis: Redis,
        clock: Callable[[], int],
        monotonic: Callable[[], float],
    ) -> None:
        self.park, self.map = park, bay_map
        uptime_ms = int(monotonic() * 1_000)
        self.ledger = BayLedger(park, bay_map.limits, outbox.counters(), outbox.anchor(), uptime_ms)
        super().__init__(park.lot_id, self.ledger, outbox, redis, clock, monotonic)

    def topics(self) -> list[str]:
        """Of all its sensors, and of its radio gateway."""
        pattern = self.map.subscription(self.park.name)
        sensors = (sensor for bays in self.park.bays.values() for sensor in bays)
        return [
            self.map.status_of(self.park.name),
            *(pattern.replace("+", sensor) for sensor in sensors),
        ]

    def take(self, topic: str, payload: bytes) -> Folded | None:
        """None for the radio gateway's own word. Raises BadBayMessageError."""
        if topic == self.map.status_of(self.park.name):
            self._hear_radio(payload)
            return None
        sensor = self.map.sensor_of(self.park.name, topic)
        if sensor is None:
            raise BadBayMessageError(BayRefusal.TOPIC, "topic", "is none of this car park's")
        now_ms = self._clock()
        folded = self.ledger.take(
            read_bay(self.map, sensor, payload, now_ms), now_ms, self.uptime_ms()
        )
        if folded is Folded.CHANGED:
            self.tell(counts=True)
        return folded

    def _hear_radio(self, payload: bytes) -> None:
        word = payload.decode(errors="replace").strip()
        if word not in (self.map.online, self.map.offline):
            words = f"must be {self.map.online!r} or {self.map.offline!r}"
            raise BadBayMessageError(BayRefusal.MALFORMED, "status", words)
        self.ledger.hear_radio(is_up=word == self.map.online, now_ms=self._clock())
        self.tell(counts=False)


class BayReceiver:
    """Hands each message to the one car park whose topics it is of."""

    def __init__(self, stations: Iterable[BayStation], broker: Broker, client_id: str) -> None:
        self._stations = list(stations)
        self._of_topic = {
            topic: station for station in self._stations for topic in station.topics()
        }
        self._broker = broker
        self._client_id = client_id
        self.meters = Meters()

    async def keep_listening(self, connected: Callable[[], None] = lambda: None) -> None:
        """Until cancelled; a broker that is away is asked again, ever less often."""
        pause = FIRST_PAUSE_SECONDS
        while not is_cancelled():
            try:
                await self._listen(connected)
                pause = FIRST_PAUSE_SECONDS
            except (aiomqtt.MqttError, OSError) as trouble:
                log.warning("the broker of the bay sensors is away", **self._said(trouble))
            self.meters.connected.set(0)
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    async def _listen(self, connected: Callable[[], None]) -> None:
        broker = self._broker
        async with aiomqtt.Client(
            broker.host,
            broker.port,
            username=broker.username,
            password=broker.password,
            identifier=self._client_id,
            tls_context=broker.tls,
            keepalive=KEEPALIVE_SECONDS,
        ) as client:
            topics = [
                (topic, AT_LEAST_ONCE)
                for one in self._stations
                for topic in (
                    one.map.subscription(one.park.name),
                    one.map.status_of(one.park.name),
                )
            ]
            await client.subscribe(topics)
            self.meters.connected.set(1)
            connected()
            async for message in client.messages:
                self.take(str(message.topic), bytes(message.payload or b""))
                if len(client.messages) > MOST_WAITING:
                    self.meters.floods.inc()
                    log.error("a flood of messages: connecting anew", broker=broker.address)
                    return

    def take(self, topic: str, payload: bytes) -> None:
        """One message; what is wrong with it is counted and told, and touches nothing."""
        station = self._of_topic.get(topic) or self._find_owner(topic)
        if station is None:
            self.meters.refused.labels("", BayRefusal.TOPIC).inc()
            return
        lot_id = station.park.lot_id
        try:
            folded = station.take(topic, payload)
        except BadBayMessageError as refusal:
            self.meters.refused.labels(lot_id, refusal.kind).inc()
            log.info("a message was refused", topic=topic, reason=str(refusal))
        else:
            self.meters.messages.labels(lot_id, folded or "status").inc()

    def _find_owner(self, topic: str) -> BayStation | None:
        """The car park whose pattern an unlisted topic has."""
        owners = (one for one in self._stations if one.map.sensor_of(one.park.name, topic))
        return next(owners, None)

    def _said(self, trouble: Exception) -> Mapping[str, str]:
        return {"broker": self._broker.address, "reason": str(trouble)}


async def run_bays(
    config: BayConfig,
    maps: Mapping[str, BayMap],
    broker: Broker,
    settings: BaySettings,
    clock: Callable[[], int],
    monotonic: Callable[[], float],
    stopping: asyncio.Event,
    listening: Callable[[BayReceiver], None] = lambda _: None,
) -> None:
    """Listen until `stopping`; what changed is in the outboxes."""
    async with connect(settings.redis_url) as redis:
        with ExitStack() as stack:
            stations = []
            for park in config.parks:
                path = settings.outbox_folder / f"{park.lot_id}.sqlite"
                outbox = Outbox(path, clock(), settings.outbox_mib * _MIB)
                station = BayStation(park, maps[park.lot_id], outbox, redis, clock, monotonic)
                stack.callback(station.close)
                stations.append(station)
            receiver = BayReceiver(stations, broker, config.client_id)
            await _work(receiver, stations, config, stopping, listening)


async def _work(
    receiver: BayReceiver,
    stations: Iterable[BayStation],
    config: BayConfig,
    stopping: asyncio.Event,
    listening: Callable[[BayReceiver], None],
) -> None:
    runner = web.AppRunner(_metrics(receiver.meters), access_log=None)
    await runner.setup()
    try:
        if config.metrics_port:
            await web.TCPSite(runner, config.metrics_host, config.metrics_port).start()
        async with asyncio.TaskGroup() as group:
            work = [
                group.create_task(station.run(), name=f"bays {station.park.lot_id}")
                for station in stations
            ]
            work.append(group.create_task(receiver.keep_listening(), name="broker"))
            listening(receiver)
            await stopping.wait()
            for task in work:
                task.cancel()
    finally:
        await runner.cleanup()


def _metrics(meters: Meters) -> web.Application:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(meters.registry))

    app = web.Application()
    app.router.add_get("/metrics", answer)
    return app
