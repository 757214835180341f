"""The chart installed by Helm, as charts/imagebuild-operator/README.md says.

Rights are what the API server grants; nothing runs here.
"""

import json
import subprocess
from pathlib import Path

import pytest
from chart.helm import CHART
from cluster.artefacts import artefact
from functional.kube import Builds, Helm, Kubectl, spec
from kubernetes import client
from support.watching import wait_for_definitions

ALLOWED = [
    *(("imagebuild.dev", "imagebuilds", verb) for verb in ("get", "list", "watch", "delete")),
    ("imagebuild.dev", "imagebuilds/status", "patch"),
    *(("imagebuild.dev", "imagebuilddefaults", verb) for verb in ("get", "list", "watch")),
    ("imagebuild.dev", "imagebuilddefaults/status", "patch"),
    ("imagebuild.dev", "imagebuilds", "create"),
    *(("imagebuild.dev", "trackedimages", verb) for verb in ("get", "list", "watch")),
    ("imagebuild.dev", "trackedimages/status", "patch"),
    *(("", "pods", verb) for verb in ("get", "list", "watch", "create", "delete")),
    ("", "pods/log", "get"),
    *(("", "events", verb) for verb in ("list", "create")),
]
#: Only for an operator that watches all namespaces.
ALLOWED_FOR_ALL = [
    *(("imagebuild.dev", "clusterimagebuilddefaults", verb) for verb in ("get", "list", "watch")),
    ("imagebuild.dev", "clusterimagebuilddefaults/status", "patch"),
]
DENIED = [
    *(("", "secrets", verb) for verb in ("get", "list", "watch", "create", "delete")),
    *(("", "configmaps", verb) for verb in ("get", "list")),
    *(("", "pods", verb) for verb in ("patch", "update", "deletecollection")),
    *(("", f"pods/{part}", "create") for part in ("exec", "attach", "eviction", "ephemeralcontainers", "portforward")),
    *(("imagebuild.dev", "imagebuilds", verb) for verb in ("update", "patch")),
    *(("imagebuild.dev", "trackedimages", verb) for verb in ("create", "update", "patch", "delete")),
    *(
        ("imagebuild.dev", plural, verb)
        for plural in ("imagebuilddefaults", "clusterimagebuilddefaults")
        for verb in ("create", "update", "patch", "delete")
    ),
    ("imagebuild.dev", "imagebuilds/status", "get"),
    ("", "events", "patch"),
    ("", "serviceaccounts/token", "create"),
    ("", "namespaces", "list"),
    ("rbac.authorization.k8s.io", "roles", "create"),
    ("apiextensions.k8s.io", "customresourcedefinitions", "get"),
]


def allowed(
    api: client.ApiClient, account: str, namespace: str, right: tuple[str, str, str], of: str | None = None
) -> bool:
    group, resource, verb = right
    name, _, subresource = resource.partition("/")
    review = client.V1SubjectAccessReview(
        spec=client.V1SubjectAccessReviewSpec(
            user=account,
            resource_attributes=client.V1ResourceAttributes(
                namespace=namespace, group=group, resource=name, subresource=subresource, verb=verb, name=of
            ),
        )
    )
    answer = client.AuthorizationV1Api(api).create_subject_access_review(review)
    assert answer.status
    return bool(answer.status.allowed)


def account(namespace: str) -> str:
    return f"system:serviceaccount:{namespace}:{namespace}-imagebuild-operator"


def test_the_operator_may_do_its_work_and_no_more(helm: Helm, api: client.ApiClient, namespace: str) -> None:
    helm("install", "--set=crds.enabled=false")
    user = account(namespace)
    assert [right for right in (*ALLOWED, *ALLOWED_FOR_ALL) if not allowed(api, user, "default", right)] == []
    assert [right for right in DENIED if allowed(api, user, "default", right)] == []


def test_the_operator_may_hold_its_own_lease_only(helm: Helm, api: client.ApiClient, namespace: str) -> None:
    helm("install", "--set=crds.enabled=false")
    user, own = account(namespace), f"{namespace}-imagebuild-operator"
    lease = "coordination.k8s.io", "leases"
    assert allowed(api, user, namespace, (*lease, "create"))
    for verb in ("get", "patch"):
        assert allowed(api, user, namespace, (*lease, verb), own)
        assert not allowed(api, user, namespace, (*lease, verb), "another")
    for verb in ("get", "patch", "create"):
        assert not allowed(api, user, "default", (*lease, verb), own)


