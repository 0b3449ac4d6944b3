"""`/open/vitals/v1`: the vital signs as JSON, their series, and each worked out again on demand."""

import asyncio
from collections.abc import Sequence
from typing import Annotated

import msgspec
from aiohttp import web
from msgspec import Meta

from occupancy import database, database_vitals
from occupancy.indicator import Indicator
from occupancy.vital_answering import answer
from occupancy.vital_signs import CODES, Grain, Vital, VitalQuery, seal_of
from occupancy.web.formats import rfc3339
from occupancy.web.open_data.publication import Publication
from occupancy.web.open_data.vital_reading import SeriesSpan, VitalReading
from occupancy.web.open_data.vital_view import PREFIX, VitalList, VitalSeries, VitalSign, name_of
from occupancy.web.prepared import prepare
from occupancy.web.problems import Problem
from occupancy.web.routes import Route
from occupancy.web.showcase import Showcase

TAG = "vital signs"
MOST_DIGITS = 18
NOTHING_YET = {
    Grain.QUARTER: "还没有算出任何时段：收到数据后的第一个 15 分钟结束才有",
    Grain.DAY: "还没有算出任何一天：收到数据后的第一天结束才有；这以前可以读 grain=quarter",
    Grain.MONTH: "还没有算出任何一个月：收到数据后的第一个月结束才有；这以前可以读 grain=day",
}
_ALL = {one.code: one for measures in CODES.values() for one in measures}


class VitalsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which figures; empty is every one of the newest day, or quarter while no day is over."""

    grain: Annotated[Grain | None, Meta(description="quarter 15 分钟，day 日，month 月")] = None
    subject: Annotated[str, Meta(description="district 全区，或停车场编号")] = ""
    code: Annotated[str, Meta(description="指标代码，例如 congestion_index")] = ""


class SeriesQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One figure over time."""

    subject: Annotated[str, Meta(description="district 全区，或停车场编号")] = "district"
    code: Annotated[str, Meta(description="指标代码；默认为拥堵指数")] = ""
    span: Annotated[SeriesSpan, Meta(description="24h 按 15 分钟，31d 按日，13m 按月")] = (
        SeriesSpan.DAY
    )


class KeptVital(msgspec.Struct, frozen=True):
    """What was asked and what came out, as it is kept; `seal` is the SHA-256 over both."""

    number: int
    made_at: str
    query: VitalQuery
    figures: tuple[Indicator, ...]
    seal: str


class VitalAgain(msgspec.Struct, frozen=True):
    """The kept figures beside those that the kept query gives now.

    They differ where history was written or corrected after `made_at`.
    """

    kept: KeptVital
    figures: tuple[Indicator, ...]
    seal: str
    is_same: bool


