"""Random tariffs and stays: any rule with any other, from one random source."""

from random import Random

from occupancy.calendar import DayType
from occupancy.stay import EarlierStay, Stay
from occupancy.tariff import (
    Band,
    Cap,
    CapWindow,
    Crossing,
    DayPlan,
    Edge,
    Exemption,
    FreeAgain,
    FreeMode,
    FreePeriod,
    NewEnergy,
    Period,
    Rate,
    Repeat,
    RepeatMode,
    Restart,
    Rounding,
    Seconds,
    Tariff,
    Tier,
    VehicleClass,
    Waiver,
)
from occupancy.tariff_clock import utc_ms

FIRST_DAY, LAST_DAY = 20_454, 21_200  # 2026-01-01 to 2028-01-17: into years nobody published
UNITS = (15, 20, 30, 45, 60, 90, 120, 240, 480, 720, 1440, 7, 1)
ALL_DAYS = tuple(DayType)
DAY_SPLITS: tuple[tuple[tuple[DayType, ...], ...], ...] = (
    (ALL_DAYS,),
    (
        (DayType.WORKDAY, DayType.MAKEUP_WORKDAY),
        (DayType.WEEKEND, DayType.PUBLIC_HOLIDAY),
    ),
    (
        (DayType.WORKDAY,),
        (DayType.WEEKEND,),
        (DayType.PUBLIC_HOLIDAY,),
        (DayType.MAKEUP_WORKDAY,),
    ),
)
BAND_NAMES = ("白天", "夜间", "高峰", "平峰")


def random_tiers(rng: Random) -> tuple[Tier, ...]:
    def tier(units: int | None) -> Tier:
        return Tier(rng.choice(UNITS), rng.choice((0, 1, 50, 100, 250, 333, 500, 1000)), units)

    firsts = tuple(tier(rng.choice((1, 1, 2, 4))) for _ in range(rng.choice((0, 1, 1, 2))))
    return (*firsts, tier(None))


def random_band(rng: Random, name: str) -> Band:
    if rng.random() < 0.12:
        return Band(name)
    return Band(name, random_tiers(rng), rng.choice((None, None, 500, 1200)))


def random_plan(rng: Random, day_types: tuple[DayType, ...], names: list[str]) -> DayPlan:
    count = rng.randint(1, len(names))
    if count == 1:
        start = rng.choice((0, 0, 480))
        return DayPlan(day_types, (Period(start, start, rng.choice(names)),))
    step = rng.choice((1, 30, 60))
    edges = sorted(rng.sample(range(0, 1440, step), count))
    chosen = rng.sample(names, count)
    ends = [*edges[1:], edges[0]]
    return DayPlan(day_types, tuple(map(Period, edges, ends, chosen)))


def random_free(rng: Random) -> FreePeriod:
    minutes = rng.choice((0, 0, 15, 30, 30, 60, 120))
    mode = rng.choice(tuple(FreeMode))
    daily = mode is FreeMode.DEDUCTIBLE and rng.random() < 0.2
    again = FreeAgain.DAY if daily and minutes else FreeAgain.STAY
    return FreePeriod(minutes, mode, rng.random() < 0.7, again, jump_is_meant=True)


def random_cap(rng: Random) -> Cap | None:
    if rng.random() < 0.3:
        return None
    amounts = rng.choice(((3000,), (1500,), (3000, 4000, 5000), (2000, 1000), (0, 1000)))
    return Cap(rng.choice(tuple(CapWindow)), amounts)


def random_rate(rng: Random, vehicles: tuple[VehicleClass, ...]) -> Rate:
    names = list(BAND_NAMES[: rng.choice((1, 1, 2, 2, 3, 4))])
    plans = [random_plan(rng, days, names) for days in rng.choice(DAY_SPLITS)]
    used = [name for name in names if any(p.band == name for plan in plans for p in plan.periods)]
    return Rate(
        vehicles,
        tuple(random_band(rng, name) for name in used),
        tuple(plans),
        random_free(rng),
        random_cap(rng),
    )


def random_waiver(rng: Random) -> Waiver:
    first = rng.randint(FIRST_DAY, FIRST_DAY + 60)
    start, end = rng.choice(((0, 1440), (540, 1020), (0, 60), (1200, 1440)))
    return Waiver("节日免费", "holiday waiver", first, first + rng.randint(0, 10), start, end)


