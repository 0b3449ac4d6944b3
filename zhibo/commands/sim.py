"""`zhibo sim`: simulated field devices only."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

import gateway.process
import lot_sim.config
from zhibo.arguments import ask_town
from zhibo.command import Command, Environ


def ask(parser: ArgumentParser) -> None:
    parser.add_argument("config", type=Path, nargs="?", metavar="CONFIG.toml")
    ask_town(parser)


def run(arguments: Namespace, environ: Environ) -> int:
    from lot_sim.run import run_sim

    chosen = {lot_sim.config.SCENARIO.name: str(arguments.config)} if arguments.config else {}
    settings = lot_sim.config.load_settings({**environ, **chosen})
    gateway.process.run(lambda stopping: run_sim(settings, stopping))
    return 0


COMMAND = Command("sim", "simulated field devices only", run, ask)
