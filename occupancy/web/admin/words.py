"""Chinese words of what the operators' pages show: roles, states, alarms, deeds."""

import datetime as dt
from collections.abc import Callable, Mapping

import msgspec

from gateway.observation import Basis, DeviceState, FaceState, GroupState
from occupancy.alarm import AlarmKind
from occupancy.alarm_words import ALARM_WORDS, SEVERITY_WORDS
from occupancy.audit import Recorded
from occupancy.calendar import DayType
from occupancy.live import Quality, Status, Trend
from occupancy.permissions import ROLES as PERMISSIONS_OF
from occupancy.permissions import ForbiddenError, Permission, Role
from occupancy.price_words import DAY_TYPES, Language, yuan
from occupancy.restriction import Extent, Restriction
from occupancy.tariff_draft import DraftState
from occupancy.web.board_view import DASH, WORDS
from occupancy.web.formats import SHANGHAI

SURE = 0.995
STEPS: Mapping[int, str] = {
    10: "10 秒",
    60: "1 分钟",
    900: "15 分钟",
    3_600: "1 小时",
    86_400: "1 天",
}
# On what the curves of the explore page stand.
EXPLORE_BASIS: Mapping[str, str] = {
    "lot": "依据：网关每秒的观测。短于 15 分钟的步长是其间的平均，其余取每刻钟开始时的值；"
    "进出是两端累计数之差。",
    "group": "依据：机组控制器报告的在场车辆。机组没有自己的进出口，所以没有进出；余位不单独保存。",
    "lane": "依据：车道计数器累计数之差，也就是通过的车辆。",
    "level": "依据：记录程序每分钟看一次各层。机组跨几层，旧历史分不出层，所以更早的时段是空白。",
    "device": "依据：记录程序每分钟看一次网关报告的设备状态。曲线是看到它在线的时间占百分之几。",
}
ROLES: Mapping[Role, str] = {
    Role.OPERATOR: "值班员",
    Role.MANAGER: "车场经理",
    Role.APPROVER: "收费复核人",
    Role.PLANNER: "规划人员",
    Role.AUDITOR: "审计员",
    Role.ADMIN: "管理员",
}
PERMISSIONS: Mapping[Permission, str] = {
    Permission.SEE: "查看实时页面",
    Permission.CALIBRATE: "校准余位",
    Permission.CLOSE: "开放、停用和预留",
    Permission.OVERRIDE_SIGN: "接管诱导屏",
    Permission.ACKNOWLEDGE: "处理告警",
    Permission.EDIT_RULES: "修改告警规则",
    Permission.DRAFT_TARIFF: "起草收费标准",
    Permission.APPROVE_TARIFF: "复核收费标准",
    Permission.EDIT_CALENDAR: "修改日历",
    Permission.EDIT_SITES: "修改建设项目",
    Permission.EDIT_LOTS: "修改车场资料",
    Permission.JOIN_LOTS: "接入和移除车场",
    Permission.EXPERIMENT: "做诱导实验",
    Permission.EXPORT: "导出数据",
    Permission.PUBLISH_REPORT: "发布报告和设发送计划",
    Permission.SEE_AUDIT: "查看操作日志",
    Permission.STUDY: "试算方案",
    Permission.MANAGE_USERS: "管理用户",
    Permission.SEE_SETTINGS: "查看系统设置",
}
STATUS: Mapping[Status, str] = WORDS.status
TREND: Mapping[Trend, str] = WORDS.trend
SIGN: Mapping[FaceState, str] = WORDS.sign
SEVERITY = SEVERITY_WORDS
ALARM = ALARM_WORDS
DEVICE: Mapping[DeviceState, str] = {
    DeviceState.ONLINE: "在线",
    DeviceState.LATE: "迟缓",
    DeviceState.LOST: "离线",
    DeviceState.SUSPECT: "数据存疑",
}
GROUP: Mapping[GroupState, str] = {
    GroupState.WORKING: "运行",
    GroupState.JAMMED: "故障停用",
    GroupState.MAINTENANCE: "检修",
    GroupState.SILENT: "失联",
}
QUALITY: Mapping[Quality, str] = {
    Quality.COUNTED: "实测",
    Quality.CORRECTED: "人工校准",
    Quality.ESTIMATED: "估算",
    Quality.SUSPECT: "存疑",
    Quality.STALE: "失联",
}
BASIS: Mapping[Basis, str] = {
    Basis.COUNTED: "设备计数",
    Basis.DERIVED: "推算",
    Basis.EXPECTED: "预测",
    Basis.VERIFIED: "人工核实",
}
DRAFT: Mapping[DraftState, str] = {
    DraftState.DRAFT: "起草中",
    DraftState.SUBMITTED: "待复核",
    DraftState.APPROVED: "已批准",
    DraftState.DISCARDED: "已作废",
}
DAYS: Mapping[DayType, str] = {kind: told[Language.CHINESE] for kind, told in DAY_TYPES.items()}
DAY_MARKS: Mapping[DayType, str] = {
    DayType.WORKDAY: "",
    DayType.WEEKEND: "休",
    DayType.PUBLIC_HOLIDAY: "假",
    DayType.MAKEUP_WORKDAY: "班",
}
DEEDS: Mapping[str, str] = {
    "calibrate": "余位校准",
    "close": "停用",
    "reserve": "预留车位",
    "reopen": "恢复开放",
    "override_sign": "接管诱导屏",
    "test_sign": "测试诱导屏",
    "give_sign_back": "恢复诱导屏",
    "acknowledge": "确认告警",
    "assign_alarm": "指派告警",
    "snooze_alarm": "暂缓告警",
    "comment_alarm": "备注告警",
    "keep_quiet": "设静默时段",
    "end_quiet": "结束静默",
    "change_rule": "修改告警规则",
    "add_site": "新增建设项目",
    "change_site": "修改建设项目",
    "withdraw_rule": "撤销车场告警规则",
    "change_escalation": "修改通知步骤",
    "withdraw_escalation": "撤销通知步骤",
    "add_user": "新增用户",
    "change_user": "修改用户",
    "renew_password": "重设密码",
    "change_password": "修改密码",
    "enrol": "设置二次验证",
    "reset_second_factor": "清除二次验证",
    "begin_tariff": "新建收费草稿",
    "edit_tariff": "修改收费草稿",
    "submit_tariff": "提交收费审批",
    "return_tariff": "退回收费草稿",
    "approve_tariff": "批准收费标准",
    "discard_tariff": "作废收费草稿",
    "withdraw_tariff": "撤回收费标准",
    "change_lot": "修改车场资料",
    "join_lot": "开始接入",
    "live_lot": "车场上线",
    "withdraw_lot": "放弃接入",
    "remove_lot": "移除车场",
    "ask_study": "提交试算方案",
    "withdraw_study": "撤回试算方案",
    "correct_report": "生成报告新版本",
    "publish_report": "发布报告",
    "plan_report": "设报告发送计划",
    "change_calendar": "修改日历",
    "undo_calendar": "撤销日历修改",
    "plan_experiment": "计划诱导实验",
    "start_experiment": "开始诱导实验",
    "stop_experiment": "停止诱导实验",
    "note_change": "登记变化",
    "withdraw_change": "撤销登记的变化",
}


