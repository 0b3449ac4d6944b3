"""`zhibo destinations`: what citizens may call places, listed and edited."""

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

import occupancy.config
import routing.config
from gateway.address import without_password
from gateway.settings import BadSettingError
from zhibo.command import Command, Environ, person
from zhibo.environ import needed
from zhibo.servers import with_database

if TYPE_CHECKING:
    from occupancy.database import Pool


def ask(parser: ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="what", required=True, metavar="WHAT")
    listed = actions.add_parser("list", help="all, or those that some words may mean")
    listed.add_argument("which", nargs="?", default="", metavar="WORDS")
    brought = actions.add_parser("write", help="add those of a file, or replace them by their ids")
    brought.add_argument("which", metavar="FILE.toml")
    removed = actions.add_parser("remove", help="take one out")
    removed.add_argument("which", metavar="ID")


def run(arguments: Namespace, environ: Environ) -> int:
    from occupancy.database import NOT_READY
    from routing.destination_desk import bring, show, take_out

    postgres_url = needed(occupancy.config.POSTGRES_URL, environ)
    district = routing.config.DISTRICT.read(environ)

    async def act(connections: "Pool") -> str:
        if arguments.what == "write":
            return await bring(connections, Path(arguments.which), district, person(environ))
        if arguments.what == "remove":
            return await take_out(connections, arguments.which)
        return await show(connections, arguments.which)

    try:
        print(with_database(environ, act))
    except NOT_READY as trouble:
        raise BadSettingError(
            f"{occupancy.config.POSTGRES_URL.name}={without_password(postgres_url)}: "
            f"{trouble or 'no answer'}; "
            "start PostgreSQL there, set another address, or run `zhibo migrate`"
        ) from None
    return 0


COMMAND = Command("destinations", "what citizens may call places: list, edit", run, ask)
