"""A quote's lines and reasons in words, Chinese and English."""

from occupancy.price_words import Language, Two, one_unit, span, yuan
from occupancy.tariff_clock import written
from occupancy.tariff_quote import Because, Quote, Reason
from occupancy.tariff_walk import Line, LineRule

_LINES: dict[LineRule, Two] = {
    LineRule.FREE: ("免费时长", "free period"),
    LineRule.PAID_ONCE: ("24小时内已付过费，不再收费", "already paid within 24 hours"),
    LineRule.WAIVER: ("{name}，免费", "{name}: free"),
    LineRule.UNITS: (
        "{name} {units}×{unit}，每{unit}{price}",
        "{name} {units} x {unit} at {price}",
    ),
    LineRule.DAYS: ("整24小时 {units}个，每个{price}", "{units} whole 24 hours at {price}"),
    LineRule.CAP: ("封顶{price}，减免{off}", "capped at {price}: {off} off"),
    LineRule.DISCOUNT: ("{name}优惠，减免{off}", "{name}: {off} off"),
    LineRule.EXEMPT: ("{name}免费", "{name}: free"),
}
_BAND_CAPPED: Two = ("，连续停放封顶", ", capped for this run")
_REASONS: dict[Reason, Two] = {
    Reason.FREE_PERIOD: ("在免费停车时限内的时间不收费。", "The free period is not charged."),
    Reason.FREE_EXCEEDED: (
        "超过免费停车时限，全程计费。",
        "The stay is longer than the free period: all of it is charged.",
    ),
    Reason.WAIVER: ("{name}，规定时段免费。", "{name}: the hours of the waiver are free."),
    Reason.CAP: ("达到封顶金额的部分不再计费。", "A cap was reached: what lies above it is free."),
    Reason.EXEMPTION: ("{name}按规定减免。", "{name}: reduced by rule."),
    Reason.NEW_ENERGY: ("{name}按规定优惠。", "{name}: reduced by rule."),
    Reason.PAID_ONCE: (
        "首次进场起24小时内只收一次费。",
        "Entries within 24 hours of the first are charged once.",
    ),
    Reason.VERSION_AT_ENTRY: (
        "停放期间调价，按进场时的标准计费。",
        "Prices changed during the stay: those at entry hold.",
    ),
    Reason.VERSIONS_SPLIT: (
        "停放期间调价，分段按各自标准计费。",
        "Prices changed during the stay: each part at its own.",
    ),
    Reason.CALENDAR_UNKNOWN: (
        "该年节假日安排尚未公布，暂按星期计，以公布后为准。",
        "The holidays of that year are not published yet: weekdays decide for now.",
    ),
}


def line_words(line: Line) -> Two:
    """What one line says, without its times and amount."""
    chinese, english = _LINES[line.rule]
    if line.rule is LineRule.UNITS and line.amount_fen < line.units * line.price_fen:
        chinese, english = chinese + _BAND_CAPPED[0], english + _BAND_CAPPED[1]
    return (
        chinese.format(
            name=line.name,
            units=line.units,
            unit=one_unit(line.unit_minutes),
            price=yuan(line.price_fen),
            off=yuan(-line.amount_fen),
        ),
        english.format(
            name=line.name_en or line.name,
            units=line.units,
            unit=span(line.unit_minutes, Language.ENGLISH),
            price=yuan(line.price_fen, Language.ENGLISH),
            off=yuan(-line.amount_fen, Language.ENGLISH),
        ),
    )


def reason_words(because: Because) -> Two:
    """One sentence that says why."""
    chinese, english = _REASONS[because.reason]
    return (
        chinese.format(name=because.name),
        english.format(name=because.name_en or because.name),
    )


def summary_words(quote: Quote) -> Two:
    """The sentence a driver reads first: how much, and when it next rises."""
    now, now_en = (yuan(quote.total_fen, language) for language in Language)
    if quote.next_step_at is None or quote.next_total_fen is None:
        return now, now_en
    then, then_en = (yuan(quote.next_total_fen, language) for language in Language)
    at = written(quote.next_step_at)
    return f"{now}，{at} 之后为{then}", f"{now_en}, after {at} {then_en}"
