from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from occupancy import database
from occupancy.live import Received, fold
from occupancy.web.formats import rfc3339
from occupancy.web.routes import Route
from occupancy.web.server import make_face
from occupancy.web.showcase import Showcase
from occupancy.web.tariff_shelf import TariffShelf
from routing.forecast import Forecasts
from routing.forecast_web import ForecastWeb
from tests.builders import MORNING_MS, a_lot, an_observation

MINUTE_MS = 60_000
AWAY = "postgresql://nobody@127.0.0.1:9/nothing"


class Town:
    """One car park with 24 of 36 bays free, in the real application."""

    def __init__(self) -> None:
        self.now_ms = MORNING_MS + 1_000

    def clock(self) -> int:
        return self.now_ms

    @asynccontextmanager
    async def served(self) -> AsyncIterator[None]:
        def above(showcase: Showcase, _: TariffShelf) -> list[Route]:
            return ForecastWeb(showcase, Forecasts(showcase.lots.values())).routes()

        lot = a_lot()
        async with database.pool(AWAY) as connections:
            face = make_face({lot.lot_id: lot}, (), connections, self.clock, above)
            news = Received(an_observation(), self.now_ms, self.now_ms)
            face.showcase.take_in([fold(None, lot, news)])
            async with TestClient(TestServer(face.app)) as self.client:
                yield


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    made = Town()
    async with made.served():
        yield made


async def forecast(town: Town, lot: str = "kangle", **query: str) -> tuple[int, dict[str, Any]]:
    async with town.client.get(f"/v1/lots/{lot}/forecast", params=query) as answer:
        return answer.status, await answer.json()


def later(town: Town, minutes: float) -> str:
    return rfc3339(town.clock() + round(minutes * MINUTE_MS))


async def test_a_forecast_says_what_is_expected_how_sure_and_on_what(town: Town) -> None:
    status, said = await forecast(town, at=later(town, 60))
    assert status == 200
    assert said["lot"] == "kangle"
    assert said["at"] == later(town, 60)
    assert said["interval"]["low"] <= said["free"] <= said["interval"]["high"] <= said["usable"]
    assert said["interval"]["chance"] == 0.8
    assert 0 < said["chance_of_space"] <= 1
    assert said["basis"] == "siblings"
    assert "参照其他停车场" in said["words"]["zh"]
    assert "chance of a space" in said["words"]["en"]


async def test_without_a_moment_it_is_now(town: Town) -> None:
    _, said = await forecast(town)
    assert said["at"] == said["made_at"] == said["counted_at"]
    assert said["free"] == pytest.approx(24, abs=1)


@pytest.mark.parametrize(
    ("minutes", "words"),
    [(-5, "in the past"), (182, "more than 180 minutes ahead"), (60 * 24 * 30, "more than 180")],
)
async def test_what_cannot_be_said_is_refused_with_what_can(
    town: Town, minutes: int, words: str
) -> None:
    status, problem = await forecast(town, at=later(town, minutes))
    assert (status, problem["field"]) == (400, "at")
    assert words in problem["detail"]
    assert later(town, 0) in problem["detail"]
    assert later(town, 180) in problem["detail"]


@pytest.mark.parametrize("query", [{"at": "soon"}, {"at": "2026-11-23T08:00:00"}, {"when": "now"}])
async def test_what_is_no_moment_is_named(town: Town, query: dict[str, str]) -> None:
    status, problem = await forecast(town, **query)
    assert status == 400
    assert problem["field"] in (*query, "at")


async def test_an_unknown_car_park_is_named_with_those_there_are(town: Town) -> None:
    status, problem = await forecast(town, "nowhere")
    assert status == 404
    assert "kangle" in problem["choices"]


async def test_a_silent_source_is_said(town: Town) -> None:
    town.now_ms += 10 * MINUTE_MS
    _, said = await forecast(town)
    assert said["basis"] == "stale"
    assert "数据来源已中断" in said["words"]["zh"]
    assert said["counted_at"] < said["made_at"]
    assert said["interval"]["low"] < said["interval"]["high"]
