"""What is wrong with a tariff, and what its author should know: each finding names its rule.

A tariff with an error is never quoted. Warnings are for the approver and name exact moments.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from itertools import pairwise

import msgspec

from occupancy.calendar import LAST_DAY, DayType
from occupancy.tariff import (
    LONGEST_STAY_MINUTES,
    Band,
    FreeAgain,
    FreeMode,
    Rate,
    RepeatMode,
    Rounding,
    Tariff,
)
from occupancy.tariff_clock import DAY_MINUTES, clock_words, cut_at_midnight, written

_PERCENT = range(101)
_FEN = range(10_000_001)  # 100,000 yuan: above it somebody wrote yuan for fen, twice
_UNITS = range(1, 100_001)
_VERSIONS = range(1, 1_000_001)
_DAYS = range(LAST_DAY + 1)
_STARTS, _ENDS = range(DAY_MINUTES), range(DAY_MINUTES + 1)
_BAND_NAME_MARKS = frozenset("，。；：、（）“”〔〕\n")


class Severity(StrEnum):
    """Whether the tariff may be used."""

    ERROR = "error"
    WARNING = "warning"


class Finding(msgspec.Struct, frozen=True):
    """One rule that is broken, where, and the way out, in the operator's words."""

    severity: Severity
    rule: str
    path: str
    message: str


