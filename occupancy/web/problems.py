"""Errors as RFC 9457 problem documents that name the field and the way out."""

from collections.abc import Awaitable, Callable

import msgspec
import structlog
from aiohttp import web

CONTENT_TYPE = "application/problem+json"
_TITLES = {
    400: "The request is wrong",
    404: "There is no such thing",
    405: "This address does not take that method",
    413: "The request is too large",
    503: "Not ready yet",
}
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

log = structlog.get_logger()


class ProblemDocument(msgspec.Struct, frozen=True, omit_defaults=True):
    """RFC 9457; `field` names the parameter at fault, `choices` what would be right."""

    title: str
    status: int
    detail: str
    type: str = "about:blank"
    field: str = ""
    choices: tuple[str, ...] = ()


class Problem(Exception):  # noqa: N818  # RFC 9457's own word
    """A request cannot be answered; the document says why."""

    def __init__(
        self, status: int, detail: str, *, field: str = "", choices: tuple[str, ...] = ()
    ) -> None:
        super().__init__(detail)
        self.document = ProblemDocument(
            title=_TITLES.get(status, "The request failed"),
            status=status,
            detail=detail,
            field=field,
            choices=choices,
        )


def answer(problem: Problem) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(problem.document),
        status=problem.document.status,
        content_type=CONTENT_TYPE,
    )


@web.middleware
async def as_documents(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every error a reader meets is a document, aiohttp's own included."""
    try:
        return await handler(request)
    except Problem as problem:
        return answer(problem)
    except web.HTTPRequestEntityTooLarge:
        return answer(Problem(413, "the body is larger than this address takes"))
    except web.HTTPMethodNotAllowed as refusal:
        allowed = tuple(sorted(refusal.allowed_methods))
        response = answer(Problem(405, f"{request.method} is not taken here", choices=allowed))
        response.headers["Allow"] = ", ".join(allowed)
        return response
    except web.HTTPNotFound:
        return answer(Problem(404, f"nothing is served at {request.path}"))
