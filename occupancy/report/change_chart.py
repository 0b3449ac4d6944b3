"""The picture of a change: each day's district total, and what it would have been without."""

from occupancy.calendar import date_of
from occupancy.effect.change import Change
from occupancy.effect.interrupted import BeforeAfter
from occupancy.report.document import Chart
from occupancy.report.picture import EffectSeries, Line

MOST_TICKS = 7


def draw_change(change: Change, judged: BeforeAfter, name: str) -> Chart:
    """`name` as files are called; days are counted from the first one."""
    metric = change.metric
    first = judged.days[0].day
    was = Line(
        metric.words,
        tuple(float(one.day - first) for one in judged.days),
        tuple(one.value for one in judged.days),
    )
    since = [one.day for one in judged.days if one.day >= change.day]
    without = Line(
        "若没有这项变化",
        tuple(float(day - first) for day in since),
        tuple(judged.otherwise.get(day) for day in since),
    )
    unit = metric.unit if metric.is_sum else "%"
    return Chart(
        name=name,
        title=f"{change.name}：变化前后的{metric.words}",
        picture=EffectSeries(
            (was,),
            (without,) if judged.otherwise else (),
            _ticks(judged, first),
            ((float(change.day - first), _date(change.day)),),
            unit=unit,
            scale=metric.scale,
        ),
        reading=(
            "实线是每天的全区合计，竖线是变化的那一天；虚线按变化前的趋势、星期和节假日推算，"
            "两条线之间的距离就是估计的作用。断开处数据不足九成。"
        ),
        alt=judged.evidence.words,
    )


def _ticks(judged: BeforeAfter, first: int) -> tuple[tuple[float, str], ...]:
    every = max(1, -(-len(judged.days) // MOST_TICKS))
    return tuple((float(one.day - first), _date(one.day)) for one in judged.days[::every])


def _date(day: int) -> str:
    date = date_of(day)
    return f"{date.month}-{date.day}"
