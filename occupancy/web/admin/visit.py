"""One operator's request: who he is, what he sent, and how he is answered."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from aiohttp import web

from occupancy.permissions import Permission, Person
from occupancy.session_store import Session
from occupancy.web.admin.frame import Frame, language_of

HTML = {"Cache-Control": "no-store"}


@dataclass(frozen=True)
class Visit:
    """What a page needs to answer one request; `form` is empty unless something was sent."""

    request: web.Request
    person: Person
    session: Session
    session_key: str
    frame: Frame
    now_ms: int
    form: Mapping[str, str] = field(default_factory=dict)
    restored: Mapping[str, str] = field(default_factory=dict)
    town: Collection[str] = ()  # all car parks there are

    @property
    def path(self) -> str:
        return self.request.path

    @property
    def language(self) -> str:
        return language_of(self.request)

    def word(self, name: str) -> str:
        """A part of the address, as the route names it."""
        return self.request.match_info[name]

    def asked(self, name: str, default: str = "") -> str:
        """A parameter of the address."""
        return self.request.query.get(name, default)

    def may(self, permission: Permission, lot_id: str = "") -> bool:
        return self.person.may(permission, lot_id)

    def may_for(self, permission: Permission, lots: Collection[str] | None = None) -> bool:
        """Whether he may change what these car parks share; none named: all of the town."""
        return self.may(permission) and self.person.covers(self.town if lots is None else lots)

    def sees(self, lot_id: str) -> bool:
        """His car parks; none named: all."""
        return not self.person.lots or lot_id in self.person.lots

    def page(self, template: str, status: int = 200, **values: object) -> web.Response:
        """A whole page in its frame."""
        return self.frame.page(self, template, status, **values)

    def fragment(self, template: str, **values: object) -> web.Response:
        """A part of a page, for htmx to put in its place."""
        return self.frame.fragment(self, template, **values)

    def piece(self, template: str, **values: object) -> str:
        """HTML that pages are put together from; it knows no visitor, so others may have it too."""
        return self.frame.piece(self.language, template, **values)

    def see_other(self, path: str, done: str = "", **query: str) -> web.Response:
        """To another page, which says what was done."""
        words = {**query, **({"done": done} if done else {})}
        address = f"{path}?{urlencode(words)}" if words else path
        return web.Response(status=303, headers={"Location": address})
