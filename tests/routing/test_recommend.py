import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from occupancy.lot import OpeningHours, OpeningState
from routing.candidate import Candidate, Fee, expected_minutes
from routing.question import Vehicle, Wish
from routing.reason import Code, Reason, because, chance_words, stay_words, whole_minutes, yuan
from routing.recommend import MOST_REGRET_MINUTES, Recommendation, recommend
from tests.builders import MORNING_MS
from tests.routing.drivers import Expected, a_candidate, a_question

NAMES = ("kangle", "sanda", "zhanqian", "zhongshan")
candidates = st.lists(
    st.builds(
        a_candidate,
        st.sampled_from(NAMES),
        drive=st.floats(0, 20),
        walk=st.floats(0, 40),
        fee_fen=st.none() | st.integers(0, 3_000),
        free=st.floats(0, 40),
        is_stale=st.booleans(),
        lot=st.sampled_from([{}, {"opening": OpeningState.CLOSED}]),
    ),
    unique_by=lambda candidate: candidate.lot_id,
    max_size=4,
)


def order(answer: Recommendation) -> list[str]:
    return [option.candidate.lot_id for option in answer.options]


def codes(reasons: tuple[Reason, ...]) -> set[Code]:
    return {reason.code for reason in reasons}


def words(answer: Recommendation, code: Code) -> str:
    (found,) = (r.zh for r in answer.options[0].reasons if r.code is code)
    return found


def test_the_least_minutes_come_first() -> None:
    near, far = a_candidate("kangle", walk=2), a_candidate("sanda", walk=9)
    answer = recommend(a_question(), [far, near])
    assert order(answer) == ["kangle", "sanda"]
    assert answer.verdict.zh == "推荐kangle"
    assert answer.chosen == near


def test_a_likely_full_one_is_left_out_and_says_why() -> None:
    near, far = a_candidate("kangle", walk=1, chance=0.1), a_candidate("sanda", walk=9, chance=0.9)
    answer = recommend(a_question(), [near, far])
    assert order(answer) == ["sanda"]
    (left,) = answer.left_out
    assert left.candidate == near
    assert left.reasons[0].zh == "到达时多半已满：有空位的可能约10%"
    told = "没有推荐更近的kangle：到达时有空位的可能约10%；到这里多花约8分钟，有空位的可能约90%"
    assert words(answer, Code.SENT_FURTHER) == told


def test_who_is_sent_further_for_others_learns_what_it_buys() -> None:
    near = a_candidate("kangle", walk=1, chance=0.95)
    far = a_candidate("sanda", walk=4, chance=0.96)
    answer = recommend(a_question(), [near, far], assigned="sanda")
    assert order(answer) == ["sanda", "kangle"]
    assert answer.regret_minutes == pytest.approx(3 - 0.15)
    assert words(answer, Code.LEAVES_ROOM).startswith("kangle的少量空位留给附近没有别处可停的车")


def test_no_chance_is_said_of_a_closer_one_that_nobody_hears() -> None:
    silent = a_candidate("sanda", drive=2.0, chance=0.4, is_stale=True)
    answer = recommend(a_question(), [a_candidate("kangle", chance=0.99), silent])
    assert order(answer)[0] == "kangle"
    said = words(answer, Code.CLOSER_UNKNOWN)
    assert said.startswith("没有推荐更近的sanda：数据过期，余位不明；到这里多花约3分钟")
    assert "40%" not in answer.options[0].reasons[1].zh


def test_an_assignment_that_costs_too_much_is_not_followed() -> None:
    near, far = a_candidate("kangle", walk=1), a_candidate("sanda", walk=1 + 5.2)
    answer = recommend(a_question(), [near, far], assigned="sanda")
    assert (order(answer)[0], answer.regret_minutes) == ("kangle", 0)


def test_an_assignment_to_a_car_park_he_cannot_use_is_not_followed() -> None:
    near = a_candidate("kangle")
    shut = a_candidate("sanda", lot={"opening": OpeningState.CLOSED})
    assert order(recommend(a_question(), [near, shut], assigned="sanda")) == ["kangle"]


