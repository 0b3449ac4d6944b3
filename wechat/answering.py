"""Every message and event of a citizen, and what is said to it."""

import structlog
from msgspec.structs import replace

from occupancy.coordinates import from_gcj02
from occupancy.lot import Place
from routing.patience import AwayError
from wechat.account import Account
from wechat.account_errors import WechatError
from wechat.acting import Acting
from wechat.advising import Advising
from wechat.dialogue import Do, Plan, decide
from wechat.intent import read_intent
from wechat.memory import Citizen, Memory
from wechat.message import Kind, Message
from wechat.session import Session
from wechat.texts import Texts
from wechat.town import Town

SCENE_FOLLOWED, SCENE_LOT = "qrscene_", "lot:"
ACCEPTED = "accept"
_FORGETTING = frozenset(
    {"unsubscribe", "user_authorization_revoke", "user_authorization_cancellation"}
)
_TOUCHES = frozenset({"click", "subscribe", "scan"})
_CANNOT_READ = {
    Kind.IMAGE: "image",
    Kind.VOICE: "voice",
    Kind.VIDEO: "video",
    Kind.SHORT_VIDEO: "video",
    Kind.LINK: "link",
    Kind.OTHER: "other",
}
# The menu's keys (wechat.menu); what is not a sentence is a plan.
CLICKS: dict[str, Do | str] = {
    "ask": "ask_destination",
    "fees": Do.FEES,
    "free": Do.FREE,
    "remind": Do.REMIND_FULL,
    "elder": Do.ELDER,
    "elder_ask": Do.ELDER_ASK,
    "standard": Do.STANDARD,
    "complain": Do.COMPLAIN,
    "privacy": Do.PRIVACY,
    "overview": Do.OVERVIEW,
}

log = structlog.get_logger()


class Answering:
    """Says something to everything. `account` is None where we cannot call WeChat."""

    def __init__(
        self,
        acting: Acting,
        advising: Advising,
        memory: Memory,
        town: Town,
        texts: Texts,
        account: Account | None = None,
    ) -> None:
        self._acting = acting
        self._advising = advising
        self._memory = memory
        self._town = town
        self._texts = texts
        self._account = account

    async def answer(self, message: Message) -> str:
        """The text; empty where nothing is to be said."""
        if message.event in _FORGETTING:
            return await self._forget(message.openid or message.from_user)
        citizen = await self._memory.recognise(message.from_user)
        if message.kind is Kind.EVENT:
            return await self._event(message, citizen)
        await self._memory.open_window(citizen.person, is_talk=True)
        if message.kind is Kind.LOCATION:
            return await self._location(message, citizen.person)
        if message.content:
            session = await self._memory.session(citizen.person)
            intent = read_intent(message.content)
            plan = decide(intent, session, self._town.now_ms())
            return await self._act(plan, citizen)
        return str(getattr(self._texts, _CANNOT_READ.get(message.kind, "ask_destination")))

    async def deliver(self, message: Message, text: str) -> None:
        """A late answer, by a message of our own where WeChat allows one."""
        citizen = await self._memory.recognise(message.from_user)
        if self._account is None or not await self._memory.may_send(citizen.person):
            log.warning("a late answer could not be said", person=citizen.person[:8])
            return
        try:
            await self._account.send_text(message.from_user, text)
        except WechatError as trouble:
            log.warning(
                "a late answer was not taken", person=citizen.person[:8], reason=str(trouble)
            )

    async def _act(self, plan: Plan, citizen: Citizen) -> str:
        text, session = await self._acting.act(plan, citizen)
        if plan.do in (Do.ELDER, Do.STANDARD):
            await self._show_menu(citizen, is_elder=plan.do is Do.ELDER)
        if plan.do is not Do.ERASE:
            await self._memory.keep(citizen.person, session)
        return text

    async def _show_menu(self, citizen: Citizen, *, is_elder: bool) -> None:
        """WeChat shows the menu by tag; without the call the words still work."""
        if self._account is None:
            return
        try:
            tag_id = await self._account.find_tag(self._texts.elder_tag)
            change = self._account.tag if is_elder else self._account.untag
            await change(citizen.openid, tag_id)
        except WechatError as trouble:
            log.warning("a menu could not be changed", reason=str(trouble))

    async def _location(self, message: Message, person: str) -> str:
        """A point on the map, which is forgotten with this answer."""
        if message.latitude is None or message.longitude is None:
            return self._texts.ask_destination
        place = from_gcj02(Place(message.latitude, message.longitude))
        before = await self._memory.session(person)
        fresh = Session(
            stay_minutes=before.stay_minutes,
            vehicle=before.vehicle,
            is_suv=before.is_suv,
            is_elder=before.is_elder,
        )
        text, session = await self._advising.advise(place, fresh, person)
        await self._memory.keep(person, session)
        return text

    async def _event(self, message: Message, citizen: Citizen) -> str:
        if message.event in _TOUCHES:
            await self._memory.open_window(citizen.person, is_talk=False)
        match message.event:
            case "subscribe":
                arrived = await self._arrived(message, citizen.person)
                return f"{self._texts.welcome}\n\n{arrived}" if arrived else self._texts.welcome
            case "scan":
                return await self._arrived(message, citizen.person) or self._texts.help
            case "click":
                return await self._click(message, citizen)
            case "subscribe_msg_popup_event" if message.consent == ACCEPTED:
                session = await self._memory.session(citizen.person)
                return await self._act(Plan(Do.REMIND_FULL, session, has_notice=True), citizen)
            case _:
                return ""

    async def _arrived(self, message: Message, person: str) -> str:
        """At the door of the car park whose code he scanned; empty for any other code."""
        scene = message.event_key.removeprefix(SCENE_FOLLOWED)
        lot_id = scene.removeprefix(SCENE_LOT)
        if not scene.startswith(SCENE_LOT) or lot_id not in self._town.lots:
            return ""
        session = await self._memory.session(person)
        here = replace(session, chosen=lot_id, arrives_ms=self._town.now_ms())
        first = self._texts.lot_arrived.format(name=self._town.lots[lot_id].short_name)
        text, here = await self._advising.lot(lot_id, here, first)
        await self._memory.keep(person, here)
        return text

    async def _click(self, message: Message, citizen: Citizen) -> str:
        clicked = CLICKS.get(message.event_key)
        if clicked is None:
            return self._texts.help
        session = await self._memory.session(citizen.person)
        if not isinstance(clicked, Do):
            return str(getattr(self._texts, clicked))
        return await self._act(Plan(clicked, session), citizen)

    async def _forget(self, openid: str) -> str:
        person = (await self._memory.recognise(openid)).person
        try:
            await self._memory.forget(person)
        except AwayError:
            log.warning("what is held is not deleted now; it goes by itself", person=person[:8])
        return ""
