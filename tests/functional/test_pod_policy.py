"""What the operator's ServiceAccount can create where the chart's policy is in force: build pods, and no other."""

import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
from functional.kube import Helm, Kubectl
from imagebuild_operator.api.parse import parse_spec
from imagebuild_operator.api.tracked import TrackedImage
from imagebuild_operator.pod.index import index_pod
from imagebuild_operator.pod.manifest import build_pod
from imagebuild_operator.pod.tracked import Watched, watcher_pod
from imagebuild_operator.settings import SignerSettings
from support.builds import DIGEST, SETTINGS, a_build
from support.waiting import until

Json = dict[str, Any]
GIT = {"url": "https://git.example/app", "secretRef": {"name": "git"}}
OUTPUT = {"images": ["registry.example/app:1"], "pushSecretRef": {"name": "push"}}
TOKEN = {"name": "t", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}}
FOR_A_CLOUD = {"serviceAccountToken": {"path": "token", "audience": "sts.amazonaws.com"}}


def change(**fields: object) -> Callable[[Json], None]:
    return lambda pod: pod["spec"].update(fields)


def container(**fields: object) -> Callable[[Json], None]:
    return lambda pod: pod["spec"]["containers"][0].update(fields)


def volume(**source: object) -> Callable[[Json], None]:
    return lambda pod: pod["spec"]["volumes"].append({"name": "more", **source})


#: What somebody with the operator's token might create, and what the API server says.
FORGERIES: dict[str, tuple[Callable[[Json], None], str]] = {
    "another image": (container(image="evil.example/x:1"), "runs its builder image only"),
    "a name that begins alike": (container(image="registry.example/builder-x:1"), "runs its builder image only"),
    "a command": (container(command=["/bin/sh"]), "runs the commands of its builder image only"),
    "a shell": (container(args=["sh", "-c", "id"]), "runs the commands of its builder image only"),
    "all variables of a Secret": (container(envFrom=[{"secretRef": {"name": "s"}}]), "runs the commands of"),
    "a privileged container": (container(securityContext={"privileged": True}), "no more capabilities"),
    "another capability": (
        container(securityContext={"capabilities": {"drop": ["ALL"], "add": ["SYS_ADMIN"]}}),
        "no more capabilities",
    ),
    "all capabilities": (container(securityContext={}), "no more capabilities"),
    "a path of the node": (volume(hostPath={"path": "/"}), "mount no Secret"),
    "a Secret": (volume(secret={"secretName": "s"}), "mount no Secret"),
    "a token for the API server": (lambda pod: pod["spec"]["volumes"].append(TOKEN), "mount no Secret"),
    "the ServiceAccount's token": (change(automountServiceAccountToken=True), "have no token"),
    "the node's network": (change(hostNetwork=True), "share no namespace"),
    "the node's processes": (change(hostPID=True), "share no namespace"),
    "no owner": (lambda pod: pod["metadata"].pop("ownerReferences"), "creates pods of ImageBuilds, and watchers"),
}


SIGNED = replace(SETTINGS.defaults, signer=SignerSettings("https://signer.system.svc:8443", "PEM"))
WATCHED = Watched(
    TrackedImage.of(
        {
            "metadata": {
                "namespace": "any",
                "name": "web",
                "uid": "uid-1",
                "resourceVersion": "1",
                "creationTimestamp": "2026-12-01T00:00:00Z",
            },
            "spec": {"template": {"spec": {"source": {"git": GIT}}}, "triggers": {"source": {}}},
        }
    ),
    parse_spec({"source": {"git": GIT}, "output": OUTPUT}),
    (),
)


@pytest.mark.shows("A52")
def test_the_operator_can_create_build_pods_only(helm: Helm, kubectl: Kubectl, namespace: str):
    helm(
        "install",
        "--set=crds.enabled=false",
        f"--set=watchNamespaces={{{namespace}}}",
        "--set=builder.image.registry=registry.example",
        "--set=builder.image.repository=builder",
    )
    account = kubectl(
        "-n", namespace, "get", "deployment", "-o", "jsonpath={.items[0].spec.template.spec.serviceAccountName}"
    )
    caller = f"--as=system:serviceaccount:{namespace}:{account}"

    def refusal(pod: Json) -> str:
        """What the API server says to a pod of the operator's; empty if it takes it."""
        body = json.dumps({**pod, "metadata": {**pod["metadata"], "namespace": namespace}})
        done = kubectl.run("create", "--dry-run=server", caller, "-f", "-", stdin=body)
        return done.stderr if done.returncode else ""

    build = a_build(
        {
            "output": {**OUTPUT},
            "source": {"upload": {}},
            "cache": {"mounts": {"persistentVolumeClaim": {"claimName": "c"}}},
        }
    )
    platforms = [{"platform": each, "digest": DIGEST} for each in ("linux/amd64", "linux/arm64")]
    index = a_build({"output": {**OUTPUT, "platforms": ["linux/amd64", "linux/arm64"]}}, {"platforms": platforms})
    services = {f"{name}URL": f"https://{name}.example.com" for name in ("fulcio", "rekor", "timestamp")}
    ways: list[Json] = [{"cluster": {}}, {"keyless": services}]
    signed = [a_build({"output": {**OUTPUT, "signing": way}}) for way in ways]
    scanned = a_build({"limits": {"vulnerabilities": {"scanner": "r.example/trivy:1", "database": "r.example/db:1"}}})
    own = [
        build_pod(build, parse_spec(build.spec), SETTINGS.defaults),
        build_pod(scanned, parse_spec(scanned.spec), SETTINGS.defaults),
        index_pod(index, parse_spec(index.spec), SETTINGS.defaults, 60),
        watcher_pod("any", 0, [WATCHED], SETTINGS.defaults),
        watcher_pod("any", 1, [WATCHED], SETTINGS.defaults),
        *(build_pod(each, parse_spec(each.spec), SIGNED) for each in signed),
    ]
    # A policy takes a moment to be in force.
    until(lambda: "creates pods of ImageBuilds, and watchers" in refusal(forged(own[0], FORGERIES["no owner"][0])))
    for pod in own:
        assert refusal(pod) == ""
        # What webhooks of clouds add.
        with_identity = forged(pod, volume(projected={"sources": [FOR_A_CLOUD]}))
        assert refusal(forged(with_identity, change(serviceAccountName="default"))) == ""
        for name, (forge, answer) in FORGERIES.items():
            assert answer in refusal(forged(pod, forge)), name
    # Of everybody else it says nothing.
    other = {**forged(own[0], FORGERIES["no owner"][0])}
    done = kubectl.run(
        "create", "--dry-run=server", "-n", namespace, "-f", "-", stdin=json.dumps(placed(other, namespace))
    )
    assert done.returncode == 0, done.stderr


def forged(pod: Json, forge: Callable[[Json], object]) -> Json:
    changed = deepcopy(pod)
    # Without one, a projected token is refused by another rule of Kubernetes.
    changed["spec"]["serviceAccountName"] = "default"
    forge(changed)
    return changed


def placed(pod: Json, namespace: str) -> Json:
    return {**pod, "metadata": {**pod["metadata"], "namespace": namespace}}
