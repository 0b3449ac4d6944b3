"""Each bay's newest word stands, however often, late or out of order words come."""

import itertools
import random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.bay_ledger import BayLedger, BayPark, Folded
from gateway.bay_map import BadBayMapError, BayMap, list_bay_maps, load_bay_map, parse_bay_map
from gateway.bay_message import BadBayMessageError, BayNews, BayRefusal, read_bay
from gateway.observation import Basis, DeviceState, GroupState
from gateway.reconcile import balance_of
from lot_sim.bay_sensors import BaySensors

COMMON = load_bay_map("common")
SENSORS = tuple(f"s{n}" for n in range(20))
PARK = BayPark("mall", "mall", "common", {"B1": SENSORS[:10], "B2": SENSORS[10:]})
NOW_MS = 1_793_548_800_000
MINUTE_MS = 60_000
SILENT_MS = int(COMMON.limits.silent_minutes * MINUTE_MS)


def a_ledger(**kept: object) -> BayLedger:
    return BayLedger(PARK, COMMON.limits, kept.get("counters", {}), None, 0)  # type: ignore[arg-type]


def news(sensor: str, at_ms: int, *, taken: bool, sequence: int | None = None) -> BayNews:
    return BayNews(sensor, taken, at_ms, sequence)


def all_heard(taken: int = 0) -> BayLedger:
    ledger = a_ledger()
    ledger.hear_radio(is_up=True, now_ms=NOW_MS)
    for n, sensor in enumerate(SENSORS):
        ledger.take(news(sensor, NOW_MS, taken=n < taken, sequence=1), NOW_MS, 1_000)
    return ledger


def test_a_bay_counts_where_a_car_stands() -> None:
    seen = all_heard(taken=7).observe(NOW_MS, 1_000)
    assert seen.cars_on_pallets == 7
    assert balance_of(seen).free == 13
    assert seen.basis is Basis.COUNTED
    assert (seen.entries_total, seen.exits_total) == (0, 0), "who stood there first did not enter"


steps = st.lists(st.tuples(st.sampled_from(SENSORS[:4]), st.booleans()), min_size=1, max_size=40)


