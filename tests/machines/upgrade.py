"""An upgrade under load: two versions side by side behind nginx, people read and cars move."""

import asyncio
import signal
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import aiohttp

from gateway import stream
from gateway.children import Child
from gateway.config import list_shipped, load_config
from gateway.process import HAND_OVER
from occupancy.first_start import prepare
from tests.faults.history_checker import Verdict
from tests.faults.ledger import compare
from tests.faults.part import Part
from tests.faults.stage import FASTEST, Stage, stage
from tests.free_port import free_port
from tests.machines.previous import ROOT, previous_version
from tests.waiting import until

SEED, SPEED = 20261129, 60.0
GATEWAY_SPEED = 10.0  # what passes while a gateway restarts is told together, in no order
READS_A_SECOND = 40
LOOKS_AFTER = 20  # at the signs, once the last gateway is back
PAGES = ("/v1/lots", "/board", "/v1/lots/kangle", "/v1/alarms", "/m/")
NGINX = Path("/usr/sbin/nginx")
SERVERS = ("recorder-1", "recorder-2", "web", "web-2")
GATEWAYS = tuple(f"gateway-{load_config(path).car_park.lot_id}" for path in list_shipped())
ROLLED = (*SERVERS, *GATEWAYS)


@dataclass
class Outcome:
    """`failed` reads with what they got; `cut` are live streams that did not come back."""

    is_older: bool  # the version before was a real one, with an older schema
    knew_successors: bool  # and a gateway of it would have handed its signs over
    migrations: int = 0
    reads: int = 0
    failed: list[str] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    stream_ends: int = 0
    stream_events: int = 0
    looks_at_signs: int = 0
    dashes: list[str] = field(default_factory=list)  # signs that lost their number meanwhile
    verdict: Verdict | None = None
    log: Path = Path()  # of nginx: which worker answered
    doing: str = "before"
    exit_codes: dict[str, int | None] = field(default_factory=dict)
    older_gateways: dict[str, int | None] = field(default_factory=dict)  # their exit codes


async def run(folder: Path) -> Outcome:
    """Migrate under the older version, roll it part by part, and compare with the truth."""
    older = previous_version(folder)
    told = {**older, "ZHIBO_READS_A_MINUTE": "1000000"}
    log = folder / "nginx" / "access.log"
    outcome = Outcome(bool(older), _knows_successors(older), log=log)
    async with stage(folder / "stage", SEED, SPEED, told) as made:
        second = await _second_web(made)
        async with _nginx(folder, [made.web, second]) as front:
            await made.set_speed(SPEED)
            async with asyncio.TaskGroup() as group:
                readers = [
                    group.create_task(_read(front, outcome, number), name=f"reader {number}")
                    for number in range(READS_A_SECOND // 10)
                ]
                readers.append(group.create_task(_listen(front, outcome), name="live stream"))
                await until(lambda: outcome.reads > READS_A_SECOND and outcome.stream_events > 0)
                outcome.doing = "migrating"
                outcome.migrations = await prepare(made.postgres_url)
                for name in SERVERS:
                    await _roll_server(made, name, outcome)
                await made.set_speed(GATEWAY_SPEED)
                await _roll_gateways(made, outcome)
                before = (outcome.reads, outcome.stream_events)
                await until(
                    lambda: (
                        outcome.reads > before[0] + READS_A_SECOND
                        and outcome.stream_events > before[1]
                    )
                )
                for reader in readers:
                    reader.cancel()
        await made.set_speed(0)
        outcome.verdict = await _settled(made)
    return outcome


async def _roll_server(made: Stage, name: str, outcome: Outcome) -> None:
    """The newer version in its place; on when it is ready and the proxy sends readers there."""
    await _replace(made, name, outcome, signal.SIGTERM)
    if not name.startswith("web"):
        return
    address = f"127.0.0.1:{made.parts[name].child.environ['ZHIBO_PORT']}"
    await until(lambda: _is_ready(made, f"http://{address}"), within_seconds=90)
    seen = outcome.log.stat().st_size
    outcome.doing = f"{name} is ready"
    # The proxy leaves whom it found away alone for a while: the next one must not go before.
    await until(lambda: f"{address} 200" in outcome.log.read_text()[seen:])


def _knows_successors(older: Mapping[str, str]) -> bool:
    """Whether the signal of a restart is one that its gateways listen to."""
    edge = Path(older["PYTHONPATH"], "gateway", "process.py") if older else None
    return edge is None or "HAND_OVER" in edge.read_text()


async def _roll_gateways(made: Stage, outcome: Outcome) -> None:
    """Each to the newer version, then each once more, while somebody looks at the signs."""
    await until(lambda: _all_signs_show(made), within_seconds=60)
    async with asyncio.TaskGroup() as group:
        watching = group.create_task(_watch_signs(made, outcome), name="signs")
        for name in GATEWAYS:
            await _roll_gateway(made, name, outcome)
        outcome.older_gateways = {name: outcome.exit_codes[name] for name in GATEWAYS}
        for name in GATEWAYS:
            await _roll_gateway(made, name, outcome)
        before = outcome.looks_at_signs
        await until(lambda: outcome.looks_at_signs > before + LOOKS_AFTER)
        watching.cancel()


async def _roll_gateway(made: Stage, name: str, outcome: Outcome) -> None:
    """Restarted as its unit does it; on when Redis has heard the successor."""
    lot_id = name.removeprefix("gateway-")
    await _replace(made, name, outcome, HAND_OVER)
    before = await stream.read_held(made.redis, lot_id)

    async def is_heard() -> bool:
        held = await stream.read_held(made.redis, lot_id)
        return held.now is not None and held.now != before.now

    await until(is_heard, within_seconds=90)


async def _watch_signs(made: Stage, outcome: Outcome) -> None:
    """Until cancelled: every dash that a driver would see."""
    while True:
        outcome.dashes += [f"{outcome.doing}: {sign}" for sign in await _dashes(made)]
        outcome.looks_at_signs += 1
        await asyncio.sleep(0.1)


async def _all_signs_show(made: Stage) -> bool:
    return not await _dashes(made)


async def _dashes(made: Stage) -> list[str]:
    """The signs on whose first line stands neither a number nor a word."""
    told = await made.get(made.sim + "/truth")
    signs = [sign for lot in told["lots"] for sign in lot["signs"]]
    return [sign["device"] for sign in signs if sign["lines"][0]["face"] in ("stale", "blank")]


async def _replace(made: Stage, name: str, outcome: Outcome, leaving: signal.Signals) -> None:
    """Stop as systemd does, and start the newer version in its place."""
    outcome.doing = f"rolling {name}"
    part = made.parts[name]
    process = part.process
    await part.end(leaving)
    outcome.exit_codes[name] = process.returncode if process else None
    environ = {
        key: value
        for key, value in part.child.environ.items()
        if key not in ("PYTHONPATH", "PYTHONSAFEPATH")
    }
    part.child = replace(part.child, environ=environ)
    await part.start()


async def _is_ready(made: Stage, web: str) -> bool:
    try:
        async with made.http.get(web + "/readyz") as answer:
            return answer.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False


async def _second_web(made: Stage) -> str:
    """Another web service beside the first."""
    first, port = made.parts["web"].child, free_port()
    environ = {**first.environ, "ZHIBO_PORT": str(port)}
    made.parts["web-2"] = Part(Child("web-2", first.command, environ, first.log_folder))
    await made.parts["web-2"].start()
    web = f"http://127.0.0.1:{port}"
    await until(lambda: _is_ready(made, web), within_seconds=90)
    return web


async def _read(front: str, outcome: Outcome, number: int) -> None:
    """Ten reads a second until cancelled, each on a connection that may be kept."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(10)) as http:
        while True:
            page = PAGES[(outcome.reads + number) % len(PAGES)]
            try:
                async with http.get(front + page) as answer:
                    await answer.read()
                    outcome.statuses[answer.status] += 1
                    if answer.status != 200:
                        outcome.failed.append(f"{outcome.doing}, {page}: {answer.status}")
            except (aiohttp.ClientError, TimeoutError) as trouble:
                outcome.failed.append(f"{outcome.doing}, {page}: {trouble!r}")
            outcome.reads += 1
            await asyncio.sleep(0.1)


async def _listen(front: str, outcome: Outcome) -> None:
    """A browser's live stream: it ends when its worker goes, and comes back by itself."""
    last = ""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(sock_read=30)) as http:
        while True:
            headers = {"Last-Event-ID": last} if last else {}
            async with http.get(front + "/v1/stream", headers=headers) as answer:
                if answer.status != 200:
                    outcome.failed.append(f"{outcome.doing}, /v1/stream: {answer.status}")
                try:
                    async for line in answer.content:
                        if line.startswith(b"id:"):
                            last = line.partition(b":")[2].strip().decode()
                        outcome.stream_events += line.startswith(b"event: lot")
                except aiohttp.ClientPayloadError:
                    pass
            outcome.stream_ends += 1
            await asyncio.sleep(0.1)


