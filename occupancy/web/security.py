"""Headers every answer carries: what a browser may load, frame and remember."""

import re
import secrets

from aiohttp import web

# Pages and their worker load from here only; everything else may load nothing at all.
_STRICT = "default-src 'none'; frame-ancestors 'none'"
_PAGE = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; worker-src 'self'; manifest-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), payment=()",
}
_PUBLIC_PREFIXES = ("/v1/", "/open/", "/openapi.json")
_FOREIGN_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """For `on_response_prepare`."""
    headers = response.headers
    for name, value in _ALWAYS.items():
        headers.setdefault(name, value)
    is_page = response.content_type in ("text/html", "text/javascript")
    headers.setdefault("Content-Security-Policy", _PAGE if is_page else _STRICT)
    if request.path.startswith(_PUBLIC_PREFIXES):
        # Public data: any page may read it; nothing here knows a user.
        headers.setdefault("Access-Control-Allow-Origin", "*")
        headers.setdefault("Access-Control-Expose-Headers", "ETag, X-Request-Id")
        headers.setdefault("Cross-Origin-Resource-Policy", "cross-origin")
    else:
        headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    headers.setdefault("X-Request-Id", _request_id(request))


def _request_id(request: web.Request) -> str:
    """The caller's, if it is one that a header can carry; else our own."""
    given = request.headers.get("X-Request-Id", "")
    return given if _FOREIGN_ID.fullmatch(given) else secrets.token_hex(8)
