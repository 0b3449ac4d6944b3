"""`zhibo user`: people who run car parks; adds one, renews a password."""

import re
from argparse import ArgumentParser, ArgumentTypeError, Namespace

import occupancy.config
from occupancy.permissions import Role
from zhibo.command import BAD_INPUT, Command, Environ, person
from zhibo.servers import with_database


def ask(parser: ArgumentParser) -> None:
    parser.add_argument("what", choices=("add", "password"))
    parser.add_argument("who", metavar="NAME", type=_operator_name)
    parser.add_argument("--role", choices=[role.value for role in Role], default="operator")
    parser.add_argument("--lots", nargs="*", default=[], metavar="LOT", help="only these car parks")


def run(arguments: Namespace, environ: Environ) -> int:
    from occupancy.operators import add_operator, renew_password

    rules = occupancy.config.load_password_rules(environ)
    if arguments.what == "password":
        renewed = with_database(
            environ, lambda pool: renew_password(pool, arguments.who, person(environ), rules)
        )
        print(f"password {renewed}" if renewed else f"there is no operator {arguments.who}")
        return 0 if renewed else BAD_INPUT
    made = with_database(
        environ,
        lambda pool: add_operator(
            pool,
            arguments.who,
            Role(arguments.role),
            arguments.lots,
            person(environ),
            rules=rules,
        ),
    )
    print(f"{made.operator.name} ({made.operator.role.value}) is added")
    print(f"password {made.password}   (shown once)")
    return 0


def _operator_name(raw: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9._-]{1,31}", raw):
        raise ArgumentTypeError(f"{raw!r}: 2 to 32 of a-z, 0-9, '.', '_' and '-', a letter first")
    return raw


COMMAND = Command("user", "people who run car parks: add one, renew a password", run, ask)
