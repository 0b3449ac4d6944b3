"""The service on machines of their own: edge, Redis, PostgreSQL and its replica, recorder, webs."""

import asyncio
import json
import os
import secrets
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg

from gateway.access_list import gateway_line, nobody_line, service_line
from gateway.children import Child
from gateway.config import list_shipped, load_config
from occupancy.first_start import prepare
from tests.e2e.town import shell_environ
from tests.faults.part import Part
from tests.machines.authority import papers_for
from tests.machines.namespaces import Network, network
from tests.machines.standby import copy_primary, make_primary
from tests.waiting import until

REDIS = "redis-server"  # Debian's: the one from the wheel knows no TLS
MORNING, SPEED = "2026-11-23T08:00:00+08:00", 30.0
PORTS = {"redis": 6380, "postgres": 5432, "web": 8080, "truth": 8090}
POSTGRES = ("fsync=off", "listen_addresses=*", "max_connections=60", "wal_level=replica")


@dataclass
class District:
    """Everything that runs, and who may log in where."""

    network: Network
    parts: dict[str, Part]
    http: aiohttp.ClientSession
    passwords: Mapping[str, str]
    authority: Path

    def redis_url(self, user: str) -> str:
        where = f"{self.network.machines['redis']}:{PORTS['redis']}"
        trust = f"?ssl_ca_certs={self.authority}"
        return f"rediss://{user}:{self.passwords[user]}@{where}/0{trust}"

    def postgres_url(self, machine: str) -> str:
        return f"postgresql://zhibo@{self.network.machines[machine]}:{PORTS['postgres']}/zhibo"

    def web(self, machine: str) -> str:
        return f"http://{self.network.machines[machine]}:{PORTS['web']}"

    async def get(self, url: str) -> Any:  # noqa: ANN401  # JSON
        async with self.http.get(url) as answer:
            assert answer.status == 200, (url, answer.status, await answer.text())
            return await answer.json()

    async def is_true(self, machine: str) -> bool:
        """Whether this web worker shows every car park as it really is."""
        try:
            told = await self.get(self.web(machine) + "/v1/lots")
            real = await self.field("GET", "/truth")
        except (AssertionError, aiohttp.ClientError, TimeoutError):
            return False
        truth = {lot["lot_id"]: lot["occupied"] for lot in real["lots"]}
        return truth == {lot["id"]: lot["live"]["occupied"] for lot in told["lots"]}

    async def field(self, method: str, path: str, body: str = "") -> Any:  # noqa: ANN401
        """The simulated field speaks only on its own machine: asked from inside."""
        words = ["curl", "-sf", "-X", method, f"http://127.0.0.1:{PORTS['truth']}{path}"]
        words += ["-H", "content-type: application/json", "-d", body] if body else []
        return await _answer(self.network.inside("edge", words))


async def _answer(command: list[str]) -> Any:  # noqa: ANN401  # JSON
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    assert process.returncode == 0, command
    return json.loads(output) if output.strip() else None