@given(steps, st.randoms(use_true_random=False))
def test_the_newest_word_stands_in_whatever_order_words_come(
    told: list[tuple[str, bool]], chance: random.Random
) -> None:
    ledger = all_heard()
    words = [
        news(sensor, NOW_MS + n + 1, taken=taken, sequence=n + 2)
        for n, (sensor, taken) in enumerate(told)
    ]
    came = words + chance.sample(words, len(words) // 2)
    chance.shuffle(came)
    for word in came:
        ledger.take(word, NOW_MS + 1_000, 2_000)
    newest = {sensor: taken for sensor, taken in told}  # noqa: C416 -- the last one wins
    assert ledger.observe(NOW_MS, 2_000).cars_on_pallets == sum(newest.values())


@given(steps)
def test_cars_are_kept_entries_less_exits_are_the_bays_and_nothing_falls(
    told: list[tuple[str, bool]],
) -> None:
    ledger = all_heard(taken=2)
    ledger.observe(NOW_MS, 1_000)
    before = (0, 0)
    for n, (sensor, taken) in enumerate(told):
        ledger.take(news(sensor, NOW_MS + n + 1, taken=taken), NOW_MS, 1_000)
        seen = ledger.observe(NOW_MS, 1_000)
        now = (seen.entries_total, seen.exits_total)
        assert all(a <= b for a, b in zip(before, now, strict=True))
        assert seen.cars_inside == seen.cars_on_pallets == 2 + now[0] - now[1]
        before = now


@given(steps)
def test_a_gateway_that_was_killed_goes_on_from_what_it_kept(told: list[tuple[str, bool]]) -> None:
    ledger, again = all_heard(), all_heard()
    for n, (sensor, taken) in enumerate(told):
        word = news(sensor, NOW_MS + n + 1, taken=taken)
        ledger.take(word, NOW_MS, 1_000)
        again = a_ledger(counters=again.counters(NOW_MS))
        again.take(word, NOW_MS, 1_000)
    one, other = ledger.observe(NOW_MS, 1_000), again.observe(NOW_MS, 1_000)
    assert (one.entries_total, one.exits_total) == (other.entries_total, other.exits_total)


def test_a_retained_word_after_a_start_shows_that_the_sensor_is_there() -> None:
    ledger = a_ledger(counters=all_heard(taken=3).counters(NOW_MS))
    word = news("s0", NOW_MS, taken=True, sequence=1)
    assert ledger.take(word, NOW_MS, SILENT_MS) is Folded.CONFIRMED
    assert ledger.take(word, NOW_MS, SILENT_MS) is Folded.OLD


def test_few_silent_sensors_make_the_number_derived_and_many_no_number() -> None:
    ledger = all_heard(taken=4)
    later = 1_000 + SILENT_MS + 1
    for sensor in SENSORS[1:]:
        ledger.take(news(sensor, NOW_MS + 9, taken=sensor < "s12"), NOW_MS, later)
    seen = ledger.observe(NOW_MS, later)
    assert seen.basis is Basis.DERIVED
    assert seen.doubts == ("1 of 20 bay sensors are silent",)
    assert balance_of(seen).occupied is not None
    lost = {one.device_id for one in seen.devices if one.state is DeviceState.LOST}
    assert lost == {"s0"}
    silent = ledger.observe(NOW_MS, later + SILENT_MS + 1)
    assert {group.state for group in silent.groups} == {GroupState.SILENT}


def test_the_last_will_of_the_radio_gateway_leaves_no_number() -> None:
    ledger = all_heard(taken=4)
    ledger.hear_radio(is_up=False, now_ms=NOW_MS)
    seen = ledger.observe(NOW_MS, 1_000)
    assert balance_of(seen).free is None
    assert seen.doubts == ("the radio gateway of the bay sensors is off",)
    ledger.hear_radio(is_up=True, now_ms=NOW_MS)
    assert balance_of(ledger.observe(NOW_MS, 1_000)).free == 16


def test_a_worn_battery_and_a_weak_radio_are_told_with_the_way_out() -> None:
    ledger = all_heard()
    ledger.take(
        BayNews("s3", is_taken=False, at_ms=NOW_MS + 1, battery_percent=12.0, radio_dbm=-120.0),
        NOW_MS,
        1_000,
    )
    (told,) = (one for one in ledger.observe(NOW_MS, 1_000).devices if one.device_id == "s3")
    assert told.state is DeviceState.ONLINE
    assert told.note == "battery 12 %: change it; radio -120 dBm: weak"


def test_a_sensor_whose_clock_fell_back_is_believed_once_it_was_given_up() -> None:
    ledger = all_heard()
    word = news("s0", 1_000, taken=True)
    assert ledger.take(word, NOW_MS, 2_000) is Folded.OLD
    assert ledger.take(word, NOW_MS, SILENT_MS + 2_000) is Folded.CHANGED


def test_a_sensor_of_another_car_park_touches_nothing() -> None:
    ledger = all_heard()
    before = ledger.observe(NOW_MS, 1_000)
    with pytest.raises(BadBayMessageError, match="mall") as refused:
        ledger.take(news("x1", NOW_MS, taken=True), NOW_MS, 1_000)
    assert refused.value.kind is BayRefusal.UNKNOWN_SENSOR
    assert ledger.observe(NOW_MS, 1_000) == before


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        (b"", "message"),
        (b"[1]", "message"),
        (b"{" * 5_000, "message"),
        (b"\xff", "message"),
        (b'{"occupied": 2, "ts": 1}', "occupied"),
        (b'{"occupied": true}', "ts"),
        (b'{"occupied": true, "ts": "soon"}', "ts"),
        (b'{"occupied": true, "ts": 1893456000000}', "ts"),
        (b'{"occupied": true, "ts": 1, "seq": "a"}', "seq"),
        (b'{"occupied": true, "ts": 1, "battery": true}', "battery"),
        (b'{"occupied": true, "ts": 1, "rssi": "x"}', "rssi"),
    ],
)
def test_what_is_no_word_of_a_sensor_is_refused_by_its_field(payload: bytes, field: str) -> None:
    with pytest.raises(BadBayMessageError) as refused:
        read_bay(COMMON, "s0", payload, NOW_MS)
    assert refused.value.field == field


