"""Certificates of our servers that end or have ended: conditions for the alarms, in Chinese."""

import datetime as dt
from collections.abc import Iterable

from gateway.certificate import DAY_SECONDS, Endpoint, Term
from occupancy.alarm import AlarmKind, Condition, Key
from occupancy.vital_signs import DISTRICT

_SHANGHAI = dt.timezone(dt.timedelta(hours=8))
_KINDS = (AlarmKind.CERTIFICATE_ENDS, AlarmKind.CERTIFICATE_ENDED)


def certificate_conditions(terms: Iterable[Term], now_ms: int) -> list[Condition]:
    """Of each certificate that was seen: days that are left, or that it has ended, never both."""
    return [
        _condition(term.endpoint, term.expires_ms, now_ms)
        for term in terms
        if term.expires_ms is not None
    ]


def unseen_keys(terms: Iterable[Term]) -> frozenset[Key]:
    """The alarms of servers that show none now: one of them that was raised stays as it was."""
    return frozenset(
        _key(kind, term.endpoint) for term in terms if term.expires_ms is None for kind in _KINDS
    )


def _condition(endpoint: Endpoint, expires_ms: int, now_ms: int) -> Condition:
    place, setting, host = endpoint.place, endpoint.setting, endpoint.host
    when = f"{dt.datetime.fromtimestamp(expires_ms / 1_000, tz=_SHANGHAI):%Y-%m-%d %H:%M}"
    left_ms = expires_ms - now_ms
    if left_ms <= 0:
        words = (
            f"{place}（{setting}）的证书已于 {when} 到期，核对证书的一方会拒绝连接："
            f"请立即在 {host} 上换新证书，让服务重新读取，并查自动续期为何没有做；设置不用改"
        )
        return Condition(_key(AlarmKind.CERTIFICATE_ENDED, endpoint), 1.0, words)
    words = (
        f"{place}（{setting}）的证书将于 {when} 到期："
        f"请在 {host} 上换新证书，让服务重新读取，并查自动续期是否在做；设置不用改"
    )
    days = left_ms / 1_000 / DAY_SECONDS
    return Condition(_key(AlarmKind.CERTIFICATE_ENDS, endpoint), days, words)


def _key(kind: AlarmKind, endpoint: Endpoint) -> Key:
    return Key(kind, DISTRICT, f"{endpoint.place}（{endpoint.setting}）")
