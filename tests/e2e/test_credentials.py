"""Credentials: given by reference, kept from RUN, and named in the message when they are missing."""

import base64
import json

import pytest
from e2e.test_builds import build
from functional.kube import Builds, Kubectl
from kubernetes import client
from support.registry import Registry
from support.watching import wait_for_build, wait_for_finish

SMALL = {"Dockerfile": "FROM scratch\nCOPY Dockerfile /\n"}

#: Looks for a word in every file and every process that RUN can read; prints where it is found.
SEARCH = """\
FROM busybox
RUN mkdir /found
RUN for word in NEEDLES; do \\
      for file in /proc/[0-9]*/environ /proc/[0-9]*/cmdline; do \\
        tr '\\0' '\\n' < $file 2>/dev/null | grep -v 'for word in' | grep -qF "$word" \\
          && echo "$word $file" >> /found/list; \\
      done; \\
      find / \\( -path /proc -o -path /sys \\) -prune -o -type f -exec grep -lF "$word" {} + >> /found/list || true; \\
    done
"""


def push_secret(kubectl: Kubectl, namespace: str, name: str, docker_config: str) -> None:
    kubectl(
        "-n", namespace, "create", "secret", "generic", name,
        "--type=kubernetes.io/dockerconfigjson", f"--from-literal=.dockerconfigjson={docker_config}",
    )  # fmt: skip


def private(namespace: str, registry: Registry, name: str, **registry_options: object) -> dict[str, object]:
    """The output and registries of a build that pushes to the registry with a password."""
    return {
        "output": {"images": [f"{registry.name}/{namespace}/{name}:1"]},
        "registries": [{"host": registry.name, **registry_options}] if registry_options else [],
    }


@pytest.mark.shows("A26")
def test_a_push_with_a_password_and_a_run_that_looks_for_it(
    builds: Builds,
    api: client.ApiClient,
    namespace: str,
    private_registry: Registry,
    cluster: dict[str, str],
    kubectl: Kubectl,
):
    push_secret(kubectl, namespace, "push", cluster["REGISTRY_AUTH"])
    auth = json.loads(cluster["REGISTRY_AUTH"])["auths"][private_registry.name]["auth"]
    # Written in pieces, so that the search does not find itself.
    needles = [
        f"{value[:4]}''{value[4:]}"
        for value in (
            cluster["REGISTRY_PASSWORD"],
            auth,
            base64.b64encode(cluster["REGISTRY_AUTH"].encode()).decode()[:40],
        )
    ]
    # A ConfigMap has its CA: every container verifies the certificate.
    kubectl("create", "configmap", "trust", "-n", namespace, f"--from-file=ca.crt={cluster['REGISTRY_CA']}")
    fields = private(
        namespace, private_registry, "app", caBundle={"configMapKeyRef": {"name": "trust", "key": "ca.crt"}}
    )
    fields["output"] = {**fields["output"], "pushSecretRef": {"name": "push"}}  # type: ignore[dict-item]
    dockerfile = SEARCH.replace("NEEDLES", " ".join(needles))
    builds.create({**build({"Dockerfile": dockerfile}, "replaced"), **fields})
    status = wait_for_finish(api, namespace, "hello")
    assert status["phase"] == "Succeeded", status
    image = f"{private_registry.name}/{namespace}/app:1"
    assert status["digest"] == private_registry.digest(image)
    assert private_registry.files(image)["/found/list"].content == b""


