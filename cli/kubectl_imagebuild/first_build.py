"""The file and the commands with which a project begins. Pure."""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import yaml
from imagebuild import GitSource, image_build

from kubectl_imagebuild.checks.secrets import DOCKER_HUB, registry_host

#: The image if none is named.
PLACEHOLDER: Final = "registry.example.com/team"
#: The Secret for pushing if none is named.
PUSH_SECRET: Final = "registry-push"  # noqa: S105 - a name
#: Where a Dockerfile usually is, in the order in which they are looked for.
DOCKERFILES: Final = ("Dockerfile", "Containerfile", "docker/Dockerfile", "build/Dockerfile")
_HEAD: Final = """\
# The first build of {name}. Create it, and follow it to its end:
#   kubectl imagebuild create -f {file}
# Without running it, see what the operator would do: kubectl imagebuild explain -f {file}
"""


@dataclass(frozen=True, slots=True)
class Project:
    """What is built.

    Attributes:
        name: Name of the project, as a part of the name of a resource.
        url: URL of its repository.
        revision: Branch, tag or commit; empty for the default branch.
        context_dir: Directory of the repository that is the build context; empty for its root.
        dockerfile: Path of the Dockerfile in the context; empty for the default one.
    """

    name: str
    url: str
    revision: str = ""
    context_dir: str = ""
    dockerfile: str = ""

    @property
    def is_ssh(self) -> bool:
        """Whether the repository is fetched over SSH."""
        return self.url.startswith("ssh://") or "://" not in self.url


def resource_name(text: str) -> str:
    """A name of a resource, made from any text."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:50].rstrip("-") or "app"


def without_credentials(url: str) -> str:
    """A URL of a repository as a spec may hold it: the user name and password of HTTPS are for a Secret."""
    if not url.startswith(("http://", "https://")):
        return url
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def image_of(project: Project, image: str) -> str:
    """The image to push, or else a placeholder."""
    return image or f"{PLACEHOLDER}/{project.name}:1.0"


def first_build(project: Project, image: str, push_secret: str, git_secret: str, file: str) -> str:
    """The YAML of an ImageBuild.

    Args:
        project: What is built.
        image: The image to push.
        push_secret: Name of the Secret for pushing.
        git_secret: Name of the Secret for the repository; empty for none.
        file: Name of the file.
    """
    manifest = image_build(
        [image],
        git=GitSource(project.url, project.revision, git_secret),
        generate_name=f"{project.name}-",
        context_dir=project.context_dir,
        dockerfile=project.dockerfile,
        push_secret=push_secret,
    )
    return _HEAD.format(name=project.name, file=file) + yaml.safe_dump(manifest, sort_keys=False)


def secret_commands(project: Project, image: str, push_secret: str, git_secret: str, namespace: str) -> list[str]:
    """The commands that create the Secrets, with placeholders for the credentials.

    Args:
        project: What is built.
        image: The image to push.
        push_secret: Name of the Secret for pushing.
        git_secret: Name of the Secret for the repository; empty for none.
        namespace: The namespace; empty for that of the context.
    """
    inside = f" -n {namespace}" if namespace else ""
    host = registry_host(image)
    server = DOCKER_HUB if host == "index.docker.io" else host
    push = (
        f"kubectl create secret docker-registry {push_secret}{inside} --docker-server={server} "
        "--docker-username=USER --docker-password=PASSWORD"
    )
    found = [push]
    if git_secret and project.is_ssh:
        found.append(
            f"kubectl create secret generic {git_secret}{inside} --type=kubernetes.io/ssh-auth "
            "--from-file=ssh-privatekey=PRIVATE_KEY_FILE --from-file=known_hosts=KNOWN_HOSTS_FILE"
        )
    elif git_secret:
        found.append(
            f"kubectl create secret generic {git_secret}{inside} --type=kubernetes.io/basic-auth "
            "--from-literal=username=USER --from-literal=password=TOKEN"
        )
    return found
