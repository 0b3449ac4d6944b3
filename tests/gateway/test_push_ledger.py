"""Posts of a gate system: what is read, what is refused, what is counted."""

import hashlib
import random
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway import push_dialect
from gateway.datum import Datum, gcj02_to_bd09, wgs84_to_gcj02
from gateway.observation import Basis, DeviceState, Direction
from gateway.push_dialect import (
    Algorithm,
    BadDialectError,
    Dialect,
    Money,
    PlaceFields,
    list_dialects,
    load_dialect,
    parse_dialect,
)
from gateway.push_ledger import STALE_AFTER_MS, PushLedger, PushPark
from gateway.push_message import (
    AreaCount,
    BadPushError,
    Passage,
    Push,
    Refusal,
    check_signature,
    read_fields,
    read_push,
    sign,
)

DIALECTS = Path(push_dialect.__file__).parent / "dialects"
NOW = 1_800_000_000_000
PARK = PushPark("p1", "P-1", "common", {"all": 100})
COMMON = load_dialect("common")
SECRET = b"sixteen bytes ok"


def _ledger() -> PushLedger:
    return PushLedger(PARK, {}, None, ())


def _push(n: int, *passages: Passage, remaining: int | None = None, sent: int = NOW) -> Push:
    counts = () if remaining is None else (AreaCount("all", 100, remaining),)
    return Push(sent, f"n{n}", counts, passages)


def _entry(n: int, at: int = NOW) -> Passage:
    return Passage(f"r{n}", Direction.ENTRY, at)


def _post(**more: object) -> dict[str, Any]:
    return {"parkCode": "P-1", "timestamp": NOW, "nonce": "a", **more}


def _record(**more: object) -> dict[str, Any]:
    return {"recordNo": "r1", "direction": "in", "time": NOW, **more}


def test_a_record_counts_once_in_whatever_order_and_however_often_it_comes() -> None:
    dice = random.Random(3)  # noqa: S311
    passages = [_entry(n) for n in range(50)] * 3
    dice.shuffle(passages)
    ledger = _ledger()
    fresh = sum(len(ledger.take(_push(n, p), NOW, 0)) for n, p in enumerate(passages))
    assert fresh == 50
    assert ledger.observe(NOW, 0).entries_total == 50


def test_records_known_from_the_outbox_do_not_count_again() -> None:
    first = _ledger()
    first.take(_push(1, _entry(1)), NOW, 0)
    again = PushLedger(PARK, first.counters(NOW), first.anchor, ["r1"])
    assert again.take(_push(1, _entry(1), _entry(2)), NOW, 0) == (_entry(2),)
    assert again.observe(NOW, 0).entries_total == 2


def test_a_nonce_is_taken_once_unless_its_post_was_not_kept() -> None:
    ledger = _ledger()
    ledger.take(_push(1), NOW, 0)
    with pytest.raises(BadPushError) as refusal:
        ledger.take(_push(1, _entry(1)), NOW, 0)
    assert refusal.value.kind is Refusal.REPLAYED
    ledger.release("n1")
    assert ledger.take(_push(1, _entry(1)), NOW, 0)


def test_after_a_restart_a_post_that_was_taken_and_a_count_that_was_overtaken_say_nothing() -> None:
    again = PushLedger(PARK, {}, None, (), {"n1": NOW - 60, "n2": NOW - 30})
    with pytest.raises(BadPushError, match="was used before"):
        again.take(_push(1, remaining=5, sent=NOW - 60), NOW, 0)
    again.take(_push(3, remaining=5, sent=NOW - 45), NOW, 0)
    assert again.observe(NOW, 0).cars_on_pallets is None
    again.take(_push(4, remaining=40, sent=NOW), NOW, 0)
    assert again.observe(NOW, 0).cars_on_pallets == 60


def test_nonces_are_forgotten_when_their_posts_are_too_old_anyway() -> None:
    ledger = _ledger()
    ledger.take(_push(1), NOW, 0)
    ledger.take(_push(2), NOW + 1_000_000, 0)
    assert ledger.take(_push(1, _entry(1)), NOW + 1_000_000, 0)


