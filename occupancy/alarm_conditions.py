"""What is measured of one car park that may be worth an alarm, in the operators' words."""

import math

import msgspec

from gateway.observation import (
    HEARTBEAT_DOUBT,
    LOOP_DOUBT,
    NEARLY_FULL_DOUBT,
    DeviceState,
    FaceState,
    Observation,
)
from gateway.reconcile import balance_of, drift, drift_limit_cars
from occupancy.alarm import AlarmKind, Condition, Key
from occupancy.stuck_loops import StuckLoops

_STUCK = {HEARTBEAT_DOUBT: "控制器心跳停止，程序可能已死机", LOOP_DOUBT: "地感线圈或电缆断开"}


class LotFacts(msgspec.Struct, frozen=True):
    """One car park as the service's own side sees it. Times are UTC milliseconds.

    `news` is the newest observation, its gateway's clock `offset_ms` behind ours. Rows that wait
    in the gateway's outbox and in the stream are None while unknown. `rival_epoch` is a second
    memory that speaks for the same car park.
    """

    lot_id: str
    watched_since_ms: int
    news: Observation | None = None
    offset_ms: int = 0
    loops: StuckLoops = StuckLoops()
    rows_in_outbox: int | None = None
    rows_in_stream: int | None = None
    unreadable_entries: int = 0
    rival_epoch: int | None = None


def list_conditions(facts: LotFacts, now_ms: int) -> list[Condition]:
    """Everything that is measured; whether it is too much, the rules say."""
    found = [*_about_service(facts), *_about_silence(facts, now_ms)]
    if facts.news is not None:
        found += _about_devices(facts.news, now_ms - facts.offset_ms)
        found += _about_counts(facts.news)
        found += _about_loops(facts)
    return found


def _about_silence(facts: LotFacts, now_ms: int) -> list[Condition]:
    if facts.news is None:
        seconds = (now_ms - facts.watched_since_ms) / 1_000
        words = "尚未收到该停车场网关的任何数据"
    else:
        seconds = (now_ms - facts.news.observed_at_ms - facts.offset_ms) / 1_000
        words = "停车场网关失联，对外显示为“—”"
    return [_condition(facts, AlarmKind.LOT_SILENT, "", seconds, words)]


def _about_service(facts: LotFacts) -> list[Condition]:
    found = []
    if facts.rows_in_outbox is not None:
        words = "网关缓存积压：历史数据未能上传"
        rows = float(facts.rows_in_outbox)
        found.append(_condition(facts, AlarmKind.OUTBOX_GROWING, "", rows, words))
    if facts.rows_in_stream is not None:
        words = "记录程序落后：历史数据尚未写入数据库"
        rows = float(facts.rows_in_stream)
        found.append(_condition(facts, AlarmKind.RECORDER_BEHIND, "", rows, words))
    if facts.offset_ms:
        seconds = facts.offset_ms / 1_000
        words = f"网关时钟与本机相差 {-seconds:+.0f} 秒"
        found.append(_condition(facts, AlarmKind.CLOCK_OFFSET, "", abs(seconds), words))
    if facts.unreadable_entries:
        words = f"{facts.unreadable_entries} 条数据无法读取，已另存待查"
        count = float(facts.unreadable_entries)
        found.append(_condition(facts, AlarmKind.UNREADABLE, "", count, words))
    if facts.rival_epoch is not None:
        words = f"两台网关同时上报同一停车场（纪元 {facts.rival_epoch}），只采信较新者"
        found.append(_condition(facts, AlarmKind.TWO_EPOCHS, "", 1.0, words))
    return found


def _about_devices(news: Observation, gateway_now_ms: int) -> list[Condition]:
    found = []
    for device in news.devices:
        if device.state is DeviceState.LOST:
            silent = math.inf
            if device.last_answer_at_ms is not None:
                silent = (gateway_now_ms - device.last_answer_at_ms) / 1_000
            key = Key(AlarmKind.DEVICE_OFFLINE, news.lot_id, device.device_id)
            found.append(Condition(key, silent, f"设备 {device.device_id} 离线"))
    sources = [(lane.device_id, lane.doubts) for lane in news.lanes]
    sources += [(group.device_id, group.doubts) for group in news.groups]
    for device_id, doubts in sources:
        stuck = [words for doubt, words in _STUCK.items() if doubt in doubts]
        if stuck:
            key = Key(AlarmKind.SENSOR_STUCK, news.lot_id, device_id)
            found.append(Condition(key, math.inf, f"{device_id}：{'；'.join(stuck)}"))
    found += [
        Condition(
            Key(AlarmKind.SIGN_DIFFERS, news.lot_id, sign.device_id),
            1.0,
            f"诱导屏 {sign.device_id} 显示 {_shown(sign.reported)}，应为 {_shown(sign.desired)}",
        )
        for sign in news.signs
        if sign.state is FaceState.DIFFERS
    ]
    return found


def _about_counts(news: Observation) -> list[Condition]:
    found = []
    spaces = balance_of(news)
    if spaces.doubts:
        words = f"车位数不可能：{'；'.join(spaces.doubts)}"
        key = Key(AlarmKind.COUNT_IMPOSSIBLE, news.lot_id, "")
        found.append(Condition(key, 1.0, words))
    drifted = (
        None if news.cars_inside is None else drift(news.cars_inside, news.groups, news.unseen_cars)
    )
    if drifted is not None:
        times = abs(drifted) / drift_limit_cars(spaces.capacity)
        words = f"进出计数比机械车位{'多' if drifted > 0 else '少'} {abs(drifted)} 辆，请盘点校准"
        found.append(Condition(Key(AlarmKind.DRIFT, news.lot_id, ""), times, words))
    if NEARLY_FULL_DOUBT in news.doubts:
        key = Key(AlarmKind.OUTBOX_GROWING, news.lot_id, "disk")
        found.append(Condition(key, math.inf, "网关缓存将满：历史数据长期未能上传"))
    return found


def _about_loops(facts: LotFacts) -> list[Condition]:
    loops = facts.loops
    spoken = (
        ("entry", loops.stored_unseen, "入口", "存入"),
        ("exit", loops.fetched_unseen, "出口", "取走"),
    )
    return [
        _condition(
            facts,
            AlarmKind.SENSOR_STUCK,
            direction,
            float(cars),
            f"机械车位{moved} {cars} 辆车期间{gate}计数未动，{gate}检测器可能失效",
        )
        for direction, cars, gate, moved in spoken
        if cars
    ]


def _condition(
    facts: LotFacts, kind: AlarmKind, subject: str, value: float, words: str
) -> Condition:
    return Condition(Key(kind, facts.lot_id, subject), value, words)


def _shown(lines: tuple[str, ...] | None) -> str:
    return "/".join(lines or ()) or "空白"
