"""`zhibo access-list`: users of Redis, one a gateway, for its ACL file."""

import secrets
import sys
from argparse import ArgumentParser, Namespace

from zhibo.arguments import lot_name
from zhibo.command import Command, Environ


def ask(parser: ArgumentParser) -> None:
    parser.add_argument("lots", nargs="+", metavar="LOT", type=lot_name)


def run(arguments: Namespace, _: Environ) -> int:
    """The list on stdout, each new password on stderr, once."""
    from gateway.access_list import USER, gateway_line, nobody_line, service_line

    words = {lot: secrets.token_urlsafe(24) for lot in arguments.lots}
    own = secrets.token_urlsafe(24)
    lines = [gateway_line(lot, word) for lot, word in words.items()]
    print("\n".join([nobody_line(), service_line("service", own), *lines]))
    print(f"service {own}", file=sys.stderr)
    for lot, word in words.items():
        print(f"{USER.format(lot_id=lot)} {word}", file=sys.stderr)
    return 0


COMMAND = Command("access-list", "users of Redis: one a gateway, for its ACL file", run, ask)
