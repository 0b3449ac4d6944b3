"""Recommendations over HTTP, from the real application and a real Redis."""

import datetime as dt
from collections.abc import AsyncIterator
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from msgspec.structs import replace
from openapi_spec_validator import OpenAPIV31SpecValidator
from redis.asyncio import Redis

from occupancy.lot import OpeningState
from occupancy.lot_file import load_shipped
from occupancy.web.formats import rfc3339
from routing import promise_store
from tests.routing.town import AsNow, Town, running

HOSPITAL = "三水区人民医院"
DAY_MS = 86_400_000


@pytest.fixture
async def town(redis: Redis) -> AsyncIterator[Town]:
    async with running(redis) as made:
        yield made


def codes(reasons: list[Any]) -> list[str]:
    return [reason["code"] for reason in reasons]


async def test_an_answer_has_everything_a_driver_needs(town: Town) -> None:
    answer = await town.asked(destination=HOSPITAL, stay="PT2H")
    first = answer["recommendations"][0]
    assert (first["rank"], first["lot"]) == (1, "kangle")
    assert first["chance"] > 0.9
    assert min(first["drive_minutes"], first["walk_minutes"], first["retrieval_minutes"]) > 0
    assert first["fee"] == {
        "total_fen": first["fee"]["total_fen"],
        "placeholder": True,
        "currency": "CNY",
    }
    assert first["fee"]["total_fen"] > 0
    assert "到达时有空位的可能" in first["reason"]
    assert first["navigation"]["amap"].startswith("https://uri.amap.com/navigation?to=112.")
    assert first["open"]["amap"] == f"https://zhibo/v1/trips/{answer['trip']}/open/kangle/amap"
    assert answer["verdict"]["words"]["zh"] == "推荐康乐路"
    assert {one["lot"] for one in answer["recommendations"]} <= set(town.showcase.lots)
    assert codes(answer["notes"]) == ["no_origin"]


async def test_a_recommendation_is_promised_softly(town: Town, redis: Redis) -> None:
    answer = await town.asked(destination=HOSPITAL)
    held = (await promise_store.read(redis, ["kangle"]))["kangle"]
    (promise,) = held.promises
    assert (promise.trip_id, promise.share) == (answer["trip"], 0.6)


async def test_the_same_driver_gets_the_same_answer_and_one_promise(
    town: Town, redis: Redis
) -> None:
    first = await town.asked(destination=HOSPITAL, driver="d1")
    town.clock.now_ms += 20_000
    town.see("kangle", 3)
    assert await town.asked(destination=HOSPITAL, driver="d1") == first
    assert await town.asked(destination=HOSPITAL, driver="d2") != first
    held = await promise_store.read(redis, list(town.showcase.lots))
    assert sum(len(one.promises) for one in held.values()) == 2


async def test_a_retry_without_a_driver_is_known_by_its_key(town: Town, redis: Redis) -> None:
    bodies = []
    for key in ("one", "one", "two"):
        async with town.client.post(
            "/v1/recommendations",
            json={"destination": HOSPITAL},
            headers={"Idempotency-Key": key},
        ) as answer:
            bodies.append(await answer.read())
    assert bodies[0] == bodies[1] != bodies[2]
    held = (await promise_store.read(redis, ["kangle"]))["kangle"]
    assert len(held.promises) == 2


async def test_a_driver_who_asks_something_else_leaves_his_first_promise(
    town: Town, redis: Redis
) -> None:
    first = await town.asked(destination=HOSPITAL, driver="d1")
    second = await town.asked(destination=HOSPITAL, driver="d1", stay="PT4H")
    assert first["trip"] != second["trip"]
    held = (await promise_store.read(redis, ["kangle"]))["kangle"]
    assert [promise.trip_id for promise in held.promises] == [second["trip"]]
    async with town.client.get(f"/v1/trips/{first['trip']}") as answer:
        assert (await answer.json())["stage"] == "replaced"


