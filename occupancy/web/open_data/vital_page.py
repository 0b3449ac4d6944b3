"""`/vitals`: the vital signs for people, complete without a script, charts drawn by the server."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from aiohttp import web
from markupsafe import Markup

from occupancy.report.figures import write_number, write_share
from occupancy.vital_signs import CODES, CONGESTION_NOW, DISTRICT, Grain
from occupancy.vitals import CONGESTION_INDEX
from occupancy.web.formats import SHANGHAI
from occupancy.web.open_data import vital_charts
from occupancy.web.open_data.publication import Publication
from occupancy.web.open_data.vital_reading import SeriesSpan, VitalReading
from occupancy.web.open_data.vital_view import VitalPoint, VitalSign
from occupancy.web.pages import Pages
from occupancy.web.routes import Route
from occupancy.web.static_files import StaticFiles

DASH = "—"
HOUR_POINTS, LEAST_POINTS = 4, 12  # a line of three hours at least


class Card(NamedTuple):
    """One figure in words, beside what it is compared with."""

    sign: VitalSign
    value: str
    previous: str
    year_before: str
    period: str


class SubjectRow(NamedTuple):
    """One car park: its index now, of yesterday, and the last day drawn."""

    name: str
    now: Card | None
    day: Card | None
    drawn: Markup


class Part(NamedTuple):
    """A chart with its title, and what must be said of its beginning."""

    title: str
    drawn: Markup
    note: str


class VitalPage:
    """Made anew for each reader: it is read from PostgreSQL."""

    def __init__(
        self, reading: VitalReading, static: StaticFiles, publication: Publication
    ) -> None:
        self._reading = reading
        self._pages = Pages(static)
        self._publication = publication

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/vitals", self.page, "Vital signs", documented=False, is_page=True),
        ]

    async def page(self, _: web.Request, __: object) -> web.StreamResponse:
        now = await self._reading.newest(Grain.QUARTER)
        day = await self._reading.newest(Grain.DAY)
        subjects = self._reading.subjects
        hours = await self._reading.series(subjects, CONGESTION_NOW.code, SeriesSpan.DAY)
        heads = _of(now, DISTRICT, CONGESTION_NOW.code)
        text = self._pages.render(
            "vitals.html",
            now=heads,
            scale=vital_charts.scale(
                heads.sign.value if heads else None, f"指数 {heads.value if heads else DASH}"
            ),
            cards=[card_of(one) for one in day if one.subject == DISTRICT],
            rows=[
                _row(subject, self._reading.names, now, day, drawn)
                for subject, drawn in zip(subjects[1:], hours[1:], strict=True)
            ],
            hours=_hours(hours[0]),
            past=await self._past(),
            measures=[*CODES[Grain.QUARTER][:1], *CODES[Grain.DAY]],
            publication=self._publication,
        )
        headers = {"Cache-Control": "no-store"}
        return web.Response(text=text, content_type="text/html", headers=headers)

    async def _past(self) -> Part | None:
        """Months; days while there are not two of them; None before the first day is over."""
        told, named = self._reading.series, CONGESTION_INDEX.code
        (every,) = await told([DISTRICT], named, SeriesSpan.YEAR)
        months = vital_charts.since_known(every)
        if len(months) > 1:
            title = f"近 {len(months)} 个月"
            drawn = vital_charts.month_chart(months, f"全区停车拥堵指数，{title}")
            note = "" if len(months) == len(every) else "更早没有数据。"
            return Part(title, drawn, "每月各日最挤 3 小时的平均，按泊位加权；" + note)
        (lately,) = await told([DISTRICT], named, SeriesSpan.DAYS)
        days = vital_charts.since_known(lately)
        if not days:
            return None
        title = f"近 {len(days)} 天"
        drawn = vital_charts.days_chart(days, f"全区停车拥堵指数，{title}")
        return Part(title, drawn, "每日最挤 3 小时的平均，按泊位加权；满两个月后改为按月。")


def _hours(points: Sequence[VitalPoint]) -> Part | None:
    """The last day, or as much of it as there is; None where there is nothing."""
    known = vital_charts.since_known(points, LEAST_POINTS)
    if not known:
        return None
    title = f"近 {round(len(known) / HOUR_POINTS)} 小时"
    note = "" if len(known) == len(points) else f"{known[0].from_[11:16]} 以前没有数据。"
    drawn = vital_charts.day_chart(known, f"全区停车拥堵指数，{title}，每 15 分钟")
    return Part(title, drawn, note)


def card_of(sign: VitalSign) -> Card:
    return Card(
        sign,
        words_of(sign.value, sign.unit),
        words_of(sign.previous, sign.unit),
        words_of(sign.year_before, sign.unit),
        period_words(sign),
    )


def words_of(value: float | None, unit: str) -> str:
    """A share as per cent; a figure that nobody knows is a dash."""
    if value is None:
        return DASH
    return write_share(value) if unit == "比例" else write_number(value, 1)


def period_words(sign: VitalSign) -> str:
    """11 月 23 日 08:00, 11 月 23 日 or 2026 年 11 月."""
    at = dt.datetime.fromisoformat(sign.period.from_).astimezone(SHANGHAI)
    if sign.period.grain is Grain.MONTH:
        return f"{at.year} 年 {at.month} 月"
    day = f"{at.month} 月 {at.day} 日"
    return f"{day} {at:%H:%M} 起 15 分钟" if sign.period.grain is Grain.QUARTER else day


def _row(
    subject: str,
    names: Mapping[str, str],
    now: Sequence[VitalSign],
    day: Sequence[VitalSign],
    points: Sequence[VitalPoint],
) -> SubjectRow:
    name = names[subject]
    return SubjectRow(
        name,
        _of(now, subject, CONGESTION_NOW.code),
        _of(day, subject, CONGESTION_INDEX.code),
        vital_charts.small_chart(points, f"{name}，近 24 小时"),
    )


def _of(signs: Sequence[VitalSign], subject: str, code: str) -> Card | None:
    found = (one for one in signs if (one.subject, one.code) == (subject, code))
    sign = next(found, None)
    return None if sign is None else card_of(sign)
