"""A build in a cluster behind a proxy: hosts that only the proxy can resolve, and a password that only it knows."""

import json
from pathlib import Path
from typing import Any

import pytest
from functional.kube import Builds, Defaults, Kubectl
from kubernetes import client
from support.file_server import serve_files
from support.forward_proxy import serve_proxy
from support.git_server import make_repository, serve_git
from support.https import Https
from support.registry import Registry
from support.watching import wait_for_finish

Json = dict[str, Any]
PASSWORD = "pa$$ @word"
HOSTS = ("git.corp.example:443", "registry.corp.example:5000", "files.corp.example:80")
DOCKERFILE = """\
FROM registry.corp.example:5000/library/busybox
RUN wget -qO /text http://files.corp.example/text
RUN env | grep -i proxy
"""


def address_of(url: str) -> tuple[str, int]:
    host, _, port = url.rpartition("/")[2].rpartition(":")
    return host, int(port)


def test_everything_that_a_build_reaches_is_reached_through_the_proxy_of_its_namespace(
    builds: Builds,
    api: client.ApiClient,
    kubectl: Kubectl,
    host_address: str,
    namespace: str,
    registry: Registry,
    hub: Registry,
    tmp_path: Path,
):
    if hub.name != registry.name:
        pytest.skip("HUB_MIRROR is not REGISTRY: a host name of the proxy leads to both")
    (tmp_path / "ca").mkdir()
    https = Https.make(tmp_path / "ca", "git.corp.example")
    make_repository(tmp_path / "served/app.git", {"Dockerfile": DOCKERFILE.encode()})
    kubectl("-n", namespace, "create", "configmap", "trust", f"--from-file=ca.crt={https.authority}")
    with (
        serve_git(tmp_path / "served", https=https, address=host_address) as git_url,
        serve_files(host_address) as files,
        serve_proxy(
            dict(zip(HOSTS, map(address_of, (git_url, registry.address, files.url)), strict=True)),
            "me",
            PASSWORD,
            host_address,
        ) as proxy,
    ):
        files.files["/text"] = b"fetched by RUN\n"
        literals = {"HTTP_PROXY": proxy.url, "HTTPS_PROXY": proxy.url, "NO_PROXY": ".svc"}
        kubectl(
            "-n", namespace, "create", "secret", "generic", "proxy",
            *(f"--from-literal={name}={value}" for name, value in literals.items()),
        )  # fmt: skip
        Defaults(client.CustomObjectsApi(api), namespace).create(
            {
                "proxy": {"secretRef": {"name": "proxy"}},
                "registries": [{"host": "registry.corp.example:5000", "plainHTTP": True}],
            }
        )
        git = {"url": "https://git.corp.example/app.git", "revision": "main"}
        bundle = {"configMapKeyRef": {"name": "trust", "key": "ca.crt"}}
        builds.create(
            {
                "source": {"git": {**git, "caBundle": bundle}},
                "output": {"images": [f"registry.corp.example:5000/{namespace}/app:1"]},
                "cache": {"enabled": True},
            }
        )
        status = wait_for_finish(api, namespace, "hello")
        assert status["phase"] == "Succeeded", status
        assert {host for _, host in proxy.asked} == set(HOSTS)
        assert ("CONNECT", "git.corp.example:443") in proxy.asked
    image = f"{registry.name}/{namespace}/app:1"
    assert status["digest"] == registry.digest(image)
    assert registry.files(image)["/text"].content == b"fetched by RUN\n"
    # RUN steps had the proxy; neither the image nor the status has it.
    assert "proxy" not in json.dumps(registry.config(image)).lower().replace("grep -i proxy", "")
    assert "word" not in json.dumps(status)
