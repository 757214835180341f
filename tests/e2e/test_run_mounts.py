"""RUN --mount in a build pod: secrets that one step has and nothing keeps, and caches that last in a volume."""

import gzip
import hashlib
import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from e2e.test_builds import build
from e2e.test_credentials import SEARCH
from functional.kube import Builds, Kubectl
from kubernetes import client
from support.registry import Registry
from support.volumes import make_volume
from support.watching import wait_for_build, wait_for_finish

Json = dict[str, Any]

MOUNTS = "--mount=type=secret,id=npm,required --mount=type=secret,id=proxy,env=PROXY"
#: The search of test_credentials comes before and after the step that has the secrets, and in its memory.
DOCKERFILE = """\
RUN MOUNTS sha256sum < /run/secrets/npm > /seen && printf %s "$PROXY" | sha256sum >> /seen && \\
    cat /run/secrets/npm && echo "$PROXY"
RUN test ! -e /run/secrets/npm && test -z "$PROXY" && cat /proc/1/mem > /seen.mem 2>/dev/null || true
"""


def give(kubectl: Kubectl, namespace: str, kind: str, name: str, value: str) -> None:
    kubectl("-n", namespace, "create", *kind.split(), name, f"--from-literal=value={value}")


def refer(kind: str, name: str) -> Json:
    return {f"{kind}KeyRef": {"name": name, "key": "value"}}


def all_of(registry: Registry, image: str) -> bytes:
    """Whatever the registry has of an image: manifest, config, and the layers as tars, deleted files among them."""
    repository = image.rpartition(":")[0]
    layers = [registry.blob(f"{repository}@{layer['digest']}") for layer in registry.manifest(image)["layers"]]
    return b"".join([registry.raw_manifest(image), json.dumps(registry.config(image)).encode(), *map(unpacked, layers)])


def unpacked(layer: bytes) -> bytes:
    return gzip.decompress(layer) if layer.startswith(b"\x1f\x8b") else layer


@pytest.mark.shows("A38")
def test_a_secret_is_there_for_its_run_and_nowhere_else(
    builds: Builds, api: client.ApiClient, namespace: str, registry: Registry, kubectl: Kubectl
):
    token, proxy = (f"s3cr3t {secrets.token_hex(12)}, with=signs\nand two lines", f"pr0xy-{secrets.token_hex(12)}")
    give(kubectl, namespace, "secret generic", "npm", token)
    give(kubectl, namespace, "configmap", "proxy", proxy)
    words = [token.split(",", maxsplit=1)[0].split()[1], proxy]
    search = SEARCH.replace("NEEDLES", " ".join(f"{word[:5]}''{word[5:]}" for word in words))
    again = search.partition("RUN mkdir /found\n")[2]
    image = f"{registry.name}/{namespace}/app:1"
    spec = build(
        {"Dockerfile": search + DOCKERFILE.replace("MOUNTS", MOUNTS) + again},
        image,
        buildSecrets=[{"id": "npm", **refer("secret", "npm")}, {"id": "proxy", **refer("configMap", "proxy")}],
        cache={"enabled": True, "repo": f"{registry.name}/{namespace}/cache"},
    )
    for name in ("cold", "warm"):
        builds.create(spec, name=name)
        status = wait_for_finish(api, namespace, name, timeout=240)
        assert status["phase"] == "Succeeded", status
        assert not status.get("warnings"), status
        said = kubectl("-n", namespace, "logs", status["podName"], "--all-containers")
        said += kubectl("-n", namespace, "get", "imagebuilds,pods,events", "-o", "yaml")
        said += json.dumps(status) + all_of(registry, image).decode(errors="replace")
        assert [word for word in words if word in said] == []
    assert status["cache"]["misses"] == 0
    made = registry.files(image)
    digests = [hashlib.sha256(value.encode()).hexdigest() for value in (token, proxy)]
    assert [line.split()[0] for line in made["/seen"].content.decode().splitlines()] == digests
    assert made["/found/list"].content == b""
    assert not [path for path in made if path.startswith("/run/secrets")]
    assert "/run/secrets" not in registry.directories(image)


@pytest.mark.parametrize(
    ("kind", "reason", "words"),
    [
        ("secret", "SecretNotFound", 'secret "late" not found'),
        ("configMap", "ConfigMapNotFound", 'configmap "late" not found'),
    ],
)
def test_a_secret_that_comes_late_is_waited_for(
    builds: Builds,
    api: client.ApiClient,
    namespace: str,
    registry: Registry,
    kubectl: Kubectl,
    kind: str,
    reason: str,
    words: str,
):
    dockerfile = "FROM busybox\nRUN --mount=type=secret,id=npm cp /run/secrets/npm /copied\n"
    image = f"{registry.name}/{namespace}/late:1"
    builds.create(build({"Dockerfile": dockerfile}, image, buildSecrets=[{"id": "npm", **refer(kind, "late")}]))
    body = wait_for_build(api, namespace, "hello", lambda build: (build.get("status") or {}).get("reason"), timeout=60)
    assert body["status"]["reason"] == reason
    assert words in body["status"]["message"]
    give(kubectl, namespace, "secret generic" if kind == "secret" else "configmap", "late", "here")
    assert wait_for_finish(api, namespace, "hello")["phase"] == "Succeeded"
    assert registry.files(image)["/copied"].content == b"here"


