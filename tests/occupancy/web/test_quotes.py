"""Prices over HTTP, from the real application; PostgreSQL is away and not needed."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from msgspec.structs import replace

from occupancy import database, embedded
from occupancy.calendar import DayType, day_of
from occupancy.database_tariffs import publish_tariff, seed_tariffs
from occupancy.lot_file import load_shipped
from occupancy.tariff import VehicleClass
from occupancy.tariff_clock import utc_ms
from occupancy.tariff_file import shipped_tariffs
from occupancy.web.quotes import MOST_QUOTES, price_in_words
from occupancy.web.server import Face, make_face
from tests.waiting import until

MONDAY = day_of(date(2026, 11, 2)) * 1440
NINE, TWELVE = "2026-11-02T09:00:00%2B08:00", "2026-11-02T12:00:00%2B08:00"
KANGLE = next(tariff for tariff in shipped_tariffs() if tariff.tariff_id == "kangle")
AWAY = "postgresql://nobody@/nothing?host=/nowhere"


def face(connections: Any, minute: int = MONDAY) -> Face:  # noqa: ANN401 -- asyncpg has no types
    lots = {lot.lot_id: lot for lot in load_shipped()}
    return make_face(lots, (), connections, lambda: utc_ms(minute))


@pytest.fixture
async def shown() -> AsyncIterator[Face]:
    async with database.pool(AWAY) as connections:
        yield face(connections)


@pytest.fixture
async def client(shown: Face) -> AsyncIterator[TestClient[Any, Any]]:
    async with TestClient(TestServer(shown.app)) as made:
        yield made


async def got(client: TestClient[Any, Any], path: str) -> Any:  # noqa: ANN401 -- JSON
    async with client.get(path) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.json()


async def refused(client: TestClient[Any, Any], path: str) -> tuple[int, str]:
    async with client.get(path) as answer:
        assert answer.content_type == "application/problem+json"
        return answer.status, (await answer.json()).get("field", "")


async def posted(client: TestClient[Any, Any], body: object) -> tuple[int, Any]:
    async with client.post("/v1/quotes", json=body) as answer:
        return answer.status, await answer.json(content_type=None)


async def test_a_quote_has_its_lines_words_and_next_step(client: TestClient[Any, Any]) -> None:
    quote = await got(client, f"/v1/quote?lot=kangle&from={NINE}&to={TWELVE}")
    assert (quote["total_fen"], quote["currency"], quote["placeholder"]) == (700, "CNY", True)
    assert quote["free_until"] == "2026-11-02T09:30:00+08:00"
    assert (quote["next_step_at"], quote["next_total_fen"]) == ("2026-11-02T12:00:00+08:00", 900)
    assert sum(line["amount_fen"] for line in quote["lines"]) == 700
    assert quote["lines"][0]["words"]["zh"] == "全天 1×小时，每小时3元"
    assert quote["reasons"][0]["words"]["zh"] == "超过免费停车时限，全程计费。"
    assert quote["words"]["zh"] == "7元，2026-11-02 12:00 之后为9元"


async def test_a_duration_does_in_place_of_a_departure(client: TestClient[Any, Any]) -> None:
    until_noon = await got(client, f"/v1/quote?lot=kangle&from={NINE}&to={TWELVE}")
    assert await got(client, f"/v1/quote?lot=kangle&from={NINE}&stay=PT3H") == until_noon


async def test_an_exempt_vehicle_pays_nothing(client: TestClient[Any, Any]) -> None:
    path = f"/v1/quote?lot=kangle&from={NINE}&to={TWELVE}&exemption=military&new_energy=true"
    assert (await got(client, path))["total_fen"] == 0


@pytest.mark.parametrize(
    ("path", "status", "field"),
    [
        (f"lot=nowhere&from={NINE}&stay=PT1H", 404, "lot"),
        (f"lot=kangle&from={TWELVE}&to={NINE}", 400, "to"),
        (f"lot=kangle&from={NINE}&stay=P400D", 400, "to"),
        (f"lot=kangle&from={NINE}", 400, "to"),
        (f"lot=kangle&from={NINE}&to={TWELVE}&stay=PT1H", 400, "to"),
        (f"lot=kangle&from={NINE}&stay=soon", 400, "stay"),
        (f"lot=kangle&from={NINE}&stay=PT1H&vehicle=spaceship", 400, "vehicle"),
        (f"lot=kangle&from={NINE}&stay=PT1H&vehicle=large", 400, "vehicle"),
        (f"lot=kangle&from={NINE}&stay=PT1H&exemption=mayor", 400, "exemption"),
        ("lot=kangle&from=2026-11-02T09:00:00&stay=PT1H", 400, "from"),
        ("lot=kangle&from=9999-12-31T09:00:00Z&stay=PT1H", 400, "from"),
        ("lot=kangle&from=0001-01-01T00:00:00Z&stay=PT1H", 400, "from"),
        ("lot=kangle&from=2001-01-01T00:00:00Z&stay=PT1H", 400, "from"),
        (f"lot=kangle&from={NINE}&stay=PT1H&speed=9", 400, "speed"),
    ],
)
async def test_a_bad_question_is_refused_by_its_field(
    client: TestClient[Any, Any], path: str, status: int, field: str
) -> None:
    assert await refused(client, f"/v1/quote?{path}") == (status, field)


async def test_all_car_parks_are_priced_at_once_and_half_a_success_is_a_value(
    client: TestClient[Any, Any],
) -> None:
    nine, noon = "2026-11-02T09:00:00+08:00", "2026-11-02T12:00:00+08:00"
    stays = [{"from": nine, "to": noon}, {"from": noon, "to": nine}, {"from": nine}]
    status, body = await posted(client, {"stays": stays})
    assert status == 200
    prices = {one["lot"]: one["quote"]["total_fen"] for one in body["quotes"] if one["quote"]}
    assert prices == {
        "kangle": 700,
        "zhanqian": 1000,
        "sanda": 700,
        "zhongshan": 800,
        "huochezhan": 1200,
    }
    fields = {one["problem"]["field"] for one in body["quotes"] if one["problem"]}
    assert fields == {"stays[1].to", "stays[2].to"}


async def test_what_earlier_stays_paid_counts_towards_a_shared_cap(
    client: TestClient[Any, Any],
) -> None:
    earlier = {"from": "2026-11-02T09:00:00+08:00", "to": "2026-11-02T14:00:00+08:00"}
    stay = {
        "from": "2026-11-02T15:00:00+08:00",
        "stay": "PT5H",
        "earlier": [{**earlier, "paid_fen": 1500}],
    }
    status, body = await posted(client, {"lots": ["zhongshan"], "stays": [stay]})
    assert (status, body["quotes"][0]["quote"]["total_fen"]) == (200, 500)


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"stays": []}, 400, "stays"),
        ({"stays": [{"from": "x", "to": "y"}] * MOST_QUOTES}, 400, "stays"),
        ({"lots": ["nowhere"], "stays": [{"from": "x"}]}, 404, "lots"),
        ({"stays": [{"from": 5}]}, 400, "stays[0].from"),
        ({"stays": [{"from": "x", "colour": "red"}]}, 400, "stays[0].colour"),
    ],
)
async def test_a_bad_list_is_refused_by_its_field(
    client: TestClient[Any, Any], body: object, status: int, field: str
) -> None:
    answered, problem = await posted(client, body)
    assert (answered, problem["field"]) == (status, field)


async def test_a_tariff_is_shown_as_data_and_as_its_board(client: TestClient[Any, Any]) -> None:
    tariff = await got(client, "/v1/lots/kangle/tariff")
    labels = [row["label"] for row in tariff["board"]["zh"]]
    assert labels == ["服务内容", "收费标准", "计费方法", "免费停车时限", "投诉电话"]
    assert tariff["tariff"]["rates"][0]["bands"][0]["tiers"][0]["price_fen"] == 300
    assert tariff["tariff"]["valid_from"] == tariff["valid_from"] == "2026-01-01T00:00:00+08:00"
    assert tariff["placeholder"]
    assert "rates" in tariff["placeholders"]
    assert await refused(client, "/v1/lots/nowhere/tariff") == (404, "lot_id")


async def test_every_car_park_has_its_tariff_and_its_quote(client: TestClient[Any, Any]) -> None:
    for lot in (await got(client, "/v1/lots"))["lots"]:
        tariff = await got(client, f"/v1/lots/{lot['id']}/tariff")
        quote = await got(client, f"/v1/quote?lot={lot['id']}&from={NINE}&stay=P30D")
        assert (tariff["lot"], quote["lot"]) == (lot["id"], lot["id"])
    waivers = (await got(client, "/v1/lots/huochezhan/tariff"))["tariff"]["waivers"]
    assert (waivers[0]["first_day"], waivers[0]["start"]) == ("2026-10-01", "09:00")


async def test_the_list_of_car_parks_has_free_period_and_price_in_words(
    client: TestClient[Any, Any],
) -> None:
    lots = {lot["id"]: lot["tariff"] for lot in (await got(client, "/v1/lots"))["lots"]}
    assert lots["kangle"] == {
        "free_minutes": 30,
        "free_period": "30分钟以内（含30分钟）免费，超过的全程计费",
        "price": "首1小时3元，之后每小时2元；封顶：每24小时最高20元",
        "placeholder": True,
    }


async def test_a_tariff_that_breaks_rules_gives_no_quote_and_names_the_rule(
    shown: Face, client: TestClient[Any, Any]
) -> None:
    rate = KANGLE.rates[0]
    plan = replace(
        rate.day_plans[0], periods=(replace(rate.day_plans[0].periods[0], end_minute=9),)
    )
    gap = replace(KANGLE, rates=(replace(rate, day_plans=(plan,)),))
    shown.shelf.take([gap], {})
    async with client.get(f"/v1/quote?lot=kangle&from={NINE}&stay=PT1H") as answer:
        assert answer.status == 503
        assert "gap" in (await answer.json())["detail"]
    assert (await refused(client, f"/v1/quote?lot=sanda&from={NINE}&stay=PT1H"))[0] == 503


async def test_versions_to_come_are_named_and_one_that_ended_is_not_shown(
    shown: Face, client: TestClient[Any, Any]
) -> None:
    later = replace(KANGLE, version=2, valid_from=MONDAY + 1440)
    shown.shelf.take([KANGLE, later], {})
    tariff = await got(client, "/v1/lots/kangle/tariff")
    upcoming = [{"version": 2, "valid_from": "2026-11-03T00:00:00+08:00"}]
    assert (tariff["version"], tariff["upcoming"]) == (1, upcoming)
    shown.shelf.take([replace(KANGLE, valid_to=MONDAY)], {})
    assert await refused(client, "/v1/lots/kangle/tariff") == (404, "lot_id")


async def test_a_published_version_and_an_override_reach_the_web_from_postgresql(
    tmp_path: Path,
) -> None:
    server = await embedded.prepare_postgres(tmp_path / "postgres", tmp_path / "logs")
    dearer = replace(
        KANGLE.rates[0], bands=(replace(KANGLE.rates[0].bands[0], cap_fen=100),), cap=None
    )
    async with embedded.running(server) as url:
        await database.migrate(url)
        async with database.pool(url) as connections:
            made = face(connections)
            await seed_tariffs(connections, shipped_tariffs())
            new = replace(KANGLE, version=2, valid_from=MONDAY - 1440, rates=(dearer,))
            await publish_tariff(connections, new, "approver")
            async with asyncio.TaskGroup() as group:
                fresh = group.create_task(made.shelf.keep_fresh(connections), name="tariffs")

                async def is_told() -> bool:
                    return "连续停放最高1元" in made.showcase.tariffs["kangle"].price

                await until(is_told)
                told = made.shelf.book
                await connections.execute(
                    "INSERT INTO tariff_version VALUES ('kangle', 9, $1::jsonb, 'hand')",
                    '{"from": "later"}',
                )
                await made.shelf.look(connections)
                assert made.shelf.book is told
                fresh.cancel()


async def test_without_postgresql_the_shipped_tariffs_serve(shown: Face) -> None:
    async with database.pool(AWAY) as connections:
        await shown.shelf.look(connections)
    assert shown.shelf.book.get_versions("kangle")[0].tariff == KANGLE


def test_a_tariff_without_cars_shows_what_it_has() -> None:
    rate = replace(KANGLE.rates[0], vehicles=(VehicleClass.LARGE,))
    assert price_in_words(replace(KANGLE, rates=(rate,))).free_minutes == 30


def test_an_unchanged_shelf_keeps_its_book(shown: Face) -> None:
    book = shown.shelf.book
    shown.shelf.take(shipped_tariffs(), {})
    assert shown.shelf.book is book
    shown.shelf.take(shipped_tariffs(), {MONDAY // 1440: DayType.WEEKEND})
    assert shown.shelf.book is not book
