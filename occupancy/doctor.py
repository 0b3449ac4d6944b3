"""Checks PostgreSQL and Redis as the service would use them, each with its cure."""

from collections.abc import Iterable

from redis.exceptions import RedisError

from gateway.address import without_password
from gateway.certificate import cure_of, endpoints, trouble_of
from gateway.certificate_look import look_at
from gateway.doctor import Finding
from gateway.redis_client import connect
from occupancy import alarm_board, database
from occupancy.reading import Reading
from occupancy.replica import ReplicaState
from occupancy.report import pdf
from occupancy.snapshot import read_server_version

LEAST_REDIS = (7, 0)
REDIS_CURE = "start Redis 7 or Valkey 8 there, or set ZHIBO_REDIS_URL; `zhibo up` embeds one"
ALARM_CURE = "docs/operations.md says what to do; it clears by itself"
POSTGRES_CURE = "start PostgreSQL 15 or newer there, or set ZHIBO_POSTGRES_URL"

SILENT_CURE = "start its server, and look at its address and the network"
REPLICA_CURE = "start it again as a standby of the primary, or set ZHIBO_POSTGRES_REPLICA_URL"


async def check_servers(redis_url: str, postgres_url: str, replica_url: str = "") -> list[Finding]:
    found = [await check_redis(redis_url), await check_postgres(postgres_url)]
    return [*found, await check_replica(postgres_url, replica_url)] if replica_url else found


async def check_redis(url: str) -> Finding:
    """Reachable, new enough, and taking writes: a full one refuses them while reads go on."""
    thing = f"Redis {without_password(url) or '(ZHIBO_REDIS_URL is not set)'}"
    if not url:
        return Finding(thing, "no address", REDIS_CURE)
    async with connect(url) as redis:
        try:
            version = await read_server_version(redis)
        except (RedisError, OSError) as failure:
            return Finding(thing, str(failure) or "no answer", REDIS_CURE)
    if version < LEAST_REDIS:
        return Finding(thing, f"version {version[0]}.{version[1]} is too old", REDIS_CURE)
    return Finding(thing)


def tell_of_pdf() -> str:
    """Whether reports can be printed: no defect where not, all else of a report is made."""
    try:
        pdf.load()
    except pdf.NoPdfError as trouble:
        return f"  note  reports have no PDF here: {trouble}"
    if not pdf.has_chinese_font():
        return "  note  reports have no Chinese font here: apt-get install fonts-noto-cjk"
    return "  ok    PDF of reports"


async def check_certificates(addresses: Iterable[tuple[str, str]], now_ms: int) -> list[Finding]:
    """Each server among these (setting, address) pairs that speaks TLS: how long it still may."""
    found = await look_at(endpoints(addresses))
    return [
        Finding(
            f"certificate of {term.endpoint.place} ({term.endpoint.setting})",
            trouble_of(term, now_ms),
            SILENT_CURE if term.expires_ms is None else cure_of(term.endpoint),
        )
        for term in found
    ]


async def check_alarms(url: str) -> list[Finding]:
    """Every open alarm; nothing while Redis is away, which another check says."""
    if not url:
        return []
    async with connect(url) as redis:
        try:
            sheet = await alarm_board.read(redis)
        except (RedisError, OSError):
            return []
    if sheet is None:
        return [Finding("alarms", "nobody looks for them", "start `zhibo recorder`")]
    return [Finding("alarms")] + [
        Finding(f"alarm {alarm.key.kind} {alarm.key.lot_id}", alarm.words, ALARM_CURE)
        for alarm in sheet.alarms
    ]


async def check_postgres(url: str) -> Finding:
    """Reachable and at this version's schema."""
    thing = f"PostgreSQL {without_password(url) or '(ZHIBO_POSTGRES_URL is not set)'}"
    if not url:
        return Finding(thing, "no address", POSTGRES_CURE)
    try:
        number = await database.read_schema_version(url)
    except database.NoSuchDatabaseError:
        return Finding(thing, "there is no such database", "create it: createdb zhibo")
    except database.UNREACHABLE as failure:
        return Finding(thing, str(failure) or "no answer", POSTGRES_CURE)
    newest = database.migrations()[-1][0]
    if number > newest:
        words = f"schema {number:04d} is newer than this version's {newest:04d}"
        return Finding(thing, words, "run the newer version here, too")
    if number < newest:
        words = f"schema {number:04d}, this version wants {newest:04d}"
        return Finding(thing, words, "run `zhibo migrate`")
    return Finding(thing)


async def check_replica(primary_url: str, url: str) -> Finding:
    """It answers, follows the primary, and does not lag behind what was just written."""
    thing = f"PostgreSQL replica {without_password(url)}"
    async with database.pool(primary_url) as primary, database.pool(url) as replica:
        watched = Reading(primary, replica)
        await watched.look()
    state = watched.standing.state
    if state is ReplicaState.AWAY:
        return Finding(thing, "no answer", REPLICA_CURE)
    if state is ReplicaState.PROMOTED:
        return Finding(thing, "it is no replica: it takes writes of its own", REPLICA_CURE)
    return Finding(thing)
