"""What the operators' pages are called and who finds them in his menu."""

from collections.abc import Sequence
from typing import NamedTuple

from occupancy.permissions import Permission, Person


class Item(NamedTuple):
    """One page of the menu; `short` and `icon` are for the bar of a phone, if it is there."""

    path: str
    title: str
    needs: Permission
    short: str = ""
    icon: str = ""


class Part(NamedTuple):
    """Pages that belong together."""

    title: str
    items: tuple[Item, ...]


MENU: Sequence[Part] = (
    Part(
        "",
        (
            Item("/admin/", "总览", Permission.SEE, "总览", "home"),
            Item("/admin/lots", "车场与层组", Permission.SEE, "车场", "lots"),
            Item("/admin/devices", "设备状态", Permission.SEE),
            Item("/admin/alarms", "告警", Permission.SEE, "告警", "bell"),
        ),
    ),
    Part(
        "现场操作",
        (
            Item("/admin/calibrate", "余位校准", Permission.CALIBRATE, "校准", "count"),
            Item("/admin/closures", "开放 / 停用", Permission.CLOSE),
            Item("/admin/reservations", "预留车位", Permission.CLOSE),
            Item("/admin/signs", "诱导屏", Permission.SEE),
        ),
    ),
    Part(
        "规则",
        (
            Item("/admin/tariffs", "收费标准", Permission.SEE),
            Item("/admin/calendar", "节假日日历", Permission.SEE),
            Item("/admin/rules", "告警规则", Permission.SEE),
            Item("/admin/quiet", "静默时段", Permission.SEE),
        ),
    ),
    Part(
        "分析",
        (
            Item("/reports/", "拥堵报告", Permission.SEE),
            Item("/reports/schedule", "报告定时发送", Permission.PUBLISH_REPORT),
            Item("/admin/guidance", "诱导成效", Permission.SEE),
            Item("/admin/quality", "数据质量", Permission.SEE),
            Item("/admin/explore", "数据探索", Permission.SEE),
            Item("/admin/studies", "方案试算", Permission.SEE),
            Item("/admin/exports", "数据导出", Permission.EXPORT),
            Item("/reports/sites", "建设项目", Permission.SEE),
        ),
    ),
    Part(
        "系统",
        (
            Item("/admin/users", "用户与角色", Permission.MANAGE_USERS),
            Item("/admin/audit", "操作日志", Permission.SEE_AUDIT),
            Item("/admin/joining", "新车场", Permission.JOIN_LOTS),
            Item("/admin/settings", "系统设置", Permission.SEE_SETTINGS),
            Item("/admin/health", "运行状况", Permission.SEE),
        ),
    ),
)


def menu_of(person: Person) -> list[Part]:
    """The parts with what this person may see; empty ones are left out."""
    parts = (
        Part(part.title, tuple(item for item in part.items if person.may(item.needs)))
        for part in MENU
    )
    return [part for part in parts if part.items]


def home_of(person: Person) -> str:
    """The first page this person may see."""
    return next((item.path for part in menu_of(person) for item in part.items), "/admin/me")
