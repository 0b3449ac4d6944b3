"""`zhibo reports`: what citizens reported, the newest first."""

from argparse import ArgumentParser, Namespace

from zhibo.command import Command, Environ
from zhibo.servers import with_servers


def ask(parser: ArgumentParser) -> None:
    parser.add_argument("lot", nargs="?", metavar="LOT")
    parser.add_argument("--most", type=int, default=100, metavar="N")


def run(arguments: Namespace, environ: Environ) -> int:
    from occupancy.database_reports import list_reports
    from wechat.report_lines import report_line

    found = with_servers(
        environ, lambda _, connections: list_reports(connections, arguments.lot, arguments.most)
    )
    print("\n".join(map(report_line, found)) if found else "nothing was reported")
    return 0


COMMAND = Command("reports", "what citizens reported, the newest first", run, ask)
