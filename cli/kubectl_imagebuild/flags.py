"""Flags as the arguments of a manifest. Every function raises ValueError with what to write instead."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TextIO

import yaml
from imagebuild import Archive, Build, GitSource
from imagebuild_vocabulary.image_names import registry_of

#: Bytes that an upload may have by default.
MAX_BYTES: Final = 10 * 1024**3
#: Bytes of a CA bundle that a build may have.
MAX_CA_BYTES: Final = 100 * 1024
#: Bytes of a Dockerfile that the spec may have.
MAX_TEXT: Final = 98304


def build_args(options: Sequence[str], variables: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Read the values of --build-arg; as in docker, a name alone is that of a variable, which may be unset."""
    named = [each if "=" in each or each not in variables else f"{each}={variables[each]}" for each in options]
    return pairs("--build-arg", [each for each in named if "=" in each or not each])


def pairs(option: str, values: Sequence[str]) -> dict[str, str]:
    """Read the values of an option that is NAME=VALUE."""
    found: dict[str, str] = {}
    for each in values:
        name, separator, value = each.partition("=")
        if not separator or not name:
            raise ValueError(f"{option} {name}: write {option} NAME=VALUE")
        found[name] = value
    return found


def platforms(values: Sequence[str]) -> list[str]:
    """Read the values of --platform, each of which may be a list."""
    return [part.strip() for value in values for part in value.split(",") if part.strip()]


def plain_http(images: Sequence[str]) -> list[dict[str, Any]]:
    """The settings of the registries of images for --insecure."""
    hosts = dict.fromkeys(map(registry_of, images))
    return [{"host": host, "plainHTTP": True} for host in hosts]


def ca_bundle(path: str, *, insecure: bool) -> bytes:
    """Read the file of --ca-file; nothing where none is named.

    Raises:
        ValueError: it can't be read or has no certificate, or --insecure says that none is needed.
    """
    if not path:
        return b""
    if insecure:
        raise ValueError(f"--ca-file {path} and --insecure: leave one out, since plain HTTP has no certificates")
    try:
        found = Path(path).read_bytes()
    except OSError as error:
        raise ValueError(f"--ca-file {path}: {error.strerror}") from error
    if b"-----BEGIN CERTIFICATE-----" not in found:
        raise ValueError(f"--ca-file {path}: it has no certificate in PEM (-----BEGIN CERTIFICATE-----)")
    if len(found) > MAX_CA_BYTES:
        raise ValueError(f"--ca-file {path} has {len(found)} bytes, and may have {MAX_CA_BYTES}: name the CA alone")
    return found


def limits(cpu: str, memory: str) -> dict[str, str]:
    """The limits of the build container."""
    return {name: value for name, value in (("cpu", cpu), ("memory", memory)) if value}


def repository(context: str) -> tuple[GitSource, str] | None:
    """Read a build context as docker build does: a repository and the directory in it; None for one of this machine.

    Args:
        context: URL[#REVISION[:DIRECTORY]]; anything that is no URL is a directory of this machine.
    """
    if "://" not in context and not context.startswith("git@"):
        return None
    url, _, fragment = context.partition("#")
    revision, _, directory = fragment.partition(":")
    return GitSource(url, revision), directory.strip("/")


def git_source(url: str, revision: str, secret: str) -> GitSource | None:
    """Read --git URL[#REVISION] with --revision and --git-secret."""
    if not url:
        if revision or secret:
            raise ValueError("--revision and --git-secret belong to --git URL")
        return None
    address, _, fragment = url.partition("#")
    if fragment and revision:
        raise ValueError(f"--git names the revision {fragment}, and --revision another: set one of them")
    return GitSource(address, revision or fragment, secret)


@dataclass(frozen=True, slots=True)
class Dockerfile:
    """The Dockerfile of a directory.

    Attributes:
        text: Its text.
        path: Its path in the directory; empty if it is elsewhere, so that the spec has to have the text.
    """

    text: str
    path: str = ""

    @property
    def in_spec(self) -> dict[str, Any]:
        """The arguments of a manifest."""
        if not self.path:
            return {"dockerfile_text": self.text}
        return {"dockerfile": self.path} if self.path != "Dockerfile" else {}


