"""Programs of the machine that the cluster needs, installed from Debian packages where missing."""

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cluster.console import ClusterError, run, say, step
from cluster.settings import SYSTEM_PATH, cache

PACKAGES = {
    "buildah": "buildah",
    "busybox": "busybox-static",
    "conntrack": "conntrack",
    "containerd": "containerd",
    "docker-registry": "docker-registry",
    "fcgiwrap": "fcgiwrap",
    "htpasswd": "apache2-utils",
    "ip": "iproute2",
    "iptables": "iptables",
    "mmdebstrap": "mmdebstrap",
    "nginx": "nginx-light",
    "nsenter": "util-linux",
    "openssl": "openssl",
    "pip3": "python3-pip",
    "prometheus": "prometheus",
    "promtool": "prometheus",
    "runc": "runc",
    "skopeo": "skopeo",
    "sysctl": "procps",
    "/usr/lib/cni/bridge": "containernetworking-plugins",
    "/usr/sbin/sshd": "openssh-server",
    "/usr/share/keyrings/debian-archive-keyring.gpg": "debian-archive-keyring",
}
"""A command, or a file, and the package that has it. A command that is there in any way is good enough."""

FUNCTIONAL = ("openssl",)
IMAGES = ("busybox", "mmdebstrap", "/usr/share/keyrings/debian-archive-keyring.gpg")
FULL = tuple(set(PACKAGES) - {"buildah", "fcgiwrap", "nginx", "pip3", "prometheus", "promtool", "skopeo"})
POLICY = Path("/usr/sbin/policy-rc.d")


def ensure(programs: Iterable[str]) -> None:
    """Install what is missing.

    Raises:
        ClusterError: something is missing and cannot be installed here.
    """
    missing = sorted(PACKAGES[name] for name in programs if not shutil.which(name, os.F_OK, SYSTEM_PATH))
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
