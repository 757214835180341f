"""Reads what a chaos run has left: in the API server and its audit log, in the registries, and in the logs."""

import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from chaos import audit
from chaos.api import Api
from chaos.history import Version
from chaos.records import Expected, Records, Tag, Use
from chaos.victims import in_pods
from chaos.workload import CLUSTER_LIMIT, LIMITS, NAMESPACES
from cluster.registries import PORTS, service
from cluster.settings import Cluster

REPOSITORIES = Path("docker/registry/v2/repositories")


def collect(
    cluster: Cluster,
    api: Api,
    expected: Mapping[str, Expected],
    secrets: list[str],
    since: float,
    uses: tuple[Use | None, Use | None],
) -> Records:
    """All that the invariants are checked over.

    Args:
        cluster: The cluster.
        api: Its API server.
        expected: How each build has to end.
        secrets: Values that must be nowhere.
        since: When the run began.
        uses: What the operator held before and after.
    """
    with cluster.audit_log.open(encoding="utf-8", errors="replace") as lines:
        history = audit.history(lines)
    events = [event for namespace in NAMESPACES for event in api.events(namespace)]
    now = time.time()
    builds = [build for namespace in NAMESPACES for build in api.builds(namespace)]
    pods = [pod for namespace in NAMESPACES for pod in api.pods(namespace)]
    texts = dict(_logs(cluster))
    texts |= {"Events": json.dumps(events), "ImageBuilds": json.dumps([build.get("status") for build in builds])}
    return Records(
        expected=expected,
        builds=audit.with_end(_ours(history.builds, since), builds, now),
        pods=audit.with_end(_ours(history.pods, since), pods, now),
        tags=dict(_tags(cluster)),
        events=events,
        texts=texts,
        secrets=secrets,
        namespace_limits=LIMITS,
        cluster_limit=CLUSTER_LIMIT,
        before=uses[0],
        after=uses[1],
    )


def operator_use(cluster: Cluster) -> Use | None:
    """What the operator with the most memory holds, which is the leader."""
    uses = []
    for pid in in_pods(cluster, "operator"):
        try:
            pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
            descriptors = len(list(Path(f"/proc/{pid}/fd").iterdir()))
        except OSError:
            continue
        uses.append(Use(pages * os.sysconf("SC_PAGE_SIZE"), descriptors))
    return max(uses, key=lambda use: use.memory, default=None)


def forget_images(cluster: Cluster) -> None:
    """Remove the images of an earlier run from the registries."""
    for registry in PORTS:
        for namespace in NAMESPACES:
            shutil.rmtree(cluster.state / "registries" / registry / REPOSITORIES / namespace, ignore_errors=True)


def _ours(versions: list[Version], since: float) -> list[Version]:
    return [version for version in versions if version.name.partition("/")[0] in NAMESPACES and version.begin >= since]


def _tags(cluster: Cluster) -> Iterator[tuple[str, Tag]]:
    """What the registries store of each tag: where it points, and where it has ever pointed."""
    for registry in PORTS:
        base = cluster.state / "registries" / registry / REPOSITORIES
        for namespace in NAMESPACES:
            for tag in (base / namespace).glob("*/_manifests/tags/*"):
                link = tag / "current" / "link"
                repository = tag.parents[2].name
                name = f"{service(registry)}/{namespace}/{repository}:{tag.name}"
                earlier = frozenset(f"sha256:{digest.name}" for digest in (tag / "index" / "sha256").glob("*"))
                yield name, Tag(link.read_text() if link.exists() else None, earlier)


def _logs(cluster: Cluster) -> Iterator[tuple[str, str]]:
    for file in (cluster.state / "pod-logs").glob("*/*/*.log"):
        try:
            yield str(file.relative_to(cluster.state)), file.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue  # Its pod has just been deleted.
