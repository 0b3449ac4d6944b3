"""The price board in words, made from the tariff itself, complete enough to be read back.

The rows are what the provincial rule wants to be shown: 服务内容, 收费标准, 计费方法,
免费停车时限, 投诉电话.
"""

from collections.abc import Iterator, Sequence

import msgspec

from occupancy.calendar import DayType, date_of
from occupancy.price_words import (
    BOARD,
    DAY_TYPES,
    VEHICLES,
    Language,
    one_unit,
    span,
    until_clock,
    yuan,
)
from occupancy.tariff import (
    Band,
    Cap,
    CapWindow,
    DayPlan,
    FreeAgain,
    FreeMode,
    FreePeriod,
    NewEnergy,
    Period,
    Rate,
    Rounding,
    Tariff,
    Tier,
    VehicleClass,
)
from occupancy.tariff_clock import DAY_MINUTES, clock_words, written

_WHOLE = 100


class BoardRow(msgspec.Struct, frozen=True):
    """One heading of the price board and what stands under it."""

    label: str
    lines: tuple[str, ...]


class PriceBoard:
    """Writes one tariff's board in one language."""

    def __init__(self, language: Language = Language.CHINESE) -> None:
        self.language = language

    def rows(self, tariff: Tariff) -> tuple[BoardRow, ...]:
        return (
            BoardRow(self._say("service"), (tariff.service,)),
            BoardRow(self._say("price"), tuple(self._prices(tariff))),
            BoardRow(self._say("method"), tuple(self._methods(tariff))),
            BoardRow(self._say("free"), tuple(self._free_of(rate) for rate in tariff.rates)),
            BoardRow(self._say("complaints"), (tariff.complaints,)),
        )

    def short_price(self, rate: Rate) -> str:
        """One line for a list of car parks."""
        bands = [
            self.band_price(band)
            if len(rate.bands) == 1
            else self._say("band", name=band.name, price=self.band_price(band))
            for band in rate.bands
        ]
        caps = [self.cap(rate.cap)] if rate.cap else []
        return self._say("between_sentences").join([*bands, *caps])

    def _say(self, key: str, **words: object) -> str:
        return BOARD[key][self.language].format(**words)

    def _join(self, parts: Sequence[str], by: str = "between_parts") -> str:
        return self._say(by).join(parts)

    def _money(self, fen: int) -> str:
        return yuan(fen, self.language)

    def _span(self, minutes: int) -> str:
        return span(minutes, self.language)

    def vehicles(self, vehicles: Sequence[VehicleClass]) -> str:
        return self._join([VEHICLES[one][self.language] for one in vehicles], "between_names")

    def _of(self, rate: Rate) -> str:
        return self._say("of_vehicles", vehicles=self.vehicles(rate.vehicles))

    def _prices(self, tariff: Tariff) -> Iterator[str]:
        for rate in tariff.rates:
            for band in rate.bands:
                priced = self._say("band", name=band.name, price=self.band_price(band))
                yield self._of(rate) + priced
            for plan in rate.day_plans:
                yield self._of(rate) + self._plan(plan)
            if rate.cap:
                yield self._of(rate) + self.cap(rate.cap)

    def band_price(self, band: Band) -> str:
        if not band.tiers:
            return self._say("band_free")
        parts = [self._tier(tier, number, band) for number, tier in enumerate(band.tiers)]
        if band.cap_fen is not None:
            parts.append(self._say("band_cap", money=self._money(band.cap_fen)))
        return self._join(parts)

    def _tier(self, tier: Tier, number: int, band: Band) -> str:
        money, unit = self._money(tier.price_fen), one_unit(tier.unit_minutes, self.language)
        if tier.units is None:
            key = "tier_only" if len(band.tiers) == 1 else "tier_last"
            return self._say(key, unit=unit, money=money)
        place = "first" if number == 0 else "next"
        many = "one" if tier.units == 1 else "many"
        whole = self._span(tier.units * tier.unit_minutes)
        return self._say(f"tier_{place}_{many}", span=whole, unit=unit, money=money)

    def _plan(self, plan: DayPlan) -> str:
        days = self._join(
            [DAY_TYPES[one][self.language] for one in plan.day_types], "between_names"
        )
        if set(plan.day_types) == set(DayType):
            days = self._say("every_day")
        periods = self._join([self._period(period) for period in plan.periods])
        return self._say("plan", days=days, periods=periods)

    def _period(self, period: Period) -> str:
        start, end = period.start_minute, period.end_minute
        if start == 0 and end in (0, DAY_MINUTES):
            return self._say("period_all_day", band=period.band)
        end_words = until_clock(start, end, self.language)
        return self._say("period", start=clock_words(start), end=end_words, band=period.band)

    def cap(self, cap: Cap) -> str:
        per = "day" if cap.window is CapWindow.CALENDAR_DAY else "24h"
        if len(cap.amounts_fen) == 1:
            return self._say(f"cap_{per}", money=self._money(cap.amounts_fen[0]))
        last = len(cap.amounts_fen)
        amounts = [
            self._say(
                "cap_rest" if number == last else "cap_nth", number=number, money=self._money(fen)
            )
            for number, fen in enumerate(cap.amounts_fen, 1)
        ]
        return self._say(f"cap_{per}s", amounts=self._join(amounts))

    def _free_of(self, rate: Rate) -> str:
        return self._of(rate) + self.free(rate.free)

    def free(self, free: FreePeriod) -> str:
        if free.minutes == 0:
            return self._say("free_none")
        if free.mode is FreeMode.DEDUCTIBLE:
            key = "free_daily" if free.again is FreeAgain.DAY else "free_deductible"
        else:
            key = "free_inclusive" if free.inclusive else "free_exclusive"
        return self._say(key, span=self._span(free.minutes))

    def _methods(self, tariff: Tariff) -> Iterator[str]:
        yield self._say(f"edge_{tariff.edge}")
        yield self._rounding(tariff)
        yield self._say(f"restart_{tariff.restart}")
        yield self._say(f"seconds_{tariff.seconds}")
        if tariff.repeat:
            again = "free_again" if tariff.repeat.free_again else "free_not_again"
            yield self._join([self._say(f"repeat_{tariff.repeat.mode}"), self._say(again)])
        if tariff.mechanical:
            yield self._say("mechanical")
        yield from self._discounts(tariff)
        yield from self._waivers(tariff)
        yield self._say("max_stay", span=self._span(tariff.max_stay_minutes))
        yield self._say(f"crossing_{tariff.crossing}")
        start = written(tariff.valid_from)
        if tariff.valid_to is None:
            yield self._say("valid_from", start=start)
        else:
            yield self._say("valid_to", start=start, end=written(tariff.valid_to))

    def _rounding(self, tariff: Tariff) -> str:
        if tariff.rounding is Rounding.UP and tariff.grace_minutes:
            return self._say("rounding_grace", span=self._span(tariff.grace_minutes))
        return self._say(f"rounding_{tariff.rounding}")

    def _discounts(self, tariff: Tariff) -> Iterator[str]:
        if tariff.new_energy:
            parts = self._join(list(self._new_energy(tariff.new_energy)))
            yield self._say("new_energy", rule=parts)
        for exemption in tariff.exemptions:
            name = (exemption.name, exemption.name_en)[self.language]
            percent = self._percent(exemption.percent)
            yield self._say("exemption", name=name, kind=exemption.kind, rule=percent)

    def _new_energy(self, rule: NewEnergy) -> Iterator[str]:
        if rule.free_minutes:
            key = "new_energy_day" if rule.again is FreeAgain.DAY else "new_energy_stay"
            yield self._say(key, span=self._span(rule.free_minutes))
        if rule.percent < _WHOLE:
            yield self._percent(rule.percent)
        yield self._say("in_mechanical" if rule.in_mechanical else "not_in_mechanical")

    def _percent(self, percent: int) -> str:
        key = "pays_nothing" if percent == 0 else "pays_percent"
        return self._say(key, percent=percent)

    def _waivers(self, tariff: Tariff) -> Iterator[str]:
        for waiver in tariff.waivers:
            yield self._say(
                "waiver",
                name=(waiver.name, waiver.name_en)[self.language],
                first=date_of(waiver.first_day).isoformat(),
                last=date_of(waiver.last_day).isoformat(),
                start=clock_words(waiver.start_minute),
                end=clock_words(waiver.end_minute),
            )
