"""The bay receiver whole: a real broker, real outboxes, a real Valkey."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import aiomqtt
import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from gateway import stream
from gateway.bay_config import BayConfig, load_bay_config, load_maps, read_broker
from gateway.bay_ledger import BayPark
from gateway.bay_map import load_bay_map
from gateway.bay_receiver import BayReceiver, BaySettings, run_bays
from gateway.observation import Observation
from gateway.outbox import Outbox
from gateway.process import monotonic_seconds, now_ms
from gateway.reconcile import balance_of
from gateway.settings import BadSettingError
from lot_sim.bay_radio import on_the_air
from lot_sim.bay_sensors import BaySensors
from tests.gateway.mosquitto import Mosquitto, mosquitto
from tests.waiting import until

COMMON = load_bay_map("common")
BAYS = tuple(f"s{n}" for n in range(10))
MALL = BayPark("mall", "mall", "common", {"B1": BAYS})
CLINIC = BayPark("clinic", "clinic", "text", {"all": ("c1", "c2")})
CONFIG = BayConfig((MALL, CLINIC))


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Mosquitto]:
    async with mosquitto(tmp_path) as running:
        yield running


@asynccontextmanager
async def receiving(broker: Mosquitto, redis_url: str, folder: Path) -> AsyncIterator[BayReceiver]:
    stopping = asyncio.Event()
    made: list[BayReceiver] = []
    address = read_broker(f"mqtt://127.0.0.1:{broker.port}", "")
    async with asyncio.TaskGroup() as group:
        group.create_task(
            run_bays(
                CONFIG,
                load_maps(CONFIG),
                address,
                BaySettings(redis_url, folder),
                now_ms,
                monotonic_seconds,
                stopping,
                made.append,
            ),
            name="bays",
        )
        await until(lambda: made != [])
        yield made[0]
        stopping.set()


async def newest(redis: Redis, lot_id: str) -> Observation | None:
    entries = await stream.read_now(redis, {lot_id: "0-0"}, 1)
    return entries[-1][2].observation if entries else None


async def shows(redis: Redis, lot_id: str, free: int | None) -> None:
    async def is_so() -> bool:
        seen = await newest(redis, lot_id)
        return seen is not None and balance_of(seen).free == free

    await until(is_so)


def sensors(mess: float = 0.0) -> BaySensors:
    return BaySensors(COMMON, "mall", BAYS, "1", mess)


def taken(*bays: str) -> dict[str, bool]:
    return {bay: bay in bays for bay in BAYS}


def count(receiver: BayReceiver, name: str, labels: Sequence[tuple[str, str]]) -> float:
    return receiver.meters.registry.get_sample_value(name, dict(labels)) or 0.0


async def test_what_sensors_say_reaches_redis_and_what_is_retained_comes_first(
    broker: Mosquitto, redis_url: str, redis: Redis, tmp_path: Path
) -> None:
    said = sensors()
    async with on_the_air(said, "127.0.0.1", broker.port, "radio") as radio:
        await radio.publish(said.say(taken("s1", "s2"), now_ms()))
        async with receiving(broker, redis_url, tmp_path):
            await shows(redis, "mall", 8)
            await radio.publish(said.say({"s3": True}, now_ms() + 1))
            await shows(redis, "mall", 7)
            seen = await newest(redis, "mall")
            assert seen is not None
            assert (seen.entries_total, seen.exits_total) == (1, 0)


async def test_a_killed_radio_gateway_is_told_by_its_last_will(
    broker: Mosquitto, redis_url: str, redis: Redis, tmp_path: Path
) -> None:
    said = sensors()
    gone = said.status(is_up=False)
    will = aiomqtt.Will(gone.topic, gone.payload, 1, retain=True)
    async with receiving(broker, redis_url, tmp_path):
        client = aiomqtt.Client("127.0.0.1", broker.port, identifier="radio", will=will)
        async with client:
            for one in (said.status(is_up=True), *said.say(taken("s1"), now_ms())):
                await client.publish(one.topic, one.payload, 1, retain=True)
            await shows(redis, "mall", 9)
            # torn off without a word, as by a power cut
            client._client._sock_close()  # noqa: SLF001 -- paho has no public way to die
            await shows(redis, "mall", None)


async def test_a_messy_radio_ends_in_the_truth_and_is_counted_once(
    broker: Mosquitto, redis_url: str, redis: Redis, tmp_path: Path
) -> None:
    said = sensors(mess=0.4)
    async with (
        receiving(broker, redis_url, tmp_path),
        on_the_air(said, "127.0.0.1", broker.port, "radio") as radio,
    ):
        await radio.publish([*said.say(taken(), now_ms()), *said.flush()])
        await shows(redis, "mall", 10)
        for n in range(1, 20):
            await radio.publish(said.say(taken(*BAYS[: n % 7]), now_ms() + n))
        await radio.publish(said.flush())
        await shows(redis, "mall", 10 - 19 % 7)
        seen = await newest(redis, "mall")
        assert seen is not None
        assert seen.entries_total - seen.exits_total == 19 % 7


async def test_what_is_wrong_is_refused_counted_and_touches_no_other_car_park(
    broker: Mosquitto, redis_url: str, redis: Redis, tmp_path: Path
) -> None:
    said = sensors()
    async with (
        receiving(broker, redis_url, tmp_path) as receiver,
        on_the_air(said, "127.0.0.1", broker.port, "radio") as radio,
        aiomqtt.Client("127.0.0.1", broker.port, identifier="stranger") as stranger,
    ):
        await radio.publish(said.say(taken("s1"), now_ms()))
        await shows(redis, "mall", 9)
        for n in range(500):
            await stranger.publish(f"parking/mall/flood{n}/state", b"{}", 1)
        await stranger.publish("parking/mall/s1/state", b"no", 1)
        await stranger.publish("parking/mall/status", b"maybe", 1)
        await stranger.publish("bays/clinic/c1", b"1", 1)
        await stranger.publish("bays/clinic/c2", b"0", 1)
        await stranger.publish("bays/clinic", b"1", 1)
        await shows(redis, "clinic", 1)
        assert count(receiver, "zhibo_bay_refused_total", [("lot", "mall"), ("why", "malformed")])
        await shows(redis, "mall", 9)
        seen = await newest(redis, "clinic")
        assert seen is not None
        assert seen.cars_on_pallets == 1


@pytest.mark.parametrize(
    ("topic", "payload", "lot", "reason"),
    [
        ("parking/mall/s1/state", b"{}", "mall", "occupied: must be one of"),
        ("parking/mall/s99/state", b'{"occupied": true, "ts": 1}', "mall", "sensor: "),
        ("parking/mall/status", b"maybe", "mall", "status: "),
        ("bays/clinic/c1", b"maybe", "clinic", "message: "),
    ],
)
async def test_the_log_names_whose_message_was_refused_and_which_field(
    broker: Mosquitto,
    redis_url: str,
    tmp_path: Path,
    topic: str,
    payload: bytes,
    lot: str,
    reason: str,
) -> None:
    with capture_logs() as lines:
        async with (
            receiving(broker, redis_url, tmp_path) as receiver,
            aiomqtt.Client("127.0.0.1", broker.port, identifier="stranger") as stranger,
        ):
            await until(lambda: count(receiver, "zhibo_bay_broker_up", []) == 1)
            await stranger.publish(topic, payload, 1)
            await until(lambda: any("refused" in line["event"] for line in lines))
    (refused,) = (line for line in lines if "refused" in line["event"])
    assert (refused["lot"], refused["topic"]) == (lot, topic)
    assert refused["reason"].startswith(reason)


async def test_a_flood_is_cut_off_counted_and_the_truth_is_asked_for_anew(
    broker: Mosquitto,
    redis_url: str,
    redis: Redis,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gateway.bay_receiver.MOST_ON_END", 20)
    said = sensors()
    async with receiving(broker, redis_url, tmp_path) as receiver:

        async def is_up() -> bool:
            return count(receiver, "zhibo_bay_broker_up", []) == 1

        await until(is_up)
        async with aiomqtt.Client("127.0.0.1", broker.port, identifier="flood") as client:
            client.pending_calls_threshold = 100_000
            topic = COMMON.subscription("mall").replace("+", "stranger")
            async with asyncio.TaskGroup() as group:
                for _ in range(3_000):
                    group.create_task(client.publish(topic, b"{}"))
            await until(lambda: count(receiver, "zhibo_bay_floods_total", []) >= 1)
        async with on_the_air(said, "127.0.0.1", broker.port, "radio") as radio:
            await radio.publish(said.say(taken("s1", "s2"), now_ms()))
            await shows(redis, "mall", 8)
        refused = count(receiver, "zhibo_bay_refused_total", [("lot", "clinic"), ("why", "topic")])
    assert refused == 0


async def test_a_broker_that_died_is_followed_to_its_return(
    broker: Mosquitto, redis_url: str, redis: Redis, tmp_path: Path
) -> None:
    async with receiving(broker, redis_url, tmp_path) as receiver:

        async def is_up(value: float) -> bool:
            return count(receiver, "zhibo_bay_broker_up", []) == value

        await until(lambda: is_up(1))
        await broker.stop()
        await until(lambda: is_up(0))
        await broker.start()
        await until(lambda: is_up(1))
        said = sensors()
        async with on_the_air(said, "127.0.0.1", broker.port, "radio") as radio:
            await radio.publish(said.say(taken("s1"), now_ms()))
            await shows(redis, "mall", 9)


async def test_a_receiver_that_was_killed_counts_on(
    broker: Mosquitto, redis_url: str, redis: Redis, tmp_path: Path
) -> None:
    said = sensors()
    async with on_the_air(said, "127.0.0.1", broker.port, "radio") as radio:
        async with receiving(broker, redis_url, tmp_path):
            await radio.publish(said.say(taken("s1"), now_ms()))
            await shows(redis, "mall", 9)
            await radio.publish(said.say({"s2": True}, now_ms() + 1))
            await shows(redis, "mall", 8)
        await radio.publish(said.say({"s1": False}, now_ms() + 2))
        async with receiving(broker, redis_url, tmp_path):
            await shows(redis, "mall", 9)
    outbox = Outbox(tmp_path / "mall.sqlite", now_ms())
    last = outbox.newest()
    outbox.close()
    assert last is not None
    assert (last.entries_total, last.exits_total) == (1, 1)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "park"),
        ('[[park]]\nlot_id = "a"\nname = "a"\nmap = "common"\nbays = {}', "at least one sensor"),
        (
            '[[park]]\nlot_id = "a"\nname = "a"\nmap = "common"\nbays = { B1 = ["x", "x"] }',
            "'x' stands twice",
        ),
        ('[[park]]\nlot_id = "a"\nname = "a/b"\nmap = "common"\nbays = { B1 = ["x"] }', "a/b"),
        ('[[park]]\nlot_id = "a"\nname = "a"\nmap = "none"\nbays = { B1 = ["x"] }', "'none'"),
        ("park = []", "there is none"),
        ("x = [", "bays.toml"),
    ],
)
def test_a_file_with_a_flaw_names_itself_and_the_flaw(
    tmp_path: Path, content: str, words: str
) -> None:
    file = tmp_path / "bays.toml"
    file.write_text(content)
    with pytest.raises(BadSettingError, match=words):
        load_maps(load_bay_config(file))


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://a", "mqtts://"),
        ("mqtt://127.0.0.1:99999999", "mqtts://"),
        ("mqtt://example.net", "only on this machine"),
    ],
)
def test_a_broker_that_cannot_be_is_refused(url: str, words: str) -> None:
    with pytest.raises(BadSettingError, match=words):
        read_broker(url, "")


def test_an_authority_that_cannot_be_read_names_itself() -> None:
    with pytest.raises(BadSettingError, match=r"authority .*nowhere\.pem"):
        read_broker("mqtts://example.net", "/nowhere.pem")


def test_the_password_of_a_broker_is_never_said() -> None:
    broker = read_broker("mqtts://user:s%40cret@example.net", "")
    assert (broker.port, broker.password) == (8883, "s@cret")
    assert "cret" not in broker.address
