"""The official account as a floor of the web service: its address, its answers, its reminders."""

from collections.abc import Callable

import aiohttp
import structlog

from occupancy.web.floors import Floor, Ground
from routing.floor import Guided
from wechat.account import Account
from wechat.acting import Acting, Reports
from wechat.advising import Advising
from wechat.answering import Answering
from wechat.config import WechatSettings
from wechat.memory import Memory
from wechat.once import Once
from wechat.reminders import Reminders
from wechat.texts import load_texts
from wechat.town import Town
from wechat.webhook import Webhook

log = structlog.get_logger()


def account_floor(
    settings: WechatSettings, public_url: str = ""
) -> Callable[[Ground, Guided], Floor]:
    """Builds the floor once guidance is there; without an account it is empty."""

    def build(ground: Ground, guided: Guided) -> Floor:
        if not settings.is_served:
            return Floor()
        texts = load_texts()
        town = Town(ground.showcase, ground.shelf)
        memory = Memory(ground.redis, ground.clock)
        advising = Advising(
            town, guided.guidance, guided.trips, guided.destinations, texts, public_url
        )
        http = aiohttp.ClientSession()
        account = None
        if settings.has_api:
            account = Account(http, ground.redis, settings, ground.clock)
        else:
            log.warning("no ZHIBO_WECHAT_SECRET: no reminders and no late answers")
        acting = Acting(advising, town, memory, Reports(ground.connections, town), texts)
        answering = Answering(acting, advising, memory, town, texts, account)
        once = Once(ground.redis, ground.clock)
        reminders = Reminders(memory, advising, town, texts, account, settings.reminder_template)

        async def answer() -> None:
            async with http:
                await once.run()

        routes = Webhook(settings, answering, once, ground.clock).routes()
        return Floor(routes, {"answer messages": answer, "send reminders": reminders.keep_sending})

    return build
