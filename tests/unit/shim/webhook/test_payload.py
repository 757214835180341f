"""Whose webhooks are taken, and what they name. The payloads are cut from the servers' own documentation."""

import hashlib
import hmac
import json
from typing import Any

import pytest
from kaniko_shim.webhook.payload import is_authentic, mark_of_image, mark_of_repository, pushed

SECRET = "correct horse"
BODY = b'{"ref": "refs/heads/main"}'
HMAC = hmac.new(SECRET.encode(), BODY, hashlib.sha256).hexdigest()


@pytest.mark.parametrize(
    "headers",
    [
        {"x-hub-signature-256": f"sha256={HMAC}", "x-hub-signature": "sha1=0"},
        {"x-gitea-signature": HMAC, "x-hub-signature-256": f"sha256={HMAC}"},
        {"x-gitea-signature": HMAC},
        {"x-hub-signature": f"sha256={HMAC}"},
        {"x-gitlab-token": SECRET},
        {"authorization": SECRET},
        {"authorization": f"Bearer {SECRET}"},
    ],
)
def test_each_server_says_in_its_way_that_it_has_the_secret(headers: dict[str, str]):
    assert is_authentic(headers, BODY, SECRET)


@pytest.mark.shows("A66")
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-hub-signature-256": ""},
        {"x-hub-signature-256": "sha256="},
        {"x-hub-signature-256": f"sha1={HMAC}"},
        {"x-hub-signature-256": f"sha256={hmac.new(b'', BODY, hashlib.sha256).hexdigest()}"},
        {"x-hub-signature-256": f"sha256={hmac.new(SECRET.encode(), BODY + b' ', hashlib.sha256).hexdigest()}"},
        # A wrong signature is not made good by a second header.
        {"x-hub-signature-256": "sha256=0", "x-gitlab-token": SECRET},
        {"x-hub-signature-256": "sha256=é"},
        {"x-gitlab-token": ""},
        {"x-gitlab-token": SECRET[:-1]},
        {"x-gitlab-token": "é"},
        {"authorization": HMAC},
        {"authorization": "Bearer "},
        {"authorization": f"Basic {SECRET}"},
    ],
)
def test_nobody_else_is_heard(headers: dict[str, str]):
    assert not is_authentic(headers, BODY, SECRET)


GITHUB = {
    "ref": "refs/heads/main",
    "repository": {
        "clone_url": "https://github.com/Team/Web.git",
        "ssh_url": "git@github.com:Team/Web.git",
        "keys_url": "https://api.github.com/repos/Team/Web/keys{/key_id}",
        "owner": {"html_url": "https://github.com/Team"},
    },
    "commits": [{"url": "https://github.com/Team/Web/commit/1"}],
}
GITLAB = {
    "object_kind": "push",
    "project": {
        "git_ssh_url": "git@git.example.com:team/web.git",
        "git_http_url": "https://git.example.com/team/web.git",
    },
}
BITBUCKET = {
    "push": {"changes": [{"new": {"name": "main"}}]},
    "repository": {"links": {"html": {"href": "https://bitbucket.org/team/web"}}},
}
BITBUCKET_SERVER = {
    "repository": {"links": {"clone": [{"href": "ssh://git@bb.example.com:7999/prj/web.git", "name": "ssh"}]}}
}
HARBOR = {
    "type": "PUSH_ARTIFACT",
    "event_data": {"resources": [{"resource_url": "harbor.example.com/lib/base:1", "digest": "sha256:0"}]},
}
DISTRIBUTION = {
    "events": [
        {
            "action": "push",
            "target": {
                "repository": "lib/base",
                "url": "http://registry.example.com:5000/v2/lib/base/manifests/sha256:0",
            },
        }
    ]
}
GHCR = {"registry_package": {"package_version": {"package_url": "ghcr.io/team/base:1"}}}
QUAY = {"repository": "team/base", "docker_url": "quay.io/team/base", "updated_tags": ["latest"]}


@pytest.mark.parametrize(
    ("payload", "mark"),
    [
        (GITHUB, mark_of_repository("https://github.com/team/web")),
        (GITLAB, mark_of_repository("ssh://git@git.example.com/team/web.git")),
        (BITBUCKET, mark_of_repository("git@bitbucket.org:team/web.git")),
        (BITBUCKET_SERVER, mark_of_repository("ssh://git@bb.example.com:7999/prj/web")),
        (HARBOR, mark_of_image("harbor.example.com/lib/base:2")),
        (DISTRIBUTION, mark_of_image("registry.example.com:5000/lib/base")),
        (GHCR, mark_of_image("ghcr.io/team/base@sha256:" + "0" * 64)),
        (QUAY, mark_of_image("quay.io/team/base")),
    ],
)
def test_what_a_server_has_seen_pushed(payload: dict[str, Any], mark: str):
    assert mark in pushed(json.dumps(payload).encode())


def test_a_mark_is_that_of_one_repository():
    same = [
        "https://u:p@git.example.com/team/web.git",
        "git://git.example.com:9418/team/web",
        "git@git.example.com:/team/web/",
    ]
    assert len(set(map(mark_of_repository, same))) == 1
    assert "git.example.com" not in mark_of_repository(same[0])
    others = ["https://git.example.com/team/web2", "https://git.example.org/team/web", "https://git.example.com/web"]
    assert len({*map(mark_of_repository, [*others, same[0]])}) == 4
    assert mark_of_image("busybox") == mark_of_image("docker.io/library/busybox:1.37")
    assert mark_of_image("busybox") != mark_of_image("registry.example.com/library/busybox")


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"null",
        b'{"zen": "Keep it logically awesome.", "hook": {"url": "https://api.github.com/hooks/1"}}',
        b'{"repository": {"clone_url": 1, "ssh_url": null, "html_url": "javascript:x"}}',
        b'{"events": [{"target": {"url": "registry", "repository": "a b"}}]}',
        b'{"resource_url": "UPPER/Case:"}',
    ],
)
def test_what_names_nothing_is_nothing(body: bytes):
    assert pushed(body) == frozenset()


def test_what_is_nested_deeply_is_not_looked_for():
    assert pushed(b'{"a":' * 90 + b'{"clone_url": "https://github.com/team/web"}' + b"}" * 90) == frozenset()


@pytest.mark.parametrize("body", [b"", b"payload=%7B%7D", b"\xff\xfe", b"{"])
def test_what_is_not_json_is_refused(body: bytes):
    with pytest.raises(ValueError, match=r"Expecting|decode|Invalid|double"):
        pushed(body)
