"""Pages of ours are signed for WeChat's JS-SDK, others are not."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import quote

import pytest

from occupancy.web.routes import Route
from occupancy.web.showcase import Showcase
from occupancy.web.tariff_shelf import TariffShelf
from tests.builders import MORNING_MS
from tests.occupancy.web.faces import Served, served
from wechat.account_errors import WechatError
from wechat.page_signature import PageSignatures, sign

OURS = "https://zhibo.example/m/lots/kangle?stay=60"


class Tickets:
    """Has a ticket until it is taken away."""

    def __init__(self) -> None:
        self.is_away = False

    async def jsapi_ticket(self) -> str:
        if self.is_away:
            raise WechatError
        return "ticket"


@asynccontextmanager
async def signing(tickets: Tickets, public_url: str) -> AsyncIterator[Served]:
    def build(showcase: Showcase, _: TariffShelf) -> list[Route]:
        return PageSignatures(tickets, "wx1", public_url, showcase.now_ms).routes()

    async with served(above=build) as running:
        yield running


def test_the_signature_is_that_of_the_documentation() -> None:
    """The worked example of WeChat's JS-SDK documentation, appendix 1."""
    ticket = (
        "sM4AOVdWfPE4DxkXGEs8VMCPGGVi4C3VM0P37wVUCFvkVAy_90u5h9nbSlYy3-Sl-HhTdfl2fzFy1AOcHKP7qg"
    )
    url = "http://mp.weixin.qq.com?params=value"
    signed = sign(ticket, url, "Wm3WZYTPz0wzccnW", 1_414_587_457, "wx1")
    assert signed.signature == "0f9de62fce790f9a083d5c99e95740ceb90c27ed"


async def test_our_own_page_is_signed_without_its_fragment() -> None:
    async with signing(Tickets(), "https://zhibo.example") as running:
        told = await running.get("/m/signature?url=" + quote(OURS + "#here", safe=""))
        assert told["appId"] == "wx1"
        assert told["timestamp"] == MORNING_MS // 1_000
        expected = sign("ticket", OURS, told["nonceStr"], told["timestamp"], "wx1")
        assert told["signature"] == expected.signature


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://evil.example/m/",
        "https://zhibo.example.evil.example/",
        "https://zhibo.example@evil.example/",
        "javascript://zhibo.example/",
    ],
)
async def test_another_site_is_not_signed(url: str) -> None:
    async with signing(Tickets(), "https://zhibo.example") as running:
        problem = await running.get("/m/signature?url=" + quote(url, safe=""), 403)
        assert problem["field"] == "url"


async def test_without_our_own_address_or_a_ticket_nothing_is_signed() -> None:
    tickets = Tickets()
    async with signing(tickets, "") as running:
        await running.get("/m/signature?url=" + quote(OURS, safe=""), 403)
    tickets.is_away = True
    async with signing(tickets, "https://zhibo.example") as running:
        await running.get("/m/signature?url=" + quote(OURS, safe=""), 503)
