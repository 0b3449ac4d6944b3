"""The front door: parses the command, wires the parts, hands over."""

import argparse
import asyncio
import datetime as dt
import importlib
import os
import re
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TypeVar

import msgspec
from dotenv import dotenv_values

import gateway.bay_config
import gateway.config
import gateway.process
import gateway.push_config
import lot_sim.config
import occupancy.config
import occupancy.escalation_config
import occupancy.vital_config
import occupancy.web.config
import routing.config
import wechat.config
from gateway.config import TOWN_SIGN_LEVEL
from gateway.process import monotonic_seconds, now_ms
from gateway.settings import BadSettingError, Setting, listing
from occupancy.permissions import Role
from occupancy.sign_faces import TownSign

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from gateway.doctor import Finding
    from lot_sim.scenario import Scenario
    from occupancy.database import Pool
    from occupancy.joining import Wish
    from occupancy.report.period import Period
    from occupancy.truth_check import TruthCheck

FOUND_TROUBLE, BAD_INPUT = 1, 2
JOINED_FOLDER = "car_parks"  # in ZHIBO_DATA: the drivers' files of car parks that joined
STUDY_NICENESS = 10  # a study waits for everything that is live
SETTINGS = tuple(
    {
        setting.name: setting
        for setting in (
            *occupancy.config.SETTINGS,
            *occupancy.escalation_config.SETTINGS,
            *occupancy.vital_config.SETTINGS,
            *occupancy.web.config.SETTINGS,
            *routing.config.SETTINGS,
            *gateway.config.SETTINGS,
            gateway.push_config.PUSH_SECRETS,
            gateway.bay_config.MQTT_URL,
            *wechat.config.SETTINGS,
            *lot_sim.config.SETTINGS,
        )
    }.values()
)
FLAG_SETTINGS = {
    "data": "ZHIBO_DATA",
    "port": "ZHIBO_PORT",
    "workers": "ZHIBO_WORKERS",
    "speed": "ZHIBO_SIM_SPEED",
    "seed": "ZHIBO_SIM_SEED",
    "faults": "ZHIBO_SIM_FAULTS",
}
Environ = Mapping[str, str]
T = TypeVar("T")


def main() -> None:
    """Exit 0 when all went well, 1 when a check found something, 2 when the input is wrong."""
    arguments = parser().parse_args()
    environ = _environ(arguments)
    if environ.get("ZHIBO_CHILD"):
        gateway.process.die_with_parent(signal.SIGTERM)
    try:
        level = occupancy.config.LOG_LEVEL.read(environ)
        gateway.process.configure_logging(arguments.name, level)
        code = arguments.command(arguments, environ)
    except _refusals() as refusal:
        _refuse(arguments.name, refusal)
    except BaseExceptionGroup as group:
        # Raised among tasks that ended with it: one refusal explains them all.
        refused, _ = group.split(_refusals())
        if refused is None:
            raise
        _refuse(arguments.name, _first_of(refused))
    sys.exit(code)


def _refusals() -> tuple[type[Exception], ...]:
    """What a person can mend: shown as plain words, without a traceback.

    Asked for only when something went wrong: a gateway shall not wait for what others import.
    """
    from gateway.children import ChildRefusedError
    from lot_sim.devices import PortTakenError
    from lot_sim.scenario import BadScenarioError
    from occupancy.correction import BadCountError
    from occupancy.counting import NotHeardError
    from occupancy.database import NewerDatabaseError
    from occupancy.database_users import NameTakenError
    from occupancy.edit import BadEditError, SettledError
    from occupancy.embedded import EmbeddedError
    from occupancy.join_desk import LastLotError, NotReadyError
    from occupancy.join_file import BadAnswersError
    from occupancy.lot_change import BadFactsError
    from occupancy.lot_desk import NoSuchLotError
    from occupancy.open_history_keeping import NoSuchMonthError
    from occupancy.report.folder import BadFolderError
    from occupancy.report.period import BadPeriodError
    from occupancy.report.press import CannotBeMadeError
    from occupancy.rollup_keeping import NothingToRebuildError
    from routing.destination import BadDestinationError
    from routing.series_file import BadSeriesError

    return (
        BadAnswersError,
        BadDestinationError,
        BadEditError,
        BadFactsError,
        BadFolderError,
        BadPeriodError,
        CannotBeMadeError,
        BadSettingError,
        BadScenarioError,
        PortTakenError,
        ChildRefusedError,
        gateway.config.BadConfigError,
        NewerDatabaseError,
        EmbeddedError,
        NotHeardError,
        BadCountError,
        BadSeriesError,
        LastLotError,
        NameTakenError,
        NoSuchLotError,
        NotReadyError,
        NothingToRebuildError,
        SettledError,
        NoSuchMonthError,
    )


def _refuse(command: str, refusal: BaseException) -> NoReturn:
    print(f"zhibo {command}: {refusal}", file=sys.stderr)
    sys.exit(BAD_INPUT)


