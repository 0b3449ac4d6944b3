"""What citizens' words want."""

import pytest

from occupancy.tariff import VehicleClass
from routing.question import Wish
from wechat.intent import Want, read_intent


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("人民医院", "人民医院"),
        ("人民医院 停2小时", "人民医院"),
        ("明早9点 万达", "万达"),
        ("我想去三水广场停两个半小时，要便宜点", "三水广场"),
        ("请问三水广场附近有停车场吗？", "三水广场"),
        ("人民公园哪里好停车", "人民公园"),
        ("半小时后到万达", "万达"),
        ("開SUV去萬達", "萬達"),
        ("万达 新能源 3小时 便宜", "万达"),
        ("人民三路139号", "人民三路139号"),
        ("去一中", "一中"),
        ("SMGC", "smgc"),
        ("ｓｍｇｃ", "smgc"),
        ("sanshui guangchang", "sanshui guangchang"),
        ("和平路", "和平路"),
        ("人工湖", "人工湖"),
        ("三水收费站", "三水收费站"),
        ("七天连锁酒店", "七天连锁酒店"),
        ("车高2.1米 万达", "万达"),
        ("康乐路满了吗", "康乐路"),
        ("停车", ""),
        ("有车位吗", ""),
        ("最近的停车场", ""),
    ],
)
def test_a_destination_is_what_is_left(text: str, words: str) -> None:
    intent = read_intent(text)
    assert (intent.want, intent.words) == (Want.GO, words)


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("换一个", Want.ANOTHER),
        ("換一個", Want.ANOTHER),
        ("还有别的吗", Want.ANOTHER),
        ("2小时多少钱", Want.FEE),
        ("万达怎么收费", Want.FEE),
        ("停车费", Want.FEE),
        ("收费规则", Want.FEE),
        ("几钱", Want.FEE),
        ("几点前免费", Want.FREE_UNTIL),
        ("免费到几点", Want.FREE_UNTIL),
        ("能免费停多久", Want.FREE_UNTIL),
        ("提醒我", Want.REMIND_FULL),
        ("满了告诉我", Want.REMIND_FULL),
        ("免费快到了提醒我", Want.REMIND_FREE),
        ("取消提醒", Want.FORGET_REMINDERS),
        ("投诉", Want.COMPLAIN),
        ("客服电话", Want.COMPLAIN),
        ("长辈版", Want.ELDER),
        ("大字", Want.ELDER),
        ("普通版", Want.STANDARD),
        ("隐私", Want.PRIVACY),
        ("删除我的数据", Want.ERASE),
        ("你好", Want.HELP),
        ("？", Want.GO),
        ("帮助", Want.HELP),
        ("谢谢", Want.THANKS),
        ("好的", Want.THANKS),
        ("全部停车场", Want.OVERVIEW),
    ],
)
def test_other_wants_are_told_apart(text: str, want: Want) -> None:
    assert read_intent(text).want is want


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("说满了", "full"),
        ("满了", "full"),
        ("康乐路满了", "full"),
        ("说有位，到了却满了", "full"),
        ("显示有空位其实没位", "full"),
        ("没有车位了", "full"),
        ("冇位", "full"),
        ("数据不对", "wrong_number"),
        ("余位不准", "wrong_number"),
        ("不准", "wrong_number"),
        ("收费不对", "wrong_price"),
        ("多收了钱", "wrong_price"),
        ("导航错了", "navigation"),
        ("入口位置不对", "navigation"),
    ],
)
def test_a_report_is_known_by_its_kind(text: str, kind: str) -> None:
    intent = read_intent(text)
    assert (intent.want, intent.report) == (Want.REPORT, kind)


@pytest.mark.parametrize("text", ["满了吗", "康乐路有没有满了", "数据不对吗", "满了提醒我"])
def test_a_question_is_no_report(text: str) -> None:
    assert read_intent(text).want is not Want.REPORT


@pytest.mark.parametrize(
    ("text", "choice"), [("2", 2), ("第二个", 2), ("选3", 3), ("要第1家", 1), ("九", 9)]
)
def test_a_number_chooses(text: str, choice: int) -> None:
    intent = read_intent(text)
    assert (intent.want, intent.choice) == (Want.CHOICE, choice)


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("便宜点", Wish.CHEAP),
        ("便宜的", Wish.CHEAP),
        ("平啲", Wish.CHEAP),
        ("省钱", Wish.CHEAP),
        ("有免费的吗", Wish.CHEAP),
        ("少走路", Wish.NEAR),
        ("近一点", Wish.NEAR),
        ("最近的", Wish.NEAR),
        ("行少啲", Wish.NEAR),
        ("一定有位的", Wish.SURE),
        ("有把握", Wish.SURE),
        ("有顶棚的", Wish.COVERED),
    ],
)
def test_a_wish_is_heard(text: str, wish: Wish) -> None:
    intent = read_intent(text)
    assert intent.wishes == {wish}
    assert intent.words == ""


def test_a_vehicle_is_described() -> None:
    suv = read_intent("开SUV去万达")
    assert suv.is_suv
    assert suv.vehicle is not None
    assert suv.vehicle.height_metres == 1.9
    said = read_intent("SUV 车高2.05米 重2.3吨 万达").vehicle
    assert said is not None
    assert (said.height_metres, said.weight_tonnes) == (2.05, 2.3)
    assert not read_intent("SUV 车高2.05米 万达").is_suv
    electric = read_intent("新能源 万达").vehicle
    assert electric is not None
    assert electric.new_energy
    for text, kind in (("摩托车 万达", VehicleClass.MOTORCYCLE), ("货车 万达", VehicleClass.LARGE)):
        vehicle = read_intent(text).vehicle
        assert vehicle is not None
        assert vehicle.kind is kind
    assert read_intent("万达").vehicle is None


def test_an_impossible_height_is_no_height() -> None:
    assert read_intent("车高9米 万达").vehicle is None


def test_a_tram_station_is_no_electric_car() -> None:
    assert read_intent("有轨电车站").vehicle is None


def test_nobody_types_more_than_is_read() -> None:
    assert len(read_intent("万" * 5_000).words) == 200
