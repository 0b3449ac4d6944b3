"""Every sentence a citizen reads, from `texts.toml`: none missing, none unknown."""

import tomllib
from functools import cache
from pathlib import Path

import msgspec

FILE = Path(__file__).parent / "texts.toml"


class Texts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One attribute a sentence; the braces in it are filled by `str.format`."""

    welcome: str
    help: str
    hint: str
    hint_elder: str
    hint_page: str
    head: str
    head_nearby: str
    when_now: str
    when_today: str
    when_tomorrow: str
    when_other: str
    detail_suv: str
    detail_new_energy: str
    detail_cheap: str
    detail_near: str
    detail_sure: str
    detail_covered: str
    option: str
    option_chance: str
    option_way: str
    option_fee: str
    option_no_fee: str
    option_unknown_fee: str
    option_unconfirmed: str
    option_link: str
    option_reason: str
    free_period_unknown: str
    spaces: str
    spaces_unknown: str
    spaces_closed: str
    spaces_full: str
    left_out: str
    all_full: str
    all_silent: str
    nothing_else: str
    no_origin: str
    unclear: str
    unclear_one: str
    unknown: str
    outside: str
    no_last: str
    location_again: str
    past: str
    too_long: str
    ask_destination: str
    no_such_number: str
    away: str
    lot: str
    lot_address: str
    lot_price: str
    lot_link: str
    lot_phone: str
    lot_chosen: str
    lot_arrived: str
    overview: str
    fee_head: str
    fee_line: str
    fee_line_free: str
    fee_line_unknown: str
    fee_step: str
    fee_unconfirmed: str
    free_head: str
    free_line: str
    free_line_none: str
    free_line_unknown: str
    at_now: str
    at_clock: str
    report_which: str
    report_kept: str
    report_full: str
    report_wrong_number: str
    report_wrong_price: str
    report_navigation: str
    report_other: str
    report_away: str
    report_next: str
    complain: str
    complain_line: str
    remind_full: str
    remind_already_full: str
    remind_free: str
    remind_no_free: str
    remind_free_soon: str
    remind_off: str
    remind_away: str
    reminder_full: str
    reminder_next: str
    reminder_free: str
    notice_full: str
    notice_free: str
    elder_on: str
    elder_off: str
    privacy: str
    privacy_link: str
    erased: str
    thanks: str
    image: str
    voice: str
    video: str
    link: str
    other: str
    ask_how_long: str
    menu_find: str
    menu_pick: str
    menu_ask: str
    menu_map: str
    menu_fees: str
    menu_free: str
    menu_quote: str
    menu_mine: str
    menu_remind: str
    menu_elder: str
    menu_report: str
    menu_privacy: str
    menu_elder_find: str
    menu_elder_fees: str
    menu_elder_back: str
    elder_tag: str


@cache
def load_texts(file: Path = FILE) -> Texts:
    """Raises msgspec.ValidationError when the file lacks a sentence or has one too many."""
    told = tomllib.loads(file.read_text(encoding="utf-8"))
    return msgspec.convert({name: text.strip("\n") for name, text in told.items()}, Texts)
