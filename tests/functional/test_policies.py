"""The rules of docs/how-to/policies.md, with the values of the page: what each refuses, and with which message."""

import copy
import json
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from chart.helm import CHART, find_helm
from functional.kube import GROUP, PLURAL, VERSION, Kubectl, message
from kubernetes import client
from support.pages import block_with
from support.waiting import until

Json = dict[str, Any]
PAGE = "how-to/policies.md"
RELEASE = "all"
#: Stands for the namespace of the test.
NAMESPACE = "team-a"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
GIT: Json = {"url": "https://git.example.com/team/app", "revision": COMMIT}
#: A build that all policies allow, with all that they leave to builds.
ALLOWED: Json = {
    "apiVersion": f"{GROUP}/{VERSION}",
    "kind": "ImageBuild",
    "metadata": {"name": "app", "labels": {"example.com/team": "checkout"}},
    "spec": {
        "source": {"git": GIT},
        "output": {"images": [f"registry.example.com/{NAMESPACE}/app:1", "registry.example.com/shared/app:1"]},
        "cache": {"enabled": True, "repo": f"registry.example.com/{NAMESPACE}/cache"},
        "registries": [
            {"host": "registry.example.com", "caBundle": {"configMapKeyRef": {"name": "ca", "key": "ca.crt"}}},
            {
                "host": "docker.io",
                "mirrors": ["registry.example.com"],
                "insecureSkipTLSVerify": False,
                "plainHTTP": False,
            },
        ],
        "podTemplate": {
            "metadata": {"labels": {"example.com/team": "checkout"}},
            "spec": {"imagePullSecrets": [{"name": "pull"}]},
        },
        "env": [{"name": "AWS_REGION", "value": "eu-central-1"}],
        "resources": {"limits": {"memory": "1Gi"}},
    },
}


class Case(NamedTuple):
    """A change to ALLOWED, and what the API server says about the result."""

    policy: str
    change: Json
    message: str


def pod(**fields: object) -> Json:
    return {"spec": {"podTemplate": {"spec": fields}}}