def test_a_required_secret_that_the_spec_does_not_have_is_refused_before_the_first_step(
    builds: Builds, api: client.ApiClient, namespace: str, registry: Registry, kubectl: Kubectl
):
    dockerfile = "FROM busybox\nRUN echo ran\nRUN --mount=type=secret,id=npm,required cat /run/secrets/npm\n"
    builds.create(build({"Dockerfile": dockerfile}, f"{registry.name}/{namespace}/refused:1"))
    status = wait_for_finish(api, namespace, "hello")
    assert status["phase"] == "Failed", status
    assert "npm" in status["message"]
    assert "buildSecrets" in status["message"]
    assert status["failure"]["dockerfileLine"] == 3
    assert "\nran" not in kubectl("-n", namespace, "logs", status["podName"], "-c", "build")


@pytest.fixture
def volume(node_folder: Path, api: client.ApiClient, namespace: str) -> Iterator[str]:
    """The name of a volume that a claim of the namespace may bind to."""
    (node_folder / "volume").mkdir()
    make_volume(api, namespace, (namespace, "caches"), node_folder / "volume", "ReadWriteOnce", "1Mi")
    yield namespace
    client.CoreV1Api(api).delete_persistent_volume(namespace)


def claim(api: client.ApiClient, namespace: str, volume: str) -> None:
    core: Any = client.CoreV1Api(api)
    spec = {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "",
        "volumeName": volume,
        "resources": {"requests": {"storage": "1Mi"}},
    }
    core.create_namespaced_persistent_volume_claim(namespace, {"metadata": {"name": "caches"}, "spec": spec})


def test_a_cache_lasts_in_its_volume_from_build_to_build(
    builds: Builds, api: client.ApiClient, namespace: str, registry: Registry, volume: str
):
    dockerfile = (
        "FROM busybox\n"
        "RUN --mount=type=cache,target=/var/cache/app echo $BUILD >> /var/cache/app/builds && "
        "cp /var/cache/app/builds /seen\n"
    )
    mounts = {"persistentVolumeClaim": {"claimName": "caches"}}

    def spec(name: str, **cache: object) -> Json:
        files = {"Dockerfile": dockerfile.replace("$BUILD", name)}
        return build(files, f"{registry.name}/{namespace}/{name}:1", **({"cache": cache} if cache else {}))

    builds.create(spec("first", mounts=mounts), name="first")
    body = wait_for_build(api, namespace, "first", lambda build: (build.get("status") or {}).get("reason"), timeout=60)
    assert body["status"]["reason"] == "Unschedulable"
    assert 'persistentvolumeclaim "caches" not found' in body["status"]["message"]
    claim(api, namespace, volume)
    expected = {"first": "first\n", "second": "first\nsecond\n", "alone": "alone\n"}
    builds.create(spec("alone"), name="alone")
    for name, seen in expected.items():
        if name == "second":
            builds.create(spec(name, mounts=mounts), name=name)
        status = wait_for_finish(api, namespace, name)
        assert status["phase"] == "Succeeded", status
        assert not status.get("warnings"), status
        made = registry.files(f"{registry.name}/{namespace}/{name}:1")
        assert made["/seen"].content.decode() == seen
        assert "/var/cache/app/builds" not in made


def test_builds_share_a_claim_at_the_same_time(
    builds: Builds, api: client.ApiClient, namespace: str, registry: Registry, volume: str
):
    claim(api, namespace, volume)
    # Each waits until the other has said in the cache that it is there.
    dockerfile = (
        "FROM busybox\nRUN --mount=type=cache,target=/shared touch /shared/ME && "
        "while [ ! -e /shared/OTHER ]; do sleep 0.1; done\n"
    )
    names = {"one": "two", "two": "one"}
    for name, other in names.items():
        files = {"Dockerfile": dockerfile.replace("ME", name).replace("OTHER", other)}
        image = f"{registry.name}/{namespace}/{name}:1"
        mounts = {"persistentVolumeClaim": {"claimName": "caches"}}
        builds.create(build(files, image, cache={"mounts": mounts}), name=name)
    for name in names:
        status = wait_for_finish(api, namespace, name)
        assert status["phase"] == "Succeeded", status
