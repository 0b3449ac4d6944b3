"""The compose file's receivers as it starts them: its commands, settings, mounts and secrets."""

import asyncio
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import aiomqtt
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from redis.asyncio import Redis

from gateway.access_list import RECEIVER, receiver_line, service_line
from gateway.bay_config import load_bay_config, load_maps, read_broker
from gateway.outbox import Outbox
from gateway.process import now_ms
from gateway.push_config import load_push_config, load_senders
from gateway.redis_client import connect
from gateway.settings import BadSettingError
from tests.deploy import compose
from tests.deploy.compose import SERVICES
from tests.deploy.gate_system import sending
from tests.deploy.names import name_server
from tests.deploy.nginx import proxy
from tests.e2e.town import shell_environ, stop
from tests.free_port import free_port
from tests.gateway.mosquitto import mosquitto
from tests.gateway.test_access_list import PING_ONLY
from tests.gateway.test_bay_receiver import shows
from tests.gateway.tls import certificate_files
from tests.gateway.valkey import valkey
from tests.rows import published
from tests.waiting import until

RECEIVERS = ("push", "bays")
WORD, AGREED = "a-password-of-this-test-only", "a secret agreed with the sender"
KEY = ec.generate_private_key(ec.SECP256R1())
LOT = "xinyuan"


@pytest.mark.parametrize("name", RECEIVERS)
def test_a_receiver_is_asked_for_knows_redis_alone_and_comes_to_it_as_its_own_user(
    name: str,
) -> None:
    assert SERVICES[name]["profiles"] == [name]
    assert set(SERVICES[name]["depends_on"]) == {"redis"}
    given = compose.secrets(name)
    user = RECEIVER.format(name=name)
    file = compose.secret_file(given["ZHIBO_REDIS_URL"])
    assert Path(file).as_posix() == f"secrets/{user}/ZHIBO_REDIS_URL"
    assert compose.lies_here(file).read_text() == f"redis://{user}:PASSWORD@redis:6379\n"
    assert "ZHIBO_POSTGRES_URL" not in given


@pytest.mark.parametrize("name", RECEIVERS)
def test_an_outbox_lies_on_a_volume_that_nobody_else_has(name: str) -> None:
    (own,) = (mount for mount in compose.mounts(name) if mount.is_volume)
    assert not own.is_read_only
    assert SERVICES[name]["environment"]["ZHIBO_OUTBOX"].startswith(f"{own.target}/")
    others = {
        mount.source for other in SERVICES if other != name for mount in compose.mounts(other)
    }
    assert own.source not in others


def test_examples_are_refused_until_they_are_filled_in_and_say_what_is_missing(
    tmp_path: Path,
) -> None:
    compose.lay_out("push", tmp_path)
    config = load_push_config(tmp_path / "etc/zhibo/push.toml")
    assert (config.host, config.port) == ("0.0.0.0", 8095)  # noqa: S104
    with pytest.raises(BadSettingError, match=rf"{LOT} has fewer than 16 bytes; agree on"):
        load_senders(config, tmp_path / "run/push")
    fill(tmp_path / f"run/push/{LOT}", PASSWORD=AGREED)
    assert load_senders(config, tmp_path / "run/push")[0].secret == AGREED.encode()


def test_the_example_of_bay_sensors_loads_and_its_broker_is_reached_by_tls(tmp_path: Path) -> None:
    compose.lay_out("bays", tmp_path)
    config = load_bay_config(tmp_path / "etc/zhibo/bays.toml")
    assert set(load_maps(config)) == {LOT}
    assert config.metrics_host == "0.0.0.0"  # noqa: S104
    told = (tmp_path / "run/secrets/ZHIBO_MQTT_URL").read_text().strip()
    assert read_broker(told, config.authority).tls