def test_remaining_that_agrees_with_the_records_is_counted() -> None:
    ledger = _ledger()
    ledger.take(_push(1, remaining=60), NOW, 0)
    ledger.observe(NOW, 0)
    ledger.take(_push(2, _entry(1, NOW + 1), remaining=59), NOW, 0)
    seen = ledger.observe(NOW, 0)
    assert (seen.cars_inside, seen.cars_on_pallets, seen.basis) == (41, 41, Basis.COUNTED)
    assert not seen.doubts


def test_remaining_that_parts_from_the_records_is_marked_and_the_records_stand() -> None:
    ledger = _ledger()
    ledger.take(_push(1, remaining=60), NOW, 0)
    ledger.observe(NOW, 0)
    ledger.take(_push(2, remaining=20), NOW, 0)
    seen = ledger.observe(NOW, 0)
    assert (seen.cars_inside, seen.cars_on_pallets, seen.basis) == (40, None, Basis.DERIVED)
    assert seen.doubts == ("the counters say -40 cars against the machines",)


def test_a_late_count_does_not_overwrite_a_newer_one() -> None:
    ledger = _ledger()
    ledger.take(_push(1, remaining=60), NOW, 0)
    ledger.take(_push(2, remaining=90, sent=NOW - 1), NOW, 0)
    assert ledger.observe(NOW, 0).cars_on_pallets == 40


def test_a_record_from_before_the_first_count_is_in_it_already() -> None:
    ledger = _ledger()
    ledger.take(_push(1, remaining=60), NOW, 0)
    ledger.observe(NOW, 0)
    left = Passage("x", Direction.EXIT, NOW - 9)
    ledger.take(_push(2, _entry(1, NOW - 10), _entry(2, NOW - 8), left), NOW, 0)
    seen = ledger.observe(NOW, 0)
    assert (seen.entries_total, seen.exits_total, seen.cars_inside) == (2, 1, 40)


def test_silence_leaves_no_number_and_a_lost_device() -> None:
    ledger = _ledger()
    ledger.take(_push(1, remaining=60), NOW, 0)
    ledger.observe(NOW, 0)
    seen = ledger.observe(NOW, STALE_AFTER_MS + 1)
    assert (seen.cars_inside, seen.cars_on_pallets) == (None, None)
    assert seen.devices[0].state is DeviceState.LOST


def test_records_without_counts_are_worked_out() -> None:
    ledger = _ledger()
    ledger.take(_push(1, remaining=60), NOW, 0)
    ledger.observe(NOW, 0)
    ledger.take(_push(2, _entry(1, NOW + 1)), NOW, STALE_AFTER_MS + 1)
    seen = ledger.observe(NOW, STALE_AFTER_MS + 1)
    assert (seen.cars_inside, seen.basis) == (41, Basis.DERIVED)


@pytest.mark.parametrize("count", [AreaCount("B2", 100, 1), AreaCount("all", 99, 1)])
def test_areas_and_totals_that_are_not_in_the_file_are_refused_and_change_nothing(
    count: AreaCount,
) -> None:
    ledger = _ledger()
    with pytest.raises(BadPushError) as refusal:
        ledger.take(Push(NOW, "n", (count,), (_entry(1),)), NOW, 0)
    assert refusal.value.kind is Refusal.COUNT
    assert ledger.observe(NOW, 0).entries_total == 0


def test_what_has_grown_too_old_is_forgotten() -> None:
    ledger = _ledger()
    ledger.take(_push(1, _entry(1)), NOW, 0)
    ledger.forget(["r1"])
    assert ledger.take(_push(2, _entry(1)), NOW, 0)


