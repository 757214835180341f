"""All that the operator's ServiceAccount may do, as the API server says, is what `rights.txt` lists."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from functional.kube import Helm
from kubernetes import client, config

RIGHTS = Path(__file__).with_name("rights.txt")
#: Rights to make oneself or others more powerful, or to read what others keep secret.
FORBIDDEN_VERBS = {"*", "bind", "escalate", "impersonate", "approve", "sign", "use"}
FORBIDDEN_RESOURCES = {
    "*",
    "secrets",
    "serviceaccounts",
    "nodes",
    "pods/exec",
    "pods/attach",
    "pods/ephemeralcontainers",
}


class Accounts:
    """What accounts may do, asked of the API server in their name."""

    def __init__(self, kubeconfig: Path) -> None:
        self._kubeconfig = str(kubeconfig)

    def rules(self, account: str, namespace: str) -> list[dict[str, Any]]:
        with config.new_client_from_config(self._kubeconfig) as api:
            api.set_default_header("Impersonate-User", account)
            review = client.V1SelfSubjectRulesReview(spec=client.V1SelfSubjectRulesReviewSpec(namespace=namespace))
            answer: Any = client.AuthorizationV1Api(api).create_self_subject_rules_review(review)
            assert not answer.status.incomplete
            rules: list[dict[str, Any]] = api.sanitize_for_serialization(answer.status.resource_rules)
            return rules

    def own_rules(self, release: str, namespace: str) -> list[dict[str, Any]]:
        """The rules of a release's operator, without those that every account has."""
        everybodys = self.rules(f"system:serviceaccount:{release}:nobody", namespace)
        its = self.rules(f"system:serviceaccount:{release}:{release}-imagebuild-operator", namespace)
        return [rule for rule in its if rule not in everybodys]


@pytest.fixture
def accounts(kubeconfig: Path) -> Accounts:
    return Accounts(kubeconfig)


def lines(rules: list[dict[str, Any]], release: str) -> Iterator[str]:
    for rule in rules:
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                names = ",".join(rule.get("resourceNames", ())).replace(release, "RELEASE")
                yield f"{group or 'core'} {resource}{f' {names}' if names else ''}: {' '.join(sorted(rule['verbs']))}"


def listed(place: str) -> list[str]:
    """The lines of one part of the list."""
    parts = [part.strip().splitlines() for part in RIGHTS.read_text().split("\n\n")]
    return next(sorted(rights) for [title, *rights] in parts if title == f"# {place}")


BUILDS, LEASE, CLUSTER = "where builds are", "in the release's namespace", "for the whole cluster"


@pytest.mark.shows("A24")
def test_in_the_whole_cluster(helm: Helm, accounts: Accounts, namespace: str) -> None:
    helm("install", "--set=crds.enabled=false")
    everywhere = sorted([*listed(BUILDS), *listed(CLUSTER)])
    assert sorted(lines(accounts.own_rules(namespace, "default"), namespace)) == everywhere
    own = sorted(lines(accounts.own_rules(namespace, namespace), namespace))
    assert own == sorted([*everywhere, *listed(LEASE)])


@pytest.mark.shows("A24")
def test_in_some_namespaces(helm: Helm, accounts: Accounts, namespace: str) -> None:
    helm("install", "--set=crds.enabled=false", f"--set=watchNamespaces={{{namespace}}}")
    assert accounts.own_rules(namespace, "default") == []
    own = sorted(lines(accounts.own_rules(namespace, namespace), namespace))
    assert own == sorted([*listed(BUILDS), *listed(LEASE)])


@pytest.mark.shows("A24")
@pytest.mark.parametrize("values", ["rbac.aggregate=true", "metrics.service.enabled=true"])
def test_nothing_to_become_more_powerful_with(helm: Helm, accounts: Accounts, namespace: str, values: str) -> None:
    helm("install", "--set=crds.enabled=false", f"--set={values}")
    rules = accounts.own_rules(namespace, namespace)
    assert rules
    for rule in rules:
        assert not FORBIDDEN_VERBS & set(rule["verbs"]), rule
        assert not FORBIDDEN_RESOURCES & {
            part for name in rule["resources"] for part in (name, name.partition("/")[0])
        } - {"pods"}, rule
        assert "*" not in rule["apiGroups"], rule
