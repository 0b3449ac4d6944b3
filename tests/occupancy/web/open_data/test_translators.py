"""Each format holds to the schema its owners published, says the same, in its own order."""

import csv
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import ValidationError  # type: ignore[import-untyped]

from occupancy.coordinates import to_gcj02
from occupancy.live import Quality
from occupancy.lot import OpeningState
from occupancy.web.open_data import datex2, geojson, lot_table, ngsi_ld, parkapi_v1, parkapi_v3
from occupancy.web.open_data.open_lot import OpenLot, open_lot
from occupancy.web.open_data.publication import OWNER, Publication
from tests.builders import MORNING_MS, a_lot
from tests.occupancy.web.open_data.published import as_json, open_lots, pictured, require_valid

GONE = object()
TERMS = Publication(public_url="https://park.example.cn")
LOTS = st.lists(open_lots(), max_size=4)


def v1(*lots: OpenLot) -> Any:  # noqa: ANN401  # any JSON
    return as_json(parkapi_v1.city(lots, TERMS, MORNING_MS))


def v3(*lots: OpenLot) -> Any:  # noqa: ANN401
    return as_json(parkapi_v3.sites(lots, TERMS, MORNING_MS))


def v3_now(*lots: OpenLot) -> Any:  # noqa: ANN401
    return as_json(parkapi_v3.realtime(lots, TERMS))


def datex(*lots: OpenLot) -> Any:  # noqa: ANN401
    return as_json(datex2.payload(lots, TERMS, MORNING_MS))


def points(*lots: OpenLot) -> Any:  # noqa: ANN401
    return as_json(geojson.collection(lots, TERMS))


def things(*lots: OpenLot) -> list[dict[str, Any]]:
    return [as_json(one) for one in ngsi_ld.entities(lots, TERMS)]


def lines(*lots: OpenLot) -> list[dict[str, str]]:
    text = lot_table.table(lots, TERMS).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def one_lot(cars: int | None = 12, age_ms: int = 0, **other: Any) -> OpenLot:  # noqa: ANN401
    lot = a_lot(**other)
    return open_lot(lot, pictured(lot, cars), None, MORNING_MS + age_ms)


@given(LOTS)
def test_parkapi_v1_holds_to_its_schema(lots: list[OpenLot]) -> None:
    require_valid(v1(*lots), "parkapi_v1_city.json")


@given(LOTS)
def test_parkapi_v3_holds_to_its_schemas(lots: list[OpenLot]) -> None:
    for site in v3(*lots)["items"]:
        require_valid(site, "parkapi_v3_site.json")
    for now in v3_now(*lots)["items"]:
        require_valid(now, "parkapi_v3_realtime.json")


@given(LOTS)
def test_datex_holds_to_its_schema(lots: list[OpenLot]) -> None:
    require_valid(datex(*lots), "datex2_parking_light.json")


@given(LOTS)
def test_ngsi_ld_holds_to_the_data_models(lots: list[OpenLot]) -> None:
    schemas = {"OffStreetParking": "off_street_parking.json", "ParkingGroup": "parking_group.json"}
    for entity in things(*lots):
        require_valid(as_json(ngsi_ld.simplified(entity)), schemas[entity["type"]])


