"""The answer to where to park: at most three car parks, honest about what is not known."""

from collections.abc import Mapping

import msgspec

from occupancy.live import Status
from routing.candidate import Candidate
from routing.reason import Code, Reason, chance_words, stay_words, whole_minutes, yuan
from routing.recommend import LeftOut, Option, Recommendation
from wechat.driver_view import Card
from wechat.reply_words import Line, details, fit, plain, spaces, when
from wechat.session import Session
from wechat.texts import Texts

MOST_OPTIONS, MOST_LEFT_OUT = 3, 2
# Of an option's notes, those that a driver must hear before he sets out.
_WARNINGS = frozenset({Code.PROBABLY_FULL, Code.TOO_FAR, Code.OLD_DATA, Code.LIMITS_UNCONFIRMED})
_WORTH_SAYING = frozenset(
    {
        Code.SENT_FURTHER,
        Code.CLOSER_UNKNOWN,
        Code.LEAVES_ROOM,
        Code.CHEAPEST,
        Code.NEAREST,
        Code.SUREST,
        Code.COVERED,
    }
)
_NOTES = frozenset({Code.NOT_HELD, Code.PROMISES_AWAY})


class Answered(msgspec.Struct, frozen=True):
    """Everything an answer is made of."""

    session: Session
    recommendation: Recommendation
    cards: Mapping[str, Card]
    links: Mapping[str, str]
    now_ms: int
    page: str = ""
    has_nothing_else: bool = False


def recommendation_text(texts: Texts, answered: Answered) -> str:
    """At most 2,048 bytes; what matters less goes first."""
    recommendation, session = answered.recommendation, answered.session
    most = 1 if session.is_elder or _is_all_too_far(recommendation) else MOST_OPTIONS
    lines = [Line(_head(texts, answered))]
    if answered.has_nothing_else:
        lines.append(Line(texts.nothing_else))
    if recommendation.verdict.code is not Code.FITS:
        lines.append(Line(recommendation.verdict.zh))
    lines.append(Line(_warning(texts, answered)))
    for number, option in enumerate(recommendation.options[:most], start=1):
        lines += _option(texts, answered, number, option)
    lines += [Line(note.zh, is_optional=True) for note in _of(recommendation.notes, _NOTES)]
    if recommendation.options:
        lines += _left_out(texts, recommendation.left_out)
        lines.append(Line(texts.hint_elder if session.is_elder else texts.hint, is_optional=True))
    if answered.page:
        lines.append(Line(texts.hint_page.format(link=answered.page), is_optional=True))
    return fit(lines)


def _is_all_too_far(recommendation: Recommendation) -> bool:
    """Who has to walk for an hour wants the nearest, and no choice."""
    codes = [{note.code for note in option.notes} for option in recommendation.options]
    return bool(codes) and all(Code.TOO_FAR in of_one for of_one in codes)


def _head(texts: Texts, answered: Answered) -> str:
    session = answered.session
    said = {
        "when": when(texts, session.arrive_ms, answered.now_ms),
        "details": details(texts, session),
        **stay_words(session.stay_minutes),
    }
    if not session.destination:
        return texts.head_nearby.format(**said)
    return texts.head.format(destination=plain(session.destination), **said)


def _warning(texts: Texts, answered: Answered) -> str:
    """Said before anything else where no car park that is shown has a space that is known of."""
    options = answered.recommendation.options
    states = {answered.cards[option.candidate.lot_id].lot.status for option in options}
    if states == {Status.FULL}:
        return texts.all_full
    return texts.all_silent if states == {Status.NO_DATA} else ""


def _option(texts: Texts, answered: Answered, number: int, option: Option) -> list[Line]:
    candidate = option.candidate
    card = answered.cards[candidate.lot_id]
    way = _way(texts, candidate)
    is_plain = answered.recommendation.is_plain
    chance = "" if is_plain else texts.option_chance.format(**chance_words(candidate.chance)) + "｜"
    fee = _fee(texts, card, candidate, answered.session.stay_minutes)
    link = answered.links.get(candidate.lot_id, "")
    name = candidate.lot.short_name
    shown = texts.option_link.format(link=link, name=name) if link else ""
    warnings = [Line(reason.zh) for reason in _of(option.notes, _WARNINGS)]
    reasons = [
        Line(texts.option_reason.format(reason=reason.zh), is_optional=True)
        for reason in _of(option.reasons, _WORTH_SAYING)
    ]
    return [
        Line(texts.option.format(number=number, name=name, spaces=spaces(texts, card))),
        Line(f"{chance}{way}"),
        Line(fee),
        *warnings,
        *reasons,
        Line(shown),
    ]


def _way(texts: Texts, candidate: Candidate) -> str:
    travel = candidate.travel
    return texts.option_way.format(
        drive=whole_minutes(travel.drive),
        store=whole_minutes(travel.store),
        walk=whole_minutes(travel.walk),
        fetch=whole_minutes(travel.fetch),
    )


def _fee(texts: Texts, card: Card, candidate: Candidate, stay_minutes: int) -> str:
    fee = candidate.fee
    free_period = card.free_period or texts.free_period_unknown
    unsure = texts.option_unconfirmed if fee.is_unconfirmed else ""
    if fee.total_fen is None:
        return texts.option_unknown_fee.format(free_period=free_period)
    form = texts.option_fee if fee.total_fen else texts.option_no_fee
    said = form.format(
        free_period=free_period, yuan=yuan(fee.total_fen), **stay_words(stay_minutes)
    )
    return said + unsure


def _left_out(texts: Texts, left_out: tuple[LeftOut, ...]) -> list[Line]:
    told = [one for one in left_out if one.reasons[0].code is not Code.NOT_WANTED]
    return [
        Line(
            texts.left_out.format(name=one.candidate.lot.short_name, reason=one.reasons[0].zh),
            is_optional=True,
        )
        for one in told[:MOST_LEFT_OUT]
    ]


def _of(reasons: tuple[Reason, ...], codes: frozenset[Code]) -> list[Reason]:
    return [reason for reason in reasons if reason.code in codes]
