"""Money, durations and moments in Chinese and English, and the sentences of price board and quote.

Each entry is (Chinese, English). Operators and drivers read them; code only fills the braces.
"""

from enum import IntEnum

from occupancy.calendar import DayType
from occupancy.tariff import VehicleClass
from occupancy.tariff_clock import DAY_MINUTES, clock_words

_FEN, _HOUR = 100, 60

Two = tuple[str, str]


class Language(IntEnum):
    """Which half of an entry."""

    CHINESE = 0
    ENGLISH = 1


VEHICLES: dict[VehicleClass, Two] = {
    VehicleClass.MOTORCYCLE: ("摩托车", "motorcycles"),
    VehicleClass.CAR: ("小车", "cars"),
    VehicleClass.LARGE: ("大车", "large vehicles"),
}
DAY_TYPES: dict[DayType, Two] = {
    DayType.WORKDAY: ("工作日", "workdays"),
    DayType.WEEKEND: ("周末", "weekends"),
    DayType.PUBLIC_HOLIDAY: ("法定节假日", "public holidays"),
    DayType.MAKEUP_WORKDAY: ("调休上班日", "make-up workdays"),
}

BOARD: dict[str, Two] = {
    "service": ("服务内容", "Service"),
    "price": ("收费标准", "Prices"),
    "method": ("计费方法", "How it is counted"),
    "free": ("免费停车时限", "Free period"),
    "complaints": ("投诉电话", "Complaints"),
    "every_day": ("每日", "every day"),
    "all_day": ("全天", "all day"),
    "tomorrow": ("次日", "next day "),
    "between_names": ("、", ", "),
    "between_parts": ("，", ", "),
    "between_sentences": ("；", "; "),
    "of_vehicles": ("{vehicles}：", "{vehicles}: "),
    "band": ("{name}：{price}", "{name}: {price}"),
    "band_free": ("免费", "free"),
    "band_cap": ("连续停放最高{money}", "at most {money} a run"),
    "tier_first_one": ("首{span}{money}", "first {span} {money}"),
    "tier_first_many": ("首{span}内每{unit}{money}", "in the first {span} {money} per {unit}"),
    "tier_next_one": ("之后{span}{money}", "next {span} {money}"),
    "tier_next_many": ("之后{span}内每{unit}{money}", "in the next {span} {money} per {unit}"),
    "tier_only": ("每{unit}{money}", "{money} per {unit}"),
    "tier_last": ("之后每{unit}{money}", "then {money} per {unit}"),
    "plan": ("时段（{days}）：{periods}", "hours ({days}): {periods}"),
    "period": ("{start}—{end} {band}", "{start}-{end} {band}"),
    "period_all_day": ("全天 {band}", "all day {band}"),
    "cap_day": ("封顶：每个自然日最高{money}", "cap: {money} a calendar day"),
    "cap_24h": ("封顶：每24小时最高{money}", "cap: {money} per 24 hours"),
    "cap_days": ("封顶（按自然日）：{amounts}", "caps (calendar days): {amounts}"),
    "cap_24hs": ("封顶（按24小时）：{amounts}", "caps (per 24 hours): {amounts}"),
    "cap_nth": ("第{number}个最高{money}", "no. {number} {money}"),
    "cap_rest": ("第{number}个起最高{money}", "from no. {number} on {money}"),
    "free_none": ("无", "none"),
    "free_inclusive": (
        "{span}以内（含{span}）免费，超过的全程计费",
        "free up to and including {span}; a longer stay is charged in full",
    ),
    "free_exclusive": (
        "{span}以内（不含{span}）免费，达到或超过的全程计费",
        "free below {span}; from {span} on the stay is charged in full",
    ),
    "free_deductible": (
        "每次前{span}免费，超过部分计费",
        "the first {span} of a stay are free; only the time beyond is charged",
    ),
    "free_daily": (
        "每日前{span}免费，超过部分计费",
        "the first {span} of each day are free; only the time beyond is charged",
    ),
    "edge_split": (
        "跨时段的分段计费，到分界处重新起算计费单位",
        "where one band meets the next, the unit ends and a new one begins",
    ),
    "edge_unit": (
        "跨时段的计费单位按其开始时所在时段计价",
        "a unit keeps the price of the band it began in",
    ),
    "edge_entry": (
        "跨时段的全程按进场时所在时段计价",
        "the band at entry holds for the whole stay",
    ),
    "rounding_up": ("不足一个计费单位的按一个单位计", "a begun unit counts"),
    "rounding_grace": (
        "不足一个计费单位的，超过{span}按一个单位计，否则不计",
        "a begun unit counts once it has lasted longer than {span}",
    ),
    "rounding_down": ("不足一个计费单位的不计费", "only a full unit counts"),
    "restart_run": ("每次进入时段重新起算首段价格", "first prices begin anew with each band"),
    "restart_stay": ("首段价格一次停放只计一次", "first prices hold once a stay"),
    "restart_window": (
        "每个时段、每个封顶周期重新起算首段价格和计费单位",
        "first prices and units begin anew with each band and each cap period",
    ),
    "seconds_full": ("不满1分钟的不计时", "only full minutes count"),
    "seconds_begun": ("不满1分钟的按1分钟计时", "a begun minute counts"),
    "repeat_once": (
        "首次进场起24小时内多次进出只收一次费",
        "several entries within 24 hours of the first are charged once",
    ),
    "repeat_shared_cap": (
        "首次进场起24小时内多次进出合并封顶",
        "several entries within 24 hours of the first share one cap",
    ),
    "free_again": ("每次进场都有免费时长", "every entry has its free period"),
    "free_not_again": (
        "其间再次进场不再有免费时长",
        "further entries in that time have no free period",
    ),
    "mechanical": ("本停车场为机械式停车库", "this is a mechanical garage"),
    "new_energy": ("新能源汽车{rule}", "new-energy vehicles {rule}"),
    "new_energy_day": ("每日免首{span}", "first {span} of each day free"),
    "new_energy_stay": ("每次免首{span}", "first {span} of a stay free"),
    "pays_percent": ("按{percent}%收费", "pay {percent} %"),
    "pays_nothing": ("免费", "free"),
    "in_mechanical": ("机械式停车库同样适用", "also in mechanical garages"),
    "not_in_mechanical": ("机械式停车库不适用", "not in mechanical garages"),
    "exemption": ("{name}（{kind}）{rule}", "{name} ({kind}) {rule}"),
    "waiver": (
        "{name}：{first}至{last}每日{start}—{end}免费",
        "{name}: free from {first} to {last}, {start}-{end} each day",
    ),
    "max_stay": ("单次停放最长{span}", "a stay lasts at most {span}"),
    "crossing_by_entry": (
        "停放期间调价的，按进场时的标准计费",
        "if prices change during a stay, those at entry hold",
    ),
    "crossing_split": (
        "停放期间调价的，分段按各自标准计费",
        "if prices change during a stay, each part is charged at its own",
    ),
    "valid_from": ("{start}起执行", "in force from {start}"),
    "valid_to": ("{start}起执行，至{end}止", "in force from {start} until {end}"),
}


