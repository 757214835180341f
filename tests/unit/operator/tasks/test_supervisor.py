import asyncio

import pytest
from imagebuild_operator.tasks.supervisor import Supervisor


@pytest.mark.parametrize("problem", [None, ValueError("no JSON")])
def test_a_task_that_ends_is_logged_and_restarted(problem: Exception | None, caplog: pytest.LogCaptureFixture):
    runs = 0
    restarted = asyncio.Event()

    async def run() -> None:
        nonlocal runs
        runs += 1
        if runs == 1:
            if problem:
                raise problem
            return
        restarted.set()
        await asyncio.Event().wait()

    async def use() -> None:
        supervisor = Supervisor()
        supervisor.start("expiry-watch", run)
        await asyncio.wait_for(restarted.wait(), timeout=10)
        await supervisor.stop()

    asyncio.run(use())
    assert runs == 2
    assert "The background task expiry-watch ended; restarting in" in caplog.text
    assert ("no JSON" in caplog.text) is (problem is not None)


def test_a_task_that_is_stopped_is_not_restarted():
    runs = 0

    async def run() -> None:
        nonlocal runs
        runs += 1
        await asyncio.Event().wait()

    async def use() -> None:
        supervisor = Supervisor()
        supervisor.start("expiry-watch", run)
        await asyncio.sleep(0)
        await supervisor.stop()
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(use())
    assert runs == 1
