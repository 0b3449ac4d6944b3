"""What an operator does with the account from the command line: menu, door codes, forgetting."""

import contextlib
from collections.abc import AsyncIterator, Callable, Sequence

from redis.asyncio import Redis

from gateway.address import without_password
from gateway.doctor import Finding
from gateway.settings import BadSettingError
from routing.patience import AwayError
from wechat.account import Account, opened
from wechat.account_errors import WechatError
from wechat.answering import SCENE_LOT
from wechat.config import APP_ID, SECRET, TOKEN, WechatSettings
from wechat.memory import Memory
from wechat.menu import elders_menu, everybodys_menu
from wechat.texts import load_texts

NOT_SET_UP = "official account (not set up)"
Clock = Callable[[], int]


class NotForgottenError(Exception):
    """Redis does not answer, so nothing was deleted: start it and run the command again."""


async def put_menu(redis: Redis, settings: WechatSettings, public_url: str, clock: Clock) -> str:
    """Replace the account's menus by ours. Raises BadSettingError, WechatError."""
    if not public_url.startswith("https://"):
        raise BadSettingError(
            f"ZHIBO_PUBLIC_URL={without_password(public_url)!r}: the menu's links must be https://"
        )
    texts = load_texts()
    async with _account(redis, settings, clock) as account:
        tag_id = await account.find_tag(texts.elder_tag)
        await account.create_menu(everybodys_menu(texts, f"{public_url.rstrip('/')}/m/"))
        await account.add_conditional_menu(elders_menu(texts, tag_id))
    return f"the menu is set; elders (tag {tag_id}) see their own. It shows within five minutes"


async def make_codes(
    redis: Redis, settings: WechatSettings, lot_ids: Sequence[str], clock: Clock
) -> str:
    """The addresses behind the codes at the doors, a line each. Raises WechatError."""
    async with _account(redis, settings, clock) as account:
        codes = [await account.make_qr(f"{SCENE_LOT}{lot_id}") for lot_id in lot_ids]
    return "\n".join(f"{lot_id:<12} {code}" for lot_id, code in zip(lot_ids, codes, strict=True))


async def erase(redis: Redis, settings: WechatSettings, openid: str, clock: Clock) -> str:
    """Delete everything held of a citizen. Raises NotForgottenError."""
    memory = Memory(redis, clock)
    citizen = await memory.recognise(openid)
    try:
        held = await memory.forget(citizen.person)
    except AwayError:
        raise NotForgottenError(str(NotForgottenError.__doc__)) from None
    said = f"{held} things deleted; reports and trips carry no name"
    if not settings.has_api:
        return said
    async with _account(redis, settings, clock) as account:
        try:
            await account.untag(openid, await account.find_tag(load_texts().elder_tag))
        except WechatError as trouble:
            return f"{said}; the tag for the elders' menu stays with WeChat: {trouble}"
    return said


async def check_account(redis: Redis, settings: WechatSettings, clock: Clock) -> Finding:
    """Whether WeChat knows us and lets this machine in."""
    if not settings.is_served and not settings.app_id:
        return Finding(NOT_SET_UP)
    thing = f"official account {settings.app_id}"
    if not settings.is_served:
        return Finding(thing, f"{TOKEN.name} is not set", "`/wechat` answers nobody without it")
    if not settings.has_api:
        cure = f"set {SECRET.name}: without it there are no reminders, late answers and menu"
        return Finding(thing, f"{APP_ID.name} and {SECRET.name} are not both set", cure)
    async with opened(redis, settings, clock) as account:
        try:
            await account.token()
        except WechatError as trouble:
            return Finding(thing, str(trouble), str(type(trouble).__doc__))
    return Finding(thing)


@contextlib.asynccontextmanager
async def _account(redis: Redis, settings: WechatSettings, clock: Clock) -> AsyncIterator[Account]:
    """Raises BadSettingError where we cannot call WeChat."""
    if not settings.has_api:
        raise BadSettingError(f"{APP_ID.name} and {SECRET.name} are needed to call WeChat")
    async with opened(redis, settings, clock) as account:
        yield account
