"""What is remembered of citizens, asked with little patience: without it they are strangers."""

from collections.abc import Callable

import msgspec
import structlog
from redis.asyncio import Redis

from routing import trip_store
from routing.patience import AwayError, Patience
from routing.service import digest_of
from wechat import person_store
from wechat.person_store import Due, Reminder
from wechat.pseudonym import Pseudonyms
from wechat.session import Session

log = structlog.get_logger()


class Citizen(msgspec.Struct, frozen=True):
    """Who is talking: by WeChat's name for him, and by ours (`person`), which is a digest."""

    openid: str
    person: str


class Memory:
    """Every `person` is a digest that `recognise` made."""

    def __init__(self, redis: Redis, clock: Callable[[], int]) -> None:
        self._redis = redis
        self._clock = clock
        self._patience = Patience(clock)
        self._pseudonyms = Pseudonyms(redis, clock, self._patience)

    async def recognise(self, openid: str) -> Citizen:
        return Citizen(openid, await self._pseudonyms.person(openid))

    async def session(self, person: str) -> Session:
        try:
            return await self._patience.ask(lambda: person_store.find_session(self._redis, person))
        except AwayError:
            return Session()

    async def keep(self, person: str, session: Session) -> None:
        try:
            await self._patience.ask(
                lambda: person_store.keep_session(self._redis, person, session)
            )
        except AwayError:
            return

    async def open_window(self, person: str, *, is_talk: bool) -> None:
        now_ms = self._clock()
        try:
            await self._patience.ask(
                lambda: person_store.open_window(self._redis, person, now_ms, is_talk=is_talk)
            )
        except AwayError:
            return

    async def may_send(self, person: str) -> bool:
        """Whether a message of our own is allowed; without Redis nobody counts, so none is."""
        now_ms = self._clock()
        try:
            return await self._patience.ask(
                lambda: person_store.take_message(self._redis, person, now_ms)
            )
        except AwayError:
            return False

    async def remind(self, person: str, reminder: Reminder) -> bool:
        """False while it cannot be kept."""
        now_ms = self._clock()
        try:
            await self._patience.ask(
                lambda: person_store.set_reminder(self._redis, person, reminder, now_ms)
            )
        except AwayError:
            return False
        return True

    async def list_due(self, most: int) -> list[tuple[Due, int]]:
        try:
            return await self._patience.ask(lambda: person_store.list_due(self._redis, most))
        except AwayError:
            return []

    async def take_reminder(self, due: Due) -> Reminder | None:
        try:
            return await self._patience.ask(lambda: person_store.take_reminder(self._redis, due))
        except AwayError:
            return None

    async def forget_reminders(self, person: str) -> None:
        try:
            await self._patience.ask(lambda: person_store.forget_reminders(self._redis, person))
        except AwayError:
            return

    async def forget(self, person: str) -> int:
        """Everything held of him, also which trip he was shown. Raises AwayError."""
        held = await self._patience.ask(lambda: person_store.forget(self._redis, person))
        trip = trip_store.driver_key(digest_of(person))
        return held + int(await self._patience.ask(lambda: self._redis.delete(trip)))