def _first_of(group: BaseExceptionGroup[BaseException]) -> BaseException:
    first = group.exceptions[0]
    return _first_of(first) if isinstance(first, BaseExceptionGroup) else first


def up(_: argparse.Namespace, environ: Environ) -> int:
    from occupancy.together import Town, run_together

    car_parks = gateway.config.list_shipped()
    configs = [gateway.config.load_config(path) for path in car_parks]
    data = occupancy.config.DATA.read(environ)
    speed = lot_sim.config.load_settings(environ).speed
    town = Town(
        data=data,
        host=occupancy.web.config.HOST.read(environ),
        port=occupancy.web.config.PORT.read(environ),
        sim_port=lot_sim.config.TRUTH_PORT.read(environ),
        postgres_url=occupancy.config.POSTGRES_URL.read(environ),
        redis_url=gateway.config.REDIS_URL.read(environ),
        scenario=lot_sim.config.SCENARIO.read(environ),
        car_parks=car_parks,
        joined=sorted((data / JOINED_FOLDER).glob("*.toml")),
        modbus_ports=[
            link.port for config in configs for link in config.car_park.links if link.port
        ],
    )
    # Cars of a town that runs faster come as much closer together.
    faster = {gateway.config.RATE_FACTOR.name: str(max(1.0, speed)), **environ}

    def say(words: str) -> None:
        print(words, flush=True)

    gateway.process.run(lambda stopping: run_together(town, faster, stopping, say))
    return 0


def serve(_: argparse.Namespace, environ: Environ) -> int:
    from occupancy.web.admin.settings_told import tell_settings
    from occupancy.web.server import run_web
    from occupancy.web.workers import WORKER, run_workers
    from routing.floor import guidance_floor
    from wechat.floor import account_floor

    settings = occupancy.web.config.load_settings(environ)
    if settings.workers > 1 and not environ.get(WORKER):
        logs = occupancy.config.DATA.read(environ) / "logs"
        gateway.process.run(lambda stop: run_workers(settings.workers, environ, logs, stop))
        return 0
    upper = account_floor(wechat.config.load_settings(environ), settings.public_url)
    floors = [guidance_floor(routing.config.load_settings(environ), settings.public_url, upper)]
    told = tell_settings(SETTINGS, environ)
    gateway.process.run(lambda stop: run_web(settings, _signs(), now_ms, stop, floors, told))
    return 0


def run_gateway(arguments: argparse.Namespace, environ: Environ) -> int:
    from gateway.station import StationSettings
    from gateway.station import run_gateway as run_station

    offset = gateway.config.PORT_OFFSET.read(environ)
    config = gateway.config.load_config(arguments.config, port_offset=offset)
    settings = StationSettings(
        redis_url=_needed(gateway.config.REDIS_URL, environ),
        outbox_folder=gateway.config.OUTBOX_FOLDER.read(environ),
        rate_factor=gateway.config.RATE_FACTOR.read(environ),
        outbox_mib=gateway.config.OUTBOX_MIB.read(environ),
    )
    gateway.process.run(
        lambda stopping: run_station(config, settings, now_ms, monotonic_seconds, stopping)
    )
    return 0


def push(arguments: argparse.Namespace, environ: Environ) -> int:
    from gateway.push_config import PUSH_SECRETS, load_push_config, load_senders
    from gateway.push_receiver import ReceiverSettings, run_receiver

    config = load_push_config(arguments.config)
    senders = load_senders(config, PUSH_SECRETS.read(environ))
    settings = ReceiverSettings(
        host=config.host,
        port=config.port,
        redis_url=_needed(gateway.config.REDIS_URL, environ),
        outbox_folder=gateway.config.OUTBOX_FOLDER.read(environ),
        outbox_mib=gateway.config.OUTBOX_MIB.read(environ),
    )
    gateway.process.run(
        lambda stopping: run_receiver(senders, settings, now_ms, monotonic_seconds, stopping)
    )
    return 0


def lot(arguments: argparse.Namespace, environ: Environ) -> int:
    from occupancy import joining
    from occupancy.join_file import Driver, read_answers

    if arguments.what == "example":
        made = joining.write_example(Driver(arguments.driver), arguments.folder)
        print("\n".join(f"fill in {file}" for file in made))
        return 0
    if arguments.what == "list":
        print("\n".join(_with_database(environ, joining.list_all)))
        return 0
    if arguments.what in ("check", "new"):
        field = joining.Field(
            gateway.bay_config.MQTT_URL.read(environ),
            gateway.push_config.PUSH_SECRETS.read(environ),
            now_ms,
            monotonic_seconds,
            arguments.listen,
        )
        answers = read_answers(arguments.file)
        if arguments.what == "check":
            return 0 if asyncio.run(joining.check(answers, field, _say)) else FOUND_TROUBLE
        wish = _joining_wish(arguments, environ)
        is_done = _with_servers(
            environ, lambda redis, pool: joining.bring_in(redis, pool, answers, field, wish, _say)
        )
        return 0 if is_done else FOUND_TROUBLE
    wish = _joining_wish(arguments, environ)
    if arguments.what == "live":
        _with_servers(
            environ,
            lambda redis, pool: joining.go_live(
                redis, pool, arguments.lot, wish.by, wish.reason, now_ms(), _say
            ),
        )
        return 0
    _with_database(
        environ, lambda pool: joining.take_out(pool, arguments.lot, wish, now_ms(), _say)
    )
    return 0


