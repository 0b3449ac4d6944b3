"""What each sign of one gateway shall show, and when it must be written again."""

from collections.abc import Mapping

from gateway.config import TOWN_SIGN_LEVEL, CarPark, Device
from gateway.observation import Observation
from gateway.reconcile import balance_of
from gateway.signs import STALE, BadFaceError, SignOrder, own_face, to_registers

SIGN_REFRESH_MS = 25_000  # a sign is written at least every 30 s
FULL_AT_FREE_SPACES = 3
FIRST_ORDER_MS = 5_000
_CORRECTION_PERIODS = 2


class Faces:
    """The signs of one car park, from `since_uptime_ms` on. `uptime_ms` runs only forward."""

    def __init__(self, car_park: CarPark, since_uptime_ms: int) -> None:
        self._car_park = car_park
        self._since_uptime_ms = since_uptime_ms
        self._has_looked = False
        self._orders: dict[str, SignOrder] = {}
        self._fresh_uptime_ms: dict[str, int] = {}
        self._written: dict[str, tuple[tuple[str, ...], int]] = {}

    def take_orders(self, orders: Mapping[str, SignOrder], uptime_ms: int) -> None:
        """Only a new number makes an order fresh: the first one seen may be hours old.

        An order that was withdrawn is forgotten; a junction sign keeps its last one, for a server
        that was wiped is told again before it grows old.
        """
        self._has_looked = True
        for device in self._car_park.devices:
            if device.sign_level != TOWN_SIGN_LEVEL and device.device_id not in orders:
                self._orders.pop(device.device_id, None)
                self._fresh_uptime_ms.pop(device.device_id, None)
        for sign_id, order in orders.items():
            known = self._orders.get(sign_id)
            if known is not None and known.number != order.number:
                self._fresh_uptime_ms[sign_id] = uptime_ms
            self._orders[sign_id] = order

    def desired(self, device: Device, last: Observation, uptime_ms: int) -> tuple[str, ...] | None:
        """The face a sign shall show now, as many lines as it has; None: leave it as it is.

        Orders come once a second, so in the first seconds nobody knows yet whether they come:
        the gateway before may have shown a right one a moment ago.
        """
        ordered = self._ordered(device, uptime_ms)
        if ordered is not None:
            return ordered
        if uptime_ms - self._since_uptime_ms < FIRST_ORDER_MS and self._may_be_told(device):
            return None
        if device.sign_level == TOWN_SIGN_LEVEL:
            return stale_face(device)
        return own_face(balance_of(last), FULL_AT_FREE_SPACES)

    def _may_be_told(self, device: Device) -> bool:
        """A junction always; an entrance until we have looked, or where an old order lies."""
        if device.device_id in self._fresh_uptime_ms:
            return False
        is_junction = device.sign_level == TOWN_SIGN_LEVEL
        return is_junction or not self._has_looked or device.device_id in self._orders

    def is_due(
        self, device: Device, lines: tuple[str, ...], uptime_ms: int, *, differs: bool
    ) -> bool:
        """New, refreshed, or corrected when the sign says otherwise; noted as written if so."""
        written, at_ms = self._written.get(device.device_id, (None, 0))
        patience_ms = device.period_ms * _CORRECTION_PERIODS if differs else SIGN_REFRESH_MS
        if lines == written and uptime_ms - at_ms < patience_ms:
            return False
        self._written[device.device_id] = (lines, uptime_ms)
        return True

    def _ordered(self, device: Device, uptime_ms: int) -> tuple[str, ...] | None:
        """The order for this sign while it is fresh and can be shown."""
        order = self._orders.get(device.device_id)
        fresh_at_ms = self._fresh_uptime_ms.get(device.device_id)
        if order is None or fresh_at_ms is None or not _fits(device, order.lines):
            return None
        is_stale = uptime_ms - fresh_at_ms > self._car_park.stale_after_ms
        return None if is_stale else order.lines


def stale_face(device: Device) -> tuple[str, ...]:
    return tuple(STALE for _ in device.lines)


def _fits(device: Device, lines: tuple[str, ...]) -> bool:
    """An order a sign cannot show is no order."""
    try:
        to_registers(lines)
    except BadFaceError:
        return False
    return len(lines) == len(device.lines)
