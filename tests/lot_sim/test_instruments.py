import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gateway.decode import Value, decode
from gateway.register_map import Point, RegisterMap
from lot_sim import frames
from lot_sim.car_park import Machine, State
from lot_sim.frames import Refused, Request
from lot_sim.instruments import (
    Answer,
    GroupController,
    Instrument,
    LoopCounter,
    Moment,
    Sign,
    UnplayableError,
)
from lot_sim.scenario import DevicePlan, Direction
from tests.lot_sim.towns import MAPS, SANSHUI, small_field

NOW = Moment(town_ms=5_000_000, wall_ms=1_795_406_400_500)
GROUP_MAPS = ["lift_slide_plc", "shengjiang_plc"]


def plan_of(device_id: str) -> DevicePlan:
    (plan,) = (d for _, d in SANSHUI.devices() if d.device_id == device_id)
    return plan


def group(map_name: str = "lift_slide_plc") -> GroupController:
    """Twenty bays of 6, 7 and 7 with cars on the first and the eighth."""
    plan = plan_of("kangle-g1")
    controller = GroupController("kangle", plan, MAPS[map_name], Machine(plan))
    machine = small_field().town.lots[0].machines[0]
    car = next((c for c in machine.pallets if c is not None), None)
    assert car is not None
    controller.machine.pallets[0] = controller.machine.pallets[7] = car
    return controller


def counter(map_name: str = "nice_lp22", start: int = 65_530) -> LoopCounter:
    plan = replace(plan_of("kangle-in"), counter_start=start)
    return LoopCounter("kangle", plan, MAPS[map_name], random.Random(1))  # noqa: S311


def sign() -> Sign:
    return Sign("kangle", plan_of("kangle-sign"), MAPS["led_sign"])


def ask(instrument: Instrument, request: Request | Refused, moment: Moment = NOW) -> bytes:
    answer = instrument.answer(request, moment)
    assert answer.pdu is not None
    return answer.pdu