def _joining_wish(arguments: argparse.Namespace, environ: Environ) -> "Wish":
    from occupancy.joining import Wish

    return Wish(
        arguments.by or _person(environ),
        arguments.reason,
        arguments.out or occupancy.config.DATA.read(environ) / JOINED_FOLDER,
        getattr(arguments, "live", False),
        getattr(arguments, "wait", 0.0),
    )


def _say(words: str) -> None:
    print(words, flush=True)


def access_list(arguments: argparse.Namespace, _: Environ) -> int:
    """The users of Redis: the list on stdout, each new password on stderr, once."""
    import secrets

    from gateway.access_list import USER, gateway_line, nobody_line, service_line

    words = {lot: secrets.token_urlsafe(24) for lot in arguments.lots}
    own = secrets.token_urlsafe(24)
    lines = [gateway_line(lot, word) for lot, word in words.items()]
    print("\n".join([nobody_line(), service_line("service", own), *lines]))
    print(f"service {own}", file=sys.stderr)
    for lot, word in words.items():
        print(f"{USER.format(lot_id=lot)} {word}", file=sys.stderr)
    return 0


def bays(arguments: argparse.Namespace, environ: Environ) -> int:
    from gateway.bay_config import load_bay_config, load_maps, read_broker
    from gateway.bay_receiver import BaySettings, run_bays

    config = load_bay_config(arguments.config)
    broker = read_broker(_needed(gateway.bay_config.MQTT_URL, environ), config.authority)
    settings = BaySettings(
        redis_url=_needed(gateway.config.REDIS_URL, environ),
        outbox_folder=gateway.config.OUTBOX_FOLDER.read(environ),
        outbox_mib=gateway.config.OUTBOX_MIB.read(environ),
    )
    maps = load_maps(config)
    gateway.process.run(
        lambda stopping: run_bays(
            config, maps, broker, settings, now_ms, monotonic_seconds, stopping
        )
    )
    return 0


def recorder(_: argparse.Namespace, environ: Environ) -> int:
    from gateway.redis_client import connect
    from occupancy.audit_notes import AuditNotes
    from occupancy.database_rollup import Retention
    from occupancy.experiment_shelf import ExperimentShelf
    from occupancy.recorder import Chores, Computed, run_recorder
    from routing.guided_faces import GuidedFaces

    redis_url = _needed(gateway.config.REDIS_URL, environ)
    postgres_url = _needed(occupancy.config.POSTGRES_URL, environ)
    public_url = occupancy.web.config.PUBLIC_URL.read(environ)
    escalation = occupancy.escalation_config.load_settings(environ, public_url)
    keep = Retention(
        occupancy.config.KEEP_OBSERVATIONS.read(environ),
        occupancy.config.KEEP_MINUTES.read(environ),
        occupancy.config.KEEP_QUARTERS.read(environ),
    )
    notes = AuditNotes(*occupancy.config.audit_places(environ))
    chores = Chores(
        escalation,
        keep,
        notes,
        occupancy.vital_config.load_settings(environ),
        occupancy.config.load_replica(environ),
    )

    async def run(stopping: asyncio.Event) -> None:
        async with connect(redis_url) as redis:
            experiments = ExperimentShelf()
            computed = Computed(GuidedFaces(redis, experiments).faces, experiments)
            await run_recorder(redis, postgres_url, _signs(), now_ms, stopping, computed, chores)

    gateway.process.run(run)
    return 0


def rollup(arguments: argparse.Namespace, environ: Environ) -> int:
    from occupancy.database import list_lots
    from occupancy.rollup_keeping import rebuild_days

    def say(words: str) -> None:
        print(words, flush=True)

    async def work(connections: "Pool") -> None:
        lots = [lot.lot_id for lot in await list_lots(connections)]
        if arguments.lot and arguments.lot not in lots:
            raise BadSettingError(f"there is no car park {arguments.lot!r}: {', '.join(lots)}")
        chosen = [arguments.lot] if arguments.lot else lots
        await rebuild_days(connections, chosen, arguments.first, arguments.last, say)

    _with_database(environ, work)
    return 0


