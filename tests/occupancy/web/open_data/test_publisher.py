"""The open formats over real HTTP: made once for all, readable by any page, clear when wrong."""

import csv
import gzip
import io
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.occupancy.web.faces import Served, served

NGSI = "/open/ngsi-ld/v1/entities"
KANGLE = "urn:ngsi-ld:OffStreetParking:sanshui:kangle"
# What each format says of now; all the rest are facts, ages and words about quality.
_V3_LIVE = {"realtime_capacity", "realtime_free_capacity", "calculation"}
_TABLE_LIVE = {"usable", "occupied", "free", "out_of_service", "is_open", "calculation"}
_SITE = "OffStreetParking."
LIVE: dict[str, set[str]] = {
    "/open/parkapi/v1/sanshui.json": {"free", "calculation"},
    "/open/parkapi/v3/parking-sites": _V3_LIVE,
    "/open/parkapi/v3/parking-sites/realtime": _V3_LIVE,
    "/open/datex2/v3.4/parking.json": {"availableSpaces", "isOpenNow", "calculation"},
    "/open/geojson/parking.geojson": _TABLE_LIVE,
    "/open/csv/parking.csv": _TABLE_LIVE,
    "/open/ngsi-ld/v1/entities": {
        *(_SITE + name for name in ("status", "occupancyCalculation", "occupancy")),
        *(_SITE + name for name in ("availableSpotNumber", "occupiedSpotNumber")),
        *(_SITE + name for name in ("outOfServiceSlotNumber",)),
        "ParkingGroup.availableSpotNumber",
    },
}
DOCUMENTS = (
    "/open/parkapi/v1/sanshui.json",
    "/open/parkapi/v3/parking-sites",
    "/open/parkapi/v3/parking-sites/realtime",
    "/open/datex2/v3.4/parking.json",
    "/open/geojson/parking.geojson",
    "/open/csv/parking.csv",
    NGSI,
)


@pytest.fixture
async def shown() -> AsyncIterator[Served]:
    async with served() as running:
        running.show("kangle", 1)
        yield running


@pytest.mark.parametrize("path", DOCUMENTS)
async def test_any_page_may_read_it_and_whoever_has_it_is_told_so(shown: Served, path: str) -> None:
    async with shown.http.get(shown.url(path), headers={"Accept-Encoding": "gzip"}) as answer:
        assert answer.status == 200
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.headers["Content-Encoding"] == "gzip"
        tag, body = answer.headers["ETag"], await answer.read()
    assert gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body
    again = {"If-None-Match": tag, "Accept-Encoding": "gzip"}
    async with shown.http.get(shown.url(path), headers=again) as answer:
        assert answer.status == 304
    shown.show("kangle", 2, entries_total=11, cars_inside=13)
    shown.show("sanda", 1)
    async with shown.http.get(shown.url(path), headers=again) as answer:
        assert answer.status == 200


@pytest.mark.parametrize("path", DOCUMENTS)
async def test_a_parameter_that_is_not_there_is_named(shown: Served, path: str) -> None:
    assert (await shown.get(f"{path}?colour=red", 400))["field"] == "colour"


async def test_an_observation_that_changes_no_number_still_renews_its_age(shown: Served) -> None:
    path = "/open/geojson/parking.geojson"
    before = (await shown.get(path))["features"][0]["properties"]["observed_at"]
    shown.clock.now_ms += 5_000
    shown.show("kangle", 2)
    after = (await shown.get(path))["features"][0]["properties"]["observed_at"]
    assert after > before


async def test_numbers_leave_half_an_hour_after_the_last_word(shown: Served) -> None:
    path = "/open/parkapi/v3/parking-sites/realtime"
    shown.clock.now_ms += 1_800_000
    assert (await shown.get(path))["items"][0]["realtime_free_capacity"] == 24
    shown.clock.now_ms += 1_000
    assert "realtime_free_capacity" not in (await shown.get(path))["items"][0]