def read_words(instrument: Instrument, point: Point, moment: Moment = NOW) -> list[int]:
    function = point.table.read_function
    pdu = ask(instrument, Request(1, function, point.address, point.width), moment)
    assert pdu[0] == function
    content = pdu[2:]
    assert len(content) == pdu[1]
    if point.table.holds_bits:
        return [content[i // 8] >> (i % 8) & 1 for i in range(point.width)]
    return [int.from_bytes(content[i : i + 2]) for i in range(0, len(content), 2)]


def read_value(instrument: Instrument, name: str, moment: Moment = NOW) -> Value:
    point = instrument.map.point(name)
    return decode(point, read_words(instrument, point, moment))


def occupied_bays(instrument: Instrument) -> list[int]:
    pallets = read_value(instrument, "pallets")
    assert isinstance(pallets, tuple)
    return [bay for bay, is_taken in enumerate(pallets) if is_taken]


def write(instrument: Instrument, address: int, *words: int) -> bytes:
    return ask(instrument, Request(1, frames.WRITE_MANY, address, len(words), words))


NUMBER_12 = (12, 0, 0, 0, 0, 4, 4, 4)


@pytest.mark.parametrize("map_name", GROUP_MAPS)
def test_a_group_says_what_its_machine_is_doing(map_name: str) -> None:
    controller = group(map_name)
    controller.machine.state = State.JAMMED
    controller.machine.cycle_ms = 93_400
    assert read_value(controller, "group_state") == "jammed"
    assert read_value(controller, "fault_code") != 0
    assert read_value(controller, "cycle_seconds") == 93.4
    assert read_value(controller, "clock") == 1_795_406_400
    assert (read_value(controller, "storing_queue"), read_value(controller, "fetching_queue")) == (
        0,
        0,
    )
    assert occupied_bays(controller) == [0, 7]


@pytest.mark.parametrize("map_name", GROUP_MAPS)
def test_the_heartbeat_beats_each_second(map_name: str) -> None:
    controller = group(map_name)
    later = NOW._replace(wall_ms=NOW.wall_ms + 1_000)
    before, after = (read_value(controller, "heartbeat", moment) for moment in (NOW, later))
    assert isinstance(before, int)
    assert after == (before + 1) % 65_536


@pytest.mark.parametrize("map_name", GROUP_MAPS)
def test_one_read_over_several_points_says_the_same_as_single_reads(map_name: str) -> None:
    controller = group(map_name)
    first = controller.map.point("group_state")
    last = controller.map.point("clock")
    function = first.table.read_function
    pdu = ask(controller, Request(1, function, first.address, last.end - first.address))
    words = [int.from_bytes(pdu[i : i + 2]) for i in range(2, len(pdu), 2)]
    assert decode(last, words[last.address - first.address :]) == read_value(controller, "clock")
    assert decode(first, words[:1]) == "working"


@pytest.mark.parametrize(
    ("function", "address", "quantity", "code"),
    [
        (frames.READ_INPUT, 0, 61, frames.ILLEGAL_VALUE),
        (frames.READ_INPUT, 0, 0, frames.ILLEGAL_VALUE),
        (frames.READ_INPUT, 17, 2, frames.ILLEGAL_ADDRESS),
        (frames.READ_INPUT, 65_535, 1, frames.ILLEGAL_ADDRESS),
        (frames.READ_HOLDING, 0, 1, frames.ILLEGAL_FUNCTION),
        (frames.WRITE_MANY, 0, 1, frames.ILLEGAL_FUNCTION),
    ],
)
def test_a_group_refuses_what_it_does_not_have(
    function: int, address: int, quantity: int, code: int
) -> None:
    words = (0,) * quantity if function == frames.WRITE_MANY else ()
    assert ask(group(), Request(1, function, address, quantity, words)) == bytes(
        [function | 0x80, code]
    )


def test_holes_a_map_does_not_allow_are_not_read_over() -> None:
    controller = group("shengjiang_plc")
    assert ask(controller, Request(1, frames.READ_HOLDING, 202, 3))[0] == frames.READ_HOLDING
    assert ask(controller, Request(1, frames.READ_HOLDING, 199, 3))[0] == 0x83


def test_a_refused_request_is_answered_with_its_code() -> None:
    assert ask(group(), Refused(1, 43, frames.ILLEGAL_FUNCTION)) == b"\xab\x01"


@pytest.mark.parametrize(
    ("map_name", "words"),
    [("nice_lp22", [4_464]), ("ld120", [1, 4_464]), ("adam_6050", [4_464, 1])],
)
def test_counters_have_the_width_and_word_order_of_their_model(
    map_name: str, words: list[int]
) -> None:
    loop = counter(map_name, start=70_000)
    assert read_words(loop, loop.map.point("count")) == words


def test_half_of_a_32_bit_value_is_one_of_its_words() -> None:
    loop = counter("ld120", start=70_000)
    assert ask(loop, Request(1, 3, 0, 1)) == b"\x03\x02\x00\x01"
    assert ask(loop, Request(1, 3, 1, 1)) == b"\x03\x02" + (4_464).to_bytes(2)


def test_a_16_bit_counter_wraps_after_65535() -> None:
    loop = counter(start=65_535)
    loop.count_car()
    assert read_value(loop, "count") == 0


def test_a_counter_reset_forgets_each_time_it_is_switched_on() -> None:
    loop = counter()
    for _ in range(2):
        loop.switch("counter_reset", on=True, town_ms=0)
        assert loop.shown == 0
        loop.count_car()
    loop.switch("counter_reset", on=False, town_ms=0)
    assert loop.shown == 1


def test_a_masked_reset_is_silent_and_counts_on_from_nothing() -> None:
    loop = counter()
    loop.switch("masked_reset", on=True, town_ms=0)
    loop.count_car()
    assert loop.answer(Request(1, 3, 0, 1), NOW) == Answer(None)
    loop.switch("masked_reset", on=False, town_ms=0)
    assert read_value(loop, "count") == 1


def test_an_overwritten_counter_shows_what_somebody_typed() -> None:
    loop = counter()
    loop.switch("manual_overwrite", on=True, town_ms=0)
    typed = loop.shown
    assert typed < 5_000
    loop.count_car()
    assert loop.shown == typed + 1


@pytest.mark.parametrize(("map_name", "kept"), [("nice_lp22", 0), ("ld120", 65_530)])
def test_only_16_bit_counters_forget_without_power(map_name: str, kept: int) -> None:
    loop = counter(map_name)
    loop.switch("dead_unit", on=True, town_ms=0)
    loop.count_car()
    loop.switch("dead_unit", on=False, town_ms=0)
    assert read_value(loop, "count") == kept


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ("stuck_loop", (True, False)),
        ("loop_broken", (False, True)),
        ("loop_not_detecting", (False, False)),
    ],
)
def test_a_blind_loop_may_or_may_not_say_so(fault: str, status: tuple[bool, bool]) -> None:
    loop = counter()
    loop.switch(fault, on=True, town_ms=0)
    loop.count_car()
    assert loop.shown == 65_530
    assert read_value(loop, "loop_status") == status