def open_history(arguments: argparse.Namespace, environ: Environ) -> int:
    from occupancy.open_history_keeping import publish_month

    month = arguments.month
    version = _with_database(
        environ, lambda pool: publish_month(pool, month, now_ms(), arguments.note)
    )
    print(f"{month.slug} is published as version {version}" if version else "nothing has changed")
    return 0


def truth_check(arguments: argparse.Namespace, environ: Environ) -> int:
    from occupancy.counting import check_lots
    from occupancy.database import list_lots

    async def check(redis: "Redis", connections: "Pool") -> "list[TruthCheck]":
        every = [lot.lot_id for lot in await list_lots(connections)]
        lots = [arguments.lot] if arguments.lot else every
        return await check_lots(redis, connections, lots, now_ms, _person(environ))

    checks = _with_servers(environ, check)
    print("\n".join(check.line() for check in checks))
    return FOUND_TROUBLE if any(check.is_beyond_limit for check in checks) else 0


def reports(arguments: argparse.Namespace, environ: Environ) -> int:
    from occupancy.database_reports import list_reports
    from wechat.report_lines import report_line

    found = _with_servers(
        environ, lambda _, connections: list_reports(connections, arguments.lot, arguments.most)
    )
    print("\n".join(map(report_line, found)) if found else "nothing was reported")
    return 0


def correct(arguments: argparse.Namespace, environ: Environ) -> int:
    from occupancy.correction import Count
    from occupancy.counting import count_lot

    count = Count(arguments.cars, arguments.reason, arguments.by or _person(environ), now_ms())
    done = _with_servers(
        environ,
        lambda redis, connections: count_lot(
            redis, connections, arguments.lot, count, monotonic_seconds
        ),
    )
    print(done.words)
    return 0 if done.is_taken else FOUND_TROUBLE


def _with_servers(environ: Environ, work: "Callable[[Redis, Pool], Awaitable[T]]") -> T:
    from gateway.redis_client import connect
    from occupancy.database import pool

    redis_url = _needed(gateway.config.REDIS_URL, environ)
    postgres_url = _needed(occupancy.config.POSTGRES_URL, environ)

    async def run() -> T:
        async with connect(redis_url) as redis, pool(postgres_url) as connections:
            return await work(redis, connections)

    return asyncio.run(run())


def _person(environ: Environ) -> str:
    return environ.get("USER") or "command line"


def destinations(arguments: argparse.Namespace, environ: Environ) -> int:
    from occupancy.database import NOT_READY, pool
    from routing.destination_desk import bring, show, take_out

    postgres_url = _needed(occupancy.config.POSTGRES_URL, environ)
    district = routing.config.DISTRICT.read(environ)

    async def run() -> str:
        async with pool(postgres_url) as connections:
            if arguments.what == "write":
                return await bring(connections, Path(arguments.which), district, _person(environ))
            if arguments.what == "remove":
                return await take_out(connections, arguments.which)
            return await show(connections, arguments.which)

    try:
        print(asyncio.run(run()))
    except NOT_READY as trouble:
        raise BadSettingError(
            f"{occupancy.config.POSTGRES_URL.name}={postgres_url}: {trouble or 'no answer'}; "
            "start PostgreSQL there, set another address, or run `zhibo migrate`"
        ) from None
    return 0


def user(arguments: argparse.Namespace, environ: Environ) -> int:
    from occupancy.operators import add_operator, renew_password

    rules = occupancy.config.load_password_rules(environ)
    if arguments.what == "password":
        renewed = _with_database(
            environ, lambda pool: renew_password(pool, arguments.who, _person(environ), rules)
        )
        print(f"password {renewed}" if renewed else f"there is no operator {arguments.who}")
        return 0 if renewed else BAD_INPUT
    made = _with_database(
        environ,
        lambda pool: add_operator(
            pool,
            arguments.who,
            Role(arguments.role),
            arguments.lots,
            _person(environ),
            rules=rules,
        ),
    )
    print(f"{made.operator.name} ({made.operator.role.value}) is added")
    print(f"password {made.password}   (shown once)")
    return 0


def audit(arguments: argparse.Namespace, environ: Environ) -> int:
    from occupancy import audit_check
    from occupancy.audit import Head
    from occupancy.audit_notes import AuditNotes

    if arguments.what == "export":
        _with_database(environ, _export_audit)
        return 0
    number, _, seal = (arguments.head or "0:").partition(":")
    by_hand = [Head(int(number), bytes.fromhex(seal))]
    notes = AuditNotes(*occupancy.config.audit_places(environ))
    verdict = _with_database(
        environ, lambda pool: audit_check.verify(pool, notes, by_hand, now_ms())
    )
    print(verdict.words)
    return 0 if verdict.is_whole else FOUND_TROUBLE


async def _export_audit(connections: "Pool") -> None:
    from occupancy import database_audit

    async for link in database_audit.iterate(connections):
        told = (link.content, link.previous.hex(), link.hash.hex())
        print(msgspec.json.encode(told).decode())


