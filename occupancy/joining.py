"""`zhibo lot`: a car park brought in from its files, and taken out again, by its engineer."""

import asyncio
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
from redis.asyncio import Redis

from gateway.bay_config import BayConfig, load_maps, read_broker
from gateway.config import GatewayConfig
from gateway.listening import CannotListenError
from gateway.process import is_cancelled
from gateway.push_config import PushConfig, load_senders
from gateway.settings import BadSettingError
from gateway.trial import FirstReading, read_devices
from gateway.trial_push import hear_bays, hear_posts
from occupancy import database_lots, database_tariffs, join_desk, snapshot
from occupancy.database import Pool
from occupancy.edit import require_reason
from occupancy.join_check import first_readings, reasons_to_wait
from occupancy.join_file import Answers, Driver, find_faults
from occupancy.lot import Lot
from occupancy.lot_stage import Stage
from occupancy.navigation import links_to
from occupancy.tariff_file import shipped_tariffs

LOOK_SECONDS = 1.0
EXAMPLES = Path(__file__).parent / "join_examples"
Say = Callable[[str], None]


@dataclass(frozen=True)
class Field:
    """What the drivers need at a trial. `clock` is UTC ms, `monotonic` runs in seconds."""

    mqtt_url: str
    secrets: Path
    clock: Callable[[], int]
    monotonic: Callable[[], float]
    seconds: float


@dataclass(frozen=True)
class Wish:
    """Who brings it in and why, where the driver's file goes, and how far to go now."""

    by: str
    reason: str
    folder: Path
    is_live: bool
    wait_seconds: float


async def check(answers: Answers, field: Field, say: Say) -> bool:
    """Show what would be written and read each device once; nothing is written.

    Facts that cannot be are told before anything is waited for.
    """
    show(answers, say)
    if faults := find_faults(answers):
        _say_bad(faults, say)
        say("no device was read: mend the facts and run it again")
        return False
    if note := _note_on_tariff(answers):
        say(f"  note  {note}")
    return not await _say_readings(answers, field, say)


async def bring_in(
    redis: Redis, connections: Pool, answers: Answers, field: Field, wish: Wish, say: Say
) -> bool:
    """All of it: checked, tried, written, heard over its own gateway, and then live.

    False where something is to be mended first; what was done by then is said. Raises what
    `join_desk.begin` raises, and that before anything is waited for.
    """
    require_reason(wish.reason)
    kept = await database_lots.find_lot(connections, answers.lot.lot_id)
    join_desk.require_not_live(kept)
    show(answers, say)
    if kept is not None and kept.stage is Stage.REMOVED:
        say(f"it was here before as {kept.lot.name}; its history goes on. Another? Another lot_id")
    if faults := await check_facts(connections, answers):
        say("nothing was written: mend the facts and run it again")
        _say_bad(faults, say)
        return False
    if bad := await _say_readings(answers, field, say):
        say("nothing was written: mend this and run it again")
        for reading in bad:
            say(reading.line())
        return False
    lot = answers.lot
    is_new = await join_desk.begin(
        connections, lot, by=wish.by, reason=wish.reason, tariff=answers.tariff
    )
    file = keep_device_file(answers, wish.folder)
    say(f"{lot.lot_id} joins" if is_new else f"{lot.lot_id} was joining with the same facts")
    say(f"start its process, here or in the car park:\n  zhibo {answers.driver.process} {file}")
    if not wish.is_live:
        say(f"then: zhibo lot live {lot.lot_id}, or the page /admin/joining")
        return True
    reasons = await wait_for_readings(redis, connections, lot, field.clock, wish.wait_seconds, say)
    if reasons:
        say("not live yet: " + "；".join(reasons))
        say(f"it still joins: mend it, then zhibo lot live {lot.lot_id}")
        return False
    await go_live(redis, connections, lot.lot_id, wish.by, wish.reason, field.clock(), say)
    return True


async def take_out(connections: Pool, lot_id: str, wish: Wish, now_ms: int, say: Say) -> None:
    """Raises what `join_desk.remove` raises."""
    lot = await join_desk.remove(connections, lot_id, by=wish.by, reason=wish.reason, now_ms=now_ms)
    say(f"{lot.name} is removed; its history, past reports and the audit stay")
    for file in wish.folder.glob(f"{lot_id}.*.toml"):
        say(f"stop its process; {file.rename(file.with_suffix('.removed'))} is not started again")


