"""Redis on machines of its own over TLS: one server, behind Sentinel, or a Cluster."""

import asyncio
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from redis.asyncio import Redis
from redis.exceptions import RedisError

from gateway.access_list import KEEPER, REPLICA, SENTINEL, SERVICE
from gateway.redis_client import connect
from tests.gateway.redis_kinds import SLOTS
from tests.machines.authority import Authority, Papers
from tests.waiting import until

SERVER = "redis-server"  # Debian's: the one from the wheel knows no TLS
PORT, SENTINEL_PORT = 6380, 26380
TOWN = "town"  # what the sentinels call it
NOTICED_MS = 2_000  # a server that is silent for so long is given up


class Kind(StrEnum):
    SINGLE = "single"
    SENTINEL = "sentinel"
    CLUSTER = "cluster"


SERVERS = {
    Kind.SINGLE: ("redis",),
    Kind.SENTINEL: ("redis-1", "redis-2"),
    Kind.CLUSTER: tuple(f"redis-{number}" for number in range(1, 7)),
}
SENTINELS = ("sentinel-1", "sentinel-2", "sentinel-3")
PRIMARIES = 3  # of a cluster; the others follow them
LOOKS_AFTER = {Kind.SINGLE: SERVICE, Kind.SENTINEL: SENTINEL, Kind.CLUSTER: KEEPER}


class AccessList(NamedTuple):
    """What `zhibo access-list` wrote: the servers' users, the sentinels' own, and passwords."""

    users: Path
    sentinels: Path
    passwords: Mapping[str, str]


def write_access_list(folder: Path, kind: Kind, lots: Sequence[str]) -> AccessList:
    users, own = folder / "users.acl", folder / "sentinels.acl"
    told = {Kind.SENTINEL: ["--sentinels", str(own)], Kind.CLUSTER: ["--cluster"]}.get(kind, [])
    command = [sys.executable, "-m", "zhibo", "access-list", *lots, *told]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    users.write_text(done.stdout)
    words = dict(line.split() for line in done.stderr.splitlines())
    return AccessList(users, own, words)