def _with_database(environ: Environ, work: "Callable[[Pool], Awaitable[T]]") -> T:
    from occupancy.database import pool

    postgres_url = _needed(occupancy.config.POSTGRES_URL, environ)

    async def run() -> T:
        async with pool(postgres_url) as connections:
            return await work(connections)

    return asyncio.run(run())


def press(_: argparse.Namespace, environ: Environ) -> int:
    from occupancy.database import pool
    from occupancy.report.making import maker
    from occupancy.report.press import run_press

    postgres_url = _needed(occupancy.config.POSTGRES_URL, environ)
    public_url = occupancy.web.config.PUBLIC_URL.read(environ)
    mail = occupancy.escalation_config.load_settings(environ, public_url)
    replica = occupancy.config.load_replica(environ)
    os.nice(STUDY_NICENESS)

    async def run(stopping: asyncio.Event) -> None:
        async with pool(postgres_url) as connections:
            await run_press(connections, now_ms, maker(_signs()), mail, stopping, replica)

    gateway.process.run(run)
    return 0


def report(arguments: argparse.Namespace, environ: Environ) -> int:
    from occupancy.report.folder import write_folder
    from occupancy.report.kept import Subject
    from occupancy.report.making import maker
    from occupancy.report.pdf import NoPdfError
    from occupancy.report.period import make_period

    today = dt.datetime.fromtimestamp(
        now_ms() / 1_000, tz=dt.timezone(dt.timedelta(hours=8))
    ).date()
    if arguments.first > today:
        raise BadSettingError(f"--from {arguments.first} lies in the future: today is {today}")
    subject = Subject(make_period(arguments.first, arguments.last), tuple(sorted(arguments.lots)))

    def say(share: float) -> None:
        print(f"{share:4.0%} gathered", file=sys.stderr, flush=True)

    make = maker(_signs())
    made = _with_database(environ, lambda connections: make(connections, subject, now_ms(), say))
    try:
        write_folder(arguments.out, made, print)
    except NoPdfError as trouble:
        print(f"zhibo report: {trouble}", file=sys.stderr)
        return FOUND_TROUBLE
    return 0


def study(arguments: argparse.Namespace, environ: Environ) -> int:
    """Plays what-if studies: `work` until it is stopped, `again` one of them, for its check."""
    from functools import partial

    from lot_sim.study_player import StudyPlayer
    from lot_sim.study_spec import BadStudyError
    from occupancy.database import pool
    from occupancy.study_worker import StudyWorker, play_again

    make = partial(StudyPlayer, believed=_believed_town(environ))
    if arguments.what == "again":
        is_same, words = _with_database(
            environ, lambda connections: play_again(connections, arguments.number, make)
        )
        print(words)
        return 0 if is_same else FOUND_TROUBLE
    postgres_url = _needed(occupancy.config.POSTGRES_URL, environ)
    os.nice(STUDY_NICENESS)

    async def run(stopping: asyncio.Event) -> None:
        async with pool(postgres_url) as connections:
            worker = StudyWorker(connections, f"{os.getpid()}", make, (BadStudyError,))
            await worker.keep_playing(stopping)

    gateway.process.run(run)
    return 0


def _believed_town(environ: Environ) -> "Scenario":
    from lot_sim.scenario import parse_scenario

    file = lot_sim.config.SCENARIO.read(environ)
    return parse_scenario(file.read_text(encoding="utf-8"), file.name)


def sim(arguments: argparse.Namespace, environ: Environ) -> int:
    from lot_sim.run import run_sim

    chosen = {lot_sim.config.SCENARIO.name: str(arguments.config)} if arguments.config else {}
    settings = lot_sim.config.load_settings({**environ, **chosen})
    gateway.process.run(lambda stopping: run_sim(settings, stopping))
    return 0


def migrate(_: argparse.Namespace, environ: Environ) -> int:
    from occupancy.first_start import prepare

    steps = asyncio.run(prepare(_needed(occupancy.config.POSTGRES_URL, environ)))
    print(f"{steps} migrations applied" if steps else "the database is up to date")
    return 0


def doctor(_: argparse.Namespace, environ: Environ) -> int:
    from gateway.doctor import check_devices
    from occupancy.doctor import check_alarms, check_servers, tell_of_pdf
    from occupancy.lot_file import load_shipped

    offset = gateway.config.PORT_OFFSET.read(environ)
    paths = gateway.config.list_shipped()
    configs = [gateway.config.load_config(path, port_offset=offset) for path in paths]
    joined = (occupancy.config.DATA.read(environ) / JOINED_FOLDER).glob("*.modbus.toml")
    configs += [gateway.config.load_config(path) for path in sorted(joined)]
    redis_url = gateway.config.REDIS_URL.read(environ)
    postgres_url = occupancy.config.POSTGRES_URL.read(environ)
    replica_url = occupancy.config.POSTGRES_REPLICA_URL.read(environ)
    findings = asyncio.run(check_servers(redis_url, postgres_url, replica_url))
    findings += asyncio.run(check_alarms(redis_url))
    findings += asyncio.run(check_devices(configs))
    findings.append(_check_account(redis_url, environ))
    for finding in findings:
        print(finding.line())
    print(tell_of_pdf())
    for lot in load_shipped():
        print(f"  待核实 {lot.lot_id}: {', '.join(lot.placeholders)}")
    return 0 if all(finding.ok for finding in findings) else FOUND_TROUBLE