@given(st.binary(max_size=200))
def test_no_bytes_are_more_than_refused(payload: bytes) -> None:
    for name in list_bay_maps():
        try:
            read_bay(load_bay_map(name), "s0", payload, NOW_MS)
        except BadBayMessageError as refusal:
            assert refusal.field  # noqa: PT017 -- most bytes are


@pytest.mark.parametrize("name", list_bay_maps())
def test_the_simulated_sensors_say_what_each_map_reads(name: str) -> None:
    bay_map = load_bay_map(name)
    sensors = BaySensors(bay_map, "mall", SENSORS, "1")
    for taken in (True, False):
        (sent,) = sensors.say({"s0": taken}, NOW_MS)
        assert bay_map.sensor_of("mall", sent.topic) == "s0"
        assert read_bay(bay_map, "s0", sent.payload, NOW_MS).is_taken is taken


@given(st.lists(st.booleans(), min_size=1, max_size=30), st.integers(0, 9))
def test_a_messy_radio_ends_in_the_truth(states: list[bool], seed: int) -> None:
    ledger = all_heard()
    sensors = BaySensors(COMMON, "mall", SENSORS, str(seed), mess=0.4)
    came = [sensors.say({"s0": one}, NOW_MS + n + 1) for n, one in enumerate(states)]
    for sent in (*itertools.chain.from_iterable(came), *sensors.flush()):
        ledger.take(read_bay(COMMON, "s0", sent.payload, NOW_MS), NOW_MS, 1_000)
    assert ledger.observe(NOW_MS, 1_000).cars_on_pallets == states[-1]


PLAIN = """
topic = "p/{lot}/{sensor}"
status_topic = "p/{lot}"
online = "1"
offline = "0"
time = "none"
taken = ["1"]
empty = ["0"]
limits = { battery_percent_low = 1, radio_dbm_weak = -1, silent_minutes = 1 }
"""


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("{sensor}", "", "topic"),
        ("p/{lot}/", "p/#/{lot}/", "wildcards"),
        ('"none"', '"epoch_ms"', "a bare word tells no time"),
        ('empty = ["0"]', 'empty = ["1"]', "stands in empty"),
        ('empty = ["0"]', "empty = []", "empty: needs at least one value"),
        ('taken = ["1"]', "taken = []", "taken: needs at least one value"),
        ('offline = "0"', 'offline = "1"', "offline: is '1' as online is"),
        ("silent_minutes = 1", "silent_minutes = -1", "limits.silent_minutes: must lie"),
        ("silent_minutes = 1", "silent_minutes = nan", "limits.silent_minutes: must lie"),
        ("percent_low = 1", "percent_low = 101", "limits.battery_percent_low: must lie"),
        ("dbm_weak = -1", "dbm_weak = inf", "limits.radio_dbm_weak: must lie"),
        ('taken = ["1"]', 'taken = ["1"]\nfields = { taken = "" }', "fields.taken: is empty"),
        (
            'taken = ["1"]',
            'taken = ["1"]\nfields = { taken = "x", sequence = "x" }',
            "fields: 'x' is named twice",
        ),
        ('online = "1"', "", "online"),
        ('taken = ["1"]', 'token = ["1"]', "token"),
        ('taken = ["1"]', 'taken = ["1"]\nfields = { taken = "x", at = "t" }', "fields.at"),
        ("topic", "= topic", "Invalid"),
    ],
)
def test_a_map_with_a_flaw_is_refused_by_file_and_field(old: str, new: str, words: str) -> None:
    with pytest.raises(BadBayMapError, match="map.toml.*" + words.replace(".", r"\.")):
        parse_bay_map(PLAIN.replace(old, new, 1), "map.toml")


def test_a_map_that_is_not_there_names_those_that_are() -> None:
    with pytest.raises(BadBayMapError, match="common, text"):
        load_bay_map("nobody")


def test_topics_of_others_are_nobodys() -> None:
    bay_map: BayMap = COMMON
    for topic in ("parking/other/s0/state", "parking/mall/a/b/state", "parking/mall//state"):
        assert bay_map.sensor_of("mall", topic) is None
    assert msgspec.structs.asdict(bay_map)["time"] == "epoch_ms"
