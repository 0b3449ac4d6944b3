"""`zhibo gateway`: one car park's gateway, on the box in the car park."""

import asyncio
from argparse import Namespace

import gateway.config
import gateway.process
from gateway.process import monotonic_seconds, now_ms
from zhibo.arguments import ask_config
from zhibo.command import Command, Environ
from zhibo.environ import needed, own_port_offset


def run(arguments: Namespace, environ: Environ) -> int:
    from gateway.station import StationSettings, run_gateway

    offset = own_port_offset(arguments)
    config = gateway.config.load_config(arguments.config, port_offset=offset)
    settings = StationSettings(
        redis_url=needed(gateway.config.REDIS_URL, environ),
        outbox_folder=gateway.config.OUTBOX_FOLDER.read(environ),
        rate_factor=gateway.config.RATE_FACTOR.read(environ),
        outbox_mib=gateway.config.OUTBOX_MIB.read(environ),
    )
    handed_over = asyncio.Event()
    gateway.process.run(
        lambda stopping: run_gateway(
            config, settings, now_ms, monotonic_seconds, stopping, handed_over
        ),
        handed_over,
    )
    return 0


COMMAND = Command("gateway", "one car park's gateway", run, ask_config)
