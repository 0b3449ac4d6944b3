"""Settings as an administrator may read them: in force or default, a secret only set or not."""

import tomllib
from collections.abc import Iterable, Mapping
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import msgspec

from gateway.settings import Setting

HIDDEN = "••••"


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


def without_password(value: str) -> str:
    """An address without the password in it, also one that stands in its query."""
    if "://" not in value:
        return value
    try:
        parts = urlsplit(value)
    except ValueError:
        return HIDDEN  # an address that cannot be taken apart may hide anything
    user, at, host = parts.netloc.rpartition("@")
    name, colon, _ = user.partition(":")
    shown = f"{name}{colon}{HIDDEN if colon else ''}{at}{host}"
    query = "&".join(_shown_pair(pair) for pair in parts.query.split("&"))
    return urlunsplit((parts.scheme, shown, parts.path, query, parts.fragment))


def _shown_pair(pair: str) -> str:
    name, _, _ = pair.partition("=")
    is_secret = any(word in name.lower() for word in ("pass", "key", "token", "secret"))
    return f"{name}={HIDDEN}" if is_secret else pair
