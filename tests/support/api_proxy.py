"""A proxy before a real API server that records what passes, and does to it what a network or a server might.

What happens to a call is decided by a function of the test. The operator reaches it by a kubeconfig of its own.
"""

import asyncio
import json
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

import aiohttp
from aiohttp import web
from kubernetes import config
from support.api_faults import EXPIRED, NO_EVENT_FAULT, NOTHING, Call, EventFault, Fault

Result = TypeVar("Result")

#: Headers of one connection, and those that the proxy sees to itself.
OWN_HEADERS: Final = {"host", "connection", "transfer-encoding", "content-length", "accept-encoding"}
#: Turns of the event loop in which closed connections are given back.
TURNS: Final = 5


async def closed() -> None:
    """Wait until closed TLS connections have closed their sockets, which they do some turns of the loop later."""
    for _ in range(TURNS):
        await asyncio.sleep(0)


class ApiProxy:
    """The proxy, running in a thread of its own."""

    def __init__(self, kubeconfig: Path) -> None:
        with config.new_client_from_config(str(kubeconfig)) as client:
            given = client.configuration
        self._upstream = str(given.host)
        self._tls = ssl.create_default_context(cafile=given.ssl_ca_cert)
        self._tls.load_cert_chain(given.cert_file, given.key_file)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="api-proxy", daemon=True)
        self._streams: dict[int, web.Request] = {}
        self._owners: dict[str, str] = {}
        self._counts: Counter[str] = Counter()
        self._lists: dict[str, bytes] = {}
        self.port = 0
        self.calls: list[Call] = []
        #: Bytes of lists and watches that have passed, by path and field selector.
        self.passed: Counter[tuple[str, str]] = Counter()
        #: Decides what is done to a call.
        self.fault: Callable[[Call], Fault] = lambda _: NOTHING
        #: Decides what is done to a line of a watch.
        self.event_fault: Callable[[Call, bytes], EventFault] = lambda _, __: NO_EVENT_FAULT
        #: Whether no call comes through: connections break, and watches end with their next line.
        self.is_down = False
        #: How many have broken for that.
        self.refused = 0
        #: Whether no credentials are good enough, as after the rotation of a token: calls are answered with 401.
        self.is_rejecting = False
        #: How many were answered so.
        self.rejected = 0
        #: Whether nothing that a watch sends gets through, while everything else does.
        self.is_mute = False
        self._open = asyncio.Event()
        self._open.set()
        #: Whether each line of a watch comes twice.
        self.repeats = False
        #: Whether lists are answered as they were first.
        self.is_stale = False

    @property
    def writes(self) -> list[Call]:
        return [call for call in self.calls if call.is_write]

    @property
    def watches(self) -> int:
        """How many have started."""
        return sum(call.is_watch for call in self.calls)

    def kubeconfig(self, path: Path) -> Path:
        """Write a kubeconfig that leads here."""
        name = "proxy"
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": name, "cluster": {"server": f"http://127.0.0.1:{self.port}"}}],
            "users": [{"name": name, "user": {}}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
            "current-context": name,
        }
        path.write_text(json.dumps(document))
        return path

    def forget_lists(self) -> None:
        """Take the next lists for the first."""
        self._lists.clear()

    def cut_watches(self) -> int:
        """Break all watches off; how many there were."""

        async def cut() -> int:
            streams, self._streams = self._streams, {}
            for request in streams.values():
                _abort(request)
            return len(streams)

        return self._run(cut())

    @contextmanager
    def silent(self) -> Iterator[None]:
        """Let nothing through, and tell nobody, for as long as the block lasts."""
        self._loop.call_soon_threadsafe(self._open.clear)
        try:
            yield
        finally:
            self._loop.call_soon_threadsafe(self._open.set)

    @contextmanager
    def running(self) -> Iterator["ApiProxy"]:
        """Serve for as long as the block lasts."""
        self._thread.start()
        self._run(self._start())
        try:
            yield self
        finally:
            self._run(self._stop())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def _run(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(timeout=30)

    async def _start(self) -> None:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=self._tls), timeout=aiohttp.ClientTimeout(total=None)
        )
        application = web.Application(client_max_size=16 << 20)
        application.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def _stop(self) -> None:
        await self._session.close()
        for site in tuple(self._runner.sites):
            await site.stop()
        # A caller that does not read would keep its connection open for what is left to send.
        for connection in self._runner.server.connections if self._runner.server else ():
            if connection.transport is not None:
                connection.transport.abort()
        await self._runner.cleanup()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        await closed()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        content = await request.read()
        call = self._note(request, content)
        fault = self.fault(call)
        if self.is_down:
            self.refused += 1
            return _abort(request)
        if self.is_rejecting:
            self.rejected += 1
            return _answer(request, Fault(status=401))
        await self._open.wait()
        if fault.hold:
            await asyncio.sleep(fault.hold)
        if fault.before:
            fault.before()
        if not fault.reaches or self._session.closed:
            return _answer(request, fault)
        headers = {name: value for name, value in request.headers.items() if name.lower() not in OWN_HEADERS}
        url = f"{self._upstream}{request.raw_path}"
        async with self._session.request(request.method, url, data=content or None, headers=headers) as answer:
            if call.is_watch and answer.status == 200:
                return await self._stream(request, call, answer, fault.lines)
            text = await answer.read()
        text = fault.edit(text) if fault.edit else text
        if fault.after:
            fault.after()
        if fault.status is not None:
            return _answer(request, fault)
        if call.is_list:
            self.passed[call.path, call.query.get("fieldSelector", "")] += len(text)
            first = self._lists.setdefault(request.raw_path, text)
            text = first if self.is_stale else text
        return web.Response(status=answer.status, body=text, content_type="application/json", headers=_kept(answer))

    def _note(self, request: web.Request, content: bytes) -> Call:
        body = json.loads(content) if content else None
        call = Call(request.method, request.path, dict(request.query), body)
        if call.is_write:
            build = self._build(call)
            self._counts[build] += call.body is None or call.body.get("kind") != "Event"
            call = Call(call.method, call.path, call.query, body, build, self._counts[build])
        self.calls.append(call)
        return call

    def _build(self, call: Call) -> str:
        parts, body = call.path.split("/"), call.body or {}
        if parts[-1] == "pods":
            owner: str = body["metadata"]["ownerReferences"][0]["name"]
            self._owners[body["metadata"]["name"]] = owner
            return owner
        if parts[-1] == "events":
            return str(body["involvedObject"]["name"])
        if parts[-1] == "imagebuilds":
            # The operator creates those of TrackedImages.
            return str((body.get("metadata") or {}).get("name") or "")
        if "pods" in parts:
            return self._owners.get(parts[-1], "")
        return next(iter(parts[parts.index("imagebuilds") + 1 :]), "") if "imagebuilds" in parts else ""

    async def _stream(
        self, request: web.Request, call: Call, answer: aiohttp.ClientResponse, first: tuple[bytes, ...]
    ) -> web.StreamResponse:
        stream = web.StreamResponse(headers={"Content-Type": "application/json"})
        await stream.prepare(request)
        self._streams[id(request)] = request
        rest = b""
        try:
            for line in first:
                await stream.write(line + b"\n")
            async for chunk in answer.content.iter_any():
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    await self._open.wait()
                    if self.is_down or self.is_rejecting:
                        return stream
                    if self.is_mute:
                        continue
                    what = self.event_fault(call, line)
                    if what.hold:
                        await asyncio.sleep(what.hold)
                    if what.cut:
                        _abort(request)
                        return stream
                    if what.expires:
                        await stream.write(EXPIRED)
                        return stream
                    self.passed[call.path, call.query.get("fieldSelector", "")] += len(line)
                    await stream.write((line + b"\n") * (2 if self.repeats else what.times))
        except (ConnectionError, aiohttp.ClientError):
            pass
        finally:
            self._streams.pop(id(request), None)
            _abandon(answer)
        return stream


def _kept(answer: aiohttp.ClientResponse) -> dict[str, str]:
    return {name: answer.headers[name] for name in ("Retry-After",) if name in answer.headers}


def _answer(request: web.Request, fault: Fault) -> web.StreamResponse:
    if not fault.status:
        return _abort(request)
    if fault.text is not None:
        return web.Response(body=fault.text, status=fault.status, headers=dict(fault.headers))
    status = {"kind": "Status", "status": "Failure", "message": "as the test has it", "code": fault.status}
    return web.json_response(status, status=fault.status, headers=dict(fault.headers))


def _abort(request: web.Request) -> web.StreamResponse:
    """Break the connection off."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def _abandon(answer: aiohttp.ClientResponse) -> None:
    """Close a connection without the farewell of TLS: the proxy may end before the API server has answered that."""
    if answer.connection is not None and answer.connection.transport is not None:
        answer.connection.transport.abort()
