"""The web service: settings, connect, prime, serve; start and stop stand in one place."""

import asyncio
import gc
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog
from aiohttp import web
from redis.asyncio import Redis

from gateway.redis_client import connect
from gateway.settings import BadSettingError
from occupancy import database
from occupancy.certificates import Certificates
from occupancy.effect.advice import Guiding
from occupancy.lot import Lot
from occupancy.lot_file import load_shipped
from occupancy.lot_watch import LotWatch
from occupancy.password_rules import ASVS, PasswordRules
from occupancy.reading import Reading, reading
from occupancy.sign_faces import TownSign
from occupancy.web.addresses import PROXIES, networks
from occupancy.web.admin.closures import OnTheWay
from occupancy.web.admin.floor import Admin, nobody_knows, nothing_expected, open_admin
from occupancy.web.admin.ground import AdminGround
from occupancy.web.admin.settings_told import SettingTold
from occupancy.web.alarms import Alarms
from occupancy.web.board import Board
from occupancy.web.bodies import BODY_BYTES
from occupancy.web.config import PORT, WebSettings
from occupancy.web.documentation import Documentation
from occupancy.web.events import STREAM_WORDS, LiveStream, StreamQuery
from occupancy.web.floors import Builder, Floor, Ground
from occupancy.web.health import Health
from occupancy.web.lots import Lots
from occupancy.web.metrics import Metrics
from occupancy.web.open_data.catalogue_routes import CatalogueRoutes
from occupancy.web.open_data.history_files import HistoryFiles
from occupancy.web.open_data.publication import UNKNOWN_TERMS, Publication
from occupancy.web.open_data.publisher import Publisher
from occupancy.web.open_data.vital_page import VitalPage
from occupancy.web.open_data.vital_routes import Vitals
from occupancy.web.outlook import Outlook, OutlookOf
from occupancy.web.problems import as_documents
from occupancy.web.quotes import Quotes
from occupancy.web.rate_limit import RateLimits
from occupancy.web.routes import Route, bind
from occupancy.web.security import add_headers
from occupancy.web.showcase import Showcase
from occupancy.web.static_files import StaticFiles
from occupancy.web.tariff_shelf import TariffShelf

KEEPALIVE_SECONDS = 8.0
LINGER_SECONDS = 1.0  # for a body that nobody reads any more
SHUTDOWN_SECONDS = 3.0
# Hundreds of car parks change many times a second: their readers hear of them together.
STREAM_APART_SECONDS = 0.25
LOTS_WAIT_SECONDS = 5.0

log = structlog.get_logger()


@dataclass(frozen=True)
class Face:
    """The application and the parts that must run beside it."""

    app: web.Application
    showcase: Showcase
    static: StaticFiles
    stream: LiveStream
    board: Board
    shelf: TariffShelf
    alarms: Alarms
    admin: Admin | None = None


@dataclass(frozen=True)
class Behind:
    """What the application may use besides its database.

    Without Redis there are no sessions and so no operators' pages; `proxies` are our own; `told`
    are the settings in force; `history` is whom heavy reads ask. `facts_ms`: when somebody last
    changed what a car park is, None: nobody knows.
    """

    redis: Redis | None = None
    on_the_way: OnTheWay = nobody_knows
    limits: RateLimits | None = None
    proxies: str = ""
    publication: Publication = UNKNOWN_TERMS
    facts_ms: int | None = None
    told: Sequence[SettingTold] = ()
    outlook: OutlookOf = nothing_expected
    password_rules: PasswordRules = ASVS
    guiding: Callable[[], Guiding | None] = lambda: None
    history: Reading | None = None
    certificates: Certificates | None = None


ALONE = Behind()


async def run_web(
    settings: WebSettings,
    signs: Sequence[TownSign],
    clock: Callable[[], int],
    stopping: asyncio.Event,
    builders: Sequence[Builder] = (),
    told: Sequence[SettingTold] = (),
    tls: Sequence[tuple[str, str]] = (),
) -> None:
    """Serve until `stopping`; `builders` add floors, `told` are the settings administrators read.

    `tls` are the addresses, with their settings' names, whose certificates are looked at.
    Raises BadSettingError: the port is taken.
    """
    listening = _listen(settings)
    certificates = Certificates(tls)
    async with (
        database.pool(settings.postgres_url, database.WEB_ROLE) as connections,
        connect(settings.redis_url) as redis,
        reading(connections, settings.replica, clock, database.WEB_ROLE) as history,
    ):
        lots, facts_ms = await _lots(connections)
        floors: list[Floor] = []

        def build(showcase: Showcase, shelf: TariffShelf) -> list[Route]:
            ground = Ground(showcase, shelf, connections, redis, clock)
            floors.extend(builder(ground) for builder in builders)
            return [route for floor in floors for route in floor.routes]

        async def on_the_way(lot_id: str) -> int | None:
            counts = [floor.on_the_way for floor in floors if floor.on_the_way]
            return await counts[0](lot_id) if counts else None

        def outlook(lot_id: str) -> Sequence[Outlook]:
            known = [floor.outlook for floor in floors if floor.outlook]
            return known[0](lot_id) if known else ()

        def guiding() -> Guiding | None:
            return next((floor.guiding for floor in floors if floor.guiding), None)

        limits = RateLimits(clock, settings.reads_a_minute, settings.writes_a_minute)
        face = make_face(
            lots,
            signs,
            connections,
            clock,
            build,
            Behind(
                redis,
                on_the_way,
                limits,
                settings.proxies,
                settings.publication,
                facts_ms,
                told,
                outlook,
                settings.password_rules,
                guiding,
                history,
                certificates,
            ),
        )
        loops = {name: loop for floor in floors for name, loop in floor.loops.items()}
        loops |= face.admin.loops if face.admin else {}
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(face.showcase.follow(redis), name="follow pictures"),
                group.create_task(face.showcase.watch_ages(), name="watch ages"),
                group.create_task(face.stream.keep_beating(), name="heartbeat"),
                group.create_task(face.board.trends.keep_fresh(face.showcase.lots), name="trends"),
                group.create_task(face.shelf.keep_fresh(connections), name="tariffs"),
                group.create_task(
                    LotWatch(connections, face.showcase.settle).keep_fresh(), name="lots"
                ),
                group.create_task(face.alarms.follow(redis), name="alarms"),
                group.create_task(history.keep_looking(), name="replica"),
                group.create_task(certificates.keep_looking(), name="certificates"),
                group.create_task(limits.keep_adding_up(redis), name="rate limits"),
                *(group.create_task(loop(), name=name) for name, loop in loops.items()),
            ]
            _look_past_what_stays()
            async with serving(face.app, listening):
                log.info("serving", host=settings.host, port=settings.port)
                await stopping.wait()
            for task in tasks:
                task.cancel()


