"""The truth over HTTP: what is really there, what was counted, which faults are on."""

import asyncio
from http import HTTPStatus
from typing import Annotated, Any, TypeVar

import msgspec
from aiohttp import web

from lot_sim.faults import FAULTS, names_for
from lot_sim.field import Field, UnknownNameError
from lot_sim.pace import SPEED_MOST, Pace
from lot_sim.truth_document import describe, describe_crossing

EVENTS_MOST = 5_000
_BODY_BYTES_MOST = 10_000


Body = TypeVar("Body", bound=msgspec.Struct)


class FaultSwitch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of POST /faults."""

    lot: str
    device: str
    fault: str
    on: bool


class ClockSetting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of POST /clock."""

    speed: Annotated[float, msgspec.Meta(ge=0, le=SPEED_MOST)]


class Truth:
    """Handlers; each answers of one moment, because nothing is awaited while it is put together."""

    def __init__(self, field: Field, pace: Pace, body_seconds: float = 10) -> None:
        self._field, self._pace = field, pace
        self._body_seconds = body_seconds

    def app(self) -> web.Application:
        app = web.Application(client_max_size=_BODY_BYTES_MOST)
        app.router.add_get("/truth", self.show)
        app.router.add_get("/truth/events", self.events)
        app.router.add_get("/faults", self.list_faults)
        app.router.add_post("/faults", self.switch)
        app.router.add_post("/clock", self.set_clock)
        return app

    async def show(self, request: web.Request) -> web.Response:
        del request
        self._pace.advance()
        return _json(describe(self._field, self._pace.speed))

    async def events(self, request: web.Request) -> web.Response:
        after = request.query.get("after", "0")
        if not after.isascii() or not after.isdigit():
            return _problem("after", "after must be the number of an event, 0 or more")
        self._pace.advance()
        events = self._field.crossings_after(int(after[:20]), EVENTS_MOST)
        kept = self._field.crossings
        return _json(
            {
                "events": [describe_crossing(number, crossing) for number, crossing in events],
                "last": self._field.crossings_total,
                "oldest_kept": kept[0][0] if kept else None,
            }
        )

    async def list_faults(self, request: web.Request) -> web.Response:
        """What can be switched, and what is on."""
        del request
        self._pace.advance()
        return _json(
            {
                "faults": [
                    {"fault": f.name, "roles": sorted(f.roles), "about": f.about}
                    for f in FAULTS.values()
                ],
                "devices": [
                    {
                        "lot": i.lot_id,
                        "device": device_id,
                        "role": i.plan.role,
                        "faults": names_for(i.plan.role),
                        "on": sorted(i.faults),
                    }
                    for device_id, i in self._field.instruments.items()
                ],
            }
        )

    async def switch(self, request: web.Request) -> web.Response:
        wanted = await self._read(request, FaultSwitch)
        if isinstance(wanted, web.Response):
            return wanted
        self._pace.advance()
        try:
            self._field.switch(wanted.lot, wanted.device, wanted.fault, on=wanted.on)
        except UnknownNameError as reason:
            status = HTTPStatus.UNPROCESSABLE_ENTITY
            return _problem(reason.field, str(reason), status, known=reason.known)
        return _json(msgspec.to_builtins(wanted))

    async def set_clock(self, request: web.Request) -> web.Response:
        """Change the speed; at 0 the town stands still, so that others can be compared with it."""
        wanted = await self._read(request, ClockSetting)
        if isinstance(wanted, web.Response):
            return wanted
        self._pace.set_speed(wanted.speed)
        return _json(msgspec.to_builtins(wanted))

    async def _read(self, request: web.Request, kind: type[Body]) -> Body | web.Response:
        """The body, or the answer that says what is wrong with it."""
        try:
            async with asyncio.timeout(self._body_seconds):
                body = await request.read()
            return msgspec.json.decode(body, type=kind)
        except TimeoutError:
            return _problem("body", "the body did not come", HTTPStatus.REQUEST_TIMEOUT)
        except (msgspec.DecodeError, UnicodeDecodeError) as reason:
            fields = ", ".join(kind.__struct_fields__)
            return _problem(_field_of(str(reason)), f"{reason}; send {{{fields}}}")


def _field_of(reason: str) -> str:
    """The field msgspec complains about: at the end as a path, or by name in backquotes."""
    _, _, path = reason.partition("`$.")
    if path:
        return path.rstrip("`")
    _, _, name = reason.partition(" field `")
    return name.partition("`")[0] or "body"


def _json(content: Any) -> web.Response:  # noqa: ANN401
    return web.Response(body=msgspec.json.encode(content), content_type="application/json")


def _problem(
    field: str, detail: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST, **more: object
) -> web.Response:
    content = {
        "type": "about:blank",
        "title": status.phrase,
        "status": status.value,
        "detail": detail,
        "field": field,
        **more,
    }
    return web.Response(
        status=status,
        body=msgspec.json.encode(content),
        content_type="application/problem+json",
    )
