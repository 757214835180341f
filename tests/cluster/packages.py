"""Programs of the machine that the cluster needs, installed from Debian packages where missing."""

import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from cluster.console import ClusterError, run, say, step
from cluster.settings import SYSTEM_PATH, cache
from cluster.store import locked

PACKAGES = {
    "buildah": "buildah",
    "busybox": "busybox-static",
    "chromium": "chromium",
    "conntrack": "conntrack",
    "docker": "docker.io",
    "docker-registry": "docker-registry",
    "dockerd": "docker.io",
    "faketime": "faketime",
    "fcgiwrap": "fcgiwrap",
    "gcc": "gcc",
    "htpasswd": "apache2-utils",
    "ip": "iproute2",
    "iptables": "iptables",
    "mmdebstrap": "mmdebstrap",
    "newuidmap": "uidmap",
    "nginx": "nginx-light",
    "nsenter": "util-linux",
    "openssl": "openssl",
    "pip3": "python3-pip",
    "pkg-config": "pkg-config",
    "podman": "podman",
    "prometheus": "prometheus",
    "promtool": "prometheus",
    "runc": "runc",
    "skopeo": "skopeo",
    "sysctl": "procps",
    "/usr/include/seccomp.h": "libseccomp-dev",
    "/usr/lib/cni/bridge": "containernetworking-plugins",
    "/usr/sbin/sshd": "openssh-server",
    "/usr/share/fonts/opentype/inter/Inter-Regular.otf": "fonts-inter",
    "/usr/share/fonts/truetype/jetbrains-mono/JetBrainsMono-Regular.ttf": "fonts-jetbrains-mono",
    "/usr/share/keyrings/debian-archive-keyring.gpg": "debian-archive-keyring",
}
"""A command, or a file, and the package that has it. A command that is there in any way is good enough."""

FUNCTIONAL = ("openssl",)
IMAGES = ("busybox", "mmdebstrap", "/usr/share/keyrings/debian-archive-keyring.gpg")
NOT_OF_THE_CLUSTER = frozenset(
    {
        "buildah",
        "chromium",
        "docker",
        "dockerd",
        "faketime",
        "fcgiwrap",
        "newuidmap",
        "nginx",
        "pip3",
        "podman",
        "prometheus",
        "promtool",
        "skopeo",
        "/usr/share/fonts/opentype/inter/Inter-Regular.otf",
        "/usr/share/fonts/truetype/jetbrains-mono/JetBrainsMono-Regular.ttf",
    }
)
FULL = tuple(set(PACKAGES) - NOT_OF_THE_CLUSTER)
POLICY = Path("/usr/sbin/policy-rc.d")


def ensure(programs: Iterable[str]) -> None:
    """Install what is missing.

    Raises:
        ClusterError: something is missing and cannot be installed here.
    """
    wanted = tuple(programs)
    if _missing(wanted):
        # Two installations at the same time would fail.
        with locked(cache() / "apt.lock"):
            _install(_missing(wanted))


def _missing(programs: Iterable[str]) -> list[str]:
    """The packages of programs that are not there."""
    return sorted({PACKAGES[name] for name in programs if not shutil.which(name, os.F_OK, SYSTEM_PATH)})


def _install(missing: Sequence[str]) -> None:
    if not missing:
        return
    install = ["apt-get", "install", "--yes", "--no-install-recommends", "--no-remove", *missing]
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise ClusterError(f"these Debian packages are missing: {' '.join(missing)}; as root: {' '.join(install)}")
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    log = cache() / "apt.log"
    with step(f"installing {' '.join(missing)}"), _services_stay_down():
        try:
            run(install, log=log, environment=environment)
        except ClusterError:
            say("refreshing the package lists")
            run(["apt-get", "update"], log=log, environment=environment)
            run(install, log=log, environment=environment)


@contextmanager
def _services_stay_down() -> Iterator[None]:
    """Keep packages from starting daemons of their own, in Debian's way for this."""
    if POLICY.exists():
        yield
        return
    POLICY.write_text("#!/bin/sh\nexit 101\n")
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink(missing_ok=True)
