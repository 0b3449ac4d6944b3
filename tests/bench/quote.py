"""Quotes a second on one core, and how much longer a month takes than three hours."""

import time
from collections.abc import Callable

from occupancy.calendar import Calendar
from occupancy.quote_words import line_words, reason_words, summary_words
from occupancy.stay import Stay
from occupancy.tariff_clock import utc_ms
from occupancy.tariff_entry import PricedVersion, price_versions
from occupancy.tariff_file import GALLERY, OUR_TARIFFS, read_folder
from occupancy.tariff_quote import fee, quote
from tests.bench.report import Report, at_least, at_most, shown

ORDINARY = "kangle"
DAY_NIGHT = "sanda"
THREE_HOURS, THIRTY_DAYS = 180, 30 * 1440
ROUNDS, QUOTES = 7, 3_000
MONDAY = 20_759 * 1440  # 2026-11-02
QUOTES_PER_SECOND = 20_000
MONTH_TIMES = 10


def microseconds(work: Callable[[Stay], object], minutes: int) -> float:
    """The best round's mean: what others do on this machine is not our speed."""
    starts = [utc_ms(MONDAY + number * 7 % 10_080) for number in range(QUOTES)]
    stays = [Stay(start, start + minutes * 60_000) for start in starts]
    best = float("inf")
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        for stay in stays:
            work(stay)
        best = min(best, (time.perf_counter() - begun) / QUOTES * 1e6)
    return best


def in_words(versions: tuple[PricedVersion, ...], stay: Stay) -> object:
    answer = quote(versions, stay)
    lines = [line_words(line) for line in answer.lines]
    return summary_words(answer), lines, [reason_words(because) for because in answer.because]


def measure(_: list[str]) -> Report:
    files = read_folder(OUR_TARIFFS) | read_folder(GALLERY)
    priced = {name: price_versions([file.tariff], Calendar()) for name, file in files.items()}
    ordinary, day_night = priced[ORDINARY], priced[DAY_NIGHT]
    short = microseconds(lambda stay: quote(ordinary, stay), THREE_HOURS)
    long = microseconds(lambda stay: quote(ordinary, stay), THIRTY_DAYS)
    short_split = microseconds(lambda stay: quote(day_night, stay), THREE_HOURS)
    long_split = microseconds(lambda stay: quote(day_night, stay), THIRTY_DAYS)
    worded = microseconds(lambda stay: in_words(ordinary, stay), THREE_HOURS)
    only_fee = microseconds(lambda stay: fee(ordinary, stay), THREE_HOURS)
    figures = [
        at_least("quotes, 3 h, ordinary tariff", 1e6 / short, QUOTES_PER_SECOND, "1/s"),
        at_most("30 days against 3 h, ordinary tariff", long / short, MONTH_TIMES, "times"),
        at_most(
            "30 days against 3 h, day and night", long_split / short_split, MONTH_TIMES, "times"
        ),
        shown("quotes, 3 h, day and night", 1e6 / short_split, "1/s"),
        shown("quotes with their words, 3 h", 1e6 / worded, "1/s"),
        shown("fees alone, 3 h", 1e6 / only_fee, "1/s"),
    ]
    about = {"tariffs": {"ordinary": ORDINARY, "day and night": DAY_NIGHT}, "best_of": ROUNDS}
    return Report("quote", figures, about)