def test_a_list_of_namespaces_is_a_fence(helm: Helm, api: client.ApiClient, namespace: str) -> None:
    helm("install", "--set=crds.enabled=false", f"--set=watchNamespaces={{{namespace}}}")
    user = account(namespace)
    assert [right for right in ALLOWED if not allowed(api, user, namespace, right)] == []
    assert [right for right in (*ALLOWED, *DENIED) if allowed(api, user, "default", right)] == []
    assert [right for right in ALLOWED_FOR_ALL if allowed(api, user, namespace, right)] == []


def may(api: client.ApiClient, group: str, namespace: str, verb: str, resource: str = "imagebuilds") -> bool:
    """Whether the users of a group have a right."""
    attributes = client.V1ResourceAttributes(namespace=namespace, group="imagebuild.dev", resource=resource, verb=verb)
    review = client.V1SubjectAccessReview(
        spec=client.V1SubjectAccessReviewSpec(user="someone", groups=[group], resource_attributes=attributes)
    )
    answer = client.AuthorizationV1Api(api).create_subject_access_review(review)
    assert answer.status
    return bool(answer.status.allowed)


@pytest.mark.parametrize("aggregate", [True, False], ids=["ClusterRoles", "Roles"])
def test_users_of_a_watched_namespace(
    helm: Helm, api: client.ApiClient, namespace: str, kubectl: Kubectl, *, aggregate: bool
) -> None:
    """By ClusterRoles for the built-in roles, or by Roles to bind; no controller aggregates the former here."""
    helm("install", f"--set=crds.enabled=false,rbac.aggregate={json.dumps(aggregate)},watchNamespaces={{{namespace}}}")
    kind, name = "clusterrole" if aggregate else "role", f"{namespace}-imagebuild-operator-{namespace}"
    for role, group in (("edit", "editors"), ("view", "viewers")):
        kubectl("create", "rolebinding", group, f"--{kind}={name}-{role}", f"--group={group}", "-n", namespace)
    assert may(api, "editors", namespace, "create")
    assert may(api, "viewers", namespace, "get")
    assert not may(api, "viewers", namespace, "create")
    assert not may(api, "editors", namespace, "create", "imagebuilddefaults")
    assert not may(api, "editors", "default", "create")


def test_several_installations_share_the_definitions(helm: Helm, namespace: str) -> None:
    """Each in namespaces of its own, or with a selector of its own."""
    helm("install", "--set=crds.enabled=false", f"--set=watchNamespaces={{{namespace}}}")
    helm("upgrade", "--reset-values", "--set=crds.enabled=false", "--set-string=buildSelector=!team")
    helm("upgrade", "--reset-values", "--set=crds.enabled=false", "--set=global.imageRegistry=registry.example.com")


def test_helm_4_installs_and_upgrades_what_helm_3_has_installed(
    helm: Helm, namespace: str, kubeconfig: Path, kubectl: Kubectl
) -> None:
    """Helm 4 applies on the server's side by default."""
    helm("install", "--set=crds.enabled=false")
    for values in ("log.level=debug", "replicaCount=2"):
        command = ["upgrade", namespace, str(CHART), "--namespace", namespace, "--kubeconfig", str(kubeconfig)]
        command += [f"--set=crds.enabled=false,{values}"]
        done = subprocess.run([str(artefact("helm4")), *command], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    name = f"deployment/{namespace}-imagebuild-operator"
    assert kubectl("get", name, "-n", namespace, "--output=jsonpath={.spec.replicas}") == "2"


def test_uninstalling_keeps_the_builds(helm: Helm, builds: Builds, api: client.ApiClient) -> None:
    builds.create(spec())
    helm("install", "--take-ownership")
    helm("upgrade", "--set=log.level=debug")
    assert "kept" in helm("uninstall")
    assert builds.get()["spec"]["output"]["push"] is True
    helm("install", "--take-ownership")
    wait_for_definitions(api)


def test_the_notes_say_what_to_do_next(helm: Helm, builds: Builds, kubectl: Kubectl) -> None:
    notes = helm("install", "--set=crds.enabled=false", f"--set=watchNamespaces={{{builds.namespace}}}")
    command, _, rest = notes.partition("<<'EOF'\n")
    assert command.rstrip().endswith(f"kubectl apply -n {builds.namespace} -f -")
    kubectl("apply", "-n", builds.namespace, "-f", "-", stdin=rest.partition("\nEOF\n")[0])
    assert builds.get()["spec"]["output"]["pushSecretRef"] == {"name": "registry-push"}
