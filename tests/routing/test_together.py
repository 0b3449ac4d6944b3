import asyncio
from collections.abc import Sequence

import pytest

from routing.together import Together
from tests.waiting import until

WINDOW_SECONDS = 0.02


class Rounds:
    """Doubles every number, and remembers which were asked together."""

    def __init__(self, fails: int = 0) -> None:
        self.rounds: list[list[int]] = []
        self.fails = fails

    async def decide(self, numbers: Sequence[int]) -> list[int]:
        self.rounds.append(list(numbers))
        if len(self.rounds) <= self.fails:
            raise ValueError("no answer")
        return [2 * number for number in numbers]


async def test_who_asks_at_the_same_time_is_decided_together() -> None:
    rounds = Rounds()
    together = Together(rounds.decide, WINDOW_SECONDS)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(together.ask(number)) for number in range(5)]
    assert [task.result() for task in tasks] == [0, 2, 4, 6, 8]
    assert rounds.rounds == [[0, 1, 2, 3, 4]]
    assert await together.ask(9) == 18
    assert rounds.rounds[1:] == [[9]]


async def test_when_the_first_leaves_the_others_are_answered_all_the_same() -> None:
    rounds = Rounds()
    together = Together(rounds.decide, 0.2)
    async with asyncio.TaskGroup() as group:
        first = group.create_task(together.ask(1))
        others = [group.create_task(together.ask(number)) for number in (2, 3)]
        await asyncio.sleep(0)
        first.cancel()
    assert [task.result() for task in others] == [4, 6]
    assert rounds.rounds == [[2, 3]]


async def test_one_who_leaves_does_not_hold_up_the_round() -> None:
    rounds = Rounds()
    together = Together(rounds.decide, WINDOW_SECONDS)
    async with asyncio.TaskGroup() as group:
        first = group.create_task(together.ask(1))
        gone = group.create_task(together.ask(2))
        await asyncio.sleep(0)
        gone.cancel()
    assert first.result() == 2
    assert gone.cancelled()


async def test_a_round_that_fails_is_tried_by_the_next_in_line() -> None:
    rounds = Rounds(fails=1)
    together = Together(rounds.decide, WINDOW_SECONDS)
    answers: list[int] = []

    async def ask(number: int) -> None:
        try:
            answers.append(await together.ask(number))
        except ValueError:
            answers.append(-1)

    async with asyncio.TaskGroup() as group:
        group.create_task(ask(1))
        group.create_task(ask(2))
    await until(lambda: len(answers) == 2)
    assert sorted(answers) == [-1, 4]
    assert rounds.rounds == [[1, 2], [2]]


async def test_answers_of_the_wrong_number_are_no_answers() -> None:
    async def nothing(numbers: Sequence[int]) -> list[int]:
        return [0] * (len(numbers) + 1)

    together = Together(nothing, WINDOW_SECONDS)
    with pytest.raises(ValueError, match="argument"):
        await together.ask(1)