UNITS: Mapping[str, str] = {
    "s": "秒",
    "cars": "辆",
    "count": "次",
    "times the limit": "倍限值",
    "rows": "条",
    "sign": "块屏",
    "gateway": "台网关",
    "entries": "条",
    "points": "分",
    "percent": "%",
    "days": "天以内",
    "certificate": "张证书",
}


def unit(name: str) -> str:
    """The unit of a rule's threshold."""
    return UNITS[name]


def minute(ms: int | None) -> str:
    """The day and the minute in Sanshui."""
    if ms is None:
        return DASH
    return f"{dt.datetime.fromtimestamp(ms / 1_000, tz=SHANGHAI):%Y-%m-%d %H:%M}"


def second(ms: int | None) -> str:
    """The time of day in Sanshui, to the second."""
    if ms is None:
        return DASH
    return f"{dt.datetime.fromtimestamp(ms / 1_000, tz=SHANGHAI):%H:%M:%S}"


def age(ms: int) -> str:
    """How long ago, in the largest unit that says something."""
    seconds = max(0, ms) // 1_000
    for unit, word in ((86_400, "天"), (3_600, "小时"), (60, "分钟")):
        if seconds >= unit:
            return f"{seconds // unit} {word}"
    return f"{seconds} 秒"


def forbidden(refusal: ForbiddenError) -> str:
    """Who may not do what, and where; the way out."""
    person, deed_words = refusal.person, PERMISSIONS[refusal.permission]
    who = f"{person.name}（{ROLES[person.role]}）"
    if refusal.lots and refusal.permission in PERMISSIONS_OF[person.role]:
        where = "、".join(refusal.lots)
        return (
            f"{who}不管 {where}，不能在那里{deed_words}：请找管这些车场的人，或请管理员改车场范围"
        )
    return f"{who}没有“{deed_words}”的权限：请找有权限的人，或请管理员改角色"