def yuan(fen: int, language: Language = Language.CHINESE) -> str:
    """5元, 2.5元, -0.01元; ¥5 in English."""
    whole, rest = divmod(abs(fen), _FEN)
    sign = "-" if fen < 0 else ""
    number = f"{sign}{whole}" + (f".{rest:02}".rstrip("0") if rest else "")
    return f"{number}元" if language is Language.CHINESE else f"{number} yuan"


def span(minutes: int, language: Language = Language.CHINESE) -> str:
    """30分钟, 2小时, 3天 (from two days on)."""
    if minutes % DAY_MINUTES == 0 and minutes > DAY_MINUTES:
        return f"{minutes // DAY_MINUTES}{('天', ' days')[language]}"
    if minutes % _HOUR == 0 and minutes:
        return f"{minutes // _HOUR}{('小时', ' h')[language]}"
    return f"{minutes}{('分钟', ' min')[language]}"


def one_unit(minutes: int, language: Language = Language.CHINESE) -> str:
    """小时 rather than 1小时, where "each" stands before it."""
    words = span(minutes, language)
    return words.removeprefix("1").strip() if minutes == _HOUR else words


def until_clock(start_minute: int, end_minute: int, language: Language) -> str:
    """The end of a period; tomorrow's if it does not lie after the start."""
    tomorrow = BOARD["tomorrow"][language] if end_minute <= start_minute else ""
    return tomorrow + clock_words(end_minute)
