"""Facts of a car park as somebody wants them: what cannot be, field by field, and what differs."""

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from occupancy.edit import is_unkeepable
from occupancy.lot import Lot, MachineGroup, Place

Remarks = Mapping[str, str]
MOST_NAME, MOST_SHORT, MOST_ADDRESS = 40, 10, 100
MOST_GROUPS, MOST_LEVELS, MOST_BAYS = 100, 20, 500
MOST_AWAY_KM = 60.0  # from the nearest other car park: beyond lies no district
FAR_KM = 2.0  # entrances do not walk: a longer way is a typing error until somebody says not
# What a person may confirm or put in doubt again.
CONFIRMABLE = (
    "name",
    "address",
    "entrance",
    "hotline",
    "capacity",
    "groups",
    "limits",
    "thresholds",
    "tariff_id",
    "opening_hours",
)
_LOT_ID = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_HOTLINE = re.compile(r"\+?[0-9][0-9 ()-]{2,19}")
_GROUP_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,15}")  # an area as its own system calls it
_CHINA_LATITUDES, _CHINA_LONGITUDES = (3.8, 53.6), (73.4, 135.1)
_KM_A_DEGREE = 111.2
_LIMITS = {
    "length_metres": (3.0, 8.0),
    "width_metres": (1.4, 3.5),
    "height_metres": (1.3, 4.5),
    "weight_tonnes": (0.5, 10.0),
}
_SPACES = ("almost_full_free", "full_free", "hysteresis_free")
_PERCENTS = ("almost_full_percent", "full_percent", "hysteresis_percent")


class BadFactsError(Exception):
    """Some fields are not as they must be; the words stand beside each and name the way out."""

    def __init__(self, remarks: Remarks) -> None:
        self.remarks = dict(remarks)
        super().__init__("; ".join(f"{name}: {words}" for name, words in self.remarks.items()))


def remarks_on(wanted: Lot, before: Lot, *, may_move_far: bool) -> Remarks:
    """What is wrong with each field; nothing if it can be kept."""
    found = _remarks_on_facts(wanted)
    return found | _entrance(wanted.entrance, before.entrance, may_move_far=may_move_far)


def remarks_on_new(wanted: Lot, others: Iterable[Lot]) -> Remarks:
    """The same of a car park that is to join: it lies near the others, or its datum is wrong."""
    found = _remarks_on_facts(wanted) | _outside_china(wanted.entrance)
    if not _LOT_ID.fullmatch(wanted.lot_id):
        found["lot_id"] = "编号要以小写字母开头，只用小写字母、数字、横线和下划线，最多 32 个"
    away = [(distance_km(wanted.entrance, one.entrance), one) for one in others]
    nearest_km, nearest = min(away, key=lambda one: one[0], default=(0.0, None))
    if nearest and nearest_km > MOST_AWAY_KM and not {"latitude", "longitude"} & set(found):
        words = "请核对经纬度和坐标系"
        found["latitude"] = f"离最近的{nearest.short_name} {nearest_km:.0f} 公里，不在本区：{words}"
    return found


def _remarks_on_facts(wanted: Lot) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in (_texts, _limits, _groups, _thresholds):
        found |= part(wanted)
    return found


def differences(before: Lot, after: Lot) -> dict[str, tuple[Any, Any]]:
    """The fields that are not alike, as the audit keeps them."""
    old, new = msgspec.to_builtins(before), msgspec.to_builtins(after)
    return {name: (old[name], new[name]) for name in new if old[name] != new[name]}


def distance_km(one: Place, other: Place) -> float:
    """By the flat earth: good enough to find a typing error."""
    north = (one.latitude - other.latitude) * _KM_A_DEGREE
    east = (one.longitude - other.longitude) * _KM_A_DEGREE
    return math.hypot(north, east * math.cos(math.radians(one.latitude)))