def test_when_nothing_fits_the_least_bad_is_named_with_its_fault() -> None:
    full = a_candidate("kangle", chance=0.2)
    silent = a_candidate("sanda", is_stale=True, walk=20)
    answer = recommend(a_question(), [silent, full])
    assert order(answer) == ["kangle", "sanda"]
    assert answer.verdict.code is Code.LEAST_BAD
    assert answer.verdict.zh == (
        "没有完全合适的停车场，kangle相对最好：到达时多半已满：有空位的可能约20%"
    )
    assert Code.PROBABLY_FULL in codes(answer.options[0].notes)
    assert {Code.NO_DATA, Code.OLD_DATA} <= codes(answer.options[1].notes)


def test_when_nothing_is_possible_every_reason_is_said_and_a_way_out() -> None:
    high = a_question(vehicle=Vehicle(height_metres=3.1))
    answer = recommend(high, [a_candidate("kangle"), a_candidate("sanda")])
    assert (answer.options, answer.chosen) == ((), None)
    assert answer.verdict.zh == (
        "没有可以停的停车场：车高超限：限高2米，车高3.1米。可拨打0757-00000000咨询"
    )
    assert len(answer.left_out) == 2


def test_no_car_park_at_all_is_said_in_words() -> None:
    assert recommend(a_question(), []).verdict.zh == "没有登记任何停车场"


def test_a_way_out_is_one_that_helps() -> None:
    """Another time does not make a car lower; an exclusion can be taken back."""
    unwanted = a_question(without=frozenset({"kangle"}), stay_minutes=600)
    closing = {"opening_hours": OpeningHours(6 * 60, 12 * 60), "placeholders": ("hotline",)}
    answer = recommend(unwanted, [a_candidate("kangle"), a_candidate("sanda", lot=closing)])
    assert answer.verdict.zh.endswith(
        "。可放宽已排除的停车场，或缩短停放时间，或拨打0757-00000000咨询"
    )
    answer = recommend(unwanted, [a_candidate("sanda", lot=closing)])
    assert answer.verdict.en.endswith(
        ". You may stay for less time, or call 0757-00000000 (not confirmed)"
    )


def test_who_cannot_be_there_when_he_said_is_told_when_he_can() -> None:
    told = a_question(arrive_ms=MORNING_MS - 600_000)
    (option,) = recommend(told, [a_candidate("kangle")]).options
    assert "按路程最早08:00到，晚于您说的时间" in [note.zh for note in option.notes]
    (option,) = recommend(a_question(arrive_ms=MORNING_MS), [a_candidate("kangle")]).options
    assert Code.ARRIVES_LATER not in codes(option.notes)


def test_what_is_best_in_what_is_said() -> None:
    one = a_candidate("kangle", walk=2, fee_fen=900, chance=0.8)
    other = a_candidate("sanda", walk=6, fee_fen=300, chance=0.99)
    answer = recommend(a_question(), [one, other])
    by_lot = {option.candidate.lot_id: codes(option.reasons) for option in answer.options}
    assert Code.NEAREST in by_lot["kangle"]
    assert {Code.CHEAPEST, Code.SUREST} <= by_lot["sanda"]
    assert not {Code.CHEAPEST, Code.SUREST} & by_lot["kangle"]
    alone = recommend(a_question(), [one]).options[0]
    assert not {Code.NEAREST, Code.CHEAPEST, Code.SUREST} & codes(alone.reasons)


def test_parts_of_the_way_and_the_fee_in_words() -> None:
    answer = recommend(a_question(), [a_candidate(promised=2.4, store=0.3, fetch=0, chance=1.0)])
    said = [reason.zh for reason in answer.options[0].reasons]
    assert said == [
        "到达时有空位的可能超过99%",
        "已扣除正在前往的约2辆车",
        "行车约5分钟",
        "存车约1分钟",
        "步行约3分钟",
        "停2小时约6元",
    ]
    free = recommend(a_question(stay_minutes=25), [a_candidate(fee_fen=0)]).options[0]
    assert free.reasons[-1].zh == "停25分钟不收费"