async def _settled(made: Stage) -> Verdict:
    """The comparison once every count has arrived."""
    found = await compare(made, FASTEST)

    async def is_clean() -> bool:
        nonlocal found
        found = await compare(made, FASTEST)
        return found.is_clean

    try:
        await until(is_clean, within_seconds=40)
    except TimeoutError:
        return found
    return found


@asynccontextmanager
async def _nginx(folder: Path, webs: list[str]) -> AsyncIterator[str]:
    """Our own proxy settings before these web services, on a free port."""
    port, logs = free_port(), folder / "nginx"
    logs.mkdir()
    servers = "\n".join(
        f"server {web.removeprefix('http://')} max_fails=1 fail_timeout=2s;" for web in webs
    )
    config = logs / "nginx.conf"
    config.write_text(
        f"daemon off; master_process off; pid {logs}/pid; error_log {logs}/error.log;\n"
        "events { worker_connections 512; }\n"
        f"http {{ log_format worker '$upstream_addr $upstream_status';\n"
        f"access_log {logs}/access.log worker;\n"
        f"client_body_temp_path {logs}/a; proxy_temp_path {logs}/b;\n"
        f"fastcgi_temp_path {logs}/c; uwsgi_temp_path {logs}/d; scgi_temp_path {logs}/e;\n"
        f"upstream zhibo_web {{ least_conn; {servers} keepalive 32; }}\n"
        f"server {{ listen 127.0.0.1:{port};\n"
        f"location / {{ include {ROOT}/deploy/nginx/upstream.conf; }}\n"
        f"location = /v1/stream {{ include {ROOT}/deploy/nginx/upstream.conf;\n"
        "proxy_buffering off; proxy_read_timeout 1h; } } }\n"
    )
    child = Child("nginx", [str(NGINX), "-e", f"{logs}/error.log", "-c", str(config)], {}, logs)
    process = await child.start()
    front = f"http://127.0.0.1:{port}"
    async with aiohttp.ClientSession() as http:

        async def answers() -> bool:
            try:
                async with http.get(front + "/healthz") as answer:
                    return answer.status == 200
            except aiohttp.ClientError:
                return False

        try:
            await until(answers)
            yield front
        finally:
            process.send_signal(signal.SIGTERM)
            await process.wait()
