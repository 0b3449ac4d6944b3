"""`zhibo correct`: records what a person counted; the counters go on from it."""

from argparse import ArgumentParser, Namespace

from gateway.process import monotonic_seconds, now_ms
from zhibo.command import FOUND_TROUBLE, Command, Environ, person
from zhibo.servers import with_servers


def ask(parser: ArgumentParser) -> None:
    parser.add_argument("lot", metavar="LOT")
    parser.add_argument("--cars", type=int, required=True, help="cars inside, counted")
    parser.add_argument("--reason", required=True)
    parser.add_argument("--by", metavar="NAME", help="who counted; the user's name by default")


def run(arguments: Namespace, environ: Environ) -> int:
    from occupancy.correction import Count
    from occupancy.counting import count_lot

    count = Count(arguments.cars, arguments.reason, arguments.by or person(environ), now_ms())
    done = with_servers(
        environ,
        lambda redis, connections: count_lot(
            redis, connections, arguments.lot, count, monotonic_seconds
        ),
    )
    print(done.words)
    return 0 if done.is_taken else FOUND_TROUBLE


COMMAND = Command("correct", "record what a person counted; the counters go on from it", run, ask)
