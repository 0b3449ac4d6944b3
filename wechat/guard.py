"""Who is let in: signatures, time, mode. Nothing of a request is believed before it has passed."""

import hmac
from collections.abc import Iterable, Sequence

import msgspec

from wechat.config import Mode
from wechat.crypto import signature

WINDOW_SECONDS = 300
MOST_LETTERS = 256
AES = "aes"
_TIMESTAMP_DIGITS = 12


class RefusedError(Exception):
    """This request does not come from WeChat, or not as it should."""


class Passed(msgspec.Struct, frozen=True):
    """A query that WeChat signed; what is sealed still has to prove itself with `token`."""

    token: str
    timestamp: str
    nonce: str
    msg_signature: str = ""
    echo: str = ""

    @property
    def is_sealed(self) -> bool:
        return bool(self.msg_signature)


def check_query(
    pairs: Iterable[tuple[str, str]], tokens: Sequence[str], mode: Mode, now_ms: int
) -> Passed:
    """Whether WeChat signed this query a moment ago. Raises RefusedError."""
    query = _each_once(pairs)
    timestamp, nonce = query.get("timestamp", ""), query.get("nonce", "")
    given = query.get("signature", "")
    _check_time(timestamp, now_ms)
    token = next((t for t in tokens if _equal(signature(t, timestamp, nonce), given)), None)
    if token is None or not nonce:
        raise RefusedError("the signature is false")
    echo = query.get("echostr", "")
    return Passed(token, timestamp, nonce, "" if echo else _msg_signature(query, mode), echo)


def check_sealed(passed: Passed, sealed: str) -> None:
    """Whether the signature covers what is sealed. Raises RefusedError."""
    expected = signature(passed.token, passed.timestamp, passed.nonce, sealed)
    if not _equal(expected, passed.msg_signature):
        raise RefusedError("the signature does not cover the message")


def _msg_signature(query: dict[str, str], mode: Mode) -> str:
    """Empty for a plain message where plain ones are taken. Raises RefusedError."""
    kind, given = query.get("encrypt_type", ""), query.get("msg_signature", "")
    if kind == AES:
        if mode is Mode.PLAIN:
            raise RefusedError("sealed, and ZHIBO_WECHAT_MODE says plain")
        if not given:
            raise RefusedError("sealed without a signature over the message")
        return given
    if kind not in ("", "raw"):
        raise RefusedError("sealed in a way nobody knows")
    if mode is Mode.SAFE:
        raise RefusedError("plain, and ZHIBO_WECHAT_MODE says safe")
    return ""


def _each_once(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    query: dict[str, str] = {}
    for name, value in pairs:
        if name in query:
            raise RefusedError("a name stands twice in the query")
        if len(value) > MOST_LETTERS:
            raise RefusedError("a value is too long")
        query[name] = value
    return query


def _check_time(timestamp: str, now_ms: int) -> None:
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= _TIMESTAMP_DIGITS):
        raise RefusedError("the timestamp is no number")
    if abs(int(timestamp) * 1_000 - now_ms) > WINDOW_SECONDS * 1_000:
        raise RefusedError(f"the timestamp is more than {WINDOW_SECONDS} s off")


def _equal(expected: str, given: str) -> bool:
    """In a time that tells nothing about where they differ."""
    return hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace"))
