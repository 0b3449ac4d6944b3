"""What the account is told is checked before anything runs."""

import pytest

from gateway.settings import BadSettingError
from tests.wechat.account_server import AES_KEY, OLD_AES_KEY, OLD_TOKEN, TOKEN
from tests.wechat.stage import settings_with
from wechat.config import Mode, WechatSettings, load_settings


def test_without_an_account_nothing_is_needed() -> None:
    settings = load_settings({})
    assert not settings.is_served
    assert not settings.has_api


def test_secrets_do_not_show_in_a_print() -> None:
    settings = settings_with(SECRET="0" * 32)
    for secret in (TOKEN, "0" * 32, str(settings.aes_keys[0])):
        assert secret not in repr(settings)


def test_a_rotation_has_the_new_ones_first() -> None:
    settings = settings_with(TOKEN_PREVIOUS=OLD_TOKEN, AES_KEY_PREVIOUS=OLD_AES_KEY)
    assert settings.tokens == (TOKEN, OLD_TOKEN)
    assert len(settings.aes_keys) == 2


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("MODE", "open", "plain, compatible, safe"),
        ("TOKEN", "no good!", "3 to 32 letters"),
        ("AES_KEY", AES_KEY[:-1], "43 letters"),
        ("AES_KEY", "!" * 43, "letters and digits only"),
        ("AES_KEY", "", "needs it"),
        ("APP_ID", "", "needs it"),
        ("TOKEN", "", "TOKEN_PREVIOUS is set"),
        ("API", "http://api.weixin.qq.com", "https://"),
    ],
)
def test_a_bad_setting_names_itself(name: str, value: str, words: str) -> None:
    more = {"TOKEN_PREVIOUS": OLD_TOKEN} if name == "TOKEN" and not value else {}
    with pytest.raises(BadSettingError, match="ZHIBO_WECHAT_") as trouble:
        settings_with(**{name: value}, **more)
    assert words in str(trouble.value)
    if value and name == "AES_KEY":
        assert value not in str(trouble.value)


def test_plain_mode_needs_no_key() -> None:
    settings = load_settings({"ZHIBO_WECHAT_TOKEN": TOKEN, "ZHIBO_WECHAT_MODE": "plain"})
    assert settings == WechatSettings(tokens=(TOKEN,), mode=Mode.PLAIN)
