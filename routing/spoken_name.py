"""A name as it sounds and as it is written, made comparable: scripts, fillers, pinyin."""

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

from opencc import OpenCC
from pypinyin import Style, lazy_pinyin

MOST_LETTERS = 60
_to_simplified = OpenCC("t2s")
_NOISE = re.compile(r"[^0-9a-z\u4e00-\u9fff ]+")
_HAN = re.compile(r"[\u4e00-\u9fff]")
# What people say around the name. Longer ones first: 想去 must not leave 想.
_BEFORE = re.compile(
    r"^(?:请问|麻烦|帮我|带我|我们|我|你好|现在|明天|今天|等下|准备|打算|送小孩|想要|想|要|"
    r"导航|开车|停车|到|去|在|往|下|找|搜|查|的|个|)+"
)
_AFTER = re.compile(
    r"(?:附近|旁边|旁|周边|周围|门口|那里|那边|那儿|这里|里面|对面|嗰度|怎么|哪里|哪儿|方便|停车场|"
    r"停车位|停车|车位|泊车|停哪|有没有|有位|有|吗|呢|吧|啊|呀|停|去|到|的|在|看病|办事|接人|坐车|逛街|"
    r"还书|打球|登记处|玩|一下|多少)+$"
)
_REGION = re.compile(r"^(?:广东省?)?(?:佛山市?)?(?:三水区|三水)?")
_FUZZY = (
    *(("zh", "z"), ("ch", "c"), ("sh", "s"), ("ang", "an"), ("eng", "en"), ("ing", "in")),
    *(("l", "n"), ("jv", "ju"), ("qv", "qu"), ("xv", "xu")),
)


class Sound(NamedTuple):
    """Written characters, each with its syllable; Latin letters are one piece of sound."""

    written: str
    syllables: tuple[str, ...]

    @property
    def pinyin(self) -> str:
        return "".join(self.syllables)

    @property
    def initials(self) -> str:
        return "".join(syllable[0] for syllable in self.syllables)

    @property
    def is_han(self) -> bool:
        return bool(_HAN.search(self.written))


def plain(words: str) -> str:
    """Simplified, half width, lower case, without punctuation."""
    told = unicodedata.normalize("NFKC", words[: MOST_LETTERS * 2]).casefold().strip()
    told = _to_simplified.convert(told).replace("'", "")
    return " ".join(_NOISE.sub(" ", told).split())


def without_fillers(words: str) -> str:
    """What is left of a sentence when the words around the name are taken away."""
    if not _HAN.search(words):
        return words
    told = words.replace(" ", "")
    shorter = _AFTER.sub("", _BEFORE.sub("", told))
    return shorter or told


def without_region(words: str) -> str:
    """三水区人民医院 is 人民医院 here; 三水 itself stays."""
    return _REGION.sub("", words) or words


@lru_cache(maxsize=8_192)
def sound_of(words: str) -> Sound:
    """Each Han character with its syllable without tone; letters between them stay together."""
    together = words.replace(" ", "")
    return Sound(together, tuple(lazy_pinyin(together, style=Style.NORMAL)))


def as_heard(pinyin: str) -> str:
    """Pinyin with the sounds made one that southern speakers and quick typists mix up."""
    for heard, as_this in _FUZZY:
        pinyin = pinyin.replace(heard, as_this)
    return pinyin
