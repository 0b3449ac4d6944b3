"""What to do about one message: from what was understood and remembered to a plan."""

from enum import StrEnum

import msgspec
from msgspec.structs import replace

from occupancy.tariff_clock import local_minute, utc_ms
from wechat.intent import Intent, Want
from wechat.session import Pending, Session
from wechat.spoken_time import LONGEST_STAY_MINUTES, arrive_minute


class Do(StrEnum):
    """What only an acting room can do."""

    SAY = "say"  # the sentence named by `words`
    FIND = "find"  # the destination in `words`, then advise
    ADVISE = "advise"  # for the destination of the session
    LOT = "lot"  # tell about `lot_id`; he has chosen it
    FEES = "fees"
    FREE = "free"
    REPORT = "report"
    REMIND_FULL = "remind_full"
    REMIND_FREE = "remind_free"
    FORGET_REMINDERS = "forget_reminders"
    ERASE = "erase"
    COMPLAIN = "complain"
    OVERVIEW = "overview"
    PRIVACY = "privacy"
    ELDER = "elder"
    ELDER_ASK = "elder_ask"  # from the elders' menu
    STANDARD = "standard"


class Plan(msgspec.Struct, frozen=True):
    """One thing to do, and what to remember."""

    do: Do
    session: Session
    words: str = ""
    lot_id: str = ""
    report: str = ""
    has_notice: bool = False  # he agreed to a subscribe notice


class _PastError(Exception):
    """The time he said is over."""


_DIRECT = {
    Want.COMPLAIN: Do.COMPLAIN,
    Want.OVERVIEW: Do.OVERVIEW,
    Want.PRIVACY: Do.PRIVACY,
    Want.ERASE: Do.ERASE,
    Want.FORGET_REMINDERS: Do.FORGET_REMINDERS,
    Want.REMIND_FULL: Do.REMIND_FULL,
    Want.REMIND_FREE: Do.REMIND_FREE,
    Want.ELDER: Do.ELDER,
    Want.STANDARD: Do.STANDARD,
}
_SAID = {Want.HELP: "help", Want.THANKS: "thanks"}


def decide(intent: Intent, session: Session, now_ms: int) -> Plan:
    """The plan for one text."""
    want = intent.want
    if want in _SAID:
        return _say(session, _SAID[want])
    if want in _DIRECT:
        return Plan(_DIRECT[want], session, words=intent.words)
    if want is Want.REPORT:
        return Plan(Do.REPORT, session, words=intent.words, report=intent.report)
    if want is Want.CHOICE:
        return _choose(intent.choice, session)
    try:
        return _asked(intent, session, now_ms)
    except _PastError:
        return _say(session, "past")


def _asked(intent: Intent, session: Session, now_ms: int) -> Plan:
    """Raises _PastError."""
    if intent.want is Want.GO:
        return _go(intent, session, now_ms)
    told = _detailed(intent, session, now_ms)
    if intent.want is Want.ANOTHER:
        return _another(told)
    return Plan(Do.FEES if intent.want is Want.FEE else Do.FREE, told, words=intent.words)


def ask_again(session: Session, names: tuple[str, ...], report: str = "") -> Session:
    """With a question that a number answers."""
    return replace(session, pending=Pending(names, report))


def _go(intent: Intent, session: Session, now_ms: int) -> Plan:
    if intent.words:
        told = _detailed(intent, _fresh(session), now_ms)
        return Plan(Do.FIND, told, words=intent.words)
    told = _detailed(intent, session, now_ms)
    if told == session:
        return _say(session, "ask_destination")
    if session.destination:
        return Plan(Do.ADVISE, told)
    return _say(told, "location_again" if session.shown else "no_last")


def _another(session: Session) -> Plan:
    if not session.destination:
        return _say(session, "location_again" if session.shown else "no_last")
    away = frozenset({session.shown[0]}) if session.shown else frozenset()
    return Plan(Do.ADVISE, replace(session, without=session.without | away))


def _choose(number: int, session: Session) -> Plan:
    pending = session.pending
    choices = pending.names or session.shown
    if not choices:
        return _say(session, "ask_destination")
    if number > len(choices):
        return _say(session, "no_such_number")
    chosen = choices[number - 1]
    if not pending.names:
        return Plan(Do.LOT, replace(session, chosen=chosen), lot_id=chosen)
    answered = replace(session, pending=Pending())
    if pending.report:
        return Plan(Do.REPORT, answered, words=chosen, report=pending.report)
    return Plan(Do.FIND, answered, words=chosen)


def _fresh(session: Session) -> Session:
    """For a new destination: the car is the same one, the wishes and times are not.

    What was said before any destination was meant for this one.
    """
    if not session.destination and not session.shown:
        return replace(session, pending=Pending())
    return Session(vehicle=session.vehicle, is_suv=session.is_suv, is_elder=session.is_elder)


def _detailed(intent: Intent, session: Session, now_ms: int) -> Session:
    """With everything the text says about stay, arrival, wishes and car. Raises _PastError."""
    now_minute = local_minute(now_ms)
    changed = session
    if intent.arrival is not None:
        minute = arrive_minute(intent.arrival, now_minute)
        if minute is None:
            raise _PastError
        changed = replace(changed, arrive_ms=utc_ms(minute))
    if intent.leaving is not None:
        begin = now_minute if changed.arrive_ms is None else local_minute(changed.arrive_ms)
        # A day is counted from today, a bare clock time from the arrival on.
        has_day = intent.leaving.day is not None or intent.leaving.weekday is not None
        until = arrive_minute(intent.leaving, now_minute if has_day else begin)
        if until is None or not 0 < until - begin <= LONGEST_STAY_MINUTES:
            raise _PastError
        changed = replace(changed, stay_minutes=until - begin)
    if intent.stay_minutes is not None:
        changed = replace(changed, stay_minutes=intent.stay_minutes)
    if intent.wishes:
        changed = replace(changed, wishes=changed.wishes | intent.wishes)
    if intent.vehicle is not None:
        changed = replace(changed, vehicle=intent.vehicle, is_suv=intent.is_suv)
    return changed


def _say(session: Session, name: str) -> Plan:
    return Plan(Do.SAY, session, words=name)
