"""The chart installed by Helm: rights as the API server grants them, and what an uninstallation leaves."""

from functional.kube import Builds, Helm, Kubectl, spec
from kubernetes import client
from support.watching import wait_for_definitions

ALLOWED = [
    *(("imagebuild.dev", "imagebuilds", verb) for verb in ("get", "list", "watch", "delete")),
    ("imagebuild.dev", "imagebuilds/status", "patch"),
    *(("imagebuild.dev", "imagebuilddefaults", verb) for verb in ("get", "list", "watch")),
    ("imagebuild.dev", "imagebuilddefaults/status", "patch"),
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
    *(("imagebuild.dev", "imagebuilds", verb) for verb in ("create", "update", "patch")),
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
    helm("install", "--set=crds.install=false")
    user = account(namespace)
    assert [right for right in (*ALLOWED, *ALLOWED_FOR_ALL) if not allowed(api, user, "default", right)] == []
    assert [right for right in DENIED if allowed(api, user, "default", right)] == []


def test_the_operator_may_hold_its_own_lease_only(helm: Helm, api: client.ApiClient, namespace: str) -> None:
    helm("install", "--set=crds.install=false")
    user, own = account(namespace), f"{namespace}-imagebuild-operator"
    lease = "coordination.k8s.io", "leases"
    assert allowed(api, user, namespace, (*lease, "create"))
    for verb in ("get", "patch"):
        assert allowed(api, user, namespace, (*lease, verb), own)
        assert not allowed(api, user, namespace, (*lease, verb), "another")
    for verb in ("get", "patch", "create"):
        assert not allowed(api, user, "default", (*lease, verb), own)


def test_a_list_of_namespaces_is_a_fence(helm: Helm, api: client.ApiClient, namespace: str) -> None:
    helm("install", "--set=crds.install=false", f"--set=watchNamespaces={{{namespace}}}")
    user = account(namespace)
    assert [right for right in ALLOWED if not allowed(api, user, namespace, right)] == []
    assert [right for right in (*ALLOWED, *DENIED) if allowed(api, user, "default", right)] == []
    assert [right for right in ALLOWED_FOR_ALL if allowed(api, user, namespace, right)] == []


def test_uninstalling_keeps_the_builds(helm: Helm, builds: Builds, api: client.ApiClient) -> None:
    builds.create(spec())
    helm("install", "--take-ownership")
    helm("upgrade", "--set=log.level=debug")
    assert "kept" in helm("uninstall")
    assert builds.get()["spec"]["output"]["push"] is True
    helm("install", "--take-ownership")
    wait_for_definitions(api)


def test_the_notes_say_what_to_do_next(helm: Helm, builds: Builds, kubectl: Kubectl) -> None:
    notes = helm("install", "--set=crds.install=false", f"--set=watchNamespaces={{{builds.namespace}}}")
    command, _, rest = notes.partition("<<'EOF'\n")
    assert command.rstrip().endswith(f"kubectl apply -n {builds.namespace} -f -")
    kubectl("apply", "-n", builds.namespace, "-f", "-", stdin=rest.partition("\nEOF\n")[0])
    assert builds.get()["spec"]["output"]["push"] is False
