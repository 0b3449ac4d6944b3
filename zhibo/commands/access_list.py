"""`zhibo access-list`: users of Redis, one a gateway or receiver, for its ACL file."""

import secrets
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections import Counter
from pathlib import Path

from zhibo.arguments import lot_name
from zhibo.command import BAD_INPUT, Command, Environ


def ask(parser: ArgumentParser) -> None:
    parser.add_argument(
        "lots", nargs="*", metavar="LOT", type=lot_name, help="one with a gateway of its own"
    )
    parser.add_argument(
        "--receiver",
        action="append",
        default=[],
        metavar="NAME=LOT,...",
        type=_receiver,
        help="one user for a process that takes what several car parks tell; may be said again",
    )
    kinds = parser.add_mutually_exclusive_group()
    about = "behind Sentinel: users for replicas and sentinels; the sentinels' own list goes here"
    kinds.add_argument("--sentinels", type=Path, metavar="FILE", help=about)
    about = "on a cluster: users for replicas and for the person who keeps it"
    kinds.add_argument("--cluster", action="store_true", help=about)


def run(arguments: Namespace, _: Environ) -> int:
    """The list on stdout, each new password on stderr, once."""
    from gateway import access_list

    if wrong := _wrong(arguments):
        print(wrong, file=sys.stderr)
        return BAD_INPUT
    words = {name: secrets.token_urlsafe(24) for name in _users(arguments)}
    if arguments.sentinels:
        own = access_list.sentinels_own_lines(words[access_list.SENTINEL])
        try:
            arguments.sentinels.write_text("\n".join(own) + "\n", encoding="ascii")
        except OSError as reason:
            print(f"--sentinels: {reason}", file=sys.stderr)
            return BAD_INPUT
    receivers = {access_list.RECEIVER.format(name=name): name for name, _ in arguments.receiver}
    lots = dict(arguments.receiver)
    print(access_list.nobody_line())
    for user, word in words.items():
        if (name := receivers.get(user)) is not None:
            print(access_list.receiver_line(name, lots[name], word))
        else:
            print(access_list.user_line(user, word))
    for name, word in words.items():
        print(f"{name} {word}", file=sys.stderr)
    return 0


def _receiver(raw: str) -> tuple[str, list[str]]:
    name, _, lots = raw.partition("=")
    if not lots:
        raise ArgumentTypeError(f"{raw!r} names no car park: as in push=mall,clinic")
    return lot_name(name), [lot_name(lot) for lot in lots.split(",")]


def _wrong(arguments: Namespace) -> str:
    """What is wrong with them together, and the way out; nothing if all is well."""
    lots = [*arguments.lots, *(lot for _, lots in arguments.receiver for lot in lots)]
    if not lots:
        return "name a car park, or a receiver with its car parks: --receiver push=mall,clinic"
    for many, what in ((lots, "LOT"), ([name for name, _ in arguments.receiver], "--receiver")):
        name, count = Counter(many).most_common(1)[0] if many else ("", 1)
        if count > 1:
            return f"{what}: {name} is named {count} times; one process writes a car park"
    return ""


def _users(arguments: Namespace) -> list[str]:
    """Ours, then who else comes to a server of this kind."""
    from gateway.access_list import KEEPER, RECEIVER, REPLICA, SENTINEL, SERVICE, USER

    names = [SERVICE, *(USER.format(lot_id=lot) for lot in arguments.lots)]
    names += [RECEIVER.format(name=name) for name, _ in arguments.receiver]
    if arguments.sentinels:
        names += [REPLICA, SENTINEL]
    if arguments.cluster:
        names += [REPLICA, KEEPER]
    return names


COMMAND = Command("access-list", "users of Redis: one a gateway, for its ACL file", run, ask)
