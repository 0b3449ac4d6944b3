"""Every tariff in force, ready to quote, by its id; one that breaks rules is left out and named."""

from collections.abc import Iterable, Mapping

from occupancy.calendar import Calendar, DayType
from occupancy.tariff import Tariff
from occupancy.tariff_check import Finding, errors_of
from occupancy.tariff_entry import PricedVersion, price_versions


class UnknownTariffError(Exception):
    """There is no such tariff, or it breaks rules and is not used."""


class TariffBook:
    """What a web process quotes from; made anew whenever a tariff or the calendar changes."""

    def __init__(
        self, tariffs: Iterable[Tariff], overrides: Mapping[int, DayType] | None = None
    ) -> None:
        calendar = Calendar(overrides)
        by_id: dict[str, list[Tariff]] = {}
        self.refused: dict[str, list[Finding]] = {}
        for tariff in tariffs:
            by_id.setdefault(tariff.tariff_id, []).append(tariff)
        for tariff_id, versions in by_id.items():
            if found := [finding for one in versions for finding in errors_of(one)]:
                self.refused[tariff_id] = found
        self._priced = {
            tariff_id: price_versions(versions, calendar)
            for tariff_id, versions in by_id.items()
            if tariff_id not in self.refused
        }

    def get_versions(self, tariff_id: str) -> tuple[PricedVersion, ...]:
        try:
            return self._priced[tariff_id]
        except KeyError:
            raise UnknownTariffError(tariff_id) from None

    def find_current(self, tariff_id: str, minute: int) -> Tariff | None:
        """The version in force at a local minute."""
        for version in reversed(self._priced.get(tariff_id, ())):
            if version.tariff.valid_from <= minute:
                return version.tariff if minute < version.until else None
        return None
