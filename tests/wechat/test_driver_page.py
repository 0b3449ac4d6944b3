"""The driver's page: bad input in a driver's words, and what it says of each car park."""

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.browser.stage import Stage
from tests.wechat.driver_stage import Desk, driver_stage
from wechat.driver_view import age_words, chosen_stay, clock_words, stay_words, yuan_words


async def page(stage: Stage, path: str, status: int = 200) -> str:
    async with stage.running.http.get(stage.url(path), allow_redirects=False) as answer:
        assert answer.status == status
        return await answer.text()


async def send(stage: Stage, form: dict[str, str], **headers: str) -> tuple[int, str]:
    url = stage.url("/m/report")
    async with stage.running.http.post(url, data=form, headers=headers) as answer:
        return answer.status, await answer.text()


GOOD = {"lot": "kangle", "kind": "full", "words": ""}


async def test_what_cannot_be_asked_is_said_and_the_numbers_are_shown_all_the_same() -> None:
    desk = Desk()
    async with driver_stage(desk) as stage:
        stage.free_all()
        assert "最多 60 字" in await page(stage, "/m/?to=" + "长" * 61)
        assert "1 分钟到 24 小时" in await page(stage, "/m/?to=万达&stay=99999")
        assert desk.asked == []
        text = await page(stage, "/m/?to=不知道的地方&prefer=nonsense&stay=45")
        assert "没有找到这个地方" in text
        assert "约 52 位" in text
        assert desk.asked == [("不知道的地方", 45, "")]
        refused = await page(stage, "/m/lots/nowhere", 404)
        assert "没有这个停车场" in refused
        assert 'href="/m/"' in refused
        await page(stage, "/m", 302)


@pytest.mark.parametrize("path", ["/m/?to=万达", "/m/lots/kangle?stay=45", "/m/prices?x=1"])
async def test_a_page_that_was_shared_opens_whatever_the_app_added(path: str) -> None:
    async with driver_stage(Desk()) as stage:
        stage.free_all()
        await page(stage, f"{path}&from=singlemessage&isappinstalled=0&from=timeline")


async def test_what_a_driver_types_is_text_and_nothing_else() -> None:
    async with driver_stage(Desk()) as stage:
        text = await page(stage, "/m/?to=%3Cscript%3Ealert(1)%3C/script%3E")
        assert "<script>alert" not in text
        assert "&lt;script&gt;alert" in text


async def test_a_silent_car_park_shows_a_dash_and_a_silent_town_too() -> None:
    async with driver_stage(Desk()) as stage:
        assert "尚无数据" in await page(stage, "/m/")
        stage.free_all()
        stage.age(91)
        text = await page(stage, "/m/lots/kangle")
        assert "约 52 位" not in text
        assert "超过 90 秒没有新数据" in text


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"lot": "nowhere"}, "请选择停车场"),
        ({"kind": "nonsense"}, "请选择问题"),
        ({"words": "长" * 501}, "最多 500 字"),
    ],
)
async def test_a_report_that_cannot_be_kept_says_why(wrong: dict[str, str], words: str) -> None:
    desk = Desk()
    async with driver_stage(desk) as stage:
        status, text = await send(stage, {**GOOD, **wrong})
        assert status == 400
        assert words in text
        assert desk.kept == []


async def test_a_form_from_another_site_is_refused() -> None:
    desk = Desk()
    async with driver_stage(desk) as stage:
        status, _ = await send(stage, GOOD, **{"Sec-Fetch-Site": "cross-site"})
        assert status == 403
        assert (await send(stage, GOOD))[0] == 200
        assert desk.kept == [("kangle", "full", "")]


async def test_pages_are_not_kept_by_caches_and_their_files_are() -> None:
    async with driver_stage(Desk(), app_id="wx123") as stage:
        text = await page(stage, "/m/")
        assert 'data-app-id="wx123"' in text
        start = text.index("/m/static/driver.")
        url = text[start : text.index('"', start)]
        async with stage.running.http.get(stage.url(url)) as answer:
            assert "immutable" in answer.headers["Cache-Control"]
        async with aiohttp.ClientSession() as http, http.get(stage.url("/m/")) as answer:
            assert answer.headers["Cache-Control"] == "no-store"
            assert "https://res.wx.qq.com" in answer.headers["Content-Security-Policy"]
    async with driver_stage(Desk()) as plain, plain.running.http.get(plain.url("/m/")) as answer:
        assert "wx.qq.com" not in answer.headers["Content-Security-Policy"]


@given(st.integers(1, 20_000))
def test_a_stay_in_words_adds_up_to_itself(minutes: int) -> None:
    units = {"天": 1_440, "小时": 60, "分钟": 1}
    words = stay_words(minutes).split(" ")
    pairs = zip(words[::2], words[1::2], strict=True)
    assert sum(int(count) * units[unit] for count, unit in pairs) == minutes


@given(st.text(max_size=6))
def test_a_stay_is_taken_only_from_the_range_of_the_page(raw: str) -> None:
    chosen = chosen_stay(raw)
    assert chosen is None or 1 <= chosen <= 1_440


def test_words_for_money_ages_and_moments() -> None:
    assert [yuan_words(fen) for fen in (0, 500, 550, 1_205)] == [
        "免费",
        "5 元",
        "5.5 元",
        "12.05 元",
    ]
    assert age_words(100_000, 40_001) == "59 秒前更新"
    assert age_words(100_000, 39_999) == "1 分钟前更新"
    assert age_words(100_000, None) == "尚无数据"
    assert clock_words(None) == ""
    assert clock_words("2026-11-23T14:30:00+08:00") == "14:30"
