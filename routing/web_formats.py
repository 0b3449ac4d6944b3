"""A recommendation and a trip in the shape their readers get, words in Chinese and English."""

from collections.abc import Sequence

import msgspec

from occupancy.effect.experiment import Arm
from occupancy.lot import Lot
from occupancy.navigation import NavigationLinks, links_to
from occupancy.web.formats import BothDatums, both_datums, rfc3339
from occupancy.web.quote_formats import Words
from routing.reason import Code, Reason
from routing.recommend import LeftOut, Option
from routing.trip import Stage, Trip
from routing.trip_promise import Answer

MAPS = ("amap", "tencent", "baidu")


class ReasonDocument(msgspec.Struct, frozen=True):
    """A reason for programs, and in words."""

    code: Code
    words: Words


class FeeDocument(msgspec.Struct, frozen=True):
    """The fee for the planned stay; `placeholder`: nobody confirmed the tariff."""

    total_fen: int
    placeholder: bool
    currency: str = "CNY"


class ExpectedFree(msgspec.Struct, frozen=True):
    """Free spaces expected at arrival before promises, where 80 % of cases lie, on what basis."""

    mean: float
    low: float
    high: float
    basis: str


class OpenLinks(msgspec.Struct, frozen=True):
    """The same maps through this service: whoever opens one is counted as on his way."""

    amap: str
    tencent: str
    baidu: str


class OptionDocument(msgspec.Struct, frozen=True):
    """One recommended car park. `retrieval_minutes` is fetching the car later."""

    rank: int
    lot: str
    name: str
    short_name: str
    place: BothDatums
    hotline: str
    arrives_at: str
    drive_minutes: float
    store_minutes: float
    walk_minutes: float
    retrieval_minutes: float
    generalised_minutes: float
    chance: float
    expected_free: ExpectedFree
    promised: float
    fee: FeeDocument | None
    reason: str
    reasons: tuple[ReasonDocument, ...]
    notes: tuple[ReasonDocument, ...]
    navigation: NavigationLinks
    open: OpenLinks | None


class LeftOutDocument(msgspec.Struct, frozen=True):
    """A car park that is not recommended, and why."""

    lot: str
    name: str
    reason: str
    reasons: tuple[ReasonDocument, ...]


class DestinationDocument(msgspec.Struct, frozen=True):
    """Where the driver wants to go."""

    name: str
    place: BothDatums


class RecommendationDocument(msgspec.Struct, frozen=True):
    """Ranked car parks, the first is the one to take. A promise is no reservation.

    `arm` is how an experiment treats this driver; `plain` and `held_out` get the car parks nearest
    first, without guidance. Null where no experiment runs.
    """

    trip: str | None
    asked_at: str
    destination: DestinationDocument
    stay_minutes: int
    verdict: ReasonDocument
    recommendations: tuple[OptionDocument, ...]
    left_out: tuple[LeftOutDocument, ...]
    regret_minutes: float
    notes: tuple[ReasonDocument, ...]
    arm: Arm | None = None


class TripDocument(msgspec.Struct, frozen=True):
    """A guided trip as it stands; `go_on` while it is under way and nothing speaks against it."""

    trip: str
    stage: Stage
    lot: str
    lot_name: str
    shown_at: str
    arrives_at: str
    chance_said: float
    chance_now: float | None
    go_on: bool
    advice: ReasonDocument | None
    arm: Arm | None = None


def recommendation_document(answer: Answer, lots_served: str) -> RecommendationDocument:
    """`lots_served` is the address of this service, for links that are counted."""
    question, shown = answer.question, answer.recommendation
    trip_id = None if answer.trip is None else answer.trip.trip_id
    return RecommendationDocument(
        trip=trip_id,
        asked_at=rfc3339(answer.asked_at_ms),
        destination=DestinationDocument(
            question.destination_name, both_datums(question.destination)
        ),
        stay_minutes=question.stay_minutes,
        verdict=reason_document(shown.verdict),
        recommendations=tuple(
            _option(rank, option, trip_id, lots_served)
            for rank, option in enumerate(shown.options, start=1)
        ),
        left_out=tuple(_left_out(left) for left in shown.left_out),
        regret_minutes=_tenths(shown.regret_minutes),
        notes=tuple(map(reason_document, shown.notes)),
        arm=answer.arm,
    )


def trip_document(
    trip: Trip, lot: Lot, chance_now: float | None, advice: Reason | None
) -> TripDocument:
    return TripDocument(
        trip=trip.trip_id,
        stage=trip.stage,
        lot=trip.lot_id,
        lot_name=lot.name,
        shown_at=rfc3339(trip.shown_at_ms),
        arrives_at=rfc3339(trip.arrives_ms),
        chance_said=_percent(trip.chance),
        chance_now=None if chance_now is None else _percent(chance_now),
        go_on=advice is None and trip.stage in (Stage.SHOWN, Stage.CHOSEN),
        advice=None if advice is None else reason_document(advice),
        arm=trip.arm,
    )


def reason_document(reason: Reason) -> ReasonDocument:
    return ReasonDocument(reason.code, Words(reason.zh, reason.en))


def _option(rank: int, option: Option, trip_id: str | None, served: str) -> OptionDocument:
    candidate, lot = option.candidate, option.candidate.lot
    travel, outlook, fee = candidate.travel, candidate.outlook, candidate.fee
    return OptionDocument(
        rank=rank,
        lot=lot.lot_id,
        name=lot.name,
        short_name=lot.short_name,
        place=both_datums(lot.entrance),
        hotline=lot.hotline,
        arrives_at=rfc3339(candidate.arrives_ms),
        drive_minutes=_tenths(travel.drive),
        store_minutes=_tenths(travel.store),
        walk_minutes=_tenths(travel.walk),
        retrieval_minutes=_tenths(travel.fetch),
        generalised_minutes=_tenths(option.minutes),
        chance=_percent(candidate.chance),
        expected_free=ExpectedFree(
            _tenths(outlook.free_mean), _tenths(outlook.low), _tenths(outlook.high), outlook.basis
        ),
        promised=_tenths(candidate.promised),
        fee=None if fee.total_fen is None else FeeDocument(fee.total_fen, fee.is_unconfirmed),
        reason=_sentence(option.reasons),
        reasons=tuple(map(reason_document, option.reasons)),
        notes=tuple(map(reason_document, option.notes)),
        navigation=links_to(lot),
        open=None if trip_id is None else _open_links(served, trip_id, lot.lot_id),
    )


def _left_out(left: LeftOut) -> LeftOutDocument:
    return LeftOutDocument(
        left.candidate.lot_id,
        left.candidate.lot.name,
        _sentence(left.reasons),
        tuple(map(reason_document, left.reasons)),
    )


def _open_links(served: str, trip_id: str, lot_id: str) -> OpenLinks:
    return OpenLinks(*(f"{served}/v1/trips/{trip_id}/open/{lot_id}/{one}" for one in MAPS))


def _sentence(reasons: Sequence[Reason]) -> str:
    return "，".join(reason.zh for reason in reasons)


def _tenths(value: float) -> float:
    return round(value, 1)


def _percent(chance: float) -> float:
    return round(chance, 2)