async def test_another_car_park_on_request(town: Town) -> None:
    answer = await town.asked(destination=HOSPITAL, without=["kangle"])
    assert answer["recommendations"][0]["lot"] != "kangle"
    (left,) = (one for one in answer["left_out"] if one["lot"] == "kangle")
    assert left["reason"] == "您已排除"


async def test_a_place_does_in_either_datum(town: Town) -> None:
    by_gps = await town.asked(place={"wgs84": {"lat": 23.1579, "lng": 112.8893}})
    both = by_gps["destination"]["place"]
    by_map = await town.asked(place={"gcj02": both["gcj02"]})
    assert by_map["destination"]["place"] == both
    assert by_map["recommendations"][0]["lot"] == by_gps["recommendations"][0]["lot"]
    assert (await town.ask(place=both))[0] == 200


async def test_who_says_where_he_sets_out_gets_his_own_drive(town: Town) -> None:
    near = {"wgs84": {"lat": 23.1569, "lng": 112.8902}}
    answer = await town.asked(destination=HOSPITAL, **{"from": near})
    assert answer["recommendations"][0]["drive_minutes"] == 0
    assert answer["notes"] == []


async def test_a_vehicle_too_high_for_all_is_told_so_and_whom_to_call(town: Town) -> None:
    answer = await town.asked(destination=HOSPITAL, vehicle={"height_metres": 2.6})
    assert (answer["recommendations"], answer["trip"]) == ([], None)
    assert answer["verdict"]["code"] == "nothing"
    assert "车高超限" in answer["verdict"]["words"]["zh"]
    assert len(answer["left_out"]) == 5


async def test_when_all_sources_are_silent_the_least_bad_says_so(town: Town) -> None:
    town.clock.now_ms += 200_000
    answer = await town.asked(destination=HOSPITAL)
    assert answer["verdict"]["code"] == "least_bad"
    assert "数据过期" in answer["verdict"]["words"]["zh"]
    assert "old_data" in codes(answer["recommendations"][0]["notes"])
    assert answer["recommendations"][0]["expected_free"]["basis"] == "stale"


async def test_when_all_are_full_the_least_bad_says_so(redis: Redis) -> None:
    async with running(redis, forecasts=AsNow()) as town:
        for lot_id in town.showcase.lots:
            town.see(lot_id, 0)
        answer = await town.asked(destination=HOSPITAL)
    assert answer["verdict"]["code"] == "least_bad"
    assert "到达时多半已满" in answer["verdict"]["words"]["zh"]
    assert answer["recommendations"]


async def test_when_all_are_closed_it_is_said_with_a_way_out(redis: Redis) -> None:
    lots = [replace(lot, opening=OpeningState.CLOSED) for lot in load_shipped()]
    async with running(redis, lots=lots) as town:
        answer = await town.asked(destination=HOSPITAL)
    assert (answer["trip"], answer["recommendations"]) == (None, [])
    assert answer["verdict"]["words"]["zh"].startswith(
        "没有可以停的停车场：已关闭。可换一个到达时间"
    )
    assert {left["reason"] for left in answer["left_out"]} == {"已关闭"}


