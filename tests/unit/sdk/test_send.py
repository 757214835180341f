"""Uploads to API servers that break the connection, or are too old; over TLS, as all API servers."""

import asyncio
import contextlib
import gc
import json
import os
import ssl
import threading
import warnings
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import WSMsgType, web
from imagebuild import Archive, AsyncClient, Client, ForbiddenError, Phase, UploadError
from support.https import Https

BUILD: dict[str, Any] = {
    "apiVersion": "imagebuild.dev/v1alpha1",
    "kind": "ImageBuild",
    "metadata": {"name": "app", "namespace": "team", "uid": "1", "resourceVersion": "1"},
    "spec": {"source": {"upload": {}}, "output": {"images": ["registry.example.com/app:1"]}},
    "status": {"phase": "Preparing", "reason": "AwaitingUpload", "podName": "app-1"},
}
"""A build that waits for its upload."""

#: Seconds without progress after which a sender is taken to be stuck.
STUCK = 0.2

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@contextlib.contextmanager
def serving(
    exec_handler: Handler, version: str, tmp_path: Path, current: Callable[[], object] = lambda: BUILD
) -> Iterator[Path]:
    """An API server with that build, whose answers to exec are those of the handler; its kubeconfig."""
    certificate = Https.make(tmp_path)
    loop = asyncio.new_event_loop()

    async def build(request: web.Request) -> web.StreamResponse:
        # A watch ends at once, and is made again.
        return web.Response() if request.query.get("watch") else web.json_response(current())

    async def about(_: web.Request) -> web.Response:
        return web.json_response({"major": "1", "minor": version})

    async def start() -> web.AppRunner:
        application = web.Application()
        path = "/apis/imagebuild.dev/v1alpha1/namespaces/team/imagebuilds"
        application.router.add_get(path, build)
        application.router.add_get(f"{path}/app", build)
        application.router.add_get("/version", about)
        application.router.add_get("/api/v1/namespaces/team/pods/{pod}/exec", exec_handler)
        runner = web.AppRunner(application, shutdown_timeout=0)
        await runner.setup()
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate.certificate, certificate.key)
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        return runner

    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    runner = asyncio.run_coroutine_threadsafe(start(), loop).result()
    try:
        server = {
            "server": f"https://127.0.0.1:{runner.addresses[0][1]}",
            "certificate-authority": str(certificate.authority),
        }
        kubeconfig = tmp_path / "kubeconfig"
        document = {
            "current-context": "c",
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u", "namespace": "team"}}],
            "clusters": [{"name": "c", "cluster": server}],
            "users": [{"name": "u", "user": {"token": "t"}}],
        }
        kubeconfig.write_text(yaml.safe_dump(document))
        yield kubeconfig
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A directory that takes several messages to send."""
    made = tmp_path / "app"
    made.mkdir()
    (made / "Dockerfile").write_text("FROM scratch\n")
    (made / "data").write_bytes(os.urandom(3_000_000))
    return made


def answer(code: int, **fields: object) -> tuple[bytes, bytes]:
    """The messages by which exec gives the output and the exit code of `send`."""
    causes = {"details": {"causes": [{"reason": "ExitCode", "message": str(code)}]}} if code else {}
    status = {"status": "Failure" if code else "Success", **causes}
    return b"\x01" + json.dumps(fields).encode(), b"\x03" + json.dumps(status).encode()


@contextlib.contextmanager
def noted() -> Iterator[list[warnings.WarningMessage]]:
    """Every warning from now on, but for what other tests have left."""
    gc.collect()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield caught


def leaks(caught: list[warnings.WarningMessage]) -> list[str]:
    """What was left open."""
    gc.collect()
    return [str(each.message) for each in caught if issubclass(each.category, ResourceWarning)]


def test_a_broken_connection_is_continued_and_leaves_no_socket_open(tmp_path: Path, directory: Path):
    calls: list[list[str]] = []
    received = bytearray()

    async def exec_handler(request: web.Request) -> web.StreamResponse:
        arguments = request.query.getall("command")[2:]
        calls.append(arguments)
        if len(calls) == 2:
            # An API server that starts has read no roles yet.
            return web.json_response({"kind": "Status", "code": 403}, status=403)
        socket = web.WebSocketResponse(protocols=("v5.channel.k8s.io",))
        await socket.prepare(request)
        if arguments == ["--status"]:
            state = {"state": "incomplete", "received": len(received), "sha256": archive.sha256}
            for part in answer(0, **state):
                await socket.send_bytes(part)
            return socket
        async for message in socket:
            assert message.type is WSMsgType.BINARY
            if message.data[:1] == b"\xff":
                break
            received.extend(message.data[1:])
            if len(calls) == 1 and len(received) > 1_000_000:
                assert request.transport
                request.transport.abort()
                return socket
        for part in answer(0, state="complete"):
            await socket.send_bytes(part)
        return socket

    with (
        noted() as caught,
        Archive(directory) as archive,
        serving(exec_handler, "34", tmp_path) as kubeconfig,
    ):
        with Client(kubeconfig=str(kubeconfig)) as client:
            client.upload("app", archive)
        assert leaks(caught) == []
        assert bytes(received) == b"".join(archive.chunks())
    assert [call[-1] for call in calls[:3]] == ["0", "--status", "--status"]
    assert int(calls[3][-1]) > 1_000_000


def test_a_lost_answer_does_not_matter_if_the_build_goes_on(tmp_path: Path, directory: Path):
    calls: list[str] = []
    ended = threading.Event()
    metadata = {**BUILD["metadata"], "resourceVersion": "2"}
    building = {**BUILD, "metadata": metadata, "status": {"phase": "Building", "podName": "app-1"}}

    async def exec_handler(request: web.Request) -> web.StreamResponse:
        calls.append(request.query.getall("command")[-1])
        if len(calls) > 1:
            # The container has ended.
            ended.set()
            return web.json_response({"kind": "Status", "message": "container not found"}, status=500)
        socket = web.WebSocketResponse(protocols=("v5.channel.k8s.io",))
        await socket.prepare(request)
        async for message in socket:
            if message.data[:1] == b"\xff":
                break
        assert request.transport
        request.transport.abort()
        return socket

    with (
        serving(exec_handler, "34", tmp_path, lambda: building if ended.is_set() else BUILD) as kubeconfig,
        Client(kubeconfig=str(kubeconfig)) as client,
    ):
        build = client.upload("app", directory)
    assert build.phase is Phase.BUILDING
    assert calls[0] == "0"


@pytest.mark.parametrize("state", ["closed", "starting"])
def test_a_pod_that_does_not_wait_yet_is_asked_again(tmp_path: Path, directory: Path, state: str):
    calls: list[str] = []

    async def exec_handler(request: web.Request) -> web.StreamResponse:
        calls.append(request.query.getall("command")[-1])
        socket = web.WebSocketResponse(protocols=("v5.channel.k8s.io",))
        await socket.prepare(request)
        async for message in socket:
            if message.data[:1] == b"\xff":
                break
        # `closed` is what builders said until 0.1.0 where they do not wait yet.
        for part in answer(0, state="complete") if len(calls) > 2 else answer(4, state=state, message="Not yet."):
            await socket.send_bytes(part)
        return socket

    with serving(exec_handler, "34", tmp_path) as kubeconfig, Client(kubeconfig=str(kubeconfig)) as client:
        client.upload("app", directory)
    assert calls == ["0", "--status", "0"]


def test_a_pod_that_is_evicted_has_nothing_and_the_next_one_gets_it(tmp_path: Path, directory: Path):
    pods: list[str] = []
    evicted = threading.Event()
    metadata = {**BUILD["metadata"], "resourceVersion": "2"}
    retried = {**BUILD, "metadata": metadata, "status": {**BUILD["status"], "podName": "app-2"}}
    pending = {
        **BUILD,
        "metadata": {**metadata, "resourceVersion": "3"},
        "status": {"phase": "Pending", "reason": "Retrying"},
    }
    states = iter([pending, pending])

    async def exec_handler(request: web.Request) -> web.StreamResponse:
        pods.append(request.match_info["pod"])
        if pods[-1] == "app-1":
            evicted.set()
            return web.json_response({"kind": "Status", "code": 404, "reason": "NotFound"}, status=404)
        socket = web.WebSocketResponse(protocols=("v5.channel.k8s.io",))
        await socket.prepare(request)
        async for message in socket:
            if message.data[:1] == b"\xff":
                break
        for part in answer(0, state="complete"):
            await socket.send_bytes(part)
        return socket

    def current() -> object:
        return next(states, retried) if evicted.is_set() else BUILD

    with serving(exec_handler, "34", tmp_path, current) as kubeconfig, Client(kubeconfig=str(kubeconfig)) as client:
        build = client.upload("app", directory)
    assert (pods, build.status["podName"]) == (["app-1", "app-2"], "app-2")


def test_an_upload_that_is_cancelled_leaves_no_socket_open(tmp_path: Path, directory: Path):
    (directory / "data").write_bytes(os.urandom(20_000_000))
    ends: list[Callable[[], object]] = []

    async def exec_handler(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(protocols=("v5.channel.k8s.io",))
        await socket.prepare(request)
        end, loop = asyncio.Event(), asyncio.get_running_loop()
        ends.append(lambda: loop.call_soon_threadsafe(end.set))
        # It reads nothing, so that the sender is stuck.
        await end.wait()
        return socket

    async def cancelled(kubeconfig: Path) -> None:
        sent = [0]
        async with AsyncClient(kubeconfig=str(kubeconfig)) as client:
            uploading = asyncio.create_task(
                client.upload("app", directory, progress=lambda so_far, _: sent.append(so_far))
            )
            before = -1
            while not sent[-1] or sent[-1] > before:
                before = sent[-1]
                await asyncio.sleep(STUCK)
            uploading.cancel()
            with pytest.raises(asyncio.CancelledError):
                await uploading

    with noted() as caught, serving(exec_handler, "34", tmp_path) as kubeconfig:
        try:
            asyncio.run(cancelled(kubeconfig))
            # Before the server ends, whose sockets do not count.
            assert leaks(caught) == []
        finally:
            for end in ends:
                end()


@pytest.mark.parametrize("minor", ["29", "29+"])
def test_an_api_server_that_is_too_old_is_named(tmp_path: Path, directory: Path, minor: str):
    async def exec_handler(_: web.Request) -> web.Response:
        # So does the WebSocket library of these versions if it knows none of the subprotocols.
        return web.Response(status=403)

    with (
        serving(exec_handler, minor, tmp_path) as kubeconfig,
        Client(kubeconfig=str(kubeconfig)) as client,
        pytest.raises(UploadError, match=r"^Kubernetes 1\.29 cannot .* 1\.30 or later is needed\. .* kubectl exec"),
    ):
        client.upload("app", directory)


def test_an_api_server_that_takes_another_protocol_is_too_old(tmp_path: Path, directory: Path):
    async def exec_handler(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(protocols=("v4.channel.k8s.io",))
        await socket.prepare(request)
        return socket

    with (
        serving(exec_handler, "28", tmp_path) as kubeconfig,
        Client(kubeconfig=str(kubeconfig)) as client,
        pytest.raises(UploadError, match=r"^Kubernetes 1\.28 cannot"),
    ):
        client.upload("app", directory)


def test_a_user_who_may_not_exec_is_told_so(tmp_path: Path, directory: Path):
    async def exec_handler(_: web.Request) -> web.Response:
        return web.json_response({"kind": "Status", "code": 403}, status=403)

    with (
        serving(exec_handler, "34", tmp_path) as kubeconfig,
        Client(kubeconfig=str(kubeconfig)) as client,
        pytest.raises(ForbiddenError, match="get and create of pods/exec"),
    ):
        client.upload("app", directory)
