"""Chinese as it stands in the pages, or English from the table beside them."""

import tomllib
from collections.abc import Callable, Mapping
from importlib.resources import files

Say = Callable[..., str]
CHINESE, ENGLISH = "zh-CN", "en"
COOKIE = "zhibo-language"


def read_english() -> Mapping[str, str]:
    text = (files("occupancy.web.admin") / "english.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


_ENGLISH = read_english()


def chosen(asked: str, kept: str) -> str:
    """The language asked for, the one chosen before, or Chinese."""
    return next((one for one in (asked, kept) if one in (CHINESE, ENGLISH)), CHINESE)


def speaker(language: str) -> Say:
    """`say('余 {free}', free=3)` in this language; what the table lacks stays Chinese."""
    table = _ENGLISH if language == ENGLISH else {}

    def say(words: str, **values: object) -> str:
        told = table.get(words, words)
        return told.format(**values) if values else told

    return say