FACTS: Mapping[str, str] = {
    "name": "名称",
    "short_name": "简称",
    "address": "地址",
    "entrance": "入口坐标",
    "hotline": "服务电话",
    "capacity": "车位总数",
    "groups": "机组",
    "limits": "车辆限制",
    "thresholds": "较满和已满",
    "tariff_id": "收费标准",
    "opening_hours": "开放时间",
    "datum": "坐标系",
    "latitude": "纬度",
    "longitude": "经度",
    "length_metres": "车长（米）",
    "width_metres": "车宽（米）",
    "height_metres": "车高（米）",
    "weight_tonnes": "车重（吨）",
    "almost_full_free": "较满：余位不多于",
    "almost_full_percent": "较满：总数的 %",
    "full_free": "已满：余位不多于",
    "full_percent": "已满：总数的 %",
    "hysteresis_free": "回差：多出几位才算恢复",
    "hysteresis_percent": "回差：总数的 %",
    "opening": "是否开放",
    "opens": "开门",
    "closes": "关门",
    "covered": "有无顶棚",
    "takes_new_energy": "接受新能源车",
    "unconfirmed": "待核实",
}


def fact(name: str) -> str:
    """What a fact of a car park is called."""
    return FACTS.get(name, name)


def deed(action: str) -> str:
    return DEEDS.get(action, action)


SCRIPT: Mapping[str, str] = {
    "live": "实时",
    "lost": "连接中断",
    "connecting": "连接中",
    "changed": "最近更新 {} 秒前",
    "as_of": "{} 更新",
    "too_long": "最多 {} 个字，多了 {} 个",
}


def for_script(say: Callable[[str], str]) -> str:
    """What the page's script needs to say by itself, in the page's language."""
    words = {**msgspec.to_builtins(WORDS), **SCRIPT}
    return msgspec.json.encode(_said(words, say)).decode()


def _said(words: object, say: Callable[[str], str]) -> object:
    if isinstance(words, dict):
        return {name: _said(value, say) for name, value in words.items()}
    return say(words) if isinstance(words, str) else words


def changes(record: Recorded) -> list[tuple[str, str, str]]:
    """What a record says became another: name, before and after."""
    before = record.before if isinstance(record.before, dict) else {}
    after = record.after if isinstance(record.after, dict) else {}
    names = dict.fromkeys([*before, *after])
    return [
        (name, _plain(before.get(name)), _plain(after.get(name)))
        for name in names
        if before.get(name) != after.get(name)
    ]


def _plain(value: object) -> str:
    if value is None:
        return DASH
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def signed(number: int) -> str:
    """With its sign; nought has none."""
    return f"{number:+d}" if number else "0"


def extent(what: Restriction) -> str:
    """How much of a car park is closed or reserved."""
    if what.extent is Extent.SPACES:
        return f"预留 {what.spaces} 位"
    if what.extent is Extent.LEVEL:
        return f"停用 {what.part} 层"
    return f"停用机组 {what.part}" if what.extent is Extent.GROUP else "停用"


def alarm_word(kind: str) -> str:
    """A kind's word; of one that a newer version has made, its name."""
    return ALARM[AlarmKind(kind)] if kind in set(AlarmKind) else kind


def fen(amount: int | None) -> str:
    """Money as drivers read it."""
    return DASH if amount is None else yuan(amount)


def chance(share: float) -> str:
    """Nothing in the future is quite sure."""
    if share >= SURE:
        return "99%+"
    return "<1%" if share <= 1 - SURE else f"{share:.0%}"


def amount(number: float | None) -> str:
    """Without needless decimals; a dash for what nobody knows."""
    return DASH if number is None else f"{number:.1f}".removesuffix(".0")


def severities() -> list[tuple[str, str]]:
    """Values and words of a choice."""
    return [(severity.value, word) for severity, word in SEVERITY.items()]
