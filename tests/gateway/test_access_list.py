"""A gateway or receiver does its work, and nothing to another car park; on a real server."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.exceptions import AuthenticationError, NoPermissionError

from gateway import stream
from gateway.access_list import (
    REPLICA,
    SENTINEL,
    gateway_line,
    nobody_line,
    replica_line,
    sentinel_line,
    service_line,
    user_line,
)
from gateway.outbox import Outbox
from gateway.outbox_thread import OutboxThread
from gateway.process import monotonic_seconds
from gateway.redis_client import connect
from gateway.uplink import Uplink
from tests.gateway.parks import NOW_MS, observation
from tests.gateway.test_push_receiver import CLINIC, MALL, receiving
from tests.gateway.test_uplink import Sender, clock
from tests.gateway.valkey import valkey
from tests.rows import published
from tests.waiting import until
from zhibo.commands.access_list import COMMAND
from zhibo.parser import make_parser

Addresses = Mapping[str, str]  # user -> address with name and password
OURS, OTHER = "small", "other"
WORD = "a-long-word-of-this-test"
# so that the test sees the server come up; `nobody_line` is tried below
PING_ONLY = "user default on nopass resetkeys resetchannels -@all +ping"


@pytest.fixture
async def guarded(tmp_path: Path) -> AsyncIterator[str]:
    """Host and port of a server whose users come from our ACL file."""
    acl = tmp_path / "users.acl"
    lines = [PING_ONLY, gateway_line(OURS, WORD), gateway_line(OTHER, WORD[::-1])]
    acl.write_text("\n".join([*lines, service_line("service", WORD)]) + "\n")
    async with valkey(tmp_path / "redis", ("--aclfile", str(acl))) as server:
        yield f"127.0.0.1:{server.port}"


async def test_a_gateway_does_its_whole_work_with_its_own_user(
    guarded: str, tmp_path: Path
) -> None:
    async with (
        connect(f"redis://gateway-{OURS}:{WORD}@{guarded}") as redis,
        connect(f"redis://service:{WORD}@{guarded}") as service,
    ):
        thread = OutboxThread(Outbox(tmp_path / "small.sqlite", NOW_MS))
        uplink = Uplink(thread, None, redis, OURS, clock, monotonic_seconds)

        async def is_there() -> bool:
            return len(await published(service, OURS)) == 3

        async with asyncio.TaskGroup() as group:
            work = group.create_task(uplink.run(), name="uplink")
            await Sender(thread, uplink).write(3)
            await until(is_there)
            work.cancel()
        thread.close()
        await stream.begin_again(redis, OURS)
        assert await stream.read_faces(redis, OURS) == {}
        assert await stream.read_correction(redis, OURS) is None
        await stream.say_displaced(redis, OURS, 1, 1)


async def test_a_gateway_is_refused_at_anothers_streams_and_at_reading_its_own(
    guarded: str,
) -> None:
    async with connect(f"redis://gateway-{OURS}:{WORD}@{guarded}") as redis:
        for refused in (
            stream.publish_history(redis, (observation(1, lot_id=OTHER),)),
            stream.read_held(redis, OTHER),
            stream.begin_again(redis, OTHER),
            stream.acknowledge(redis, OURS, 1, 1),
            stream.read_history(redis, OURS, "0-0", 1),
            redis.set("anything", "else"),
            redis.config_get("*"),
            redis.flushall(),
        ):
            with pytest.raises(NoPermissionError):
                await refused


@pytest.fixture
async def received(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> AsyncIterator[Addresses]:
    """A server with the list that the command wrote for a receiver of two and another's gateway."""
    acl = tmp_path / "users.acl"
    assert _write(OTHER, "--receiver", "push=mall,clinic") == 0
    said = capsys.readouterr()
    acl.write_text(said.out.replace(nobody_line(), PING_ONLY))
    words = dict(line.split() for line in said.err.splitlines())
    async with valkey(tmp_path / "redis", ("--aclfile", str(acl))) as server:
        yield {
            name: f"redis://{name}:{word}@127.0.0.1:{server.port}" for name, word in words.items()
        }


async def test_a_receiver_serves_its_car_parks_with_its_own_user(
    received: Addresses, tmp_path: Path
) -> None:
    async with (
        connect(received["service"]) as service,
        receiving(received["receiver-push"], tmp_path) as gate,
    ):
        for sender, free in ((MALL, 60), (CLINIC, 70)):
            await gate.push(sender, totalSpaces=100, freeSpaces=free)

        async def has_come(lot: str, occupied: int) -> bool:
            rows = await published(service, lot)
            return bool(rows) and rows[-1].occupied == occupied

        await until(lambda: has_come("mall", 40))
        await until(lambda: has_come("clinic", 30))


