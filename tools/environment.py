"""The variables and programs of the cluster that the tools and tests use."""

import os
import shlex
import shutil
import ssl
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

ROOT = Path(__file__).resolve().parent.parent
#: Built for this project where the machine has none.
BUILT = ("crane", "helm")
PROBE_SECONDS = 10


@dataclass(frozen=True)
class ClusterRegistry:
    """The registry that the cluster's builds push to without a password.

    Attributes:
        name: what nodes and pods call it, such as `registry.example.com/team`.
        address: reaches it from this machine.
        insecure: whether it speaks plain HTTP.
        hub_mirror: the mirror that builds use instead of Docker Hub, or empty.
    """

    name: str
    address: str
    insecure: bool
    hub_mirror: str

    @property
    def host(self) -> str:
        """Its host as nodes and pods know it, with the port."""
        return self.name.partition("/")[0]

    @property
    def builder_registries(self) -> list[dict[str, object]]:
        """What the chart's `builder.registries` must say about it."""
        told: list[dict[str, object]] = []
        if self.hub_mirror:
            told.append({"host": "docker.io", "mirrors": [self.hub_mirror]})
        if self.insecure:
            told.append({"host": self.host, "plainHTTP": True})
        return told


def cluster_variables(*options: str) -> dict[str, str]:
    """The variables of `make cluster-info`.

    Raises:
        SystemExit: no cluster is running; the message says how to start one.
    """
    command = [sys.executable, "-m", "cluster", "info", *options]
    done = subprocess.run(command, cwd=ROOT / "tests", capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr.strip() or f"{shlex.join(command)} ended with {done.returncode}")
    pairs = (word.partition("=") for word in shlex.split(done.stdout))
    return {name: value for name, _, value in pairs}


def cluster_registry(variables: dict[str, str]) -> ClusterRegistry:
    """The registry of REGISTRY.

    Raises:
        SystemExit: it is not set, or there is none.
    """
    name = variables.get("REGISTRY", "").rstrip("/")
    if not name:
        raise SystemExit(
            "REGISTRY is not set. Set it to a registry that this machine, the nodes and the pods can push to without a "
            "password, such as REGISTRY=registry.example.com:5000/team"
        )
    if "://" in name:
        raise SystemExit(f"REGISTRY is {name!r}. Write it without a scheme, as in an image reference.")
    address = variables.get("REGISTRY_ADDRESS") or name
    insecure = _speaks_plain_http(address)
    return ClusterRegistry(name, address, insecure, variables.get("HUB_MIRROR", ""))


def with_programs(variables: dict[str, str]) -> dict[str, str]:
    """The environment for kubectl, helm and crane: those of BIN come first, then those on PATH.

    Raises:
        SystemExit: there is no kubectl.
    """
    path = os.pathsep.join(filter(None, [variables.get("BIN"), os.environ.get("PATH")]))
    if not shutil.which("kubectl", path=path):
        raise SystemExit("kubectl is not on PATH. Install it, or add its folder to PATH.")
    missing = [name for name in BUILT if not shutil.which(name, path=path)]
    path = os.pathsep.join([path, *(str(_built(name).parent) for name in missing)])
    return {**os.environ, **variables, "PATH": path}


def program(name: str, variables: dict[str, str]) -> Path:
    """The path of kubectl, helm or crane."""
    found = shutil.which(name, path=with_programs(variables)["PATH"])
    if not found:
        raise SystemExit(f"{name} is not on PATH. Install it, or add its folder to PATH.")
    return Path(found)


@cache
def _built(name: str) -> Path:
    command = [sys.executable, "-m", "cluster", "artefact", name]
    done = subprocess.run(command, cwd=ROOT / "tests", stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{name} is not on PATH, and {shlex.join(command)} could not build it.")
    return Path(done.stdout.strip())


@cache
def _speaks_plain_http(address: str) -> bool:
    host = address.partition("/")[0]
    try:
        _get(f"https://{host}/v2/")
    except OSError as secure:
        try:
            _get(f"http://{host}/v2/")
        except OSError as plain:
            raise SystemExit(
                f"No registry answers at {host} (HTTPS: {_reason(secure)}; HTTP: {_reason(plain)}). Set REGISTRY to "
                "one that does, and REGISTRY_ADDRESS if this machine knows it by another name."
            ) from plain
        return True
    return False


def _get(url: str) -> None:
    """Ask a registry; any response will do, and its certificate is not our business."""
    request = Request(url)  # noqa: S310 the scheme is ours
    try:
        with urlopen(request, timeout=PROBE_SECONDS, context=ssl._create_unverified_context()):  # noqa: S310, S323, SLF001 same
            pass
    except HTTPError as error:
        error.close()


def _reason(error: OSError) -> str:
    return str(error.reason if isinstance(error, URLError) else error)
