"""What author and approver of a draft look at: remarks, prices, board, and what it changes."""

import msgspec

from occupancy.calendar import Calendar
from occupancy.tariff import Tariff
from occupancy.tariff_diff import Difference, compare
from occupancy.tariff_draft import Examined, Published, examine
from occupancy.tariff_preview import Preview, preview


class Review(msgspec.Struct, frozen=True):
    """A draft's text looked at; no prices where it holds no tariff that can be priced.

    `difference` is to version `against`, which holds right before it; None for the first one.
    """

    examined: Examined
    preview: Preview | None = None
    difference: Difference | None = None
    against: int | None = None


def review(text: str, published: Published, calendar: Calendar, now_minute: int) -> Review:
    examined = examine(text, published, calendar, now_minute)
    tariff = examined.tariff
    if tariff is None:
        return Review(examined)
    prices, before = preview(tariff, calendar), _before(tariff, published)
    if before is None:
        return Review(examined, prices)
    return Review(examined, prices, compare(before, tariff, calendar), before.version)


def _before(tariff: Tariff, published: Published) -> Tariff | None:
    earlier = [one for one in published.versions if one.valid_from < tariff.valid_from]
    return max(earlier, key=lambda one: (one.valid_from, one.version), default=None)
