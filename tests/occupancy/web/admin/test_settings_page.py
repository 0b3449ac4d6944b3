"""Every setting is told to administrators, and no secret to anybody."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis

from gateway.address import HIDDEN
from gateway.settings import Setting, text
from occupancy.permissions import Role
from occupancy.web.admin.settings_page import parts_of
from occupancy.web.admin.settings_told import (
    read_words,
    tell_settings,
)
from occupancy.web.server import Behind
from tests.occupancy.web.admin.desk import Desk, desk
from zhibo.settings import SETTINGS

SECRETS = {
    "ZHIBO_POSTGRES_URL": "postgresql://zhibo:hunter2@db/zhibo?sslpassword=hunter2",
    "ZHIBO_REDIS_URL": "redis://:hunter2@cache:6379",
    "ZHIBO_SMTP_URL": "smtp://mail:hunter2@mail:587",
    "ZHIBO_WECHAT_SECRET": "hunter2",
    "ZHIBO_WECHAT_TOKEN": "hunter2",
    "ZHIBO_WECHAT_AES_KEY": "hunter2",
    "ZHIBO_ALARM_WEBHOOK": "https://example.org/hook?key=hunter2",
    "ZHIBO_ALARM_WEBHOOK_SECRET": "hunter2",
    "ZHIBO_AMAP_KEY": "hunter2",
    "ZHIBO_TENCENT_KEY": "hunter2",
}


@pytest.fixture
async def office(connections: asyncpg.Pool, redis: Redis) -> AsyncIterator[Desk]:
    told = tell_settings(SETTINGS, {**SECRETS, "ZHIBO_PORT": "9000"})
    async with desk(connections, redis, beside=Behind(told=told)) as running:
        yield running


async def test_an_administrator_reads_every_setting_and_no_secret(office: Desk) -> None:
    boss = await office.at_work("boss", Role.ADMIN)
    page = await boss.get("/admin/settings")
    assert page.status == 200
    for setting in SETTINGS:
        assert setting.name in page.words
    assert "hunter2" not in page.text
    assert "ZHIBO_PORT 网页服务的端口 9000 已改" in page.words
    assert "ZHIBO_HOST 网页服务监听的地址 127.0.0.1 默认" in page.words
    assert "ZHIBO_WECHAT_SECRET 公众号的 AppSecret 已设" in page.words
    assert "ZHIBO_WECHAT_TOKEN_PREVIOUS 更换期间仍接受的旧 Token 未设" in page.words


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMIN])
async def test_nobody_else_reads_settings(office: Desk, role: Role) -> None:
    browser = await office.at_work("somebody", role)
    assert (await browser.get("/admin/settings")).status == 403


def test_every_setting_is_told_in_chinese_and_none_that_is_gone() -> None:
    assert set(read_words()) == {setting.name for setting in SETTINGS}


def test_every_setting_has_its_part_once() -> None:
    told = tell_settings(SETTINGS, {})
    parts = parts_of(told)
    assert sorted(one.name for _, part in parts for one in part) == sorted(t.name for t in told)


@given(st.text(min_size=1))
def test_a_secret_is_never_told(secret: str) -> None:
    setting = Setting("ZHIBO_X", "", text, "x", secret=True)
    (told,) = tell_settings([setting], {"ZHIBO_X": secret})
    assert told.value in ("", HIDDEN)


def test_what_is_named_a_secret_is_one() -> None:
    names = ("SECRET", "TOKEN", "AES_KEY", "AMAP_KEY", "TENCENT_KEY")
    named = [one for one in SETTINGS if one.name.endswith((*names, "_PREVIOUS"))]
    assert [one.name for one in named if not one.secret] == []
