"""Logging in: nobody learns which names there are, no code works twice, impatience is braked."""

import asyncpg
import pytest

from occupancy import database_audit, database_users, operators, passwords, second_factor
from occupancy.database_users import (
    MOST_FAILURES_FROM_ADDRESS,
    MOST_FAILURES_OF_ACCOUNT,
    NameTakenError,
    Operator,
)
from occupancy.operators import TooManyFailuresError
from occupancy.permissions import Role
from tests.builders import MORNING_MS

HERE = "192.0.2.7"


async def added(connections: asyncpg.Pool, name: str = "li.ming") -> tuple[Operator, str]:
    made = await operators.add_operator(connections, name, Role.OPERATOR, ("kangle",), "admin")
    return made.operator, made.password


async def enrolled(connections: asyncpg.Pool) -> tuple[Operator, str, list[str]]:
    operator, _ = await added(connections)
    secret = second_factor.make_secret()
    code = second_factor.code_at(secret, second_factor.step_at(MORNING_MS))
    codes = await operators.enrol(connections, operator, secret, code, MORNING_MS)
    assert codes is not None
    known = await database_users.find_operator(connections, operator.name)
    assert known is not None
    return known, secret, codes


async def test_who_was_added_gets_in_with_his_password_alone(connections: asyncpg.Pool) -> None:
    operator, password = await added(connections)
    found = await operators.check_password(connections, "li.ming", password, HERE)
    assert found == operator
    assert found.person.lots == ("kangle",)
    assert await operators.check_password(connections, "li.ming", password + "x", HERE) is None
    assert await operators.check_password(connections, "wang", password, HERE) is None
    (entry,) = await database_audit.list_newest(connections, 9)
    assert (entry.who, entry.action, entry.subject) == ("admin", "add_user", "user li.ming")
    assert operator.password_hash not in str(entry)


async def test_the_first_administrator_is_made_once(connections: asyncpg.Pool) -> None:
    made = await operators.add_first_administrator(connections)
    assert made is not None
    assert made.operator.role is Role.ADMIN
    assert await operators.add_first_administrator(connections) is None


async def test_a_name_is_given_once(connections: asyncpg.Pool) -> None:
    await added(connections)
    with pytest.raises(NameTakenError, match=r"li\.ming"):
        await added(connections)
    assert len(await database_audit.list_newest(connections, 9)) == 1


async def test_a_locked_operator_is_answered_like_nobody(connections: asyncpg.Pool) -> None:
    operator, password = await added(connections)
    async with connections.acquire() as connection:
        changed = await database_users.change_operator(
            connection, operator, Role.PLANNER, (), is_locked=True
        )
    assert (changed.role, changed.generation) == (Role.PLANNER, operator.generation + 1)
    assert await operators.check_password(connections, "li.ming", password, HERE) is None


@pytest.mark.parametrize("name", ["li.ming", "nobody"])
async def test_an_account_that_fails_often_waits_whether_it_is_there_or_not(
    connections: asyncpg.Pool, name: str
) -> None:
    _, password = await added(connections)
    for _ in range(MOST_FAILURES_OF_ACCOUNT):
        assert await operators.check_password(connections, name, "wrong", HERE) is None
    with pytest.raises(TooManyFailuresError, match="try again in 15 minutes"):
        await operators.check_password(connections, name, password, "198.51.100.1")
    await database_users.forget_failures(connections, name)
    assert (await operators.check_password(connections, "li.ming", password, HERE)) is not None


async def test_an_address_that_tries_many_names_waits(connections: asyncpg.Pool) -> None:
    for number in range(MOST_FAILURES_FROM_ADDRESS):
        await database_users.note_failure(connections, f"name{number}", HERE)
    with pytest.raises(TooManyFailuresError):
        await operators.check_password(connections, "another", "wrong", HERE)
    assert await operators.check_password(connections, "another", "wrong", "198.51.100.1") is None


async def test_a_code_works_once_and_not_again_in_its_step(connections: asyncpg.Pool) -> None:
    operator, secret, _ = await enrolled(connections)
    later_ms = MORNING_MS + 60_000
    code = second_factor.code_at(secret, second_factor.step_at(later_ms))
    assert await operators.check_code(connections, operator, code, later_ms, HERE)
    # Another process that still holds the operator as he was.
    assert not await operators.check_code(connections, operator, code, later_ms, HERE)


async def test_a_recovery_code_works_once(connections: asyncpg.Pool) -> None:
    operator, _, codes = await enrolled(connections)
    assert await operators.check_code(connections, operator, codes[0], MORNING_MS, HERE)
    assert not await operators.check_code(connections, operator, codes[0], MORNING_MS, HERE)
    assert await operators.check_code(connections, operator, codes[1], MORNING_MS, HERE)


async def test_guessing_codes_is_braked(connections: asyncpg.Pool) -> None:
    operator, *_ = await enrolled(connections)
    for _ in range(MOST_FAILURES_OF_ACCOUNT):
        assert not await operators.check_code(connections, operator, "guess", MORNING_MS, HERE)
    with pytest.raises(TooManyFailuresError):
        await operators.check_code(connections, operator, "guess", MORNING_MS, HERE)


async def test_a_second_factor_is_set_up_with_its_own_code(connections: asyncpg.Pool) -> None:
    operator, _ = await added(connections)
    secret = second_factor.make_secret()
    assert await operators.enrol(connections, operator, secret, "guess", MORNING_MS) is None
    known = await database_users.find_operator(connections, operator.name)
    assert known is not None
    assert known.totp_secret is None


async def test_a_renewed_password_replaces_the_old_one(connections: asyncpg.Pool) -> None:
    before, old = await added(connections)
    renewed = await operators.renew_password(connections, "li.ming", "root")
    assert renewed is not None
    found = await operators.check_password(connections, "li.ming", renewed, HERE)
    assert found is not None
    assert found.generation == before.generation + 1
    assert await operators.check_password(connections, "li.ming", old, HERE) is None
    assert await operators.renew_password(connections, "nobody", "root") is None


async def test_a_short_password_is_refused_with_what_would_do() -> None:
    with pytest.raises(passwords.BadPasswordError, match="12 to 128 letters; this one has 5"):
        await passwords.hash_password("kurz!")
    assert not await passwords.fits("no hash at all", "anything")


async def test_who_has_no_second_factor_passes_no_check_of_it(connections: asyncpg.Pool) -> None:
    operator, _ = await added(connections)
    code = second_factor.code_at("", second_factor.step_at(MORNING_MS))
    assert not await operators.check_code(connections, operator, code, MORNING_MS, HERE)
