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
from wechat.driver_advice import DriverAdvisor
from wechat.driver_page import DriverPage
from wechat.memory import Memory
from wechat.once import ANSWER_SECONDS, Once
from wechat.page_signature import PageSignatures
from wechat.reminders import Reminders
from wechat.texts import load_texts
from wechat.town import Town
from wechat.webhook import Webhook

log = structlog.get_logger()


def account_floor(
    settings: WechatSettings, public_url: str = "", answer_seconds: float = ANSWER_SECONDS
) -> Callable[[Ground, Guided], Floor]:
    """Builds the floor once guidance is there; without an account it is the driver's page alone."""

    def build(ground: Ground, guided: Guided) -> Floor:
        town = Town(ground.showcase, ground.shelf)
        reports = Reports(ground.connections, town)
        app_id = settings.app_id if settings.has_api else ""
        page = DriverPage(ground, DriverAdvisor(guided), reports, app_id)
        if not (settings.is_served or settings.has_api):
            return Floor(page.routes())
        http = aiohttp.ClientSession()
        account = None
        routes = page.routes()
        if settings.has_api:
            account = Account(http, ground.redis, settings, ground.clock)
            routes += PageSignatures(account, app_id, public_url, ground.clock).routes()
        else:
            log.warning("no ZHIBO_WECHAT_SECRET: no reminders and no late answers")
        texts = load_texts()
        memory = Memory(ground.redis, ground.clock)
        advising = Advising(
            town, guided.guidance, guided.trips, guided.destinations, texts, public_url
        )
        acting = Acting(advising, town, memory, reports, texts)
        answering = Answering(acting, advising, memory, town, texts, account)
        once = Once(ground.redis, ground.clock, answer_seconds)
        reminders = Reminders(memory, advising, town, texts, account, settings.reminder_template)

        async def answer() -> None:
            async with http:
                await once.run()

        if settings.is_served:
            routes += Webhook(settings, answering, once, ground.clock).routes()
        return Floor(routes, {"answer messages": answer, "send reminders": reminders.keep_sending})

    return build
