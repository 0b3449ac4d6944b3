"""`zhibo migrate`: brings the database to this version."""

import asyncio
from argparse import Namespace

import occupancy.config
from zhibo.command import Command, Environ
from zhibo.environ import needed


def run(_: Namespace, environ: Environ) -> int:
    from occupancy.first_start import prepare

    steps = asyncio.run(prepare(needed(occupancy.config.POSTGRES_URL, environ)))
    print(f"{steps} migrations applied" if steps else "the database is up to date")
    return 0


COMMAND = Command("migrate", "bring the database to this version", run)
