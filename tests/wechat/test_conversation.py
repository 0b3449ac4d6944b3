"""What citizens read, from their words through guidance and the tariffs in force."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
from msgspec.structs import replace
from redis.asyncio import Redis

from occupancy.database_reports import list_reports
from occupancy.lot import Lot
from tests.routing.town import AsNow
from tests.waiting import until
from tests.wechat.account_server import CITIZEN
from tests.wechat.conversation import Account, talking


@pytest.fixture
async def account(redis: Redis) -> AsyncIterator[Account]:
    async with talking(redis) as made:
        yield made


async def keys_of_persons(redis: Redis) -> list[str]:
    """All that is held of citizens, the answers of the last minute apart."""
    names = [key.decode() async for key in redis.scan_iter("zhibo:v1:wechat:{*")]
    return [
        name for name in names if not name.endswith((":answer", ":claim", ":token", ":renewed"))
    ]


async def test_a_destination_brings_three_car_parks_in_one_text(account: Account) -> None:
    answer = await account.say("人民医院 停2小时")
    lines = answer.splitlines()
    assert lines[0] == "去三水区人民医院，停2小时："
    assert lines[1] == "1. 康乐路 约60个空位（0 秒前更新）"
    assert lines[2].startswith("到时有位可能")
    assert "行车" in lines[2]
    assert "30分钟以内（含30分钟）免费" in lines[3]
    assert "停2小时约5元" in lines[3]
    assert answer.count("<a href=") == 4
    assert answer.count("/v1/trips/") == 3
    assert len(answer.encode()) <= 2048


async def test_far_from_every_car_park_the_nearest_alone_is_named(account: Account) -> None:
    text = await account.say("白坭镇政府")
    assert "没有完全合适的停车场" in text
    assert "离目的地太远" in text
    assert "\n1. " in text
    assert "\n2. " not in text


async def test_an_answer_links_through_our_address_so_that_the_choice_is_known(
    account: Account,
) -> None:
    answer = await account.say("人民医院")
    link = answer.partition('<a href="')[2].partition('"')[0]
    assert link.startswith("https://zhibo.example/v1/trips/")
    assert link.endswith("/open/kangle/tencent")


async def test_stay_arrival_and_wishes_stand_in_the_answer(account: Account) -> None:
    answer = await account.say("明早9点 万达 停半天 便宜点 SUV 新能源")
    assert answer.startswith(
        "去万达广场，明天09:00到，停4小时，SUV（按车高1.9米），新能源，优先便宜："
    )


async def test_the_last_destination_is_remembered_and_another_is_given(account: Account) -> None:
    first = await account.say("人民医院 停3小时")
    second = await account.say("换一个")
    assert "1. 康乐路" in first
    assert "康乐路" not in second
    assert second.startswith("去三水区人民医院，停3小时：")


async def test_when_every_car_park_was_refused_the_best_comes_back(account: Account) -> None:
    await account.say("人民医院")
    for _ in range(4):
        await account.say("换一个")
    assert "没有别的停车场可换了" in await account.say("换一个")


async def test_a_wish_is_added_to_the_last_question(account: Account) -> None:
    await account.say("人民医院")
    assert (await account.say("便宜的")).startswith("去三水区人民医院，停2小时，优先便宜：")
    assert (await account.say("少走路")).startswith(
        "去三水区人民医院，停2小时，优先便宜，优先少走路："
    )


async def test_after_half_an_hour_nothing_is_remembered(account: Account, redis: Redis) -> None:
    await account.say("人民医院")
    (session,) = [key for key in await keys_of_persons(redis) if key.endswith(":session")]
    assert 0 < await redis.pttl(session) <= 30 * 60_000
    await redis.delete(session)
    assert "请先告诉我目的地" in await account.say("换一个")


async def test_what_was_said_before_the_destination_counts_for_it(account: Account) -> None:
    assert "请先告诉我目的地" in await account.say("停3小时 SUV")
    assert (await account.say("万达")).startswith("去万达广场，停3小时，SUV（按车高1.9米）：")


async def test_an_unclear_destination_is_asked_back_and_a_number_chooses(account: Account) -> None:
    asked = (await account.say("公园 停3小时")).splitlines()
    assert asked[0] == "您是要去哪里？回复数字即可："
    number, _, name = asked[2].partition(". ")
    assert number == "2"
    assert (await account.say("2")).startswith(f"去{name}，停3小时：")


async def test_one_park_never_becomes_another(account: Account) -> None:
    asked = await account.say("人民公园")
    assert asked.startswith(("您是要去哪里？", "没有找到"))
    assert "空位" not in asked


@pytest.mark.parametrize("words", ["rmyy", "sanshui guangchang", "万达廣場", "三水区人民衣院"])
async def test_a_destination_is_found_as_people_type_it(account: Account, words: str) -> None:
    assert "个空位" in await account.say(f"去{words} 停1小时")


async def test_an_unknown_destination_says_no_link_of_its_own(account: Account) -> None:
    answer = await account.say('<a href="https://evil.example">领奖</a>')
    assert "evil" in answer
    assert '<a href="https://evil' not in answer


async def test_a_time_that_is_over_is_not_taken(account: Account) -> None:
    assert "已经过了" in await account.say("今早6点 万达")


async def test_what_a_stay_costs_where_he_was_shown(account: Account) -> None:
    await account.say("人民医院")
    answer = await account.say("2小时多少钱")
    assert answer.splitlines()[:2] == ["现在停2小时：", "康乐路 约5元，10:00后离场7元"]
    assert len(answer.splitlines()) == 5


async def test_what_a_stay_costs_in_a_named_car_park(account: Account) -> None:
    answer = await account.say("三达路停3小时多少钱")
    assert answer.splitlines()[:2] == ["现在停3小时：", "三达路 约7元，11:00后离场8元"]


async def test_what_a_stay_costs_near_a_destination(account: Account) -> None:
    assert "康乐路" in await account.say("人民医院怎么收费")


async def test_until_when_it_is_free(account: Account) -> None:
    answer = await account.say("康乐路几点前免费")
    assert answer.splitlines()[1].startswith("康乐路 08:30前离场免费")


async def test_nothing_is_called_free_that_has_no_price(account: Account) -> None:
    account.lots["kangle"] = _without_tariff(account)
    assert "康乐路 价格不明" in await account.say("康乐路2小时多少钱")
    assert "康乐路 免费时段不明" in await account.say("康乐路几点前免费")


async def test_a_car_park_that_stays_full_is_left_out_and_said_so(redis: Redis) -> None:
    async with talking(redis, forecasts=AsNow()) as account:
        account.see("kangle", 0)
        answer = await account.say("人民医院")
        assert "1. 站前路" in answer
        assert "未推荐康乐路：到达时多半已满" in answer


async def test_when_all_are_full_it_is_said_plainly(account: Account) -> None:
    for lot_id in account.lots:
        account.see(lot_id, 0)
    answer = await account.say("人民医院")
    assert answer.splitlines()[1] == "附近的停车场现在都满了，下面是相对最好的："
    assert "已满（0 秒前更新）" in answer


async def test_a_stale_number_is_never_shown(account: Account) -> None:
    account.clock.now_ms += 10 * 60_000
    answer = await account.say("人民医院")
    assert "个空位" not in answer
    assert "余位不明（10 分钟前更新）" in answer
    assert "数据都中断了" in answer


async def test_a_chosen_car_park_is_told_with_its_price_and_phone(account: Account) -> None:
    await account.say("人民医院")
    answer = await account.say("2")
    assert answer.startswith("好的，去站前路。\n站前路立体停车场 约60个空位")
    assert "电话 0757-" in answer
    assert await account.say("9") == "没有这个编号，请再看一下上面的列表。"


async def test_a_report_is_kept_beside_what_was_shown(
    redis: Redis, connections: asyncpg.Pool
) -> None:
    async with talking(redis, connections) as account:
        await account.say("人民医院")
        assert "已记下“康乐路：满了”" in await account.say("说有位，到了却满了")
        assert "已记下“三达路：余位不对”" in await account.say("三达路数据不对")
        full, wrong = reversed(await list_reports(connections))
        assert (full.lot_id, full.kind, full.free_shown) == ("kangle", "full", 60)
        assert (wrong.lot_id, wrong.kind) == ("sanda", "wrong_number")
        assert [one.kind for one in await list_reports(connections, "sanda")] == ["wrong_number"]


async def test_a_report_about_nowhere_asks_where(redis: Redis, connections: asyncpg.Pool) -> None:
    async with talking(redis, connections) as account:
        asked = await account.say("多收了钱")
        assert asked.startswith("是哪个停车场？")
        assert "1. 康乐路" in asked
        assert "已记下“三达路：收费不对”" in await account.say("3")


async def test_a_report_that_cannot_be_kept_is_not_thanked_for(account: Account) -> None:
    assert "暂时记不下来" in await account.say("康乐路满了")


async def test_a_location_is_answered_and_not_stored(account: Account, redis: Redis) -> None:
    heard = await account.send(
        "location", Location_X=23.15461, Location_Y=112.89712, Scale=15, Label="三水某小区"
    )
    assert heard.text.startswith("您发的位置附近，停2小时：")
    held = await everything(redis, "zhibo:*session*")
    for trace in (b"23.15", b"112.89", "小区".encode()):
        assert trace not in held
    assert "位置不会保存" in await account.say("换一个")


@pytest.mark.parametrize(("latitude", "longitude"), [(39.9, 116.4), ("", ""), ("north", 112.9)])
async def test_a_location_elsewhere_is_refused_kindly(
    account: Account, latitude: object, longitude: object
) -> None:
    heard = await account.send("location", Location_X=latitude, Location_Y=longitude)
    assert heard.status == 200
    assert "目的地" in heard.text


@pytest.mark.parametrize(
    ("kind", "fields", "said"),
    [
        ("image", {"PicUrl": "http://x", "MediaId": "m"}, "图片我看不懂"),
        ("voice", {"MediaId": "m", "Format": "amr", "Recognition": ""}, "语音我还听不懂"),
        ("video", {"MediaId": "m", "ThumbMediaId": "t"}, "视频我看不懂"),
        ("shortvideo", {"MediaId": "m", "ThumbMediaId": "t"}, "视频我看不懂"),
        ("link", {"Title": "t", "Description": "d", "Url": "http://x"}, "链接我打不开"),
        ("file", {"Title": "t"}, "这类消息我看不懂"),
        ("text", {"Content": "  "}, "请直接发目的地"),
    ],
)
async def test_every_message_gets_a_fitting_answer(
    account: Account, kind: str, fields: dict[str, str], said: str
) -> None:
    assert said in (await account.send(kind, **fields)).text


async def test_a_recognised_voice_is_a_text(account: Account) -> None:
    heard = await account.send("voice", MediaId="m", Recognition="人民医院，停两个小时。")
    assert heard.text.startswith("去三水区人民医院，停2小时：")


@pytest.mark.parametrize("mode", ["plain", "compatible", "safe"])
async def test_every_event_gets_its_answer(redis: Redis, mode: str) -> None:
    async with talking(redis, MODE=mode) as account:
        account.server = account.server.but(mode=mode)
        said = {
            ("subscribe", ""): "我是三水智泊",
            ("SCAN", "lot:sanda"): "您在三达路门口",
            ("SCAN", "lot:unknown"): "直接发目的地就行",
            ("CLICK", "ask"): "请直接发目的地",
            ("CLICK", "fees"): "现在停2小时：",
            ("CLICK", "free"): "前离场免费",
            ("CLICK", "elder"): "长辈版",
            ("CLICK", "privacy"): "不保存您的位置",
            ("CLICK", "complain"): "24小时热线",
            ("CLICK", "overview"): "现在的空位",
            ("CLICK", "of a menu before"): "直接发目的地就行",
        }
        for (event, key), words in said.items():
            assert words in (await account.happen(event, EventKey=key)).text, (event, key)
        for event in ("VIEW", "location_select", "TEMPLATESENDJOBFINISH", "unheard_of"):
            heard = await account.happen(event, EventKey="https://zhibo.example/m/")
            assert (heard.status, heard.body) == (200, b"success"), event
        report = {"Latitude": 23.1, "Longitude": 112.9, "Precision": 40.0}
        assert (await account.happen("LOCATION", **report)).body == b"success"


async def test_who_follows_at_a_door_is_told_about_it(account: Account) -> None:
    heard = await account.happen("subscribe", EventKey="qrscene_lot:kangle", Ticket="t")
    assert heard.text.startswith("您好，我是三水智泊。")
    assert "您在康乐路门口。" in heard.text


@pytest.mark.parametrize(
    ("event", "fields"),
    [
        ("unsubscribe", {}),
        ("user_authorization_revoke", {"OpenID": CITIZEN, "RevokeInfo": "1"}),
        ("user_authorization_cancellation", {"OpenID": CITIZEN}),
    ],
)
async def test_who_leaves_is_forgotten(
    account: Account, redis: Redis, event: str, fields: dict[str, str]
) -> None:
    await account.say("人民医院")
    await account.say("提醒我")
    assert await keys_of_persons(redis)
    assert (await account.happen(event, **fields)).body == b"success"
    assert await keys_of_persons(redis) == []
    assert not await redis.exists("zhibo:v1:driver")


async def test_who_asks_for_it_is_forgotten(account: Account, redis: Redis) -> None:
    await account.say("人民医院")
    assert "已删除" in await account.say("删除我的数据")
    held = [key for key in await keys_of_persons(redis) if not key.endswith(":window")]
    assert held == []
    assert [key async for key in redis.scan_iter("zhibo:v1:driver:*")] == []


async def test_no_openid_stands_in_redis_but_in_a_reminder(account: Account, redis: Redis) -> None:
    await account.say("人民医院")
    assert CITIZEN.encode() not in await everything(redis)
    await account.say("提醒我")
    assert CITIZEN.encode() in await everything(redis)
    await account.say("取消提醒")
    assert CITIZEN.encode() not in await everything(redis)


async def test_elders_get_one_car_park(account: Account) -> None:
    await account.say("长辈版")
    answer = await account.say("人民医院")
    assert "1. 康乐路" in answer
    assert "2. " not in answer
    assert "/m/?elder=1" in answer
    await account.say("普通版")
    assert "2. " in await account.say("人民医院")


async def test_without_redis_every_question_is_answered() -> None:
    async with Redis(port=1) as away, talking(away) as account:
        assert (await account.say("人民医院")).startswith("去三水区人民医院")
        assert "请先告诉我目的地" in await account.say("换一个")
        assert "暂时设不了提醒" in await account.say("康乐路满了提醒我")
        assert "暂时查不到" in await account.say("删除我的数据")


async def test_a_full_car_park_reminds_once(account: Account) -> None:
    await account.say("人民医院")
    assert "康乐路如果满了，会提醒您一次" in await account.say("提醒我")
    account.see("kangle", 0)
    await until(lambda: bool(account.api.said))
    ((openid, text),) = account.api.said
    assert openid == CITIZEN
    assert text.startswith("【提醒】康乐路已满。\n可改去")
    assert await account.redis.zcard("zhibo:v1:wechat:reminders") == 0


def _without_tariff(account: Account) -> Lot:
    return replace(account.lots["kangle"], tariff_id="nobody")


async def everything(redis: Redis, pattern: str = "zhibo:*") -> bytes:
    """All that Redis holds, as bytes."""
    keys = [key async for key in redis.scan_iter(pattern)]
    return b"\n".join(keys) + b"".join([await redis.dump(key) or b"" for key in keys])