def test_a_group_with_a_flat_battery_thinks_it_is_1970() -> None:
    controller = group()
    controller.switch("device_clock_1970", on=True, town_ms=NOW.town_ms - 90_000)
    assert read_value(controller, "clock") == 90


def test_too_many_occupied_pallets_reach_beyond_the_bays() -> None:
    controller = group()
    controller.switch("occupied_above_bays", on=True, town_ms=0)
    assert len(occupied_bays(controller)) == 32 > controller.machine.bays


def test_a_ramp_miscount_is_wrong_on_two_levels_and_right_in_sum() -> None:
    controller = group()
    controller.switch("ramp_miscount", on=True, town_ms=0)
    levels = [controller.machine.level_of[bay] for bay in occupied_bays(controller)]
    assert sorted(levels) == [1, 1]


def test_a_ramp_miscount_needs_a_car() -> None:
    controller = group()
    controller.machine.pallets[0] = controller.machine.pallets[7] = None
    controller.switch("ramp_miscount", on=True, town_ms=0)
    assert occupied_bays(controller) == []


def test_a_frozen_controller_repeats_one_moment_and_thaws() -> None:
    controller = group()
    controller.switch("frozen_controller", on=True, town_ms=0)
    before = read_value(controller, "heartbeat")
    later = NOW._replace(wall_ms=NOW.wall_ms + 60_000)
    controller.machine.pallets[0] = None
    assert read_value(controller, "heartbeat", later) == before
    assert occupied_bays(controller) == [0, 7]
    controller.switch("frozen_controller", on=False, town_ms=0)
    assert read_value(controller, "heartbeat", later) != before
    assert occupied_bays(controller) == [7]


@pytest.mark.parametrize(("fault", "hangs_up"), [("comms_error", False), ("dead_unit", True)])
def test_a_silent_device_answers_nothing(fault: str, hangs_up: bool) -> None:  # noqa: FBT001
    loop = counter()
    loop.switch(fault, on=True, town_ms=0)
    assert loop.answer(Request(1, 3, 0, 1), NOW) == Answer(None, hangs_up=hangs_up)
    loop.switch(fault, on=False, town_ms=0)
    assert loop.answer(Request(1, 3, 0, 1), NOW).pdu is not None


def test_every_second_request_finds_a_busy_device_busy() -> None:
    loop = counter()
    loop.switch("busy", on=True, town_ms=0)
    answers = [ask(loop, Request(1, 3, 0, 1)) for _ in range(6)]
    assert [answer[0] for answer in answers] == [0x83, 3] * 3
    assert answers[0] == bytes([0x83, frames.BUSY])