@asynccontextmanager
async def district(folder: Path) -> AsyncIterator[District]:
    """Up and ready, the town standing still. Raises NoNamespacesError."""
    async with AsyncExitStack() as stack:
        net = await stack.enter_async_context(network())
        for name in ("redis", "primary", "replica", "recorder", "web-1", "web-2", "edge"):
            await net.add(name)
        lots = [load_config(path).car_park.lot_id for path in list_shipped()]
        users = ["service", *(f"gateway-{lot}" for lot in lots)]
        papers = papers_for(folder / "papers", net.machines["redis"])
        patience = aiohttp.ClientTimeout(5)
        http = await stack.enter_async_context(aiohttp.ClientSession(timeout=patience))
        passwords = {user: secrets.token_urlsafe(24) for user in users}
        made = District(net, {}, http, passwords, papers.authority)
        stack.push_async_callback(_end_all, made.parts)
        acl = folder / "users.acl"
        lines = [gateway_line(lot, passwords[f"gateway-{lot}"]) for lot in lots]
        own = service_line("service", passwords["service"])
        acl.write_text("\n".join([nobody_line(), own, *lines]) + "\n")
        tls = ("--tls-cert-file", papers.certificate, "--tls-key-file", papers.key)
        trust = ("--tls-ca-cert-file", papers.authority, "--tls-auth-clients", "no")
        ports = ("--port", "0", "--tls-port", PORTS["redis"], "--bind", net.machines["redis"])
        rest = ("--aclfile", acl, "--save", "", "--dir", folder)
        await _start(made, folder, "redis", [REDIS, *ports, *tls, *trust, *rest])
        trusted = [f"{net.subnet}.0/24"]
        primary = await make_primary(folder / "primary", POSTGRES, trusted)
        await _start(made, folder, "primary", primary)
        await until(lambda: _takes(made, "primary"))
        admin = await asyncpg.connect(
            made.postgres_url("primary").removesuffix("zhibo") + "postgres"
        )
        await admin.execute("CREATE DATABASE zhibo")
        await admin.close()
        await prepare(made.postgres_url("primary"))
        copying = net.inside("replica", [])
        host = net.machines["primary"]
        await copy_primary(host, PORTS["postgres"], folder / "replica", copying)
        await _start(made, folder, "replica", await make_primary(folder / "replica", POSTGRES))
        for part, machine, words in _service(lots):
            await _start_ours(made, folder, part, machine, words)
        for web in ("web-1", "web-2"):
            await until(lambda web=web: _is_ready(made, web), within_seconds=90)  # type: ignore[misc]
        yield made


def _service(lots: list[str]) -> list[tuple[str, str, tuple[str, ...]]]:
    """Each of our processes, its machine, and its command."""
    files = {load_config(path).car_park.lot_id: str(path) for path in list_shipped()}
    return [
        ("sim", "edge", ("sim",)),
        *((f"gateway-{lot}", "edge", ("gateway", files[lot])) for lot in lots),
        ("recorder", "recorder", ("recorder",)),
        ("web-1", "web-1", ("serve",)),
        ("web-2", "web-2", ("serve",)),
    ]


async def _start_ours(
    made: District, folder: Path, name: str, machine: str, words: tuple[str, ...]
) -> None:
    user = name if name.startswith("gateway") else "service"
    told = {
        **shell_environ(),
        "ZHIBO_CHILD": "1",
        "ZHIBO_DATA": str(folder / name),
        "ZHIBO_OUTBOX": str(folder / "outbox"),
        "ZHIBO_REDIS_URL": made.redis_url(user),
        "ZHIBO_SIM_SPEED": "0",
        "ZHIBO_SIM_START": MORNING,
        "ZHIBO_COUNTER_RATE_FACTOR": "120",
        "ZHIBO_HOST": "0.0.0.0",  # noqa: S104  # of a namespace
        "ZHIBO_REPLICA_LAG_SECONDS": "10",
    }
    if user == "service":  # a gateway knows no database
        told["ZHIBO_POSTGRES_URL"] = made.postgres_url("primary")
        told["ZHIBO_POSTGRES_REPLICA_URL"] = made.postgres_url("replica")
    await _start(made, folder, machine, [sys.executable, "-m", "zhibo", *words], told, name)


async def _start(
    made: District,
    folder: Path,
    machine: str,
    command: list[Any],
    environ: Mapping[str, str] | None = None,
    name: str = "",
) -> None:
    words = made.network.inside(machine, [str(word) for word in command])
    told = environ or {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
    part = Part(Child(name or machine, words, told, folder / "logs"))
    made.parts[part.name] = part
    await part.start()


async def _takes(made: District, machine: str) -> bool:
    url = made.postgres_url(machine).removesuffix("zhibo") + "postgres"
    try:
        await (await asyncpg.connect(url, timeout=2)).close()
    except (OSError, TimeoutError, asyncpg.PostgresError):
        return False
    return True


async def _is_ready(made: District, web: str) -> bool:
    for part in made.parts.values():
        assert part.is_running, part.last_words()
    try:
        return bool(await made.get(made.web(web) + "/readyz"))
    except (AssertionError, aiohttp.ClientError, TimeoutError):
        return False


async def _end_all(parts: Mapping[str, Part]) -> None:
    for part in reversed(list(parts.values())):
        await part.end()
