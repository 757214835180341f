import asyncio
import json
import logging
from collections.abc import Awaitable, Callable

import aiohttp
import pytest
from aiohttp import web
from imagebuild_operator.client.authentication import Authentication
from imagebuild_operator.runtime.watches import Watches
from imagebuild_operator.telemetry.prometheus import Metrics
from support.receiver import Receiver

ADDED = b'{"type":"ADDED","object":{"metadata":{"resourceVersion":"1"}}}\n'
BOOKMARK = b'{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"2"}}}\n'
EXPIRED = ["ERROR", 410]


async def fetch(
    answer: Callable[[web.Request], Awaitable[web.StreamResponse]], receiver: Receiver, *queries: dict[str, str]
) -> bytes:
    """What kopf reads from the answers to requests."""
    application = web.Application()
    application.router.add_get("/api/v1/pods", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    watches = Watches((), receiver, Metrics(), Authentication(60, lambda _: None), silence=0.01)
    try:
        async with aiohttp.ClientSession(trace_configs=[watches.tracing()]) as session:
            url, text = f"http://127.0.0.1:{runner.addresses[0][1]}/api/v1/pods", b""
            for query in queries:
                async with session.get(url, params=query) as response:
                    assert response.status == 200
                    if "watch" in query:
                        text += b"".join([chunk async for chunk in response.content.iter_chunked(1 << 20)])
                    else:
                        text += await response.read()
            return text
    finally:
        await runner.cleanup()


async def ask(
    answer: Callable[[web.Request], Awaitable[web.StreamResponse]], receiver: Receiver | None = None, **query: str
) -> list[object]:
    """The types of the events that kopf reads from a watch, with the codes of errors."""
    text = await fetch(answer, receiver or Receiver(), query)
    events = [json.loads(line) for line in text.splitlines()]
    return [x for event in events for x in (event["type"], event["object"].get("code")) if x]


def test_objects_of_a_watch_are_seen_in_order_and_kopf_reads_bookmarks_with_their_versions():
    async def answer(request: web.Request) -> web.StreamResponse:
        stream = web.StreamResponse()
        await stream.prepare(request)
        for version, kind in enumerate(("ADDED", "MODIFIED", "BOOKMARK", "DELETED"), start=1):
            event = {"type": kind, "object": {"kind": "Pod", "metadata": {"resourceVersion": str(version)}}}
            await stream.write(json.dumps(event).encode() + b"\n")
        return stream

    receiver = Receiver()
    lines = asyncio.run(fetch(answer, receiver, {"watch": "true"})).splitlines()
    assert receiver.seen_objects == [("pods", "ADDED", "1"), ("pods", "MODIFIED", "2"), ("pods", "DELETED", "4")]
    assert [json.loads(line) for line in lines] == [
        {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": str(version)}}} for version in (1, 2, 3, 4)
    ]


def test_objects_of_a_list_are_seen_and_kopf_reads_the_rest_of_each_page():
    async def answer(request: web.Request) -> web.StreamResponse:
        version = 3 if "continue" in request.query else 2
        metadata = {"resourceVersion": "9", "continue": "" if "continue" in request.query else "token"}
        item = {"metadata": {"uid": f"u{version}", "resourceVersion": str(version)}}
        return web.json_response({"kind": "PodList", "metadata": metadata, "items": [item]})

    receiver = Receiver()
    text = asyncio.run(fetch(answer, receiver, {"limit": "1"}, {"limit": "1", "continue": "token"}))
    assert text.count(b'"items":[]') == 2
    assert receiver.seen_objects == [("pods", "ADDED", "2"), ("pods", "ADDED", "3")]
    assert receiver.lists == [("pods", ""), ("pods", "", 9, {"u2", "u3"})]


def test_a_list_that_broke_off_and_begins_again_counts_from_its_new_beginning():
    async def answer(request: web.Request) -> web.StreamResponse:
        metadata = {"resourceVersion": "9", "continue": "" if "last" in request.query else "token"}
        item = {"metadata": {"uid": str(request.query.get("last")), "resourceVersion": "1"}}
        return web.json_response({"kind": "PodList", "metadata": metadata, "items": [item]})

    receiver = Receiver()
    asyncio.run(fetch(answer, receiver, {"limit": "1"}, {"limit": "1", "last": "yes"}))
    assert receiver.lists == [("pods", ""), ("pods", ""), ("pods", "", 9, {"yes"})]


def test_a_list_that_is_none_is_left_to_kopf():
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(text="<html>")

    receiver = Receiver()
    assert asyncio.run(fetch(answer, receiver, {"limit": "500"})) == b"<html>"
    assert receiver.lists == [("pods", "")]


def test_an_object_that_can_not_be_handled_does_not_end_the_watch(caplog: pytest.LogCaptureFixture):
    async def answer(request: web.Request) -> web.StreamResponse:
        stream = web.StreamResponse()
        await stream.prepare(request)
        await stream.write(b'{"type":"ADDED","object":{}}\n' + ADDED)
        return stream

    receiver = Receiver()
    with caplog.at_level(logging.ERROR):
        assert asyncio.run(ask(answer, receiver, watch="true")) == ["BOOKMARK", "BOOKMARK"]
    assert receiver.seen_objects == [("pods", "ADDED", "1")]
    assert "/api/v1/pods" in caplog.text


@pytest.mark.shows("F33")
@pytest.mark.parametrize(
    ("sent", "read"),
    [
        (ADDED + BOOKMARK, ["BOOKMARK", "BOOKMARK"]),
        (ADDED + b'{"type":"ERROR","object":{"code":500,"message":"no value"}}\n' + ADDED, ["BOOKMARK", *EXPIRED]),
        (b'{"type":"ERROR","object":{"code":410}}\n', EXPIRED),
        (ADDED + b"<html>\n", ["BOOKMARK", *EXPIRED]),
        (ADDED + b'{"type":"ADD', ["BOOKMARK"]),
    ],
)
def test_whatever_a_watch_sends_that_kopf_would_end_after_is_an_expired_watch(sent: bytes, read: list[object]):
    async def answer(request: web.Request) -> web.StreamResponse:
        stream = web.StreamResponse()
        await stream.prepare(request)
        await stream.write(sent)
        return stream

    assert asyncio.run(ask(answer, watch="true")) == read


@pytest.mark.parametrize("status", [400, 404, 410])
def test_a_watch_that_is_refused_is_an_expired_watch(status: int):
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response({"message": "too old"}, status=status)

    assert asyncio.run(ask(answer, watch="true")) == EXPIRED


def test_a_list_that_expires_is_a_broken_list():
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response({"code": 410}, status=410)

    with pytest.raises(aiohttp.ClientPayloadError, match="the list has expired"):
        asyncio.run(fetch(answer, Receiver(), {"limit": "500"}))
