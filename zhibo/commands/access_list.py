"""`zhibo access-list`: users of Redis, one a gateway, for its ACL file."""

import secrets
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from zhibo.arguments import lot_name
from zhibo.command import BAD_INPUT, Command, Environ


def ask(parser: ArgumentParser) -> None:
    parser.add_argument("lots", nargs="+", metavar="LOT", type=lot_name)
    kinds = parser.add_mutually_exclusive_group()
    about = "behind Sentinel: users for replicas and sentinels; the sentinels' own list goes here"
    kinds.add_argument("--sentinels", type=Path, metavar="FILE", help=about)
    about = "on a cluster: users for replicas and for the person who keeps it"
    kinds.add_argument("--cluster", action="store_true", help=about)


def run(arguments: Namespace, _: Environ) -> int:
    """The list on stdout, each new password on stderr, once."""
    from gateway import access_list

    words = {name: secrets.token_urlsafe(24) for name in _users(arguments)}
    if arguments.sentinels:
        own = access_list.sentinels_own_lines(words[access_list.SENTINEL])
        try:
            arguments.sentinels.write_text("\n".join(own) + "\n", encoding="ascii")
        except OSError as reason:
            print(f"--sentinels: {reason}", file=sys.stderr)
            return BAD_INPUT
    lines = [access_list.user_line(name, word) for name, word in words.items()]
    print("\n".join([access_list.nobody_line(), *lines]))
    for name, word in words.items():
        print(f"{name} {word}", file=sys.stderr)
    return 0


def _users(arguments: Namespace) -> list[str]:
    """Ours, then who else comes to a server of this kind."""
    from gateway.access_list import KEEPER, REPLICA, SENTINEL, SERVICE, USER

    names = [SERVICE, *(USER.format(lot_id=lot) for lot in arguments.lots)]
    if arguments.sentinels:
        names += [REPLICA, SENTINEL]
    if arguments.cluster:
        names += [REPLICA, KEEPER]
    return names


COMMAND = Command("access-list", "users of Redis: one a gateway, for its ACL file", run, ask)
