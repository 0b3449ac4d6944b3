"""Headers every answer carries: what a browser may load, frame and remember."""

from aiohttp import web

# Pages and their worker load from here only; everything else may load nothing at all.
_STRICT = "default-src 'none'; frame-ancestors 'none'"
_PAGE = (
    "default-src 'none'; script-src 'self'{scripts}; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; worker-src 'self'; manifest-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), payment=()",
}
# Public data: any page may read it; nothing here knows a user.
_PUBLIC_PREFIXES = ("/v1/", "/open/", "/openapi.json")
_PUBLIC = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "ETag, Link, NGSILD-Results-Count",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
_OWN = {"Cross-Origin-Resource-Policy": "same-origin"}


def page_policy(*script_hosts: str) -> str:
    """What a page may load: only what comes from here, and scripts of the hosts named."""
    return _PAGE.format(scripts="".join(f" {host}" for host in script_hosts))


def headers_for(path: str, content_type: str) -> dict[str, str]:
    """What an answer of this kind carries at this path."""
    is_page = content_type.startswith(("text/html", "text/javascript"))
    return {
        **_ALWAYS,
        "Content-Security-Policy": page_policy() if is_page else _STRICT,
        **(_PUBLIC if path.startswith(_PUBLIC_PREFIXES) else _OWN),
    }


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """For `on_response_prepare`."""
    for name, value in headers_for(request.path, response.content_type).items():
        response.headers.setdefault(name, value)
