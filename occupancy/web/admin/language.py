"""Chinese as it stands in the pages, or English from the table beside them."""

import re
import tomllib
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from html import escape, unescape
from importlib.resources import files
from typing import NamedTuple

Say = Callable[..., str]
CHINESE, ENGLISH = "zh-CN", "en"
COOKIE = "zhibo-language"
TABLES = {CHINESE: "chinese.toml", ENGLISH: "english.toml"}
_REMEMBERED = 8_192
_HAN = re.compile(r"[㐀-鿿]")
_NUMBER = r"([-+]?[0-9][0-9.,:]*)"  # what a hole named n takes
_HOLE = re.compile(r"\{(\w+)\}")
_BETWEEN = re.compile(r"(\s+|[；，、（）：·/*「」“”])")
_APART = " · "
_MARKS = {"；": "; ", "，": ", ", "、": ", ", "（": " (", "）": ")", "：": ": "}
# What a person has typed or will send back stays as it is.
_UNTOUCHED = r"<(textarea|pre|code|script)\b.*?</\1>"
_SPOKEN = re.compile(
    _UNTOUCHED + r'|(>)([^<>]*)(?=<)|(\s(?:aria-label|placeholder|title)=")([^"]*)(?=")',
    re.DOTALL,
)


class Pattern(NamedTuple):
    """A sentence with holes: `anchor` is its longest piece, `told` the sentence to tell."""

    anchor: str
    shape: re.Pattern[str]
    names: tuple[str, ...]
    told: str


def read_table(language: str) -> Mapping[str, str]:
    text = (files("occupancy.web.admin") / TABLES[language]).read_text(encoding="utf-8")
    return tomllib.loads(text)


def chosen(asked: str, kept: str) -> str:
    """The language asked for, the one chosen before, or Chinese."""
    return next((one for one in (asked, kept) if one in (CHINESE, ENGLISH)), CHINESE)


def speaker(language: str) -> Say:
    """`say('余 {free}', free=3)` in this language; what the tables lack stays as it is."""

    def say(words: str, **values: object) -> str:
        if not values:
            return told(words, language)
        sentence = _table(language).get(words, words)
        return sentence.format(**values)

    return say


def speak(page: str, language: str) -> str:
    """A page whose every text is told in this language: also what other rooms have composed."""
    if language == CHINESE:
        return page
    return _SPOKEN.sub(_spoken, page)


def _spoken(found: re.Match[str]) -> str:
    if found[1]:
        return found[0]
    lead, text = found[2] or found[4], found[3] or found[5] or ""
    if not _HAN.search(text):
        return found[0]
    plain = unescape(text)
    words = plain.strip()
    before, _, after = plain.partition(words)
    return lead + before + escape(told(words, ENGLISH)) + after


@lru_cache(maxsize=_REMEMBERED)
def told(words: str, language: str) -> str:
    """A sentence, whole, or by its pattern, or piece by piece between its marks."""
    known = _table(language).get(words)
    if known is not None:
        return known
    for pattern in _patterns(language):
        if pattern.anchor in words and (found := pattern.shape.fullmatch(words)):
            values = {
                name: told(value, language)
                for name, value in zip(pattern.names, found.groups(), strict=True)
            }
            return _HOLE.sub(lambda hole: values[hole[1]], pattern.told)  # noqa: B023  # called at once
    return words if language == CHINESE else _told_in_pieces(words)


def _told_in_pieces(words: str) -> str:
    """Where no piece is known it is somebody's own words: they stay, marks and all."""
    if _APART in words:
        return _APART.join(told(piece, ENGLISH) for piece in words.split(_APART))
    pieces = _BETWEEN.split(words)
    spoken = [told(piece, ENGLISH) if len(pieces) > 1 else piece for piece in pieces[::2]]
    if spoken == pieces[::2]:
        return words
    marks = [_MARKS.get(mark, mark) for mark in pieces[1::2]]
    return "".join(part for pair in zip(spoken, [*marks, ""], strict=True) for part in pair)


@cache
def _table(language: str) -> Mapping[str, str]:
    return read_table(language)


@cache
def _patterns(language: str) -> tuple[Pattern, ...]:
    """Those with more words of their own first: they mean something more certain."""
    table = _table(language)
    made = [_pattern(words, told_) for words, told_ in table.items() if _HOLE.search(words)]
    return tuple(sorted(made, key=lambda one: -len(_HOLE.sub("", one.shape.pattern))))


def _pattern(words: str, told_: str) -> Pattern:
    pieces = _HOLE.split(words)  # text, name, text, name, text
    texts, names = pieces[::2], pieces[1::2]
    shape = re.escape(texts[0])
    for name, text in zip(names, texts[1:], strict=True):
        shape += (_NUMBER if name.startswith("n") and len(name) == 1 else "(.*?)") + re.escape(text)
    return Pattern(max(texts, key=len), re.compile(shape, re.DOTALL), tuple(names), told_)
