"""What the account knows of the town: car parks as they are now, what they cost, where they lie."""

from collections.abc import Sequence

from msgspec.structs import replace

from occupancy.lot import Lot, Place
from occupancy.stay import QuoteError, Stay
from occupancy.tariff_book import UnknownTariffError
from occupancy.tariff_clock import utc_ms
from occupancy.tariff_quote import Quote, quote
from occupancy.web.showcase import Showcase
from occupancy.web.tariff_shelf import TariffShelf
from routing.gathering import nearby
from wechat import driver_view
from wechat.driver_view import Card
from wechat.reply_lots import Priced
from wechat.session import Session

_MINUTE_MS = 60_000


class Town:
    """The live pictures and the tariffs in force, in the shape answers need."""

    def __init__(self, showcase: Showcase, shelf: TariffShelf) -> None:
        self._showcase = showcase
        self._shelf = shelf

    @property
    def lots(self) -> dict[str, Lot]:
        return self._showcase.lots

    def now_ms(self) -> int:
        return self._showcase.now_ms()

    def card(self, lot_id: str) -> Card:
        picture = self._showcase.pictures.get(lot_id)
        observed_at_ms = None if picture is None else picture.observed_at_ms
        return driver_view.card(self._showcase.summary(lot_id), self.now_ms(), observed_at_ms)

    def cards(self) -> dict[str, Card]:
        return {lot_id: self.card(lot_id) for lot_id in self.lots}

    def named(self, words: str) -> str:
        """The car park whose name stands in a text; empty for none or several."""
        found = [lot for lot in self.lots.values() if words and _is_named(lot, words)]
        return found[0].lot_id if len(found) == 1 else ""

    def near(self, place: Place, most: int) -> list[str]:
        return [lot.lot_id for lot in nearby(self.lots, place)[:most]]

    def priced(self, lot_ids: Sequence[str], session: Session) -> list[Priced]:
        """What the stay of the session costs in each."""
        return [Priced(self.card(one), self.quote(one, session)) for one in lot_ids]

    def quote(self, lot_id: str, session: Session) -> Quote | None:
        arrive_ms = session.arrive_ms or self.now_ms()
        leave_ms = arrive_ms + session.stay_minutes * _MINUTE_MS
        vehicle = session.vehicle
        stay = Stay(arrive_ms, leave_ms, vehicle.kind, vehicle.new_energy)
        try:
            return quote(self._shelf.book.get_versions(self.lots[lot_id].tariff_id), stay)
        except (UnknownTariffError, QuoteError):
            return None

    def free_until_ms(self, lot_id: str, session: Session) -> int | None:
        """Until when a stay that begins as the session says is free; None where it never is."""
        found = self.quote(lot_id, replace(session, stay_minutes=1))
        return None if found is None or found.free_until is None else utc_ms(found.free_until)


def _is_named(lot: Lot, words: str) -> bool:
    return lot.short_name in words or lot.name in words or words == lot.lot_id