CASES = [
    Case(
        "registries",
        {"spec": {"output": {"images": ["registry.example.com.attacker.test/app/app:1"]}}},
        "output.images and cache.repo: registry.example.com.attacker.test/app/app:1 is not allowed; push to "
        "registry.example.com/team-a/… or registry.example.com/shared/…",
    ),
    Case(
        "registries",
        {"spec": {"output": {"images": ["registry.example.com/another/app:1", "docker.io/me/app:1"]}}},
        "registry.example.com/another/app:1, docker.io/me/app:1 is not allowed; push to registry.example.com/team-a/…",
    ),
    Case(
        "registries",
        {"spec": {"cache": {"enabled": True, "repo": "registry.example.com/another/cache"}}},
        "cache.repo: registry.example.com/another/cache is not allowed; push to registry.example.com/team-a/…",
    ),
    Case(
        "tls",
        {"spec": {"registries": [{"host": "a.example.com", "insecureSkipTLSVerify": True}]}},
        "registries: insecureSkipTLSVerify is not allowed; set caBundle to the CA of the registry",
    ),
    Case(
        "tls",
        {"spec": {"registries": [{"host": "a.example.com", "plainHTTP": True}]}},
        "registries: plainHTTP is not allowed; use a registry with TLS",
    ),
    Case("priority", {"spec": {"priority": 1}}, "priority: a value above 0 is not allowed; leave it out"),
    Case(
        "priority",
        pod(priorityClassName="system-node-critical"),
        "podTemplate.spec.priorityClassName is not allowed; leave it out",
    ),
    Case(
        "labels",
        {"metadata": {"labels": None}},
        "metadata.labels: set example.com/team",
    ),
    Case(
        "labels",
        {"metadata": {"labels": {"example.com/team": ""}}},
        "metadata.labels: set example.com/team",
    ),
    Case(
        "pods",
        pod(serviceAccountName="deployer", tolerations=[{"operator": "Exists"}]),
        "podTemplate.spec: serviceAccountName, tolerations is set by the platform team; leave it out",
    ),
    *(
        Case("pods", pod(**{field: value}), f"podTemplate.spec: {field} is set by the platform team")
        for field, value in {
            "runtimeClassName": "kata",
            "schedulerName": "another",
            "nodeSelector": {"disk": "ssd"},
            "affinity": {"nodeAffinity": {}},
            "topologySpreadConstraints": [
                {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway", "labelSelector": {}}
            ],
            "hostUsers": False,
            "hostAliases": [{"ip": "10.0.0.2", "hostnames": ["registry.example.com"]}],
            "dnsConfig": {"nameservers": ["10.0.0.1"]},
        }.items()
    ),
    Case(
        "sources",
        {"spec": {"source": {"git": {"url": "https://git.example.com.attacker.test/app", "revision": COMMIT}}}},
        "source: build from source.git with a URL below https://git.example.com/",
    ),
    Case(
        "sources",
        {"spec": {"source": {"git": None, "inline": {"files": {"Dockerfile": "FROM scratch\n"}}}}},
        "source: build from source.git with a URL below https://git.example.com/",
    ),
    Case(
        "commits",
        {"spec": {"source": {"git": {"revision": "main"}}}},
        "source.git.revision: write the full commit, 40 hexadecimal digits, instead of a branch or tag",
    ),
    Case(
        "commits",
        {"spec": {"dockerfile": {"inline": "FROM scratch\n"}}},
        "dockerfile.inline is not allowed; commit the Dockerfile to the repository",
    ),
    *(
        Case(
            "identities",
            {"spec": {"podTemplate": {"metadata": {"annotations": {name: "none"}}}}},
            f"podTemplate.metadata.annotations: {name} is set by the platform team; leave it out",
        )
        for name in ("eks.amazonaws.com/skip-containers", "azure.workload.identity/skip-containers")
    ),
    Case(
        "attestations",
        {"spec": {"output": {"attestations": {"sbom": "None"}}}},
        "output.attestations is set by the platform team; leave it out",
    ),
    Case(
        "attestations",
        {"spec": {"output": {"signing": {"key": {"secretRef": {"name": "mine"}}}}}},
        "output.signing is set by the platform team; leave it out",
    ),
]
#: The kinds of rules.
KINDS = sorted({case.policy for case in CASES})
#: Label of a namespace that only imagebuild-tls is in force in.
TLS_ALONE = {"policies": "tls"}
#: Sources that imagebuild-sources refuses anyway; imagebuild-tls is tried with them alone.
WITHOUT_TLS = [
    {"url": "http://files.example.com/a.tar"},
    {"url": "git+http://git.example.com/a"},
    {"url": "git://git.example.com/a"},
    {"http": {"url": "http://files.example.com/a.tar"}},
    {"git": {"url": "http://git.example.com/a"}},
    {"git": {"url": "git://git.example.com/a"}},
    {"s3": {"bucket": "contexts", "key": "app.tar", "endpoint": "http://minio.example.com:9000"}},
]
WITH_TLS = [
    {"url": "https://files.example.com/a.tar"},
    {"url": "git+https://git.example.com/a"},
    {"http": {"url": "https://files.example.com/http://a.tar"}},
    {"git": {"url": "ssh://git@git.example.com/a", "secretRef": {"name": "deploy-key"}}},
    {"git": {"url": "git@git.example.com:a", "secretRef": {"name": "deploy-key"}}},
    {"s3": {"bucket": "contexts", "key": "app.tar"}},
    {"s3": {"bucket": "contexts", "key": "app.tar", "endpoint": "https://minio.example.com:9000"}},
]


def merged(base: Json, change: Json) -> Json:
    """A JSON merge patch, applied."""
    whole = copy.deepcopy(base)
    for key, value in change.items():
        if value is None:
            whole.pop(key, None)
        else:
            whole[key] = merged(whole.get(key, {}), value) if isinstance(value, dict) else value
    return whole


def placed(body: Json, namespace: str) -> Json:
    """A body with its namespace for NAMESPACE."""
    whole: Json = json.loads(json.dumps(body).replace(NAMESPACE, namespace))
    return whole


class Admission:
    """The API server, asked what it says about builds of a namespace with policies."""

    def __init__(self, api: client.ApiClient, namespace: str) -> None:
        self.namespace = namespace
        self._custom = client.CustomObjectsApi(api)

    def refusal(self, body: Json, *, dry_run: bool = True) -> str:
        """The message of the refusal, or empty for a build that is accepted."""
        options = {"dry_run": "All"} if dry_run else {}
        return self._answer(
            self._custom.create_namespaced_custom_object,
            placed(body, self.namespace),
            field_validation="Strict",
            **options,
        )

    def refusal_of_change(self, change: Json) -> str:
        """The message of the refusal of a merge patch of the build `app`, or empty; nothing is stored."""
        return self._answer(self._custom.patch_namespaced_custom_object, "app", change, dry_run="All")

    def _answer(self, call: Callable[..., object], *arguments: object, **options: object) -> str:
        try:
            call(GROUP, VERSION, self.namespace, PLURAL, *arguments, **options)
        except client.ApiException as error:
            return message(error)
        return ""


def values_of_the_page() -> Json:
    """The values with which the page turns all rules on."""
    values: Json = yaml.safe_load(block_with(PAGE, "yaml", "noAttestations: true"))
    return values


def label_of_the_page() -> dict[str, str]:
    """The label of the namespaces in which they are in force."""
    labels: dict[str, str] = values_of_the_page()["policies"]["namespaceSelector"]["matchLabels"]
    return labels


def rendered(release: str, values: Json) -> str:
    """The policies and bindings that the chart has for values."""
    options = ["--kube-version=1.34.0", "--show-only=templates/build-policies.yaml", "--values=-"]
    command = [str(find_helm()), "template", release, str(CHART), "--namespace=rules", *options]
    done = subprocess.run(command, input=yaml.safe_dump(values), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def name_of(kind: str, release: str = RELEASE) -> str:
    """The name of the policy and of its binding."""
    return f"{release}-imagebuild-operator-rules-builds-{kind}"


def a_namespace(api: client.ApiClient, labels: Mapping[str, str]) -> str:
    metadata = client.V1ObjectMeta(generate_name="policies-", labels=dict(labels))
    made = client.CoreV1Api(api).create_namespace(client.V1Namespace(metadata=metadata))
    assert made.metadata
    assert made.metadata.name
    return made.metadata.name


@pytest.fixture(scope="module")
def admission(crd: Path, kubectl: Kubectl, api: client.ApiClient) -> Iterator[Admission]:
    """A namespace in which all rules of the page are in force."""
    assert crd.exists()
    tls = {"policies": {"tls": True, "namespaceSelector": {"matchLabels": TLS_ALONE}}}
    objects = rendered(RELEASE, values_of_the_page()) + rendered("alone", tls)
    kubectl("apply", "-f", "-", stdin=objects)
    made = Admission(api, a_namespace(api, label_of_the_page()))
    for kind in KINDS:
        change = next(case.change for case in CASES if case.policy == kind)
        until(lambda change=change, kind=kind: name_of(kind) in made.refusal(merged(ALLOWED, change)))  # type: ignore[misc]
    yield made
    kubectl("delete", "-f", "-", stdin=objects)


def test_a_build_that_keeps_the_rules_is_allowed(admission: Admission):
    assert not admission.refusal(ALLOWED)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.policy.removeprefix("imagebuild-"))
def test_a_build_that_breaks_a_rule_is_refused(admission: Admission, case: Case):
    refusal = admission.refusal(merged(ALLOWED, case.change))
    name = name_of(case.policy)
    assert f"ValidatingAdmissionPolicy '{name}' with binding '{name}' denied request: " in refusal
    assert case.message.replace(NAMESPACE, admission.namespace) in refusal


def test_every_policy_is_tried():
    objects = list(yaml.safe_load_all(rendered(RELEASE, values_of_the_page())))
    made = {each["metadata"]["name"] for each in objects if each["kind"] == "ValidatingAdmissionPolicy"}
    assert made == {name_of(kind) for kind in KINDS}
    assert len(objects) == 2 * len(made)


@pytest.mark.usefixtures("admission")
def test_sources_need_tls(api: client.ApiClient):
    alone = Admission(api, a_namespace(api, TLS_ALONE))
    build = merged(ALLOWED, {"spec": {"source": None}})
    until(lambda: alone.refusal(merged(build, {"spec": {"source": WITHOUT_TLS[0]}})))
    for source in WITHOUT_TLS:
        refusal = alone.refusal(merged(build, {"spec": {"source": source}}))
        assert "source: http:// and git:// are not allowed; use https:// or ssh://" in refusal, source
    for source in WITH_TLS:
        assert not alone.refusal(merged(build, {"spec": {"source": source}})), source


@pytest.mark.usefixtures("admission")
def test_a_build_that_is_older_than_the_policies_can_be_cancelled(api: client.ApiClient):
    old = Admission(api, a_namespace(api, {}))
    assert not old.refusal(merged(ALLOWED, {"metadata": {"labels": None}, "spec": {"priority": 5}}), dry_run=False)
    client.CoreV1Api(api).patch_namespace(old.namespace, {"metadata": {"labels": label_of_the_page()}})
    until(lambda: old.refusal_of_change({"spec": {"priority": 6}}))
    assert not old.refusal_of_change({"spec": {"cancel": True}})
    assert not old.refusal_of_change({"spec": {"priority": 4}})
    assert not old.refusal_of_change({"spec": {"priority": None}})
    assert not old.refusal_of_change({"metadata": {"labels": {"example.com/team": "checkout"}}})


def test_what_can_change_keeps_the_rules(admission: Admission):
    assert not admission.refusal(ALLOWED, dry_run=False)
    assert not admission.refusal_of_change({"spec": {"cancel": True}})
    assert not admission.refusal_of_change({"metadata": {"labels": {"example.com/team": "search"}}})
    assert "leave it out" in admission.refusal_of_change({"spec": {"priority": 1}})
    assert "metadata.labels: set example.com/team" in admission.refusal_of_change({"metadata": {"labels": None}})


@pytest.mark.usefixtures("admission")
def test_warn_and_audit_refuse_nothing_and_warn(api: client.ApiClient, kubectl: Kubectl):
    labels = {"policies": "warn"}
    rules = {"noPriority": True, "validationActions": ["Warn", "Audit"], "namespaceSelector": {"matchLabels": labels}}
    objects = rendered("warn", {"policies": rules})
    kubectl("apply", "-f", "-", stdin=objects)
    namespace = a_namespace(api, labels)
    body = json.dumps(placed(merged(ALLOWED, {"spec": {"priority": 1}}), namespace))
    command = ("create", "--dry-run=server", f"--namespace={namespace}", "-f", "-")
    warned = until(lambda: kubectl.run(*command, stdin=body).stderr)
    assert "created (server dry run)" in kubectl(*command, stdin=body)
    kubectl("delete", "-f", "-", stdin=objects)
    assert f"Warning: Validation failed for ValidatingAdmissionPolicy '{name_of('priority', 'warn')}'" in warned
    assert "priority: a value above 0 is not allowed; leave it out" in warned


def test_an_old_cluster_is_told_that_it_has_no_policies():
    command = [str(find_helm()), "template", "old", str(CHART), "--kube-version=1.29.0", "--set=policies.tls=true"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "policies need ValidatingAdmissionPolicy, so Kubernetes 1.30 or later: leave them out" in done.stderr


@pytest.mark.parametrize(
    "rule",
    [
        {"registries": ["registry.example.com"]},
        {"registries": ["registry.example.com/' + x + '/"]},
        {"sources": ["https://git.example.com"]},
        {"labels": ["not a label"]},
        {"validationActions": []},
    ],
)
def test_a_prefix_without_an_end_and_what_is_no_prefix_are_refused(rule: Json):
    command = [str(find_helm()), "template", "wrong", str(CHART), "--values=-"]
    done = subprocess.run(command, input=json.dumps({"policies": rule}), capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert f"policies/{next(iter(rule))}" in done.stderr.replace(".", "/")
