"""The settings of kopf: each one that differs from its default, and why."""

from collections.abc import Iterator
from typing import Final

import kopf
from imagebuild_vocabulary.names import GROUP, OPERATOR, PLURAL, POD_SELECTOR, TRACKED_PLURAL, VERSION

from imagebuild_operator.runtime.storages import NoDiffBase, NoProgress
from imagebuild_operator.tasks.backoff import Backoff

#: Seconds between two retries of one of kopf's requests at most: a watch that is late delays every build.
MAX_DELAY: Final = 10.0
#: Objects in one page of kopf's lists.
CHUNK: Final = 25


class Backoffs:
    """The delays between the retries of one of kopf's requests, without end."""

    def __iter__(self) -> Iterator[float]:
        backoff = Backoff(MAX_DELAY)
        while True:
            yield backoff.next()


def kopf_settings(watch_silence: float, selector: str) -> kopf.OperatorSettings:
    """The settings of kopf.

    Args:
        watch_silence: Seconds without a byte, bookmarks included, after which a watch is started again.
        selector: Label selector of the ImageBuilds to watch; empty for all.
    """
    settings = kopf.OperatorSettings()
    # The leader is elected by a Lease, not by kopf's peering.
    settings.peering.standalone = True
    # Watching CRDs and namespaces would need permissions that the operator does not have.
    settings.scanning.disabled = True
    # Receive build pods only, not every pod of the cluster.
    settings.watching.label_selectors["v1", "pods"] = POD_SELECTOR
    if selector:
        # A build whose labels change so that it belongs to another installation leaves the watch, which sends DELETED.
        settings.watching.label_selectors[GROUP, VERSION, PLURAL] = selector
        settings.watching.label_selectors[GROUP, VERSION, TRACKED_PLURAL] = selector
    # List page by page, so that thousands of builds are never in memory at once. Each may have a megabyte.
    settings.watching.chunk_size = CHUNK
    # Readiness depends on it: `Watches` takes the first watch of a resource as the end of its first list.
    settings.watching.initial_streaming = False
    settings.watching.inactivity_timeout = watch_silence
    # kopf's default is five minutes; a request that hangs for so long would make the liveness probe fail.
    settings.networking.request_timeout = 30
    # Retry forever while the API server is down; kopf's default gives up after a minute, and ends the process.
    settings.networking.error_backoffs = Backoffs()
    # Raw event handlers have no state that would have to be compared or stored.
    settings.persistence.diffbase_storage = NoDiffBase()
    settings.persistence.progress_storage = NoProgress()
    settings.posting.reporting_component = OPERATOR
    settings.persistence.finalizer = f"{GROUP}/finalizer"
    return settings
