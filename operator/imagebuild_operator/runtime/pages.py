"""The HTTP server of the metrics and the probes."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, cast

from aiohttp import web
from aiohttp.typedefs import Handler
from prometheus_client import CollectorRegistry
from prometheus_client.aiohttp import make_aiohttp_handler

#: Connections at once to each port, and per address: a kubelet and a few Prometheus servers need fewer. Anybody in the
#: cluster can open some.
CONNECTIONS: Final = 64
CONNECTIONS_OF_ONE: Final = 16
#: Bytes of a request's line, and of a header; aiohttp reads up to 128 headers of that size.
LARGEST_LINE: Final = 2048
#: Seconds after which a connection is closed, whatever it has done.
LIFETIME: Final = 30.0

#: Returns the problems; none if all is well.
Probe = Callable[[], Awaitable[list[str]]]

#: Makes the protocol of a connection.
Protocols = Callable[[], asyncio.Protocol]

HEALTH: Final = "/healthz"
READY: Final = "/readyz"
METRICS: Final = "/metrics"


class Pages:
    """Serves until it is closed."""

    def __init__(self) -> None:
        self._runners: list[web.AppRunner] = []
        self._servers: list[asyncio.Server] = []

    async def serve_probes(self, port: int, probes: Mapping[str, Probe]) -> None:
        """Answer probes with 200, or with 503 and the problems."""

        def handler(probe: Probe) -> Callable[[web.Request], Awaitable[web.Response]]:
            async def answer(_: web.Request) -> web.Response:
                wrong = await probe()
                return web.Response(text="\n".join(wrong or ["ok"]) + "\n", status=503 if wrong else 200)

            return answer

        await self._serve(port, {path: handler(probe) for path, probe in probes.items()})

    async def serve_metrics(self, port: int, registry: CollectorRegistry) -> None:
        """Serve the metrics."""
        await self._serve(port, {METRICS: make_aiohttp_handler(registry)})

    async def close(self) -> None:
        """Stop serving."""
        for server in self._servers:
            server.close()
        self._servers.clear()
        for runner in self._runners:
            await runner.cleanup()
        self._runners.clear()

    async def _serve(self, port: int, handlers: Mapping[str, Handler]) -> None:
        app = web.Application()
        app.add_routes([web.get(path, handler) for path, handler in handlers.items()])
        # The kubelet's probes would be a line each in the log.
        runner = web.AppRunner(
            app,
            access_log=None,
            handle_signals=False,
            shutdown_timeout=1.0,
            keepalive_timeout=LIFETIME,
            max_line_size=LARGEST_LINE,
            max_field_size=LARGEST_LINE,
        )
        await runner.setup()
        self._runners.append(runner)
        bounded = BoundedServer(cast("Protocols", runner.server))
        self._servers.append(await asyncio.get_running_loop().create_server(bounded, port=port, backlog=CONNECTIONS))


class BoundedServer:
    """Makes the protocol of each connection, and bounds how many there are, and for how long.

    Where there are too many, the oldest of whoever has most is closed: the kubelet, which has one, is answered whoever
    else holds connections.
    """

    def __init__(self, protocols: Protocols, lifetime: float = LIFETIME) -> None:
        """Args: `protocols` makes the protocol that answers; a connection is closed after `lifetime` seconds."""
        self._protocols = protocols
        self._lifetime = lifetime
        self._open: dict[str, list[_Bounded]] = {}

    def __call__(self) -> asyncio.Protocol:
        """A protocol for one connection."""
        return _Bounded(self, self._protocols())

    def opened(self, connection: "_Bounded") -> None:
        """Take note of a connection, and close another where there are too many."""
        own = self._open.setdefault(connection.peer, [])
        own.append(connection)
        connection.close_after(self._lifetime)
        if len(own) > CONNECTIONS_OF_ONE:
            own[0].abort()
        elif sum(map(len, self._open.values())) > CONNECTIONS:
            max(self._open.values(), key=len)[0].abort()

    def closed(self, connection: "_Bounded") -> None:
        """Forget a connection."""
        own = self._open.get(connection.peer, [])
        if connection in own:
            own.remove(connection)
        if not own:
            self._open.pop(connection.peer, None)


class _Bounded(asyncio.Protocol):
    """Passes everything on to the protocol that answers."""

    def __init__(self, server: BoundedServer, real: asyncio.Protocol) -> None:
        self._server = server
        self._real = real
        self._transport: asyncio.Transport | None = None
        self._end: asyncio.TimerHandle | None = None
        self.peer = ""

    def close_after(self, seconds: float) -> None:
        self._end = asyncio.get_running_loop().call_later(seconds, self.abort)

    def abort(self) -> None:
        # At once: its end is reported later.
        self._server.closed(self)
        if self._transport:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self.peer = str((transport.get_extra_info("peername") or ("",))[0])
        self._real.connection_made(transport)
        self._server.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._end:
            self._end.cancel()
        self._server.closed(self)
        self._real.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._real.data_received(data)

    def eof_received(self) -> bool | None:
        return self._real.eof_received()

    def pause_writing(self) -> None:
        self._real.pause_writing()

    def resume_writing(self) -> None:
        self._real.resume_writing()
