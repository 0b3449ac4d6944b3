"""Refusals: what a person can mend is shown as plain words, without a traceback."""

import sys
from typing import NoReturn

from gateway.address import hide_passwords
from zhibo.command import BAD_INPUT


def kinds() -> tuple[type[Exception], ...]:
    """What a person can mend.

    Asked for only when something went wrong: a gateway shall not wait for what others import.
    """
    from gateway.children import ChildRefusedError
    from gateway.config import BadConfigError
    from gateway.listening import CannotListenError
    from gateway.settings import BadSettingError
    from lot_sim.devices import PortTakenError
    from lot_sim.scenario import BadScenarioError
    from occupancy.correction import BadCountError
    from occupancy.counting import NotHeardError
    from occupancy.database import NewerDatabaseError
    from occupancy.database_users import NameTakenError
    from occupancy.edit import BadEditError, SettledError
    from occupancy.embedded import EmbeddedError
    from occupancy.join_desk import LastLotError, NotReadyError
    from occupancy.join_file import BadAnswersError
    from occupancy.lot_change import BadFactsError
    from occupancy.lot_desk import NoSuchLotError
    from occupancy.open_history_keeping import NoSuchMonthError
    from occupancy.report.folder import BadFolderError
    from occupancy.report.period import BadPeriodError
    from occupancy.report.press import CannotBeMadeError
    from occupancy.rollup_keeping import NothingToRebuildError
    from routing.destination import BadDestinationError
    from routing.series_file import BadSeriesError

    return (
        BadAnswersError,
        BadDestinationError,
        BadEditError,
        BadFactsError,
        BadFolderError,
        BadPeriodError,
        CannotBeMadeError,
        CannotListenError,
        BadSettingError,
        BadScenarioError,
        PortTakenError,
        ChildRefusedError,
        BadConfigError,
        NewerDatabaseError,
        EmbeddedError,
        NotHeardError,
        BadCountError,
        BadSeriesError,
        LastLotError,
        NameTakenError,
        NoSuchLotError,
        NotReadyError,
        NothingToRebuildError,
        SettledError,
        NoSuchMonthError,
    )


def refuse(command: str, refusal: BaseException) -> NoReturn:
    print(f"zhibo {command}: {hide_passwords(str(refusal))}", file=sys.stderr)
    sys.exit(BAD_INPUT)


def find(group: BaseExceptionGroup[BaseException]) -> BaseException | None:
    """The first refusal among tasks that ended with it: one explains them all."""
    refused, _ = group.split(kinds())
    return _first_of(refused) if refused else None


def _first_of(group: BaseExceptionGroup[BaseException]) -> BaseException:
    first = group.exceptions[0]
    return _first_of(first) if isinstance(first, BaseExceptionGroup) else first
