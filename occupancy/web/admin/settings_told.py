"""Settings as an administrator may read them: in force or default, a secret only set or not."""

import tomllib
from collections.abc import Iterable, Mapping
from importlib.resources import files
from typing import Any

import msgspec

from gateway.address import HIDDEN, without_password
from gateway.settings import Setting


class SettingTold(msgspec.Struct, frozen=True):
    """One setting as this process was started with it; `value` never holds a secret."""

    name: str
    about: str
    english: str
    value: str
    is_default: bool
    is_secret: bool


def tell_settings(
    settings: Iterable[Setting[Any]], environ: Mapping[str, str]
) -> tuple[SettingTold, ...]:
    """In the order in which they are listed; the value is the one in force."""
    words = read_words()
    return tuple(_told(setting, environ, words) for setting in settings)


def read_words() -> Mapping[str, str]:
    text = (files("occupancy.web.admin") / "setting_words.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def _told(
    setting: Setting[Any], environ: Mapping[str, str], words: Mapping[str, str]
) -> SettingTold:
    given = environ.get(setting.name, "").strip()
    value = (HIDDEN if given else "") if setting.secret else without_password(given)
    return SettingTold(
        setting.name,
        words.get(setting.name, setting.about),
        setting.about,
        value or ("" if setting.secret else setting.default),
        is_default=not given,
        is_secret=setting.secret,
    )