@pytest.mark.parametrize(
    ("schema", "path", "wrong"),
    [
        ("parkapi_v1_city.json", ("lots", 0, "free"), "24"),
        ("parkapi_v1_city.json", ("lots", 0, "coords", "lat"), None),
        ("parkapi_v1_city.json", ("lots", 0, "id"), GONE),
        ("parkapi_v3_site.json", ("realtime_free_capacity",), "many"),
        ("parkapi_v3_site.json", ("capacity",), GONE),
        ("parkapi_v3_site.json", ("type",), "CASTLE"),
        ("parkapi_v3_realtime.json", ("realtime_data_updated_at",), "yesterday"),
        ("parkapi_v3_realtime.json", ("uid",), GONE),
        ("datex2_parking_light.json", ("parkingPublicationLight", "parkingSite", 0, "type"), "x"),
        ("datex2_parking_light.json", ("parkingPublicationLight", "freeSpaces"), 3),
        ("off_street_parking.json", ("availableSpotNumber",), "24"),
        ("off_street_parking.json", ("location", "coordinates"), "112.89,23.15"),
        ("off_street_parking.json", ("category",), ["castle"]),
        ("parking_group.json", ("refParkingSite",), GONE),
    ],
)
def test_a_schema_notices_what_does_not_hold_to_it(
    schema: str, path: tuple[str | int, ...], wrong: object
) -> None:
    """Each of them bites: a document that is wrong in one place only is refused."""
    group = as_json(ngsi_ld.simplified(things(one_lot())[1]))
    made = {
        "parkapi_v1_city.json": v1(one_lot()),
        "parkapi_v3_site.json": v3(one_lot())["items"][0],
        "parkapi_v3_realtime.json": v3_now(one_lot())["items"][0],
        "datex2_parking_light.json": datex(one_lot()),
        "off_street_parking.json": as_json(ngsi_ld.simplified(things(one_lot())[0])),
        "parking_group.json": group,
    }
    document = made[schema]
    require_valid(document, schema)
    *way, last = path
    place = document
    for step in way:
        place = place[step]
    if wrong is GONE:
        del place[last]
    else:
        place[last] = wrong
    with pytest.raises(ValidationError):
        require_valid(document, schema)


@given(open_lots())
def test_every_format_says_the_same_number_or_none(one: OpenLot) -> None:
    told = None if one.numbers is None else one.numbers.free
    assert v3(one)["items"][0].get("realtime_free_capacity") == told
    assert [now.get("realtime_free_capacity") for now in v3_now(one)["items"]] == (
        [told] if one.observed_at_ms else []
    )
    (site,) = datex(one)["parkingPublicationLight"]["parkingSite"]
    assert site.get("availableSpaces") == told
    assert points(one)["features"][0]["properties"]["free"] == told
    assert things(one)[0].get("availableSpotNumber", {}).get("value") == told
    assert lines(one)[0]["free"] == ("" if told is None else str(told))
    fresh = told if one.quality is not Quality.STALE else None
    assert v1(one)["lots"][0].get("free") == fresh


@given(open_lots())
def test_every_format_says_wgs_84_in_its_own_order(one: OpenLot) -> None:
    at = one.lot.entrance
    shifted = to_gcj02(at)
    assert abs(shifted.longitude - at.longitude) > 1e-4  # a mix-up would show
    assert v1(one)["lots"][0]["coords"] == {"lat": at.latitude, "lng": at.longitude}
    site = v3(one)["items"][0]
    assert float(site["lat"]) == pytest.approx(at.latitude, abs=1e-7)
    assert float(site["lon"]) == pytest.approx(at.longitude, abs=1e-7)
    (datex_site,) = datex(one)["parkingPublicationLight"]["parkingSite"]
    shown = datex_site["locationAndDimension"]["coordinatesForDisplay"]
    assert shown == {"latitude": at.latitude, "longitude": at.longitude}
    east_first = [at.longitude, at.latitude]
    assert points(one)["features"][0]["geometry"]["coordinates"] == east_first
    assert things(one)[0]["location"]["value"]["coordinates"] == east_first


@given(open_lots())
def test_a_table_reads_back_as_what_was_written(one: OpenLot) -> None:
    (line,) = lines(one)
    told = points(one)["features"][0]["properties"]
    assert line["lot_id"] == one.lot.lot_id
    assert (float(line["latitude"]), float(line["longitude"])) == (
        one.lot.entrance.latitude,
        one.lot.entrance.longitude,
    )
    for name in ("capacity", "usable", "occupied", "free", "out_of_service"):
        assert line[name] == ("" if told[name] is None else str(told[name]))
    assert line["observed_at"] == (told["observed_at"] or "")


def test_the_table_begins_with_its_mark_and_a_name_stays_text() -> None:
    table = lot_table.table([one_lot(name="=HYPERLINK(1)")], TERMS)
    assert table.startswith(b"\xef\xbb\xbflot_id,")
    assert '"\'=HYPERLINK(1)"' in table.decode()


