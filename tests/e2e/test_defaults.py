"""What a namespace gives its builds, with a real registry and its password."""

import pytest
from e2e.test_builds import build
from e2e.test_credentials import push_secret
from functional.kube import Builds, Defaults, Kubectl
from kubernetes import client
from support.registry import Registry
from support.watching import wait_for_finish

SMALL = {"Dockerfile": "FROM busybox\nRUN echo built > /built\n"}


def test_a_build_of_a_few_lines_has_the_rest_from_its_namespace(
    builds: Builds,
    api: client.ApiClient,
    namespace: str,
    registry: Registry,
    private_registry: Registry,
    cluster: dict[str, str],
    kubectl: Kubectl,
):
    push_secret(kubectl, namespace, "push", cluster["REGISTRY_AUTH"])
    Defaults(client.CustomObjectsApi(api), namespace).create(
        {
            "pushSecretRef": {"name": "push"},
            "registries": [{"host": private_registry.name, "insecureSkipTLSVerify": True}],
            "cache": {"enabled": True, "repo": f"{registry.name}/{namespace}/cache"},
            "podTemplate": {"metadata": {"labels": {"team": "web"}}},
        }
    )
    image = f"{private_registry.name}/{namespace}/short:1"
    builds.create(build(SMALL, image))
    status = wait_for_finish(api, namespace, "hello")
    assert status["phase"] == "Succeeded", status
    assert status["digest"] == private_registry.digest(image)
    assert private_registry.files(image)["/built"].content == b"built\n"
    assert status["cache"]["misses"] == 1
    assert set(status["appliedDefaults"]["spec"]) == {"output", "registries", "cache", "podTemplate"}


@pytest.mark.shows("A62")
@pytest.mark.parametrize("engine", ["BuildKit", "Kaniko"])
def test_a_base_image_that_is_not_allowed_fails_with_the_line_that_names_it(
    builds: Builds, api: client.ApiClient, namespace: str, registry: Registry, engine: str
):
    Defaults(client.CustomObjectsApi(api), namespace).create(
        {"engine": engine, "limits": {"baseImages": [f"{registry.name}/approved"]}}
    )
    dockerfile = "FROM scratch AS one\n\nFROM docker.io/library/busybox\nRUN true\n"
    builds.create(build({"Dockerfile": dockerfile}, f"{registry.name}/{namespace}/denied:1"))
    status = wait_for_finish(api, namespace, "hello")
    failure = status["failure"]
    assert (failure["reason"], failure["dockerfileLine"]) == ("InvalidSpec", 3), status
    image = "docker.io/library/busybox:latest"
    assert failure["message"] == f"The base image {image} is not allowed here: use one of {registry.name}/approved."
    assert "limits.baseImages" in failure["hint"]
    assert len(status["attempts"]) == 1
