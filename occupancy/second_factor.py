"""Time-based one-time codes (RFC 6238), each taken once, and codes for a lost phone."""

import base64
import hashlib
import hmac
import secrets
from urllib.parse import quote

STEP_SECONDS = 30
DIGITS = 6
RECOVERY_CODES = 10
_SECRET_BYTES = 20
_RECOVERY_BYTES = 15  # 120 bits, in 24 letters without padding


def make_secret() -> str:
    return base64.b32encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def step_at(now_ms: int) -> int:
    return now_ms // (STEP_SECONDS * 1_000)


def code_at(secret: str, step: int) -> str:
    """RFC 4226 over the number of the step."""
    key = base64.b32decode(secret)
    digest = hmac.new(key, step.to_bytes(8, "big"), hashlib.sha1).digest()
    start = digest[-1] & 0x0F
    number = int.from_bytes(digest[start : start + 4], "big") & 0x7FFF_FFFF
    return str(number % 10**DIGITS).zfill(DIGITS)


def find_step(secret: str, code: str, now_ms: int, last_step: int) -> int | None:
    """The step this code is of: now's, and none that was used before."""
    step = step_at(now_ms)
    wanted = code_at(secret, step)
    is_right = hmac.compare_digest(wanted.encode(), code.encode())
    return step if is_right and step > last_step else None


def address(secret: str, name: str) -> str:
    """What an authenticator app reads from a link."""
    issuer = quote("三水智泊")
    return f"otpauth://totp/{issuer}:{quote(name)}?secret={secret}&issuer={issuer}"


def make_recovery_codes() -> list[str]:
    return [
        base64.b32encode(secrets.token_bytes(_RECOVERY_BYTES)).decode().rstrip("=").lower()
        for _ in range(RECOVERY_CODES)
    ]


def hash_code(code: str) -> bytes:
    """Codes are random and long: a plain digest cannot be guessed back."""
    return hashlib.sha256(code.strip().lower().replace("-", "").encode()).digest()
