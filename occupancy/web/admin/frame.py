"""The frame of every operators' page: menu, bell, language, and what a browser may load."""

import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING

from aiohttp import web

from occupancy.study_outcome import number
from occupancy.web.admin import cookies, words
from occupancy.web.admin.language import COOKIE, chosen, speak, speaker
from occupancy.web.admin.menu import home_of, menu_of
from occupancy.web.pages import Pages
from occupancy.web.static_files import StaticFiles

if TYPE_CHECKING:
    from occupancy.web.admin.visit import Visit

_NONCE_BYTES = 16
_YEAR_SECONDS = 31_536_000
_POLICY = (
    "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; "
    "img-src 'self' data:; connect-src 'self'; worker-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)


class Frame:
    """Renders pages and their parts. `count_alarms` says how many wait for somebody."""

    def __init__(
        self,
        static: StaticFiles,
        count_alarms: Callable[[], int],
        name_of: Callable[[str], str],
    ) -> None:
        self._pages = Pages(static, "occupancy.web.admin")
        self._pages.add_filter("lot_name", name_of)
        self._pages.add_filter("figure", number)
        self._count_alarms = count_alarms

    def page(self, visit: "Visit", template: str, status: int, **values: object) -> web.Response:
        """A whole page; whoever is not logged in gets no menu."""
        nonce = secrets.token_urlsafe(_NONCE_BYTES)
        language = visit.language
        text = self._pages.render(
            template,
            **self._told(visit, language),
            nonce=nonce,
            menu=menu_of(visit.person) if visit.person.name else [],
            waiting_alarms=self._count_alarms(),
            done=visit.asked("done")[:200],
            was_restored=bool(visit.restored),
            **values,
        )
        return _answer(visit.request, text, status, nonce, language)

    def fragment(self, visit: "Visit", template: str, **values: object) -> web.Response:
        told = self._told(visit, visit.language)
        text = speak(self._pages.render(template, **told, **values), visit.language)
        headers = {"Cache-Control": "no-store"}
        return web.Response(text=text, content_type="text/html", headers=headers)

    def piece(self, language: str, template: str, **values: object) -> str:
        """HTML for a page that is told in this language as a whole."""
        return self._pages.render(template, _=speaker(language), **values)

    def trouble(self, request: web.Request, status: int, detail: str) -> web.Response:
        """Something went wrong, said on a page of its own."""
        nonce = secrets.token_urlsafe(_NONCE_BYTES)
        language = language_of(request)
        text = self._pages.render(
            "trouble.html",
            _=speaker(language),
            language=language,
            nonce=nonce,
            status=status,
            detail=detail,
        )
        return _answer(request, text, status, nonce, language)

    def _told(self, visit: "Visit", language: str) -> dict[str, object]:
        return {
            "_": speaker(language),
            "language": language,
            "visit": visit,
            "words": words,
            "home": home_of(visit.person),
        }


def language_of(request: web.Request) -> str:
    return chosen(request.query.get("lang", ""), request.cookies.get(COOKIE, ""))


def _answer(
    request: web.Request, text: str, status: int, nonce: str, language: str
) -> web.Response:
    response = web.Response(
        text=speak(text, language),
        status=status,
        content_type="text/html",
        headers={
            "Cache-Control": "no-store",
            "Content-Security-Policy": _POLICY.format(nonce=nonce),
        },
    )
    if cookies.is_secure(request):
        response.headers["Strict-Transport-Security"] = f"max-age={_YEAR_SECONDS}"
    if "lang" in request.query:
        response.set_cookie(COOKIE, language, path="/admin", samesite="Lax", max_age=_YEAR_SECONDS)
    return response
