"""Kubeconfigs as values."""

from pathlib import Path
from typing import Any

import pytest
from imagebuild.kubeconfig import Access, content, impersonation, merge

HOME = Path("/home/a/.kube/config")


def config(context: str = "dev", **user: object) -> dict[str, Any]:
    return {
        "current-context": context,
        "contexts": [{"name": context, "context": {"cluster": "c", "user": "u", "namespace": "team"}}],
        "clusters": [{"name": "c", "cluster": {"server": "https://c.example.com/", "certificate-authority": "ca.crt"}}],
        "users": [{"name": "u", "user": user}],
    }


def test_the_current_context_with_absolute_paths():
    access = merge([(HOME, config(tokenFile="token", exec={"command": "./bin/login"}))]).access()
    user = {"tokenFile": "/home/a/.kube/token", "exec": {"command": "/home/a/.kube/bin/login"}}
    cluster = {"server": "https://c.example.com/", "certificate-authority": "/home/a/.kube/ca.crt"}
    assert access == Access(cluster, user, "team", "dev")
    assert access.server == "https://c.example.com"


def test_a_plugin_on_the_path_keeps_its_name():
    assert merge([(HOME, config(exec={"command": "aws"}))]).access().user == {"exec": {"command": "aws"}}


def test_of_several_kubeconfigs_the_first_one_counts():
    other = config("prod", token="second")
    other["users"].append({"name": "v", "user": {"token": "v"}})
    both = merge([(HOME, None), (HOME, config(token="first")), (Path("/etc/b"), other)])
    assert both.access().user == {"token": "first"}
    assert both.access("prod").user == {"token": "first"}
    assert set(both.contexts) == {"dev", "prod"}
    assert both.users["v"] == {"token": "v"}


def test_a_context_without_user_and_namespace():
    document = config()
    document["contexts"][0]["context"] = {"cluster": "c"}
    access = merge([(HOME, document)]).access()
    assert (access.user, access.namespace) == ({}, "default")


@pytest.mark.parametrize(
    ("documents", "name", "message"),
    [
        ([], None, "no current context"),
        ([config()], "other", "no context other"),
        ([{"contexts": [{"name": "a", "context": {"cluster": "x"}}]}], "a", "names no cluster that has a server"),
        (["text"], None, "not a kubeconfig"),
        ([{"users": [{"user": {}}]}], None, "an entry of users in .* has no name"),
    ],
)
def test_what_cannot_be_used(documents: list[Any], name: str | None, message: str):
    with pytest.raises(ValueError, match=message):
        merge((HOME, document) for document in documents).access(name)


def test_files_and_data(tmp_path: Path):
    (tmp_path / "key").write_text("of the file")
    fields = {"client-key": str(tmp_path / "key")}
    assert content(fields, "client-key") == b"of the file"
    assert content({**fields, "client-key-data": "ZGF0YQ=="}, "client-key") == b"data"
    assert content({}, "client-key") is None
    with pytest.raises(ValueError, match="client-key-data is no base64"):
        content({"client-key-data": "x"}, "client-key")


def test_acting_as_another_user():
    user = {"as": "alice", "as-uid": 7, "as-groups": ["a", "b"], "as-user-extra": {"scopes/x": ["read"]}}
    assert impersonation(user) == [
        ("Impersonate-User", "alice"),
        ("Impersonate-Uid", "7"),
        ("Impersonate-Group", "a"),
        ("Impersonate-Group", "b"),
        ("Impersonate-Extra-scopes%2Fx", "read"),
    ]
    assert impersonation({}) == []
