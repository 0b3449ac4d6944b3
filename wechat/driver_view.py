"""What the driver's page says of each car park; driver.js says the same while it is open."""

from collections.abc import Iterable, Sequence

import msgspec

from occupancy.live import Quality, Status, Trend
from occupancy.web.board_view import DASH, DOUBTFUL, STATUS_WORDS
from occupancy.web.formats import LotDetail, LotSummary
from occupancy.web.quote_formats import QuoteDocument

STAYS_MINUTES = (30, 60, 120, 180, 240, 480, 1_440)
LONGEST_STAY_MINUTES = 1_440
STAY_STEP_MINUTES = 15
_FEN = 100
KINDS = (
    ("full", "显示有位，到了却满"),
    ("wrong_number", "余位不对"),
    ("wrong_price", "收费不对"),
    ("navigation", "导航不对"),
    ("other", "其他"),
)


class Words(msgspec.Struct, frozen=True):
    """Every word that may change while the page is open; the page hands them to its script."""

    status: dict[Status, str]
    count: dict[Status, str]
    trend: dict[Trend, str]
    estimated: str
    doubtful: str
    silent: str
    seconds: str
    minutes: str
    never: str


WORDS = Words(
    status=STATUS_WORDS,
    count={
        Status.OPEN: "约 {} 位",
        Status.ALMOST_FULL: "约 {} 位",
        Status.FULL: "满",
        Status.CLOSED: "关",
        Status.NO_DATA: DASH,
    },
    trend={
        Trend.FILLING: "正在变少",
        Trend.EMPTYING: "正在变多",
        Trend.STEADY: "变化不大",
        Trend.UNKNOWN: "",
    },
    estimated="部分设备失联，余位为估算",
    doubtful=DOUBTFUL,
    silent="超过 90 秒没有新数据，请以现场为准",
    seconds="{} 秒前更新",
    minutes="{} 分钟前更新",
    never="尚无数据",
)


class Card(msgspec.Struct, frozen=True):
    """One car park in a list."""

    lot: LotSummary
    word: str
    count: str
    trend: str
    note: str
    age: str
    free_period: str
    price: str
    is_unconfirmed: bool


class Level(msgspec.Struct, frozen=True):
    """One level of a car park."""

    name: str
    free: str
    share: int | None  # occupied, in percent of its bays


class Fee(msgspec.Struct, frozen=True):
    """What a stay costs, in words."""

    stay: str
    total: str
    lines: tuple[tuple[str, str], ...]
    reasons: tuple[str, ...]
    free_until: str
    next_step: str


def card(lot: LotSummary, now_ms: int, observed_at_ms: int | None) -> Card:
    """The words of one car park as it is seen at `now_ms`."""
    tariff = lot.tariff
    told = lot.status in (Status.OPEN, Status.ALMOST_FULL)
    return Card(
        lot=lot,
        word=WORDS.status[lot.status],
        count=WORDS.count[lot.status].format(lot.live.free),
        trend=WORDS.trend[lot.live.trend] if told else "",
        note=_note(lot),
        age=age_words(now_ms, observed_at_ms),
        free_period="" if tariff is None else tariff.free_period,
        price="" if tariff is None else tariff.price,
        is_unconfirmed=tariff is not None and tariff.placeholder,
    )


def by_promise(cards: Iterable[Card]) -> list[Card]:
    """Where there is room first; then by how much of it."""
    order = (Status.OPEN, Status.ALMOST_FULL, Status.FULL, Status.NO_DATA, Status.CLOSED)
    return sorted(cards, key=lambda one: (order.index(one.lot.status), -(one.lot.live.free or 0)))


def age_words(now_ms: int, observed_at_ms: int | None) -> str:
    if observed_at_ms is None:
        return WORDS.never
    seconds = max(0, (now_ms - observed_at_ms) // 1_000)
    if seconds < 60:  # noqa: PLR2004
        return WORDS.seconds.format(seconds)
    return WORDS.minutes.format(seconds // 60)


def levels(lot: LotDetail) -> list[Level]:
    """From the top down, as one looks at a building."""
    return [
        Level(
            f"{level.level} 层",
            "余 —" if level.free is None else f"余 {level.free}",
            None
            if level.occupied is None or not level.capacity
            else round(100 * level.occupied / level.capacity),
        )
        for level in reversed(lot.levels)
    ]


def fee(quote: QuoteDocument, stay_minutes: int) -> Fee:
    """The price of a stay as the page explains it."""
    return Fee(
        stay=stay_words(stay_minutes),
        total=yuan_words(quote.total_fen),
        lines=tuple((line.words.zh, yuan_words(line.amount_fen)) for line in quote.lines),
        reasons=tuple(reason.words.zh for reason in quote.reasons),
        free_until=clock_words(quote.free_until),
        next_step=_next_step(quote),
    )


def stay_words(minutes: int) -> str:
    """Minutes as people say them: 1 天, 2 小时 30 分钟."""
    days, rest = divmod(minutes, 1_440)
    hours, left = divmod(rest, 60)
    parts = ((days, "天"), (hours, "小时"), (left, "分钟"))
    return " ".join(f"{number} {unit}" for number, unit in parts if number)


def yuan_words(fen: int) -> str:
    if fen == 0:
        return "免费"
    return f"{fen / _FEN:.2f}".rstrip("0").rstrip(".") + " 元"


def clock_words(moment: str | None) -> str:
    """14:30 of an RFC 3339 time in Sanshui."""
    return "" if moment is None else moment[11:16]


def _next_step(quote: QuoteDocument) -> str:
    if quote.next_step_at is None or quote.next_total_fen is None:
        return ""
    at, total = clock_words(quote.next_step_at), yuan_words(quote.next_total_fen)
    return f"{at} 之后离场为 {total}"


def _note(lot: LotSummary) -> str:
    if lot.closed is not None:
        return lot.closed.words
    if lot.status is Status.NO_DATA:
        return WORDS.silent if lot.live.quality is Quality.STALE else WORDS.doubtful
    if lot.live.quality is Quality.ESTIMATED:
        return WORDS.estimated
    return ""


def chosen_stay(raw: str) -> int | None:
    """Minutes of a form's `stay`; None for what is no stay of the page's range."""
    if not (raw.isascii() and raw.isdecimal() and len(raw) <= 4):  # noqa: PLR2004
        return None
    minutes = int(raw)
    return minutes if 0 < minutes <= LONGEST_STAY_MINUTES else None


def stay_choices(chosen: int) -> Sequence[tuple[int, str]]:
    """The stays of the form's list, the chosen one among them."""
    return [(minutes, stay_words(minutes)) for minutes in sorted({*STAYS_MINUTES, chosen})]
