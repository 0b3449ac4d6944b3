"""The account's address served in memory, with an answerer that each test scripts."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from redis.asyncio import Redis

from occupancy.web.bodies import BODY_BYTES
from occupancy.web.problems import as_documents
from occupancy.web.routes import bind
from tests.occupancy.web.faces import Clock
from tests.wechat.account_server import AES_KEY, APP_ID, TOKEN, AccountServer, calling
from wechat.config import WechatSettings, load_settings
from wechat.message import Message
from wechat.once import Once
from wechat.webhook import Webhook

ENVIRON = {
    "ZHIBO_WECHAT_APP_ID": APP_ID,
    "ZHIBO_WECHAT_TOKEN": TOKEN,
    "ZHIBO_WECHAT_AES_KEY": AES_KEY,
}


def settings_with(**changed: str) -> WechatSettings:
    """Names without their `ZHIBO_WECHAT_`."""
    return load_settings({**ENVIRON, **{f"ZHIBO_WECHAT_{k}": v for k, v in changed.items()}})


@dataclass
class Scripted:
    """Answers what it is told; counts how often it was asked."""

    say: Callable[[Message], Awaitable[str]]
    asked: list[Message] = field(default_factory=list)
    late: list[str] = field(default_factory=list)

    async def answer(self, message: Message) -> str:
        self.asked.append(message)
        return await self.say(message)

    async def deliver(self, _: Message, text: str) -> None:
        self.late.append(text)


async def echo(message: Message) -> str:
    return f"收到：{message.content or message.event or message.kind}"


@dataclass(frozen=True)
class Served:
    account: AccountServer
    answerer: Scripted
    clock: Clock


@asynccontextmanager
async def served(
    redis: Redis,
    say: Callable[[Message], Awaitable[str]] = echo,
    *,
    answer_seconds: float = 4.3,
    **settings: Any,  # noqa: ANN401
) -> AsyncIterator[Served]:
    """One worker process's face to the account's server."""
    clock = Clock()
    answerer = Scripted(say)
    once = Once(redis, clock, answer_seconds)
    app = web.Application(middlewares=[as_documents], client_max_size=BODY_BYTES)
    bind(app, Webhook(settings_with(**settings), answerer, once, clock).routes())
    runner = web.AppRunner(app, handler_cancellation=True)
    await runner.setup()
    try:
        async with asyncio.TaskGroup() as group:
            answering = group.create_task(once.run())
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            port = runner.addresses[0][1]
            async with calling(f"http://127.0.0.1:{port}/wechat") as account:
                yield Served(account, answerer, clock)
            answering.cancel()
    finally:
        await runner.cleanup()
