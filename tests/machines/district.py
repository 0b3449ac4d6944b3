"""The service on machines of their own: car parks, Redis, PostgreSQL, recorder, web workers."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg

from gateway.access_list import SERVICE
from gateway.children import Child
from gateway.config import list_shipped, load_config
from occupancy.first_start import prepare
from tests.e2e.town import shell_environ
from tests.faults import stepped_clock
from tests.faults.part import Part
from tests.machines.authority import Authority
from tests.machines.namespaces import Network, network
from tests.machines.redis_machines import SENTINELS, SERVERS, Kind, RedisMachines, write_access_list
from tests.machines.standby import copy_primary, make_primary
from tests.waiting import until

MORNING, SPEED = "2026-11-23T08:00:00+08:00", 30.0
PORTS = {"postgres": 5432, "web": 8080, "truth": 8090}
POSTGRES = ("fsync=off", "listen_addresses=*", "max_connections=60", "wal_level=replica")
ALL_LOTS = tuple(load_config(path).car_park.lot_id for path in list_shipped())
LOOKS = 4


@dataclass(frozen=True)
class Plan:
    """What kind of Redis, which car parks have a gateway, and whether reports have a replica."""

    kind: Kind = Kind.SINGLE
    lots: Sequence[str] = ALL_LOTS
    webs: Sequence[str] = ("web-1", "web-2")
    has_replica: bool = True

    @property
    def machines(self) -> list[str]:
        sentinels = SENTINELS if self.kind is Kind.SENTINEL else ()
        replica = ("replica",) if self.has_replica else ()
        rest = ("primary", *replica, "recorder", *self.webs, "field", *map(edge_of, self.lots))
        return [*SERVERS[self.kind], *sentinels, *rest]


def edge_of(lot_id: str) -> str:
    """The machine in this car park: its gateway's."""
    return f"edge-{lot_id}"


@dataclass
class District:
    """Everything that runs. `field_addresses`: where each gateway finds its devices."""

    plan: Plan
    folder: Path
    network: Network
    redis: RedisMachines
    http: aiohttp.ClientSession
    parts: dict[str, Part] = field(default_factory=dict)
    field_addresses: dict[str, str] = field(default_factory=dict)

    @property
    def clock_file(self) -> Path:
        """Of the web workers: by how much their clock is wrong."""
        return self.folder / "clock"

    def postgres_url(self, machine: str) -> str:
        return f"postgresql://zhibo@{self.network.machines[machine]}:{PORTS['postgres']}/zhibo"

    def web(self, machine: str) -> str:
        return f"http://{self.network.machines[machine]}:{PORTS['web']}"

    async def get(self, url: str) -> Any:  # noqa: ANN401  # JSON
        async with self.http.get(url) as answer:
            assert answer.status == 200, (url, answer.status, await answer.text())
            return await answer.json()

    async def lots(self, machine: str = "web-1") -> dict[str, Any]:
        """What this web worker shows of each car park that has a gateway."""
        told = await self.get(self.web(machine) + "/v1/lots")
        return {lot["id"]: lot["live"] for lot in told["lots"] if lot["id"] in self.plan.lots}

    async def truth(self) -> dict[str, Any]:
        told = await self.get(f"{self._field}/truth")
        return {lot["lot_id"]: lot for lot in told["lots"] if lot["lot_id"] in self.plan.lots}

    async def false_lots(self, machine: str = "web-1") -> set[str]:
        """The car parks that this web worker shows otherwise than they really are."""
        try:
            told, real = await self.lots(machine), await self.truth()
        except (AssertionError, aiohttp.ClientError, TimeoutError):
            return set(self.plan.lots)
        return {lot for lot in real if told[lot]["occupied"] != real[lot]["occupied"]}

    async def is_true(self) -> bool:
        """Whether every web worker shows every car park as it really is."""
        return not any([await self.false_lots(web) for web in self.plan.webs])

    async def set_speed(self, speed: float) -> None:
        async with self.http.post(f"{self._field}/clock", json={"speed": speed}) as answer:
            assert answer.status < 300, await answer.text()

    async def drive(self, cars: int, speed: float = SPEED) -> None:
        """Let cars move until so many more have come or gone, then let the town stand still."""
        before = await self.moved()
        await self.set_speed(speed)

        async def are_enough() -> bool:
            return await self.moved() >= before + cars

        await until(are_enough, within_seconds=90)
        await self.set_speed(0)

    async def moved(self) -> int:
        return sum(lot["entries"] + lot["exits"] for lot in (await self.truth()).values())

    async def recorded(self) -> int:
        """Entries and exits as history has them, from each car park's newest row."""
        connection = await asyncpg.connect(self.postgres_url("primary"), timeout=5)
        try:
            return int(
                await connection.fetchval(
                    "SELECT sum(entries_total + exits_total) FROM (SELECT DISTINCT ON (lot_id) * "
                    "FROM observation ORDER BY lot_id, epoch DESC, sequence DESC) AS newest"
                )
            )
        finally:
            await connection.close()

    async def settled(self) -> int:
        """The same, once it has stood still for longer than history waits between two looks."""
        seen: list[int] = []

        async def stands_still() -> bool:
            await asyncio.sleep(1)
            seen.append(await self.recorded())
            return len(seen) > LOOKS and len(set(seen[-LOOKS:])) == 1

        await until(stands_still, within_seconds=60)
        return seen[-1]

    @property
    def _field(self) -> str:
        return f"http://{self.network.machines['field']}:{PORTS['truth']}"


