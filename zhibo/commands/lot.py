"""`zhibo lot`: brings a car park in, or takes one out."""

import asyncio
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

import gateway.bay_config
import gateway.push_config
from gateway.process import monotonic_seconds, now_ms
from zhibo.arguments import lot_name
from zhibo.command import FOUND_TROUBLE, Command, Environ, person, say
from zhibo.environ import own_port_offset
from zhibo.field import joined_folder
from zhibo.servers import with_database, with_servers

if TYPE_CHECKING:
    from occupancy.joining import Field, Wish


def ask(parser: ArgumentParser) -> None:
    steps = parser.add_subparsers(dest="what", required=True, metavar="WHAT")
    example = steps.add_parser("example", help="files to fill in")
    example.add_argument("driver", choices=("modbus", "push", "bays"))
    example.add_argument("folder", type=Path, metavar="FOLDER")
    steps.add_parser("list", help="every car park, and where it stands")
    for name, about in (
        ("check", "show what would be written and read every device once; writes nothing"),
        ("new", "the same, then write it; live once its own process is heard"),
    ):
        step = steps.add_parser(name, help=about)
        step.add_argument("file", type=Path, metavar="LOT.toml")
        step.add_argument(
            "--listen", type=float, default=60.0, metavar="SECONDS", help="for posts and sensors"
        )
        if name == "new":
            step.add_argument("--live", action="store_true", help="wait for readings, go live")
            step.add_argument("--wait", type=float, default=300.0, metavar="SECONDS")
            _ask_reason(step)
    for name, about in (
        ("live", "show to everybody a car park that joins"),
        ("remove", "show it no more; history, reports and audit stay"),
    ):
        step = steps.add_parser(name, help=about)
        step.add_argument("lot", metavar="LOT", type=lot_name)
        _ask_reason(step)


def _ask_reason(step: ArgumentParser) -> None:
    step.add_argument("--reason", required=True)
    step.add_argument("--by", metavar="NAME", help="who does it; the user's name by default")
    step.add_argument("--out", type=Path, metavar="FOLDER", help="of drivers' files")


def run(arguments: Namespace, environ: Environ) -> int:
    steps = {
        "example": _example,
        "list": _list,
        "check": _check,
        "new": _bring_in,
        "live": _go_live,
        "remove": _take_out,
    }
    return steps[arguments.what](arguments, environ)


def _example(arguments: Namespace, _: Environ) -> int:
    from occupancy.join_file import Driver
    from occupancy.joining import write_example

    made = write_example(Driver(arguments.driver), arguments.folder)
    print("\n".join(f"fill in {file}" for file in made))
    return 0


def _list(_: Namespace, environ: Environ) -> int:
    from occupancy.joining import list_all

    print("\n".join(with_database(environ, list_all)))
    return 0


def _check(arguments: Namespace, environ: Environ) -> int:
    from occupancy.join_file import read_answers
    from occupancy.joining import check

    field = _field(arguments, environ)
    answers = read_answers(arguments.file, port_offset=own_port_offset(arguments))
    is_good = asyncio.run(check(answers, field, say))
    return 0 if is_good else FOUND_TROUBLE


def _bring_in(arguments: Namespace, environ: Environ) -> int:
    from occupancy.join_file import read_answers
    from occupancy.joining import bring_in

    field = _field(arguments, environ)
    answers = read_answers(arguments.file, port_offset=own_port_offset(arguments))
    wish = _wish(arguments, environ)
    is_done = with_servers(
        environ, lambda redis, pool: bring_in(redis, pool, answers, field, wish, say)
    )
    return 0 if is_done else FOUND_TROUBLE


def _go_live(arguments: Namespace, environ: Environ) -> int:
    from occupancy.joining import go_live

    wish = _wish(arguments, environ)
    with_servers(
        environ,
        lambda redis, pool: go_live(
            redis, pool, arguments.lot, wish.by, wish.reason, now_ms(), say
        ),
    )
    return 0


def _take_out(arguments: Namespace, environ: Environ) -> int:
    from occupancy.joining import take_out

    wish = _wish(arguments, environ)
    with_database(environ, lambda pool: take_out(pool, arguments.lot, wish, now_ms(), say))
    return 0


def _field(arguments: Namespace, environ: Environ) -> "Field":
    from occupancy.joining import Field

    return Field(
        gateway.bay_config.MQTT_URL.read(environ),
        gateway.push_config.PUSH_SECRETS.read(environ),
        now_ms,
        monotonic_seconds,
        arguments.listen,
    )


def _wish(arguments: Namespace, environ: Environ) -> "Wish":
    from occupancy.joining import Wish

    return Wish(
        arguments.by or person(environ),
        arguments.reason,
        arguments.out or joined_folder(environ),
        getattr(arguments, "live", False),
        getattr(arguments, "wait", 0.0),
    )


COMMAND = Command("lot", "bring a car park in, or take one out", run, ask)
