"""What a car park's devices say at the first try: over real HTTP and a real broker."""

import asyncio
import socket
from pathlib import Path

import aiohttp
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.bay_config import BayConfig, read_broker
from gateway.bay_ledger import BayPark
from gateway.bay_map import load_bay_map
from gateway.listening import CannotListenError
from gateway.process import monotonic_seconds, now_ms
from gateway.push_config import Sender
from gateway.push_dialect import load_dialect
from gateway.push_ledger import PushPark
from gateway.push_message import sign
from gateway.trial import FirstReading, read_devices
from gateway.trial_push import hear_bays, hear_posts
from lot_sim.bay_radio import on_the_air
from lot_sim.bay_sensors import BaySensors
from tests.gateway.mosquitto import mosquitto
from tests.gateway.parks import DEVICES, small_park
from tests.gateway.tls import certificate_files
from tests.waiting import until

DIALECT = load_dialect("common")
MALL = Sender(PushPark("mall", "P-1", "common", {"all": 100}), DIALECT, b"sixteen bytes ok")
BAYS = ("s1", "s2", "s3")


async def post(port: int, secret: bytes, **more: object) -> tuple[int, dict[str, object]]:
    told = {"parkCode": "P-1", "timestamp": now_ms(), "nonce": f"{monotonic_seconds()}", **more}
    body = msgspec.json.encode(told)
    headers = {"X-Signature": sign(DIALECT.signature, secret, body, {})}
    url = f"http://127.0.0.1:{port}/push/P-1"
    async with aiohttp.ClientSession() as http, http.post(url, data=body, headers=headers) as said:
        return said.status, await said.json()


RECORD = {"recordNo": "R-1", "direction": "in"}


async def test_posts_are_heard_and_each_refusal_is_said() -> None:
    said: list[str] = []
    ports: list[int] = []
    async with asyncio.TaskGroup() as group:
        trial = group.create_task(
            hear_posts(MALL, "127.0.0.1", 0, now_ms, 30, said.append, ports.append), name="trial"
        )
        await until(lambda: ports != [])
        assert (await post(ports[0], b"another secret!!"))[0] == 401
        assert (await post(ports[0], MALL.secret))[0] == 200  # a heartbeat has nothing to keep
        counts = {"totalSpaces": 100, "freeSpaces": 60}
        assert (await post(ports[0], MALL.secret, **counts))[0] == 503
    assert said == ["  a post was refused (signature): X-Signature: the signature does not fit"]
    assert [one.line() for one in trial.result()] == [
        "  ok    posts of P-1 (common): signed and understood",
        "  ok    area all: 40 of 100 taken",
    ]


async def test_a_record_is_never_acknowledged_so_that_its_sender_keeps_it() -> None:
    ports: list[int] = []
    async with asyncio.TaskGroup() as group:
        trial = group.create_task(
            hear_posts(MALL, "127.0.0.1", 0, now_ms, 2, print, ports.append), name="trial"
        )
        await until(lambda: ports != [])
        again = {"nonce": "n-1", "records": [{**RECORD, "time": now_ms()}]}
        for _ in range(2):  # the same post, as whoever was refused sends it
            status, told = await post(ports[0], MALL.secret, **again)
            assert (status, told["error"]) == (503, "trial")
            assert "nothing is kept; send it again" in str(told["words"])
    (nothing,) = trial.result()
    assert nothing.trouble == "2 posts in 2 s, 2 with records, none with counts"
    assert "let it tell counts" in nothing.cure


async def test_silence_is_told_with_its_cure() -> None:
    (nothing,) = await hear_posts(MALL, "127.0.0.1", 0, now_ms, 0.05, print)
    assert "0 posts in" in nothing.trouble
    assert "/push/PARK_CODE" in nothing.line()


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ("127.0.0.1", "^port: .* at 127.0.0.1 is taken: a receiver that runs holds it; stop it"),
        ("192.0.2.1", "^host: '192.0.2.1' is no address of this machine: write 127.0.0.1"),
        ("a..b", "^host: 'a..b' is no address of this machine"),
        ("no.such.invalid", "^host: 'no.such.invalid' is no address"),
    ],
)
async def test_an_address_where_nothing_can_listen_is_named_with_the_way_out(
    host: str, words: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CannotListenError, match=words):
            await hear_posts(MALL, host, port, now_ms, 30, print)


async def test_sensors_are_heard_by_what_is_retained(tmp_path: Path) -> None:
    common = load_bay_map("common")
    config = BayConfig((BayPark("mall", "mall", "common", {"B1": BAYS}),))
    async with mosquitto(tmp_path) as broker:
        address = read_broker(f"mqtt://127.0.0.1:{broker.port}", "")

        async def heard(seconds: float) -> list[FirstReading]:
            clocks = (now_ms, monotonic_seconds)
            return await hear_bays(config, "mall", common, address, *clocks, seconds)

        sensors = BaySensors(common, "mall", BAYS, "1", 0.0)
        async with on_the_air(sensors, "127.0.0.1", broker.port, "radio") as radio:
            await radio.publish(sensors.say({"s1": True, "s2": False}, now_ms()))
            readings = await heard(0.5)
            assert readings[-1].trouble == "1 sensors have told nothing, 's3' among them"
            await radio.publish(sensors.say({"s3": True}, now_ms()))
            assert [one.line() for one in await heard(20)] == ["  ok    area B1: 2 of 3 taken"]


async def hear_mall(url: str) -> list[FirstReading]:
    config = BayConfig((BayPark("mall", "mall", "common", {"B1": BAYS}),))
    clocks, common = (now_ms, monotonic_seconds), load_bay_map("common")
    return await hear_bays(config, "mall", common, read_broker(url, ""), *clocks, 60)


@pytest.mark.timeout(40)  # less than the minute for which sensors are waited for
async def test_a_broker_that_does_not_take_us_is_told_at_once_with_its_cure(
    tmp_path: Path,
) -> None:
    async with mosquitto(tmp_path, more="allow_anonymous false\n") as broker:
        (refused,) = await hear_mall(f"mqtt://127.0.0.1:{broker.port}")
    assert refused.thing == f"broker mqtt://127.0.0.1:{broker.port}"
    assert refused.trouble == "the broker does not take us: Not authorized"
    assert "user and password in ZHIBO_MQTT_URL" in refused.cure
    (away,) = await hear_mall(f"mqtt://127.0.0.1:{broker.port}")  # nobody listens any more
    assert "refused" in away.trouble
    assert "host and port in ZHIBO_MQTT_URL" in away.cure


@pytest.mark.timeout(40)
async def test_a_broker_whose_certificate_is_not_trusted_is_told_with_its_cure(
    tmp_path: Path,
) -> None:
    files = certificate_files(tmp_path, ec.generate_private_key(ec.SECP256R1()))
    async with mosquitto(tmp_path, files) as broker:
        (found,) = await hear_mall(f"mqtts://127.0.0.1:{broker.port}")
    assert "CERTIFICATE_VERIFY_FAILED" in found.trouble
    assert "`authority`" in found.cure


async def test_devices_that_nobody_answers_for_are_named_with_a_cure() -> None:
    readings = await read_devices(small_park())  # at ports where nobody listens
    assert len(readings) == len(DEVICES)
    assert all(one.trouble and one.cure in one.line() for one in readings)
