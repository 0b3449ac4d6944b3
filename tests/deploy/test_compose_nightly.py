"""What the host's cron asks of the compose file each night: backup and audit."""

import asyncio
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path

import asyncpg

from gateway.process import now_ms
from occupancy import embedded
from tests.deploy import compose
from tests.deploy.compose import SERVICES
from tests.deploy.nginx import KIT
from tests.e2e.town import shell_environ
from tests.occupancy.test_audit_heads import Noting
from tests.occupancy.test_database_audit import three, unguarded

DOCUMENT = (KIT.parent / "docs/deploy.md").read_text(encoding="utf-8")
NIGHTLY = [name for name, one in SERVICES.items() if one.get("profiles") == ["nightly"]]


def test_each_timer_of_the_units_has_its_line_for_cron() -> None:
    timers = {unit.stem.removeprefix("zhibo-") for unit in KIT.glob("systemd/*.timer")}
    run = r"(?m)^[\d* ]+ root .*docker compose -f deploy/compose\.yaml run --rm -T (\w+)$"
    assert sorted(re.findall(run, DOCUMENT)) == sorted(timers) == sorted(NIGHTLY)


def test_the_backup_is_of_the_servers_version_and_its_folder_is_told_to_be_its_own() -> None:
    assert SERVICES["backup"]["image"] == SERVICES["postgres"]["image"]
    (user,) = re.findall(r"--uid (\d+)", (KIT / "Dockerfile").read_text(encoding="utf-8"))
    assert SERVICES["backup"]["user"] == f"{user}:{user}"
    assert f"`install -d -m 0700 -o {user} -g {user} deploy/backups`" in DOCUMENT


async def test_the_backup_leaves_what_it_restored_in_its_folder(
    postgres_url: str, tmp_path: Path
) -> None:
    lay_out("backup", tmp_path, postgres_url)
    tools = embedded.postgres_program("psql").parent
    status, said = await ask("backup", tmp_path, {"PATH": f"{tools}:{os.defpath}"})
    assert status == 0, said
    dump, seal = sorted(file.name for file in (tmp_path / "backups").iterdir())
    assert (dump.endswith(".dump"), seal) == (True, f"{dump}.sha256")


async def test_the_audit_is_held_against_the_heads_that_recorders_noted_on_their_volume(
    postgres_url: str, connections: asyncpg.Pool, tmp_path: Path
) -> None:
    assert compose.mounts("audit") == compose.mounts("recorder")
    lay_out("audit", tmp_path, postgres_url)
    noting = Noting(connections, tmp_path / "data/audit", now_ms())
    await three(connections)
    await noting.keeper.look()
    front = (sys.executable, "-m", "zhibo")
    status, said = await ask("audit", tmp_path, shell_environ(), *front)
    assert (status, "noted heads up to 3" in said) == (0, True), said
    await unguarded(connections, "DELETE FROM audit WHERE number = 2")
    status, said = await ask("audit", tmp_path, shell_environ(), *front)
    assert status == 1, said


def lay_out(name: str, root: Path, postgres_url: str) -> None:
    compose.lay_out(name, root)
    (root / "run/secrets/ZHIBO_POSTGRES_URL").write_text(f"{postgres_url}\n")


async def ask(
    name: str, root: Path, environ: Mapping[str, str], *before: str
) -> tuple[int | None, str]:
    """Run it as the service is run, whose `/` is this folder."""
    running = await asyncio.create_subprocess_exec(
        *(*before, *compose.command(name, root)),
        env={**compose.environment(name, root), **environ},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await running.communicate()
    return running.returncode, said.decode()