def test_a_full_car_park_is_open_with_nothing_free() -> None:
    full = one_lot(cars=36)
    assert (v1(full)["lots"][0]["state"], v1(full)["lots"][0]["free"]) == ("open", 0)
    assert v3(full)["items"][0]["realtime_opening_status"] == "OPEN"
    assert things(full)[0]["status"]["value"] == ["open", "full"]
    (site,) = datex(full)["parkingPublicationLight"]["parkingSite"]
    assert (site["isOpenNow"], site["availableSpaces"]) == (True, 0)
    assert "temporaryClosed" not in site


def test_a_closed_car_park_is_closed_and_not_full() -> None:
    shut = one_lot(opening=OpeningState.CLOSED)
    assert v1(shut)["lots"][0]["state"] == "closed"
    assert v3(shut)["items"][0]["realtime_opening_status"] == "CLOSED"
    assert things(shut)[0]["status"]["value"] == ["closed"]
    (site,) = datex(shut)["parkingPublicationLight"]["parkingSite"]
    assert (site["isOpenNow"], site["temporaryClosed"]) == (False, True)


def test_more_free_than_there_are_is_suspect_and_never_cut() -> None:
    wrong = one_lot(cars=0, capacity=30)
    v1_lot = v1(wrong)["lots"][0]
    assert (v1_lot["quality"], v1_lot["state"], "free" in v1_lot) == ("suspect", "nodata", False)
    site = v3(wrong)["items"][0]
    assert site["contradicting"] == {"usable": 36, "free": 36}
    assert "realtime_free_capacity" not in site
    properties = points(wrong)["features"][0]["properties"]
    assert (properties["free"], properties["contradicting"]["free"]) == (None, 36)
    (datex_site,) = datex(wrong)["parkingPublicationLight"]["parkingSite"]
    assert datex_site["_parkingSiteExtension"]["contradicting"]["free"] == 36
    entity = things(wrong)[0]
    assert entity["contradictingNumbers"]["value"]["free"] == 36
    assert "availableSpotNumber" not in entity
    assert lines(wrong)[0]["contradicting"] == "free=36 usable=36"


def test_an_old_number_has_its_age_and_a_dead_one_is_gone() -> None:
    stale, dead = one_lot(age_ms=600_000), one_lot(age_ms=1_800_001)
    assert v3(stale)["items"][0]["quality"] == "stale"
    assert v3(stale)["items"][0]["realtime_data_updated_at"] == "2026-11-23T00:00:00Z"
    assert things(stale)[0]["availableSpotNumber"]["observedAt"].startswith("2026-11-23T08:00:00")
    for told in (v1(dead), v3(dead), v3_now(dead), datex(dead), points(dead)):
        assert "24" not in str(told).replace("24/7", "")


def test_how_a_number_came_about_travels_with_it() -> None:
    counted = one_lot()
    assert v3(counted)["items"][0]["calculation"] == "counted"
    assert things(counted)[0]["occupancyCalculation"]["value"] == "counted"
    assert things(counted)[0]["occupancyDetectionType"]["value"] == ["singleSpaceDetection"]
    (site,) = datex(counted)["parkingPublicationLight"]["parkingSite"]
    assert site["_parkingSiteExtension"]["calculation"] == "counted"
    assert site["_parkingSiteExtension"]["layout"] == "automatedParkingGarage"


def test_every_format_says_whose_data_it_is() -> None:
    documents = (v1(one_lot()), v3(one_lot()), v3_now(one_lot()), datex(one_lot()))
    for told in (*documents, points(one_lot()), things(one_lot()), lines(one_lot())):
        assert OWNER in str(told)
        assert "待核实" in str(told)


def test_a_number_of_a_car_park_is_its_own_whatever_others_there_are() -> None:
    both = v3(one_lot(), one_lot(lot_id="sanda"))["items"]
    alone = v3(one_lot(lot_id="sanda"))["items"]
    assert both[1]["id"] == alone[0]["id"] != both[0]["id"]