async def test_a_receiver_is_refused_at_a_car_park_that_is_none_of_its_own(
    received: Addresses,
) -> None:
    async with connect(received["receiver-push"]) as redis:
        await stream.begin_again(redis, "clinic")
        for refused in (
            stream.publish_history(redis, (observation(1, lot_id=OTHER),)),
            stream.publish_now(redis, stream.NowEntry(observation(1, lot_id=OTHER), 1)),
            stream.read_held(redis, OTHER),
            stream.begin_again(redis, OTHER),
            stream.say_displaced(redis, OTHER, 1, 1),
            stream.acknowledge(redis, "mall", 1, 1),
            stream.read_history(redis, "mall", "0-0", 1),
            redis.set("anything", "else"),
            redis.flushall(),
        ):
            with pytest.raises(NoPermissionError):
                await refused


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ([], "--receiver push=mall,clinic"),
        (["mall", "--receiver", "push=mall,clinic"], "LOT: mall is named 2 times"),
        (["--receiver", "push=mall", "--receiver", "bays=mall"], "LOT: mall is named 2 times"),
        (["--receiver", "push=a", "--receiver", "push=b"], "--receiver: push is named 2 times"),
    ],
)
def test_a_list_without_car_parks_or_with_two_writers_of_one_is_refused(
    told: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _write(*told) == 2
    said = capsys.readouterr()
    assert (words in said.err, said.out) == (True, "")


def test_a_receiver_that_names_no_car_park_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    for told in ("push", "push=", "push=mall,", "Push=mall"):
        with pytest.raises(SystemExit):
            _write("--receiver", told)
        assert "--receiver" in capsys.readouterr().err


async def test_our_own_servers_may_do_their_work_and_not_run_the_server(guarded: str) -> None:
    async with connect(f"redis://service:{WORD}@{guarded}") as redis:
        await stream.acknowledge(redis, OURS, 1, 1)
        with pytest.raises(NoPermissionError):
            await redis.config_set("maxmemory", "1")
        with pytest.raises(NoPermissionError):
            await redis.flushall()


async def test_nobody_comes_without_a_name(tmp_path: Path) -> None:
    async with valkey(tmp_path) as server, connect(server.url) as first:
        await first.execute_command("ACL", "SETUSER", *nobody_line().split()[1:])  # type: ignore[no-untyped-call]
        async with Redis.from_url(server.url) as stranger:
            with pytest.raises(AuthenticationError):
                await stranger.get("x")


@pytest.fixture
async def followed(tmp_path: Path) -> AsyncIterator[str]:
    """Host and port of a server that may be followed and watched."""
    acl = tmp_path / "users.acl"
    lines = [PING_ONLY, *(line(WORD) for line in (replica_line, sentinel_line))]
    acl.write_text("\n".join([*lines, service_line("service", WORD)]) + "\n")
    async with valkey(tmp_path / "redis", ("--aclfile", str(acl))) as server:
        yield f"127.0.0.1:{server.port}"


async def test_a_replica_follows_with_its_own_user(followed: str, tmp_path: Path) -> None:
    who = ("--masteruser", REPLICA, "--masterauth", WORD)
    follows = ("--replicaof", *followed.split(":"), *who)
    async with (
        connect(f"redis://service:{WORD}@{followed}") as service,
        valkey(tmp_path / "replica", follows) as server,
        connect(server.url) as replica,
    ):
        await stream.acknowledge(service, OURS, 1, 1)

        async def has_followed() -> bool:
            return await stream.read_acknowledged(replica, OURS) is not None

        await until(has_followed)


@pytest.mark.parametrize("user", [REPLICA, SENTINEL])
async def test_who_follows_or_watches_reads_and_writes_no_key(followed: str, user: str) -> None:
    async with connect(f"redis://{user}:{WORD}@{followed}") as redis:
        assert await redis.ping()
        for refused in (stream.read_acknowledged(redis, OURS), redis.set("a", "b"), redis.keys()):
            with pytest.raises(NoPermissionError):
                await refused


def test_the_command_writes_what_each_kind_of_redis_needs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = tmp_path / "sentinels.acl"
    for told, others in (
        ([], []),
        (["--sentinels", str(own)], ["replica", "sentinel"]),
        (["--cluster"], ["replica", "keeper"]),
    ):
        assert _write(OURS, OTHER, *told) == 0
        said = capsys.readouterr()
        words = dict(line.split() for line in said.err.splitlines())
        assert list(words) == ["service", f"gateway-{OURS}", f"gateway-{OTHER}", *others]
        lines = [user_line(name, word) for name, word in words.items()]
        assert said.out.splitlines() == [nobody_line(), *lines]
    assert [line.split()[1] for line in own.read_text().splitlines()] == ["default", "sentinel"]


def test_a_list_that_cannot_be_written_is_said_before_any_password(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _write(OURS, "--sentinels", str(tmp_path / "nowhere" / "sentinels.acl")) == 2
    said = capsys.readouterr()
    assert re.search("--sentinels.*nowhere", said.err)
    assert said.out == ""


def _write(*words: str) -> int:
    arguments = make_parser().parse_args(["access-list", *words])
    return COMMAND.run(arguments, {})


def test_a_password_that_could_be_guessed_is_refused() -> None:
    with pytest.raises(ValueError, match=r"small.*20"):
        gateway_line(OURS, "short")


def test_no_line_holds_a_password() -> None:
    assert WORD not in gateway_line(OURS, WORD) + service_line("service", WORD)
