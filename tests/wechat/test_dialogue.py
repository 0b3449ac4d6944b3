"""From what was understood and what is remembered to what to do."""

import pytest
from msgspec.structs import replace

from occupancy.tariff_clock import local_minute, utc_ms
from routing.question import Vehicle, Wish
from tests.builders import MORNING_MS
from wechat.dialogue import Do, Plan, ask_again, decide
from wechat.intent import read_intent
from wechat.session import Pending, Session

HOUR_MS = 3_600_000
ASKED = Session(destination="三水广场", destination_id="square", shown=("kangle", "sanda"))
NEARBY = Session(shown=("kangle",))  # answered for a point on the map, which is forgotten


def plan_for(text: str, session: Session = ASKED) -> Plan:
    return decide(read_intent(text), session, MORNING_MS)


def said(plan: Plan) -> str:
    assert plan.do is Do.SAY
    return plan.words


def test_a_new_destination_keeps_the_car_and_drops_the_rest() -> None:
    before = replace(
        ASKED,
        vehicle=Vehicle(new_energy=True),
        wishes=frozenset({Wish.CHEAP}),
        stay_minutes=300,
        arrive_ms=MORNING_MS + HOUR_MS,
        is_elder=True,
    )
    plan = plan_for("万达 停1小时", before)
    assert (plan.do, plan.words) == (Do.FIND, "万达")
    assert plan.session == Session(vehicle=Vehicle(new_energy=True), stay_minutes=60, is_elder=True)


def test_a_wish_changes_the_last_question() -> None:
    plan = plan_for("便宜点")
    assert plan.do is Do.ADVISE
    assert plan.session == replace(ASKED, wishes=frozenset({Wish.CHEAP}))


def test_another_leaves_out_the_first() -> None:
    plan = plan_for("换一个")
    assert plan.do is Do.ADVISE
    assert plan.session.without == frozenset({"kangle"})
    nothing_shown = plan_for("换一个", replace(ASKED, shown=()))
    assert nothing_shown.session.without == frozenset()


def test_a_point_on_the_map_is_asked_for_again() -> None:
    assert said(plan_for("换一个", NEARBY)) == "location_again"
    assert said(plan_for("便宜点", NEARBY)) == "location_again"


def test_without_a_destination_there_is_nothing_to_change() -> None:
    assert said(plan_for("换一个", Session())) == "no_last"
    assert said(plan_for("便宜点", Session())) == "no_last"
    assert said(plan_for("停车", Session())) == "ask_destination"


def test_a_number_chooses_a_car_park_that_was_shown() -> None:
    plan = plan_for("2")
    assert (plan.do, plan.lot_id, plan.session.car_park) == (Do.LOT, "sanda", "sanda")
    assert said(plan_for("3")) == "no_such_number"
    assert said(plan_for("1", Session())) == "ask_destination"


def test_a_number_answers_what_was_asked_back() -> None:
    asked = ask_again(ASKED, ("西南公园", "北江公园"))
    plan = plan_for("2", asked)
    assert (plan.do, plan.words, plan.session.pending) == (Do.FIND, "北江公园", Pending())
    report = plan_for("1", ask_again(ASKED, ("康乐路",), "full"))
    assert (report.do, report.words, report.report) == (Do.REPORT, "康乐路", "full")


def test_the_next_destination_ends_what_was_asked_back() -> None:
    asked = ask_again(Session(), ("西南公园", "北江公园"))
    assert plan_for("万达", asked).session.pending == Pending()


def test_until_when_gives_the_stay() -> None:
    assert plan_for("万达 停到10点").session.stay_minutes == 120
    later = plan_for("明天9点到万达 停到明天下午3点")
    assert later.session.arrive_ms == utc_ms(local_minute(MORNING_MS) + 25 * 60)
    assert later.session.stay_minutes == 360
    assert plan_for("明天9点到万达 停到11点").session.stay_minutes == 120


def test_what_is_over_is_said() -> None:
    assert said(plan_for("今早6点 万达")) == "past"
    assert said(plan_for("停到今早6点")) == "past"


@pytest.mark.parametrize(
    ("text", "do"),
    [
        ("2小时多少钱", Do.FEES),
        ("几点前免费", Do.FREE),
        ("数据不对", Do.REPORT),
        ("提醒我", Do.REMIND_FULL),
        ("免费到期提醒", Do.REMIND_FREE),
        ("取消提醒", Do.FORGET_REMINDERS),
        ("删除我的数据", Do.ERASE),
        ("投诉", Do.COMPLAIN),
        ("全部停车场", Do.OVERVIEW),
        ("隐私", Do.PRIVACY),
        ("长辈版", Do.ELDER),
        ("普通版", Do.STANDARD),
        ("谢谢", Do.SAY),
    ],
)
def test_every_want_has_its_plan(text: str, do: Do) -> None:
    assert plan_for(text).do is do
