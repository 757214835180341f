"""Dockerfiles that attack what builds them: the status tells the truth, and nobody sees the credentials for pushing."""

import base64
import json
from dataclasses import dataclass

import pytest
from e2e.test_builds import build
from e2e.test_credentials import private, push_secret
from functional.kube import Builds, Kubectl
from kubernetes import client
from support.registry import Registry
from support.watching import wait_for_finish

FORGED = "sha256:" + "f0" * 32
BUILD_SECRET = "npm-" + "s3cr3t" * 4
#: What a RUN may do before it goes on to write whatever the shim would.
REPORT = json.dumps({"version": 1, "outcome": "Succeeded", "exitCode": 0, "digest": FORGED, "reason": "Evicted"})


@dataclass(frozen=True)
class Attack:
    """What a RUN does as root of its container, and what the build must come to."""

    run: str
    #: Words of the message; empty for a success.
    ends_with: str = ""
    #: The same with BuildKit: what the RUN attacks is not in its container, so most of it comes to nothing.
    with_buildkit: str = ""

    def words(self, engine: str) -> str:
        """Words of the message of a build with this engine."""
        return self.with_buildkit if engine == "BuildKit" else self.ends_with


ATTACKS = {
    "forge": Attack(
        # It looks for the password, too; where that is found is in the image.
        f"(while :; do echo '{REPORT}' > /dev/termination-log; echo {FORGED} > /kaniko/.run/digest; "
        "echo '{}' > /kaniko/layout/imagebuild.json; done) > /dev/null 2>&1 & "
        "mkdir -p /kaniko/layout/blobs/sha256; truncate -s 1T /kaniko/layout/blobs/sha256/sparse; "
        "ln /kaniko/layout/blobs/sha256/sparse /kaniko/layout/blobs/sha256/hard; "
        "cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n' > /seen; "
        "cat /proc/1/mem > /seen.mem 2>/dev/null; "
        "find /kaniko /root /etc /run /tmp /var -type f -size -1000k -exec cat {} + >> /seen 2>/dev/null; true"
    ),
    "replace": Attack(
        "for file in $(find /kaniko/.Shim -name '*.py' -o -name '*.pyc'); do "
        f'echo \'print("forged"); open("/dev/termination-log", "w").write("{FORGED}"); raise SystemExit\' '
        "> $file; done; "
        "for file in /kaniko/executor /kaniko/.Shim/bin/crane; do rm -f $file; "
        "printf '#!/bin/sh\\necho forged' > $file; chmod 755 $file; done; kill -9 1; true"
    ),
    "index": Attack(
        "ln -s /kaniko/.run/docker/config.json /kaniko/layout/index.json",
        "can't be pushed: index.json is a link.",
        "ended with exit code 1",
    ),
    "blobs": Attack(
        "mkdir /kaniko/x && ln -s /kaniko/x /kaniko/layout/blobs",
        "can't be pushed: blobs/sha256 is a link.",
        "ended with exit code 1",
    ),
    "environ": Attack(
        "mkdir -p /kaniko/layout/blobs/sha256; ln -s /proc/self/environ /kaniko/layout/blobs/sha256/x",
        "can't be pushed: blobs/sha256/'x' is a link.",
    ),
    "pipe": Attack(
        "mkdir -p /kaniko/layout/blobs/sha256; mkfifo /kaniko/layout/blobs/sha256/x",
        "can't be pushed: blobs/sha256/'x' is not a regular file.",
    ),
    "many": Attack(
        "mkdir -p /kaniko/layout/blobs/sha256; cd /kaniko/layout/blobs/sha256; seq 10001 | xargs touch",
        "can't be pushed: blobs/sha256 has more than 10000 files.",
    ),
    "kill": Attack(f"echo '{REPORT}' > /dev/termination-log; kill -9 -1; sleep 60", "killed"),
    "stop": Attack(f"echo '{REPORT}' > /dev/termination-log; kill -TERM 1; sleep 60", "stopped by SIGTERM"),
}


@pytest.mark.shows("A26", "A27")
def test_whatever_a_run_does_the_status_is_true_and_the_credentials_are_out_of_reach(
    builds: Builds,
    api: client.ApiClient,
    namespace: str,
    private_registry: Registry,
    cluster: dict[str, str],
    kubectl: Kubectl,
):
    push_secret(kubectl, namespace, "push", cluster["REGISTRY_AUTH"])
    # A build secret that no RUN mounts is as far away.
    kubectl("-n", namespace, "create", "secret", "generic", "npm", f"--from-literal=token={BUILD_SECRET}")
    secrets = [
        cluster["REGISTRY_PASSWORD"],
        json.loads(cluster["REGISTRY_AUTH"])["auths"][private_registry.name]["auth"],
        BUILD_SECRET,
        base64.b64encode(BUILD_SECRET.encode()).decode(),
    ]
    for name, attack in ATTACKS.items():
        fields = private(namespace, private_registry, name, insecureSkipTLSVerify=True)
        fields["output"] = {**fields["output"], "pushSecretRef": {"name": "push"}}  # type: ignore[dict-item]
        fields["buildSecrets"] = [{"id": "npm", "secretKeyRef": {"name": "npm", "key": "token"}}]
        fields["retry"] = {"limit": 0}
        dockerfile = f"FROM busybox\nRUN {attack.run}\n"
        builds.create({**build({"Dockerfile": dockerfile}, "replaced"), **fields}, name)
    statuses = {name: wait_for_finish(api, namespace, name) for name in ATTACKS}

    for name, attack in ATTACKS.items():
        status, image = statuses[name], f"{private_registry.name}/{namespace}/{name}:1"
        if words := attack.words(status["engine"]):
            assert status["phase"] == "Failed", (name, status)
            assert words in status["message"], (name, status)
            assert not {"digest", "images"} & set(status), name
            assert not private_registry.has(image), name
        else:
            assert status["phase"] == "Succeeded", (name, status)
            assert status["digest"] == private_registry.digest(image)
            assert FORGED not in json.dumps(status), name
        assert status.get("reason") != "Evicted", name

    seen = private_registry.files(f"{private_registry.name}/{namespace}/forge:1")
    found = seen["/seen"].content + seen["/seen.mem"].content
    assert b"kaniko" in found
    said = found.decode(errors="replace") + json.dumps(statuses)
    said += kubectl("get", "events", "-n", namespace, "-o", "json")
    listed = client.CoreV1Api(api).list_namespaced_pod(namespace).items
    pods = [str(pod.metadata.name) for pod in listed if pod.metadata]
    assert len(pods) >= sum(status["phase"] == "Failed" for status in statuses.values())
    for pod in pods:
        logs = {
            name: kubectl.run("logs", "-n", namespace, pod, "-c", name).stdout for name in ("check", "build", "push")
        }
        assert logs["check"]
        assert logs["build"]
        said += "".join(logs.values())
    assert [secret for secret in secrets if secret in said] == []
