"""Posts and messages of one car park, heard for a while, before anything depends on them."""

import asyncio
import contextlib
import tempfile
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from pathlib import Path

from aiohttp import web

from gateway.bay_config import BayConfig, Broker
from gateway.bay_map import BayMap
from gateway.bay_receiver import BayReceiver, BayStation
from gateway.broker_line import BrokerRefusedError, BrokerUntrustedError
from gateway.listening import listen_at
from gateway.observation import GroupReading, Observation
from gateway.outbox import Outbox
from gateway.process import is_cancelled
from gateway.push_config import Sender
from gateway.push_ledger import PushLedger
from gateway.push_message import BadPushError, Passage, Push
from gateway.push_receiver import Receiver
from gateway.redis_client import connect
from gateway.trial import FirstReading

NOWHERE = "redis://127.0.0.1:1"  # a station wants a server; at a trial nobody calls it
LOOK_SECONDS = 0.2
Say = Callable[[str], None]


class _TrialStation:
    """Understands posts as the real one does, and keeps none: what says something comes again."""

    def __init__(self, sender: Sender, clock: Callable[[], int]) -> None:
        self.sender = sender
        self.ledger = PushLedger(sender.park, {}, None, ())
        self.heard = asyncio.Event()
        self.posts = self.posts_with_records = 0
        self._clock = clock

    async def take(self, push: Push) -> tuple[Passage, ...] | None:
        """None, as where nothing can be kept; a heartbeat has nothing to keep."""
        self.ledger.take(push, self._clock(), 0)
        self.ledger.release(push.nonce)
        self.posts += 1
        self.posts_with_records += bool(push.passages)
        if push.counts:
            self.heard.set()
        return None if push.counts or push.passages else ()


async def hear_posts(
    sender: Sender,
    host: str,
    port: int,
    clock: Callable[[], int],
    seconds: float,
    say: Say,
    listening: Callable[[int], None] = lambda _: None,
) -> list[FirstReading]:
    """Listen where the receiver will, until the first post that tells counts.

    Raises CannotListenError.
    """

    def refused(refusal: BadPushError) -> None:
        say(f"  a post was refused ({refusal.kind}): {refusal}")

    station = _TrialStation(sender, clock)
    app = Receiver([station], clock, refused).app()
    app.middlewares.append(_say_trial)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await listen_at(runner, host, port, if_taken=_TAKEN)
        listening(runner.addresses[0][1])
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await station.heard.wait()
    finally:
        await runner.cleanup()
    thing = f"posts of {sender.park.park_code} ({sender.park.dialect})"
    if not station.heard.is_set():
        return [_no_counts(thing, station, seconds)]
    return [
        FirstReading(thing, "signed and understood"),
        *_areas(station.ledger.observe(clock(), 0)),
    ]


@web.middleware
async def _say_trial(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """The answer to what was understood and not kept: whoever sent it must send it again."""
    answer = await handler(request)
    if answer.status != HTTPStatus.SERVICE_UNAVAILABLE:
        return answer
    return web.json_response({"error": "trial", "words": _NOT_KEPT}, status=answer.status)


def _no_counts(thing: str, station: _TrialStation, seconds: float) -> FirstReading:
    if not station.posts:
        words = f"0 posts in {seconds:.0f} s that are signed and understood"
        return FirstReading(thing, trouble=words, cure=_NO_POST)
    records = f"{station.posts_with_records} with records"
    words = f"{station.posts} posts in {seconds:.0f} s, {records}, none with counts"
    return FirstReading(thing, trouble=words, cure=_NO_COUNTS)


async def hear_bays(
    config: BayConfig,
    lot_id: str,
    bay_map: BayMap,
    broker: Broker,
    clock: Callable[[], int],
    monotonic: Callable[[], float],
    seconds: float,
) -> list[FirstReading]:
    """Listen at the broker until every sensor has told its state, which it keeps retained.

    A broker that is away or refuses us ends it at once.
    """
    (park,) = (one for one in config.parks if one.lot_id == lot_id)
    with tempfile.TemporaryDirectory() as folder:
        async with connect(NOWHERE) as redis:
            outbox = Outbox(Path(folder) / "trial.sqlite", clock())
            station = BayStation(park, bay_map, outbox, redis, clock, monotonic)
            try:
                # A name of its own: the broker would end the receiver that runs.
                receiver = BayReceiver([station], broker, f"{config.client_id}-trial")
                await _listen(receiver, station, seconds)
            finally:
                station.close()
            seen = station.ledger.observe(clock(), station.uptime_ms())
            silent = station.ledger.unheard()
    if trouble := _trouble_with(broker, receiver):
        return [trouble]
    if not silent:
        return _areas(seen)
    words = f"{len(silent)} sensors have told nothing, {silent[0]!r} among them"
    thing = f"sensors of {park.name} at {broker.address}"
    return [*_areas(seen), FirstReading(thing, trouble=words, cure=_NO_SENSOR)]


async def _listen(receiver: BayReceiver, station: BayStation, seconds: float) -> None:
    async with asyncio.TaskGroup() as group:
        listening = group.create_task(receiver.keep_listening(), name="trial")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not is_cancelled() and not _is_over(receiver, station):  # noqa: ASYNC110
                    await asyncio.sleep(LOOK_SECONDS)  # a broker's silence has no event
        listening.cancel()


def _is_over(receiver: BayReceiver, station: BayStation) -> bool:
    is_refused = receiver.away is not None or bool(receiver.denied)
    return is_refused or not station.ledger.unheard()


def _trouble_with(broker: Broker, receiver: BayReceiver) -> FirstReading | None:
    thing = f"broker {broker.address}"
    if receiver.denied:
        words = f"does not let us hear {receiver.denied[0]}"
        return FirstReading(thing, trouble=words, cure=_DENIED)
    if receiver.away is None:
        return None
    cure = _NO_BROKER
    if isinstance(receiver.away, BrokerRefusedError):
        cure = _NOT_TAKEN
    elif isinstance(receiver.away, BrokerUntrustedError):
        cure = _NOT_TRUSTED
    return FirstReading(thing, trouble=str(receiver.away), cure=cure)


def _areas(seen: Observation) -> list[FirstReading]:
    return [_area(group) for group in seen.groups]


def _area(group: GroupReading) -> FirstReading:
    thing, bays = f"area {group.group_id}", sum(group.bays_by_level)
    if group.occupied_by_level is None:
        return FirstReading(thing, trouble=f"nothing is known of its {bays} bays", cure=_NO_AREA)
    return FirstReading(thing, f"{sum(group.occupied_by_level)} of {bays} taken")


_NO_POST = "let the gate system post to /push/PARK_CODE here; check address, code and firewall"
_NO_COUNTS = "let it tell counts beside its records; it sends again what it told, nothing was kept"
_NOT_KEPT = "a trial: understood, nothing is kept; send it again, the receiver will take it"
_TAKEN = "a receiver that runs holds it; stop it for the trial, senders send again meanwhile"
_NO_BROKER = "check host and port in ZHIBO_MQTT_URL, and that the broker runs and can be reached"
_NOT_TAKEN = "check user and password in ZHIBO_MQTT_URL, and that the broker knows this user"
_NOT_TRUSTED = "check `authority` in the file, and that mqtts:// and the port belong together"
_DENIED = "let the broker's access list grant the user of ZHIBO_MQTT_URL the topics of the map"
_NO_SENSOR = "let states be published retained; compare topics and names with the file"
_NO_AREA = "let the system tell every area, or take the area out of the file"
