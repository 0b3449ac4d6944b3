"""Why a car park is recommended, left out, or known only roughly: a code, and words for it."""

from collections.abc import Iterable
from enum import StrEnum

import msgspec


class Code(StrEnum):
    """What programs read; people read the words."""

    # for a car park
    CHANCE = "chance"
    PROMISED = "promised"
    DRIVE = "drive"
    WALK = "walk"
    STORE = "store"
    FETCH = "fetch"
    FEE = "fee"
    FREE_OF_CHARGE = "free_of_charge"
    CHEAPEST = "cheapest"
    NEAREST = "nearest"
    SUREST = "surest"
    COVERED = "covered"
    SENT_FURTHER = "sent_further"
    LEAVES_ROOM = "leaves_room"
    CLOSER_UNKNOWN = "closer_unknown"
    # against it
    CLOSED = "closed"
    CLOSES_BEFORE_ARRIVAL = "closes_before_arrival"
    CLOSES_DURING_STAY = "closes_during_stay"
    TOO_HIGH = "too_high"
    TOO_HEAVY = "too_heavy"
    TOO_LONG = "too_long"
    TOO_WIDE = "too_wide"
    NO_NEW_ENERGY = "no_new_energy"
    VEHICLE_NOT_ADMITTED = "vehicle_not_admitted"
    STAY_TOO_LONG = "stay_too_long"
    PROBABLY_FULL = "probably_full"
    NO_DATA = "no_data"
    TOO_FAR = "too_far"
    NOT_WANTED = "not_wanted"
    # what is known only roughly
    FEE_UNKNOWN = "fee_unknown"
    FEE_UNCONFIRMED = "fee_unconfirmed"
    OLD_DATA = "old_data"
    COVER_UNKNOWN = "cover_unknown"
    LIMITS = "limits"
    LIMITS_ROUGHLY = "limits_roughly"
    LIMITS_UNCONFIRMED = "limits_unconfirmed"
    NOT_HELD = "not_held"
    PROMISES_AWAY = "promises_away"
    FORECAST_SIMPLE = "forecast_simple"
    TRAVEL_ESTIMATED = "travel_estimated"
    NO_ORIGIN = "no_origin"
    ARRIVES_LATER = "arrives_later"
    DECIDED_ALONE = "decided_alone"
    DECIDED_IN_HASTE = "decided_in_haste"
    # the whole answer
    FITS = "fits"
    LEAST_BAD = "least_bad"
    PLAIN_LIST = "plain_list"
    NOTHING = "nothing"
    NO_CAR_PARK = "no_car_park"


class Reason(msgspec.Struct, frozen=True):
    """One reason, for programs and in words."""

    code: Code
    zh: str
    en: str


