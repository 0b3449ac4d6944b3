"""`GET /v1/lots/{id}/forecast?at=`: free spaces expected, 80 % interval, chance of a space."""

from collections.abc import Iterable
from typing import Annotated

import msgspec
from aiohttp import web
from msgspec import Meta

from occupancy.web.formats import rfc3339
from occupancy.web.lots import known_lot, moment_ms
from occupancy.web.outlook import Outlook
from occupancy.web.problems import Problem
from occupancy.web.routes import Route
from occupancy.web.showcase import Showcase
from routing.forecast import MOST_AHEAD_MINUTES, Expectation, ForecastBasis, Forecasts
from routing.forecast_model import MINUTE_MS
from routing.forecast_words import chinese, english

LATE_MS = MINUTE_MS  # a request that was on its way
INTERVAL = 0.8
OUTLOOK_MINUTES = 15
_DECIMALS = 3


class ForecastQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A moment from now to three hours ahead."""

    at: Annotated[str, Meta(description="时间，RFC 3339；默认为现在，最多提前 180 分钟")] = ""


class IntervalDocument(msgspec.Struct, frozen=True):
    """Where the truth lies with this chance."""

    chance: float
    low: int
    high: int


class WordsDocument(msgspec.Struct, frozen=True):
    """The forecast as a sentence."""

    zh: str
    en: str


class ForecastDocument(msgspec.Struct, frozen=True):
    """What one car park will have at a moment, and how sure that is."""

    lot: str
    at: str
    made_at: str
    usable: int
    free: float
    interval: IntervalDocument
    chance_of_space: float
    basis: ForecastBasis
    counted_at: str | None
    learned_at: str | None
    words: WordsDocument


class ForecastWeb:
    """The answers, from memory."""

    def __init__(self, showcase: Showcase, forecasts: Forecasts) -> None:
        self._showcase = showcase
        self._forecasts = forecasts
        showcase.listen(self._see)

    def routes(self) -> list[Route]:
        return [
            Route(
                "GET",
                "/v1/lots/{lot_id}/forecast",
                self.forecast,
                "Free spaces expected up to three hours ahead, with an interval and a chance",
                gives=ForecastDocument,
                query=ForecastQuery,
                problems=(404,),
                path_about={"lot_id": "as in /v1/lots, e.g. kangle"},
                tag="guidance",
            )
        ]

    async def forecast(self, request: web.Request, query: ForecastQuery) -> web.StreamResponse:
        lot_id = known_lot(self._showcase, request)
        now_ms = self._showcase.now_ms()
        at_ms = checked_moment(moment_ms(query.at, "at") if query.at else now_ms, now_ms)
        self._see([lot_id])
        expected = self._forecasts.expect(lot_id, at_ms, now_ms)
        document = forecast_document(
            expected,
            now_ms,
            self._forecasts.counted_at_ms(lot_id),
            self._forecasts.model.learned_at_ms,
        )
        return web.Response(body=msgspec.json.encode(document), content_type="application/json")

    def outlook(self, lot_id: str) -> tuple[Outlook, ...]:
        """From now to as far as is forecast, a quarter of an hour apart."""
        now_ms = self._showcase.now_ms()
        self._see([lot_id])
        steps = range(0, MOST_AHEAD_MINUTES + 1, OUTLOOK_MINUTES)
        moments = (now_ms + minutes * MINUTE_MS for minutes in steps)
        return tuple(_outlook(self._forecasts.expect(lot_id, at, now_ms)) for at in moments)

    def _see(self, lot_ids: Iterable[str]) -> None:
        for lot_id in lot_ids:
            picture = self._showcase.pictures.get(lot_id)
            if picture is not None:
                self._forecasts.see(picture)


def _outlook(expected: Expectation) -> Outlook:
    return Outlook(
        expected.at_ms,
        round(expected.free_mean, 1),
        round(expected.low),
        round(expected.high),
        INTERVAL,
        round(expected.chance_of_at_least(1), _DECIMALS),
        chinese(expected),
        english(expected),
    )


def checked_moment(at_ms: int, now_ms: int) -> int:
    """Raises Problem for a moment that is past or too far ahead; says what is possible."""
    last_ms = now_ms + MOST_AHEAD_MINUTES * MINUTE_MS
    if now_ms - LATE_MS <= at_ms <= last_ms + LATE_MS:
        return min(max(at_ms, now_ms), last_ms)
    lies = "in the past" if at_ms < now_ms else f"more than {MOST_AHEAD_MINUTES} minutes ahead"
    detail = f"at lies {lies}; possible are {rfc3339(now_ms)} to {rfc3339(last_ms)}"
    if at_ms < now_ms:
        detail += "; what was is in /v1/lots/{id}/history"
    raise Problem(400, detail, field="at")


def forecast_document(
    expected: Expectation, now_ms: int, counted_at_ms: int | None, learned_at_ms: int
) -> ForecastDocument:
    return ForecastDocument(
        expected.lot_id,
        rfc3339(expected.at_ms),
        rfc3339(now_ms),
        expected.usable,
        round(expected.free_mean, 1),
        IntervalDocument(INTERVAL, round(expected.low), round(expected.high)),
        round(expected.chance_of_at_least(1), _DECIMALS),
        expected.basis,
        None if counted_at_ms is None else rfc3339(counted_at_ms),
        rfc3339(learned_at_ms) if learned_at_ms else None,
        WordsDocument(chinese(expected), english(expected)),
    )
