"""The resync: list everything again, for what the watches may have missed."""

import logging
from collections.abc import Sequence
from typing import Final

from imagebuild_vocabulary.names import POD_SELECTOR

from imagebuild_operator.api.errors import RejectedError
from imagebuild_operator.cache.store import Store
from imagebuild_operator.client.cluster import Cluster

_logger: Final = logging.getLogger(__name__)


async def relist(cluster: Cluster, store: Store, namespaces: Sequence[str]) -> None:
    """Take every unfinished build, pod and object with defaults into the cache, and forget those that no longer exist.

    The leader's first act: the list with which the watch of ImageBuilds begins takes long where tens of thousands are
    finished. Later, it finds what the watches may have missed.

    Args:
        cluster: The API server.
        store: The cache.
        namespaces: The namespaces to list; empty for all.

    Raises:
        ClusterError: the API server failed; the same call later will do.
    """
    with store.relist() as listed:
        if not namespaces:
            try:
                if (body := await cluster.defaults.get("")) is not None:
                    listed.defaults(body)
            except RejectedError as error:
                _logger.warning("The ClusterImageBuildDefaults cannot be read: %s", error)
                listed.unreadable.add("")
        for namespace in namespaces or ("",):
            try:
                async for body in cluster.defaults.list(namespace):
                    listed.defaults(body)
            except RejectedError as error:
                # What has started goes on; what has not waits, since the defaults may limit it.
                where = f"namespace {namespace}" if namespace else "all namespaces"
                _logger.warning("The ImageBuildDefaults of %s cannot be listed: %s", where, error)
                listed.unreadable.add(namespace)
            async for body in cluster.builds.unfinished(namespace):
                listed.build(body)
            async for body in cluster.pods.list(namespace, POD_SELECTOR):
                listed.pod(body)
