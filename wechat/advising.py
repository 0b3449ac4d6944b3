"""Answers that begin with a destination: found, asked back, or given up; and its car parks."""

import contextlib
from collections.abc import Sequence

from msgspec.structs import replace

from occupancy.live import Status
from occupancy.lot import Place
from routing.guided_trips import GuidedTrips
from routing.patience import AwayError
from routing.question import Question
from routing.service import Guidance
from routing.web import Destinations
from wechat.dialogue import ask_again
from wechat.reply import MOST_OPTIONS, Answered, recommendation_text
from wechat.reply_lots import fees_text, free_text, lot_text
from wechat.reply_words import Line, fit, numbered, plain
from wechat.session import Session
from wechat.texts import Texts
from wechat.town import Town

MOST_CHOICES = 5
Told = tuple[str, Session]


class Advising:
    """Each answer is a text and what to remember. `person` is a digest."""

    def __init__(
        self,
        town: Town,
        guidance: Guidance,
        trips: GuidedTrips,
        destinations: Destinations,
        texts: Texts,
        public_url: str,
    ) -> None:
        self._town = town
        self._guidance = guidance
        self._trips = trips
        self._destinations = destinations
        self._texts = texts
        self._url = public_url.rstrip("/")

    async def find(self, words: str, session: Session, person: str) -> Told:
        """For a destination in a citizen's own words."""
        found, candidates = await self._destinations.look_up(words)
        if found is not None:
            told = replace(session, destination=found.name, destination_id=found.destination_id)
            return await self.advise(found.place, told, person)
        lot_id = self._town.named(words)
        if lot_id:
            return await self.lot(lot_id, replace(session, shown=(lot_id,), chosen=lot_id), "")
        if candidates:
            names = tuple(one.name for one in candidates[:MOST_CHOICES])
            asked = fit([Line(self._texts.unclear), *numbered(self._texts, names)])
            return asked, ask_again(session, names)
        page = self.page(session)
        link = Line(self._texts.hint_page.format(link=page) if page else "")
        return fit([Line(self._texts.unknown.format(words=plain(words))), link]), session

    async def again(self, session: Session, person: str) -> Told:
        """For the destination of the session."""
        found, _ = self._destinations.find(session.destination_id)
        if found is None and session.destination:  # a place our own list does not have
            found, _ = await self._destinations.look_up(session.destination)
        if found is None:
            return self._texts.no_last, replace(session, destination="")
        return await self.advise(found.place, session, person)

    async def advise(self, place: Place, session: Session, person: str) -> Told:
        """Where to park near a place, which goes no further than this question."""
        if not self._guidance.settings.district.contains(place):
            return self._texts.outside, session
        question = _question(place, session)
        answer = await self._guidance.recommend(question, person)
        has_nothing_else = not answer.recommendation.options and bool(session.without)
        if has_nothing_else:
            session = replace(session, without=frozenset())
            answer = await self._guidance.recommend(_question(place, session), person)
        options = answer.recommendation.options
        trip_id = "" if answer.trip is None else answer.trip.trip_id
        told = replace(
            session,
            shown=tuple(option.candidate.lot_id for option in options[:MOST_OPTIONS]),
            trip_id=trip_id,
            arrives_ms=options[0].candidate.arrives_ms if options else None,
            chosen="",
        )
        answered = Answered(
            session=told,
            recommendation=answer.recommendation,
            cards=self._town.cards(),
            links={lot_id: self._link(trip_id, lot_id) for lot_id in told.shown},
            now_ms=self._town.now_ms(),
            page=self.page(told),
            has_nothing_else=has_nothing_else,
        )
        return recommendation_text(self._texts, answered), told

    async def lot(self, lot_id: str, session: Session, first: str) -> Told:
        """One car park; where it was shown in an answer, the driver is on his way to it."""
        if session.trip_id and lot_id in session.shown:
            # Without Redis his promise stays with the car park shown first.
            with contextlib.suppress(AwayError):
                await self._trips.choose(session.trip_id, lot_id)
        link = self._link(session.trip_id if lot_id in session.shown else "", lot_id)
        return lot_text(self._texts, self._town.card(lot_id), link, first), session

    def fees(self, words: str, session: Session) -> Told:
        """What the stay costs: where he named, was shown, or everywhere."""
        priced = self._town.priced(self._meant(words, session), session)
        return fees_text(self._texts, priced, session.arrive_ms, session.stay_minutes), session

    def free(self, words: str, session: Session) -> Told:
        short = replace(session, stay_minutes=1)
        priced = self._town.priced(self._meant(words, session), short)
        return free_text(self._texts, priced, session.arrive_ms), session

    def page(self, session: Session) -> str:
        """The driver's page; empty where we do not know our own address."""
        if not self._url:
            return ""
        return f"{self._url}/m/" + ("?elder=1" if session.is_elder else "")

    def other_than(self, lot_id: str, destination: str) -> str:
        """The next best for a destination, promised to nobody; empty where there is none."""
        found, _ = self._destinations.find(destination) if destination else (None, ())
        place = self._town.lots[lot_id].entrance if found is None else found.place
        open_now = (Status.OPEN, Status.ALMOST_FULL)
        near = self._town.near(place, len(self._town.lots))
        fit_for = [one for one in near if self._town.card(one).lot.status in open_now]
        return next((one for one in fit_for if one != lot_id), "")

    def navigation(self, lot_id: str) -> str:
        name = self._town.lots[lot_id].short_name
        return self._texts.option_link.format(link=self._link("", lot_id), name=name)

    def lot_page(self, lot_id: str) -> str:
        return f"{self._url}/m/lots/{lot_id}" if self._url else ""

    def _meant(self, words: str, session: Session) -> Sequence[str]:
        named = self._town.named(words)
        if named:
            return [named]
        if words:
            found, _ = self._destinations.find(words)
            if found is not None:
                return self._town.near(found.place, MOST_OPTIONS)
        return session.shown or tuple(self._town.lots)

    def _link(self, trip_id: str, lot_id: str) -> str:
        """Through our own address, so that the driver counts as on his way; else to the map."""
        if self._url and trip_id:
            return f"{self._url}/v1/trips/{trip_id}/open/{lot_id}/tencent"
        return self._town.card(lot_id).lot.navigation.tencent


def _question(place: Place, session: Session) -> Question:
    return Question(
        destination=place,
        destination_name=session.destination,
        stay_minutes=session.stay_minutes,
        arrive_ms=session.arrive_ms,
        vehicle=session.vehicle,
        wishes=session.wishes,
        without=session.without,
    )
