"""Map services: asked rightly, believed only when they answer rightly, left alone when ill."""

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from gateway.settings import BadSettingError
from occupancy.coordinates import to_gcj02
from occupancy.lot import Place
from routing import map_client
from routing.config import Geocoding, MapSettings, load_settings
from routing.destination_shelf import DestinationShelf
from routing.geocoder import Geocoder
from routing.map_client import ILL_AFTER_FAILURES, MapClient, NoAnswerError
from routing.map_services import Asked, BadAnswerError, Service, read_places, read_ways
from routing.maps import maps_of
from routing.travel_time import AskedTravelTimes
from routing.ways import StraightLine
from tests.routing.map_stand_in import StandIn, stand_in

ORIGIN = Place(23.155, 112.893)
LOTS = (Place(23.1569, 112.8902), Place(23.1592, 112.8957))
AMAP = {"status": "1", "results": [{"distance": "900", "duration": "240"}]}
AMAP_TWO = {"status": "1", "results": [{"duration": "240"}, {"duration": "330"}]}
TENCENT = {"status": 0, "result": {"rows": [{"elements": [{"duration": 240}, {"duration": 330}]}]}}
OSRM = {"code": "Ok", "durations": [[240.0, 330.0]]}
VALHALLA = {"sources_to_targets": [[{"time": 240}, {"time": 330}]]}


class Clock:
    def __init__(self) -> None:
        self.now_ms = 1_795_392_000_000

    def __call__(self) -> int:
        return self.now_ms


@asynccontextmanager
async def asking(
    service: Service,
    answer: Any,  # noqa: ANN401  # JSON
    calls: int = 1_000,
) -> AsyncIterator[tuple[AskedTravelTimes, StandIn, Clock]]:
    clock = Clock()
    async with stand_in(answer) as server:
        client = MapClient(server.address, calls, clock)
        yield AskedTravelTimes(service, client, "k", clock), server, clock
        await client.close()


def gcj02(place: Place, *, lat_first: bool) -> str:
    there = to_gcj02(place)
    pair = (there.latitude, there.longitude) if lat_first else (there.longitude, there.latitude)
    return f"{pair[0]:.6f},{pair[1]:.6f}"


async def test_tencent_is_asked_once_for_all_in_its_own_order_and_datum() -> None:
    async with asking(Service.TENCENT, TENCENT) as (travel, server, _):
        assert await travel.drive_minutes(ORIGIN, LOTS) == [4.0, 5.5]
    ((path, query),) = server.asked
    assert path == "/ws/distance/v1/matrix"
    assert query["mode"] == "driving"
    assert query["from"] == gcj02(ORIGIN, lat_first=True)
    assert query["to"] == ";".join(gcj02(lot, lat_first=True) for lot in LOTS)


async def test_amap_takes_one_destination_a_call_for_driving_and_all_for_walking() -> None:
    async with asking(Service.AMAP, AMAP) as (travel, server, _):
        assert await travel.drive_minutes(ORIGIN, LOTS) == [4.0, 4.0]
        assert [query["type"] for _, query in server.asked] == ["1", "1"]
        assert server.asked[0][1]["destination"] == gcj02(LOTS[0], lat_first=False)
        server.asked.clear()
        server.answer = AMAP_TWO
        assert await travel.walk_minutes(ORIGIN, LOTS) == [4.0, 5.5]
        ((_, query),) = server.asked
        assert (query["type"], query["origins"].count("|")) == ("3", 1)


async def test_osrm_and_valhalla_keep_wgs84() -> None:
    async with asking(Service.OSRM, OSRM) as (travel, server, _):
        assert await travel.drive_minutes(ORIGIN, LOTS) == [4.0, 5.5]
        assert server.asked[0][0].startswith("/table/v1/driving/112.893000,23.155000;")
        assert server.asked[0][1]["destinations"] == "1;2"
    async with asking(Service.VALHALLA, VALHALLA) as (travel, server, _):
        assert await travel.walk_minutes(ORIGIN, LOTS) == [4.0, 5.5]
        (body,) = server.bodies
        assert body["costing"] == "pedestrian"
        assert body["sources"] == [{"lat": 23.155, "lon": 112.893}]


async def test_an_answer_is_remembered_for_a_while() -> None:
    async with asking(Service.TENCENT, TENCENT) as (travel, server, clock):
        await travel.drive_minutes(ORIGIN, LOTS)
        await travel.drive_minutes(Place(23.15502, 112.89301), LOTS)
        assert len(server.asked) == 1
        clock.now_ms += 301_000
        await travel.drive_minutes(ORIGIN, LOTS)
        assert len(server.asked) == 2