def test_a_post_is_read_and_its_plates_are_left_behind() -> None:
    areas = [{"areaId": "B1", "totalSpaces": 10, "freeSpaces": 3}]
    push = read_push(COMMON, _post(areas=areas, records=[_record(plateNo="粤E12345")]), NOW)
    assert push == Push(NOW, "a", (AreaCount("B1", 10, 3),), (_entry(1),))
    assert "粤E" not in repr(push)


def test_a_heartbeat_has_neither_counts_nor_records() -> None:
    assert read_push(COMMON, _post(), NOW) == Push(NOW, "a", (), ())


def test_local_time_is_shanghai_and_directions_are_the_vendors_codes() -> None:
    dialect = load_dialect("sorted_md5")
    fields = {
        "send_time": "2027-01-15 16:00:00",
        "nonce_str": "a",
        "order_list": [{"order_no": 7, "type": 2, "pass_time": "2027-01-15 16:00:00"}],
    }
    push = read_push(dialect, fields, NOW)
    assert push.sent_at_ms == NOW
    assert push.passages == (Passage("7", Direction.EXIT, NOW),)


def test_epoch_seconds_become_milliseconds() -> None:
    dialect = msgspec.convert({**msgspec.to_builtins(COMMON), "time": "epoch_s"}, type(COMMON))
    assert read_push(dialect, _post(timestamp=NOW // 1_000), NOW).sent_at_ms == NOW


@pytest.mark.parametrize(
    ("fields", "kind", "field"),
    [
        (_post(timestamp=NOW - 300_001), Refusal.TIME, "timestamp"),
        (_post(timestamp=NOW + 300_001), Refusal.TIME, "timestamp"),
        (_post(timestamp="soon"), Refusal.MALFORMED, "timestamp"),
        (_post(nonce=""), Refusal.MALFORMED, "nonce"),
        (_post(nonce=None), Refusal.MALFORMED, "nonce"),
        (_post(totalSpaces=10, freeSpaces=11), Refusal.COUNT, "freeSpaces"),
        (_post(totalSpaces=10, freeSpaces=-1), Refusal.COUNT, "freeSpaces"),
        (_post(totalSpaces=10), Refusal.COUNT, "freeSpaces"),
        (_post(totalSpaces=True, freeSpaces=0), Refusal.COUNT, "totalSpaces"),
        (
            _post(areas=[{"areaId": "a", "totalSpaces": 1, "freeSpaces": 1}] * 2),
            Refusal.COUNT,
            "areaId",
        ),
        (_post(records={}), Refusal.MALFORMED, "records"),
        (_post(records=[1]), Refusal.MALFORMED, "records"),
        (_post(records=[_record()] * 1_001), Refusal.MALFORMED, "records"),
        (_post(records=[_record(time=NOW + 300_001)]), Refusal.TIME, "time"),
        (_post(records=[_record(time=NOW - 8 * 86_400_000)]), Refusal.TIME, "time"),
        (_post(records=[_record(direction="up")]), Refusal.MALFORMED, "direction"),
        (_post(records=[_record(recordNo="x" * 65)]), Refusal.MALFORMED, "recordNo"),
    ],
)
def test_what_cannot_be_is_refused_by_the_vendors_name_for_it(
    fields: dict[str, Any], kind: Refusal, field: str
) -> None:
    with pytest.raises(BadPushError) as refusal:
        read_push(COMMON, fields, NOW)
    assert (refusal.value.kind, refusal.value.field) == (kind, field)


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b"[" * 100_000])
def test_what_is_no_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(BadPushError) as refusal:
        read_fields(body)
    assert refusal.value.kind is Refusal.MALFORMED


@pytest.mark.parametrize("name", list_dialects())
def test_a_signature_holds_for_these_bytes_and_this_secret_only(name: str) -> None:
    recipe = load_dialect(name).signature
    fields: dict[str, Any] = {"b": 1, "a": "x", "list": [{"n": "粤"}]}
    body = msgspec.json.encode(fields)
    given = sign(recipe, SECRET, body, fields)
    signed, headers = {**fields, recipe.place: given}, {recipe.place: given.upper()}
    check_signature(recipe, SECRET, body, signed, headers)
    changed = {**signed, "list": [{"n": "京"}]}
    for secret, said, read in ((b"another", body, signed), (SECRET, body + b" ", changed)):
        with pytest.raises(BadPushError) as refusal:
            check_signature(recipe, secret, said, read, headers)
        assert refusal.value.kind is Refusal.SIGNATURE
    with pytest.raises(BadPushError, match="missing"):
        check_signature(recipe, SECRET, body, fields, {})


