"""The operators' pages put together: every page behind the gate, and what runs beside them."""

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from occupancy.effect.advice import Guiding
from occupancy.web.admin.admin_route import AdminRoute
from occupancy.web.admin.alarm_rules_page import AlarmRulesPage
from occupancy.web.admin.alarms_page import AlarmsPage
from occupancy.web.admin.audit_page import AuditPage
from occupancy.web.admin.calendar_page import CalendarPage
from occupancy.web.admin.calibration import Calibration
from occupancy.web.admin.changes_page import ChangesPage
from occupancy.web.admin.closures import Closures, OnTheWay
from occupancy.web.admin.desk_stream import DeskStream
from occupancy.web.admin.escalation_page import EscalationPage
from occupancy.web.admin.explore_page import ExplorePage
from occupancy.web.admin.exports_page import ExportsPage
from occupancy.web.admin.frame import Frame
from occupancy.web.admin.gate import Gate
from occupancy.web.admin.ground import AdminGround
from occupancy.web.admin.guidance_page import GuidancePage
from occupancy.web.admin.health_page import HealthPage
from occupancy.web.admin.joining_page import JoiningPage
from occupancy.web.admin.live_lists import LiveLists
from occupancy.web.admin.login import Login
from occupancy.web.admin.lot_facts_page import LotFactsPage
from occupancy.web.admin.lot_page import LotPage
from occupancy.web.admin.overview import Overview
from occupancy.web.admin.report_files import ReportFiles
from occupancy.web.admin.report_plans_page import ReportPlansPage
from occupancy.web.admin.reports_page import ReportsPage
from occupancy.web.admin.search import Search
from occupancy.web.admin.settings_page import SettingsPage
from occupancy.web.admin.settings_told import SettingTold
from occupancy.web.admin.signs_page import SignsPage
from occupancy.web.admin.sites_page import SitesPage
from occupancy.web.admin.studies_page import StudiesPage
from occupancy.web.admin.tariffs_page import TariffsPage
from occupancy.web.admin.users_page import UsersPage
from occupancy.web.outlook import Outlook, OutlookOf
from occupancy.web.routes import Route
from occupancy.web.static_files import StaticFiles

STATIC = "/admin/static/"
REPORT_STATIC = "/reports/static/"


@dataclass(frozen=True)
class Admin:
    """All routes, the stream that must beat and be closed, and the loop beside it."""

    pages: Sequence[AdminRoute]
    routes: Sequence[Route]
    desk: DeskStream
    loops: dict[str, Callable[[], Coroutine[Any, Any, None]]]


async def nobody_knows(_: str) -> int | None:
    """How many drivers are on the way, where nothing guides any."""
    return None


def nothing_expected(_: str) -> Sequence[Outlook]:
    """What will be, where nothing forecasts."""
    return ()


def open_admin(
    ground: AdminGround,
    worker: StaticFiles,
    on_the_way: OnTheWay = nobody_knows,
    settings: Sequence[SettingTold] = (),
    outlook: OutlookOf = nothing_expected,
    guiding: Callable[[], Guiding | None] = lambda: None,
) -> Admin:
    """`worker` has the script that keeps the one stream of a browser."""
    static = StaticFiles(ground.clock, "occupancy.web.admin", STATIC)
    paper = StaticFiles(ground.clock, "occupancy.report", REPORT_STATIC)
    frame = Frame(static, lambda: desk.waiting, ground.name_of)
    lots = ground.showcase.lots
    rules = ground.password_rules
    gate = Gate(ground.connections, ground.redis, frame, ground.clock, lots, rules)
    desk = DeskStream(ground, gate, worker)
    pages = [
        *Login(gate).routes(),
        *desk.routes(),
        *Overview(ground).routes(),
        *LotPage(ground, outlook).routes(),
        *LotFactsPage(ground, desk).routes(),
        *JoiningPage(ground, desk).routes(),
        *AlarmsPage(ground, desk).routes(),
        *AlarmRulesPage(ground, desk).routes(),
        *EscalationPage(ground).routes(),
        *Calibration(ground, desk).routes(),
        *Closures(ground, desk, on_the_way).routes(),
        *SignsPage(ground, desk).routes(),
        *TariffsPage(ground, desk).routes(),
        *CalendarPage(ground, desk).routes(),
        *GuidancePage(ground, desk, guiding).routes(),
        *ChangesPage(ground).routes(),
        *LiveLists(ground).routes(),
        *ExplorePage(ground).routes(),
        *StudiesPage(ground).routes(),
        *ExportsPage(ground).routes(),
        *SitesPage(ground).routes(),
        *Search(ground).routes(),
        *UsersPage(ground, gate).routes(),
        *AuditPage(ground).routes(),
        *SettingsPage(ground, settings).routes(),
        *HealthPage(ground, desk).routes(),
        *ReportPlansPage(ground).routes(),
        *ReportsPage(ground, paper).routes(),
        *ReportFiles(ground).routes(),
    ]
    routes = [*(gate.route(page) for page in pages), *gate.routes()]
    routes += [*static.file_routes(), *paper.file_routes()]
    loops = {
        "admin beat": desk.stream.keep_beating,
        "admin desk": desk.keep_telling,
        "admin sessions": desk.keep_watching,
    }
    return Admin(pages, routes, desk, loops)