def random_grace(rng: Random, rates: tuple[Rate, ...]) -> int:
    units = [tier.unit_minutes for rate in rates for band in rate.bands for tier in band.tiers]
    return min(rng.choice((0, 0, 0, 5, 15)), min(units, default=1) - 1)


def random_tariff(
    rng: Random, *, version: int = 1, valid_from: int = 0, crossing: Crossing | None = None
) -> Tariff:
    vehicles = tuple(VehicleClass)
    groups = rng.choice(((vehicles,), ((VehicleClass.CAR,), vehicles[:1] + vehicles[2:])))
    rates = tuple(random_rate(rng, group) for group in groups)
    repeats = [None, None, Repeat(RepeatMode.ONCE, rng.random() < 0.5)]
    if all(rate.cap for rate in rates):
        repeats.append(Repeat(RepeatMode.SHARED_CAP, rng.random() < 0.5))
    rounding = rng.choice((Rounding.UP, Rounding.UP, Rounding.DOWN))
    return Tariff(
        tariff_id="random",
        version=version,
        name="任意停车场",
        service="机动车停放服务",
        complaints="12345",
        valid_from=valid_from,
        rates=rates,
        edge=rng.choice(tuple(Edge)),
        rounding=rounding,
        grace_minutes=0 if rounding is Rounding.DOWN else random_grace(rng, rates),
        restart=rng.choice(tuple(Restart)),
        repeat=rng.choice(repeats),
        mechanical=rng.random() < 0.5,
        new_energy=rng.choice(
            (
                None,
                NewEnergy(60),
                NewEnergy(120, FreeAgain.STAY, 50, in_mechanical=True),
                NewEnergy(0, percent=33, in_mechanical=True),
            )
        ),
        exemptions=(
            Exemption("military", "军警车辆", "military and police vehicles"),
            Exemption("disabled", "残疾人车辆", "vehicles of disabled people", 50),
        ),
        waivers=tuple(random_waiver(rng) for _ in range(rng.choice((0, 0, 1, 2)))),
        seconds=rng.choice(tuple(Seconds)),
        crossing=crossing or Crossing.BY_ENTRY,
    )


def random_versions(rng: Random) -> list[Tariff]:
    """One tariff's versions: mostly one, at times two or three that follow each other."""
    crossing = rng.choice(tuple(Crossing))
    later = (
        rng.randint(FIRST_DAY, FIRST_DAY + 60) * 1440 + rng.choice((0, 0, 480, 1))
        for _ in range(rng.choice((0, 0, 0, 1, 2)))
    )
    return [
        random_tariff(rng, version=number, valid_from=start, crossing=crossing)
        for number, start in enumerate(sorted({0, *later}), 1)
    ]


def random_stay(rng: Random, tariff: Tariff) -> Stay:
    day = rng.choice((rng.randint(FIRST_DAY, FIRST_DAY + 70), rng.randint(FIRST_DAY, LAST_DAY)))
    clock = rng.choice((rng.randint(0, 1439), rng.choice((0, 420, 480, 539, 1140, 1439))))
    longest = rng.choice((90, 300, 300, 1500, 1500, 5000, 11_000))
    arrive = utc_ms(day * 1440 + clock) + rng.choice((0, rng.randint(0, 59_999)))
    lasted = rng.randint(0, longest) * 60_000 + rng.choice((0, rng.randint(0, 59_999)))
    earlier = random_earlier(rng, arrive) if tariff.repeat and rng.random() < 0.7 else ()
    return Stay(
        arrive,
        arrive + lasted,
        rng.choice(tuple(VehicleClass)),
        rng.random() < 0.3,
        rng.choice((None, None, None, None, "military", "disabled")),
        earlier,
    )


def random_earlier(rng: Random, arrive: int) -> tuple[EarlierStay, ...]:
    before = sorted(rng.sample(range(3000), 4), reverse=True)
    moments = [arrive - minutes * 60_000 for minutes in before]
    stays = (
        EarlierStay(moments[0], moments[1], rng.choice((0, 500, 1000))),
        EarlierStay(moments[2], moments[3], rng.choice((0, 500, 1000))),
    )
    return stays[rng.randint(0, 1) :]