def test_what_is_not_confirmed_is_noted() -> None:
    doubtful = a_candidate(fee=Fee(600, is_unconfirmed=True), lot={"placeholders": ("limits",)})
    question = a_question(wishes=frozenset({Wish.COVERED}), vehicle=Vehicle(height_metres=1.6))
    (option,) = recommend(question, [doubtful]).options
    assert codes(option.notes) == {
        Code.FEE_UNCONFIRMED,
        Code.COVER_UNKNOWN,
        Code.LIMITS_UNCONFIRMED,
        Code.LIMITS_ROUGHLY,
    }
    (plain,) = recommend(a_question(), [a_candidate(fee_fen=None)]).options
    assert codes(plain.notes) == {Code.FEE_UNKNOWN, Code.LIMITS}
    (covered,) = recommend(question, [a_candidate(lot={"covered": True})]).options
    assert Code.COVERED in codes(covered.reasons)


def test_who_does_not_say_how_large_his_vehicle_is_is_told_the_limits() -> None:
    (option,) = recommend(a_question(), [a_candidate()]).options
    assert [note.zh for note in option.notes] == ["限高2米，限重2.2吨"]
    unsure = a_candidate(lot={"placeholders": ("limits",)})
    (option,) = recommend(a_question(), [unsure]).options
    assert [note.zh for note in option.notes] == ["限高2米，限重2.2吨（待核实）"]
    told = a_question(vehicle=Vehicle(height_metres=1.6, weight_tonnes=1.5))
    (option,) = recommend(told, [a_candidate()]).options
    assert option.notes == ()


def test_fallbacks_are_passed_on() -> None:
    note = because(Code.PROMISES_AWAY)
    assert recommend(a_question(), [a_candidate()], notes=[note]).notes == (note,)


@given(candidates, st.sampled_from((None, *NAMES)))
def test_every_car_park_is_told_of_once_and_nobody_is_left_without_words(
    given_: list[Candidate], assigned: str | None
) -> None:
    answer = recommend(a_question(), given_, assigned)
    left_out = [left.candidate.lot_id for left in answer.left_out]
    assert sorted(order(answer) + left_out) == sorted(c.lot_id for c in given_)
    assert all(left.reasons for left in answer.left_out)
    assert all(option.reasons for option in answer.options)
    assert answer.verdict.zh
    assert "{" not in "".join(r.zh + r.en for option in answer.options for r in option.reasons)


@given(candidates, st.sampled_from((None, *NAMES)))
def test_nobody_loses_more_than_the_cap(given_: list[Candidate], assigned: str | None) -> None:
    question = a_question()
    answer = recommend(question, given_, assigned)
    if answer.chosen is not None:
        best = min(option.minutes for option in answer.options)
        lost = expected_minutes(answer.chosen, question) - best
        assert lost == pytest.approx(answer.regret_minutes)
        assert lost <= MOST_REGRET_MINUTES


@given(candidates, st.sampled_from(NAMES))
def test_one_more_space_makes_nobodys_best_worse(given_: list[Candidate], where: str) -> None:
    def best(found: list[Candidate]) -> tuple[bool, float]:
        answer = recommend(a_question(), found)
        is_bad = answer.verdict.code is not Code.FITS
        return is_bad, min((o.minutes for o in answer.options), default=float("inf"))

    more = [
        replace(c, outlook=Expected(c.outlook.free_mean + 1)) if c.lot_id == where else c
        for c in given_
    ]
    assert best(more) <= best(given_)


@given(candidates)
def test_the_order_asked_in_changes_nothing(given_: list[Candidate]) -> None:
    assert order(recommend(a_question(), given_)) == order(recommend(a_question(), given_[::-1]))


def test_a_chance_is_never_said_to_be_certain() -> None:
    assert chance_words(1.0)["chance"] == "超过99%"
    assert chance_words(0.0)["chance"] == "不到1%"
    assert chance_words(0.504) == {"chance": "约50%", "chance_en": "about 50 %"}


def test_numbers_as_people_say_them() -> None:
    assert [whole_minutes(minutes) for minutes in (0, 0.1, 1.4, 2.6)] == [0, 1, 1, 3]
    assert [yuan(fen) for fen in (0, 600, 650, 1_005)] == ["0", "6", "6.5", "10.05"]
    assert stay_words(1_500)["stay"] == "1天1小时"
    assert stay_words(90) == {"stay": "1小时30分钟", "stay_en": "1 h 30 min"}
