"""`GET /v1/guidance`: what became of guided trips, and whether drivers follow as is assumed."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Annotated

import msgspec
from aiohttp import web
from msgspec import Meta

from occupancy import database
from occupancy.web.formats import rfc3339
from occupancy.web.problems import Problem
from occupancy.web.routes import Route
from routing.trip_history import KEPT_DAYS, Outcome, read_outcomes

DATABASE_SECONDS = 5.0
_DAY_MS = 86_400_000


class EffectQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far back; longer than trips are kept there is nothing."""

    days: Annotated[int, Meta(ge=1, le=KEPT_DAYS)] = 7


class EffectDocument(msgspec.Struct, frozen=True):
    """Trips whose time is over, without those that a newer one replaced.

    `followed` is the share that an entry explained, `promised` the share that was held for them:
    where the two differ for long, ZHIBO_FOLLOW_SHOWN and ZHIBO_FOLLOW_CHOSEN are to be set anew.
    """

    trips: int
    chosen: int
    arrived: int
    followed: float | None
    promised: float | None
    chance_said: float | None
    regret_minutes: float | None
    regret_most_minutes: float


class GuidanceDocument(msgspec.Struct, frozen=True):
    """What guidance brought about, altogether and by car park."""

    since: str
    until: str
    all: EffectDocument
    lots: dict[str, EffectDocument]


class EffectPages:
    """Answers from PostgreSQL; `clock` is UTC milliseconds."""

    def __init__(self, connections: database.Pool, clock: Callable[[], int]) -> None:
        self._connections = connections
        self._clock = clock

    def routes(self) -> list[Route]:
        return [
            Route(
                "GET",
                "/v1/guidance",
                self.effect,
                "What became of guided trips: followed, arrived, the regret asked",
                gives=GuidanceDocument,
                query=EffectQuery,
                problems=(503,),
                tag="guidance",
            )
        ]

    async def effect(self, _: web.Request, query: EffectQuery) -> web.StreamResponse:
        until_ms = self._clock()
        since_ms = until_ms - query.days * _DAY_MS
        try:
            async with asyncio.timeout(DATABASE_SECONDS):
                outcomes = await read_outcomes(self._connections, since_ms, until_ms)
        except database.NOT_READY:
            raise Problem(503, "what became of trips cannot be read: PostgreSQL is away") from None
        document = GuidanceDocument(
            rfc3339(since_ms),
            rfc3339(until_ms),
            _effect(outcomes),
            {one.lot_id: _effect([one]) for one in outcomes},
        )
        return web.Response(body=msgspec.json.encode(document), content_type="application/json")


def _effect(outcomes: Sequence[Outcome]) -> EffectDocument:
    trips = sum(one.trips for one in outcomes)
    arrived = sum(one.arrived for one in outcomes)

    def mean(total: float) -> float | None:
        return round(total / trips, 3) if trips else None

    return EffectDocument(
        trips=trips,
        chosen=sum(one.chosen for one in outcomes),
        arrived=arrived,
        followed=mean(arrived),
        promised=mean(sum(one.promised for one in outcomes)),
        chance_said=mean(sum(one.chance for one in outcomes)),
        regret_minutes=mean(sum(one.regret_minutes for one in outcomes)),
        regret_most_minutes=round(max((one.regret_most for one in outcomes), default=0.0), 1),
    )