def test_every_third_reply_is_late() -> None:
    loop = counter()
    loop.switch("late_replies", on=True, town_ms=0)
    answers = [loop.answer(Request(1, 3, 0, 1), NOW).is_late for _ in range(6)]
    assert answers == [False, False, True] * 2


def test_every_third_reply_is_short() -> None:
    controller = group()
    controller.switch("short_reply", on=True, town_ms=0)
    sizes = [ask(controller, Request(1, 4, 0, 8))[1] for _ in range(6)]
    assert sizes == [16, 16, 8] * 2


def test_a_sign_shows_what_was_written_and_says_so() -> None:
    board = sign()
    assert read_value(board, "sign_status") == (False, True)
    assert write(board, 0, *NUMBER_12) == b"\x10\x00\x00\x00\x08"
    assert board.lines() == [("number", 12), ("blank", 0), ("blank", 0), ("blank", 0)]
    assert read_value(board, "numbers") == (12, 0, 0, 0)
    assert read_value(board, "sign_status") == (False, False)


def test_part_of_a_face_can_be_written() -> None:
    board = sign()
    write(board, 0, *NUMBER_12)
    ask(board, Request(1, frames.WRITE_ONE, 5, 1, (3,)))
    assert board.lines()[:2] == [("number", 12), ("stale", 0)]


@pytest.mark.parametrize(
    ("address", "words", "code"),
    [
        (0, (1,) * 9, frames.ILLEGAL_ADDRESS),
        (8, (50,), frames.ILLEGAL_ADDRESS),
        (0, (), frames.ILLEGAL_ADDRESS),
        (4, (9,), frames.ILLEGAL_VALUE),
    ],
)
def test_a_sign_refuses_a_face_it_does_not_have(
    address: int, words: tuple[int, ...], code: int
) -> None:
    board = sign()
    write(board, 0, *NUMBER_12)
    assert write(board, address, *words) == bytes([0x90, code])
    assert board.lines()[0] == ("number", 12)


def test_a_sign_that_ignores_writes_confirms_them() -> None:
    board = sign()
    write(board, 0, *NUMBER_12)
    board.switch("sign_ignores_writes", on=True, town_ms=0)
    assert write(board, 0, 99, 0, 0, 0, 0, 4, 4, 4) == b"\x10\x00\x00\x00\x08"
    assert read_value(board, "numbers") == (12, 0, 0, 0)


def test_a_sign_without_power_comes_back_blank() -> None:
    board = sign()
    write(board, 0, *NUMBER_12)
    board.switch("dead_unit", on=True, town_ms=0)
    board.switch("dead_unit", on=False, town_ms=0)
    assert {face for face, _ in board.lines()} == {"blank"}
    assert board.has_restarted


def test_a_map_with_an_unknown_point_is_refused_by_name() -> None:
    known = MAPS["nice_lp22"]
    points = (*known.points, Point("temperature", known.points[0].table, 9))
    richer = RegisterMap(known.model, known.about, known.functions, points)
    with pytest.raises(UnplayableError, match=r"kangle-in: map nice_lp22 .* temperature"):
        LoopCounter("kangle", plan_of("kangle-in"), richer, random.Random(1))  # noqa: S311


requests = st.builds(
    Request,
    st.integers(0, 255),
    st.sampled_from([1, 2, 3, 4, 6, 16]),
    st.integers(0, 65_535),
    st.integers(0, 65_535),
    st.lists(st.integers(0, 65_535), max_size=10).map(tuple),
)


@given(st.lists(requests, max_size=20))
def test_no_request_breaks_a_device(asked: list[Request]) -> None:
    devices: list[Instrument] = [counter(), sign()]
    for request in asked:
        words = request.words or (0,)
        for device in devices:
            assert ask(device, request._replace(words=words))[0] & 0x7F == request.function


def test_a_direction_belongs_to_every_lane() -> None:
    assert plan_of("kangle-in").direction is Direction.ENTRY