@asynccontextmanager
async def district(folder: Path, plan: Plan | None = None) -> AsyncIterator[District]:
    """Up and ready, the town standing still. Raises NoNamespacesError."""
    plan = plan or Plan()
    async with AsyncExitStack() as stack:
        net = await stack.enter_async_context(network())
        for name in plan.machines:
            await net.add(name)
        access = write_access_list(folder, plan.kind, plan.lots)
        redis = RedisMachines(plan.kind, net.machines, Authority(folder / "papers"), access)
        patience = aiohttp.ClientTimeout(5)
        http = await stack.enter_async_context(aiohttp.ClientSession(timeout=patience))
        made = District(plan, folder, net, redis, http)
        stack.push_async_callback(_end_all, made.parts)
        stepped_clock.step(made.clock_file, 0)
        for name, command in redis.servers(folder).items():
            await _start(made, name, command)
        await redis.join()
        for name, command in redis.sentinels(folder).items():
            await _start(made, name, command)
        await _start_postgres(made)
        for lot_id in plan.lots:
            made.field_addresses[lot_id] = await net.wire("field", edge_of(lot_id))
        for part, machine, words in _service(made):
            await _start_ours(made, part, machine, words)
        for web in plan.webs:
            await until(lambda web=web: _is_ready(made, web), within_seconds=90)  # type: ignore[misc]
        yield made


async def _start_postgres(made: District) -> None:
    """The primary with our schema, and its replica where the plan has one."""
    trusted = [f"{made.network.subnet}.0/24"]
    primary = await make_primary(made.folder / "primary", POSTGRES, trusted)
    await _start(made, "primary", primary)
    await until(lambda: _takes(made, "primary"))
    admin = await asyncpg.connect(made.postgres_url("primary").removesuffix("zhibo") + "postgres")
    await admin.execute("CREATE DATABASE zhibo")
    await admin.close()
    await prepare(made.postgres_url("primary"))
    if made.plan.has_replica:
        copying, host = made.network.inside("replica", []), made.network.machines["primary"]
        await copy_primary(host, PORTS["postgres"], made.folder / "replica", copying)
        await _start(made, "replica", await make_primary(made.folder / "replica", POSTGRES))


def _service(made: District) -> list[tuple[str, str, tuple[str, ...]]]:
    """Each of our processes, its machine, and its command."""
    return [
        ("sim", "field", ("sim",)),
        *(
            (f"gateway-{lot}", edge_of(lot), ("gateway", str(_car_park(made, lot))))
            for lot in made.plan.lots
        ),
        ("recorder", "recorder", ("recorder",)),
        *((web, web, ("serve",)) for web in made.plan.webs),
    ]


def _car_park(made: District, lot_id: str) -> Path:
    """The car park's file with its devices where they are: at the other end of its own wire."""
    (shipped,) = (p for p in list_shipped() if load_config(p).car_park.lot_id == lot_id)
    host = f'host = "{made.field_addresses[lot_id]}"'
    file = made.folder / f"{lot_id}.toml"
    text = shipped.read_text(encoding="utf-8")
    file.write_text(re.sub(r"(?m)^port = \d+$", rf"\g<0>\n{host}", text), encoding="utf-8")
    return file


async def _start_ours(made: District, name: str, machine: str, words: tuple[str, ...]) -> None:
    user = name if name.startswith("gateway") else SERVICE
    told = {
        **shell_environ(),
        "ZHIBO_CHILD": "1",
        "ZHIBO_DATA": str(made.folder / name),
        "ZHIBO_OUTBOX": str(made.folder / "outbox"),
        "ZHIBO_REDIS_URL": made.redis.url(user),
        "ZHIBO_SIM_SPEED": "0",
        "ZHIBO_SIM_START": MORNING,
        "ZHIBO_SIM_HOST": "0.0.0.0",  # noqa: S104  # of a namespace
        "ZHIBO_COUNTER_RATE_FACTOR": "120",
        "ZHIBO_HOST": "0.0.0.0",  # noqa: S104  # of a namespace
        "ZHIBO_READS_A_MINUTE": "1000000",
        "ZHIBO_WRITES_A_MINUTE": "1000000",
        "ZHIBO_REPLICA_LAG_SECONDS": "10",
    }
    if user == SERVICE:  # a gateway knows no database
        told["ZHIBO_POSTGRES_URL"] = made.postgres_url("primary")
        if made.plan.has_replica:
            told["ZHIBO_POSTGRES_REPLICA_URL"] = made.postgres_url("replica")
    is_web = name in made.plan.webs
    front = ["tests.faults.stepped_clock", str(made.clock_file)] if is_web else ["zhibo"]
    await _start(made, machine, [sys.executable, "-m", *front, *words], told, name)


async def _start(
    made: District,
    machine: str,
    command: list[str],
    environ: Mapping[str, str] | None = None,
    name: str = "",
) -> None:
    told = environ or {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
    words = made.network.inside(machine, command)
    part = Part(Child(name or machine, words, told, made.folder / "logs"))
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
    """Whether it has heard every car park that has a gateway."""
    for part in made.parts.values():
        assert part.is_running, part.last_words()
    try:
        told = await made.lots(web)
    except (AssertionError, aiohttp.ClientError, TimeoutError):
        return False
    return all(live["observed_at"] for live in told.values())


async def _end_all(parts: Mapping[str, Part]) -> None:
    for part in reversed(list(parts.values())):
        await part.end()
