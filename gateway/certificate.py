"""Certificates of the servers we use: whose, until when, and when it is time to renew one."""

import datetime as dt
import math
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

WARN_DAYS = 14
DAY_SECONDS = 86_400
_PORTS = {
    "rediss": 6379,
    "rediss+cluster": 6379,
    "rediss+sentinel": 26_379,
    "postgresql": 5432,
    "postgres": 5432,
    "mqtts": 8883,
    "https": 443,
}
_CHECKED = ("require", "verify-ca", "verify-full")  # of sslmode: TLS must be there


class Greeting(StrEnum):
    """What is said before TLS begins."""

    NONE = ""
    POSTGRES = "postgres"


class Endpoint(NamedTuple):
    """A server that we, or those who come to us, reach by TLS; `setting` names its address."""

    setting: str
    host: str
    port: int
    greeting: Greeting = Greeting.NONE

    @property
    def place(self) -> str:
        return f"{self.host}:{self.port}"


class Term(NamedTuple):
    """How long an endpoint's certificate lasts; None: it showed none, for the reason `trouble`."""

    endpoint: Endpoint
    expires_ms: int | None
    trouble: str = ""

    def seconds_left(self, now_ms: int) -> float:
        """Negative once it has expired; NaN while nobody knows."""
        return math.nan if self.expires_ms is None else (self.expires_ms - now_ms) / 1_000


def endpoints(addresses: Iterable[tuple[str, str]]) -> list[Endpoint]:
    """Those of these (setting, address) pairs that speak TLS, one for each host they name."""
    return list(dict.fromkeys(one for pair in addresses for one in _endpoints(*pair)))


def _endpoints(setting: str, address: str) -> Sequence[Endpoint]:
    parts = urlsplit(address)
    is_postgres = parts.scheme in ("postgresql", "postgres")
    if parts.scheme not in _PORTS or (is_postgres and not _asks_for_tls(parts.query)):
        return ()
    greeting = Greeting.POSTGRES if is_postgres else Greeting.NONE
    places = parts.netloc.rpartition("@")[2].split(",")
    split = (_host_and_port(place, _PORTS[parts.scheme]) for place in places)
    return [Endpoint(setting, host, port, greeting) for host, port in split if host]


def _asks_for_tls(query: str) -> bool:
    return parse_qs(query).get("sslmode", [""])[0] in _CHECKED


def _host_and_port(place: str, default: int) -> tuple[str, int]:
    parts = urlsplit(f"//{place}")
    return parts.hostname or "", parts.port or default


def trouble_of(term: Term, now_ms: int) -> str:
    """Words when it has expired, will within two weeks, or cannot be seen; else none."""
    if term.expires_ms is None:
        return f"no certificate seen: {term.trouble}"
    at = dt.datetime.fromtimestamp(term.expires_ms / 1_000, tz=dt.UTC)
    when = f"{at:%Y-%m-%d %H:%M} UTC"
    left = term.seconds_left(now_ms)
    if left <= 0:
        return f"its certificate expired on {when}"
    days = int(left // DAY_SECONDS)
    return f"its certificate expires in {days} days, on {when}" if days < WARN_DAYS else ""


def cure_of(endpoint: Endpoint) -> str:
    """The way out, for whoever keeps that server."""
    return (
        f"renew the certificate on {endpoint.host}, let its server read it again, and look that "
        f"renewal runs by itself; {endpoint.setting} stays as it is (docs/deploy.md, Certificates)"
    )
