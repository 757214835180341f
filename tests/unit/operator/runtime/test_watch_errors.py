import asyncio
import json
from collections.abc import Awaitable, Callable

import aiohttp
import pytest
from aiohttp import web
from imagebuild_operator.client.authentication import Authentication
from imagebuild_operator.runtime.watches import Watches
from imagebuild_operator.telemetry.prometheus import Metrics

ADDED = b'{"type":"ADDED","object":{"metadata":{"resourceVersion":"1"}}}\n'
BOOKMARK = b'{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"2"}}}\n'
EXPIRED = ["ERROR", 410]


async def ask(answer: Callable[[web.Request], Awaitable[web.StreamResponse]], **query: str) -> list[object]:
    """The types of the events that kopf would read from the answer to a request, with the codes of errors."""
    application = web.Application()
    application.router.add_get("/api/v1/pods", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    watches = Watches((), Metrics(), Authentication(60, lambda _: None), silence=0.01)
    try:
        async with aiohttp.ClientSession(trace_configs=[watches.tracing()]) as session:
            url = f"http://127.0.0.1:{runner.addresses[0][1]}/api/v1/pods"
            async with session.get(url, params=query) as response:
                assert response.status == 200
                text = b"".join([chunk async for chunk in response.content.iter_chunked(1 << 20)])
    finally:
        await runner.cleanup()
    events = [json.loads(line) for line in text.splitlines()]
    return [x for event in events for x in (event["type"], event["object"].get("code")) if x]


@pytest.mark.shows("F33")
@pytest.mark.parametrize(
    ("sent", "read"),
    [
        (ADDED + BOOKMARK, ["ADDED", "BOOKMARK"]),
        (ADDED + b'{"type":"ERROR","object":{"code":500,"message":"no value"}}\n' + ADDED, ["ADDED", *EXPIRED]),
        (b'{"type":"ERROR","object":{"code":410}}\n', EXPIRED),
        (ADDED + b"<html>\n", ["ADDED", *EXPIRED]),
        (ADDED + b'{"type":"ADD', ["ADDED"]),
        (b'{"type": "ADDED", "object": {}}\n', ["ADDED"]),
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
        asyncio.run(ask(answer, limit="500"))