def _check_account(redis_url: str, environ: Environ) -> "Finding":
    from gateway.redis_client import connect
    from wechat.commands import check_account

    settings = wechat.config.load_settings(environ)

    async def run() -> "Finding":
        async with connect(redis_url or "redis://127.0.0.1:1") as redis:
            return await check_account(redis, settings, now_ms)

    return asyncio.run(run())


def official_account(arguments: argparse.Namespace, environ: Environ) -> int:
    from gateway.redis_client import connect
    from occupancy.database import list_lots
    from wechat.account_errors import WechatError
    from wechat.commands import make_codes, put_menu

    settings = wechat.config.load_settings(environ)
    public_url = occupancy.web.config.PUBLIC_URL.read(environ)

    async def menu() -> str:
        async with connect(_needed(gateway.config.REDIS_URL, environ)) as redis:
            return await put_menu(redis, settings, public_url, now_ms)

    async def codes(redis: "Redis", connections: "Pool") -> str:
        lots = [lot.lot_id for lot in await list_lots(connections)]
        return await make_codes(redis, settings, lots, now_ms)

    try:
        is_menu = arguments.what == "menu"
        print(asyncio.run(menu()) if is_menu else _with_servers(environ, codes))
    except WechatError as refusal:
        print(f"zhibo wechat {arguments.what}: {refusal}", file=sys.stderr)
        return FOUND_TROUBLE
    return 0


def privacy(arguments: argparse.Namespace, environ: Environ) -> int:
    from gateway.redis_client import connect
    from wechat.commands import NotForgottenError, erase

    settings = wechat.config.load_settings(environ)
    redis_url = _needed(gateway.config.REDIS_URL, environ)

    async def run() -> str:
        async with connect(redis_url) as redis:
            return await erase(redis, settings, arguments.openid, now_ms)

    try:
        print(asyncio.run(run()))
    except NotForgottenError as trouble:
        print(f"zhibo privacy erase: {trouble}", file=sys.stderr)
        return FOUND_TROUBLE
    return 0


def bench(arguments: argparse.Namespace, _: Environ) -> int:
    try:
        benches = importlib.import_module("tests.bench")
    except ModuleNotFoundError:
        print("zhibo bench runs from a checkout, where tests/bench is", file=sys.stderr)
        return BAD_INPUT
    if not arguments.bench:
        print("\n".join(f"  {name:<12} {about}" for name, about in benches.list_benches().items()))
        return 0
    if arguments.bench not in benches.list_benches():
        print(f"no bench {arguments.bench!r}; `zhibo bench` lists them", file=sys.stderr)
        return BAD_INPUT
    report = benches.measure(arguments.bench, arguments.rest)
    print(msgspec.json.format(msgspec.json.encode(report)).decode())
    return 0 if report.ok else FOUND_TROUBLE


def forecast_eval(arguments: argparse.Namespace, _: Environ) -> int:
    from routing.forecast_eval import evaluate_files

    def say(words: str) -> None:
        print(words, file=sys.stderr, flush=True)

    evaluation = evaluate_files(arguments.train, arguments.test, say)
    print(msgspec.json.format(msgspec.json.encode(evaluation)).decode())
    return 0


def _signs() -> list[TownSign]:
    """The signs at junctions and at entrances, as the gateways' files that drive them say."""
    configs = [gateway.config.load_config(path) for path in gateway.config.list_shipped()]
    return [
        TownSign(
            device.device_id,
            config.car_park.lot_id,
            device.lines,
            at_entrance=device.sign_level != TOWN_SIGN_LEVEL,
        )
        for config in configs
        for device in config.devices_of(gateway.config.Role.SIGN)
    ]


def _needed(setting: Setting[str], environ: Environ) -> str:
    value = setting.read(environ)
    if not value:
        raise BadSettingError(f"{setting.name} is not set: {setting.about}")
    return value


def _environ(arguments: argparse.Namespace) -> Environ:
    """What is set: a flag wins over the environment, the environment over `.env`.

    Last comes what a `zhibo up` that runs in this data folder says of its own servers.
    """
    flags = {
        setting: str(value)
        for flag, setting in FLAG_SETTINGS.items()
        if (value := getattr(arguments, flag, None)) is not None
    }
    told = {**_read_env_file(Path(".env")), **os.environ, **_credentials(), **flags}
    if arguments.command is up:
        return told
    return {
        **_read_env_file(occupancy.config.DATA.read(told) / occupancy.config.RUNNING_FILE),
        **told,
    }


