"""Passwords: argon2id in a thread, at most two at once, the same work for unknown names."""

import asyncio
import secrets
import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

LEAST_LETTERS, MOST_LETTERS = 12, 128
LEAST_DIFFERENT = 5
_AT_ONCE = threading.BoundedSemaphore(2)  # 64 MiB each
_HASHER = PasswordHasher()
# What is checked for a name nobody has: it takes as long, and nothing fits it.
_NOBODY = _HASHER.hash(secrets.token_urlsafe(32))


class BadPasswordError(Exception):
    """A password that is too short or too long; the message says what would do."""


def find_flaw(password: str, name: str) -> str | None:
    """Why nobody of this name should have it, in Chinese; None: it will do."""
    if not LEAST_LETTERS <= len(password) <= MOST_LETTERS:
        return f"密码要 {LEAST_LETTERS} 到 {MOST_LETTERS} 个字符，现在是 {len(password)} 个"
    if name.casefold() in password.casefold():
        return "密码里不要有用户名"
    if len(set(password)) < LEAST_DIFFERENT:
        return f"至少要有 {LEAST_DIFFERENT} 种不同的字符"
    return None


def make_password() -> str:
    return secrets.token_urlsafe(15)


async def hash_password(password: str) -> str:
    """Raises BadPasswordError."""
    if not LEAST_LETTERS <= len(password) <= MOST_LETTERS:
        raise BadPasswordError(
            f"a password has {LEAST_LETTERS} to {MOST_LETTERS} letters; this one has "
            f"{len(password)}"
        )
    return await asyncio.to_thread(_hash, password)


async def fits(password_hash: str | None, password: str) -> bool:
    """Whether it is the password; None (nobody) takes as long and is never right."""
    fitting = await asyncio.to_thread(_verify, password_hash or _NOBODY, password[:MOST_LETTERS])
    return fitting and password_hash is not None


def _hash(password: str) -> str:
    with _AT_ONCE:
        return _HASHER.hash(password)


def _verify(password_hash: str, password: str) -> bool:
    with _AT_ONCE:
        try:
            return _HASHER.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False