def dockerfile_of(directory: Path, file: str, stdin: TextIO) -> Dockerfile:
    """Read the Dockerfile of a directory.

    Args:
        directory: The build context.
        file: The value of --file; empty for the Dockerfile of the directory, `-` for standard input.
        stdin: Standard input.
    """
    if not directory.is_dir():
        raise ValueError(
            f"{directory} is not a directory: write the directory of the build context, "
            "or use `kubectl imagebuild create` with --git or --url"
        )
    if file == "-":
        return dockerfile_from(stdin)
    path = Path(file) if file else directory / "Dockerfile"
    if not path.is_file():
        inside = directory / file
        advice = f"write -f {inside}" if file and inside.is_file() else "name the Dockerfile: -f PATH"
        raise ValueError(f"{path} is not a file: {advice}")
    text = path.read_text(encoding="utf-8", errors="replace")
    whole, root = path.parent.resolve() / path.name, directory.resolve()
    if whole.is_relative_to(root):
        return Dockerfile(text, whole.relative_to(root).as_posix())
    if (ignore := path.with_name(f"{path.name}.dockerignore")).exists():
        raise ValueError(
            f"-f {path} is outside of the directory {directory}, where {ignore} is not heeded: copy both into the "
            "directory, or name a directory that has them"
        )
    return _in_spec(text, path)


def dockerfile_from(stdin: TextIO) -> Dockerfile:
    """Read the Dockerfile of `-f -`."""
    return _in_spec(stdin.read(), "-")


def _in_spec(text: str, path: Path | str) -> Dockerfile:
    if not text.strip():
        raise ValueError(f"-f {path} is empty: write a Dockerfile")
    if "\ufffd" in text:
        raise ValueError(f"-f {path} is not UTF-8: copy it into the directory, which is sent as it is")
    if (size := len(text.encode())) > MAX_TEXT:
        raise ValueError(
            f"-f {path} has {size:,} bytes, and a Dockerfile outside of the directory may have {MAX_TEXT:,}: copy it "
            "into the directory"
        )
    return Dockerfile(text)


def manifest_of_file(text: str, name: str) -> dict[str, Any]:
    """Read the one ImageBuild of a YAML or JSON file.

    Args:
        text: The content of the file.
        name: Its name.
    """
    try:
        documents = [document for document in yaml.safe_load_all(text) if document is not None]
    except yaml.YAMLError as error:
        raise ValueError(f"{name} is not YAML: {' '.join(str(error).split())}") from error
    builds = [each for each in documents if isinstance(each, dict) and each.get("kind") == "ImageBuild"]
    if len(builds) != 1 or len(documents) != 1:
        raise ValueError(
            f"{name} has {len(builds)} ImageBuilds in {len(documents)} documents: write one ImageBuild only"
        )
    return dict(builds[0])


def changed_spec(
    build: Build, *, images: Sequence[str], revision: str, target: str, arguments: Mapping[str, str]
) -> dict[str, Any]:
    """Make the merge patch of a spec for `rerun`; empty values change nothing."""
    changes: dict[str, Any] = {}
    if images:
        changes["output"] = {"images": list(images)}
    if revision:
        if "git" not in (build.spec.get("source") or {}):
            raise ValueError(f"--revision: the source of ImageBuild {build.name} is not a git repository")
        changes["source"] = {"git": {"revision": revision}}
    if target:
        changes["target"] = target
    if arguments:
        kept = [entry for entry in build.spec.get("buildArgs") or () if entry["name"] not in arguments]
        changes["buildArgs"] = [*kept, *({"name": name, "value": value} for name, value in arguments.items())]
    return changes


def check_directory(build: Build, directory: str) -> None:
    """Check that `rerun` has a directory if, and only if, it needs one."""
    is_upload = "upload" in (build.spec.get("source") or {})
    if is_upload and not directory:
        raise ValueError(
            f"ImageBuild {build.name} was built from a directory of a machine: write kubectl imagebuild rerun "
            f"{build.name} DIR"
        )
    if directory and not is_upload:
        raise ValueError(f"the source of ImageBuild {build.name} is not upload: leave out the directory {directory}")


def upload_fields(build: Build, archive: Archive) -> dict[str, Any]:
    """Make the fields of source.upload for another directory."""
    limit = build.spec["source"]["upload"].get("maxBytes", MAX_BYTES)
    return {"sha256": archive.sha256, **({"maxBytes": archive.size} if archive.size > limit else {})}
