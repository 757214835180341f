import asyncio
from typing import Any

import pytest
from imagebuild_operator.api.body import Document
from imagebuild_operator.api.errors import ClusterError
from imagebuild_operator.controller.defaults_reader import DefaultsReader


class Answers:
    """In the place of the API server: it answers a request when the test says so."""

    def __init__(self) -> None:
        self.open: list[tuple[str, asyncio.Future[Document | None]]] = []

    async def get(self, namespace: str) -> Document | None:
        answer: asyncio.Future[Document | None] = asyncio.get_running_loop().create_future()
        self.open.append((namespace, answer))
        return await answer


def reader() -> tuple[Answers, DefaultsReader]:
    answers: Any = Answers()
    return answers, DefaultsReader(answers)


async def admissions() -> None:
    """Let everything run that can."""
    for _ in range(10):
        await asyncio.sleep(0)


def test_questions_at_the_same_time_share_a_request_and_later_ones_wait_for_the_next():
    async def run() -> None:
        answers, read = reader()
        first = [asyncio.create_task(read.newest("team")) for _ in range(3)]
        await admissions()
        later = [asyncio.create_task(read.newest("team")) for _ in range(2)]
        await admissions()
        assert [scope for scope, _ in answers.open] == ["team"]
        answers.open[0][1].set_result({"of": "first"})
        assert await asyncio.gather(*first) == [{"of": "first"}] * 3
        await admissions()
        assert [scope for scope, _ in answers.open] == ["team", "team"]
        answers.open[1][1].set_result(None)
        assert await asyncio.gather(*later) == [None] * 2

    asyncio.run(run())


def test_each_scope_has_requests_of_its_own():
    async def run() -> None:
        answers, read = reader()
        tasks = [asyncio.create_task(read.newest(scope)) for scope in ("a", "b")]
        await admissions()
        assert [scope for scope, _ in answers.open] == ["a", "b"]
        for scope, answer in answers.open:
            answer.set_result({"of": scope})
        assert await asyncio.gather(*tasks) == [{"of": "a"}, {"of": "b"}]

    asyncio.run(run())


def test_a_failure_is_that_of_all_who_asked_and_the_next_question_is_asked_again():
    async def run() -> None:
        answers, read = reader()
        tasks = [asyncio.create_task(read.newest("team")) for _ in range(2)]
        await admissions()
        answers.open[0][1].set_exception(ClusterError(503, "away"))
        assert [type(each) for each in await asyncio.gather(*tasks, return_exceptions=True)] == [ClusterError] * 2
        again = asyncio.create_task(read.newest("team"))
        await admissions()
        answers.open[1][1].set_result(None)
        assert await again is None

    asyncio.run(run())


def test_who_gives_up_does_not_take_the_answer_from_others():
    async def run() -> None:
        answers, read = reader()
        one, other = (asyncio.create_task(read.newest("team")) for _ in range(2))
        await admissions()
        one.cancel()
        await admissions()
        answers.open[0][1].set_result({"of": "both"})
        assert await other == {"of": "both"}
        with pytest.raises(asyncio.CancelledError):
            await one

    asyncio.run(run())


def test_nothing_is_under_way_after_a_stop():
    async def run() -> None:
        answers, read = reader()
        first = asyncio.create_task(read.newest("team"))
        await admissions()
        second = asyncio.create_task(read.newest("team"))
        await admissions()
        await read.stop()
        await asyncio.gather(first, second, return_exceptions=True)
        assert answers.open[0][1].cancelled()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(run())