@pytest.mark.parametrize("path", LIVE)
async def test_each_format_drops_all_its_live_fields_when_the_source_is_silent(
    shown: Served, path: str
) -> None:
    """Half an hour after the last word nothing is told but facts, ages and how good they are."""
    live = LIVE[path]
    alive = fields_of(path, await read(shown, path))
    shown.clock.now_ms += 1_801_000
    dead = fields_of(path, await read(shown, path))
    assert alive - dead == live


async def read(shown: Served, path: str) -> str:
    async with shown.http.get(shown.url(path)) as answer:
        assert answer.status == 200
        return await answer.text()


def fields_of(path: str, body: str) -> set[str]:
    """The names of what is told of the first car park and its machines; null is not told."""
    told = lots_of(path, body)
    return {name for one in told for name, value in one.items() if value not in (None, "")}


def lots_of(path: str, body: str) -> list[dict[str, Any]]:
    if path.endswith(".csv"):
        return list(csv.DictReader(io.StringIO(body.removeprefix("\ufeff"))))
    told = json.loads(body)
    if path == NGSI:
        return [{f"{one['type']}.{name}": one[name] for name in one} for one in told[:3]]
    if "datex2" in path:
        (site,) = told["parkingPublicationLight"]["parkingSite"][:1]
        return [site, site["_parkingSiteExtension"]]
    if "geojson" in path:
        return [told["features"][0]["properties"]]
    return [told["lots" if "v1" in path else "items"][0]]


async def test_entities_come_page_by_page(shown: Served) -> None:
    async with shown.http.get(shown.url(f"{NGSI}?limit=4&count=true")) as answer:
        first = await answer.json()
        assert answer.headers["NGSILD-Results-Count"] == "6"
        links = answer.headers["Link"]
    assert 'rel="http://www.w3.org/ns/json-ld#context"' in links
    assert f'<{NGSI}?limit=4&count=true&offset=4>; rel="next"' in links
    async with shown.http.get(shown.url(f"{NGSI}?limit=4&offset=4")) as answer:
        last = await answer.json()
        assert 'rel="prev"' in answer.headers["Link"]
        assert 'rel="next"' not in answer.headers["Link"]
    ids = [entity["id"] for entity in (*first, *last)]
    assert len(ids) == len(set(ids)) == 6


async def test_entities_are_chosen_by_type_and_id(shown: Served) -> None:
    groups = await shown.get(f"{NGSI}?type=ParkingGroup")
    assert {entity["type"] for entity in groups} == {"ParkingGroup"}
    (only,) = await shown.get(f"{NGSI}?id={KANGLE}&options=keyValues")
    assert only["availableSpotNumber"] == 24
    assert (await shown.get(f"{NGSI}/{KANGLE}"))["availableSpotNumber"]["value"] == 24


async def test_json_ld_brings_its_context_along(shown: Served) -> None:
    headers = {"Accept": "application/ld+json"}
    async with shown.http.get(shown.url(NGSI), headers=headers) as answer:
        assert answer.content_type == "application/ld+json"
        assert "Link" not in answer.headers
        assert all("@context" in entity for entity in await answer.json())


@pytest.mark.parametrize(
    ("asked", "status", "field"),
    [
        ("?type=Bicycle", 400, "type"),
        ("?id=urn:ngsi-ld:OffStreetParking:sanshui:moon", 404, "entity_id"),
        ("?limit=0", 400, "limit"),
        ("?limit=1001", 400, "limit"),
        ("?limit=many", 400, "limit"),
        ("?offset=-1", 400, "offset"),
        ("?offset=6", 400, "offset"),
        ("?options=xml", 400, "options"),
        ("/urn:ngsi-ld:OffStreetParking:sanshui:moon", 404, "entity_id"),
    ],
)
async def test_what_is_not_there_is_said_in_words(
    shown: Served, asked: str, status: int, field: str
) -> None:
    problem = await shown.get(f"{NGSI}{asked}", status)
    assert problem["field"] == field
    assert problem["detail"]
