"""Reminders citizens asked for: looked at every few seconds, each sent by one process, once."""

import asyncio

import structlog

from gateway.process import is_cancelled
from occupancy.live import Status
from wechat.account import Account
from wechat.account_errors import WechatError
from wechat.acting import EARLY_MS
from wechat.advising import Advising
from wechat.memory import Memory
from wechat.person_store import Due, Reminder, ReminderKind
from wechat.reply_words import Line, clock, fit, spaces
from wechat.texts import Texts
from wechat.town import Town

LOOK_SECONDS = 5.0
MOST_AT_ONCE = 5_000

log = structlog.get_logger()


class Reminders:
    """`template` is the subscribe notice; without it, or without its consent, a text is sent."""

    def __init__(
        self,
        memory: Memory,
        advising: Advising,
        town: Town,
        texts: Texts,
        account: Account | None,
        template: str = "",
    ) -> None:
        self._memory = memory
        self._advising = advising
        self._town = town
        self._texts = texts
        self._account = account
        self._template = template

    async def keep_sending(self) -> None:
        while not is_cancelled():
            await self.look()
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Send what is due now."""
        for due, at_ms in await self._memory.list_due(MOST_AT_ONCE):
            if not self._is_due(due, at_ms):
                continue
            reminder = await self._memory.take_reminder(due)
            # A car park's watch that ends with a space left is silent.
            if reminder is not None and not self._is_over(due, at_ms):
                await self._send(due, reminder)

    def _is_due(self, due: Due, at_ms: int) -> bool:
        return self._town.now_ms() >= at_ms or (
            due.kind is ReminderKind.FULL and self._is_full(due.lot_id)
        )

    def _is_over(self, due: Due, at_ms: int) -> bool:
        """Whether there is nothing to say any more."""
        late = self._town.now_ms() - at_ms
        return late >= 0 if due.kind is ReminderKind.FULL else late > EARLY_MS

    def _is_full(self, lot_id: str) -> bool:
        return lot_id in self._town.lots and self._town.card(lot_id).lot.status is Status.FULL

    async def _send(self, due: Due, reminder: Reminder) -> None:
        if self._account is None or reminder.lot_id not in self._town.lots:
            return
        try:
            await self._say(self._account, due, reminder)
        except WechatError as trouble:
            # One consent, one message: it is not tried again.
            log.warning("a reminder was not taken", person=due.person[:8], reason=str(trouble))

    async def _say(self, account: Account, due: Due, reminder: Reminder) -> None:
        if self._template and reminder.has_notice:
            page = self._advising.lot_page(reminder.lot_id)
            await account.send_notice(reminder.openid, self._template, self._notice(reminder), page)
        elif await self._memory.may_send(due.person):
            await account.send_text(reminder.openid, self._text(reminder))
        else:
            log.warning("a reminder found no open window", person=due.person[:8])

    def _text(self, reminder: Reminder) -> str:
        name = self._town.lots[reminder.lot_id].short_name
        if reminder.kind is ReminderKind.FREE:
            return self._texts.reminder_free.format(name=name, clock=_end(reminder))
        lines = [Line(self._texts.reminder_full.format(name=name))]
        other = self._advising.other_than(reminder.lot_id, reminder.destination)
        if other:
            card = self._town.card(other)
            said = {"name": card.lot.short_name, "spaces": spaces(self._texts, card)}
            lines.append(Line(self._texts.reminder_next.format(**said)))
            lines.append(Line(self._advising.navigation(other)))
        return fit(lines)

    def _notice(self, reminder: Reminder) -> dict[str, str]:
        """The notice's fields; WeChat takes 20 letters each."""
        name = self._town.lots[reminder.lot_id].short_name
        is_full = reminder.kind is ReminderKind.FULL
        told = self._texts.notice_full if is_full else self._texts.notice_free
        return {
            "thing1": name[:20],
            "thing2": told.format(name=name, clock=_end(reminder))[:20],
        }


def _end(reminder: Reminder) -> str:
    """When the free period ends."""
    return clock(reminder.at_ms + EARLY_MS)
