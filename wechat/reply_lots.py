"""What is said of car parks by themselves: one, all, what a stay costs, how long it is free."""

from collections.abc import Sequence

import msgspec

from occupancy.tariff_clock import DAY_MINUTES, clock_words
from occupancy.tariff_quote import Quote
from routing.reason import stay_words, yuan
from wechat.driver_view import Card
from wechat.reply_words import Line, clock, fit, spaces
from wechat.texts import Texts


class Priced(msgspec.Struct, frozen=True):
    """A car park and what a stay there costs; None where nobody knows."""

    card: Card
    quote: Quote | None


def lot_text(texts: Texts, card: Card, link: str, first: str = "") -> str:
    """One car park; `first` says why it is told."""
    lot = card.lot
    price = card.price or texts.free_period_unknown
    free_period = card.free_period or texts.free_period_unknown
    return fit(
        [
            Line(first),
            Line(texts.lot.format(name=lot.name, spaces=spaces(texts, card))),
            Line(card.note),
            Line(texts.lot_address.format(address=lot.address)),
            Line(texts.lot_price.format(free_period=free_period, price=price)),
            Line(texts.fee_unconfirmed if card.is_unconfirmed else "", is_optional=True),
            Line(texts.lot_phone.format(hotline=lot.hotline)),
            Line(texts.lot_link.format(link=link) if link else ""),
        ]
    )


def overview_text(texts: Texts, cards: Sequence[Card], page: str) -> str:
    lines = [Line(texts.overview)]
    lines += [
        Line(texts.lot.format(name=card.lot.short_name, spaces=spaces(texts, card)))
        for card in cards
    ]
    lines.append(Line(texts.ask_destination, is_optional=True))
    lines.append(Line(texts.hint_page.format(link=page) if page else "", is_optional=True))
    return fit(lines)


def fees_text(
    texts: Texts, priced: Sequence[Priced], arrive_ms: int | None, stay_minutes: int
) -> str:
    said = _at(texts, arrive_ms)
    lines = [Line(texts.fee_head.format(when=said, **stay_words(stay_minutes)))]
    lines += [Line(_fee_line(texts, one)) for one in priced]
    if any(one.card.is_unconfirmed for one in priced):
        lines.append(Line(texts.fee_unconfirmed))
    return fit(lines)


def free_text(texts: Texts, priced: Sequence[Priced], arrive_ms: int | None) -> str:
    lines = [Line(texts.free_head.format(when=_at(texts, arrive_ms)))]
    lines += [Line(_free_line(texts, one)) for one in priced]
    if any(one.card.is_unconfirmed for one in priced):
        lines.append(Line(texts.fee_unconfirmed))
    return fit(lines)


def complain_text(texts: Texts, cards: Sequence[Card]) -> str:
    """Every hotline once."""
    by_number: dict[str, list[str]] = {}
    for card in cards:
        by_number.setdefault(card.lot.hotline, []).append(card.lot.short_name)
    hotlines = [
        texts.complain_line.format(name="、".join(names), hotline=hotline)
        for hotline, names in by_number.items()
    ]
    return fit([Line(texts.complain.format(hotlines="\n".join(hotlines)))])


def _at(texts: Texts, arrive_ms: int | None) -> str:
    return texts.at_now if arrive_ms is None else texts.at_clock.format(clock=clock(arrive_ms))


def _fee_line(texts: Texts, priced: Priced) -> str:
    name, quote = priced.card.lot.short_name, priced.quote
    if quote is None:
        return texts.fee_line_unknown.format(name=name)
    form = texts.fee_line if quote.total_fen else texts.fee_line_free
    said = form.format(name=name, yuan=yuan(quote.total_fen))
    if quote.next_step_at is None or quote.next_total_fen is None:
        return said
    at = clock_words(quote.next_step_at % DAY_MINUTES)
    return said + texts.fee_step.format(clock=at, yuan=yuan(quote.next_total_fen))


def _free_line(texts: Texts, priced: Priced) -> str:
    name, quote = priced.card.lot.short_name, priced.quote
    if quote is None:
        return texts.free_line_unknown.format(name=name)
    if quote.free_until is None:
        return texts.free_line_none.format(name=name)
    at = clock_words(quote.free_until % DAY_MINUTES)
    return texts.free_line.format(name=name, clock=at, free_period=priced.card.free_period)
