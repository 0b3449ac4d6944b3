"""`zhibo bays`: listens to wireless bay sensors over MQTT."""

from argparse import Namespace

import gateway.bay_config
import gateway.config
import gateway.process
from gateway.process import monotonic_seconds, now_ms
from zhibo.arguments import ask_config
from zhibo.command import Command, Environ
from zhibo.environ import needed


def run(arguments: Namespace, environ: Environ) -> int:
    from gateway.bay_config import load_bay_config, load_maps, read_broker
    from gateway.bay_receiver import BaySettings, run_bays

    config = load_bay_config(arguments.config)
    broker = read_broker(needed(gateway.bay_config.MQTT_URL, environ), config.authority)
    settings = BaySettings(
        redis_url=needed(gateway.config.REDIS_URL, environ),
        outbox_folder=gateway.config.OUTBOX_FOLDER.read(environ),
        outbox_mib=gateway.config.OUTBOX_MIB.read(environ),
    )
    maps = load_maps(config)
    gateway.process.run(
        lambda stopping: run_bays(
            config, maps, broker, settings, now_ms, monotonic_seconds, stopping
        )
    )
    return 0


COMMAND = Command("bays", "listens to wireless bay sensors over MQTT", run, ask_config)