@pytest.mark.shows("A41")
def test_a_docker_config_that_keeps_its_password_elsewhere_fails_before_the_build(
    builds: Builds, api: client.ApiClient, namespace: str, registry: Registry, kubectl: Kubectl
):
    # As Docker Desktop writes it.
    push_secret(kubectl, namespace, "push", json.dumps({"auths": {registry.host: {}}, "credsStore": "desktop"}))
    output = {"images": [f"{registry.name}/{namespace}/app:1"], "pushSecretRef": {"name": "push"}}
    builds.create({**build(SMALL, "replaced"), "output": output})
    status = wait_for_finish(api, namespace, "hello")
    assert (status["phase"], status["reason"]) == ("Failed", "InvalidSpec")
    assert f'"auths" has no password for {registry.host}: "credsStore" ("desktop") keeps it' in status["message"]
    assert "kubectl create secret docker-registry" in status["message"]
    # What the webhooks of clouds look for, on a pod that the API server took.
    pod = json.loads(kubectl("-n", namespace, "get", "pod", status["podName"], "-o", "json"))
    skipped = {name: value for name, value in pod["metadata"]["annotations"].items() if "skip-containers" in name}
    assert skipped == {
        "azure.workload.identity/skip-containers": "build",
        "eks.amazonaws.com/skip-containers": "build",
    }
    assert "build" in [container["name"] for container in pod["spec"]["initContainers"]]


def test_the_search_finds_what_a_run_can_see(builds: Builds, api: client.ApiClient, namespace: str, registry: Registry):
    """The other way round: what is not kept from RUN is found, so the test above would have found it."""
    dockerfile = SEARCH.replace("FROM busybox\n", "FROM busybox\nARG VISIBLE\n").replace("NEEDLES", "find''me")
    image = f"{registry.name}/{namespace}/app:1"
    builds.create(
        build({"Dockerfile": dockerfile, "file": "findme"}, image, buildArgs=[{"name": "VISIBLE", "value": "findme"}])
    )
    status = wait_for_finish(api, namespace, "hello")
    assert status["phase"] == "Succeeded"
    found = registry.files(image)["/found/list"].content.decode()
    assert "/environ" in found
    # With BuildKit, not even the context.
    assert ("/kaniko/buildcontext/file" in found) is (status["engine"] == "Kaniko")


def test_without_a_secret_the_message_says_which_to_add(
    builds: Builds, api: client.ApiClient, namespace: str, private_registry: Registry
):
    builds.create(
        {**build(SMALL, "replaced"), **private(namespace, private_registry, "app", insecureSkipTLSVerify=True)}
    )
    status = wait_for_finish(api, namespace, "hello")
    assert (status["phase"], status["reason"]) == ("Failed", "RegistryUnauthorized"), status
    assert "kubernetes.io/dockerconfigjson" in status["message"]
    assert private_registry.name in status["message"]
    assert "spec.output.pushSecretRef" in status["message"]


def test_an_unknown_ca_is_told_apart(builds: Builds, api: client.ApiClient, namespace: str, private_registry: Registry):
    builds.create({**build(SMALL, "replaced"), **private(namespace, private_registry, "app")})
    status = wait_for_finish(api, namespace, "hello")
    assert (status["phase"], status["reason"]) == ("Failed", "RegistryTLS"), status
    assert "insecureSkipTLSVerify" in status["message"]


@pytest.mark.parametrize("which", ["push", "pull"])
def test_a_secret_that_comes_late_is_waited_for(
    builds: Builds,
    api: client.ApiClient,
    namespace: str,
    private_registry: Registry,
    cluster: dict[str, str],
    kubectl: Kubectl,
    which: str,
):
    fields = private(namespace, private_registry, "late", insecureSkipTLSVerify=True)
    fields["output"] = {**fields["output"], "pushSecretRef": {"name": "push"}}  # type: ignore[dict-item]
    fields["pullSecretRefs"] = [{"name": "pull"}]
    push_secret(kubectl, namespace, "push" if which == "pull" else "pull", cluster["REGISTRY_AUTH"])
    builds.create({**build(SMALL, "replaced"), **fields})
    body = wait_for_build(api, namespace, "hello", lambda build: (build.get("status") or {}).get("reason"), timeout=60)
    assert body["status"]["reason"] == "SecretNotFound"
    assert f'secret "{which}" not found. Create the Secret' in body["status"]["message"]
    assert body["status"]["message"].endswith("; the build continues automatically.")
    push_secret(kubectl, namespace, which, cluster["REGISTRY_AUTH"])
    status = wait_for_finish(api, namespace, "hello")
    assert status["phase"] == "Succeeded", status
    assert "reason" not in status
