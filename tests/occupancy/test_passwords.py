"""Passwords: long, not common, as the setting says; and the same work for whoever asks."""

import secrets

import asyncpg
import pytest
from argon2 import extract_parameters

from gateway.settings import BadSettingError
from occupancy import database_users, operators, passwords
from occupancy.config import load_password_rules
from occupancy.password_rules import ASVS, PasswordRules
from occupancy.permissions import Role
from tests.builders import MORNING_MS

DENGBAO = PasswordRules(kinds=3, days=90)


@pytest.mark.parametrize(
    "password",
    [
        "password1234",
        "P@ssw0rd2024!",
        "qwertyuiop12",
        "1qaz2wsx3edc",
        "1q2w3e4r5t6y",
        "woaini5201314",
        "iloveyou520520",
        "asdfghjkl123",
        "abc123abc123",
        "Aa123456789!",
        "admin@123456",
        "sanshui2026!!",
        "SanshuiZhibo2026",
        "zhangwei1990",
        "drowssap1234",
    ],
)
async def test_what_guessers_try_first_is_refused(password: str) -> None:
    flaw = await passwords.find_flaw(password, "li.ming")
    assert flaw is not None
    assert "太常见" in flaw


@pytest.mark.parametrize(
    "password",
    [
        "correct-horse-battery",
        "x1y2z3-different",
        "七月的荷花开在北江边上呢",
        "waiting for the late train",
        "7f9Kq2mZx8Pw",
        "a long sentence nobody else has ever said " * 3,
    ],
)
async def test_a_long_password_of_ones_own_will_do(password: str) -> None:
    assert await passwords.find_flaw(password, "li.ming") is None


async def test_ones_own_name_makes_no_password() -> None:
    assert await passwords.find_flaw("li.ming2026-li", "li.ming") == "密码里不要有用户名"


@pytest.mark.parametrize(
    ("password", "is_enough"),
    [
        ("correct horse battery", False),
        ("Correct horse battery", True),
        ("correct-horse-7", True),
        ("CORRECTHORSEBATTERY7", False),
        ("七月的荷花开在北江边上呢", False),
    ],
)
async def test_complex_passwords_only_where_the_setting_asks_for_them(
    password: str, *, is_enough: bool
) -> None:
    assert await passwords.find_flaw(password, "li", ASVS) is None
    flaw = await passwords.find_flaw(password, "li", DENGBAO)
    assert (flaw is None) == is_enough


def test_the_setting_is_one_of_two_and_names_itself() -> None:
    assert load_password_rules({}) == ASVS
    told = load_password_rules({"ZHIBO_PASSWORD_RULES": "dengbao", "ZHIBO_PASSWORD_DAYS": "60"})
    assert told == PasswordRules(kinds=3, days=60)
    assert "每 60 天更换" in told.words
    assert not ASVS.is_over(10_000)
    assert [told.is_over(days) for days in (59.9, 60)] == [False, True]
    for wrong in ({"ZHIBO_PASSWORD_RULES": "none"}, {"ZHIBO_PASSWORD_DAYS": "0"}):
        with pytest.raises(BadSettingError, match=next(iter(wrong))):
            load_password_rules(wrong)


async def test_a_given_password_fits_the_rules_and_must_be_changed(
    connections: asyncpg.Pool,
) -> None:
    made = await operators.add_operator(
        connections, "li.ming", Role.OPERATOR, (), "test", rules=DENGBAO
    )
    assert made.operator.must_change
    assert await passwords.find_flaw(made.password, "li.ming", DENGBAO) is None
    await operators.change_password(connections, made.operator, "correct-horse-battery")
    known = await operators.check_password(connections, "li.ming", "correct-horse-battery", "x")
    assert known is not None
    assert not known.must_change
    assert await operators.renew_password(connections, "li.ming", "test") is not None
    again = await database_users.find_operator(connections, "li.ming")
    assert again is not None
    assert again.must_change
    assert again.password_days(MORNING_MS) == pytest.approx(
        (MORNING_MS / 1_000 - again.password_at.timestamp()) / 86_400
    )


async def test_known_unknown_and_disabled_names_cost_the_same_work(
    connections: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One verification each, of hashes with the same parameters: none is quicker."""
    made = await operators.add_operator(connections, "li.ming", Role.OPERATOR, (), "test")
    await operators.add_operator(connections, "gone", Role.OPERATOR, (), "test")
    await connections.execute("UPDATE operator SET is_locked = true WHERE name = 'gone'")
    hashes: list[str] = []
    verify = passwords._verify  # noqa: SLF001

    def counted(password_hash: str, password: str) -> bool:
        hashes.append(password_hash)
        return verify(password_hash, password)

    monkeypatch.setattr(passwords, "_verify", counted)
    wrong = secrets.token_urlsafe(12)
    for name in ("li.ming", "nobody", "gone"):
        assert await operators.check_password(connections, name, wrong, "203.0.113.9") is None
    assert len(hashes) == 3
    assert hashes[0] == made.operator.password_hash
    assert len({str(extract_parameters(one)) for one in hashes}) == 1
