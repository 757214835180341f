"""A push to a Git server that is built at once, since the server says so: the receiver is installed by the chart."""

import hashlib
import hmac
import http.client
import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from e2e.test_release import LABEL, helm
from e2e.test_tracked import Tracked
from environment import ROOT
from functional.kube import Kubectl
from install import CHART, NAMESPACE, RELEASE
from kubernetes import client
from support.git_server import git, make_repository, serve_git
from support.registry import Registry

SECRET = "correct horse battery staple"


@pytest.fixture
def system(cluster: dict[str, str], kubectl: Kubectl, namespace: str) -> Iterator[str]:
    """The namespace of a release that receives webhooks."""
    made = f"{namespace}-hooks"
    kubectl("create", "namespace", made)
    kubectl("-n", made, "create", "secret", "generic", "webhook", f"--from-literal=secret={SECRET}")
    shown = helm(cluster, "get", "values", RELEASE, f"--namespace={NAMESPACE}", "--output=yaml")
    values: dict[str, Any] = {
        **yaml.safe_load(shown),
        "watchNamespaces": [namespace],
        "buildSelector": f"{LABEL}=hooks",
        "crds": {"enabled": False},
        "webhook": {"enabled": True, "secretName": "webhook"},
    }
    options = [f"--namespace={made}", "--values=-", "--wait", "--timeout=120s"]
    helm(cluster, "install", "hooks", str(ROOT / CHART), *options, stdin=yaml.safe_dump(values))
    yield made
    helm(cluster, "uninstall", "hooks", f"--namespace={made}", "--wait")
    kubectl("delete", "namespace", made, "--wait=false")


@contextmanager
def forwarded(kubectl: Kubectl, system: str) -> Iterator[int]:
    """The port of this machine that leads to the receiver, as an Ingress would."""
    command = [str(kubectl.program), f"--kubeconfig={kubectl.kubeconfig}", "-n", system, "port-forward"]
    service = "service/hooks-imagebuild-operator-webhook"
    with subprocess.Popen([*command, service, ":8080"], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            found = re.search(r"127\.0\.0\.1:(\d+)", process.stdout.readline())
            assert found
            yield int(found[1])
        finally:
            process.terminate()


def send(port: int, url: str, secret: str = SECRET) -> int:
    """Send what GitHub would; the status of the answer."""
    body = json.dumps({"ref": "refs/heads/main", "repository": {"clone_url": url}}).encode()
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    headers = {"X-Hub-Signature-256": f"sha256={signature}", "Content-Type": "application/json"}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("POST", "/", body, headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


def test_a_push_is_built_at_once(
    system: str,
    registry: Registry,
    api: client.ApiClient,
    kubectl: Kubectl,
    namespace: str,
    host_address: str,
    tmp_path: Path,
):
    tracked = Tracked(client.CustomObjectsApi(api), namespace, registry)
    repository = tmp_path / "git" / "web.git"
    make_repository(repository, {"Dockerfile": b"FROM scratch\nCOPY text /\n", "text": b"one"})
    with serve_git(tmp_path / "git", address=host_address) as url, forwarded(kubectl, system) as port:
        git_source = {"source": {"git": {"url": f"{url}/web.git", "revision": "main"}}}
        # Without the webhook, the next look would be in an hour.
        tracked.create(git_source, triggers={"source": {"interval": "1h"}}, labels={LABEL: "hooks"})
        tracked.wait_for_build(1)
        (repository / "text").write_bytes(b"two")
        git(repository, "commit", "--quiet", "--all", "--message=second")
        second = git(repository, "rev-parse", "HEAD")
        assert send(port, f"{url}/web.git", "guessed") == 401
        assert send(port, f"{url}/web.git") == 200
        status = tracked.wait_for_build(2)
        assert (status["inputs"]["commit"], status["latestBuild"]["reasons"]) == (second, ["Source"])
        said = kubectl("-n", system, "logs", "deployment/hooks-imagebuild-operator-webhook")
        assert "refused a webhook without the secret" in said
        assert "a webhook named 1 repositories" in said
        assert SECRET not in said
