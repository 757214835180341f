"""Manifests from typed arguments and from builds."""

from typing import Any

import pytest
from imagebuild import Build, BuildSecret, GitSource, UploadSource, image_build, rebuild

IMAGE = "registry.example.com/team/app:1"


def test_the_least_manifest():
    assert image_build([IMAGE], url="https://example.com/app.tar.gz") == {
        "apiVersion": "imagebuild.dev/v1alpha1",
        "kind": "ImageBuild",
        "metadata": {"generateName": "app-"},
        "spec": {"source": {"url": "https://example.com/app.tar.gz"}, "output": {"images": [IMAGE]}},
    }


def test_a_manifest_with_every_argument():
    manifest = image_build(
        [IMAGE, "docker.io/team/app"],
        git=GitSource("https://git.example.com/app", "v1", "git"),
        name="app-1",
        context_dir="web",
        dockerfile="docker/Dockerfile",
        target="prod",
        engine="BuildKit",
        build_args={"VERSION": "1", "EMPTY": ""},
        build_secrets=[BuildSecret("npm", "tokens", "npm")],
        platforms=["linux/amd64", "linux/arm64"],
        labels={"a": "b"},
        push=False,
        push_secret="push",
        pull_secrets=["pull"],
        cache_repo="registry.example.com/cache",
        timeout_seconds=60,
    )
    assert manifest["metadata"] == {"name": "app-1"}
    assert manifest["spec"] == {
        "source": {"git": {"url": "https://git.example.com/app", "revision": "v1", "secretRef": {"name": "git"}}},
        "contextDir": "web",
        "dockerfile": {"path": "docker/Dockerfile"},
        "target": "prod",
        "engine": "BuildKit",
        "buildArgs": [{"name": "VERSION", "value": "1"}, {"name": "EMPTY", "value": ""}],
        "buildSecrets": [{"id": "npm", "secretKeyRef": {"name": "tokens", "key": "npm"}}],
        "output": {
            "images": [IMAGE, "docker.io/team/app"],
            "pushSecretRef": {"name": "push"},
            "labels": {"a": "b"},
            "push": False,
            "platforms": ["linux/amd64", "linux/arm64"],
        },
        "pullSecretRefs": [{"name": "pull"}],
        "cache": {"enabled": True, "repo": "registry.example.com/cache"},
        "timeoutSeconds": 60,
    }


def test_files_are_an_inline_source():
    manifest = image_build([IMAGE], files={"Dockerfile": "FROM scratch\n"})
    assert manifest["spec"]["source"] == {"inline": {"files": {"Dockerfile": "FROM scratch\n"}}}


def test_an_upload_can_have_a_limit_and_a_digest():
    manifest = image_build([IMAGE], upload=UploadSource(max_bytes=10, sha256="ab" * 32))
    assert manifest["spec"]["source"] == {"upload": {"maxBytes": 10, "sha256": "ab" * 32}}


@pytest.mark.parametrize("sources", [{}, {"url": "https://e.example/a", "files": {"Dockerfile": "FROM scratch"}}])
def test_one_source_is_needed(sources: dict[str, Any]):
    with pytest.raises(ValueError, match="exactly one of git, url, files and upload"):
        image_build([IMAGE], **sources)


def test_an_image_is_needed():
    with pytest.raises(ValueError, match="no image"):
        image_build([], url="https://example.com/a.tar")


@pytest.mark.parametrize(
    ("image", "prefix"),
    [
        ("registry.example.com:5000/team/My_App:1", "my-app-"),
        ("app", "app-"),
        ("registry.example.com/" + "a" * 80, "a" * 57 + "-"),
        ("registry.example.com/___", "build-"),
    ],
)
def test_the_prefix_of_a_name(image: str, prefix: str):
    assert image_build([image], url="https://e.example/a")["metadata"] == {"generateName": prefix}


LABELS = {
    "branch": "main",
    # Whoever applied the old one would delete the new one.
    "argocd.argoproj.io/instance": "apps",
    "app.kubernetes.io/instance": "apps",
    "kustomize.toolkit.fluxcd.io/name": "apps",
}
OLD = Build(
    {
        "metadata": {"name": "app", "namespace": "team", "uid": "1", "labels": LABELS},
        "spec": {
            "source": {"git": {"url": "https://git.example.com/app", "revision": "v1"}},
            "output": {"images": [IMAGE]},
            "cancel": True,
            "suspend": False,
            "target": "prod",
        },
        "status": {"phase": "Cancelled"},
    }
)


def test_a_rebuild_has_the_spec_and_the_labels_without_what_is_of_one_run():
    assert rebuild(OLD) == {
        "apiVersion": "imagebuild.dev/v1alpha1",
        "kind": "ImageBuild",
        "metadata": {"generateName": "app-", "labels": {"branch": "main"}},
        "spec": {
            "source": {"git": {"url": "https://git.example.com/app", "revision": "v1"}},
            "output": {"images": [IMAGE]},
            "target": "prod",
        },
    }


def test_a_rebuild_with_changes():
    changes = {"source": {"git": {"revision": "v2"}}, "target": None}
    manifest = rebuild(OLD, name="app-2", changes=changes)
    assert manifest["metadata"]["name"] == "app-2"
    assert manifest["spec"]["source"] == {"git": {"url": "https://git.example.com/app", "revision": "v2"}}
    assert "target" not in manifest["spec"]
    assert OLD.spec["source"]["git"]["revision"] == "v1"