def _credentials() -> dict[str, str]:
    """Secrets as systemd hands them over (LoadCredential=): a file a setting, for us alone."""
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    files = Path(folder).glob("ZHIBO_*") if folder else ()
    return {file.name: file.read_text(encoding="utf-8").strip() for file in files if file.is_file()}


def _read_env_file(file: Path) -> dict[str, str]:
    return {name: value for name, value in dotenv_values(file).items() if value is not None}


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="zhibo",
        description="三水智泊: smart parking guidance for Sanshui District.",
        epilog="Settings (environment variables, or lines of a file .env):\n" + listing(SETTINGS),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="name", required=True, metavar="COMMAND")

    def command(name: str, run: object, about: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=about, description=about)
        made.set_defaults(command=run)
        return made

    whole = command("up", up, "everything on one machine, with five simulated car parks")
    whole.add_argument("--data", metavar="DIR")
    whole.add_argument("--port")
    _add_sim_flags(whole)
    web = command("serve", serve, "the web service: API, board, pages")
    web.add_argument("--port")
    web.add_argument("--workers", metavar="N")
    for name, run, about in (
        ("gateway", run_gateway, "one car park's gateway"),
        ("push", push, "takes what gate systems of other firms push over HTTP"),
        ("bays", bays, "listens to wireless bay sensors over MQTT"),
    ):
        command(name, run, about).add_argument("config", type=Path, metavar="CONFIG.toml")
    command("recorder", recorder, "from the live streams to the picture and to PostgreSQL")
    field = command("sim", sim, "simulated field devices only")
    field.add_argument("config", type=Path, nargs="?", metavar="CONFIG.toml")
    _add_sim_flags(field)
    _add_planning(command)
    check = command("truth-check", truth_check, "entries minus exits against the machines, now")
    check.add_argument("lot", nargs="?", metavar="LOT")
    reported = command("reports", reports, "what citizens reported, the newest first")
    reported.add_argument("lot", nargs="?", metavar="LOT")
    reported.add_argument("--most", type=int, default=100, metavar="N")
    count = command("correct", correct, "record what a person counted; the counters go on from it")
    count.add_argument("lot", metavar="LOT")
    count.add_argument("--cars", type=int, required=True, help="cars inside, counted")
    count.add_argument("--reason", required=True)
    count.add_argument("--by", metavar="NAME", help="who counted; the user's name by default")
    places = command("destinations", destinations, "what citizens may call places: list, edit")
    actions = places.add_subparsers(dest="what", required=True, metavar="WHAT")
    listed = actions.add_parser("list", help="all, or those that some words may mean")
    listed.add_argument("which", nargs="?", default="", metavar="WORDS")
    brought = actions.add_parser("write", help="add those of a file, or replace them by their ids")
    brought.add_argument("which", metavar="FILE.toml")
    removed = actions.add_parser("remove", help="take one out")
    removed.add_argument("which", metavar="ID")
    _add_people(command)
    command("migrate", migrate, "bring the database to this version")
    command("doctor", doctor, "check every connection and device; says how to mend what is wrong")
    judged = command("forecast-eval", forecast_eval, "our forecaster's error on a series of yours")
    judged.add_argument("--train", type=Path, required=True, metavar="A.csv")
    judged.add_argument("--test", type=Path, required=True, metavar="B.csv")
    account = command("wechat", official_account, "the official account: its menu, its door codes")
    account.add_argument("what", choices=("menu", "codes"))
    personal = command("privacy", privacy, "delete everything that is held of a citizen")
    personal.add_argument("what", choices=("erase",))
    personal.add_argument("openid", metavar="OPENID")
    measured = command("bench", bench, "the project's own benchmarks; alone it lists them")
    measured.add_argument("bench", nargs="?", metavar="NAME")
    measured.add_argument("rest", nargs=argparse.REMAINDER)
    return parser


def _add_planning(command: "Callable[..., argparse.ArgumentParser]") -> None:
    rolled = command("rollup", rollup, "make the windows of some days again from raw history")
    _add_days(rolled)
    rolled.add_argument("--lot", metavar="LOT", help="only this car park")
    written = command("report", report, "the congestion report of some days, as files")
    _add_days(written)
    written.add_argument("--out", type=Path, required=True, metavar="DIR")
    written.add_argument("--lots", nargs="*", default=[], metavar="LOT", help="only these")
    command("press", press, "makes the reports that planners ask for, and mails those due")
    opened = command("open-history", open_history, "publish a finished month as open files")
    opened.add_argument("month", type=_month, metavar="MONTH", help="e.g. 2026-10")
    opened.add_argument("--note", required=True, help="what this version is, or why it is another")

    tried = command("study", study, "play the what-if studies that planners ask for")
    steps = tried.add_subparsers(dest="what", required=True, metavar="WHAT")
    steps.add_parser("work", help="play what is asked for, until stopped; several may run")
    again = steps.add_parser("again", help="play a kept study again: is the outcome the same?")
    again.add_argument("number", type=_study_number, metavar="NUMBER")


