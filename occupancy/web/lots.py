"""`/v1/lots`: every car park, one car park, its history."""

import asyncio
import datetime as dt
import re
from typing import Annotated

import msgspec
from aiohttp import web
from msgspec import Meta

from occupancy import database, history
from occupancy.web import formats
from occupancy.web.problems import Problem
from occupancy.web.routes import Route
from occupancy.web.showcase import Showcase

DEFAULT_SPAN_MS = 24 * 3_600_000
MOST_POINTS = 5_000
HISTORY_SECONDS = 15.0
# Seven digits are enough for 19,000 years and too few for an overflow.
_COUNT = r"([0-9]{1,7})"
_DURATION = re.compile(rf"P(?:{_COUNT}D)?(?:T(?:{_COUNT}H)?(?:{_COUNT}M)?(?:{_COUNT}S)?)?")
_EARLIEST = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
_LATEST = dt.datetime(2100, 1, 1, tzinfo=dt.UTC)


class HistoryQuery(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"from_": "from"}
):
    """A span in RFC 3339 and a step as an ISO 8601 duration."""

    from_: Annotated[str, Meta(description="开始时间，RFC 3339；默认为结束前 24 小时")] = ""
    to: Annotated[str, Meta(description="结束时间，RFC 3339；默认为现在")] = ""
    step: Annotated[str, Meta(description="步长，ISO 8601，例如 PT15M；最多 5000 步")] = "PT15M"


class Lots:
    """The answers; `connections` may be away, then only history is."""

    def __init__(self, showcase: Showcase, connections: database.Pool) -> None:
        self._showcase = showcase
        self._connections = connections

    def routes(self) -> list[Route]:
        about = {"lot_id": "as in /v1/lots, e.g. kangle"}
        return [
            Route("GET", "/v1/lots", self.every, "Every car park, live", gives=formats.LotList),
            Route(
                "GET",
                "/v1/lots/{lot_id}",
                self.one,
                "One car park with levels, groups, signs, devices",
                gives=formats.LotDetail,
                problems=(404,),
                path_about=about,
            ),
            Route(
                "GET",
                "/v1/lots/{lot_id}/history",
                self.history,
                "Occupancy over time",
                gives=formats.Series,
                query=HistoryQuery,
                problems=(404, 503),
                path_about=about,
                tag="history",
            ),
        ]

    async def every(self, request: web.Request, _: object) -> web.StreamResponse:
        return self._showcase.lot_list().answer(request, self._showcase.now_ms())

    async def one(self, request: web.Request, _: object) -> web.StreamResponse:
        prepared = self._showcase.lot_detail(known_lot(self._showcase, request))
        return prepared.answer(request, self._showcase.now_ms())

    async def history(self, request: web.Request, query: HistoryQuery) -> web.StreamResponse:
        lot_id = known_lot(self._showcase, request)
        now_ms = self._showcase.now_ms()
        to_ms = moment_ms(query.to, "to") if query.to else now_ms
        from_ms = moment_ms(query.from_, "from") if query.from_ else to_ms - DEFAULT_SPAN_MS
        step_seconds = seconds_of(query.step, "step")
        _check_span(from_ms, to_ms, step_seconds)
        try:
            async with asyncio.timeout(HISTORY_SECONDS):
                points = await history.read_series(
                    self._connections, lot_id, from_ms, to_ms, step_seconds
                )
        except database.NOT_READY:
            detail = "the history database is away; live numbers are not affected"
            raise Problem(503, detail) from None
        body = msgspec.json.encode(formats.series(lot_id, step_seconds, points))
        return web.Response(body=body, content_type="application/json")


def known_lot(showcase: Showcase, request: web.Request) -> str:
    lot_id = request.match_info["lot_id"]
    require_known(showcase, lot_id, "lot_id")
    return lot_id


def require_known(showcase: Showcase, lot_id: str, field: str) -> None:
    if lot_id not in showcase.lots:
        known = tuple(showcase.lots)
        detail = f"there is no car park {lot_id!r}; known: {', '.join(known)}"
        raise Problem(404, detail, field=field, choices=known)


def seconds_of(duration: str, name: str) -> int:
    """An ISO 8601 duration of days, hours, minutes and seconds."""
    match = _DURATION.fullmatch(duration)
    if match is None or not any(match.groups()):
        detail = f"{name}={duration!r} is not a duration such as PT15M or P1D"
        raise Problem(400, detail, field=name)
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


def moment_ms(raw: str, name: str) -> int:
    """RFC 3339 with its offset, as UTC milliseconds."""
    # A plus sign in a query arrives as a blank.
    try:
        at = msgspec.convert(raw.replace(" ", "+"), dt.datetime, strict=False)
    except msgspec.ValidationError:
        at = None
    if at is None or at.tzinfo is None:
        detail = f"{name}={raw!r} is not a time with its zone, e.g. 2026-11-23T08:00:00+08:00"
        raise Problem(400, detail, field=name)
    if not _EARLIEST <= at < _LATEST:
        detail = f"{name}={raw!r} lies outside the years {_EARLIEST.year} to {_LATEST.year - 1}"
        raise Problem(400, detail, field=name)
    return int(at.timestamp() * 1_000)


def _check_span(from_ms: int, to_ms: int, step_seconds: int) -> None:
    if to_ms <= from_ms:
        raise Problem(400, "`to` must lie behind `from`", field="to")
    if step_seconds < 1:
        raise Problem(400, "`step` must be at least a second", field="step")
    points = (to_ms - from_ms) / 1_000 / step_seconds
    if points > MOST_POINTS:
        detail = f"{points:.0f} steps are asked, {MOST_POINTS} is the most: take a longer step"
        raise Problem(400, detail, field="step")
