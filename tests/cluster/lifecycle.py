"""Starts a cluster, from nothing or from whatever is left of it, and removes it."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cluster import (
    api,
    cgroups,
    containerd,
    dns,
    envtest,
    images,
    kubernetes,
    leftovers,
    network,
    packages,
    pki,
    processes,
    registries,
    store,
)
from cluster.artefacts import PROGRAMS, artefact
from cluster.console import ClusterError, say, step
from cluster.processes import Part
from cluster.settings import Cluster

BUILDS_AT_ONCE = 2
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def up(cluster: Cluster) -> None:
    """Start the cluster: healthy parts are left alone, what cannot be repaired is replaced."""
    _require_root(cluster)
    with store.locked(cluster.lock):
        packages.ensure(packages.FUNCTIONAL if cluster.functional else packages.FULL)
        _prepare(cluster)
        if not _is_of_this_boot(cluster):
            remove(cluster)
            _start(cluster)
            return
        try:
            _start(cluster)
        except (ClusterError, OSError) as error:
            say(f"{error}\nthe cluster can't be repaired: starting a new one")
            remove(cluster)
            _start(cluster)


def down(cluster: Cluster) -> None:
    """Stop the cluster and remove everything that it left on the machine."""
    _require_root(cluster)
    with store.locked(cluster.lock):
        with step(f"taking down {cluster.name}"):
            remove(cluster)
        cluster.lock.unlink()


def remove(cluster: Cluster) -> None:
    """End all processes and remove mounts, network, control groups and state folder, in this order."""
    processes.end_all(cluster)
    if not cluster.functional:
        cgroups.remove(cluster)
        processes.end_all(cluster)  # what was on its way into a container when it got the signal
        _unmount(cluster.state)
        network.remove(cluster)
        leftovers.remove(cluster)
    if cluster.state.exists():
        shutil.rmtree(cluster.state)


def parts(cluster: Cluster) -> list[Part]:
    """All that runs, in the order in which it starts."""
    return [*_base(cluster), *_rest(cluster)]


def _base(cluster: Cluster) -> list[Part]:
    """What stands by itself."""
    control_plane = list(kubernetes.control_plane(cluster))
    if cluster.functional:
        return control_plane
    return [*registries.parts(cluster), containerd.part(cluster), *control_plane]


def _rest(cluster: Cluster) -> list[Part]:
    """What needs the API server."""
    if cluster.functional:
        return []
    return [*kubernetes.controllers(cluster), *kubernetes.node(cluster), dns.part(cluster)]


def _prepare(cluster: Cluster) -> None:
    """Build what is not cached; two at a time, for each waits for the network now and then."""
    with ThreadPoolExecutor(BUILDS_AT_ONCE) as pool:
        jobs = [pool.submit(artefact, name) for name in _programs(cluster)]
        if not cluster.functional:
            jobs += [pool.submit(images.layout, name) for name in images.images()]
        for job in jobs:
            job.result()


def _programs(cluster: Cluster) -> Sequence[str]:
    if cluster.functional:
        return () if envtest.folder() else ("etcd", "kube")
    return tuple(PROGRAMS)


def _start(cluster: Cluster) -> None:
    cluster.state.mkdir(parents=True, exist_ok=True)
    (cluster.state / "boot-id").write_text(BOOT_ID.read_text())
    pki.ensure(cluster)
    _link_programs(cluster)
    if not cluster.functional:
        leftovers.remember(cluster)
        network.ensure(cluster)
        cgroups.ensure(cluster)
        registries.ensure_password(cluster)
    base = _base(cluster)
    processes.ensure_started(cluster, base)
    if not cluster.functional:
        processes.await_ready(cluster, list(registries.parts(cluster)))
        images.push_missing(registries.address(cluster, "plain"))
    processes.await_ready(cluster, base)
    if not cluster.functional:
        rest = _rest(cluster)
        api.apply(cluster, *registries.manifests(cluster), *dns.manifests(cluster))
        processes.ensure_started(cluster, rest)
        processes.await_ready(cluster, rest)
        kubernetes.await_node(cluster)


def _link_programs(cluster: Cluster) -> None:
    links = {name: artefact(name) for name in _programs(cluster)}
    if "kube" in links:
        links |= dict.fromkeys(kubernetes.COMPONENTS, links.pop("kube"))
    else:
        links |= envtest.programs()
    cluster.bin.mkdir(exist_ok=True)
    for name, target in links.items():
        draft = cluster.bin / f".{name}"
        draft.unlink(missing_ok=True)
        draft.symlink_to(target)
        draft.rename(cluster.bin / name)


def _unmount(folder: Path) -> None:
    def points() -> list[str]:
        lines = Path("/proc/self/mountinfo").read_text().splitlines()
        return [point for line in lines if (point := line.split()[4]).startswith(f"{folder}/")]

    for point in reversed(points()):
        subprocess.run(["umount", "--lazy", point], check=False)
    if left := points():
        # What is mounted may be a folder of the host: removing the state folder would empty it.
        raise ClusterError(f"can't unmount {' '.join(left)}")


def _is_of_this_boot(cluster: Cluster) -> bool:
    """Whether the state folder was made since the machine started; what is older is of no use."""
    try:
        return (cluster.state / "boot-id").read_text() == BOOT_ID.read_text()
    except FileNotFoundError:
        return False


def _require_root(cluster: Cluster) -> None:
    if not cluster.functional and os.geteuid() != 0:
        raise ClusterError("only root can make network namespaces, mounts and control groups; try --functional")