def write_example(driver: Driver, folder: Path) -> list[Path]:
    """The files to fill in; one that is there stays. Raises BadSettingError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        written = []
        for source in sorted((EXAMPLES / driver.value).glob("*.toml")):
            target = folder / source.name
            if target.exists():
                raise BadSettingError(
                    f"{target} is there already: fill it in, or name a new folder"
                )
            shutil.copyfile(source, target)
            written.append(target)
    except OSError as reason:
        raise BadSettingError(f"{folder}: {reason.strerror}; name a folder to write in") from None
    return written


def show(answers: Answers, say: Say) -> None:
    """What would be written where, and the entrance on the maps people know."""
    lot, links = answers.lot, links_to(answers.lot)
    say(f"car park {lot.lot_id}: {lot.name}, {lot.capacity} spaces in {len(lot.groups)} groups")
    say(msgspec.json.format(msgspec.json.encode(lot)).decode())
    say(f"tariff {lot.tariff_id}" + (" (new, from its file)" if answers.tariff else ""))
    say(f"entrance on the map: {links.amap}")
    say(f"devices: {answers.device_file}, run by `zhibo {answers.driver.process}`")


def _say_bad(faults: Iterable[str], say: Say) -> None:
    for fault in faults:
        say(f"  BAD   {fault}")


async def _say_readings(answers: Answers, field: Field, say: Say) -> list[FirstReading]:
    """Say what came of each thing; those in trouble come back."""
    readings = await try_devices(answers, field, say)
    say("first readings:")
    for reading in readings:
        say(reading.line())
    return [reading for reading in readings if reading.trouble]


def _note_on_tariff(answers: Answers) -> str:
    """Which tariffs are published PostgreSQL alone knows; a name that does not ship is told."""
    tariff_id = answers.lot.tariff_id
    shipped = [one.tariff_id for one in shipped_tariffs()]
    if answers.tariff is not None or tariff_id in shipped:
        return ""
    words = f"{tariff_id!r} is none of those that ship ({', '.join(shipped)})"
    return f"{answers.file.name}: tariff.same_as: {words}; `zhibo lot new` asks PostgreSQL for it"


async def check_facts(connections: Pool, answers: Answers) -> list[str]:
    """What is wrong with the facts beside those of the others, a line a field."""
    staged = await database_lots.list_staged(connections)
    found = find_faults(answers, (one.lot for one in staged if one.stage is Stage.LIVE))
    known = {one.tariff_id for one in await database_tariffs.list_tariffs(connections)}
    if answers.tariff is None and answers.lot.tariff_id not in known:
        words = f"there is no {answers.lot.tariff_id!r}; known are {', '.join(sorted(known))}"
        found.append(f"{answers.file.name}: tariff.same_as: {words}")
    return found


async def try_devices(answers: Answers, field: Field, say: Say) -> list[FirstReading]:
    """Every device, post or sensor once, through the driver that will serve it."""
    config, lot_id = answers.config, answers.lot.lot_id
    if isinstance(config, GatewayConfig):
        return await read_devices(config)
    if isinstance(config, PushConfig):
        own = msgspec.structs.replace(
            config, parks=tuple(park for park in config.parks if park.lot_id == lot_id)
        )
        (sender,) = load_senders(own, field.secrets)
        code = sender.park.park_code
        place = f"http://{own.host}:{own.port}/push/{code}"

        def listening(_: int) -> None:
            say(f"waiting {field.seconds:.0f} s for a post at {place}; each is to come again")

        try:
            return await hear_posts(
                sender, own.host, own.port, field.clock, field.seconds, say, listening
            )
        except CannotListenError as reason:
            raise BadSettingError(f"{answers.device_file.name}: {reason}") from None
    return await _try_bays(config, lot_id, field, say)


async def _try_bays(config: BayConfig, lot_id: str, field: Field, say: Say) -> list[FirstReading]:
    if not field.mqtt_url:
        raise BadSettingError("ZHIBO_MQTT_URL is not set: the broker of the bay sensors")
    broker = read_broker(field.mqtt_url, config.authority)
    say(f"listening at {broker.address} for at most {field.seconds:.0f} s")
    return await hear_bays(
        *(config, lot_id, load_maps(config)[lot_id], broker),
        *(field.clock, field.monotonic, field.seconds),
    )


def keep_device_file(answers: Answers, folder: Path) -> Path:
    """Where the process of the driver shall find it. Raises BadSettingError."""
    target = folder / f"{answers.lot.lot_id}.{answers.driver.value}.toml"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if target.resolve() != answers.device_file.resolve():
            shutil.copyfile(answers.device_file, target)
    except OSError as reason:
        raise BadSettingError(f"{target}: {reason.strerror}; set another --out") from None
    return target


async def wait_for_readings(
    redis: Redis, connections: Pool, lot: Lot, clock: Callable[[], int], seconds: float, say: Say
) -> list[str]:
    """Until the car park may go live; the reasons against it that are left after `seconds`."""
    told: list[str] = []
    until_ms = clock() + int(seconds * 1_000)
    while not is_cancelled():
        reasons = await read_reasons(redis, connections, lot, clock())
        if not reasons or clock() >= until_ms:
            return reasons
        if reasons != told:
            told = reasons
            say("waiting: " + "；".join(reasons))
        await asyncio.sleep(LOOK_SECONDS)
    return told


async def read_reasons(redis: Redis, connections: Pool, lot: Lot, now_ms: int) -> list[str]:
    pictures = await snapshot.read_all(redis, [lot.lot_id])
    tariffs = [one.tariff_id for one in await database_tariffs.list_tariffs(connections)]
    return reasons_to_wait(lot, pictures[0] if pictures else None, tariffs, now_ms)


async def go_live(
    redis: Redis, connections: Pool, lot_id: str, by: str, reason: str, now_ms: int, say: Say
) -> None:
    """Raises NotReadyError and what else `join_desk.go_live` raises."""
    pictures = await snapshot.read_all(redis, [lot_id])
    picture = pictures[0] if pictures else None
    lot = await join_desk.go_live(connections, lot_id, picture, by=by, reason=reason, now_ms=now_ms)
    for line in first_readings(picture) if picture else ():
        say(f"  {line}")
    say(f"{lot.name} is live: board, advice and open data follow within seconds")


async def list_all(connections: Pool) -> Sequence[str]:
    return [
        f"{one.lot.lot_id:<20} {one.stage.value:<8} {one.lot.capacity:>5}  {one.lot.name}"
        for one in await database_lots.list_staged(connections)
    ]
