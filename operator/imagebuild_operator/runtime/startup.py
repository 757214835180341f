"""How kopf is set up: every setting that differs from its defaults, and why."""

from collections.abc import Iterator
from typing import Final

import kopf

from imagebuild_operator.api.names import GROUP, OPERATOR, PLURAL, POD_SELECTOR, VERSION
from imagebuild_operator.tasks.backoff import Backoff

#: Seconds between two retries of one of kopf's requests at most: a watch that is late delays every build.
MAX_DELAY: Final = 10.0


class Backoffs:
    """The delays between the retries of one of kopf's requests, without end."""

    def __iter__(self) -> Iterator[float]:
        backoff = Backoff(MAX_DELAY)
        while True:
            yield backoff.next()


def kopf_settings(watch_silence: float, selector: str) -> kopf.OperatorSettings:
    """The settings of kopf.

    Args:
        watch_silence: Seconds without a word after which a watch is made anew.
        selector: Label selector of the ImageBuilds to watch; empty for all.
    """
    settings = kopf.OperatorSettings()
    # Who acts is agreed on by a Lease, not by kopf's peering.
    settings.peering.standalone = True
    # Watching CRDs and namespaces would need rights that the operator does not have.
    settings.scanning.disabled = True
    # Only build pods cross the wire, not every pod of the cluster.
    settings.watching.label_selectors["v1", "pods"] = POD_SELECTOR
    if selector:
        # A build whose labels are changed so that it is another installation's leaves the watch, which says DELETED.
        settings.watching.label_selectors[GROUP, VERSION, PLURAL] = selector
    # The first list in pieces, so that thousands of finished builds are never in memory at once.
    settings.watching.chunk_size = 500
    # `Watches` takes the first watch of a resource for the end of its first list.
    settings.watching.initial_streaming = False
    settings.watching.inactivity_timeout = watch_silence
    # kopf's own default is five minutes, in which a hanging call would look like a hanging operator.
    settings.networking.request_timeout = 30
    # An API server that is away for long ends no watch: without end, where kopf's own default ends after a minute.
    settings.networking.error_backoffs = Backoffs()
    settings.posting.reporting_component = OPERATOR
    settings.persistence.finalizer = f"{GROUP}/finalizer"
    return settings
