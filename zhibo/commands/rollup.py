"""`zhibo rollup`: makes the windows of some days again from raw history."""

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from gateway.settings import BadSettingError
from zhibo.arguments import ask_days
from zhibo.command import Command, Environ, say
from zhibo.servers import with_database

if TYPE_CHECKING:
    from occupancy.database import Pool


def ask(parser: ArgumentParser) -> None:
    ask_days(parser)
    parser.add_argument("--lot", metavar="LOT", help="only this car park")


def run(arguments: Namespace, environ: Environ) -> int:
    from occupancy.database import list_lots
    from occupancy.rollup_keeping import rebuild_days

    async def work(connections: "Pool") -> None:
        lots = [lot.lot_id for lot in await list_lots(connections)]
        if arguments.lot and arguments.lot not in lots:
            raise BadSettingError(f"there is no car park {arguments.lot!r}: {', '.join(lots)}")
        chosen = [arguments.lot] if arguments.lot else lots
        await rebuild_days(connections, chosen, arguments.first, arguments.last, say)

    with_database(environ, work)
    return 0


COMMAND = Command("rollup", "make the windows of some days again from raw history", run, ask)