async def test_a_post_reaches_the_push_receiver_by_the_proxy_and_its_outbox_outlives_it(
    tmp_path: Path,
) -> None:
    root, port = tmp_path / "push", free_port()
    compose.lay_out("push", root)
    fill(root / f"run/push/{LOT}", PASSWORD=AGREED)
    config = root / "etc/zhibo/push.toml"
    fill(config, **{"= 8095": f"= {port}"})
    (ours,) = load_senders(load_push_config(config), root / "run/push")
    chain, _ = certificate_files(tmp_path, KEY)
    record = {"recordNo": "r1", "direction": "in", "time": now_ms()}
    async with (
        redis_for("push", root, tmp_path) as redis,
        name_server("push") as names,
        proxy("compose.conf", tmp_path, port, names=names.port) as https,
        sending(chain, https, ours) as system,
    ):
        for _ in range(2):
            async with running("push", root):
                await until(lambda: answers(f"http://127.0.0.1:{port}/metrics"))
                assert await system.push(records=[record]) == 200
                await until(lambda: is_heard(redis))
    outbox = Outbox(root / f"data/outbox/{LOT}.sqlite", now_ms())
    newest = outbox.newest()
    assert newest is not None
    assert newest.entries_total == 1
    outbox.close()


async def test_what_bay_sensors_say_reaches_redis(tmp_path: Path) -> None:
    root, port = tmp_path / "bays", free_port()
    compose.lay_out("bays", root)
    certificate = certificate_files(root / "etc/zhibo", KEY)
    config = root / "etc/zhibo/bays.toml"
    fill(config, **{"# authority": "authority", "/etc/zhibo/broker_ca.pem": str(certificate[0])})
    fill(config, **{"= 9101": f"= {port}"})
    bays = load_bay_config(config).parks[0].bays["B1"]
    trusting = ssl.create_default_context(cafile=str(certificate[0]))
    async with (
        redis_for("bays", root, tmp_path) as redis,
        mosquitto(tmp_path, certificate) as broker,
        running("bays", root, broker=f"localhost:{broker.port}"),
        aiomqtt.Client("localhost", broker.port, tls_context=trusting) as radio,
    ):
        await radio.publish(f"parking/{LOT}/status", "online", retain=True)
        for bay in bays:
            word = msgspec.json.encode({"occupied": False, "ts": now_ms(), "seq": 1})
            await radio.publish(f"parking/{LOT}/{bay}/state", word, retain=True)
        await shows(redis, LOT, len(bays))
        assert await answers(f"http://127.0.0.1:{port}/metrics")


def fill(file: Path, **instead: str) -> None:
    """Write what stands there for it, as whoever runs it does; each has to be there."""
    text = file.read_text(encoding="utf-8")
    for there, ours in instead.items():
        assert there in text, (file, there)
        text = text.replace(there, ours)
    file.write_text(text, encoding="utf-8")


@asynccontextmanager
async def redis_for(name: str, root: Path, folder: Path) -> AsyncIterator[Redis]:
    """A Redis with the kit's users, one of which this receiver is; what our own servers read."""
    users = folder / "users.acl"
    lines = (PING_ONLY, receiver_line(name, [LOT], WORD), service_line("service", WORD))
    users.write_text("".join(f"{line}\n" for line in lines))
    async with valkey(folder / "redis", ("--aclfile", str(users))) as server:
        here = {"PASSWORD": WORD, "redis:6379": f"127.0.0.1:{server.port}"}
        fill(root / "run/secrets/ZHIBO_REDIS_URL", **here)
        async with connect(f"redis://service:{WORD}@127.0.0.1:{server.port}") as redis:
            yield redis


@asynccontextmanager
async def running(name: str, root: Path, broker: str = "") -> AsyncIterator[None]:
    """The service as a process of its own, whose `/` is this folder; it ends well."""
    if broker:
        fill(root / "run/secrets/ZHIBO_MQTT_URL", **{"broker.example.invalid:8883": broker})
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "zhibo", *compose.command(name, root)),
        env={**shell_environ(), **compose.environment(name, root)},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        assert await stop(process) == 0


async def answers(url: str) -> bool:
    async with aiohttp.ClientSession() as http:
        try:
            async with http.get(url) as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False


async def is_heard(redis: Redis) -> bool:
    return len(await published(redis, LOT)) > 0
