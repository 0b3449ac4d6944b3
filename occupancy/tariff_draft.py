"""A tariff version in the making: its text read, and every remark beside the field it is about."""

import re
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum

import msgspec

from occupancy.calendar import Calendar
from occupancy.edit import is_unkeepable
from occupancy.price_words import yuan
from occupancy.stay import QuoteError
from occupancy.tariff import Tariff
from occupancy.tariff_check import Finding, Severity, check_versions
from occupancy.tariff_clock import written
from occupancy.tariff_entry import price_versions
from occupancy.tariff_lines import line_of
from occupancy.tariff_quote import fee
from occupancy.tariff_toml import TariffFile, TariffFileError, parse_tariff

LONGEST_TEXT = 100_000
_TOML_LINE = re.compile(r"\(at line (\d+), column (\d+)\)")
_MISSING = re.compile(r"Object missing required field `(\w+)`")
_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`")
_WRONG_KIND = re.compile(r"Expected `(.*)`, got `(\w+)`")
_WRONG_VALUE = re.compile(r"Invalid enum value (.*)")
_KINDS = {
    "int": "整数",
    "str": "文字",
    "bool": "true 或 false",
    "array": "列表",
    "object": "表",
    "float": "小数",
    "null": "空",
}


class DraftState(StrEnum):
    """How far a draft has come."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED = "approved"  # published; in force from its date on
    DISCARDED = "discarded"


class Draft(msgspec.Struct, frozen=True):
    """A version in the making. `edit` counts its changes: who saves must have seen the last.

    `authors` is everyone who wrote in it or handed it in; none of them may approve it.
    """

    draft_id: int
    tariff_id: str
    text: str
    state: DraftState
    edit: int
    authors: tuple[str, ...]
    changed_by: str
    changed_at_ms: int
    version: int | None = None  # once it is approved


class Remark(msgspec.Struct, frozen=True):
    """What is to be said of one field; `line` is its line in the text."""

    field: str
    line: int
    severity: Severity
    rule: str
    words: str


class Published(msgspec.Struct, frozen=True):
    """What there is of a tariff already: versions that hold or will, and the last number given."""

    tariff_id: str
    versions: tuple[Tariff, ...]
    last_version: int


class Examined(msgspec.Struct, frozen=True):
    """A text as it was understood; no tariff where it cannot be priced at all."""

    tariff: Tariff | None
    remarks: tuple[Remark, ...]

    @property
    def errors(self) -> tuple[Remark, ...]:
        return tuple(one for one in self.remarks if one.severity is Severity.ERROR)


class BadDraftError(Exception):
    """The draft may not be handed in or published; each remark says which field and why."""

    def __init__(self, remarks: Sequence[Remark]) -> None:
        self.remarks = tuple(remarks)
        super().__init__("\n".join(f"{one.field}: {one.words}" for one in remarks))


def examine(text: str, published: Published, calendar: Calendar, now_minute: int) -> Examined:
    """Everything to be said of a draft's text, were it to be published at `now_minute`."""
    try:
        file = parse_tariff(text, published.tariff_id)
    except TariffFileError as refused:
        return Examined(None, tuple(_remark(text, found) for found in refused.findings))
    findings = [
        *_fits(file.tariff, published, now_minute),
        *_beside(file.tariff, published),
        *_examples(file, calendar),
    ]
    return Examined(file.tariff, tuple(_remark(text, found) for found in findings))


def require_publishable(
    text: str, published: Published, calendar: Calendar, now_minute: int
) -> Tariff:
    """Raises BadDraftError with its errors."""
    examined = examine(text, published, calendar, now_minute)
    if examined.tariff is None or examined.errors:
        raise BadDraftError(examined.errors)
    return examined.tariff


def _fits(tariff: Tariff, published: Published, now_minute: int) -> Iterator[Finding]:
    if tariff.tariff_id != published.tariff_id:
        words = f"这是 {published.tariff_id} 的草稿，不能写成 {tariff.tariff_id}"
        yield Finding(Severity.ERROR, "other_tariff", "tariff_id", words)
    if tariff.version <= published.last_version:
        words = f"第 {tariff.version} 版已用过，请写 {published.last_version + 1}"
        yield Finding(Severity.ERROR, "version_used", "version", words)
    if tariff.valid_from <= now_minute:
        words = f"生效时间须晚于现在（{written(now_minute)}），已停放的车不能事后改价"
        yield Finding(Severity.ERROR, "not_in_future", "valid_from", words)

    if any(is_unkeepable(mark) for text in _texts(msgspec.to_builtins(tariff)) for mark in text):
        yield Finding(Severity.ERROR, "bad_text", "", "文字里有不可保存的控制字符，请删去")


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    inner = value.values() if isinstance(value, dict) else value
    if isinstance(inner, Iterable) and not isinstance(inner, str):
        for one in inner:
            yield from _texts(one)


def _beside(tariff: Tariff, published: Published) -> Iterator[Finding]:
    """How it follows the versions there are; a number used twice is told by `_fits`."""
    for version in published.versions:
        if version.valid_from == tariff.valid_from:
            words = f"第 {version.version} 版已从 {written(version.valid_from)} 起执行，请另定时间"
            yield Finding(Severity.ERROR, "start_taken", "valid_from", words)
    for found in check_versions([*published.versions, tariff]):
        if found.rule != "version_twice":
            yield found


def _examples(file: TariffFile, calendar: Calendar) -> Iterator[Finding]:
    """A worked example that comes out otherwise: either it or the rules are wrong."""
    priced = price_versions([file.tariff], calendar)
    for number, example in enumerate(file.examples):
        try:
            found = yuan(fee(priced, example.stay()))
        except QuoteError as refusal:
            found = f"没有价格：{refusal}"
        except (KeyError, TypeError, ValueError):
            # Its times and earlier stays are read only here (tariff_toml.Example).
            found = "不出价格：时间应为当地时间（不带时区），earlier 要有 arrive、leave、paid_fen"
        if found != yuan(example.fee_fen):
            words = f"算例写的是{yuan(example.fee_fen)}，按本收费标准得{found}"
            yield Finding(Severity.ERROR, "example_differs", f"example[{number}]", words)


def _remark(text: str, found: Finding) -> Remark:
    line, words = line_of(text, found.path), found.message
    if found.rule == "not_toml":
        line, words = _toml_words(text, words)
    elif found.rule == "bad_value":
        words = _value_words(words)
    return Remark(found.path, line, found.severity, found.rule, words)


def _toml_words(text: str, message: str) -> tuple[int, str]:
    at = _TOML_LINE.search(message)
    if at is None:  # the end of the document
        return len(text.splitlines()), f"写到末尾还不完整，请检查括号和引号：{message}"
    return int(at[1]), f"第 {at[1]} 行第 {at[2]} 个字符处不合写法，请检查括号、引号和等号"


def _value_words(message: str) -> str:
    """What msgspec says, for operators; what it does not know stays as it is."""
    if found := _MISSING.fullmatch(message):
        return f"缺少 {found[1]}，请填写"
    if found := _UNKNOWN.fullmatch(message):
        return f"没有 {found[1]} 这一项，请检查拼写或删去"
    if found := _WRONG_KIND.fullmatch(message):
        wanted = "或".join(_KINDS.get(kind, kind) for kind in found[1].split(" | "))
        return f"应为{wanted}，现为{_KINDS.get(found[2], found[2])}"
    if found := _WRONG_VALUE.fullmatch(message):
        return f"没有 {found[1]} 这个取值，可用的值见 docs/tariffs.md"
    return f"值不合要求：{message}"