@pytest.mark.parametrize(
    ("service", "answer"),
    [
        (Service.TENCENT, {"status": 311, "message": "key格式错误"}),
        (Service.TENCENT, {"status": 0, "result": {"rows": [{"elements": [{"duration": 1}]}]}}),
        (Service.AMAP, {"status": "0", "info": "INVALID_USER_KEY"}),
        (Service.AMAP, {"status": "1", "results": [{"duration": "soon"}]}),
        (Service.OSRM, {"code": "NoTable", "message": "no"}),
        (Service.OSRM, {"code": "Ok", "durations": [[240.0, None]]}),
        (Service.VALHALLA, {"error": "no"}),
        (Service.VALHALLA, []),
    ],
)
async def test_an_answer_of_another_form_is_unknown_not_a_number(
    service: Service,
    answer: Any,  # noqa: ANN401  # JSON
) -> None:
    async with asking(service, answer) as (travel, _, __):
        assert all(math.isnan(one) for one in await travel.drive_minutes(ORIGIN, LOTS))
    with pytest.raises(BadAnswerError):
        read_ways(service, [answer], 2)


async def test_a_service_that_is_ill_is_left_alone_and_asked_again_later() -> None:
    async with asking(Service.TENCENT, TENCENT) as (travel, server, clock):
        server.status = 500
        for _ in range(ILL_AFTER_FAILURES + 2):
            await travel.drive_minutes(ORIGIN, LOTS)
        assert len(server.asked) == ILL_AFTER_FAILURES
        server.status = 200
        clock.now_ms += 31_000
        assert await travel.drive_minutes(ORIGIN, LOTS) == [4.0, 5.5]


async def test_a_service_that_answers_nonsense_is_left_alone_too() -> None:
    """A spent key answers with status 200 and an error inside."""
    async with asking(Service.TENCENT, {"status": 121, "message": "limit"}) as (travel, server, _):
        for _ in range(ILL_AFTER_FAILURES + 2):
            await travel.drive_minutes(ORIGIN, LOTS)
        assert len(server.asked) == ILL_AFTER_FAILURES


async def test_many_calls_for_one_question_take_no_longer_than_one() -> None:
    """AMap needs a call for every car park: each is answered only once all have come."""
    places = [Place(23.15 + number / 1_000, 112.89) for number in range(12)]
    async with asking(Service.AMAP, AMAP) as (travel, server, _):
        server.meets = asyncio.Barrier(len(places))
        assert await travel.drive_minutes(ORIGIN, places) == [4.0] * len(places)


async def test_one_of_many_calls_that_fails_makes_all_unknown() -> None:
    async with asking(Service.AMAP, AMAP) as (travel, server, _):
        server.status = 503
        assert all(math.isnan(one) for one in await travel.drive_minutes(ORIGIN, LOTS))


