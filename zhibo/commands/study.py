"""`zhibo study`: plays the what-if studies that planners ask for."""

import asyncio
import os
import re
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from functools import partial
from typing import TYPE_CHECKING

import gateway.process
import lot_sim.config
import occupancy.config
from zhibo.command import FOUND_TROUBLE, STUDY_NICENESS, Command, Environ
from zhibo.environ import needed
from zhibo.servers import with_database

if TYPE_CHECKING:
    from lot_sim.scenario import Scenario


def ask(parser: ArgumentParser) -> None:
    steps = parser.add_subparsers(dest="what", required=True, metavar="WHAT")
    steps.add_parser("work", help="play what is asked for, until stopped; several may run")
    again = steps.add_parser("again", help="play a kept study again: is the outcome the same?")
    again.add_argument("number", type=_number, metavar="NUMBER")


def run(arguments: Namespace, environ: Environ) -> int:
    """`work` until it is stopped, `again` one of them, for its check."""
    from lot_sim.study_player import StudyPlayer
    from lot_sim.study_spec import BadStudyError
    from occupancy.database import pool
    from occupancy.study_worker import StudyWorker, play_again

    make = partial(StudyPlayer, believed=_believed_town(environ))
    if arguments.what == "again":
        is_same, words = with_database(
            environ, lambda connections: play_again(connections, arguments.number, make)
        )
        print(words)
        return 0 if is_same else FOUND_TROUBLE
    postgres_url = needed(occupancy.config.POSTGRES_URL, environ)
    os.nice(STUDY_NICENESS)

    async def play(stopping: asyncio.Event) -> None:
        async with pool(postgres_url) as connections:
            worker = StudyWorker(connections, f"{os.getpid()}", make, (BadStudyError,))
            await worker.keep_playing(stopping)

    gateway.process.run(play)
    return 0


def _believed_town(environ: Environ) -> "Scenario":
    from lot_sim.scenario import parse_scenario

    file = lot_sim.config.SCENARIO.read(environ)
    return parse_scenario(file.read_text(encoding="utf-8"), file.name)


def _number(raw: str) -> int:
    if not re.fullmatch(r"\d{1,15}", raw):
        raise ArgumentTypeError(f"{raw!r} is no number of a study")
    return int(raw)


COMMAND = Command("study", "play the what-if studies that planners ask for", run, ask)