def _add_days(parser: argparse.ArgumentParser) -> None:
    for flag, name, about in (("--from", "first", "first day"), ("--to", "last", "last day")):
        parser.add_argument(
            flag, dest=name, type=_date, required=True, metavar="DATE", help=f"{about}, 2026-11-23"
        )


def _month(raw: str) -> "Period":
    from occupancy.report.period import BadPeriodError, PeriodKind, parse_period

    try:
        period = parse_period(raw)
    except BadPeriodError as refusal:
        raise argparse.ArgumentTypeError(str(refusal)) from None
    if period.kind is not PeriodKind.MONTH:
        raise argparse.ArgumentTypeError(f"{raw!r} is not a month such as 2026-10")
    return period


def _date(raw: str) -> dt.date:
    try:
        return dt.date.fromisoformat(raw)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{raw!r} is not a day such as 2026-11-23") from None


def _add_people(command: "Callable[..., argparse.ArgumentParser]") -> None:
    _add_access_list(command)
    _add_lot(command)
    person = command("user", user, "people who run car parks: add one, renew a password")
    person.add_argument("what", choices=("add", "password"))
    person.add_argument("who", metavar="NAME", type=_operator_name)
    person.add_argument("--role", choices=[role.value for role in Role], default="operator")
    person.add_argument("--lots", nargs="*", default=[], metavar="LOT", help="only these car parks")
    trail = command("audit", audit, "what operators did: check that nobody edited it, or export it")
    trail.add_argument("what", choices=("verify", "export"))
    trail.add_argument("--head", type=_audit_head, metavar="NUMBER:SEAL", help="noted earlier")


def _study_number(raw: str) -> int:
    if not re.fullmatch(r"\d{1,15}", raw):
        raise argparse.ArgumentTypeError(f"{raw!r} is no number of a study")
    return int(raw)


def _lot_name(raw: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,63}", raw):
        raise argparse.ArgumentTypeError(f"{raw!r} is no name of a car park: a-z, 0-9, '_' and '-'")
    return raw


def _add_lot(command: "Callable[..., argparse.ArgumentParser]") -> None:
    parks = command("lot", lot, "bring a car park in, or take one out")
    steps = parks.add_subparsers(dest="what", required=True, metavar="WHAT")
    example = steps.add_parser("example", help="files to fill in")
    example.add_argument("driver", choices=("modbus", "push", "bays"))
    example.add_argument("folder", type=Path, metavar="FOLDER")
    steps.add_parser("list", help="every car park, and where it stands")
    for name, about in (
        ("check", "show what would be written and read every device once; writes nothing"),
        ("new", "the same, then write it; live once its own process is heard"),
    ):
        step = steps.add_parser(name, help=about)
        step.add_argument("file", type=Path, metavar="LOT.toml")
        step.add_argument(
            "--listen", type=float, default=60.0, metavar="SECONDS", help="for posts and sensors"
        )
        if name == "new":
            step.add_argument("--live", action="store_true", help="wait for readings, go live")
            step.add_argument("--wait", type=float, default=300.0, metavar="SECONDS")
            _add_reason(step)
    for name, about in (
        ("live", "show to everybody a car park that joins"),
        ("remove", "show it no more; history, reports and audit stay"),
    ):
        step = steps.add_parser(name, help=about)
        step.add_argument("lot", metavar="LOT", type=_lot_name)
        _add_reason(step)


def _add_reason(step: argparse.ArgumentParser) -> None:
    step.add_argument("--reason", required=True)
    step.add_argument("--by", metavar="NAME", help="who does it; the user's name by default")
    step.add_argument("--out", type=Path, metavar="FOLDER", help="of drivers' files")


def _add_access_list(command: "Callable[..., argparse.ArgumentParser]") -> None:
    users = command("access-list", access_list, "users of Redis: one a gateway, for its ACL file")
    users.add_argument("lots", nargs="+", metavar="LOT", type=_lot_name)


def _operator_name(raw: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9._-]{1,31}", raw):
        raise argparse.ArgumentTypeError(
            f"{raw!r}: 2 to 32 of a-z, 0-9, '.', '_' and '-', a letter first"
        )
    return raw


def _audit_head(raw: str) -> str:
    if not re.fullmatch(r"\d+:[0-9a-f]{64}", raw):
        raise argparse.ArgumentTypeError(f"{raw!r}: as `zhibo audit verify` prints it")
    return raw


def _add_sim_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--speed", metavar="X")
    parser.add_argument("--seed", metavar="N")
    parser.add_argument("--faults", metavar="NAME")


if __name__ == "__main__":
    main()
