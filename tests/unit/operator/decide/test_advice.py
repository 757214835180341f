"""What to do about a failure, in the fields of the build that failed."""

from typing import Any

import pytest
from imagebuild_operator.api.parse import parse_spec
from imagebuild_operator.api.reasons import Reason
from imagebuild_operator.decide.advice import advice, waiting_advice
from imagebuild_operator.observe.report import Result
from imagebuild_vocabulary.remedies import Remedy
from support.builds import SPEC


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ({"url": "https://a.b/c.tar"}, "Name a Secret of type kubernetes.io/basic-auth"),
        ({"http": {"url": "https://a.b/c.tar", "secretRef": {"name": "s"}}}, "username and password in Secret s"),
        ({"git": {"url": "https://a.b/c", "secretRef": {"name": "s"}}}, "username and password in Secret s"),
        ({"git": {"url": "git@a.b:c", "secretRef": {"name": "s"}}}, "ssh-privatekey in Secret s"),
        ({"oci": {"image": "a.b/c", "secretRef": {"name": "s"}}}, "Correct Secret s in source.oci.secretRef"),
        ({"s3": {"bucket": "b", "key": "k", "secretRef": {"name": "s"}}}, "Correct Secret s in source.s3.secretRef"),
        ({"s3": {"bucket": "b", "key": "k"}}, "Name a Secret in source.s3.secretRef"),
        ({"oci": {"image": "a.b/c"}}, "kubernetes.io/dockerconfigjson in source.oci.secretRef"),
        ({"git": {"url": "ssh://a.b/c", "secretRef": {"name": "s"}}}, "source.git.knownHosts"),
    ],
)
def test_whoever_was_refused_the_source_is_told_which_secret_to_correct(source: dict[str, Any], words: str):
    assert words in advice(Reason.SOURCE_UNAUTHORIZED, parse_spec({**SPEC, "source": source}), Result())


@pytest.mark.parametrize(
    ("source", "field"),
    [
        ({"url": "https://a.b/c.tar"}, "its caBundle."),
        ({"http": {"url": "https://a.b/c.tar"}}, "source.http.caBundle."),
        ({"git": {"url": "https://a.b/c"}}, "source.git.caBundle."),
        ({"s3": {"bucket": "b", "key": "k"}}, "source.s3.caBundle."),
        ({"oci": {"image": "a.b/c"}}, "source.oci.caBundle."),
    ],
)
def test_a_server_with_a_private_ca_needs_a_ca_bundle(source: dict[str, Any], field: str):
    result = Result(hint="Set SOURCE_CA to the CA bundle of the server.", remedy=Remedy.SOURCE_CA)
    assert advice(Reason.SOURCE_UNAVAILABLE, parse_spec({**SPEC, "source": source}), result).endswith(field)


@pytest.mark.parametrize(
    "reason",
    [
        Reason.SOURCE_UNAUTHORIZED,
        Reason.BASE_IMAGE_UNAUTHORIZED,
        Reason.REGISTRY_UNAUTHORIZED,
        Reason.COPY_FAILED,
    ],
)
def test_a_proxy_that_refuses_access_is_no_matter_of_the_source_or_registry(reason: Reason):
    result = Result(hint="Correct it in HTTP_PROXY.", remedy=Remedy.PROXY_LOGIN)
    assert "proxy.secretRef" in advice(reason, parse_spec(SPEC), result)


def test_a_private_ca_is_the_first_remedy_for_tls():
    words = advice(Reason.REGISTRY_TLS, parse_spec(SPEC), Result(registry="r.example"))
    assert words.startswith("Add r.example to spec.registries: with caBundle if its certificate is from a private CA")


def test_a_secret_that_a_run_requires_goes_into_the_spec():
    result = Result(hint="Set BUILD_SECRET_npm to its value in base64.", remedy=Remedy.BUILD_SECRET)
    assert "spec.buildSecrets" in advice(Reason.INVALID_SPEC, parse_spec(SPEC), result)


@pytest.mark.parametrize(
    ("output", "words", "hint"),
    [
        ({"platforms": ["linux/arm64"]}, "didn't match Pod's node affinity/selector", "output.platformNodes to Any"),
        ({"platforms": ["linux/arm64"], "platformNodes": "Any"}, "Pod's node affinity/selector", "nodeSelector"),
        ({"platforms": ["linux/arm64"]}, "2 Insufficient cpu", "resources"),
        (
            {"corroborate": "OtherNode", "timestamp": "Zero"},
            "didn't match Pod's node affinity/selector",
            "set output.corroborate to AnyNode",
        ),
        ({}, "didn't match Pod's node affinity/selector", "nodeSelector"),
        ({}, 'persistentvolumeclaim "context" not found', "Create the PersistentVolumeClaim"),
    ],
)
def test_the_author_of_a_pod_that_no_node_takes_is_told_which_field_to_change(
    output: dict[str, Any], words: str, hint: str
):
    source = {"inline": {"files": {"Dockerfile": "FROM scratch"}}}
    spec = parse_spec({**SPEC, "source": source, "output": {**SPEC["output"], **output}})
    message = f"0/1 nodes are available: {words}."
    waits = waiting_advice(Reason.UNSCHEDULABLE, spec, message)
    failed = advice(Reason.UNSCHEDULABLE, spec, Result(), message)
    for text in (waits, failed):
        assert hint in text
        assert ("platformNodes" in text) == ("platformNodes" in hint)


def test_a_registry_of_a_cloud_can_be_pushed_to_with_an_identity():
    result = Result(registry="team.azurecr.io", hint="Label the pod.", remedy=Remedy.CLOUD_IDENTITY)
    spec = parse_spec({**SPEC, "podTemplate": {"spec": {"serviceAccountName": "pusher"}}})
    assert advice(Reason.REGISTRY_UNAUTHORIZED, spec, result) == (
        "Give ServiceAccount pusher (podTemplate.spec.serviceAccountName) an identity that may push to "
        "team.azurecr.io, or name a Secret with credentials for it in output.pushSecretRef."
    )
    assert "Name a Secret with credentials for team.azurecr.io in pullSecretRefs." in advice(
        Reason.BASE_IMAGE_UNAUTHORIZED, spec, result
    )


def test_a_docker_config_without_passwords_is_made_again():
    hint = 'Write {"auths": …}; `kubectl create secret docker-registry` makes such a config.'
    assert (
        advice(
            Reason.INVALID_SPEC, parse_spec(SPEC), Result(registry="r.example", hint=hint, remedy=Remedy.DOCKER_CONFIG)
        )
        == hint
    )
