"""Logs kopf in to the API server, at a bounded rate."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

import aiohttp
import kopf

from imagebuild_operator.tasks.backoff import Backoff

#: Seconds that a login must have lasted, so that the next one is not taken for another try of the same.
LASTING: Final = 60.0
#: Seconds between two logins at most.
MAX_DELAY: Final = 30.0


class Login:
    """Makes a new session whenever the API server has rejected the last one with 401.

    A rotated token is therefore read at once. kopf has a check of its own against credentials that it has tried before,
    but that cannot recognize a session, since each is a new object. So repeated logins are delayed here, and
    `client.authentication` ends the process after a while.
    """

    def __init__(
        self,
        trace: aiohttp.TraceConfig,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        """Make no session yet.

        Args:
            trace: Follows the requests of each session.
            clock: Seconds that never go back.
            sleep: Waits for some seconds.
        """
        self._trace = trace
        self._clock = clock
        self._sleep = sleep
        self._last: float | None = None
        self._backoff = Backoff(MAX_DELAY)

    async def __call__(self, settings: kopf.OperatorSettings) -> kopf.AiohttpSession:
        """Give kopf a session, with the pod's ServiceAccount or else the current context of KUBECONFIG.

        Raises:
            LoginError: there is neither.
        """
        await self._pause()
        given = kopf.login_with_service_account(settings=settings) or kopf.login_with_kubeconfig(settings=settings)
        if given is None:
            raise kopf.LoginError("Neither a ServiceAccount nor KUBECONFIG says where the API server is.")
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=given.as_ssl_context()),
            headers=given.as_http_headers(),
            proxy=given.proxy_url,
            trust_env=given.trust_env,
            trace_configs=[self._trace],
        )
        return kopf.AiohttpSession(
            server=given.server, default_namespace=given.default_namespace, aiohttp_session=session
        )

    async def _pause(self) -> None:
        has_lasted = self._last is None or self._clock() - self._last >= LASTING
        if has_lasted:
            self._backoff.reset()
        else:
            await self._sleep(self._backoff.next())
        self._last = self._clock()