def make_face(
    lots: dict[str, Lot],
    signs: Sequence[TownSign],
    connections: database.Pool,
    clock: Callable[[], int],
    above: Callable[[Showcase, TariffShelf], list[Route]] = lambda _, __: [],
    behind: Behind = ALONE,
) -> Face:
    """The application, without a socket; `above` are the routes of the packages above."""
    showcase = Showcase(lots, clock)
    history = behind.history or Reading(connections)
    stream = LiveStream(showcase, apart_seconds=STREAM_APART_SECONDS)
    shelf = TariffShelf()
    static = StaticFiles(clock)
    board = Board(showcase, history.pool, static, signs)
    alarms = Alarms(showcase, stream, connections)
    certificates = behind.certificates or Certificates()
    vitals = Vitals(showcase, history.pool, behind.publication)
    admin = None
    redis = behind.redis
    if redis is not None:
        ground = AdminGround(
            showcase,
            board.trends,
            alarms,
            shelf,
            signs,
            connections,
            redis,
            clock,
            behind.password_rules,
            history,
            certificates,
        )
        admin = open_admin(
            ground, static, behind.on_the_way, behind.told, behind.outlook, behind.guiding
        )
    metrics = Metrics(showcase, stream, alarms, history, certificates)
    routes = [
        *Lots(showcase, history.pool).routes(),
        *alarms.routes(),
        *Quotes(showcase, shelf).routes(),
        *Publisher(
            showcase, behind.publication, clock() if behind.facts_ms is None else behind.facts_ms
        ).routes(),
        *HistoryFiles(history.pool, behind.publication).routes(),
        *CatalogueRoutes(static, behind.publication, clock).routes(),
        *vitals.routes(),
        *VitalPage(vitals.reading, static, behind.publication).routes(),
        Route(
            "GET",
            "/v1/stream",
            stream.answer,
            "Server-sent events: `lot` on every change, `heartbeat`; resumes by Last-Event-ID",
            content_type="text/event-stream",
            about=STREAM_WORDS,
            query=StreamQuery,
            problems=(404,),
        ),
        *Health(showcase, metrics).routes(),
        *board.routes(),
        *static.routes(),
        *above(showcase, shelf),
        *(admin.routes if admin else ()),
    ]
    routes += Documentation(routes, static, clock).routes()
    limited = [behind.limits.refuse_too_many] if behind.limits else []
    app = web.Application(middlewares=[*limited, as_documents], client_max_size=BODY_BYTES)
    app[PROXIES] = networks(behind.proxies)
    app.on_response_prepare.append(add_headers)
    app.on_shutdown.append(stream.close)
    if admin:
        app.on_shutdown.append(admin.desk.stream.close)
    bind(app, routes)
    return Face(app, showcase, static, stream, board, shelf, alarms, admin)


@asynccontextmanager
async def serving(app: web.Application, listening: socket.socket) -> AsyncIterator[None]:
    """Answer on this socket until the block ends."""
    runner = web.AppRunner(
        app,
        handler_cancellation=True,
        keepalive_timeout=KEEPALIVE_SECONDS,
        lingering_time=LINGER_SECONDS,
        access_log=None,
        shutdown_timeout=SHUTDOWN_SECONDS,
    )
    await runner.setup()
    try:
        await web.SockSite(runner, listening, backlog=1_024).start()
        yield
    finally:
        await runner.cleanup()


def _look_past_what_stays() -> None:
    """Everything that was loaded stays: the collector need not go through it while readers wait.

    The pinyin of phrases alone are 200,000 lists, and a full collection took up to 0.4 s.
    """
    gc.collect()
    gc.freeze()


def _listen(settings: WebSettings) -> socket.socket:
    """Bind before anything is connected; several workers share the port."""
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if settings.workers > 1:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        listening.bind((settings.host, settings.port))
    except OSError as refusal:
        listening.close()
        raise BadSettingError(
            f"{PORT.name}={settings.port}: cannot listen on {settings.host}:{settings.port} "
            f"({refusal.strerror}); stop what listens there or set another {PORT.name}"
        ) from None
    return listening


async def _lots(connections: database.Pool) -> tuple[dict[str, Lot], int | None]:
    """The operators' facts and when they last changed; those that ship while PostgreSQL is away."""
    facts_ms = None
    try:
        async with asyncio.timeout(LOTS_WAIT_SECONDS):
            lots = await database.list_lots(connections)
            facts_ms = await database.find_lots_changed_ms(connections)
    except database.NOT_READY as trouble:
        log.warning("PostgreSQL is away: the car parks' shipped facts serve", reason=str(trouble))
        lots = []
    return {lot.lot_id: lot for lot in lots or load_shipped()}, facts_ms
