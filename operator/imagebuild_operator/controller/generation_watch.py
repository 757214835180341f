"""The watch of all finished builds, for changes of their spec that their status does not describe yet.

Tools that wait for `status.observedGeneration` would wait forever. The traffic is bounded: one event when a build
finishes, one for each later change, and at the start one list, page by page.
"""

import asyncio
from typing import Any, Final

from imagebuild_operator.api.parse import parse_build
from imagebuild_operator.cache.keys import BuildKey
from imagebuild_operator.controller.expiry import ExpiryWatch
from imagebuild_operator.decide.retention import FINISHED

#: Seconds between two pages of the list. Nobody waits for it: it finds what changed while no operator ran.
PAGE_INTERVAL: Final = 1.0


class GenerationWatch(ExpiryWatch):
    """Has the finished builds of one namespace reconciled whose generation has changed."""

    selector = FINISHED
    subject = "finished builds"

    async def _list(self) -> str:
        """Go through all; the resourceVersion to watch from."""
        since = ""
        async for page in self._cluster.builds.pages(self._namespace, self.selector):
            if since:
                await asyncio.sleep(PAGE_INTERVAL)
            since = page["metadata"]["resourceVersion"]
            for body in page.get("items") or ():
                self._take("ADDED", body)
        return since

    def _take(self, kind: str, body: dict[str, Any]) -> None:
        self._progress = asyncio.get_running_loop().time()
        if kind in {"BOOKMARK", "DELETED"}:
            return
        build = parse_build(body)
        if build.is_finished and not build.is_observed:
            self._store.put_build(body)
            self._enqueue(BuildKey.of(build))
