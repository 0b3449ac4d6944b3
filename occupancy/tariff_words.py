"""The parts of a tariff in the operators' words: names of fields, and what their values mean."""

from collections.abc import Mapping
from enum import StrEnum

from occupancy.calendar import DayType, date_of
from occupancy.price_words import DAY_TYPES, VEHICLES, Language, span, yuan
from occupancy.tariff import (
    CapWindow,
    Crossing,
    Edge,
    FreeAgain,
    FreeMode,
    RepeatMode,
    Restart,
    Rounding,
    Seconds,
    VehicleClass,
)
from occupancy.tariff_clock import clock_words, written

FIELDS: Mapping[str, str] = {
    "tariff_id": "编号",
    "version": "版本",
    "name": "名称",
    "name_en": "英文名称",
    "service": "服务内容",
    "complaints": "投诉电话",
    "valid_from": "生效时间",
    "valid_to": "失效时间",
    "rates": "价格",
    "edge": "跨时段",
    "rounding": "不足一个单位",
    "grace_minutes": "宽限时长",
    "restart": "首段重新起算",
    "repeat": "多次进出",
    "mechanical": "机械式停车库",
    "new_energy": "新能源汽车",
    "exemptions": "减免对象",
    "waivers": "免费时段",
    "max_stay_minutes": "最长停放",
    "seconds": "不满一分钟",
    "crossing": "停放期间调价",
    "source": "依据",
    "placeholders": "待核实项",
    "vehicles": "车型",
    "bands": "时段价格",
    "day_plans": "时段安排",
    "free": "免费时限",
    "cap": "封顶",
    "tiers": "分档",
    "cap_fen": "连续停放封顶",
    "unit_minutes": "计费单位",
    "price_fen": "单价",
    "units": "单位数",
    "day_types": "日期类型",
    "periods": "时段",
    "start_minute": "开始",
    "end_minute": "结束",
    "band": "执行价格",
    "minutes": "时长",
    "mode": "方式",
    "inclusive": "含界限",
    "again": "重新给予",
    "jump_is_meant": "有意跳价",
    "window": "周期",
    "amounts_fen": "金额",
    "free_again": "再次进场仍有免费时限",
    "free_minutes": "免费时长",
    "percent": "应付比例",
    "in_mechanical": "机械库也适用",
    "kind": "类别",
    "first_day": "首日",
    "last_day": "末日",
}

_WORDS: Mapping[type[StrEnum], Mapping[str, str]] = {
    FreeMode: {
        FreeMode.THRESHOLD: "超过后全程计费",
        FreeMode.DEDUCTIBLE: "只计超过部分",
    },
    FreeAgain: {FreeAgain.STAY: "每次停放", FreeAgain.DAY: "每日"},
    Edge: {
        Edge.SPLIT: "分段计费",
        Edge.UNIT: "按单位开始时的时段",
        Edge.ENTRY: "按进场时的时段",
    },
    Rounding: {Rounding.UP: "按一个单位计", Rounding.DOWN: "不计费"},
    Restart: {
        Restart.RUN: "每次进入时段",
        Restart.STAY: "一次停放只计一次",
        Restart.WINDOW: "每个时段和封顶周期",
    },
    CapWindow: {CapWindow.CALENDAR_DAY: "每个自然日", CapWindow.ROLLING_24H: "每24小时"},
    RepeatMode: {RepeatMode.ONCE: "24小时内只收一次", RepeatMode.SHARED_CAP: "24小时内合并封顶"},
    Seconds: {Seconds.FULL: "不计", Seconds.BEGUN: "按一分钟计"},
    Crossing: {Crossing.BY_ENTRY: "按进场时的标准", Crossing.SPLIT: "分段按各自标准"},
    VehicleClass: {key: words[Language.CHINESE] for key, words in VEHICLES.items()},
    DayType: {key: words[Language.CHINESE] for key, words in DAY_TYPES.items()},
}
_MOMENTS = frozenset({"valid_from", "valid_to"})
_DAYS = frozenset({"first_day", "last_day"})


def value_words(field: str, value: object) -> str:
    """A leaf of the model in words, by its field's unit."""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, StrEnum):
        return _WORDS[type(value)][value]
    if isinstance(value, tuple):
        return "、".join(value_words(field, one) for one in value) or "无"
    if isinstance(value, int):
        return _number_words(field, value)
    return str(value)


def _number_words(field: str, value: int) -> str:
    if field in _MOMENTS:
        return written(value)
    if field in _DAYS:
        return date_of(value).isoformat()
    if field.endswith("_fen"):
        return yuan(value)
    if field.endswith("minutes"):
        return span(value)
    if field.endswith("_minute"):
        return clock_words(value)
    return f"{value}%" if field == "percent" else str(value)
