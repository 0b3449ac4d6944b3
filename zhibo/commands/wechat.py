"""`zhibo wechat`: the official account's menu and its door codes."""

import sys
from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

import occupancy.web.config
import wechat.config
from gateway.process import now_ms
from zhibo.command import FOUND_TROUBLE, Command, Environ
from zhibo.servers import with_redis, with_servers

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from occupancy.database import Pool


def ask(parser: ArgumentParser) -> None:
    parser.add_argument("what", choices=("menu", "codes"))


def run(arguments: Namespace, environ: Environ) -> int:
    from occupancy.database import list_lots
    from wechat.account_errors import WechatError
    from wechat.commands import make_codes, put_menu

    settings = wechat.config.load_settings(environ)
    public_url = occupancy.web.config.PUBLIC_URL.read(environ)

    async def menu(redis: "Redis") -> str:
        return await put_menu(redis, settings, public_url, now_ms)

    async def codes(redis: "Redis", connections: "Pool") -> str:
        lots = [lot.lot_id for lot in await list_lots(connections)]
        return await make_codes(redis, settings, lots, now_ms)

    try:
        is_menu = arguments.what == "menu"
        print(with_redis(environ, menu) if is_menu else with_servers(environ, codes))
    except WechatError as refusal:
        print(f"zhibo wechat {arguments.what}: {refusal}", file=sys.stderr)
        return FOUND_TROUBLE
    return 0


COMMAND = Command("wechat", "the official account: its menu, its door codes", run, ask)
