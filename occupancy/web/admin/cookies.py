"""The two cookies of the operators' pages: whose session this is, and which form of login."""

import ipaddress
import secrets

from aiohttp import web

SESSION, FORM = "zhibo-session", "zhibo-form"
_HOST_PREFIX = "__Host-"
_KEY_BYTES = 24


def read_session(request: web.Request) -> str:
    return request.cookies.get(_name(request, SESSION), "")


def set_session(request: web.Request, response: web.Response, key: str) -> None:
    _set(request, response, SESSION, key)


def drop_session(request: web.Request, response: web.Response) -> None:
    name = _name(request, SESSION)
    response.del_cookie(name, path="/", secure=is_secure(request), httponly=True)


def form_key(request: web.Request) -> str:
    """What a form sent before logging in must bring back; a new one for a new browser."""
    return request.cookies.get(_name(request, FORM), "") or secrets.token_urlsafe(_KEY_BYTES)


def set_form_key(request: web.Request, response: web.Response, key: str) -> None:
    _set(request, response, FORM, key)


def brings_form_key(request: web.Request, sent: str) -> bool:
    kept = request.cookies.get(_name(request, FORM), "")
    return bool(kept) and secrets.compare_digest(kept.encode(), sent.encode())


def _set(request: web.Request, response: web.Response, name: str, value: str) -> None:
    response.set_cookie(
        _name(request, name),
        value,
        path="/",
        secure=is_secure(request),
        httponly=True,
        samesite="Lax",
    )


def _name(request: web.Request, name: str) -> str:
    """Browsers take the prefix only together with Secure."""
    return _HOST_PREFIX + name if is_secure(request) else name


def is_secure(request: web.Request) -> bool:
    """Only who sits at this machine may speak without TLS."""
    host = request.host.rpartition(":")[0] if ":" in request.host else request.host
    host = host.strip("[]")
    if host == "localhost":
        return False
    try:
        return not ipaddress.ip_address(host).is_loopback
    except ValueError:
        return True
