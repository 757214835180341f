"""The class of a failure does not depend on the names in the request."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kaniko_shim.outcome.classify import classify
from kaniko_shim.outcome.evidence import Evidence
from kaniko_shim.outcome.names import cut_names
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.system.processes.process import Ended

#: Words that messages are recognised by, or were; some are no valid names everywhere, none may matter.
HOSTILE = (
    *("quota", "quota-api", "quota-exceeded", "immutable", "immutable-cfg", "is-immutable", "unauthorized", "denied"),
    *("x509", "eof", "panic", "unknown", "toomanyrequests", "404", "503", "status-code-404", "status-code-503"),
    *("timeout", "no-such-host", "connection-refused", "manifest-unknown", "unavailable", "tls", "crash", "lookup"),
)
TAGS = (
    *HOSTILE,
    "UNAUTHORIZED",
    "DENIED",
    "QUOTA",
    "UNKNOWN",
    "MANIFEST_UNKNOWN",
    "TOOMANYREQUESTS",
    "NAME_INVALID",
    "EOF",
)


@dataclass(frozen=True)
class Name:
    """The parts of an image's name."""

    host: str
    port: int
    path: tuple[str, ...]
    tag: str

    @property
    def repository(self) -> str:
        return "/".join(self.path)

    @property
    def registry(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def image(self) -> str:
        return f"{self.registry}/{self.repository}:{self.tag}"


NAMES = st.builds(
    Name,
    st.sampled_from([*HOSTILE, "denied.unauthorized.example"]),
    st.sampled_from([404, 503, 429, 401, 5000]),
    st.lists(st.sampled_from(HOSTILE), min_size=1, max_size=3).map(tuple),
    st.sampled_from(TAGS),
)
PLAIN = Name("registry.example", 5000, ("team", "app"), "1")

ANSWERS = {
    "UNAUTHORIZED: authentication required; [map[Action:push Name:{repository} Type:repository]]": (
        Reason.REGISTRY_UNAUTHORIZED
    ),
    "UNAUTHORIZED: unauthorized to access repository: {repository}, action: push": Reason.REGISTRY_UNAUTHORIZED,
    "DENIED: requested access to the resource {repository}:{tag} is denied": Reason.REGISTRY_UNAUTHORIZED,
    "DENIED: Quota exceeded when processing the request of adding 5 MiB to '{repository}'": Reason.PUSH_REJECTED,
    "TAG_INVALID: The image tag '{tag}' already exists in the '{repository}' repository and cannot be overwritten "
    "because the repository is immutable.": Reason.PUSH_REJECTED,
    "NAME_UNKNOWN: The repository with name '{repository}' does not exist in the registry": Reason.PUSH_REJECTED,
    "MANIFEST_INVALID: manifest invalid; map[Tag:{tag}]": Reason.PUSH_REJECTED,
    "TOOMANYREQUESTS: rate exceeded for {image}": Reason.RATE_LIMITED,
    "UNKNOWN: unknown error": Reason.REGISTRY_UNAVAILABLE,
    "UNAVAILABLE: {image} is not there now": Reason.REGISTRY_UNAVAILABLE,
    "unexpected status code 503 Service Unavailable: no upstream for {image}": Reason.REGISTRY_UNAVAILABLE,
    "unexpected status code 502 Bad Gateway": Reason.REGISTRY_UNAVAILABLE,
    "unexpected status code 403 Forbidden: <b>{repository}:{tag}</b>": Reason.REGISTRY_UNAUTHORIZED,
    "unexpected status code 404 Not Found": Reason.PUSH_REJECTED,
}
TROUBLE = {
    'Get "https://{registry}/v2/": dial tcp: lookup {host} on 10.0.0.10:53: no such host': Reason.REGISTRY_UNAVAILABLE,
    'Get "https://{registry}/v2/": dial tcp 10.0.0.1:443: connect: connection refused': Reason.REGISTRY_UNAVAILABLE,
    'Get "https://{registry}/v2/": tls: failed to verify certificate: x509: certificate signed by unknown authority': (
        Reason.REGISTRY_TLS
    ),
    'Get "https://{registry}/v2/": http: server gave HTTP response to HTTPS client': Reason.REGISTRY_TLS,
    'Get "https://{registry}/v2/": EOF': Reason.REGISTRY_UNAVAILABLE,
}
PREFIXES = (
    "",
    "error pushing image: failed to push to destination {image}: ",
    (
        "error checking push permissions -- make sure you entered the correct tag name, and that you are authenticated "
        'correctly, and try again: checking push permission for "{image}": '
    ),
    "pushing {image}: ",
)
REQUESTS = (
    "PUT https://{registry}/v2/{repository}/manifests/{tag}: ",
    "POST https://{registry}/v2/{repository}/blobs/uploads/: ",
    "GET https://{registry}/token?scope=repository%3A{repository}%3Apush&service=x: ",
)


def reason(text: str, name: Name) -> Reason:
    words = {
        "host": name.host,
        "registry": name.registry,
        "repository": name.repository,
        "tag": name.tag,
        "image": name.image,
    }
    return classify(Evidence(Ended(1), text.format_map(words), pushing=True, names=(name.image,))).reason


@given(
    NAMES,
    st.sampled_from(PREFIXES),
    st.one_of(
        st.sampled_from(sorted(TROUBLE)).map(lambda text: (text, TROUBLE[text])),
        st.tuples(st.sampled_from(REQUESTS), st.sampled_from(sorted(ANSWERS))).map(
            lambda pair: (pair[0] + pair[1], ANSWERS[pair[1]])
        ),
    ),
)
def test_names_say_nothing_about_a_failure(name: Name, prefix: str, error: tuple[str, Reason]):
    text, expected = error
    assert reason(prefix + text, PLAIN) is expected
    assert reason(prefix + text, name) is expected


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_server_error_is_never_a_rejection(status: int):
    """Whatever the page says: it is retried."""
    text = f"PUT https://r.example/v2/a/manifests/1: unexpected status code {status} X: quota exceeded, is immutable"
    assert reason(text, PLAIN) is Reason.REGISTRY_UNAVAILABLE


def test_pulls_are_judged_in_the_same_way():
    """A base image, its tag and the mirror's host may be called anything."""
    for tag in TAGS:
        error = (
            f"error building image: GET https://404:5000/v2/quota/denied/manifests/{tag}: unexpected status code 503 X"
        )
        evidence = Evidence(Ended(1), error, image=f"404:5000/quota/denied:{tag}")
        assert classify(evidence).reason is Reason.REGISTRY_UNAVAILABLE


def test_what_is_cut():
    image = "r.example:5000/team/quota:1.0"
    assert cut_names(f"failed to push to destination {image}: PUT https://r.example:5000/v2/x: DENIED", [image]) == (
        "failed to push to destination …: PUT …: DENIED"
    )
    assert cut_names("repository team/quota-api, tag '1.0' of `quota`: quota exceeded", [image]) == (
        "repository team/quota-api, tag '…' of `…`: quota exceeded"
    )