@dataclass(frozen=True)
class RedisMachines:
    """Where which server is, and who may log in."""

    kind: Kind
    addresses: Mapping[str, str]
    authority: Authority
    access: AccessList

    def url(self, user: str) -> str:
        """As one of ours is told it."""
        own = f"{user}:{self.access.passwords[user]}@"
        trust = f"?ssl_ca_certs={self.authority.certificate}"
        if self.kind is Kind.SENTINEL:
            places = ",".join(f"{self.addresses[name]}:{SENTINEL_PORT}" for name in SENTINELS)
            return f"rediss+sentinel://{own}{places}/{TOWN}{trust}"
        places = ",".join(f"{self.addresses[name]}:{PORT}" for name in SERVERS[self.kind])
        scheme = "rediss+cluster" if self.kind is Kind.CLUSTER else "rediss"
        return f"{scheme}://{own}{places}{'' if self.kind is Kind.CLUSTER else '/0'}{trust}"

    def one(self, name: str) -> Redis:
        """A client of this very server, for who looks after it."""
        user = LOOKS_AFTER[self.kind]
        own = f"{user}:{self.access.passwords[user]}"
        place = f"{self.addresses[name]}:{PORT}"
        return connect(f"rediss://{own}@{place}?ssl_ca_certs={self.authority.certificate}")

    def servers(self, folder: Path) -> dict[str, list[str]]:
        """What runs on each server's machine."""
        return {name: self._server(folder / name, name) for name in SERVERS[self.kind]}

    def sentinels(self, folder: Path) -> dict[str, list[str]]:
        """Started when the replica follows: they look for it at once, and then every 10 s."""
        names = SENTINELS if self.kind is Kind.SENTINEL else ()
        return {name: self._sentinel(folder / name, name) for name in names}

    def _server(self, folder: Path, name: str) -> list[str]:
        folder.mkdir()
        address = self.addresses[name]
        told = [
            *("--port", "0", "--tls-port", str(PORT), "--bind", address),
            *_sealed(self.authority.papers_for(address)),
            *("--aclfile", str(self.access.users), "--save", "", "--dir", str(folder)),
            *("--repl-diskless-sync-delay", "0"),
        ]
        if self.kind is not Kind.SINGLE:
            told += ["--masteruser", REPLICA, "--masterauth", self.access.passwords[REPLICA]]
        if self.kind is Kind.SENTINEL and name != SERVERS[self.kind][0]:
            told += ["--replicaof", self.addresses[SERVERS[self.kind][0]], str(PORT)]
        if self.kind is Kind.CLUSTER:
            told += ["--cluster-enabled", "yes", "--tls-cluster", "yes"]
            told += ["--cluster-node-timeout", str(NOTICED_MS)]
            told += ["--cluster-require-full-coverage", "no"]
        return [SERVER, *told]

    def _sentinel(self, folder: Path, name: str) -> list[str]:
        folder.mkdir()
        address, word = self.addresses[name], self.access.passwords[SENTINEL]
        config = folder / "sentinel.conf"
        primary = self.addresses[SERVERS[Kind.SENTINEL][0]]
        config.write_text(
            f"aclfile {self.access.sentinels}\n"
            f"sentinel sentinel-user {SENTINEL}\nsentinel sentinel-pass {word}\n"
            f"sentinel monitor {TOWN} {primary} {PORT} 2\n"
            f"sentinel auth-user {TOWN} {SENTINEL}\nsentinel auth-pass {TOWN} {word}\n"
            f"sentinel down-after-milliseconds {TOWN} {NOTICED_MS}\n"
            f"sentinel failover-timeout {TOWN} 10000\n"
        )
        ports = ("--port", "0", "--tls-port", str(SENTINEL_PORT), "--bind", address)
        sealed = _sealed(self.authority.papers_for(address))
        return [SERVER, str(config), *ports, *sealed, "--dir", str(folder), "--sentinel"]

    async def join(self) -> None:
        """Wait until the servers are what they shall be together."""
        for name in SERVERS[self.kind]:
            await until(lambda name=name: self._answers(name), within_seconds=60)  # type: ignore[misc]
        if self.kind is Kind.SENTINEL:
            await until(lambda: self.is_following(SERVERS[self.kind][1]), within_seconds=60)
        if self.kind is Kind.CLUSTER:
            await self._make_cluster()

    async def is_watched(self) -> bool:
        """Every sentinel knows the replica and both others."""
        for name in SENTINELS:
            async with self._watcher(name) as redis:
                try:
                    masters = await redis.sentinel_masters()
                except (RedisError, OSError):
                    return False
            (seen,) = masters.values() if isinstance(masters, dict) else masters
            if (seen["num-slaves"], seen["num-other-sentinels"]) != (1, 2):
                return False
        return True

    async def find_primary(self) -> str:
        """The machine whose server the sentinels name."""
        for name in SENTINELS:
            async with self._watcher(name) as redis:
                try:
                    told = await tell(redis, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", TOWN)
                except (RedisError, OSError):
                    continue
            assert isinstance(told, list)
            return self.name_at(told[0].decode())
        raise AssertionError("no sentinel answers")

    def _watcher(self, name: str) -> Redis:
        where = f"rediss://{self.addresses[name]}:{SENTINEL_PORT}"
        return connect(f"{where}?ssl_ca_certs={self.authority.certificate}")

    def name_at(self, address: str) -> str:
        return next(name for name, known in self.addresses.items() if known == address)

    async def _answers(self, name: str) -> bool:
        async with self.one(name) as redis:
            try:
                return bool(await redis.ping())
            except (RedisError, OSError):
                return False

    async def is_following(self, name: str) -> bool:
        """Whether this server is a replica that is up to date with its primary."""
        return (await self._replication(name)).get("master_link_status") == "up"

    async def is_primary(self, name: str) -> bool:
        return (await self._replication(name)).get("role") == "master"

    async def _replication(self, name: str) -> Mapping[str, object]:
        """What it says of itself; nothing while it does not answer."""
        async with self.one(name) as redis:
            try:
                return dict(await redis.info("replication"))
            except (RedisError, OSError):
                return {}

    async def _make_cluster(self) -> None:
        """As `redis-cli --cluster create --cluster-replicas 1` does it."""
        names = SERVERS[Kind.CLUSTER]
        ids = {}
        for name in names:
            async with self.one(name) as redis:
                ids[name] = str(_text(await tell(redis, "CLUSTER", "MYID")))
                number = names.index(name)
                if number < PRIMARIES:
                    first, last = (
                        SLOTS * number // PRIMARIES,
                        SLOTS * (number + 1) // PRIMARIES - 1,
                    )
                    await tell(redis, "CLUSTER", "ADDSLOTSRANGE", first, last)
                await tell(redis, "CLUSTER", "MEET", self.addresses[names[0]], PORT)
        for name in names:
            await until(lambda name=name: self._knows(name, len(names)), within_seconds=60)  # type: ignore[misc]
        for name, primary in zip(names[PRIMARIES:], names, strict=False):
            async with self.one(name) as redis:
                await tell(redis, "CLUSTER", "REPLICATE", ids[primary])
        for name in names[PRIMARIES:]:
            await until(lambda name=name: self.is_following(name), within_seconds=60)  # type: ignore[misc]

    async def _knows(self, name: str, nodes: int) -> bool:
        async with self.one(name) as redis:
            told = str(_text(await tell(redis, "CLUSTER", "INFO")))
        return "cluster_state:ok" in told and f"cluster_known_nodes:{nodes}" in told


async def tell(redis: Redis, *words: str | int) -> object:
    async with asyncio.timeout(10):
        return await redis.execute_command(*words)  # type: ignore[no-untyped-call]


def _text(raw: object) -> object:
    return raw.decode() if isinstance(raw, bytes) else raw


def _sealed(papers: Papers) -> list[str]:
    """TLS for who comes, for who follows, and towards those it watches."""
    files = ["--tls-cert-file", str(papers.certificate), "--tls-key-file", str(papers.key)]
    trust = ["--tls-ca-cert-file", str(papers.authority), "--tls-auth-clients", "no"]
    return [*files, *trust, "--tls-replication", "yes"]
