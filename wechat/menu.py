"""The account's menu: three buttons for everybody, three short ones for elders."""

from typing import Any

from wechat.texts import Texts

Menu = dict[str, Any]


def everybodys_menu(texts: Texts, page: str) -> Menu:
    """`page` is the driver's page, https."""
    return {
        "button": [
            _group(
                texts.menu_find,
                {"type": "location_select", "name": texts.menu_pick, "key": "pick"},
                _click(texts.menu_ask, "ask"),
                _view(texts.menu_map, page),
            ),
            _group(
                texts.menu_fees,
                _click(texts.menu_free, "free"),
                _view(texts.menu_quote, f"{page}prices"),
            ),
            _group(
                texts.menu_mine,
                _click(texts.menu_remind, "remind"),
                _click(texts.menu_elder, "elder"),
                _view(texts.menu_report, f"{page}report"),
                _click(texts.menu_privacy, "privacy"),
            ),
        ]
    }


def elders_menu(texts: Texts, tag_id: int) -> Menu:
    """One touch each, for those who carry the tag."""
    return {
        "button": [
            _click(texts.menu_elder_find, "elder_ask"),
            _click(texts.menu_elder_fees, "fees"),
            _click(texts.menu_elder_back, "standard"),
        ],
        "matchrule": {"tag_id": str(tag_id)},
    }


def keys_of(menu: Menu) -> set[str]:
    """What clicks on this menu will tell us."""
    buttons = [one for button in menu["button"] for one in button.get("sub_button", [button])]
    return {button["key"] for button in buttons if button["type"] == "click"}


def _group(name: str, *buttons: Menu) -> Menu:
    return {"name": name, "sub_button": list(buttons)}


def _click(name: str, key: str) -> Menu:
    return {"type": "click", "name": name, "key": key}


def _view(name: str, url: str) -> Menu:
    return {"type": "view", "name": name, "url": url}
