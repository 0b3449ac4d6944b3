"""The nightly backup with the kit's own roles, and what it does when its restore is not whole."""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import asyncpg
import pytest

from occupancy import database, embedded
from tests.free_port import free_port
from tests.waiting import until

KIT = Path(__file__).parents[2] / "deploy"
WORD = "a word: 100%\\sure"
IN_A_URL = "a%20word%3A%20100%25%5Csure"
LOGINS = ("zhibo_owner", "zhibo_backup", "zhibo_pages", "zhibo_service")


@dataclass(frozen=True)
class Backup:
    """One run of the script, as the unit starts it: its database stands in a credential."""

    folder: Path
    programs: Path

    def __post_init__(self) -> None:
        for made in (self.folder, self.programs):
            made.mkdir()
        (self.folder / "zhibo-20200101T000000Z.dump").write_text("old")
        os.utime(self.folder / "zhibo-20200101T000000Z.dump", (0, 0))

    def instead(self, name: str, lines: str) -> None:
        """Another program of this name; REAL is the one of the server."""
        real = str(embedded.postgres_program(name))
        (self.programs / name).write_text(f"#!/bin/bash\nset -e\n{lines.replace('REAL', real)}\n")
        (self.programs / name).chmod(0o700)

    async def run(self, url: str) -> tuple[int, str]:
        return await asyncio.to_thread(self._run, url)

    def names(self) -> list[str]:
        return sorted(file.name for file in self.folder.iterdir())

    def kept_the_old_alone(self) -> bool:
        return self.names() == ["zhibo-20200101T000000Z.dump"]

    def _run(self, url: str) -> tuple[int, str]:
        (self.programs / "ZHIBO_POSTGRES_URL").write_text(f"{url}\n")
        tools = embedded.postgres_program("psql").parent
        done = subprocess.run(  # noqa: S603 -- our own file
            [str(KIT / "backup/backup.sh"), str(self.folder)],
            capture_output=True,
            text=True,
            check=False,
            env={
                "PATH": f"{self.programs}:{tools}:{os.defpath}",
                "CREDENTIALS_DIRECTORY": str(self.programs),
            },
        )
        return done.returncode, done.stdout + done.stderr


@pytest.fixture
def backup(tmp_path: Path) -> Backup:
    return Backup(tmp_path / "backups", tmp_path / "programs")


@dataclass(frozen=True)
class Server:
    """A server as the kit sets it up."""

    port: int
    admin: asyncpg.Connection

    def url(self, role: str, name: str = "zhibo") -> str:
        return f"postgresql://{role}:{IN_A_URL}@127.0.0.1:{self.port}/{name}"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    """Fresh, with roles.sql run on it, and letting in whom pg_hba.conf.example lets in.

    The embedded server knows no TLS: its lines say `host` where the kit says `hostssl`.
    """
    port = free_port()
    options = ("listen_addresses=127.0.0.1", f"port={port}", "fsync=off")
    made = await embedded.prepare_postgres(tmp_path / "pg", tmp_path / "logs", options)
    made = replace(made, url=f"{made.url}&port={port}")
    async with embedded.running(made) as url:
        top = url.replace("/zhibo?", "/postgres?")
        admin = await asyncpg.connect(top)
        await admin.execute("DROP DATABASE zhibo")  # the embedded one's; the kit makes its own
        await _psql(top, KIT / "postgres/roles.sql")
        for role in LOGINS:
            await admin.execute(f"ALTER ROLE {role} PASSWORD '{WORD}'")
        rules = (KIT / "postgres/pg_hba.conf.example").read_text(encoding="ascii")
        (tmp_path / "pg/data/pg_hba.conf").write_text(rules.replace("hostssl", "host"))
        await admin.execute("SELECT pg_reload_conf()")
        await until(lambda: _is_refused(top))
        yield Server(port, admin)
        await admin.close()


