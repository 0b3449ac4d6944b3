"""A streaming replica of a PostgreSQL, made by pg_basebackup as anybody would."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from occupancy.embedded import postgres_program, prepare_postgres


async def make_primary(
    folder: Path, options: Sequence[str], trusted: Sequence[str] = ()
) -> list[str]:
    """The command of a primary that listens; `trusted` networks need no password."""
    server = await prepare_postgres(folder, folder / "logs", options)
    with (folder / "data" / "pg_hba.conf").open("a", encoding="ascii") as file:
        file.writelines(
            f"host {database} all {network} trust\n"
            for network in trusted
            for database in ("all", "replication")
        )
    return list(server.child.command)


async def copy_primary(host: str, port: int, folder: Path, inside: Sequence[str] = ()) -> None:
    """A base backup of a running primary, set up to follow it. `inside` leads the command."""
    folder.mkdir(parents=True, exist_ok=True)
    program = str(postgres_program("pg_basebackup"))
    where = ("-h", host, "-p", str(port), "-U", "zhibo")
    process = await asyncio.create_subprocess_exec(
        *inside,
        program,
        *where,
        "-D",
        str(folder / "data"),
        "-R",
        "-X",
        "stream",
        "-c",
        "fast",
        stderr=asyncio.subprocess.PIPE,
    )
    _, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
