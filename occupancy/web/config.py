"""What the web service is told: where to listen, how it is called from outside."""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.address import address
from gateway.config import REDIS_URL
from gateway.settings import BadSettingError, Setting, port, text, whole_number
from occupancy.config import POSTGRES_URL, load_password_rules, load_replica
from occupancy.password_rules import ASVS, PasswordRules
from occupancy.replica import NO_REPLICA, ReplicaSettings
from occupancy.web.addresses import networks
from occupancy.web.open_data.publication import OWNER, UNCONFIRMED, UNKNOWN_TERMS, Publication


def _proxies(raw: str) -> str:
    networks(raw)
    return raw


HOST = Setting("ZHIBO_HOST", "127.0.0.1", text, "address the web service listens on")
PORT = Setting("ZHIBO_PORT", "8080", port, "port of the web service")
WORKERS = Setting(
    "ZHIBO_WORKERS",
    "1",
    lambda raw: whole_number(raw, least=1, most=64),
    "processes that share the web service's port",
)
PUBLIC_URL = Setting("ZHIBO_PUBLIC_URL", "", address, "the service's address as citizens see it")
PROXIES = Setting(
    "ZHIBO_PROXIES", "", _proxies, "addresses of our own proxies, whose X-Forwarded-For is believed"
)
READS_A_MINUTE = Setting(
    "ZHIBO_READS_A_MINUTE",
    "1200",
    lambda raw: whole_number(raw, least=1, most=1_000_000),
    "how often an address may read in a minute",
)
WRITES_A_MINUTE = Setting(
    "ZHIBO_WRITES_A_MINUTE",
    "60",
    lambda raw: whole_number(raw, least=1, most=1_000_000),
    "how often an address may ask for advice or send something in a minute",
)
OPEN_OWNER = Setting("ZHIBO_OPEN_OWNER", OWNER, text, "whose data the open data is")
OPEN_LICENCE = Setting(
    "ZHIBO_OPEN_LICENCE", UNCONFIRMED, text, "the licence of the open data (placeholder)"
)
OPEN_LICENCE_URL = Setting("ZHIBO_OPEN_LICENCE_URL", "", text, "where that licence can be read")
SETTINGS = (
    HOST,
    PORT,
    WORKERS,
    PUBLIC_URL,
    PROXIES,
    READS_A_MINUTE,
    WRITES_A_MINUTE,
    OPEN_OWNER,
    OPEN_LICENCE,
    OPEN_LICENCE_URL,
)


@dataclass(frozen=True)
class WebSettings:
    """Everything the web service needs, checked."""

    host: str
    port: int
    workers: int
    public_url: str
    redis_url: str
    postgres_url: str
    proxies: str = ""
    reads_a_minute: int = 1_200
    writes_a_minute: int = 60
    publication: Publication = UNKNOWN_TERMS
    password_rules: PasswordRules = ASVS
    replica: ReplicaSettings = NO_REPLICA


def load_settings(environ: Mapping[str, str]) -> WebSettings:
    """Raises BadSettingError."""
    settings = WebSettings(
        host=HOST.read(environ),
        port=PORT.read(environ),
        workers=WORKERS.read(environ),
        public_url=PUBLIC_URL.read(environ),
        redis_url=REDIS_URL.read(environ),
        postgres_url=POSTGRES_URL.read(environ),
        proxies=PROXIES.read(environ),
        reads_a_minute=READS_A_MINUTE.read(environ),
        writes_a_minute=WRITES_A_MINUTE.read(environ),
        publication=Publication(
            OPEN_OWNER.read(environ),
            OPEN_LICENCE.read(environ),
            OPEN_LICENCE_URL.read(environ),
            PUBLIC_URL.read(environ),
        ),
        password_rules=load_password_rules(environ),
        replica=load_replica(environ),
    )
    for setting, value in ((REDIS_URL, settings.redis_url), (POSTGRES_URL, settings.postgres_url)):
        if not value:
            raise BadSettingError(f"{setting.name} is not set: {setting.about}")
    return settings
