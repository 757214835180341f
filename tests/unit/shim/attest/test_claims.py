"""A record that contradicts the spec is refused, and what the spec says is not taken from it."""

from hashlib import sha256
from typing import Any

import pytest
from kaniko_shim.attest.claims import settle
from kaniko_shim.attest.record import Record

NOW = "2026-12-01T12:00:00Z"
STARTED, FINISHED = "2026-12-01T11:00:00Z", "2026-12-01T11:05:00Z"
COMMIT, OTHER = "a" * 40, "b" * 40
GIT = {"git": {"url": "https://h.example/a.git", "revision": COMMIT}}
DOCKERFILE = "FROM busybox\n"
DIGEST = sha256(DOCKERFILE.encode()).hexdigest()


def a_record(dockerfile: str = "", started: str = STARTED, finished: str = FINISHED, **source: str) -> Record:
    return Record({}, source, dockerfile, started, finished)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (GIT, {"url": "git+https://h.example/a.git#main", "revision": COMMIT}),
        (
            {"git": {"url": "https://u@h.example/a.git", "revision": "main"}},
            {"url": "git+https://***@h.example/a.git#main", "revision": OTHER},
        ),
        ({"git": {"url": "git@h.example:team/a.git"}}, {"url": "git@h.example:team/a.git", "revision": OTHER}),
        (
            {"http": {"url": "https://h.example/a.tgz", "sha256": "1"}},
            {"url": "https://h.example/a.tgz?sig=***", "sha256": "1"},
        ),
        ({"url": "https://h.example/a.git#main:app"}, {"url": "https://h.example/a.git#main:app", "revision": COMMIT}),
        ({"oci": {"image": "h.example/a:1"}}, {"url": "oci://h.example/a:1", "revision": "sha256:1"}),
        ({"inline": {"files": {}}}, {"url": "data:", "sha256": "1"}),
        ({"upload": {"sha256": "1"}}, {"url": "file:///kaniko/source/archive", "sha256": "1"}),
        ({"configMap": {"name": "x"}}, {"url": "dir:///kaniko/source"}),
        ({"s3": {"bucket": "b", "key": "k"}}, {"url": "s3://b/k", "sha256": "1"}),
        ({}, {}),
        ({"http": {"url": "https://h.example/***/a"}}, {"url": "https://h.example/t0k3n/a"}),
    ],
)
def test_a_true_record_stays(source: dict[str, Any], said: dict[str, str]):
    record = a_record(**said)
    assert settle(record, {"source": source}, NOW) == record


@pytest.mark.shows("A48")
@pytest.mark.parametrize(
    ("source", "said", "problem"),
    [
        (GIT, {"url": "https://evil.example/a.git"}, "names the source"),
        (GIT, {"url": "git+https://h.example/b.git"}, "names the source"),
        (GIT, {"revision": OTHER}, "names the commit"),
        ({"inline": {"files": {}}}, {"url": "https://h.example/a.git"}, "that of the spec is inline"),
        ({"inline": {"files": {}}}, {"revision": COMMIT}, "has none"),
        ({"configMap": {"name": "x"}}, {"url": "https://h.example/a.git"}, "that of the spec is configMap"),
        ({"upload": {"sha256": "1"}}, {"sha256": "2"}, "names the checksum"),
        ({"http": {"url": "https://h.example/a", "sha256": "1"}}, {"sha256": "2"}, "names the checksum"),
    ],
)
def test_a_record_of_another_source_is_refused(source: dict[str, Any], said: dict[str, str], problem: str):
    with pytest.raises(ValueError, match=problem):
        settle(a_record(**said), {"source": source}, NOW)


@pytest.mark.shows("A48")
@pytest.mark.parametrize(("started", "finished"), [(FINISHED, STARTED), (STARTED, "2027-01-01T00:00:00Z"), ("z", "")])
def test_a_time_that_is_not_past_is_refused(started: str, finished: str):
    with pytest.raises(ValueError, match="the build ran from"):
        settle(a_record(started=started, finished=finished), {}, NOW)


@pytest.mark.parametrize(
    "parameters",
    [
        {"dockerfile": {"inline": DOCKERFILE}},
        {"dockerfile": {"inlineSHA256": DIGEST}},
        {"source": {"inline": {"files": {"Dockerfile": DOCKERFILE}}}},
        {"source": {"inline": {"files": {"app/x": DOCKERFILE}}}, "contextDir": "app", "dockerfile": {"path": "x"}},
    ],
)
def test_the_checksum_of_a_dockerfile_in_the_spec_is_computed(parameters: dict[str, Any]):
    assert settle(a_record(), parameters, NOW).dockerfile == DIGEST
    with pytest.raises(ValueError, match="names a Dockerfile with SHA-256"):
        settle(a_record("0" * 64), parameters, NOW)
