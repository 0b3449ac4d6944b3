"""`zhibo audit`: what operators did; checks that nobody edited it, or exports it."""

import re
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from typing import TYPE_CHECKING

import msgspec

import occupancy.config
from gateway.process import now_ms
from zhibo.command import FOUND_TROUBLE, Command, Environ
from zhibo.servers import with_database

if TYPE_CHECKING:
    from occupancy.database import Pool


def ask(parser: ArgumentParser) -> None:
    parser.add_argument("what", choices=("verify", "export"))
    parser.add_argument("--head", type=_head, metavar="NUMBER:SEAL", help="noted earlier")


def run(arguments: Namespace, environ: Environ) -> int:
    from occupancy import audit_check
    from occupancy.audit import Head
    from occupancy.audit_notes import AuditNotes

    if arguments.what == "export":
        with_database(environ, _export)
        return 0
    number, _, seal = (arguments.head or "0:").partition(":")
    by_hand = [Head(int(number), bytes.fromhex(seal))]
    notes = AuditNotes(*occupancy.config.audit_places(environ))
    verdict = with_database(
        environ, lambda pool: audit_check.verify(pool, notes, by_hand, now_ms())
    )
    print(verdict.words)
    return 0 if verdict.is_whole else FOUND_TROUBLE


async def _export(connections: "Pool") -> None:
    from occupancy import database_audit

    async for link in database_audit.iterate(connections):
        told = (link.content, link.previous.hex(), link.hash.hex())
        print(msgspec.json.encode(told).decode())


def _head(raw: str) -> str:
    if not re.fullmatch(r"\d+:[0-9a-f]{64}", raw):
        raise ArgumentTypeError(f"{raw!r}: as `zhibo audit verify` prints it")
    return raw


COMMAND = Command(
    "audit", "what operators did: check that nobody edited it, or export it", run, ask
)