async def _psql(url: str, file: Path) -> None:
    psql = str(embedded.postgres_program("psql"))
    process = await asyncio.create_subprocess_exec(
        *(psql, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", str(file), url)
    )
    assert await process.wait() == 0


async def _is_refused(url: str) -> bool:
    try:
        await (await asyncpg.connect(url)).close()
    except asyncpg.InvalidAuthorizationSpecificationError:
        return True
    return False


async def test_the_units_role_makes_a_backup_on_a_server_set_up_by_the_kit(
    server: Server, backup: Backup
) -> None:
    await database.migrate(server.url("zhibo_owner"))
    backup.instead("pg_dump", f'echo "$@" > "{backup.programs}/said"\nexec REAL "$@"')
    status, said = await backup.run(server.url("zhibo_backup"))
    assert status == 0, said
    dump, seal = backup.names()
    assert said.strip() == f"restored and counted: {backup.folder / dump}"
    assert seal == f"{dump}.sha256"
    assert IN_A_URL not in (backup.programs / "said").read_text()
    found = await server.admin.fetch("SELECT datname FROM pg_database WHERE datallowconn")
    assert {row["datname"] for row in found} == {"postgres", "template1", "zhibo"}


async def test_the_backups_role_reads_all_and_writes_nothing_and_comes_nowhere_else(
    server: Server,
) -> None:
    await database.migrate(server.url("zhibo_owner"))
    connection = await asyncpg.connect(server.url("zhibo_backup"))
    assert await connection.fetchval("SELECT count(*) FROM lot") == 0
    for refused in (
        "INSERT INTO lot (lot_id, facts) VALUES ('a', '{}')",
        "DELETE FROM audit",
        "CREATE TABLE mine ()",
        "SET ROLE zhibo_owner",
        "DROP DATABASE zhibo",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(refused)
    await connection.close()
    for name in ("postgres", "template1"):
        assert await _is_refused(server.url("zhibo_backup", name))
    for role in ("zhibo_owner", "zhibo_pages", "zhibo_service"):
        assert await _is_refused(server.url(role, "zhibo_rehearsal"))


async def test_rows_that_come_during_the_dump_do_not_trouble_the_comparison(
    postgres_url: str, connections: asyncpg.Pool, backup: Backup
) -> None:
    psql = embedded.postgres_program("psql")
    write = "INSERT INTO lot (lot_id, facts) VALUES ('meanwhile', '{}')"
    backup.instead("pg_dump", f'{psql} -X -q "{postgres_url}" -c "{write}"\nexec REAL "$@"')
    status, said = await backup.run(postgres_url)
    assert status == 0, said
    assert await connections.fetchval("SELECT count(*) FROM lot") == 1
    assert "zhibo-20200101T000000Z.dump" not in backup.names()


@pytest.mark.parametrize(
    ("lost", "words"),
    [
        ("DELETE FROM lot WHERE lot_id = 'a'", "public.lot 1"),
        ("DELETE FROM lot", "public.lot 0"),
        ("INSERT INTO lot (lot_id, facts) VALUES ('c', '{}')", "public.lot 3"),
        ("DELETE FROM raw_of_november", "public.raw_of_november 0"),
    ],
)
async def test_rows_that_did_not_come_back_are_named_and_old_backups_stay(
    lost: str, words: str, postgres_url: str, connections: asyncpg.Pool, backup: Backup
) -> None:
    await connections.execute("INSERT INTO lot (lot_id, facts) VALUES ('a', '{}'), ('b', '{}')")
    await connections.execute(
        "CREATE TABLE raw (at date) PARTITION BY RANGE (at);"
        "CREATE TABLE raw_of_november PARTITION OF raw"
        " FOR VALUES FROM ('2026-11-01') TO ('2026-12-01');"
        "INSERT INTO raw VALUES ('2026-11-29')"
    )
    psql = embedded.postgres_program("psql")
    backup.instead("pg_restore", f'REAL "$@"\n{psql} -X -q "$rehearsal_url" -c "{lost}"')
    status, said = await backup.run(postgres_url)
    assert status == 1
    assert f"restored: {words}\n" in said
    assert "in the dump: " in said
    assert backup.kept_the_old_alone()
    assert await _rehearsals(connections) == []


async def test_a_table_without_rows_that_did_not_come_back_is_named(
    postgres_url: str, backup: Backup
) -> None:
    psql = embedded.postgres_program("psql")
    backup.instead("pg_restore", f'REAL "$@"\n{psql} -q "$rehearsal_url" -c "DROP TABLE trip"')
    status, said = await backup.run(postgres_url)
    assert (status, "in the dump: public.trip 0\n" in said) == (1, True)
    assert backup.kept_the_old_alone()


async def test_a_restore_without_any_rows_is_no_backup(postgres_url: str, backup: Backup) -> None:
    backup.instead("pg_restore", 'exec REAL --schema-only "$@"')
    status, said = await backup.run(postgres_url)
    assert (status, "restored: public.schema_version 0\n" in said) == (1, True)
    assert backup.kept_the_old_alone()


async def test_a_dump_that_fails_leaves_nothing_and_keeps_the_old_ones(
    postgres_url: str, backup: Backup
) -> None:
    backup.instead("pg_dump", 'REAL "$@"\nexit 1')
    status, said = await backup.run(postgres_url)
    assert (status, "pg_dump failed" in said) == (3, True)
    assert backup.kept_the_old_alone()


async def test_a_server_that_is_not_there_is_named_and_old_backups_stay(backup: Backup) -> None:
    status, said = await backup.run("postgresql://127.0.0.1:1/nothing")
    assert (status, "127.0.0.1" in said) == (2, True)
    assert backup.kept_the_old_alone()


async def test_a_database_that_a_killed_backup_left_is_made_anew(
    postgres_url: str, connections: asyncpg.Pool, backup: Backup
) -> None:
    name = await connections.fetchval("SELECT current_database() || '_rehearsal'")
    await connections.execute(f"CREATE DATABASE {name}")
    status, said = await backup.run(postgres_url)
    assert status == 0, said
    assert await _rehearsals(connections) == []


async def _rehearsals(connections: asyncpg.Pool) -> list[str]:
    found = await connections.fetch("SELECT datname FROM pg_database WHERE datname ~ 'rehearsal'")
    return [row["datname"] for row in found]
