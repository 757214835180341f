import asyncio
from collections.abc import Awaitable, Callable

import pytest
import uvloop
from imagebuild_operator.tasks.workqueue import Rank, RequeueError, WorkQueue


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
    assert "Handling a failed; retrying in" in caplog.text


def test_an_event_does_not_override_a_retry_after():
    handled: list[str] = []
    failed, done = asyncio.Event(), asyncio.Event()

    async def handle(key: str) -> None:
        handled.append(key)
        if key == "last":
            done.set()
            return
        queues[0].add(key)  # seen while it is handled
        asyncio.get_running_loop().call_soon(failed.set)
        raise RequeueError("429", retry_after=60)

    async def use(queue: WorkQueue[str]) -> None:
        queues.append(queue)
        queue.add("a")
        await failed.wait()
        queue.add("a")  # seen while it waits
        queue.add("last", rank=Rank.IDLE)
        await done.wait()

    queues: list[WorkQueue[str]] = []
    asyncio.run(run(handle, use))
    assert handled == ["a", "last"]


def test_an_event_gets_a_key_that_failed_without_a_retry_after_handled_at_once():
    handled: list[str] = []
    done = asyncio.Event()

    async def handle(key: str) -> None:
        handled.append(key)
        if len(handled) == 20:
            done.set()
        raise RequeueError("503")

    async def use(queue: WorkQueue[str]) -> None:
        while not done.is_set():
            queue.add("a")
            await asyncio.sleep(0)

    # Twenty backoffs would take minutes.
    asyncio.run(run(handle, use))
    assert len(handled) >= 20


def test_a_retry_after_ends_with_the_next_success():
    failures = iter([RequeueError("429", retry_after=0.01)])
    handled: list[str] = []
    done = asyncio.Event()

    async def handle(key: str) -> None:
        handled.append(key)
        if error := next(failures, None):
            raise error
        done.set()

    async def use(queue: WorkQueue[str]) -> None:
        queue.add("a")
        await done.wait()
        done.clear()
        queue.add("a")
        await done.wait()

    asyncio.run(run(handle, use))
    assert handled == ["a", "a", "a"]


def test_a_failure_that_can_not_be_logged_does_not_end_the_queue(caplog: pytest.LogCaptureFixture):
    handled: list[str] = []
    done = asyncio.Event()

    async def handle(key: str) -> None:
        handled.append(key)
        if key == "last":
            done.set()
            return
        raise ValueError("not yet")

    def failed(key: str, error: Exception, delay: float) -> None:
        raise RuntimeError(f"{key}: {error}; {delay}")

    async def use() -> None:
        queue = WorkQueue(handle, workers=1, failed=failed)
        queue.start()
        queue.add("a")
        queue.add("last", rank=Rank.IDLE)
        await asyncio.wait_for(done.wait(), timeout=10)
        await queue.stop()

    asyncio.run(use())
    assert handled[-1] == "last"
    assert "The failure of a could not be logged" in caplog.text


def test_a_delay_below_a_millisecond_passes_at_once_in_the_loop_of_the_operator():
    handled: list[str] = []

    async def use(queue: WorkQueue[str]) -> None:
        for key, delay in (("a", 0.0004), ("a", 0.0004), ("b", 0.002), ("b", 0.0015)):
            queue.add(key, delay)
        await both.wait()

    both = asyncio.Event()

    async def handle(key: str) -> None:
        handled.append(key)
        if set(handled) == {"a", "b"}:
            both.set()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run(handle, use))
    assert handled == ["a", "b"]


def test_a_key_that_comes_back_has_the_rank_that_it_has_then():
    """As a build whose pod has been created goes behind those that have none yet."""
    handled: list[str] = []
    done = asyncio.Event()

    async def handle(key: str) -> float | None:
        handled.append(key)
        if key == "first" and handled.count(key) == 1:
            queue.add("second")
            return 0.0
        if key == "first":
            done.set()
        return None

    def rank(key: str) -> Rank:
        return Rank.IDLE if key in handled else Rank.NORMAL

    queue = WorkQueue(handle, workers=1, rank=rank)

    async def use() -> None:
        queue.add("first")
        queue.start()
        await asyncio.wait_for(done.wait(), timeout=10)
        await queue.stop()

    asyncio.run(use())
    assert handled == ["first", "second", "first"]