def at(town: Town, days: float) -> str:
    return rfc3339(round(town.clock() + days * DAY_MS))


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "destination"),
        ({"destination": "x", "place": {"wgs84": {"lat": 23.15, "lng": 112.89}}}, "place"),
        ({"place": {}}, "place"),
        ({"place": {"wgs84": {"lat": 112.89, "lng": 23.15}}}, "place.wgs84.lat"),
        ({"place": {"wgs84": {"lat": 39.9, "lng": 116.4}}}, "place"),
        (
            {
                "place": {
                    "wgs84": {"lat": 23.15, "lng": 112.89},
                    "gcj02": {"lat": 23.15, "lng": 112.89},
                }
            },
            "place",
        ),
        ({"destination": HOSPITAL, "from": {}}, "from"),
        ({"destination": HOSPITAL, "from": {"wgs84": {"lat": 0, "lng": 0}}}, "from"),
        ({"destination": HOSPITAL, "stay": "PT0M"}, "stay"),
        ({"destination": HOSPITAL, "stay": "P400D"}, "stay"),
        ({"destination": HOSPITAL, "stay": "two hours"}, "stay"),
        ({"destination": HOSPITAL, "arrive": "tomorrow"}, "arrive"),
        ({"destination": HOSPITAL, "vehicle": "tank"}, "vehicle"),
        ({"destination": HOSPITAL, "vehicle": {"height_metres": -1}}, "vehicle.height_metres"),
        ({"destination": HOSPITAL, "prefer": "fast"}, "prefer"),
        ({"destination": HOSPITAL, "without": ["nowhere"]}, "without"),
        ({"destination": HOSPITAL, "colour": "red"}, "colour"),
        ({"destination": HOSPITAL, "vehicle": {"colour": "red"}}, "vehicle.colour"),
        ({"destination": HOSPITAL, "vehicle": {"class": "tank"}}, "vehicle.class"),
        ({"destination": "  \t"}, "destination"),
    ],
)
async def test_a_wrong_field_is_named(town: Town, body: dict[str, Any], field: str) -> None:
    status, problem = await town.ask(**body)
    assert (status, problem.get("field", "")) == (400, field)
    assert problem["detail"]


@pytest.mark.parametrize(
    ("raw", "detail"),
    [
        (b'{"destination": "\xb7\xf0\xc9\xbd"}', "UTF-8"),  # GBK
        (b'{"destination":', "JSON"),
        (b'{"place": {"wgs84": {"lat": NaN, "lng": 112.9}}}', "JSON"),
        (b"[]", "object"),
        (b"", "JSON"),
    ],
)
async def test_a_body_that_cannot_be_read_is_told_so(town: Town, raw: bytes, detail: str) -> None:
    async with town.client.post("/v1/recommendations", data=raw) as answer:
        assert answer.status == 400
        assert detail in (await answer.json(content_type=None))["detail"]


async def test_a_wrong_value_is_told_what_would_be_right(town: Town) -> None:
    _, problem = await town.ask(destination=HOSPITAL, prefer=["fast"])
    assert set(problem["choices"]) == {"cheap", "near", "sure", "covered"}
    _, problem = await town.ask(destination=HOSPITAL, vehicle={"class": "tank"})
    assert set(problem["choices"]) == {"car", "large", "motorcycle"}
    _, problem = await town.ask(destination=HOSPITAL, vehicle={"colour": "red"})
    assert "height_metres" in problem["choices"]


@pytest.mark.parametrize("days", [-1.0, 7.5, 30.0])
async def test_an_arrival_in_the_past_or_far_ahead_is_refused(town: Town, days: float) -> None:
    status, problem = await town.ask(destination=HOSPITAL, arrive=at(town, days))
    assert (status, problem["field"]) == (400, "arrive")


async def test_an_arrival_tomorrow_is_answered_for_tomorrow(town: Town) -> None:
    answer = await town.asked(destination=HOSPITAL, arrive=at(town, 1.0))
    arrives = dt.datetime.fromisoformat(answer["recommendations"][0]["arrives_at"])
    assert arrives.timestamp() * 1_000 == town.clock() + DAY_MS


async def test_an_ambiguous_destination_brings_its_candidates(town: Town) -> None:
    status, problem = await town.ask(destination="站")
    assert status == 300
    assert problem["choices"] == ["north", "station"]
    assert [one["name"] for one in problem["candidates"]] == ["三水北站", "三水火车站"]


async def test_an_unknown_destination_is_not_guessed(town: Town) -> None:
    status, problem = await town.ask(destination="月球")
    assert (status, problem["field"]) == (404, "destination")
    assert "月球" in problem["detail"]