class BadTariffError(Exception):
    """The tariff breaks rules; it is not used, and each finding says which and where."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("\n".join(f"{f.path}: [{f.rule}] {f.message}" for f in findings))


def errors_of(tariff: Tariff) -> list[Finding]:
    """Every reason why this tariff must not be quoted; empty if it may."""
    return [Finding(Severity.ERROR, rule, path, message) for rule, path, message in _broken(tariff)]


def require_sound(tariff: Tariff) -> None:
    """Raise BadTariffError unless the tariff may be quoted."""
    if found := errors_of(tariff):
        raise BadTariffError(found)


_Broken = tuple[str, str, str]


def _broken(tariff: Tariff) -> Iterator[_Broken]:
    yield from _broken_board(tariff)
    yield from _broken_times(tariff)
    yield from _broken_discounts(tariff)
    yield from _broken_waivers(tariff)
    if not tariff.rates:
        yield "no_rate", "rates", "没有任何车型的价格，请至少写一个 [[rates]]"
    vehicles = Counter(vehicle for rate in tariff.rates for vehicle in rate.vehicles)
    for vehicle, count in vehicles.items():
        if count > 1:
            yield "vehicle_twice", "rates", f"车型 {vehicle} 有 {count} 个价格，只能有一个"
    for number, rate in enumerate(tariff.rates):
        yield from _broken_rate(tariff, rate, f"rates[{number}]")


def _broken_board(tariff: Tariff) -> Iterator[_Broken]:
    for field in ("tariff_id", "name", "service", "complaints"):
        if not getattr(tariff, field).strip():
            yield "board_incomplete", field, f"价目牌缺少 {field}，请填写"
    if tariff.version not in _VERSIONS:
        yield "bad_version", "version", "版本号从 1 开始"


def _broken_times(tariff: Tariff) -> Iterator[_Broken]:
    for field in ("valid_from", "valid_to"):
        moment = getattr(tariff, field)
        if moment is not None and moment // DAY_MINUTES not in _DAYS:
            yield "out_of_time", field, "时间须在 1970 年到 2199 年之间"
    if tariff.valid_to is not None and tariff.valid_to <= tariff.valid_from:
        yield "ends_before_it_begins", "valid_to", "失效时间必须晚于生效时间"
    if not 0 < tariff.max_stay_minutes <= LONGEST_STAY_MINUTES:
        longest = LONGEST_STAY_MINUTES // DAY_MINUTES
        yield "bad_max_stay", "max_stay_minutes", f"最长停放时间在 1 分钟到 {longest} 天之间"
    if tariff.grace_minutes < 0:
        yield "bad_grace", "grace_minutes", "宽限分钟不能为负"
    if tariff.grace_minutes and tariff.rounding is Rounding.DOWN:
        yield "bad_grace", "grace_minutes", "不足一个单位不计费时没有宽限分钟，请删去其一"


def _broken_discounts(tariff: Tariff) -> Iterator[_Broken]:
    rule = tariff.new_energy
    if rule and rule.percent not in _PERCENT:
        yield "bad_percent", "new_energy", "percent 是应付的百分比（0 到 100）"
    if rule and not 0 <= rule.free_minutes < tariff.max_stay_minutes:
        yield "bad_free_minutes", "new_energy", "免费分钟不能为负，且须小于最长停放时间"
    kinds = Counter(exemption.kind for exemption in tariff.exemptions)
    for number, exemption in enumerate(tariff.exemptions):
        path = f"exemptions[{number}]"
        if exemption.percent not in _PERCENT:
            yield "bad_percent", path, "percent 是应付的百分比（0 到 100）"
        if kinds[exemption.kind] > 1:
            yield "exemption_twice", path, f"减免对象 {exemption.kind} 写了多次"


def _broken_waivers(tariff: Tariff) -> Iterator[_Broken]:
    for number, waiver in enumerate(tariff.waivers):
        path = f"waivers[{number}]"
        if waiver.first_day not in _DAYS or waiver.last_day not in _DAYS:
            yield "out_of_time", path, f"“{waiver.name}”的日期须在 1970 年到 2199 年之间"
        if waiver.last_day < waiver.first_day:
            yield "waiver_backwards", path, f"“{waiver.name}”的结束日期早于开始日期"
        if not 0 <= waiver.start_minute < waiver.end_minute <= DAY_MINUTES:
            yield "bad_waiver_hours", path, f"“{waiver.name}”的时段须在 00:00 到 24:00 之间"


def _broken_rate(tariff: Tariff, rate: Rate, path: str) -> Iterator[_Broken]:
    if not rate.vehicles:
        yield "no_vehicle", path, "没有写车型"
    yield from _broken_bands(tariff, rate, path)
    yield from _broken_plans(rate, path)
    yield from _broken_free(tariff, rate, path)
    if rate.cap and not (rate.cap.amounts_fen and all(f in _FEN for f in rate.cap.amounts_fen)):
        yield "bad_cap", f"{path}.cap", "封顶金额至少写一个，单位为分，不能为负，至多十万元"
    if rate.cap is None and tariff.repeat and tariff.repeat.mode is RepeatMode.SHARED_CAP:
        yield "no_cap_to_share", f"{path}.cap", "多次进出共用封顶，但没有写封顶金额"


def _broken_bands(tariff: Tariff, rate: Rate, path: str) -> Iterator[_Broken]:
    names = Counter(band.name for band in rate.bands)
    used = {period.band for plan in rate.day_plans for period in plan.periods}
    for number, band in enumerate(rate.bands):
        at = f"{path}.bands[{number}]"
        if names[band.name] > 1:
            yield "band_twice", at, f"时段“{band.name}”写了多次"
        if not band.name or _BAND_NAME_MARKS & set(band.name):
            yield "bad_band_name", at, f"时段名“{band.name}”为空或含标点"
        if band.name not in used:
            yield "band_unused", at, f"时段“{band.name}”没有用在任何一天，请删去或写进 periods"
        if band.cap_fen is not None and band.cap_fen not in _FEN:
            yield "bad_cap", at, f"时段“{band.name}”的封顶金额不能为负，至多十万元"
        yield from _broken_tiers(tariff, band, at)


def _broken_tiers(tariff: Tariff, band: Band, path: str) -> Iterator[_Broken]:
    for number, tier in enumerate(band.tiers):
        at = f"{path}.tiers[{number}]"
        is_last = number == len(band.tiers) - 1
        if not 1 <= tier.unit_minutes <= DAY_MINUTES:
            yield "bad_unit", at, "计费单位在 1 到 1440 分钟之间"
        elif tariff.grace_minutes >= tier.unit_minutes:
            yield "bad_grace", at, f"宽限分钟须小于计费单位 {tier.unit_minutes} 分钟"
        if tier.price_fen < 0:
            yield "negative_price", at, "单价不能为负：停得更久不能更便宜"
        elif tier.price_fen not in _FEN:
            yield "price_too_high", at, "单价以分为单位，至多十万元"
        if is_last and tier.units is not None:
            yield "tiers_end", at, "最后一档不能写 units：更久的停放将没有价格"
        if not is_last and (tier.units is None or tier.units not in _UNITS):
            yield (
                "tier_unreachable",
                at,
                "除最后一档外都要写 units（1 到 100000）",
            )


def _broken_plans(rate: Rate, path: str) -> Iterator[_Broken]:
    day_types = Counter(day_type for plan in rate.day_plans for day_type in plan.day_types)
    for day_type in DayType:
        if day_types[day_type] == 0:
            yield "day_gap", f"{path}.day_plans", f"{day_type} 没有价格：每类日期都要有"
        elif day_types[day_type] > 1:
            yield "day_overlap", f"{path}.day_plans", f"{day_type} 有多个价格"
    names = {band.name for band in rate.bands}
    for number, plan in enumerate(rate.day_plans):
        at = f"{path}.day_plans[{number}]"
        for period in plan.periods:
            if period.band not in names:
                yield "unknown_band", at, f"没有名为“{period.band}”的时段价格"
            if not (
                0 <= period.start_minute < DAY_MINUTES and 0 <= period.end_minute <= DAY_MINUTES
            ):
                yield "bad_hours", at, "时段须在 00:00 到 24:00 之间"
        cut = [
            span
            for period in plan.periods
            for span in cut_at_midnight(period.start_minute, period.end_minute)
        ]
        for rule, message in _gaps(sorted(cut)):
            yield rule, at, message


def _gaps(spans: Sequence[tuple[int, int]]) -> Iterator[tuple[str, str]]:
    covered = 0
    for start, end in (*spans, (DAY_MINUTES, DAY_MINUTES)):
        if covered < start:
            yield "gap", f"{clock_words(covered)} 到 {clock_words(start)} 没有价格"
        elif covered > start:
            until = clock_words(min(covered, end))
            yield "overlap", f"{clock_words(start)} 到 {until} 有两个价格"
        covered = max(covered, end)


def _broken_free(tariff: Tariff, rate: Rate, path: str) -> Iterator[_Broken]:
    free, at = rate.free, f"{path}.free"
    if not 0 <= free.minutes < tariff.max_stay_minutes:
        yield "bad_free_minutes", at, "免费分钟不能为负，且须小于最长停放时间"
    if free.mode is FreeMode.THRESHOLD and free.again is FreeAgain.DAY:
        yield "threshold_daily", at, "每日重新计的免费时长只能是 deductible（只扣除免费时长）"
    first_units = [band.tiers[0].unit_minutes for band in rate.bands if band.tiers]
    if free.mode is FreeMode.THRESHOLD and not free.jump_is_meant:
        for unit in sorted({unit for unit in first_units if unit < free.minutes}):
            message = (
                f"免费 {free.minutes} 分钟（超过则全程计费）长于首个计费单位 {unit} 分钟："
                f"价目牌上停 {unit} 分钟的价格收不到，停 {free.minutes} 分钟反比它便宜，"
                f"第 {free.minutes + 1} 分钟一次补收。请缩短免费时长、加长首个单位、"
                "改用 deductible，或写 jump_is_meant = true 表示有意如此"
            )
            yield "threshold_above_first_unit", at, message


def check_versions(tariffs: Iterable[Tariff]) -> list[Finding]:
    """Gaps and doubles between the versions of one tariff."""
    ordered = sorted(tariffs, key=lambda tariff: (tariff.valid_from, tariff.version))
    return [finding for old, new in pairwise(ordered) for finding in _between(old, new)]


def _between(old: Tariff, new: Tariff) -> Iterator[Finding]:
    pair = f"第 {old.version} 版与第 {new.version} 版"
    if new.version == old.version or new.valid_from == old.valid_from:
        yield Finding(Severity.ERROR, "version_twice", "version", f"{pair}重复")
    if old.valid_to is not None and old.valid_to < new.valid_from:
        span = f"{written(old.valid_to)} 到 {written(new.valid_from)}"
        yield Finding(Severity.ERROR, "version_gap", "valid_to", f"{pair}之间 {span} 没有价格")
    if old.valid_to is not None and old.valid_to > new.valid_from:
        since = written(new.valid_from)
        yield Finding(
            Severity.WARNING, "version_overlap", "valid_to", f"{pair}重叠：{since} 起用新版"
        )
