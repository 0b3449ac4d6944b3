"""`zhibo press`: makes the reports that planners ask for, and mails those due."""

import asyncio
import os
from argparse import Namespace

import gateway.process
import occupancy.config
import occupancy.escalation_config
import occupancy.web.config
from gateway.process import now_ms
from zhibo.command import STUDY_NICENESS, Command, Environ
from zhibo.environ import needed
from zhibo.field import list_signs


def run(_: Namespace, environ: Environ) -> int:
    from occupancy.database import pool
    from occupancy.report.making import maker
    from occupancy.report.press import run_press

    postgres_url = needed(occupancy.config.POSTGRES_URL, environ)
    public_url = occupancy.web.config.PUBLIC_URL.read(environ)
    mail = occupancy.escalation_config.load_settings(environ, public_url)
    replica = occupancy.config.load_replica(environ)
    os.nice(STUDY_NICENESS)

    async def make_reports(stopping: asyncio.Event) -> None:
        async with pool(postgres_url) as connections:
            await run_press(connections, now_ms, maker(list_signs()), mail, stopping, replica)

    gateway.process.run(make_reports)
    return 0


COMMAND = Command("press", "makes the reports that planners ask for, and mails those due", run)
