"""`zhibo report`: the congestion report of some days, as files."""

import datetime as dt
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from gateway.process import now_ms
from gateway.settings import BadSettingError
from zhibo.arguments import ask_days
from zhibo.command import FOUND_TROUBLE, Command, Environ
from zhibo.field import list_signs
from zhibo.servers import with_database


def ask(parser: ArgumentParser) -> None:
    ask_days(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--lots", nargs="*", default=[], metavar="LOT", help="only these")


def run(arguments: Namespace, environ: Environ) -> int:
    from occupancy.report.folder import write_folder
    from occupancy.report.kept import Subject
    from occupancy.report.making import maker
    from occupancy.report.pdf import NoPdfError
    from occupancy.report.period import make_period

    today = dt.datetime.fromtimestamp(
        now_ms() / 1_000, tz=dt.timezone(dt.timedelta(hours=8))
    ).date()
    if arguments.first > today:
        raise BadSettingError(f"--from {arguments.first} lies in the future: today is {today}")
    subject = Subject(make_period(arguments.first, arguments.last), tuple(sorted(arguments.lots)))

    def say_share(share: float) -> None:
        print(f"{share:4.0%} gathered", file=sys.stderr, flush=True)

    make = maker(list_signs())
    made = with_database(environ, lambda pool: make(pool, subject, now_ms(), say_share))
    try:
        write_folder(arguments.out, made, print)
    except NoPdfError as trouble:
        print(f"zhibo report: {trouble}", file=sys.stderr)
        return FOUND_TROUBLE
    return 0


COMMAND = Command("report", "the congestion report of some days, as files", run, ask)
