"""Listens to the bay sensors of some car parks over MQTT: each message folded in, committed, told.

Retained messages bring every bay's state at each connection; what changed and changed back while
nobody listened is not known. The broker's word that the radio gateway is gone is its last will.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import structlog
from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from redis.asyncio import Redis

from gateway.bay_config import BayConfig, Broker
from gateway.bay_ledger import BayLedger, BayPark, Folded
from gateway.bay_map import BayMap
from gateway.bay_message import BadBayMessageError, BayRefusal, read_bay
from gateway.broker_line import BrokerLine, BrokerLostError, FloodError
from gateway.ledger_station import LedgerStation
from gateway.listening import listen_at
from gateway.outbox import Outbox
from gateway.process import is_cancelled
from gateway.redis_client import connect
from gateway.refusal_log import RefusalLog

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 30.0
# Messages on end beside one a sensor; beyond, the broker is asked anew for the retained ones.
MOST_ON_END = 50_000
RADIO_TOPIC = ""  # no sensor has this name
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
        self._counted: dict[tuple[str, Folded | None], Counter] = {}

    def count(self, lot_id: str, folded: Folded | None) -> None:
        """One message taken. Its counter is looked up once: messages come by the thousand."""
        counter = self._counted.get((lot_id, folded))
        if counter is None:
            counter = self.messages.labels(lot_id, folded or "status")
            self._counted[lot_id, folded] = counter
        counter.inc()


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

    def topics(self) -> dict[str, str]:
        """Whose each topic is: a sensor's, or its radio gateway's."""
        pattern = self.map.subscription(self.park.name)
        sensors = (sensor for bays in self.park.bays.values() for sensor in bays)
        ours = {pattern.replace("+", sensor): sensor for sensor in sensors}
        return {**ours, self.map.status_of(self.park.name): RADIO_TOPIC}

    def take(self, sensor: str, payload: bytes) -> Folded | None:
        """None for the radio gateway's own word. Raises BadBayMessageError."""
        if sensor == RADIO_TOPIC:
            self._hear_radio(payload)
            return None
        now_ms = self._clock()
        news = read_bay(self.map, sensor, payload, now_ms)
        folded = self.ledger.take(news, now_ms, self.uptime_ms())
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
            topic: (station, sensor)
            for station in self._stations
            for topic, sensor in station.topics().items()
        }
        self._pause = FIRST_PAUSE_SECONDS
        self._broker = broker
        self._client_id = client_id
        self.meters = Meters()
        self.away: BrokerLostError | None = None
        self.denied: list[str] = []  # topics that the broker does not let us hear
        self._refusals = RefusalLog("message", asyncio.get_running_loop().call_later)

    async def keep_listening(self, connected: Callable[[], None] = lambda: None) -> None:
        """Until cancelled; a broker that is away is asked again, ever less often."""
        try:
            while not is_cancelled():
                await self._listen_once(connected)
        finally:
            self._refusals.close()

    async def _listen_once(self, connected: Callable[[], None]) -> None:
        """And pause, the longer the more often it failed."""
        try:
            await self._listen(connected)
        except FloodError:
            self.meters.floods.inc()
            log.error("a flood of messages: connecting anew", broker=self._broker.address)  # noqa: TRY400
        except BrokerLostError as trouble:
            self.away = trouble
            log.warning("the broker of the bay sensors is away", **self._said(trouble))
        self.meters.connected.set(0)
        await asyncio.sleep(self._pause)
        self._pause = min(2 * self._pause, LONGEST_PAUSE_SECONDS)

    async def _listen(self, connected: Callable[[], None]) -> None:
        """Raises BrokerLostError and FloodError."""
        line = BrokerLine(self._broker, self._client_id, self.take)
        try:
            self.denied = await line.open(self._asked())
            self.away = None
            for topic in self.denied:
                log.error("the broker does not let us hear a topic", topic=topic)
            self.meters.connected.set(1)
            self._pause = FIRST_PAUSE_SECONDS
            connected()
            await line.listen(MOST_ON_END + len(self._of_topic))
        finally:
            line.close()

    def _asked(self) -> list[str]:
        return [
            topic
            for one in self._stations
            for topic in (one.map.subscription(one.park.name), one.map.status_of(one.park.name))
        ]

    def take(self, topic: str, payload: bytes) -> None:
        """One message; what is wrong with it is counted and told, and touches nothing."""
        station, sensor = self._of_topic.get(topic) or self._find_owner(topic)
        if station is None:
            self.meters.refused.labels("", BayRefusal.TOPIC).inc()
            self._refusals.tell("", topic=topic, reason="topic: is none of ours")
            return
        lot_id = station.park.lot_id
        try:
            folded = station.take(sensor, payload)
        except BadBayMessageError as refusal:
            self.meters.refused.labels(lot_id, refusal.kind).inc()
            self._refusals.tell(lot_id, topic=topic, reason=str(refusal))
        else:
            self.meters.count(lot_id, folded)

    def _find_owner(self, topic: str) -> tuple[BayStation, str] | tuple[None, str]:
        """The car park whose pattern an unlisted topic has, and the sensor that it names."""
        for station in self._stations:
            if sensor := station.map.sensor_of(station.park.name, topic):
                return station, sensor
        return None, ""

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
            await listen_at(
                *(runner, config.metrics_host, config.metrics_port),
                if_taken="give the receiver's metrics another port in its file",
                field="metrics_",
            )
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
