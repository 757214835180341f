"""What to do about a failure, in the fields of the build that failed."""

from typing import Any

import pytest
from imagebuild_operator.api.parse import parse_spec
from imagebuild_operator.api.reasons import Reason
from imagebuild_operator.decide.advice import advice
from imagebuild_operator.observe.report import Result
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


def test_an_authority_of_ones_own_is_the_first_remedy_for_tls():
    words = advice(Reason.REGISTRY_TLS, parse_spec(SPEC), Result(registry="r.example"))
    assert words.startswith("Add r.example to spec.registries: with caRef if its authority is your own")