async def test_the_days_quota_is_kept_and_begins_anew_the_next_day(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async with asking(Service.TENCENT, TENCENT, calls=1) as (travel, server, clock):
        await travel.drive_minutes(ORIGIN, LOTS)
        assert math.isnan((await travel.drive_minutes(LOTS[0], LOTS))[0])
        await travel.walk_minutes(LOTS[0], LOTS)
        assert len(server.asked) == 1
        assert capsys.readouterr().out.count("calls of a map service are spent") == 1
        clock.now_ms += 86_400_000
        assert not math.isnan((await travel.drive_minutes(LOTS[0], LOTS))[0])


async def test_what_is_no_json_or_nobody_there_is_no_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with stand_in() as server:
        client = MapClient(server.address, 10, Clock())
        server.text = "<html>"
        with pytest.raises(NoAnswerError, match="not JSON"):
            await client.ask([Asked("/x", {})], list)
        await client.close()
    monkeypatch.setattr(map_client, "ANSWERS_WITHIN_SECONDS", 0.2)
    nobody = MapClient("http://127.0.0.1:9", 10, Clock())
    with pytest.raises(NoAnswerError):
        await nobody.ask([Asked("/x", {})], list)
    await nobody.close()


AMAP_PLACES = {
    "status": "1",
    "pois": [
        {"id": "B1", "name": "新城商场", "location": "112.899,23.153", "adcode": "440607"},
        {"id": "B2", "name": "新城商场南海店", "location": "113.1,23.0", "adcode": "440605"},
    ],
}
TENCENT_PLACES = {
    "status": 0,
    "data": [
        {
            "id": "7",
            "title": "新城商场",
            "location": {"lat": 23.153, "lng": 112.899},
            "adcode": 440607,
        },
        {"id": "8", "title": "别处", "location": {"lat": 23.0, "lng": 113.1}, "adcode": 440605},
    ],
}


@asynccontextmanager
async def geocoding(
    service: Service,
    answer: Any,  # noqa: ANN401  # JSON
) -> AsyncIterator[tuple[Geocoder, StandIn]]:
    clock = Clock()
    async with stand_in(answer) as server:
        client = MapClient(server.address, 10, clock)
        yield Geocoder(service, client, "k", clock), server
        await client.close()


@pytest.mark.parametrize(
    ("service", "answer"), [(Service.AMAP, AMAP_PLACES), (Service.TENCENT, TENCENT_PLACES)]
)
async def test_places_of_other_districts_are_left_out_and_the_datum_is_turned(
    service: Service,
    answer: Any,  # noqa: ANN401  # JSON
) -> None:
    async with geocoding(service, answer) as (asked, server):
        (found,) = await asked.find("去新城商场附近停车")
        assert found.name == "新城商场"
        assert to_gcj02(found.place).latitude == pytest.approx(23.153, abs=1e-6)
        assert (await asked.find("新城商场"))[0] == found
        assert len(server.asked) == 1
        words = server.asked[0][1]
        assert "新城商场" in (words.get("keywords"), words.get("keyword"))


async def test_only_what_our_list_does_not_nearly_know_is_asked_elsewhere() -> None:
    async with geocoding(Service.AMAP, AMAP_PLACES) as (asked, server):
        shelf = DestinationShelf(asked)
        known, _ = await shelf.look_up("人民医院")
        assert known is not None
        assert server.asked == []
        found, offered = await shelf.look_up("新城商场")
        assert found is not None
        assert found.name == offered[0].name == "新城商场"
        server.status = 500
        assert (await shelf.look_up("另一个商场"))[0] is None


async def test_a_found_place_that_was_offered_is_taken_by_its_id() -> None:
    async with geocoding(Service.AMAP, AMAP_PLACES) as (asked, server):
        shelf = DestinationShelf(asked)
        _, offered = await shelf.look_up("新城")
        calls = len(server.asked)
        chosen, _ = await shelf.look_up(offered[0].destination_id)
        assert chosen == offered[0]
        assert len(server.asked) == calls


async def test_an_answer_that_is_no_answer_finds_nothing() -> None:
    refused = {"status": "0", "info": "INVALID_USER_KEY"}
    async with geocoding(Service.AMAP, refused) as (asked, _):
        assert await asked.find("新城商场") == ()
        assert await asked.find("x") == ()
    with pytest.raises(BadAnswerError):
        read_places(Service.TENCENT, {"status": 0, "data": [{}]})


async def test_services_are_made_as_the_settings_want_them() -> None:
    plain = maps_of(MapSettings(), Clock())
    assert isinstance(plain.travel, StraightLine)
    assert (plain.geocoder, plain.clients) == (None, [])
    settings = MapSettings(Service.OSRM, "http://127.0.0.1:5000", Geocoding.AMAP, amap_key="k")
    both = maps_of(settings, Clock())
    assert isinstance(both.travel, AskedTravelTimes)
    assert both.geocoder is not None
    assert len(both.clients) == 2


@pytest.mark.parametrize(
    ("environ", "word"),
    [
        ({"ZHIBO_TRAVEL": "osrm"}, "ZHIBO_TRAVEL_URL"),
        ({"ZHIBO_TRAVEL": "amap"}, "ZHIBO_AMAP_KEY"),
        ({"ZHIBO_GEOCODER": "tencent"}, "ZHIBO_TENCENT_KEY"),
        ({"ZHIBO_TRAVEL": "horse"}, "straight, amap"),
        ({"ZHIBO_TRAVEL_URL": "127.0.0.1"}, "http://"),
        ({"ZHIBO_MAP_CALLS_A_DAY": "-1"}, "between"),
    ],
)
def test_a_bad_setting_names_itself(environ: dict[str, str], word: str) -> None:
    with pytest.raises(BadSettingError, match=word):
        load_settings(environ)


def test_keys_are_read_for_whom_they_open() -> None:
    environ = {"ZHIBO_TRAVEL": "tencent", "ZHIBO_TENCENT_KEY": "t"}
    maps = load_settings(environ).maps
    assert (maps.key_of(Service.TENCENT), maps.key_of(Service.OSRM)) == ("t", "")