class Vitals:
    """The answers; one is worked out again at a time."""

    def __init__(
        self, showcase: Showcase, connections: database.Pool, publication: Publication
    ) -> None:
        self.reading = VitalReading(showcase, connections)
        self._showcase = showcase
        self._connections = connections
        self._publication = publication
        self._at_work = asyncio.Lock()

    def routes(self) -> list[Route]:
        about = {"number": "`kept_as` of a figure"}
        return [
            Route(
                "GET",
                PREFIX,
                self.newest,
                "The newest vital signs of the district and of each car park",
                gives=VitalList,
                query=VitalsQuery,
                problems=(404, 503),
                tag=TAG,
            ),
            Route(
                "GET",
                PREFIX + "/series",
                self.series,
                "A vital sign over 24 hours, 31 days or 13 months",
                gives=VitalSeries,
                query=SeriesQuery,
                problems=(404, 503),
                tag=TAG,
            ),
            Route(
                "GET",
                PREFIX + "/kept/{number}",
                self.kept,
                "A vital sign as it is kept: what was asked, what came out, the seal on both",
                gives=KeptVital,
                problems=(404, 503),
                tag=TAG,
                path_about=about,
            ),
            Route(
                "GET",
                PREFIX + "/kept/{number}/again",
                self.again,
                "The same, worked out again from the recorded windows",
                gives=VitalAgain,
                problems=(404, 503),
                tag=TAG,
                path_about=about,
            ),
        ]

    async def newest(self, request: web.Request, query: VitalsQuery) -> web.StreamResponse:
        self._require_subject(query.subject or "district")
        grain, found = await self._newest_of(_grains_of(query))
        signs = [
            one
            for one in found
            if query.subject in ("", one.subject) and query.code in ("", one.code)
        ]
        owner, terms = self._publication.owner, self._publication.terms
        note = "" if signs else NOTHING_YET[grain]
        return self._answer(request, VitalList(owner, terms, grain, note, tuple(signs)))

    async def _newest_of(self, grains: Sequence[Grain]) -> tuple[Grain, list[VitalSign]]:
        """Of the first grain that there is any of."""
        for grain in grains:
            if found := await self.reading.newest(grain):
                return grain, found
        return grains[0], []

    async def series(self, request: web.Request, query: SeriesQuery) -> web.StreamResponse:
        self._require_subject(query.subject)
        grain = query.span.grain
        code = query.code or CODES[grain][0].code
        _require_code(code, grain)
        (points,) = await self.reading.series([query.subject], code, query.span)
        measure = _ALL[code]
        content = VitalSeries(
            query.subject,
            name_of(query.subject, self.reading.names),
            code,
            measure.name,
            measure.unit,
            query.span.value,
            tuple(points),
        )
        return self._answer(request, content)

    async def kept(self, request: web.Request, _: object) -> web.StreamResponse:
        return self._answer(request, _shown(await self._find(request)))

    async def again(self, request: web.Request, _: object) -> web.StreamResponse:
        """From the recorded windows, by the kept query."""
        vital = await self._find(request)
        if self._at_work.locked():
            raise Problem(503, "another figure is being worked out; ask again in some seconds")
        async with self._at_work:
            figures = await self.reading.ask(lambda: answer(self._connections, vital.query))
        seal = seal_of(vital.query, figures)
        return self._answer(request, VitalAgain(_shown(vital), figures, seal, seal == vital.seal))

    async def _find(self, request: web.Request) -> Vital:
        raw = request.match_info["number"]
        found = None
        if raw.isascii() and raw.isdecimal() and len(raw) <= MOST_DIGITS:
            found = await self.reading.ask(
                lambda: database_vitals.find(self._connections, int(raw))
            )
        if found is None:
            detail = f"no figure is kept as {raw!r}; {PREFIX} says `kept_as` of each"
            raise Problem(404, detail, field="number")
        return found

    def _answer(self, request: web.Request, content: object) -> web.StreamResponse:
        return prepare(content, PREFIX).answer(request, self._showcase.now_ms())

    def _require_subject(self, subject: str) -> None:
        known = self.reading.subjects
        if subject not in known:
            detail = f"there is no subject {subject!r}"
            raise Problem(404, detail, field="subject", choices=known)


def _grains_of(query: VitalsQuery) -> Sequence[Grain]:
    """Those that may answer, the first that does so. Raises Problem 404 for an unknown code."""
    if query.grain is not None:
        _require_code(query.code, query.grain)
        return (query.grain,)
    usual = (Grain.DAY, Grain.QUARTER, Grain.MONTH)
    found = [grain for grain in usual if not query.code or query.code in _codes(grain)]
    if not found:
        detail = f"there is no figure {query.code!r}"
        raise Problem(404, detail, field="code", choices=tuple(_ALL))
    return found


def _codes(grain: Grain) -> tuple[str, ...]:
    return tuple(one.code for one in CODES[grain])


def _require_code(code: str, grain: Grain) -> None:
    known = _codes(grain)
    if code and code not in known:
        detail = f"there is no figure {code!r} by {grain.value}"
        raise Problem(404, detail, field="code", choices=known)


def _shown(vital: Vital) -> KeptVital:
    return KeptVital(
        vital.number, rfc3339(vital.made_at_ms), vital.query, vital.figures, vital.seal
    )
