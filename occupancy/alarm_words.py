"""Chinese words for kinds and severities of alarms."""

from collections.abc import Mapping

from occupancy.alarm import AlarmKind, Severity

SEVERITY_WORDS: Mapping[Severity, str] = {
    Severity.CRITICAL: "严重",
    Severity.MAJOR: "重要",
    Severity.MINOR: "提示",
}
ALARM_WORDS: Mapping[AlarmKind, str] = {
    AlarmKind.LOT_SILENT: "车场失联",
    AlarmKind.DEVICE_OFFLINE: "设备离线",
    AlarmKind.SENSOR_STUCK: "地感卡住",
    AlarmKind.COUNT_IMPOSSIBLE: "计数不可能",
    AlarmKind.DRIFT: "余位漂移",
    AlarmKind.OUTBOX_GROWING: "网关积压",
    AlarmKind.RECORDER_BEHIND: "入库落后",
    AlarmKind.SIGN_DIFFERS: "诱导屏不符",
    AlarmKind.CLOCK_OFFSET: "网关时钟偏差",
    AlarmKind.TWO_EPOCHS: "两个网关",
    AlarmKind.UNREADABLE: "无法读取的数据",
    AlarmKind.CONGESTION_HIGH: "停车拥堵超限",
    AlarmKind.DATA_ACCESS_LOW: "数据接入率过低",
    AlarmKind.REPLICA_BEHIND: "只读副本落后",
    AlarmKind.CERTIFICATE_ENDS: "证书快到期",
    AlarmKind.CERTIFICATE_ENDED: "证书已到期",
}
