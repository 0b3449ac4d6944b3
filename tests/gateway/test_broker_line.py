"""One connection to a broker: what it says when the broker refuses, is silent, or talks on."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiomqtt
import pytest

from gateway.bay_config import read_broker
from gateway.broker_line import NO_TOPIC, BrokerLine, BrokerLostError, FloodError, Take
from tests.gateway.mosquitto import Mosquitto, mosquitto, require_mosquitto
from tests.waiting import until

PLUGIN = "mosquitto_dynamic_security.so"  # comes with Debian's mosquitto


def nobody(topic: str, payload: bytes) -> None:
    pytest.fail(f"{topic}: {payload!r} came unasked")


@asynccontextmanager
async def line_to(port: int, take: Take = nobody) -> AsyncIterator[BrokerLine]:
    line = BrokerLine(read_broker(f"mqtt://127.0.0.1:{port}", ""), "zhibo", take)
    try:
        yield line
    finally:
        line.close()


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Mosquitto]:
    async with mosquitto(tmp_path) as running:
        yield running


async def test_a_refused_login_names_the_reason(tmp_path: Path) -> None:
    more = "allow_anonymous false\n"
    async with mosquitto(tmp_path, more=more) as broker, line_to(broker.port) as line:
        with pytest.raises(BrokerLostError, match="does not take us: Not authorized"):
            await line.open(["parking/+"])


async def test_a_port_where_nobody_listens_names_the_reason(broker: Mosquitto) -> None:
    await broker.stop()
    async with line_to(broker.port) as line:
        with pytest.raises(BrokerLostError, match="refused"):
            await line.open(["parking/+"])


async def test_a_topic_that_is_not_granted_is_told(tmp_path: Path) -> None:
    require_mosquitto()
    (plugin,) = Path("/usr/lib").glob(f"*-linux-gnu/{PLUGIN}")
    rules = tmp_path / "rules.json"
    may = {"acltype": "subscribePattern", "topic": "parking/#", "allow": True}
    rules.write_text(
        json.dumps(
            {
                "defaultACLAccess": {"subscribe": False, "publishClientReceive": True},
                "roles": [{"rolename": "bays", "acls": [may]}],
                "groups": [{"groupname": "anybody", "roles": [{"rolename": "bays"}]}],
                "anonymousGroup": "anybody",
            }
        )
    )
    more = f"allow_anonymous true\nplugin {plugin}\nplugin_opt_config_file {rules}\nuser root\n"
    async with mosquitto(tmp_path, more=more) as broker, line_to(broker.port) as line:
        asked = ["parking/mall/+/state", "bays/clinic/+", "parking/mall/status"]
        assert await line.open(asked) == ["bays/clinic/+"]


async def test_a_broker_that_stops_answering_is_noticed(
    broker: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.broker_line.KEEPALIVE_SECONDS", 1)
    assert broker.process is not None
    async with line_to(broker.port) as line:
        assert await line.open(["parking/+"]) == []
        broker.process.send_signal(signal.SIGSTOP)
        try:
            async with asyncio.timeout(20):
                with pytest.raises(BrokerLostError, match="no longer answers"):
                    await line.listen(10)
        finally:
            broker.process.send_signal(signal.SIGCONT)


async def test_more_on_end_than_may_is_a_flood(broker: Mosquitto) -> None:
    heard: list[str] = []

    async with line_to(broker.port, lambda topic, _: heard.append(topic)) as line:
        await line.open(["parking/+"])
        async with asyncio.TaskGroup() as group:
            group.create_task(say_much(broker.port, 2_000), name="strangers")
            with pytest.raises(FloodError):
                await line.listen(20)
    assert len(heard) > 20


async def test_one_that_is_told_to_end_ends_without_crying_flood(broker: Mosquitto) -> None:
    """Even where the cancellation was swallowed on its way, as it may be."""
    async with line_to(broker.port) as line:
        await line.open(["parking/+"])

        async def listen() -> None:
            task = asyncio.current_task()
            assert task is not None
            try:
                task.cancel()
                await asyncio.sleep(0)
            except asyncio.CancelledError:
                await line.listen(10)

        async with asyncio.TaskGroup() as group:
            group.create_task(listen(), name="listens")


async def say_much(port: int, messages: int) -> None:
    async with aiomqtt.Client("127.0.0.1", port, identifier="much") as client:
        client.pending_calls_threshold = 100_000
        async with asyncio.TaskGroup() as group:
            for _ in range(messages):
                group.create_task(client.publish("parking/s1", b"1"))


async def test_a_topic_that_is_no_text_is_handed_on_as_none() -> None:
    """No mosquitto passes one on: these bytes are a sick broker's."""
    heard: list[tuple[str, bytes]] = []

    async def sick(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(2 + (await reader.readexactly(2))[1] - 2)
        writer.write(b"\x20\x02\x00\x00")  # taken
        asked = await reader.readuntil(b"\x01")
        at = asked.index(b"\x82") + 2
        writer.write(b"\x90\x03" + asked[at : at + 2] + b"\x01")  # granted
        writer.write(b"\x30\x05\x00\x02\xff\xfe1")  # a topic of two bytes that are no text
        writer.write(b"\x30\x04\x00\x01a2")
        await reader.read()
        writer.close()

    server = await asyncio.start_server(sick, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        async with line_to(port, lambda *message: heard.append(message)) as line:
            await line.open(["a"])
            async with asyncio.TaskGroup() as group:
                listening = group.create_task(line.listen(10), name="listens")
                await until(lambda: len(heard) == 2)
                listening.cancel()
    assert heard == [(NO_TOPIC, b"1"), ("a", b"2")]
