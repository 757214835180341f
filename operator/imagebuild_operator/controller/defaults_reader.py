"""Reads ImageBuildDefaults for builds that are about to start. Builds that ask at the same time share a request."""

import asyncio

from imagebuild_operator.api.body import Document
from imagebuild_operator.client.defaults import DefaultsClient


class DefaultsReader:
    """Each answer is of a request that was sent after the question."""

    def __init__(self, client: DefaultsClient) -> None:
        """Read nothing yet.

        Args:
            client: Makes the requests.
        """
        self._client = client
        #: By scope, the request that is under way, and the one after it, which takes more questions until it is sent.
        self._sent: dict[str, asyncio.Task[Document | None]] = {}
        self._next: dict[str, asyncio.Task[Document | None]] = {}

    async def newest(self, scope: str) -> Document | None:
        """Read the ImageBuildDefaults of a namespace, or the ClusterImageBuildDefaults if it is empty; None if none.

        Raises:
            ClusterError: the API server failed; the same call later will do.
        """
        task = self._next.get(scope)
        if task is None:
            task = self._next[scope] = asyncio.create_task(self._read(scope), name=f"defaults {scope}".rstrip())
            # The one that asked may be cancelled; then nobody asks for the error.
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(task)

    async def stop(self) -> None:
        """End the requests that are under way; nobody waits for them any more."""
        tasks = {*self._sent.values(), *self._next.values()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _read(self, scope: str) -> Document | None:
        if scope in self._sent:
            await asyncio.wait([self._sent[scope]])
        task = self._sent[scope] = self._next.pop(scope)
        try:
            return await self._client.get(scope)
        finally:
            if self._sent.get(scope) is task:
                del self._sent[scope]
