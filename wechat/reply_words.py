"""Short pieces of an answer: when, how long, how many spaces, and how a whole answer fits."""

import datetime as dt
from collections.abc import Iterable

import msgspec

from occupancy.live import Status
from occupancy.tariff_clock import DAY_MINUTES, clock_words, local_minute
from occupancy.web.formats import SHANGHAI
from routing.question import Wish
from routing.reason import stay_words
from wechat.driver_view import Card
from wechat.reply_xml import MOST_BYTES
from wechat.session import Session
from wechat.texts import Texts


class Line(msgspec.Struct, frozen=True):
    """A line of an answer; the optional ones go first when there is no room, the last before."""

    text: str
    is_optional: bool = False


def fit(lines: Iterable[Line], most_bytes: int = MOST_BYTES) -> str:
    """The lines as one text that WeChat takes whole; never half a line while others can go."""
    kept = [line for line in lines if line.text]
    while len(_joined(kept).encode()) > most_bytes:
        at = next((n for n in reversed(range(len(kept))) if kept[n].is_optional), None)
        if at is None:
            break
        del kept[at]
    return _joined(kept)


def numbered(texts: Texts, names: Iterable[str]) -> list[Line]:
    """Choices that a number answers."""
    choices = enumerate(names, start=1)
    return [Line(texts.unclear_one.format(number=number, name=name)) for number, name in choices]


def plain(words: str, most: int = 40) -> str:
    """A citizen's own words, said back: they make no link and no second line."""
    shown = " ".join(words.replace("<", "‹").replace(">", "›").split())
    return shown if len(shown) <= most else shown[:most] + "…"


def stay(minutes: int) -> str:
    return stay_words(minutes)["stay"]


def clock(at_ms: int) -> str:
    return clock_words(local_minute(at_ms) % DAY_MINUTES)


def when(texts: Texts, arrive_ms: int | None, now_ms: int) -> str:
    """The planned arrival, as the head of an answer says it."""
    if arrive_ms is None:
        return texts.when_now
    days = local_minute(arrive_ms) // DAY_MINUTES - local_minute(now_ms) // DAY_MINUTES
    if days <= 1:
        return (texts.when_today, texts.when_tomorrow)[days].format(clock=clock(arrive_ms))
    month, day = _month_and_day(arrive_ms)
    return texts.when_other.format(month=month, day=day, clock=clock(arrive_ms))


def details(texts: Texts, session: Session) -> str:
    """What of the car and the wishes went into the answer."""
    said = []
    if session.is_suv and session.vehicle.height_metres is not None:
        said.append(texts.detail_suv.format(height=f"{session.vehicle.height_metres:g}"))
    if session.vehicle.new_energy:
        said.append(texts.detail_new_energy)
    words = {
        Wish.CHEAP: texts.detail_cheap,
        Wish.NEAR: texts.detail_near,
        Wish.SURE: texts.detail_sure,
        Wish.COVERED: texts.detail_covered,
    }
    said += [words[wish] for wish in Wish if wish in session.wishes]
    return "".join(said)


def spaces(texts: Texts, card: Card) -> str:
    """约36个空位（12 秒前更新）; never a number that nobody can trust."""
    free, status = card.lot.live.free, card.lot.status
    if status is Status.CLOSED:
        closed = card.lot.closed
        return texts.spaces_closed + (f"：{closed.words}" if closed else "")
    if status is Status.NO_DATA or free is None:
        return texts.spaces_unknown.format(age=card.age)
    if status is Status.FULL:
        return texts.spaces_full.format(age=card.age)
    return texts.spaces.format(free=free, age=card.age)


def _month_and_day(at_ms: int) -> tuple[int, int]:
    local = dt.datetime.fromtimestamp(at_ms / 1_000, tz=SHANGHAI)
    return local.month, local.day


def _joined(lines: Iterable[Line]) -> str:
    return "\n".join(line.text for line in lines)
