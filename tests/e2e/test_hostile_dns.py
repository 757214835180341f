"""A Dockerfile that makes the pod ask a DNS server of its author: push goes to the real registry all the same."""

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from e2e.test_bare_pod import builder_image
from e2e.test_builds import build
from e2e.test_credentials import SMALL, push_secret
from functional.kube import Builds, Kubectl
from kubernetes import client
from support.https import Https
from support.registry import Registry
from support.waiting import until
from support.watching import wait_for_finish

PASSWORD_OF_PLAIN = "pl41n-p4ssw0rd"
SHARED = "/etc/resolv.conf /etc/hosts /etc/hostname /dev/shm/left"
POISON = f"for file in {SHARED}; do echo 'nameserver ADDRESS' > $file; done; echo 'ADDRESS NAME' >> /etc/hosts; true"


@dataclass(frozen=True)
class Case:
    """A registry, how it is reached, and the Dockerfile that poisons the pod."""

    registry: str
    options: dict[str, Any]
    dockerfile: str


CASES = {
    "plain": Case("plain", {"plainHTTP": True}, f"FROM busybox\nRUN {POISON}\n"),
    "plain-copied": Case("plain", {"plainHTTP": True}, "FROM busybox\nCOPY resolv.conf /etc/resolv.conf\n"),
    "skipped": Case("private", {"insecureSkipTLSVerify": True}, f"FROM busybox\nRUN {POISON}\n"),
    "verified": Case("private", {"caBundle": None}, f"FROM busybox\nRUN {POISON}\n"),
    "local": Case("private-local", {"caBundle": None}, f"FROM busybox\nRUN {POISON}\n"),
    "local-skipped": Case("private-local", {"insecureSkipTLSVerify": True}, "FROM TRIGGER\n"),
    "dns-of-its-own": Case("plain", {"plainHTTP": True}, f"FROM busybox\nRUN {POISON}\n"),
}


@pytest.mark.shows("A46")
def test_push_resolves_names_as_before_the_build(
    builds: Builds,
    api: client.ApiClient,
    namespace: str,
    registry: Registry,
    private_registry: Registry,
    cluster: dict[str, str],
    kubectl: Kubectl,
    tmp_path: Path,
):
    hosts = {
        "plain": registry.host,
        "private": private_registry.host,
        "private-local": private_registry.host.replace(".svc:", ".svc.cluster.local:"),
    }
    address = hostile_pod(api, namespace, kubectl, tmp_path, {host.rpartition(":")[2] for host in hosts.values()})
    logins = json.loads(cluster["REGISTRY_AUTH"])["auths"][private_registry.name]["auth"]
    plain = base64.b64encode(f"me:{PASSWORD_OF_PLAIN}".encode()).decode()
    auths = {hosts["plain"]: {"auth": plain}, **{hosts[each]: {"auth": logins} for each in hosts if each != "plain"}}
    push_secret(kubectl, namespace, "push", json.dumps({"auths": auths}))
    kubectl("create", "configmap", "trust", "-n", namespace, f"--from-file=ca.crt={cluster['REGISTRY_CA']}")
    trigger = f"{registry.name}/{namespace}/trigger:1"
    builds.create(
        build({"Dockerfile": f"FROM busybox\nONBUILD RUN {POISON}\n".replace("ADDRESS", address)}, trigger), "t"
    )
    assert wait_for_finish(api, namespace, "t")["phase"] == "Succeeded"

    for name, case in CASES.items():
        host = hosts[case.registry]
        options = {**case.options}
        if "caBundle" in options:
            options["caBundle"] = {"configMapKeyRef": {"name": "trust", "key": "ca.crt"}}
        dockerfile = case.dockerfile.replace("ADDRESS", address).replace("TRIGGER", trigger)
        files = {
            "Dockerfile": dockerfile.replace("NAME", host.partition(":")[0]),
            "resolv.conf": f"nameserver {address}\n",
        }
        spec = build(files, f"{host}/{namespace}/{name}:1", registries=[{"host": host, **options}], retry={"limit": 0})
        spec["output"]["pushSecretRef"] = {"name": "push"}
        if name == "dns-of-its-own":
            config = {"searches": ["svc.cluster.local"], "options": [{"name": "ndots", "value": "3"}]}
            spec["podTemplate"] = {"spec": {"dnsConfig": config}}
        builds.create(spec, name)
    statuses = {name: wait_for_finish(api, namespace, name) for name in CASES}

    for name, case in CASES.items():
        real = registry if case.registry == "plain" else private_registry
        assert statuses[name]["phase"] == "Succeeded", (name, statuses[name])
        assert statuses[name]["digest"] == real.digest(f"{real.name}/{namespace}/{name}:1"), name
    said = kubectl("-n", namespace, "logs", "hostile")
    assert [line for line in said.splitlines() if line.startswith("SAW")] == []


def hostile_pod(api: client.ApiClient, namespace: str, kubectl: Kubectl, folder: Path, ports: set[str]) -> str:
    """Start the hostile pod; returns its address."""
    certificate = Https.make(folder, "attacker.example")
    program = Path(__file__).with_name("hostile_network.py")
    kubectl(
        "-n", namespace, "create", "configmap", "hostile",
        *(f"--from-file={path}" for path in (program, certificate.certificate, certificate.key)),
    )  # fmt: skip
    command = "exec /kaniko/.Shim/bin/python3 /x/hostile_network.py"
    pod: Any = {
        "metadata": {"name": "hostile"},
        "spec": {
            "containers": [
                {
                    "name": "hostile",
                    "image": builder_image(kubectl),
                    "command": [*command.split()[1:], "$(IP)", "/x/server.crt", "/x/server.key", *sorted(ports)],
                    "env": [{"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}],
                    "volumeMounts": [{"name": "x", "mountPath": "/x"}],
                }
            ],
            "volumes": [{"name": "x", "configMap": {"name": "hostile"}}],
        },
    }
    core = client.CoreV1Api(api)
    core.create_namespaced_pod(namespace, pod)
    until(lambda: "READY" in kubectl.run("-n", namespace, "logs", "hostile").stdout, 60)
    found = core.read_namespaced_pod("hostile", namespace).status
    assert found
    return str(found.pod_ip)


def test_a_registry_that_is_not_listed_is_never_reached_by_plain_http(
    builds: Builds, api: client.ApiClient, namespace: str, registry: Registry, cluster: dict[str, str]
):
    """Its address is private, for which the library of crane and the executor would try plain HTTP on its own."""
    address = cluster["REGISTRY_ADDRESS"]
    base = f"{address}/{namespace}/base:1"
    builds.create(build(SMALL, f"{registry.name}/{namespace}/base:1"), "base")
    assert wait_for_finish(api, namespace, "base")["phase"] == "Succeeded"
    builds.create(build(SMALL, f"{address}/{namespace}/app:1", retry={"limit": 0}), "push")
    builds.create(build({"Dockerfile": f"FROM {base}\n"}, "unused.example/app", retry={"limit": 0}), "pull")
    for name in ("push", "pull"):
        status = wait_for_finish(api, namespace, name)
        assert (status["phase"], status["reason"]) == ("Failed", "RegistryTLS"), (name, status)
        assert f"{address} uses plain HTTP" in status["message"]
    assert not registry.has(f"{registry.name}/{namespace}/app:1")
