import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from gateway import stream
from gateway.redis_client import connect
from gateway.settings import BadSettingError
from occupancy.embedded import prepare_valkey
from tests.builders import an_observation
from tests.waiting import until


def free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def valkey_binary(folder: Path) -> str:
    command = prepare_valkey(folder, folder / "logs").child.command
    return next(word for word in command if word.endswith("valkey-server"))


@pytest.fixture
def servers(tmp_path: Path) -> Iterator["Servers"]:
    started = Servers(tmp_path)
    yield started
    started.stop()


class Servers:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.binary = valkey_binary(folder)
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self, port: int, *options: str, config: str | None = None) -> None:
        home = self.folder / str(port)
        home.mkdir()
        arguments = [self.binary]
        if config is not None:
            file = home / "server.conf"
            file.write_text(config)
            arguments.append(str(file))
        arguments += ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(home), *options]
        self.processes.append(
            subprocess.Popen(arguments, stdout=subprocess.DEVNULL)  # noqa: S603  # our own server
        )

    def stop(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()


async def answers(port: int) -> bool:
    async with connect(f"redis://127.0.0.1:{port}") as client:
        try:
            return bool(await client.ping())
        except (RedisError, OSError):
            return False


async def publishes(url: str, sequence: int) -> bool:
    async with connect(url) as client:
        try:
            await stream.publish_history(client, (an_observation(sequence),))
            top = await stream.read_top(client, stream.observations_key("kangle"))
        except (RedisError, OSError):
            return False
    return top == (1, sequence)


@pytest.mark.parametrize(
    "url",
    ["", "http://h", "redis+sentinel://h:1", "redis+cluster://h:port"],
)
def test_an_address_of_no_known_form_names_the_setting(url: str) -> None:
    with pytest.raises(BadSettingError, match="ZHIBO_REDIS_URL"):
        connect(url)


@pytest.fixture
async def cluster(servers: Servers) -> str:
    ports = free_ports(3)
    for port in ports:
        servers.start(port, "--cluster-enabled", "yes", "--save", "")
    for port in ports:
        await until(lambda port=port: answers(port))  # type: ignore[misc]
    async with connect(f"redis://127.0.0.1:{ports[0]}") as first:
        for port in ports[1:]:
            await command(first, "CLUSTER", "MEET", "127.0.0.1", port)
    for index, port in enumerate(ports):
        low, high = index * 16384 // 3, (index + 1) * 16384 // 3 - 1
        async with connect(f"redis://127.0.0.1:{port}") as node:
            await command(node, "CLUSTER", "ADDSLOTSRANGE", low, high)
    for port in ports:
        await until(lambda port=port: is_whole(port))  # type: ignore[misc]
    return "redis+cluster://" + ",".join(f"127.0.0.1:{port}" for port in ports)


async def command(node: Redis, *words: str | int) -> str:
    return str(await node.execute_command(*words))  # type: ignore[no-untyped-call]


async def is_whole(port: int) -> bool:
    async with connect(f"redis://127.0.0.1:{port}") as node:
        return "cluster_state:ok" in await command(node, "CLUSTER", "INFO")


async def test_a_gateway_publishes_to_a_cluster_of_three(cluster: str) -> None:
    await until(lambda: publishes(cluster, 1))
    assert await publishes(cluster, 2)
