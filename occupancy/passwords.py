"""Passwords: argon2id in a thread, at most two at once, the same work for unknown names."""

import asyncio
import secrets
import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from occupancy import password_rules
from occupancy.common_passwords import is_common
from occupancy.password_rules import ASVS, LEAST_LETTERS, MOST_LETTERS, PasswordRules

COMMON = (
    "这个密码太常见，很快会被猜到（例如常用词加数字、键盘上相邻的键）：请换一句只有自己知道的话"
)
_AT_ONCE = threading.BoundedSemaphore(2)  # 64 MiB each
_HASHER = PasswordHasher()
# What is checked for a name nobody has: it takes as long, and nothing fits it.
_NOBODY = _HASHER.hash(secrets.token_urlsafe(32))


class BadPasswordError(Exception):
    """A password that is too short or too long; the message says what would do."""


async def find_flaw(password: str, name: str, rules: PasswordRules = ASVS) -> str | None:
    """Why nobody of this name should have it, in Chinese; None: it will do."""
    flaw = password_rules.find_flaw(password, name, rules)
    if flaw is None and await asyncio.to_thread(is_common, password, name):
        return COMMON
    return flaw


async def make_password(name: str, rules: PasswordRules) -> str:
    """One that nobody chose and that the rules let through."""
    while await find_flaw(made := secrets.token_urlsafe(15), name, rules):
        continue
    return made


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
