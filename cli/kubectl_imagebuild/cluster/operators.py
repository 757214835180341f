"""Finds the operators of a cluster, as far as the user may see them."""

from typing import Final

from kubectl_imagebuild.cluster.installation import SELECTOR, USUAL_NAMESPACE, Installation, installation, settings_map
from kubectl_imagebuild.cluster.reader import Cluster, Document, Hidden

_APPS: Final = "apps/v1"


async def find_operators(cluster: Cluster, namespace: str = "") -> tuple[Installation, ...] | Hidden:
    """Read the Deployments of operators and their settings.

    Args:
        cluster: The cluster.
        namespace: The only namespace to look into. Default: all, or the usual one if the user may not list all.
    """
    found = await cluster.list(cluster.path("deployments", group=_APPS, namespace=namespace), labelSelector=SELECTOR)
    if isinstance(found, Hidden) and not namespace:
        path = cluster.path("deployments", group=_APPS, namespace=USUAL_NAMESPACE)
        usual = await cluster.list(path, labelSelector=SELECTOR)
        # If there is none in the usual namespace, it may be in another.
        found = usual or found
    if isinstance(found, Hidden):
        return found
    return tuple([await _installation(cluster, each) for each in found])


async def _installation(cluster: Cluster, deployment: Document) -> Installation:
    name, key = settings_map(deployment)
    if not name:
        return installation(deployment, None, key, "the operator's Deployment mounts no settings")
    namespace = deployment["metadata"]["namespace"]
    body = await cluster.get(cluster.path("configmaps", name, namespace=namespace))
    if isinstance(body, Hidden):
        return installation(deployment, None, key, f"you may not read ConfigMap {namespace}/{name}")
    return installation(deployment, body, key, f"there is no ConfigMap {namespace}/{name}")
