"""What is built: a Dockerfile, its context, and what is given on the command line."""

import json
import os
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kaniko_shim.request.build_secrets import BuildSecret, parse_secret_variables, read_build_secrets
from truth import cases

CONTEXT_BEGIN, CONTEXT_END = 1_000_000_000, 1_300_000_000
"""Modification times that the files of a context get: in a build, or in a base image, nothing is as old."""


@dataclass(frozen=True)
class Subject:
    """One build.

    Attributes:
        name: a name for people.
        root: a directory that the builder image gets, with the context in it.
        context: the build context; root, or a directory in it.
        dockerfile: the Dockerfile's path, below root.
        environment: variables of the shim that are given as they are.
    """

    name: str
    root: Path
    context: Path
    dockerfile: Path
    build_args: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    target: str = ""
    platform: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def secrets(self) -> list[BuildSecret]:
        """The build secrets."""
        origins = parse_secret_variables(self.environment.get("BUILD_SECRET_FROM", ""))
        found = read_build_secrets(self.environment, origins)
        return [each for each in found if isinstance(each, BuildSecret)]


def of_case(directory: Path, served: str, scratch: Path) -> Subject:
    """A directory as tests/cases/README.md describes it; only the Dockerfile must be there.

    Args:
        directory: with the Dockerfile, the context, and perhaps args.yaml and prepare.
        served: URL of the server that `{served}` stands for.
        scratch: where the context is copied to, in a directory of this directory's name.
    """
    arguments = cases.load(directory, "args.yaml")
    environment: dict[str, str] = dict(arguments.get("env", {}))
    root = cases.copy_context(directory, scratch / directory.name)
    _set_times(root)
    context = root / environment.get("CONTEXT_SUB_PATH", "")
    dockerfile = context / environment.get("DOCKERFILE_PATH", "Dockerfile")
    if "DOCKERFILE_CONTENT" in environment:
        # Only an empty context is given with it.
        context = scratch / f"{directory.name}-empty"
        context.mkdir()
        dockerfile = scratch / f"{directory.name}-dockerfile" / "Dockerfile"
        dockerfile.parent.mkdir()
        dockerfile.write_text(environment["DOCKERFILE_CONTENT"])
    labels: dict[str, Any] = json.loads(environment.get("LABELS", "{}"))
    return Subject(
        directory.name,
        root,
        context,
        dockerfile.resolve(),
        {name: str(value).replace("{served}", served) for name, value in arguments.get("build_args", {}).items()},
        labels,
        environment.get("TARGET", ""),
        environment.get("PLATFORM", ""),
        environment,
    )


def _set_times(root: Path) -> None:
    """Give each file a modification time of its own, which is the same in every run.

    It depends on the case, too: BuildKit takes a file of the same path, size and time for the one of the case before.
    """
    for path in sorted(root.rglob("*")):
        name = os.fsencode(path.relative_to(root.parent))
        moment = CONTEXT_BEGIN + zlib.crc32(name) % (CONTEXT_END - CONTEXT_BEGIN)
        os.utime(path, (moment, moment), follow_symlinks=False)


def of_dockerfile(dockerfile: Path, context: Path) -> Subject:
    """A Dockerfile anywhere in a context that is not changed.

    Raises:
        ValueError: it lies outside.
    """
    relative = dockerfile.resolve().relative_to(context.resolve())
    name = dockerfile.name.lower().removeprefix("dockerfile").strip("._-") or dockerfile.parent.name
    return Subject(
        name, context.resolve(), context.resolve(), dockerfile.resolve(), environment={"DOCKERFILE_PATH": str(relative)}
    )
