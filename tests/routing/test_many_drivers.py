"""Forty drivers in five minutes to one hospital with twelve spaces nearby."""

import asyncio
from collections import Counter
from typing import Any

import pytest
from redis.asyncio import Redis

from routing import promise_store
from routing.promise import due_of, minute_of
from tests.routing.town import AsNow, Town, running

HOSPITAL = "三水区人民医院"
NEAR, SPACES = "kangle", 12
EVERY_MS = 300_000 // 40


async def all_ask(town: Town, *, tight: bool = False) -> list[Any]:
    """One after the other, each opening the link he is shown."""
    answers = []
    for number in range(40):
        town.clock.now_ms += EVERY_MS
        for lot_id in town.showcase.lots:
            town.see(lot_id, SPACES if lot_id == NEAR or tight else 60)
        answer = await town.asked(destination=HOSPITAL, driver=f"driver {number}")
        answers.append(answer)
        await town.trips.choose(answer["trip"], answer["recommendations"][0]["lot"])
    return answers


def spread(answers: list[Any]) -> Counter[str]:
    return Counter(answer["recommendations"][0]["lot"] for answer in answers)


def codes(answer: Any) -> set[str]:  # noqa: ANN401 -- JSON
    return {reason["code"] for reason in answer["recommendations"][0]["reasons"]}


async def test_they_are_spread_and_those_sent_elsewhere_are_told_why(redis: Redis) -> None:
    async with running(redis, forecasts=AsNow()) as town:
        answers = await all_ask(town)
    found = spread(answers)
    assert 6 <= found[NEAR] <= SPACES + 1
    assert len(found) >= 2
    elsewhere = [a for a in answers if a["recommendations"][0]["lot"] != NEAR]
    assert all(codes(answer) & {"sent_further", "leaves_room"} for answer in elsewhere)
    assert all("多花约" in answer["recommendations"][0]["reason"] for answer in elsewhere)
    assert all(answer["regret_minutes"] <= 5 for answer in answers)
    assert all(answer["recommendations"][0]["chance"] >= 0.5 for answer in answers)


async def test_with_a_forecast_that_knows_little_they_are_spread_as_well(redis: Redis) -> None:
    async with running(redis) as town:
        answers = await all_ask(town)
    expected = answers[0]["recommendations"][0]["expected_free"]["mean"]
    found = spread(answers)
    assert len(found) >= 2
    assert found[NEAR] * 0.9 <= expected * 1.1


async def test_no_lot_is_promised_beyond_what_is_expected(redis: Redis) -> None:
    async with running(redis, forecasts=AsNow()) as town:
        await all_ask(town, tight=True)
        held = await promise_store.read(redis, list(town.showcase.lots))
    for lot in held.values():
        for promise in lot.promises:
            due = due_of(lot.promises, {}).by(promise.until_minute, minute_of(town.clock()))
            assert due <= SPACES * 1.1 + 1e-4


@pytest.mark.alone
async def test_all_at_once_in_two_processes_they_are_spread_as_well(redis: Redis) -> None:
    async with running(redis, forecasts=AsNow()) as one, running(redis, forecasts=AsNow()) as two:
        for town in (one, two):
            town.see(NEAR, SPACES)
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task((one, two)[number % 2].asked(destination=HOSPITAL))
                for number in range(40)
            ]
    found = spread([task.result() for task in tasks])
    assert len(found) >= 2
    assert found[NEAR] * 0.6 <= SPACES * 1.1 + 0.6
    held = (await promise_store.read(redis, [NEAR]))[NEAR].promises
    assert sum(promise.share for promise in held) <= SPACES * 1.1 + 1e-4


async def test_two_processes_answer_one_driver_alike(redis: Redis) -> None:
    async with running(redis, forecasts=AsNow()) as one, running(redis, forecasts=AsNow()) as two:
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(town.asked(destination=HOSPITAL, driver="d"))
                for town in (one, two)
            ]
        first, second = (task.result() for task in tasks)
    assert first == second
    held = (await promise_store.read(redis, [NEAR]))[NEAR].promises
    assert [promise.trip_id for promise in held] == [first["trip"]]
