"""What pods refer to in their namespace."""

from typing import Any

from kubectl_imagebuild.explanation.references import Kind, Reference, problem, references


def test_the_references_of_a_pod():
    key = {"name": "push", "key": ".dockerconfigjson"}
    optional = {"name": "git", "key": "known_hosts", "optional": True}
    build: dict[str, Any] = {
        "env": [
            {"name": "A", "value": "1"},
            {"name": "B", "valueFrom": {"secretKeyRef": key}},
            {"name": "C", "valueFrom": {"secretKeyRef": optional}},
            {"name": "D", "valueFrom": {"configMapKeyRef": {"name": "ca", "key": "ca.crt"}}},
        ]
    }
    volumes = [{"emptyDir": {}}, {"configMap": {"name": "src"}}, {"persistentVolumeClaim": {"claimName": "caches"}}]
    spec = {"serviceAccountName": "builder", "initContainers": [build], "containers": [{}], "volumes": volumes}
    assert set(references([{"spec": spec}, {"spec": {"containers": [build]}}])) == {
        Reference(Kind.SECRET, "push", ".dockerconfigjson"),
        Reference(Kind.CONFIG_MAP, "ca", "ca.crt"),
        Reference(Kind.CONFIG_MAP, "src"),
        Reference(Kind.CLAIM, "caches"),
        Reference(Kind.ACCOUNT, "builder"),
    }
    assert Kind.CLAIM.plural == "persistentvolumeclaims"


def test_what_is_wrong_with_a_reference():
    reference = Reference(Kind.SECRET, "push", "key")
    assert problem(reference, None) == "Secret push does not exist: create it, the build waits for it."
    assert problem(reference, {"data": {"other": ""}}).startswith("Secret push has no key key: ")
    assert problem(reference, {"binaryData": {"key": ""}}) == ""