_WORDS: dict[Code, tuple[str, str]] = {
    Code.CHANCE: ("到达时有空位的可能{chance}", "chance of a space at arrival {chance_en}"),
    Code.PROMISED: (
        "已扣除正在前往的约{cars}辆车",
        "about {cars} cars on their way are already taken off",
    ),
    Code.DRIVE: ("行车约{minutes}分钟", "about {minutes} min by car"),
    Code.WALK: ("步行约{minutes}分钟", "about {minutes} min on foot"),
    Code.STORE: ("存车约{minutes}分钟", "storing the car takes about {minutes} min"),
    Code.FETCH: ("取车约{minutes}分钟", "fetching it takes about {minutes} min"),
    Code.FEE: ("停{stay}约{yuan}元", "{yuan} yuan for {stay_en}"),
    Code.FREE_OF_CHARGE: ("停{stay}不收费", "free of charge for {stay_en}"),
    Code.CHEAPEST: ("其中最便宜", "the cheapest of them"),
    Code.NEAREST: ("其中步行最近", "the shortest walk of them"),
    Code.SUREST: ("其中有位最有把握", "the surest of them"),
    Code.COVERED: ("有遮盖", "covered"),
    Code.SENT_FURTHER: (
        (
            "没有推荐更近的{other}：到达时有空位的可能{other_chance}；"
            "到这里多花约{minutes}分钟，有空位的可能{chance}"
        ),
        (
            "not {other}, which is closer: its chance of a space at arrival is {other_chance_en}; "
            "about {minutes} min more bring you {chance_en} here"
        ),
    ),
    Code.LEAVES_ROOM: (
        (
            "{other}的少量空位留给附近没有别处可停的车；您多花约{minutes}分钟，"
            "这里有空位的可能{chance}"
        ),
        (
            "the few spaces of {other} are left to drivers who have no other; about {minutes} min "
            "more bring you {chance_en} here"
        ),
    ),
    Code.CLOSER_UNKNOWN: (
        "没有推荐更近的{other}：数据过期，余位不明；到这里多花约{minutes}分钟，有空位的可能{chance}",
        (
            "not {other}, which is closer: nobody knows its free spaces; about {minutes} min more "
            "bring you {chance_en} here"
        ),
    ),
    Code.CLOSED: ("已关闭", "closed"),
    Code.CLOSES_BEFORE_ARRIVAL: ("到达时未开放（{hours}）", "not open at arrival ({hours})"),
    Code.CLOSES_DURING_STAY: ("停放期间会关门（{hours}）", "closes during the stay ({hours})"),
    Code.TOO_HIGH: (
        "车高超限：限高{limit}米，车高{value}米",
        "too high: the limit is {limit} m, the vehicle {value} m",
    ),
    Code.TOO_HEAVY: (
        "车重超限：限重{limit}吨，车重{value}吨",
        "too heavy: the limit is {limit} t, the vehicle {value} t",
    ),
    Code.TOO_LONG: (
        "车长超限：限长{limit}米，车长{value}米",
        "too long: the limit is {limit} m, the vehicle {value} m",
    ),
    Code.TOO_WIDE: (
        "车宽超限：限宽{limit}米，车宽{value}米",
        "too wide: the limit is {limit} m, the vehicle {value} m",
    ),
    Code.NO_NEW_ENERGY: ("不接纳新能源车", "takes no new-energy vehicles"),
    Code.VEHICLE_NOT_ADMITTED: ("不停放{vehicle}", "takes no {vehicle_en}"),
    Code.STAY_TOO_LONG: ("停放时间超过该场允许的上限", "the stay is longer than is allowed here"),
    Code.PROBABLY_FULL: (
        "到达时多半已满：有空位的可能{chance}",
        "probably full at arrival: chance of a space {chance_en}",
    ),
    Code.NO_DATA: (
        "数据过期，余位不明",
        "its data is out of date: nobody knows the free spaces",
    ),
    Code.TOO_FAR: ("离目的地太远：步行约{minutes}分钟", "too far: about {minutes} min on foot"),
    Code.NOT_WANTED: ("您已排除", "you asked for another one"),
    Code.FEE_UNKNOWN: ("价格不明", "the price is not known"),
    Code.FEE_UNCONFIRMED: ("价格待核实", "the price has not been confirmed"),
    Code.OLD_DATA: (
        "数据已中断，按往常规律估计",
        "its data has stopped: estimated from other days",
    ),
    Code.COVER_UNKNOWN: ("是否有遮盖待核实", "nobody has confirmed whether it is covered"),
    Code.LIMITS: (
        "限高{height}米，限重{weight}吨",
        "at most {height} m high and {weight} t heavy",
    ),
    Code.LIMITS_ROUGHLY: (
        "限高{height}米，限重{weight}吨（待核实）",
        "at most {height} m high and {weight} t heavy (not confirmed)",
    ),
    Code.LIMITS_UNCONFIRMED: ("限高限重待核实", "the vehicle limits have not been confirmed"),
    Code.NOT_HELD: (
        "预计空位已分配给先问的车，到时未必有位",
        "the spaces expected are already promised to those who asked before",
    ),
    Code.PROMISES_AWAY: (
        "暂时看不到所有车的去向，正在前往的车可能没有扣全",
        "the book of promises is away: not all cars on their way may be taken off",
    ),
    Code.FORECAST_SIMPLE: (
        "暂无预测，按当前余位估计",
        "no forecast at present: estimated from the free spaces now",
    ),
    Code.TRAVEL_ESTIMATED: (
        "行车时间按直线距离估计",
        "travel times are estimated from the straight line",
    ),
    Code.NO_ORIGIN: (
        "不知道出发地，行车时间从目的地附近算起",
        "where you set out is not known: the drive is counted from near the destination",
    ),
    Code.DECIDED_ALONE: (
        "暂时不能与其他车一并安排，按本车最优推荐",
        "decided for this car alone: the joint decision is away",
    ),
    Code.DECIDED_IN_HASTE: (
        "同时询问的车较多，安排未必最优",
        "many asked at once: a better arrangement may exist",
    ),
    Code.ARRIVES_LATER: (
        "按路程最早{time}到，晚于您说的时间",
        "the way there takes until {time}, later than you said",
    ),
    Code.FITS: ("推荐{name}", "we recommend {name}"),
    Code.PLAIN_LIST: ("按步行远近排列，最近的是{name}", "nearest first: {name}"),
    Code.LEAST_BAD: (
        "没有完全合适的停车场，{name}相对最好：{why}",
        "nothing fits well; {name} is the least bad: {why_en}",
    ),
    Code.NO_CAR_PARK: ("没有登记任何停车场", "no car park is registered"),
    Code.NOTHING: (
        "没有可以停的停车场：{why}。可{way_out}",
        "there is nowhere to park: {why_en}. You may {way_out_en}",
    ),
}
# What a driver may change so that a car park fits all the same.
_WAYS_OUT: dict[Code, tuple[str, str]] = {
    Code.NOT_WANTED: ("放宽已排除的停车场", "allow one of those you excluded"),
    Code.CLOSED: ("换一个到达时间", "try another time"),
    Code.CLOSES_BEFORE_ARRIVAL: ("换一个到达时间", "try another time"),
    Code.CLOSES_DURING_STAY: ("缩短停放时间", "stay for less time"),
    Code.STAY_TOO_LONG: ("缩短停放时间", "stay for less time"),
}
_CALL = ("拨打{hotline}咨询", "call {hotline}")
_UNCONFIRMED = ("（待核实）", " (not confirmed)")


