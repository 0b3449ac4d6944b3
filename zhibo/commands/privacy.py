"""`zhibo privacy`: deletes everything that is held of a citizen."""

import sys
from argparse import ArgumentParser, Namespace

import wechat.config
from gateway.process import now_ms
from zhibo.command import FOUND_TROUBLE, Command, Environ
from zhibo.servers import with_redis


def ask(parser: ArgumentParser) -> None:
    parser.add_argument("what", choices=("erase",))
    parser.add_argument("openid", metavar="OPENID")


def run(arguments: Namespace, environ: Environ) -> int:
    from wechat.commands import NotForgottenError, erase

    settings = wechat.config.load_settings(environ)
    try:
        print(with_redis(environ, lambda redis: erase(redis, settings, arguments.openid, now_ms)))
    except NotForgottenError as trouble:
        print(f"zhibo privacy erase: {trouble}", file=sys.stderr)
        return FOUND_TROUBLE
    return 0


COMMAND = Command("privacy", "delete everything that is held of a citizen", run, ask)
