"""`zhibo push`: takes what gate systems of other firms push over HTTP."""

from argparse import Namespace

import gateway.config
import gateway.process
from gateway.process import monotonic_seconds, now_ms
from zhibo.arguments import ask_config
from zhibo.command import Command, Environ
from zhibo.environ import needed


def run(arguments: Namespace, environ: Environ) -> int:
    from gateway.push_config import PUSH_SECRETS, load_push_config, load_senders
    from gateway.push_receiver import ReceiverSettings, run_receiver

    config = load_push_config(arguments.config)
    senders = load_senders(config, PUSH_SECRETS.read(environ))
    settings = ReceiverSettings(
        host=config.host,
        port=config.port,
        redis_url=needed(gateway.config.REDIS_URL, environ),
        outbox_folder=gateway.config.OUTBOX_FOLDER.read(environ),
        outbox_mib=gateway.config.OUTBOX_MIB.read(environ),
    )
    gateway.process.run(
        lambda stopping: run_receiver(senders, settings, now_ms, monotonic_seconds, stopping)
    )
    return 0


COMMAND = Command("push", "takes what gate systems of other firms push over HTTP", run, ask_config)
