"""Who may do what is changed by those who saw the last state, and never locks everybody out."""

import asyncio
from collections.abc import Sequence

import asyncpg
import pytest

from occupancy import (
    database,
    database_audit,
    database_users,
    operators,
    people_desk,
    second_factor,
)
from occupancy.database_users import Operator
from occupancy.edit import BadEditError, StaleEditError
from occupancy.people_desk import LastAdministratorError, NoSuchPersonError, PersonChange
from occupancy.permissions import Role
from tests.builders import MORNING_MS

LOTS = ("kangle", "sanda")


async def added(pool: asyncpg.Pool, name: str, role: Role = Role.OPERATOR) -> Operator:
    return (await operators.add_operator(pool, name, role, (), "setup")).operator


async def change(
    pool: asyncpg.Pool,
    person: Operator,
    role: Role,
    lots: Sequence[str] = (),
    *,
    is_locked: bool = False,
    by: str = "admin",
) -> Operator:
    return await people_desk.change_person(
        pool,
        person.name,
        PersonChange(role, tuple(lots), is_locked),
        version=person.version,
        known_lots=LOTS,
        by=by,
        reason="岗位调整",
    )


async def newest(pool: asyncpg.Pool) -> str:
    (record,) = await database_audit.list_newest(pool, 1)
    return f"{record.who} {record.action} {record.subject}"


async def test_a_person_gets_another_role_and_his_sessions_are_over(
    postgres_url: str, connections: asyncpg.Pool
) -> None:
    await added(connections, "admin", Role.ADMIN)
    person = await added(connections, "li")
    async with database.pool(postgres_url, database.WEB_ROLE) as web:
        changed = await change(web, person, Role.MANAGER, ["kangle"])
    assert (changed.role, changed.lots, changed.is_locked) == (Role.MANAGER, ("kangle",), False)
    assert changed.generation == person.generation + 1
    (record,) = await database_audit.list_newest(connections, 1)
    assert (record.who, record.action, record.reason) == ("admin", "change_user", "岗位调整")
    assert (record.before["role"], record.after["role"]) == ("operator", "manager")
    assert (record.before["lots"], record.after["lots"]) == ([], ["kangle"])


async def test_who_changes_what_another_changed_gets_both(connections: asyncpg.Pool) -> None:
    await added(connections, "admin", Role.ADMIN)
    person = await added(connections, "li")
    theirs = await change(connections, person, Role.PLANNER)
    with pytest.raises(StaleEditError) as conflict:
        await change(connections, person, Role.AUDITOR)
    assert (conflict.value.mine, conflict.value.theirs) == (PersonChange(Role.AUDITOR), theirs)
    assert await database_users.find_operator(connections, "li") == theirs


@pytest.mark.parametrize("is_locked", [True, False])
async def test_the_last_administrator_stays_one(
    connections: asyncpg.Pool, *, is_locked: bool
) -> None:
    admin = await added(connections, "admin", Role.ADMIN)
    role = Role.ADMIN if is_locked else Role.PLANNER
    with pytest.raises(LastAdministratorError):
        await change(connections, admin, role, is_locked=is_locked, by="console")
    await added(connections, "second", Role.ADMIN)
    changed = await change(connections, admin, role, is_locked=is_locked, by="second")
    assert changed.is_locked is is_locked


async def test_two_administrators_who_disable_each_other_at_once_leave_one(
    connections: asyncpg.Pool,
) -> None:
    first = await added(connections, "first", Role.ADMIN)
    second = await added(connections, "second", Role.ADMIN)
    answers = await asyncio.gather(
        change(connections, first, Role.ADMIN, is_locked=True, by="second"),
        change(connections, second, Role.ADMIN, is_locked=True, by="first"),
        return_exceptions=True,
    )
    assert sum(isinstance(one, LastAdministratorError) for one in answers) == 1
    assert sum(isinstance(one, Operator) for one in answers) == 1


async def test_nobody_changes_his_own_role_but_his_own_car_parks(
    connections: asyncpg.Pool,
) -> None:
    admin = await added(connections, "admin", Role.ADMIN)
    await added(connections, "second", Role.ADMIN)
    with pytest.raises(BadEditError, match="另一名管理员"):
        await change(connections, admin, Role.PLANNER)
    with pytest.raises(BadEditError, match="另一名管理员"):
        await change(connections, admin, Role.ADMIN, is_locked=True)
    assert (await change(connections, admin, Role.ADMIN, ["sanda"])).lots == ("sanda",)


@pytest.mark.parametrize(
    ("lots", "words"), [(["nowhere"], "可选：kangle、sanda"), (["kangle", "kangle"], "多次")]
)
async def test_car_parks_that_are_not_there_are_refused_beside_their_field(
    connections: asyncpg.Pool, lots: list[str], words: str
) -> None:
    person = await added(connections, "li")
    with pytest.raises(BadEditError, match=words) as refused:
        await change(connections, person, Role.OPERATOR, lots)
    assert refused.value.field == "lots"


async def test_a_lost_second_factor_is_reset_by_somebody_else(connections: asyncpg.Pool) -> None:
    await added(connections, "li")
    secret = second_factor.make_secret()
    found = await database_users.find_operator(connections, "li")
    assert found is not None
    code = second_factor.code_at(secret, second_factor.step_at(MORNING_MS))
    codes = await operators.enrol(connections, found, secret, code, MORNING_MS)
    assert codes is not None
    with pytest.raises(BadEditError, match="另一名管理员"):
        await people_desk.reset_second_factor(
            connections, "li", version=found.version, by="li", reason="手机丢失"
        )
    reset = await people_desk.reset_second_factor(
        connections, "li", version=found.version, by="admin", reason="手机丢失"
    )
    assert (reset.totp_secret, reset.generation) == (None, found.generation + 1)
    assert await newest(connections) == "admin reset_second_factor user li"
    assert not await operators.check_code(connections, reset, codes[0], MORNING_MS, "192.0.2.7")
    with pytest.raises(StaleEditError):
        await people_desk.reset_second_factor(
            connections, "li", version=found.version, by="admin", reason="手机丢失"
        )


async def test_a_person_who_is_not_there_is_named(connections: asyncpg.Pool) -> None:
    with pytest.raises(NoSuchPersonError, match="nobody"):
        await people_desk.reset_second_factor(
            connections, "nobody", version=1, by="admin", reason="手机丢失"
        )
