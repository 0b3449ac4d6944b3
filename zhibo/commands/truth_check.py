"""`zhibo truth-check`: entries minus exits against the machines, now."""

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from gateway.process import now_ms
from zhibo.command import FOUND_TROUBLE, Command, Environ, person
from zhibo.servers import with_servers

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from occupancy.database import Pool
    from occupancy.truth_check import TruthCheck


def ask(parser: ArgumentParser) -> None:
    parser.add_argument("lot", nargs="?", metavar="LOT")


def run(arguments: Namespace, environ: Environ) -> int:
    from occupancy.counting import check_lots
    from occupancy.database import list_lots

    async def check(redis: "Redis", connections: "Pool") -> "list[TruthCheck]":
        every = [lot.lot_id for lot in await list_lots(connections)]
        lots = [arguments.lot] if arguments.lot else every
        return await check_lots(redis, connections, lots, now_ms, person(environ))

    checks = with_servers(environ, check)
    print("\n".join(check.line() for check in checks))
    return FOUND_TROUBLE if any(check.is_beyond_limit for check in checks) else 0


COMMAND = Command("truth-check", "entries minus exits against the machines, now", run, ask)
