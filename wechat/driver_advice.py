"""The driver's page asks guidance: a destination in a driver's words, the answer in words."""

from collections.abc import Mapping

from occupancy.lot import Lot
from routing.floor import Guided
from routing.question import Question, Wish
from routing.reason import Code, chance_words
from routing.recommend import LeftOut, Option
from routing.trip_promise import Answer
from wechat.driver_page import Advice, AdvisedLot, Unclear

MOST_OPTIONS = 3
MOST_CHOICES = 5
MAP = "amap"


class DriverAdvisor:
    """Where to park, for the page; what is shown is promised like any other recommendation."""

    def __init__(self, guided: Guided) -> None:
        self._guided = guided

    async def advise(self, to: str, stay_minutes: int, wish: str, visit: str) -> Advice | Unclear:
        """Unclear with the places that may be meant, or with nothing but words."""
        found, others = await self._guided.destinations.look_up(to)
        if found is None:
            names = tuple(dict.fromkeys(one.name for one in others))[:MOST_CHOICES]
            return Unclear("有几个地方可能是您说的" if names else _nowhere(to), names)
        guidance = self._guided.guidance
        if not guidance.settings.district.contains(found.place):
            return Unclear(f"{found.name}不在三水区内，暂不提供推荐")
        wishes = frozenset({Wish(wish)}) if wish else frozenset()
        question = Question(found.place, found.name, stay_minutes, wishes=wishes)
        return _told(await guidance.recommend(question, visit and f"page {visit}"), guidance.lots)


def _nowhere(to: str) -> str:
    return f"没有找到“{to}”，请换个说法，例如 人民医院、三水广场；下面是全部停车场的余位"


def _told(answer: Answer, lots: Mapping[str, Lot]) -> Advice:
    recommendation = answer.recommendation
    trip_id = "" if answer.trip is None else answer.trip.trip_id
    return Advice(
        destination=answer.question.destination_name,
        place=answer.question.destination,
        verdict=recommendation.verdict.zh,
        options=tuple(
            _option(one, trip_id, is_plain=recommendation.is_plain)
            for one in recommendation.options[:MOST_OPTIONS]
        ),
        left_out=tuple(_left_out(one, lots) for one in recommendation.left_out),
        notes=tuple(note.zh for note in recommendation.notes),
    )


def _option(option: Option, trip_id: str, *, is_plain: bool) -> AdvisedLot:
    candidate = option.candidate
    reasons = [one.zh for one in option.reasons if one.code is not Code.CHANCE]
    return AdvisedLot(
        lot_id=candidate.lot_id,
        chance="" if is_plain else f"有位可能{chance_words(candidate.chance)['chance']}",
        reasons=(*reasons, *(note.zh for note in option.notes)),
        link=f"/v1/trips/{trip_id}/open/{candidate.lot_id}/{MAP}",
    )


def _left_out(left_out: LeftOut, lots: Mapping[str, Lot]) -> tuple[str, str]:
    name = lots[left_out.candidate.lot_id].short_name
    return name, "；".join(reason.zh for reason in left_out.reasons)
