"""Carries out what the dialogue decided: advice, reports, reminders, and forgetting."""

import structlog
from msgspec.structs import replace

from occupancy import database
from occupancy.database_reports import CitizenReport, add_report
from occupancy.live import Status
from routing.patience import AwayError
from wechat.advising import Advising, Told
from wechat.dialogue import Do, Plan, ask_again
from wechat.memory import Citizen, Memory
from wechat.person_store import Reminder, ReminderKind
from wechat.reply_lots import complain_text, overview_text
from wechat.reply_words import Line, clock, fit, numbered
from wechat.session import Session
from wechat.texts import Texts
from wechat.town import Town

EARLY_MS = 10 * 60_000  # before the free period ends
WATCH_MS = 3 * 3_600_000  # how long a car park is watched for becoming full

log = structlog.get_logger()


class Reports:
    """Where citizens' reports go."""

    def __init__(self, connections: database.Pool, town: Town) -> None:
        self._connections = connections
        self._town = town

    async def keep(self, lot_id: str, kind: str, words: str) -> bool:
        """Beside what was shown at that moment; False while it cannot be kept."""
        live = self._town.card(lot_id).lot.live
        shown = CitizenReport(lot_id, kind, words, live.free, live.quality, self._town.now_ms())
        try:
            await add_report(self._connections, shown)
        except database.NOT_READY as trouble:
            log.warning("a report could not be kept", reason=str(trouble))
            return False
        return True


class Acting:
    """One plan in, one text and what to remember out."""

    def __init__(
        self, advising: Advising, town: Town, memory: Memory, reports: Reports, texts: Texts
    ) -> None:
        self._advising = advising
        self._town = town
        self._memory = memory
        self._reports = reports
        self._texts = texts

    async def act(self, plan: Plan, citizen: Citizen) -> Told:
        match plan.do:
            case Do.FIND:
                return await self._advising.find(plan.words, plan.session, citizen.person)
            case Do.ADVISE:
                return await self._advising.again(plan.session, citizen.person)
            case Do.LOT:
                return await self._choose(plan)
            case Do.REPORT:
                return await self._report(plan)
            case Do.REMIND_FULL | Do.REMIND_FREE:
                return await self._remind(plan, citizen), plan.session
            case _:
                return await self._forget(plan, citizen) or self._tell(plan)

    async def _choose(self, plan: Plan) -> Told:
        name = self._town.lots[plan.lot_id].short_name
        first = self._texts.lot_chosen.format(name=name)
        return await self._advising.lot(plan.lot_id, plan.session, first)

    async def _forget(self, plan: Plan, citizen: Citizen) -> Told | None:
        if plan.do is Do.ERASE:
            return await self._erase(citizen.person), Session()
        if plan.do is Do.FORGET_REMINDERS:
            await self._memory.forget_reminders(citizen.person)
            return self._texts.remind_off, plan.session
        return None

    def _tell(self, plan: Plan) -> Told:
        """What needs nobody else."""
        session, texts = plan.session, self._texts
        match plan.do:
            case Do.FEES:
                return self._advising.fees(plan.words, session)
            case Do.FREE:
                return self._advising.free(plan.words, session)
            case Do.ELDER:
                return texts.elder_on, replace(session, is_elder=True)
            case Do.ELDER_ASK:
                return texts.ask_destination, replace(session, is_elder=True)
            case Do.STANDARD:
                return texts.elder_off, replace(session, is_elder=False)
            case _:
                return self._page(plan), session

    def _page(self, plan: Plan) -> str:
        texts, page = self._texts, self._advising.page(plan.session)
        cards = list(self._town.cards().values())
        match plan.do:
            case Do.COMPLAIN:
                return complain_text(texts, cards)
            case Do.OVERVIEW:
                return overview_text(texts, cards, page)
            case Do.PRIVACY:
                link = texts.privacy_link.format(link=page.partition("?")[0] + "privacy")
                return fit([Line(texts.privacy), Line(link if page else "")])
            case _:
                return str(getattr(texts, plan.words))

    async def _report(self, plan: Plan) -> Told:
        session, texts = plan.session, self._texts
        lot_id = self._town.named(plan.words) or session.car_park
        if not lot_id:
            names = tuple(lot.short_name for lot in self._town.lots.values())
            asked = fit([Line(texts.report_which), *numbered(texts, names)])
            return asked, ask_again(session, names, plan.report)
        lot = self._town.lots[lot_id]
        if not await self._reports.keep(lot_id, plan.report, ""):
            return texts.report_away.format(hotline=lot.hotline), session
        what = str(getattr(texts, f"report_{plan.report}"))
        kept = texts.report_kept.format(name=lot.short_name, what=what)
        is_next = plan.report == "full" and session.destination
        return fit([Line(kept), Line(texts.report_next if is_next else "")]), session

    async def _remind(self, plan: Plan, citizen: Citizen) -> str:
        session, texts = plan.session, self._texts
        lot_id = self._town.named(plan.words) or session.car_park
        if not lot_id:
            return texts.no_last
        kind = ReminderKind.FULL if plan.do is Do.REMIND_FULL else ReminderKind.FREE
        said, at_ms = (self._full if kind is ReminderKind.FULL else self._free)(lot_id, session)
        if at_ms is None:
            return said
        reminder = Reminder(
            kind, citizen.openid, lot_id, at_ms, session.destination, plan.has_notice
        )
        return said if await self._memory.remind(citizen.person, reminder) else texts.remind_away

    def _full(self, lot_id: str, _: Session) -> tuple[str, int | None]:
        card, texts = self._town.card(lot_id), self._texts
        name = card.lot.short_name
        if card.lot.status is Status.FULL:
            return texts.remind_already_full.format(name=name), None
        until_ms = self._town.now_ms() + WATCH_MS
        return texts.remind_full.format(name=name, clock=clock(until_ms)), until_ms

    def _free(self, lot_id: str, session: Session) -> tuple[str, int | None]:
        texts, name = self._texts, self._town.lots[lot_id].short_name
        begins = replace(session, arrive_ms=session.arrives_ms or session.arrive_ms)
        until_ms = self._town.free_until_ms(lot_id, begins)
        if until_ms is None:
            return texts.remind_no_free.format(name=name), None
        at_ms = until_ms - EARLY_MS
        if at_ms <= self._town.now_ms():
            return texts.remind_free_soon.format(name=name, clock=clock(until_ms)), None
        return texts.remind_free.format(name=name, clock=clock(at_ms)), at_ms

    async def _erase(self, person: str) -> str:
        try:
            await self._memory.forget(person)
        except AwayError:
            return self._texts.away
        return self._texts.erased
