"""`zhibo recorder`: from the live streams to the picture and to PostgreSQL; several may run."""

import asyncio
from argparse import Namespace
from typing import TYPE_CHECKING

import gateway.config
import gateway.process
import occupancy.config
import occupancy.escalation_config
import occupancy.vital_config
import occupancy.web.config
from gateway.process import now_ms
from zhibo.command import Command, Environ
from zhibo.environ import needed
from zhibo.field import list_signs
from zhibo.settings import tls_addresses

if TYPE_CHECKING:
    from occupancy.recorder import Chores


def run(_: Namespace, environ: Environ) -> int:
    from gateway.redis_client import connect
    from occupancy.experiment_shelf import ExperimentShelf
    from occupancy.recorder import Computed, run_recorder
    from routing.guided_faces import GuidedFaces

    redis_url = needed(gateway.config.REDIS_URL, environ)
    postgres_url = needed(occupancy.config.POSTGRES_URL, environ)
    chores = chores_of(environ)

    async def record(stopping: asyncio.Event) -> None:
        async with connect(redis_url) as redis:
            experiments = ExperimentShelf()
            computed = Computed(GuidedFaces(redis, experiments).faces, experiments)
            signs = list_signs()
            await run_recorder(redis, postgres_url, signs, now_ms, stopping, computed, chores)

    gateway.process.run(record)
    return 0


def chores_of(environ: Environ) -> "Chores":
    """As the settings say. Raises BadSettingError."""
    from occupancy.audit_notes import AuditNotes
    from occupancy.database_rollup import Retention
    from occupancy.recorder import Chores

    public_url = occupancy.web.config.PUBLIC_URL.read(environ)
    escalation = occupancy.escalation_config.load_settings(environ, public_url)
    keep = Retention(
        occupancy.config.KEEP_OBSERVATIONS.read(environ),
        occupancy.config.KEEP_MINUTES.read(environ),
        occupancy.config.KEEP_QUARTERS.read(environ),
    )
    notes = AuditNotes(*occupancy.config.audit_places(environ))
    vitals = occupancy.vital_config.load_settings(environ)
    replica, tls = occupancy.config.load_replica(environ), tls_addresses(environ)
    return Chores(escalation, keep, notes, vitals, replica, tls)


COMMAND = Command("recorder", "from the live streams to the picture and to PostgreSQL", run)
