import asyncio
from collections.abc import Awaitable, Callable

import pytest
from imagebuild_operator.tasks.workqueue import Rank, WorkQueue


async def run(
    handle: Callable[[str], Awaitable[float | None]], use: Callable[[WorkQueue[str]], Awaitable[None]]
) -> None:
    queue = WorkQueue(handle, workers=4)
    queue.start()
    try:
        await asyncio.wait_for(use(queue), timeout=10)
    finally:
        await queue.stop()


def test_a_key_added_twice_is_handled_once():
    handled: list[str] = []

    async def handle(key: str) -> None:
        handled.append(key)

    async def use(queue: WorkQueue[str]) -> None:
        done = asyncio.Event()
        for key in ("a", "a", "b", "a"):
            queue.add(key)
        asyncio.get_running_loop().call_soon(done.set)
        await done.wait()
        await asyncio.sleep(0)

    asyncio.run(run(handle, use))
    assert handled == ["a", "b"]


def test_urgent_keys_go_before_the_others_and_each_is_handled_once():
    handled: list[str] = []
    done = asyncio.Event()

    async def handle(key: str) -> None:
        handled.append(key)
        if key == "last":
            done.set()

    async def use() -> None:
        queue = WorkQueue(handle, workers=1)
        queue.add("last", rank=Rank.IDLE)
        queue.add("raised", rank=Rank.IDLE)
        queue.add("normal")
        queue.add("urgent", rank=Rank.URGENT)
        queue.add("raised", rank=Rank.URGENT)
        queue.add("urgent")
        queue.start()
        await asyncio.wait_for(done.wait(), timeout=10)
        await queue.stop()

    asyncio.run(use())
    assert handled == ["urgent", "raised", "normal", "last"]


def test_a_key_added_while_it_is_handled_is_handled_again_and_never_twice_at_once():
    running, at_once, handled = 0, 0, 0
    second = asyncio.Event()

    async def handle(_: str) -> None:
        nonlocal running, at_once, handled
        running += 1
        at_once = max(at_once, running)
        if handled == 0:
            queues[0].add("a")
            queues[0].add("a")
        await asyncio.sleep(0)
        running -= 1
        handled += 1
        if handled == 2:
            second.set()

    queues: list[WorkQueue[str]] = []

    async def use(queue: WorkQueue[str]) -> None:
        queues.append(queue)
        queue.add("a")
        await second.wait()

    asyncio.run(run(handle, use))
    assert (handled, at_once) == (2, 1)


def test_a_delay_asked_for_is_kept_and_the_earlier_one_wins():
    moments: list[float] = []
    done = asyncio.Event()

    async def handle(_: str) -> None:
        moments.append(asyncio.get_running_loop().time())
        done.set()

    async def use(queue: WorkQueue[str]) -> None:
        start = asyncio.get_running_loop().time()
        queue.add("a", delay=60)
        queue.add("a", delay=0.05)
        queue.add("a", delay=30)
        await done.wait()
        assert moments[0] - start >= 0.05

    asyncio.run(run(handle, use))
    assert len(moments) == 1


def test_a_failure_is_tried_again(caplog: pytest.LogCaptureFixture):
    tries = 0
    done = asyncio.Event()

    async def handle(_: str) -> None:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise ValueError("not yet")
        done.set()

    async def use(queue: WorkQueue[str]) -> None:
        queue.add("a")
        await done.wait()

    asyncio.run(run(handle, use))
    assert tries == 3
    assert "could not be reconciled (try 2)" in caplog.text
