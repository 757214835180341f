"""Bringing a cluster up, from nothing or from whatever is left of it, and down."""

import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cluster import (
    api,
    cgroups,
    containerd,
    dns,
    images,
    kubernetes,
    network,
    packages,
    pki,
    processes,
    registries,
    store,
)
from cluster.artefacts import PROGRAMS, artefact
from cluster.console import Failure, say, step
from cluster.processes import Part
from cluster.settings import Cluster

BUILDS_AT_ONCE = 2
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def up(cluster: Cluster) -> None:
    """Bring the cluster up; what runs well is left alone, what can't be healed is made anew."""
    _require_root()
    with store.locked(_lock(cluster)):
        packages.ensure(packages.FUNCTIONAL if cluster.functional else packages.FULL)
        _prepare(cluster)
        if not _is_of_this_boot(cluster):
            remove(cluster)
            _start(cluster)
            return
        try:
            _start(cluster)
        except (Failure, OSError) as failure:
            say(f"{failure}\nthe cluster can't be healed: starting anew")
            remove(cluster)
            _start(cluster)


def down(cluster: Cluster) -> None:
    """End the cluster and remove all that it left on the machine."""
    _require_root()
    with store.locked(_lock(cluster)):
        with step(f"taking down {cluster.name}"):
            remove(cluster)
        _lock(cluster).unlink()


def remove(cluster: Cluster) -> None:
    """End all processes and remove mounts, network, control groups and state folder, in this order."""
    processes.end_all(cluster)
    if not cluster.functional:
        cgroups.remove(cluster)
        containerd.remove_leftovers(cluster)
        _unmount(cluster.state)
        network.remove(cluster)
    if cluster.state.exists():
        shutil.rmtree(cluster.state)


def parts(cluster: Cluster) -> tuple[list[Part], list[Part]]:
    """What runs: first what stands by itself, then what needs the API server."""
    base = list(kubernetes.control_plane(cluster))
    if cluster.functional:
        return base, []
    base += [*registries.parts(cluster), containerd.part(cluster)]
    return base, [*kubernetes.controllers(cluster), *kubernetes.node(cluster), dns.part(cluster)]


def _prepare(cluster: Cluster) -> None:
    """Build what is not cached; two at a time, for each waits for the network now and then."""
    with ThreadPoolExecutor(BUILDS_AT_ONCE) as pool:
        if cluster.functional:
            jobs = [pool.submit(artefact, "kube")]
        else:
            jobs = [pool.submit(artefact, name) for name in PROGRAMS]
            jobs += [pool.submit(images.layout, name) for name in images.images()]
        for job in jobs:
            job.result()


def _start(cluster: Cluster) -> None:
    cluster.state.mkdir(parents=True, exist_ok=True)
    (cluster.state / "boot-id").write_text(BOOT_ID.read_text())
    pki.ensure(cluster)
    _link_programs(cluster)
    if not cluster.functional:
        network.ensure(cluster)
        cgroups.ensure(cluster)
    base, rest = parts(cluster)
    processes.ensure_started(cluster, base)
    if not cluster.functional:
        processes.await_ready(cluster, [part for part in base if part.name.startswith("registry")])
        images.push_missing()
    processes.await_ready(cluster, base)
    if not cluster.functional:
        processes.ensure_started(cluster, rest)
        for path, manifest in (*registries.manifests(), *dns.manifests()):
            api.apply(cluster, path, manifest)
        processes.await_ready(cluster, rest)
        kubernetes.await_node(cluster)


def _link_programs(cluster: Cluster) -> None:
    links = {"etcd": artefact("etcd")} | {component: artefact("kube") for component in kubernetes.COMPONENTS}
    if not cluster.functional:
        links |= {name: artefact(name) for name in PROGRAMS if name != "kube"}
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
        raise Failure(f"can't unmount {' '.join(left)}")


def _is_of_this_boot(cluster: Cluster) -> bool:
    """Whether the state folder was made since the machine started; what is older is of no use."""
    try:
        return (cluster.state / "boot-id").read_text() == BOOT_ID.read_text()
    except FileNotFoundError:
        return False


def _lock(cluster: Cluster) -> Path:
    return Path("/run/lock") / f"{cluster.name}.lock"


def _require_root() -> None:
    if os.geteuid() != 0:
        raise Failure("the test cluster needs root: it makes network namespaces, mounts and control groups")