def test_the_md5_recipe_is_the_one_vendors_print() -> None:
    recipe = load_dialect("sorted_md5").signature
    # printf 'a=x&b=1&key=sixteen bytes ok' | md5sum
    assert sign(recipe, SECRET, b"", {"b": 1, "a": "x"}) == MD5


MD5 = "a3de184b4314ba96ec68f02286c64981"


def test_a_dialect_that_is_incomplete_names_file_and_field() -> None:
    with pytest.raises(BadDialectError, match=r"x\.toml: .*nonce"):
        parse_dialect('park_code = "p"\nsent_at = "t"\ntime = "local"', "x.toml")
    with pytest.raises(BadDialectError, match=r"x\.toml: "):
        parse_dialect("=", "x.toml")
    with pytest.raises(BadDialectError, match="known are common, sorted_md5"):
        load_dialect("../common")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('exit = "out"', 'exit = "in"', r"records\.exit: is 'in' as records\.entry is"),
        ('area_id = "areaId"\n', "", r"counts\.area_id: areas and area_id go together"),
        ('areas = "areas"\n', "", r"counts\.areas: areas and area_id go together"),
        ('"freeSpaces"', '"totalSpaces"', r"counts\.remaining: is 'totalSpaces' as counts\.total"),
        ('"areaId"', '"totalSpaces"', r"counts\.area_id: is 'totalSpaces' as counts\.total"),
        ('"recordNo"', '"time"', r"records\.at: is 'time' as records\.number is"),
        ('"records"', '"areas"', r"records\.records: is 'areas' as counts\.areas is"),
        ('place = "X-Signature"', 'place = ""', r"signature\.place: is empty; write the vendor's"),
        ('"timestamp"', '""', "sent_at: is empty"),
        ('entry = "in"', 'entry = ""', r"records\.entry: is empty"),
    ],
)
def test_a_dialect_that_makes_two_things_one_is_refused_by_file_and_field(
    old: str, new: str, words: str
) -> None:
    shipped = (DIALECTS / "common.toml").read_text(encoding="utf-8")
    assert old in shipped
    with pytest.raises(BadDialectError, match=rf"^x\.toml: {words}"):
        parse_dialect(shipped.replace(old, new, 1), "x.toml")


def test_the_place_of_a_dialect_has_two_names() -> None:
    shipped = (DIALECTS / "common.toml").read_text(encoding="utf-8")
    place = '\n[place]\nlatitude = "lat"\nlongitude = "{}"\ndatum = "wgs84"\n'
    assert parse_dialect(shipped + place.format("lng"), "x.toml").place is not None
    with pytest.raises(BadDialectError, match=r"place\.longitude: is 'lat' as place\.latitude"):
        parse_dialect(shipped + place.format("lat"), "x.toml")
    with pytest.raises(BadDialectError, match=r"place\.longitude: is empty"):
        parse_dialect(shipped + place.format(""), "x.toml")


def test_the_signature_may_stand_for_the_nonce() -> None:
    shipped = (DIALECTS / "sorted_md5.toml").read_text(encoding="utf-8")
    assert parse_dialect(shipped.replace('"nonce_str"', '"sign"'), "x.toml").nonce == "sign"


def test_a_plain_hash_over_the_body_ends_with_the_secret() -> None:
    recipe = msgspec.structs.replace(COMMON.signature, algorithm=Algorithm.SHA256)
    expected = hashlib.sha256(b"{}" + SECRET).hexdigest()
    assert sign(recipe, SECRET, b"{}", {}) == expected