async def test_an_opened_link_leads_to_the_map_and_strengthens_the_promise(
    town: Town, redis: Redis
) -> None:
    answer = await town.asked(destination=HOSPITAL)
    path = answer["recommendations"][0]["open"]["tencent"].removeprefix("https://zhibo")
    async with town.client.get(path, allow_redirects=False) as reply:
        assert reply.status == 302
        assert reply.headers["Location"] == answer["recommendations"][0]["navigation"]["tencent"]
    held = (await promise_store.read(redis, ["kangle"]))["kangle"]
    assert held.promises[0].share == 0.9
    async with town.client.get(f"/v1/trips/{answer['trip']}") as reply:
        trip = await reply.json()
    assert (trip["stage"], trip["lot"], trip["go_on"]) == ("chosen", "kangle", True)


async def test_who_takes_another_of_the_shown_moves_his_promise(town: Town, redis: Redis) -> None:
    answer = await town.asked(destination=HOSPITAL)
    other = answer["recommendations"][1]["lot"]
    path = f"/v1/trips/{answer['trip']}/chosen"
    async with town.client.post(path, json={"lot": other}) as reply:
        assert (await reply.json())["lot"] == other
    held = await promise_store.read(redis, ["kangle", other])
    assert held["kangle"].promises == ()
    assert held[other].promises[0].share == 0.9
    async with town.client.post(path, json={"lot": "nowhere"}) as reply:
        assert reply.status == 400
        assert (await reply.json())["field"] == "lot"


async def test_a_preview_of_a_link_chooses_nothing(town: Town, redis: Redis) -> None:
    answer = await town.asked(destination=HOSPITAL)
    path = answer["recommendations"][0]["open"]["amap"].removeprefix("https://zhibo")
    async with town.client.head(path, allow_redirects=False) as reply:
        assert reply.status == 302
    held = (await promise_store.read(redis, ["kangle"]))["kangle"]
    assert held.promises[0].share == 0.6


async def test_a_link_to_what_was_not_shown_leaves_the_trip_as_it_is(town: Town) -> None:
    answer = await town.asked(destination=HOSPITAL, without=["sanda"])
    path = f"/v1/trips/{answer['trip']}"
    async with town.client.get(f"{path}/open/sanda/amap", allow_redirects=False) as reply:
        assert reply.status == 302
    async with town.client.get(path) as reply:
        trip = await reply.json()
    assert (trip["stage"], trip["lot"]) == ("shown", "kangle")


async def test_a_trip_that_another_one_replaced_is_not_gone_on_with(town: Town) -> None:
    first = await town.asked(destination=HOSPITAL, driver="me")
    await town.asked(destination=HOSPITAL, driver="me", stay="PT30M")
    async with town.client.get(f"/v1/trips/{first['trip']}") as reply:
        trip = await reply.json()
    assert (trip["stage"], trip["go_on"]) == ("replaced", False)


async def test_a_link_leads_on_whatever_becomes_of_its_trip(town: Town) -> None:
    path = "/v1/trips/long-gone/open/{}/{}"
    async with town.client.get(path.format("kangle", "baidu"), allow_redirects=False) as reply:
        assert reply.status == 302
    for lot_id, where in (("kangle", "paper"), ("nowhere", "amap")):
        async with town.client.get(path.format(lot_id, where)) as reply:
            assert reply.status == 404
    async with town.client.get("/v1/trips/long-gone") as reply:
        assert reply.status == 404


async def test_the_document_promises_what_is_answered(town: Town) -> None:
    async with town.client.get("/openapi.json") as reply:
        document = await reply.json()
    OpenAPIV31SpecValidator(document).validate()
    assert "/v1/trips/{trip_id}/chosen" in document["paths"]
    answer = await town.asked(destination=HOSPITAL, driver="d")
    promised = document["components"]["schemas"]["RecommendationDocument"]
    jsonschema.validate(answer, {**promised, "components": document["components"]})
