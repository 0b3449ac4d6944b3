"""`zhibo open-history`: publishes a finished month as open files."""

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from typing import TYPE_CHECKING

from gateway.process import now_ms
from zhibo.command import Command, Environ
from zhibo.servers import with_database

if TYPE_CHECKING:
    from occupancy.report.period import Period


def ask(parser: ArgumentParser) -> None:
    parser.add_argument("month", type=_month, metavar="MONTH", help="e.g. 2026-10")
    parser.add_argument("--note", required=True, help="what this version is, or why it is another")


def run(arguments: Namespace, environ: Environ) -> int:
    from occupancy.open_history_keeping import publish_month

    month = arguments.month
    version = with_database(
        environ, lambda pool: publish_month(pool, month, now_ms(), arguments.note)
    )
    print(f"{month.slug} is published as version {version}" if version else "nothing has changed")
    return 0


def _month(raw: str) -> "Period":
    from occupancy.report.period import BadPeriodError, PeriodKind, parse_period

    try:
        period = parse_period(raw)
    except BadPeriodError as refusal:
        raise ArgumentTypeError(str(refusal)) from None
    if period.kind is not PeriodKind.MONTH:
        raise ArgumentTypeError(f"{raw!r} is not a month such as 2026-10")
    return period


COMMAND = Command("open-history", "publish a finished month as open files", run, ask)
