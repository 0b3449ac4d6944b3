"""The operators' pages behind the real application, and people who use them."""

import re
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html import unescape

import aiohttp
import asyncpg
from redis.asyncio import Redis

from gateway.certificate import Term
from occupancy import database_users, passwords, second_factor
from occupancy.certificates import Certificates
from occupancy.lot import Lot
from occupancy.permissions import Role
from occupancy.sign_faces import TownSign
from occupancy.web.server import ALONE, Behind
from tests.builders import MORNING_MS
from tests.occupancy.web.faces import SIGN, Served, served

PASSWORD = "correct-horse-battery"  # noqa: S105
DAY_MS = 86_400_000
_HASH: list[str] = []
_HIDDEN = re.compile(r'<input type="hidden" name="([^"]*)" value="([^"]*)"')


@dataclass(frozen=True)
class Answer:
    """A page as it came."""

    status: int
    text: str
    headers: Mapping[str, str]

    @property
    def where(self) -> str:
        return self.headers.get("Location", "")

    @property
    def words(self) -> str:
        return " ".join(unescape(re.sub(r"<[^>]*>", " ", self.text)).split())

    def hidden(self) -> dict[str, str]:
        """The hidden fields of all its forms."""
        return {name: unescape(value) for name, value in _HIDDEN.findall(self.text)}


@dataclass
class Browser:
    """One person's browser; cookies are its own."""

    desk: "Desk"
    http: aiohttp.ClientSession
    headers: dict[str, str] = field(default_factory=dict)

    async def get(self, path: str, **headers: str) -> Answer:
        return await self._ask("GET", path, None, headers)

    async def post(self, path: str, form: Mapping[str, object], **headers: str) -> Answer:
        """The form as it is: no token is added."""
        return await self._ask("POST", path, form, headers)

    async def send(self, path: str, form: Mapping[str, object], page: str = "") -> Answer:
        """Open the page that the form is on, fill the form in, send it."""
        opened = await self.get(page or path)
        assert opened.status == 200, (page or path, opened.status, opened.where)
        return await self.post(path, {**opened.hidden(), **form})

    async def token(self) -> str:
        """The token of this session's forms."""
        return (await self.get("/admin/me")).hidden()["csrf"]

    async def log_in(self, name: str, password: str = PASSWORD) -> Answer:
        return await self.send("/admin/login", {"name": name, "password": password})

    async def _ask(
        self,
        method: str,
        path: str,
        form: Mapping[str, object] | None,
        headers: Mapping[str, str],
    ) -> Answer:
        asked = self.http.request(
            method,
            self.desk.served.url(path),
            data=form,
            headers={**self.headers, **{k.replace("_", "-"): v for k, v in headers.items()}},
            allow_redirects=False,
        )
        async with asked as answer:
            return Answer(answer.status, await answer.text(errors="replace"), dict(answer.headers))


@dataclass
class Desk:
    """The running application; `browser()` gives somebody a browser of his own."""

    served: Served
    connections: asyncpg.Pool
    redis: Redis
    open_browsers: list[aiohttp.ClientSession] = field(default_factory=list)

    def browser(self) -> Browser:
        http = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
        self.open_browsers.append(http)
        return Browser(self, http)

    async def hire(self, name: str, role: Role, lots: Sequence[str] = ()) -> None:
        """Somebody who may log in with PASSWORD."""
        if not _HASH:
            _HASH.append(await passwords.hash_password(PASSWORD))
        async with self.connections.acquire() as connection:
            await database_users.add_operator(connection, name, role, _HASH[0], "test", lots)

    async def at_work(self, name: str, role: Role, lots: Sequence[str] = ()) -> Browser:
        """Hired, logged in, and through the second factor where one is needed."""
        await self.hire(name, role, lots)
        browser = self.browser()
        entered = await browser.log_in(name)
        assert entered.status == 303, entered.words
        if entered.where.startswith("/admin/second-factor"):
            await self.enrol(browser)
        return browser

    async def enrol(self, browser: Browser) -> str:
        """Set up the second factor as the page asks for; the secret."""
        page = await browser.get("/admin/second-factor")
        found = re.search(r"<code>([A-Z2-7]+)</code>", page.text)
        assert found is not None, page.words
        done = await browser.send("/admin/second-factor", {"code": self.code(found[1])})
        assert done.status == 200, done.words
        return found[1]

    def code(self, secret: str) -> str:
        return second_factor.code_at(secret, second_factor.step_at(self.served.clock.now_ms))


def some_certificates() -> Certificates:
    """One that lasts, one near its end, one that has ended, one that nobody sees."""
    made = Certificates(
        [
            ("ZHIBO_PUBLIC_URL", "https://parking.example.org"),
            ("ZHIBO_REDIS_URL", "rediss://cache-1.example.org"),
            ("ZHIBO_MQTT_URL", "mqtts://broker.example.org"),
            ("ZHIBO_PUSH_URL", "https://push.example.org"),
        ]
    )
    lasts, soon, over, unseen = (one.endpoint for one in made.terms)
    made.terms = [
        Term(lasts, MORNING_MS + 74 * DAY_MS),
        Term(soon, MORNING_MS + 9 * DAY_MS),
        Term(over, MORNING_MS - DAY_MS),
        Term(unseen, None, "[Errno -2] Name or service not known"),
    ]
    return made


@asynccontextmanager
async def desk(
    connections: asyncpg.Pool,
    redis: Redis,
    lots: Iterable[Lot] | None = None,
    signs: Iterable[TownSign] = (SIGN,),
    beside: Behind = ALONE,
) -> AsyncIterator[Desk]:
    async with served(lots, signs, connections, redis=redis, beside=beside) as running:
        made = Desk(running, connections, redis)
        try:
            yield made
        finally:
            for http in made.open_browsers:
                await http.close()
