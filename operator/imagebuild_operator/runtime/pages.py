"""The HTTP server of the metrics and the probes."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler
from prometheus_client import CollectorRegistry
from prometheus_client.aiohttp import make_aiohttp_handler

#: Returns the problems; none if all is well.
Probe = Callable[[], Awaitable[list[str]]]

HEALTH: Final = "/healthz"
READY: Final = "/readyz"
METRICS: Final = "/metrics"


class Pages:
    """Serves until it is closed."""

    def __init__(self) -> None:
        self._runners: list[web.AppRunner] = []

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
        for runner in self._runners:
            await runner.cleanup()
        self._runners.clear()

    async def _serve(self, port: int, handlers: Mapping[str, Handler]) -> None:
        app = web.Application()
        app.add_routes([web.get(path, handler) for path, handler in handlers.items()])
        # The kubelet's probes would be a line each in the log.
        runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1.0)
        await runner.setup()
        self._runners.append(runner)
        await web.TCPSite(runner, port=port).start()
