"""The web server, on this machine only."""

import asyncio
import contextlib
import errno
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from importlib import resources
from typing import Final

from aiohttp import web
from imagebuild import ImageBuildError

from kubectl_imagebuild.serve.access import HEADERS, Access
from kubectl_imagebuild.serve.hub import Action, Hub
from kubectl_imagebuild.serve.streams import build_events, list_events

HOST: Final = "127.0.0.1"
_TYPES: Final = {
    "html": "text/html",
    "css": "text/css",
    "js": "text/javascript",
    "svg": "image/svg+xml",
}
#: What answers the page sends for a name: nothing else is served.
_FILES: Final = {
    file.name: (file.read_bytes(), _TYPES[file.name.rpartition(".")[2]])
    for file in resources.files("kubectl_imagebuild.serve").joinpath("static").iterdir()
    if file.is_file() and file.name.rpartition(".")[2] in _TYPES
}
#: An empty comment: shows that the connection is alive.
_BEAT: Final = ": \n\n"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def application(hub: Hub, access: Access) -> web.Application:
    """The routes.

    Args:
        hub: What is served.
        access: The rule of who reads it.
    """

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        if why := access.refuses_host(request.method, request.headers):
            return web.Response(status=403, text=why, headers=HEADERS)
        if request.path.startswith("/-/api/") and not access.has_token(request.headers):
            return web.Response(status=401, text="Open the URL that kubectl imagebuild serve printed.", headers=HEADERS)
        try:
            return await handler(request)
        except web.HTTPException as error:
            return web.Response(status=error.status, text=error.reason, headers=HEADERS)

    async def list_builds(request: web.Request) -> web.StreamResponse:
        return await _stream(request, list_events(hub, _last(request), once=_once(request)))

    async def show_build(request: web.Request) -> web.StreamResponse:
        namespace, name = request.match_info["namespace"], request.match_info["name"]
        return await _stream(request, build_events(hub, namespace, name, _last(request), once=_once(request)))

    async def act(request: web.Request) -> web.StreamResponse:
        action, uid = Action(request.match_info["action"]), request.query.get("uid", "")
        try:
            build = await hub.act(action, request.match_info["namespace"], request.match_info["name"], uid)
        except ImageBuildError as error:
            return web.Response(status=409, text=str(error), headers=HEADERS)
        return web.json_response({"namespace": build.namespace, "name": build.name}, headers=HEADERS)

    app = web.Application(middlewares=[guard])
    app.router.add_get("/-/api/builds", list_builds)
    app.router.add_get("/-/api/builds/{namespace}/{name}", show_build)
    app.router.add_post(f"/-/api/builds/{{namespace}}/{{name}}/{{action:{'|'.join(Action)}}}", act)
    app.router.add_get("/-/{name}", _file)
    # The page finds out what to show by the path.
    for path in ("/", "/{namespace}/{name}"):
        app.router.add_get(path, _page)
    return app


@contextlib.asynccontextmanager
async def serving(hub: Hub, token: str, port: int) -> AsyncIterator[int]:
    """Serve for as long as the block runs.

    Args:
        hub: What is served.
        token: The token that readers need.
        port: The port; 0 for a free one.

    Yields:
        The port.

    Raises:
        ValueError: the port cannot be used.
    """
    # The port is part of what is compared with Host, so it is known before there are routes.
    listener = await asyncio.to_thread(_listen, port)
    number: int = listener.getsockname()[1]
    runner = web.AppRunner(application(hub, Access(number, token)), access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    try:
        await web.SockSite(runner, listener).start()
        yield number
    finally:
        await runner.cleanup()


def _listen(port: int) -> socket.socket:
    try:
        return socket.create_server((HOST, port))
    except OSError as error:
        why = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be used ({error.strerror})"
        raise ValueError(f"port {port} {why}; choose another with --port") from error


async def _page(_: web.Request) -> web.StreamResponse:
    return _answer("index.html")


async def _file(request: web.Request) -> web.StreamResponse:
    name = request.match_info["name"]
    if name not in _FILES:
        raise web.HTTPNotFound
    return _answer(name)


def _answer(name: str) -> web.Response:
    body, kind = _FILES[name]
    return web.Response(body=body, content_type=kind, charset="utf-8", headers=HEADERS)


async def _stream(request: web.Request, events: AsyncIterator[str]) -> web.StreamResponse:
    """Send events until the reader has gone."""
    response = web.StreamResponse(headers={**HEADERS, "Content-Type": "text/event-stream; charset=utf-8"})
    await response.prepare(request)
    # A reader that goes away while there is no news is noticed by the next beat.
    with contextlib.suppress(ConnectionError):
        async for text in events:
            await response.write((text or _BEAT).encode("utf-8", "replace"))
    return response


def _last(request: web.Request) -> str:
    return request.headers.get("Last-Event-ID", "")


def _once(request: web.Request) -> bool:
    return request.query.get("once") == "1"