def _texts(lot: Lot) -> dict[str, str]:
    found = {}
    for name, most in (("name", MOST_NAME), ("short_name", MOST_SHORT), ("address", MOST_ADDRESS)):
        text = getattr(lot, name)
        if not text:
            found[name] = "不能为空"
        elif len(text) > most:
            found[name] = f"最多 {most} 个字，现有 {len(text)} 个，请缩短"
        elif any(is_unkeepable(mark) for mark in text):
            found[name] = "含有不可保存的控制字符，请删去后重新输入"
    if not _HOTLINE.fullmatch(lot.hotline):
        found["hotline"] = "电话只能是数字、空格、括号和横线，例如 0757-00000000"
    return found


def _limits(lot: Lot) -> dict[str, str]:
    found = {}
    for name, (least, most) in _LIMITS.items():
        if not least <= getattr(lot.limits, name) <= most:
            found[name] = f"要在 {least:g} 到 {most:g} 之间"
    return found


def _groups(lot: Lot) -> dict[str, str]:
    """The capacity is what the steel frames of the machines hold, not more and not less."""
    if words := _find_group_flaw(lot.groups):
        return {"groups": words}
    if lot.capacity > lot.frame:
        return {"capacity": f"超过机组钢架：各机组一共只有 {lot.frame} 个车位，请改小或先改机组"}
    if lot.capacity < lot.frame:
        words = "少开放的车位请用“预留”或“停用”，机组改造请同时改下面的机组"
        return {"capacity": f"少于各机组的 {lot.frame} 个车位，数据会被判为存疑：{words}"}
    return {}


def _find_group_flaw(groups: tuple[MachineGroup, ...]) -> str:
    ids = [group.group_id for group in groups]
    if not 1 <= len(groups) <= MOST_GROUPS:
        return f"要有 1 到 {MOST_GROUPS} 个机组"
    if wrong := [one for one in ids if not _GROUP_ID.fullmatch(one)]:
        return f"机组编号“{wrong[0][:20]}”只能用字母、数字、横线和下划线，最多 16 个"
    if twice := [one for one in ids if ids.count(one) > 1]:
        return f"机组 {twice[0]} 写了多次"
    for group in groups:
        if not 1 <= len(group.bays_by_level) <= MOST_LEVELS:
            return f"机组 {group.group_id} 要有 1 到 {MOST_LEVELS} 层"
        if not all(0 <= bays <= MOST_BAYS for bays in group.bays_by_level):
            return f"机组 {group.group_id} 每层 0 到 {MOST_BAYS} 个车位"
    return ""


def _thresholds(lot: Lot) -> dict[str, str]:
    told, found = lot.thresholds, dict[str, str]()
    for name in _SPACES:
        if not 0 <= getattr(told, name) <= lot.capacity:
            found[name] = f"要在 0 到 {lot.capacity} 之间"
    for name in _PERCENTS:
        if not 0 <= getattr(told, name) <= 100:  # noqa: PLR2004  # percent
            found[name] = "要在 0 到 100 之间"
    if found:
        return found
    tight = lot.tight
    if tight.full_free > tight.almost_full_free:
        words = f"已满（余 {tight.full_free} 位）不能比较满（余 {tight.almost_full_free} 位）还早"
        found["full_free"] = words
    elif tight.almost_full_free + tight.hysteresis_free >= lot.capacity:
        found["hysteresis_free"] = "较满加回差已到全部车位，空着也会显示较满：请改小"
    return found


def _entrance(wanted: Place, before: Place, *, may_move_far: bool) -> dict[str, str]:
    found = _outside_china(wanted)
    moved_km = distance_km(wanted, before)
    if not found and moved_km > FAR_KM and not may_move_far:
        words = "请核对，确实移了这么远就勾选下面的确认"
        found["latitude"] = f"离原来的入口 {moved_km:.1f} 公里：{words}"
    return found


def _outside_china(wanted: Place) -> dict[str, str]:
    found = {}
    if not _CHINA_LATITUDES[0] <= wanted.latitude <= _CHINA_LATITUDES[1]:
        found["latitude"] = "纬度不在中国境内：三水约 23.15，是否与经度填反了"
    if not _CHINA_LONGITUDES[0] <= wanted.longitude <= _CHINA_LONGITUDES[1]:
        found["longitude"] = "经度不在中国境内：三水约 112.9，是否与纬度填反了"
    return found
