"""The lists operators export: the columns of each, and its rows as the database gives them."""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from occupancy import database_audit, database_explore
from occupancy.audit import Recorded
from occupancy.calendar_year import YearDay
from occupancy.database import Pool
from occupancy.database_alarms import KeptAlarm
from occupancy.database_audit import ANY, Wanted
from occupancy.database_tariffs import Version
from occupancy.explore import Curve, Explored, Plan, Subject
from occupancy.export_cells import Column, Kind, Row
from occupancy.price_words import DAY_TYPES, Language
from occupancy.tariff_clock import utc_ms

AUDIT = (
    Column("序号", Kind.NUMBER),
    Column("时间", Kind.MOMENT),
    Column("操作人"),
    Column("操作"),
    Column("对象"),
    Column("停车场"),
    Column("原因"),
    Column("之前"),
    Column("之后"),
)
ALARMS = (
    Column("序号", Kind.NUMBER),
    Column("停车场"),
    Column("类别"),
    Column("级别"),
    Column("对象"),
    Column("内容"),
    Column("发生", Kind.MOMENT),
    Column("恢复", Kind.MOMENT),
    Column("确认", Kind.MOMENT),
    Column("确认人"),
    Column("备注"),
)
VERSIONS = (
    Column("编号"),
    Column("版本", Kind.NUMBER),
    Column("名称"),
    Column("生效", Kind.MOMENT),
    Column("失效", Kind.MOMENT),
    Column("发布人"),
    Column("发布", Kind.MOMENT),
    Column("撤回人"),
    Column("撤回", Kind.MOMENT),
    Column("撤回原因"),
)
CALENDAR = (
    Column("日期", Kind.DATE),
    Column("类型"),
    Column("公布的类型"),
    Column("节日"),
    Column("修改原因"),
    Column("修改人"),
    Column("修改时间", Kind.MOMENT),
)
_CURVE = (
    Column("在场", Kind.NUMBER),
    Column("空闲", Kind.NUMBER),
    Column("进场", Kind.NUMBER),
    Column("出场", Kind.NUMBER),
    Column("数据完整", Kind.PERCENT),
)
EXPLORED = (Column("停车场"), Column("时间", Kind.MOMENT), *_CURVE)
COMPARED = (
    *EXPLORED,
    Column("对比时间", Kind.MOMENT),
    *(Column(f"对比{column.title}", column.kind) for column in _CURVE),
)


async def audit_rows(connections: Pool, wanted: Wanted = ANY) -> AsyncIterator[Row]:
    """The newest first."""
    async for record in database_audit.iterate_newest(connections, wanted):
        yield _audit_row(record)


def _audit_row(record: Recorded) -> Row:
    return (
        *(record.number, record.at_ms, record.who, record.action, record.subject, record.lot_id),
        *(record.reason, _json(record.before), _json(record.after)),
    )


def _json(value: Any) -> str:  # noqa: ANN401 -- whatever was recorded
    return "" if value is None else msgspec.json.encode(value).decode()


def alarm_rows(alarms: Iterable[KeptAlarm]) -> Iterator[Row]:
    for kept in alarms:
        alarm = kept.alarm
        yield (
            *(kept.alarm_id, alarm.key.lot_id, alarm.key.kind.value, alarm.severity.value),
            *(alarm.key.subject, alarm.words, alarm.raised_at_ms, alarm.cleared_at_ms),
            *(kept.acknowledged_at_ms, kept.acknowledged_by, kept.note),
        )


def version_rows(versions: Iterable[Version]) -> Iterator[Row]:
    for one in versions:
        tariff, gone = one.tariff, one.withdrawn
        valid_to = None if tariff.valid_to is None else utc_ms(tariff.valid_to)
        yield (
            *(tariff.tariff_id, tariff.version, tariff.name, utc_ms(tariff.valid_from), valid_to),
            *(one.published_by, one.published_at_ms),
            *((None, None, None) if gone is None else (gone.by, gone.at_ms, gone.reason)),
        )


def calendar_rows(days: Iterable[YearDay]) -> Iterator[Row]:
    for one in days:
        said = one.override
        types = (DAY_TYPES[kind][Language.CHINESE] for kind in (one.day_type, one.published))
        yield (
            *(one.day.isoformat(), *types, one.holiday),
            *((None,) * 3 if said is None else (said.reason, said.changed_by, said.changed_at_ms)),
        )


async def explored_rows(
    connections: Pool, names: Mapping[Subject, str], plan: Plan, weeks_back: int = 0
) -> AsyncIterator[Row]:
    """Each subject's steps under its name: EXPLORED, or COMPARED with weeks. Lot by lot."""
    for subject, name in names.items():
        explored = await database_explore.explore(connections, subject, plan, weeks_back)
        for row in _steps(name, explored):
            yield row


def _steps(name: str, explored: Explored) -> Iterator[Row]:
    now = zip(*_columns(explored.now), strict=True)
    if explored.before is None:
        yield from ((name, *row) for row in now)
        return
    before = zip(*_columns(explored.before), strict=True)
    yield from ((name, *row, *then) for row, then in zip(now, before, strict=True))


def _columns(curve: Curve) -> Sequence[Sequence[float | None]]:
    return (
        *(curve.times_ms, curve.occupied, curve.free, curve.entries, curve.exits),
        curve.completeness,
    )
