import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lot_sim.arrivals import DAY_MS
from lot_sim.car_park import State
from lot_sim.faults import FAULTS
from lot_sim.field import Field, UnknownNameError
from lot_sim.instruments import LoopCounter
from lot_sim.scenario import PresetLine
from lot_sim.town import Town
from lot_sim.truth_document import describe
from tests.lot_sim.towns import HOUR_MS, MAPS, MONDAY_NOON_MS, SANSHUI, small_field, small_scenario


def run(field: Field, hours: float) -> None:
    field.town.run_until(field.town.now_ms + int(hours * HOUR_MS))


def counter(field: Field, device_id: str) -> LoopCounter:
    instrument = field.instruments[device_id]
    assert isinstance(instrument, LoopCounter)
    return instrument


def test_healthy_counters_count_every_crossing() -> None:
    field = small_field()
    run(field, 12)
    lot = field.town.lots[0]
    for device_id, crossings in lot.crossings.items():
        assert crossings > 10
        assert counter(field, device_id).shown == (65_530 + crossings) % 65_536


def test_doubled_cars_are_in_the_counter_and_not_in_the_truth() -> None:
    field = small_field()
    field.switch("small", "small-in", "straddling_double", on=True)
    run(field, 24)
    crossings = field.town.lots[0].crossings["small-in"]
    assert counter(field, "small-in").shown == pytest.approx(1.3 * crossings - 6, rel=0.15)


def test_crossings_are_numbered_and_read_page_by_page() -> None:
    field = small_field()
    run(field, 12)
    everything = field.crossings_after(0, 10_000)
    assert [number for number, _ in everything] == list(range(1, field.crossings_total + 1))
    pages, last = [], 0
    while page := field.crossings_after(last, 7):
        pages += page
        last = page[-1][0]
    assert pages == everything
    assert field.crossings_after(last, 7) == []
    for lane in ("small-in", "small-out"):
        totals = [crossing.total for _, crossing in everything if crossing.device_id == lane]
        assert totals == list(range(1, len(totals) + 1))


def test_nothing_has_crossed_at_the_start() -> None:
    assert small_field().crossings_after(0, 5) == []


def test_a_jam_reaches_the_machine_and_goes_with_its_fault() -> None:
    field = small_field()
    states = []
    for fault, on in (
        ("group_maintenance", True),
        ("group_jammed", True),
        ("group_jammed", False),
        ("group_maintenance", False),
    ):
        field.switch("small", "small-g1", fault, on=on)
        states.append(field.town.lots[0].machine("g1").state)
    assert states == [State.MAINTENANCE, State.JAMMED, State.MAINTENANCE, State.WORKING]


@pytest.mark.parametrize(
    ("lot", "device", "fault", "field_name", "listed"),
    [
        ("big", "small-in", "busy", "lot", "small"),
        ("small", "big-in", "busy", "device", "small-in"),
        ("small", "small-in", "bsuy", "fault", "busy"),
        ("small", "small-in", "group_jammed", "fault", "stuck_loop"),
    ],
)
def test_an_unknown_name_is_refused_with_those_that_exist(
    lot: str, device: str, fault: str, field_name: str, listed: str
) -> None:
    with pytest.raises(UnknownNameError) as caught:
        small_field().switch(lot, device, fault, on=True)
    assert caught.value.field == field_name
    assert listed in caught.value.known
    assert listed in str(caught.value)


def test_an_unknown_preset_is_refused_with_those_that_exist() -> None:
    with pytest.raises(UnknownNameError, match="faults 'storm' is none of none"):
        small_field(preset="storm")


def test_a_preset_brings_standing_and_passing_faults() -> None:
    lines = (
        PresetLine("miscount", always=True),
        PresetLine("group_jammed", per_device_week=70, minutes=20),
    )
    field = small_field(small_scenario(presets={"none": (), "bad": lines}), preset="bad")
    jams = set()
    for _ in range(3 * 24 * 12):
        run(field, 1 / 12)
        jams |= {m.plan.group_id for m in field.town.lots[0].machines if not m.is_working}
        for lane in ("small-in", "small-out"):
            assert "miscount" in field.instruments[lane].faults
    assert jams == {"g1", "g2"}
    assert field.town.now_ms > MONDAY_NOON_MS + 2 * DAY_MS


def switches(seed: str, hours: int, step_ms: int) -> list[tuple[str, list[str]]]:
    field = Field(Town(SANSHUI, seed, MONDAY_NOON_MS), MAPS, "heavy")
    for at_ms in range(MONDAY_NOON_MS, MONDAY_NOON_MS + hours * HOUR_MS, step_ms):
        field.town.run_until(at_ms)
    field.town.run_until(MONDAY_NOON_MS + hours * HOUR_MS)
    crossed = [f"{crossing}" for _, crossing in field.crossings]
    return [(id_, sorted(i.faults)) for id_, i in field.instruments.items()] + [("all", crossed)]


def test_the_same_seed_gives_the_same_faults_and_crossings() -> None:
    assert switches("5", 20, 60_000) == switches("5", 20, 9_999_999)


def test_a_town_under_heavy_faults_keeps_its_books() -> None:
    field = Field(Town(SANSHUI, "2", MONDAY_NOON_MS), MAPS, "heavy")
    assert field.preset == "heavy"
    for _ in range(48):
        run(field, 0.5)
        for lot in describe(field, 1)["lots"]:
            check_lot(lot)


@settings(max_examples=8)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([d.device_id for _, d in SANSHUI.devices()]),
            st.sampled_from(sorted(FAULTS)),
            st.booleans(),
            st.integers(0, 20),
        ),
        max_size=40,
    )
)
def test_whatever_fails_levels_sum_to_lots_and_lots_to_889(
    did: list[tuple[str, str, bool, int]],
) -> None:
    field = Field(Town(SANSHUI, "2", MONDAY_NOON_MS), MAPS)
    for device_id, fault, on, minutes in did:
        instrument = field.instruments[device_id]
        try:
            field.switch(instrument.lot_id, device_id, fault, on=on)
        except UnknownNameError as reason:
            assert reason.field == "fault"  # noqa: PT017
        run(field, minutes / 60)
    lots = describe(field, 1)["lots"]
    assert sum(lot["bays"] for lot in lots) == 889
    for lot in lots:
        check_lot(lot)


def check_lot(lot: dict[str, object]) -> None:
    whole = lot_numbers(lot)
    levels: list[dict[str, int]] = lot["levels"]  # type: ignore[assignment]
    for name in ("bays", "occupied", "out_of_service"):
        assert sum(level[name] for level in levels) == whole[name]
    assert whole["bays"] == whole["occupied"] + whole["free"] + whole["out_of_service"]
    assert whole["inside"] == whole["initially_inside"] + whole["entries"] - whole["exits"]
    waiting = whole["storing_queue"] + whole["leaving"]
    assert whole["inside"] == whole["occupied"] + whole["locked_in"] + waiting
    groups: list[dict[str, int]] = lot["groups"]  # type: ignore[assignment]
    assert sum(g["on_pallets"] for g in groups) == whole["occupied"] + whole["locked_in"]
    assert sum(g["frames"] - 1 for g in groups) == whole["bays"]


def lot_numbers(lot: dict[str, object]) -> dict[str, int]:
    return {name: value for name, value in lot.items() if isinstance(value, int)}
