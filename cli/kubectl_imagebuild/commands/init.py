"""The command init."""

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from kubectl_imagebuild.first_build import (
    DOCKERFILES,
    PUSH_SECRET,
    Project,
    first_build,
    image_of,
    resource_name,
    secret_commands,
    without_credentials,
)
from kubectl_imagebuild.options import Namespace


def init(
    *,
    directory: Annotated[str, typer.Argument(metavar="DIR", help="Directory of the project.")] = ".",
    image: Annotated[
        str, typer.Option("-t", "--image", metavar="IMAGE", help="Image to push: REGISTRY/REPOSITORY:TAG.")
    ] = "",
    git: Annotated[
        str, typer.Option(metavar="URL[#REVISION]", help="Git repository. Default: the remote of DIR.")
    ] = "",
    dockerfile: Annotated[str, typer.Option(help="Path of the Dockerfile in DIR. Default: it is looked for.")] = "",
    push_secret: Annotated[str, typer.Option(help="Secret with the credentials for pushing.")] = PUSH_SECRET,
    git_secret: Annotated[
        str, typer.Option(help="Secret with the credentials of the repository. Default: git for an SSH URL, else none.")
    ] = "",
    file: Annotated[str, typer.Option("--to", metavar="FILE", help="File to write; - for standard output.")] = (
        "imagebuild.yaml"
    ),
    namespace: Namespace = "",
) -> None:
    """Write a first ImageBuild for a project, and print the commands that create its Secrets."""
    project = _project(Path(directory), git, dockerfile)
    if not image and sys.stdin.isatty() and sys.stdout.isatty():
        image = typer.prompt("Image to push", default=image_of(project, ""))
    image = image_of(project, image)
    git_secret = git_secret or ("git" if project.is_ssh else "")
    text = first_build(project, image, push_secret, git_secret, file if file != "-" else "FILE")
    if file == "-":
        sys.stdout.write(text)
    else:
        _write(Path(file), text)
    commands = secret_commands(project, image, push_secret, git_secret, namespace)
    sys.stderr.write("Create the Secrets, with credentials in place of the words in capitals:\n")
    sys.stderr.write("".join(f"  {command}\n" for command in commands))


def _write(file: Path, text: str) -> None:
    try:
        with file.open("x", encoding="utf-8") as opened:
            opened.write(text)
    except FileExistsError as error:
        raise ValueError(f"{file} exists: name another file with --to, or remove it") from error
    sys.stderr.write(f"Wrote {file}.\n")


def _project(directory: Path, git: str, dockerfile: str) -> Project:
    if not directory.is_dir():
        raise ValueError(f"{directory} is not a directory")
    url, _, revision = git.partition("#")
    name = resource_name(directory.resolve().name)
    if url:
        return Project(name, url, revision, dockerfile="" if dockerfile == "Dockerfile" else dockerfile)
    remote = without_credentials(_git(directory, "remote", "get-url", "origin"))
    if not remote:
        raise ValueError(
            f"{directory} has no Git remote named origin: name a repository with --git URL, "
            f"or build the directory itself: kubectl imagebuild build {directory} -t IMAGE"
        )
    branch = _git(directory, "rev-parse", "--abbrev-ref", "HEAD")
    return Project(
        name=resource_name(Path(remote.rpartition("/")[2] or name).stem),
        url=remote,
        revision="" if branch in {"", "HEAD"} else branch,
        context_dir=_git(directory, "rev-parse", "--show-prefix").strip("/"),
        dockerfile=_dockerfile(directory, dockerfile),
    )


def _dockerfile(directory: Path, given: str) -> str:
    found = next((name for name in ([given] if given else DOCKERFILES) if (directory / name).is_file()), None)
    if found is None:
        named = given or "Dockerfile"
        raise ValueError(f"{directory / named} is not a file: name the Dockerfile with --dockerfile PATH")
    return "" if found == "Dockerfile" else found


def _git(directory: Path, *arguments: str) -> str:
    """What Git prints; empty if it fails or is not installed."""
    try:
        done = subprocess.run(  # noqa: S603 - the user's own Git
            ["git", *arguments],  # noqa: S607 - same
            cwd=directory,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
