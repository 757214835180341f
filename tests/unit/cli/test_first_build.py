"""The file and the commands with which a project begins."""

import pytest
import yaml
from kubectl_imagebuild.first_build import (
    Project,
    first_build,
    image_of,
    resource_name,
    secret_commands,
    without_credentials,
)

HTTPS = Project("app", "https://git.example.com/team/app.git", "main", "services/web", "build/Dockerfile")
SSH = Project("app", "git@git.example.com:team/app.git")


def test_the_file():
    text = first_build(HTTPS, "registry.example.com/app:1", "push", "", "app.yaml")
    assert "kubectl imagebuild create -f app.yaml" in text
    assert yaml.safe_load(text) == {
        "apiVersion": "imagebuild.dev/v1alpha1",
        "kind": "ImageBuild",
        "metadata": {"generateName": "app-"},
        "spec": {
            "source": {"git": {"url": "https://git.example.com/team/app.git", "revision": "main"}},
            "contextDir": "services/web",
            "dockerfile": {"path": "build/Dockerfile"},
            "output": {"images": ["registry.example.com/app:1"], "pushSecretRef": {"name": "push"}},
        },
    }


def test_the_commands():
    assert secret_commands(HTTPS, "team/app", "push", "token", "") == [
        (
            "kubectl create secret docker-registry push --docker-server=https://index.docker.io/v1/ "
            "--docker-username=USER --docker-password=PASSWORD"
        ),
        (
            "kubectl create secret generic token --type=kubernetes.io/basic-auth "
            "--from-literal=username=USER --from-literal=password=TOKEN"
        ),
    ]
    ssh = secret_commands(SSH, "registry.example.com:5000/app", "push", "git", "team-a")
    assert ssh[0].startswith(
        "kubectl create secret docker-registry push -n team-a --docker-server=registry.example.com:"
    )
    assert "--from-file=ssh-privatekey=" in ssh[1]
    assert len(secret_commands(HTTPS, "team/app", "push", "", "")) == 1


@pytest.mark.parametrize(("text", "name"), [("My App", "my-app"), ("web_2.0", "web-2-0"), ("...", "app")])
def test_names(text: str, name: str):
    assert resource_name(text) == name


def test_no_credentials_get_into_the_file():
    assert without_credentials("https://user:token@git.example.com:8443/a") == "https://git.example.com:8443/a"
    assert without_credentials("git@git.example.com:a") == "git@git.example.com:a"


def test_the_placeholder():
    assert image_of(SSH, "") == "registry.example.com/team/app:1.0"
    assert image_of(SSH, "a/b") == "a/b"
