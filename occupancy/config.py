"""What the occupancy service is told: data folder, servers, log level."""

from collections.abc import Mapping
from pathlib import Path

from gateway.address import address
from gateway.settings import Setting, text, whole_number
from occupancy.password_rules import ASVS, COMPLEX_KINDS, PasswordRules
from occupancy.replica import ReplicaSettings


def _level(raw: str) -> str:
    if raw not in ("debug", "info", "warning", "error"):
        raise ValueError("must be debug, info, warning or error")
    return raw


def _days(raw: str) -> int:
    return whole_number(raw, least=32, most=36_500)


def _lag(raw: str) -> int:
    return whole_number(raw, least=2, most=86_400)


def _rules(raw: str) -> str:
    if raw not in ("asvs", "dengbao"):
        raise ValueError("must be asvs or dengbao")
    return raw


def _password_days(raw: str) -> int:
    return whole_number(raw, least=1, most=3_650)


DATA = Setting("ZHIBO_DATA", ".zhibo", Path, "folder of everything that `zhibo up` keeps")
POSTGRES_URL = Setting(
    "ZHIBO_POSTGRES_URL", "", address, "PostgreSQL >= 15; without it `zhibo up` embeds one"
)
POSTGRES_REPLICA_URL = Setting(
    "ZHIBO_POSTGRES_REPLICA_URL",
    "",
    address,
    "a streaming replica of it, for reports and histories",
)
REPLICA_LAG = Setting(
    "ZHIBO_REPLICA_LAG_SECONDS", "30", _lag, "a replica further behind is not read"
)
LOG_LEVEL = Setting("ZHIBO_LOG_LEVEL", "info", _level, "debug, info, warning or error")
RUNNING_FILE = "running.env"  # in the data folder, while `zhibo up` runs: where its servers are
KEEP_OBSERVATIONS = Setting(
    "ZHIBO_KEEP_OBSERVATIONS_DAYS", "400", _days, "days for which every observation is kept"
)
KEEP_MINUTES = Setting(
    "ZHIBO_KEEP_MINUTES_DAYS", "800", _days, "days for which windows of a minute are kept"
)
KEEP_QUARTERS = Setting(
    "ZHIBO_KEEP_QUARTERS_DAYS", "4000", _days, "the same for 15 minutes; hours are kept for ever"
)
AUDIT_FOLDER = Setting(
    "ZHIBO_AUDIT_FOLDER", "", text, "where the audit's heads are noted; else `audit` in ZHIBO_DATA"
)
AUDIT_KEY = Setting(
    "ZHIBO_AUDIT_KEY", "", text, "file of the Ed25519 key that signs them; else `key.pem` there"
)
PASSWORD_RULES = Setting(
    "ZHIBO_PASSWORD_RULES",
    "asvs",
    _rules,
    "asvs (long and not common) or dengbao (also three kinds of characters, and a change)",
)
PASSWORD_DAYS = Setting(
    "ZHIBO_PASSWORD_DAYS", "90", _password_days, "with dengbao: after how many days it is changed"
)
SETTINGS = (
    DATA,
    POSTGRES_URL,
    POSTGRES_REPLICA_URL,
    REPLICA_LAG,
    LOG_LEVEL,
    KEEP_OBSERVATIONS,
    KEEP_MINUTES,
    KEEP_QUARTERS,
    AUDIT_FOLDER,
    AUDIT_KEY,
    PASSWORD_RULES,
    PASSWORD_DAYS,
)


def load_replica(environ: Mapping[str, str]) -> ReplicaSettings:
    """Raises BadSettingError."""
    return ReplicaSettings(POSTGRES_REPLICA_URL.read(environ), REPLICA_LAG.read(environ))


def load_password_rules(environ: Mapping[str, str]) -> PasswordRules:
    """Raises BadSettingError."""
    days = PASSWORD_DAYS.read(environ)
    is_complex = PASSWORD_RULES.read(environ) == "dengbao"
    return PasswordRules(COMPLEX_KINDS, days) if is_complex else ASVS


def audit_places(environ: Mapping[str, str]) -> tuple[Path, Path]:
    """The folder of the audit's noted heads, and the file of the key that signs them."""
    folder = Path(AUDIT_FOLDER.read(environ) or DATA.read(environ) / "audit")
    return folder, Path(AUDIT_KEY.read(environ) or folder / "key.pem")