ENTRANCE = (23.1552, 112.8915)


def _placed(datum: Datum) -> Dialect:
    return msgspec.structs.replace(COMMON, place=PlaceFields("lat", "lng", datum))


def _note_of(datum: Datum, said: tuple[float, float]) -> str:
    """What is noted of a car park at ENTRANCE that says it is there, in that datum."""
    ledger = PushLedger(msgspec.structs.replace(PARK, place=ENTRANCE), {}, None, ())
    post = _post(lat=said[0], lng=str(said[1]))
    ledger.take(read_push(_placed(datum), post, NOW), NOW, 0)
    return ledger.observe(NOW, 0).devices[0].note


def test_a_place_in_any_datum_is_the_same_place() -> None:
    gcj02 = wgs84_to_gcj02(*ENTRANCE)
    assert _note_of(Datum.WGS84, ENTRANCE) == ""
    assert _note_of(Datum.GCJ02, gcj02) == ""
    assert _note_of(Datum.BD09, gcj02_to_bd09(*gcj02)) == ""


def test_a_place_that_parts_from_ours_is_told_and_counts_stand() -> None:
    assert "m from our entrance: check the datum" in _note_of(
        Datum.WGS84, wgs84_to_gcj02(*ENTRANCE)
    )
    ledger = PushLedger(msgspec.structs.replace(PARK, place=ENTRANCE), {}, None, ())
    post = _post(lat=24.0, lng=113.0, totalSpaces=100, freeSpaces=60)
    ledger.take(read_push(_placed(Datum.WGS84), post, NOW), NOW, 0)
    assert ledger.observe(NOW, 0).cars_inside == 40


@pytest.mark.parametrize(("field", "value"), [("lat", "north"), ("lat", 91), ("lng", None)])
def test_a_place_that_cannot_be_is_refused_by_its_field(field: str, value: object) -> None:
    with pytest.raises(BadPushError) as refusal:
        read_push(_placed(Datum.GCJ02), {**_post(lat=23.1, lng=112.9), field: value}, NOW)
    assert (refusal.value.kind, refusal.value.field) == (Refusal.MALFORMED, field)


def _priced(money: Money) -> Dialect:
    records = msgspec.structs.replace(COMMON.records, fee="fee")
    return msgspec.structs.replace(COMMON, money=money, records=records)


@pytest.mark.parametrize(
    ("money", "told", "fen"),
    [
        (Money.YUAN, "12.50", 1_250),
        (Money.YUAN, 12.5, 1_250),
        (Money.YUAN, 0.29, 29),  # as a float times 100 it is 28.999999999999996
        (Money.FEN, 1_250, 1_250),
        (Money.FEN, "0", 0),
        (Money.YUAN, None, None),
    ],
)
def test_a_fee_is_exact_in_the_unit_its_dialect_says(
    money: Money, told: object, fen: int | None
) -> None:
    push = read_push(_priced(money), _post(records=[_record(fee=told)]), NOW)
    assert push.passages[0].fee_fen == fen


@pytest.mark.parametrize("told", ["12.505", "-1", "free", True, "NaN", "1e9", "9e999999", [5]])
def test_a_fee_that_is_no_whole_number_of_fen_is_refused(told: object) -> None:
    with pytest.raises(BadPushError, match="fee: must be an amount in yuan"):
        read_push(_priced(Money.YUAN), _post(records=[_record(fee=told)]), NOW)


def test_a_dialect_with_a_fee_says_its_unit() -> None:
    shipped = (DIALECTS / "common.toml").read_text(encoding="utf-8")
    with pytest.raises(BadDialectError, match=r"x\.toml: money: .*not guessed"):
        parse_dialect(shipped.replace('at = "time"', 'at = "time"\nfee = "fee"'), "x.toml")
    with pytest.raises(BadDialectError, match=r"x\.toml: .*datum"):
        parse_dialect(shipped + '\n[place]\nlatitude = "lat"\nlongitude = "lng"\n', "x.toml")