def because(code: Code, **values: object) -> Reason:
    """The reason with its numbers filled in."""
    zh, en = _WORDS[code]
    return Reason(code, zh.format(**values), en.format(**values))


def ways_out(against: Iterable[Reason], hotline: str, *, is_confirmed: bool) -> dict[str, str]:
    """What may be done about reasons that leave nothing; at last somebody can be called."""
    found = [_WAYS_OUT[reason.code] for reason in against if reason.code in _WAYS_OUT]
    if hotline:
        marks = ("", "") if is_confirmed else _UNCONFIRMED
        zh, en = (
            words.format(hotline=hotline + mark) for words, mark in zip(_CALL, marks, strict=True)
        )
        found.append((zh, en))
    return {
        "way_out": "，或".join(dict.fromkeys(zh for zh, _ in found)),
        "way_out_en": ", or ".join(dict.fromkeys(en for _, en in found)),
    }


def chance_words(chance: float, name: str = "chance") -> dict[str, str]:
    """A chance as people say it: never certain, never impossible."""
    percent = round(chance * 100)
    if percent >= 100:  # noqa: PLR2004
        return {name: "超过99%", f"{name}_en": "over 99 %"}
    if percent <= 0:
        return {name: "不到1%", f"{name}_en": "below 1 %"}
    return {name: f"约{percent}%", f"{name}_en": f"about {percent} %"}


def whole_minutes(minutes: float) -> int:
    """Minutes as people say them; what takes any time takes at least one."""
    return max(1, round(minutes)) if minutes > 0 else 0


def yuan(fen: int) -> str:
    return f"{fen / 100:.2f}".rstrip("0").rstrip(".")


def stay_words(minutes: int) -> dict[str, str]:
    days, rest = divmod(minutes, 1440)
    hours, left = divmod(rest, 60)
    parts = ((days, "天", "d"), (hours, "小时", "h"), (left, "分钟", "min"))
    return {
        "stay": "".join(f"{count}{zh}" for count, zh, _ in parts if count),
        "stay_en": " ".join(f"{count} {en}" for count, _, en in parts if count),
    }
