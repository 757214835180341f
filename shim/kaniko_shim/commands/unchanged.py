"""Whether the registry already has the image that a build would make (SKIP_IF_UNCHANGED).

An image says in its annotations what it was made from: a hash of the request, the Dockerfile and the files of the
context, and the digests of its base images. Only an engine whose builder no RUN can reach writes them, so no Dockerfile
can pass its image off as that of another commit.
"""

import json
import os
import stat
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Final

from kaniko_shim.dockerfile import files
from kaniko_shim.dockerfile.instruction import Instruction
from kaniko_shim.dockerfile.parse import parse_dockerfile
from kaniko_shim.dockerfile.stages import sources
from kaniko_shim.engines.engine import Built
from kaniko_shim.oci.blobs import write_layout
from kaniko_shim.oci.digests import digest_of
from kaniko_shim.oci.media_types import MANIFEST
from kaniko_shim.oci.platform import Platform
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.result import BaseImage
from kaniko_shim.registry.base_images import BaseImages, resolve
from kaniko_shim.registry.crane import Crane
from kaniko_shim.registry.logins import Logins
from kaniko_shim.registry.present_blobs import PresentBlobs
from kaniko_shim.registry.references import ImageReference
from kaniko_shim.registry.registry_api import RegistryApi
from kaniko_shim.request.build_request import BuildRequest
from kaniko_shim.sources.fetch import context_directory
from kaniko_shim.system.container.machine import architecture
from kaniko_shim.system.job import Job
from kaniko_shim.system.json_text import load_json

INPUTS: Final = "dev.imagebuild.inputs"
"""Annotation of an image: the hash of what it was made from, but its base images."""

BASE_IMAGES: Final = "dev.imagebuild.base-images"
"""Annotation of an image: the digest of each base image, by its name, as JSON."""

#: Changes with what the hash is made of.
_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Inputs:
    """What an image is made from, but its base images.

    Attributes:
        hash: of all of it.
        checksum: SHA-256 of the Dockerfile, in hexadecimal.
    """

    hash: str
    checksum: str


def read_inputs(request: BuildRequest, job: Job) -> Inputs | None:
    """What the image is made from; None if a part of it is not in the context.

    Raises:
        JobError: the context has no such directory or Dockerfile.
    """
    context = context_directory(job.paths.context, request.source)
    dockerfile = request.dockerfile_content.encode()
    if not dockerfile:
        path = files.locate(job.paths.context, context, request.dockerfile_path)
        dockerfile = files.read(path, request.dockerfile_path)
    if remote := [each for each in parse_dockerfile(dockerfile) if _is_remote(each)]:
        job.warn(f"The image is built anyway: ADD in line {remote[0].line} needs a --checksum for SKIP_IF_UNCHANGED.")
        return None
    checksum = sha256(dockerfile).hexdigest()
    document = {
        "version": _VERSION,
        "context": hash_tree(context),
        "dockerfile": checksum,
        "target": request.target,
        "buildArgs": sorted((argument.name, argument.value) for argument in request.build_args),
        "buildSecrets": sorted(secret.id for secret in request.build_secrets),
        "labels": sorted((label.name, label.value) for label in request.labels),
        "platform": _platform(request).name,
        "withoutNetwork": request.without_network,
        "timestamp": request.timestamp,
        # What was built before they were narrowed may have another.
        "allowedBaseImages": sorted(request.allowed_base_images),
    }
    return Inputs(sha256(json.dumps(document, sort_keys=True).encode()).hexdigest(), checksum)


def annotations(inputs: Inputs | None, built: Built) -> Mapping[str, str]:
    """The annotations of an image that was built from inputs; none if something of them is not known."""
    if inputs is None or built.base_images is None:
        return {}
    bases = {each.reference: each.digest for each in built.base_images}
    return {INPUTS: inputs.hash, BASE_IMAGES: json.dumps(bases, sort_keys=True)}


def find_unchanged(request: BuildRequest, job: Job, logins: Logins, inputs: Inputs | None) -> Built | None:
    """The image of the same inputs that an output has, in the layout of the request without its layers; None if none.

    What cannot be looked up is not there: then it is built.
    """
    # The layers are where the image is to be, so nothing else may read them.
    if inputs is None or not request.only_new_layers:
        return None
    crane = Crane(job.paths, job.environment, request.registries, logins)
    bases = BaseImages(crane, request.registries)
    repositories = tuple(dict.fromkeys(replace(each, tag="") for each in request.outputs))
    with ExitStack() as connections:
        api = RegistryApi(request.registries, logins, job.environment)
        present = PresentBlobs(api, crane, repositories, connections)
        for output in request.outputs:
            found = _find(output, crane, bases, inputs.hash, _platform(request))
            if found is not None and all(map(present.has, found.layers)):
                found.write(Path(request.layout))
                job.say(f"{output.name} is unchanged: {found.digest} was made from the same inputs")
                return Built(None, inputs.checksum, found.digest, base_images=found.bases, is_unchanged=True)
    return None


@dataclass(frozen=True, slots=True)
class _Found:
    """An image in the registry: its manifest, its configuration, the digests of its layers, and its base images."""

    manifest: bytes
    config: bytes
    layers: tuple[str, ...]
    bases: tuple[BaseImage, ...]

    @property
    def digest(self) -> str:
        return digest_of(self.manifest)

    def write(self, layout: Path) -> None:
        """Write it into a layout, without its layers."""
        descriptor = {"mediaType": MANIFEST, "digest": self.digest, "size": len(self.manifest)}
        index = json.dumps({"schemaVersion": 2, "manifests": [descriptor]}).encode()
        write_layout(layout, index, (self.manifest, self.config))


def _find(output: ImageReference, crane: Crane, bases: BaseImages, inputs: str, platform: Platform) -> _Found | None:
    try:
        place = replace(output, tag="", digest=crane.digest_for(output, platform))
        content = crane.manifest(place)
        manifest = load_json(content)
        own = manifest.get("annotations") if isinstance(manifest, dict) else None
        if not isinstance(own, dict) or own.get(INPUTS) != inputs or manifest.get("mediaType") != MANIFEST:
            return None
        recorded = load_json(str(own.get(BASE_IMAGES)).encode())
        if not isinstance(recorded, dict):
            return None
        now = resolve(bases, {str(name): str(name) for name in recorded}, platform)
        if now is None or {each.reference: each.digest for each in now} != recorded:
            return None
        config = crane.blob(place, manifest["config"]["digest"])
        return _Found(content, config, tuple(layer["digest"] for layer in manifest["layers"]), now)
    except (JobError, ValueError, KeyError, TypeError):
        # A registry may have anything.
        return None


def hash_tree(directory: Path) -> str:
    """The hash of the names, kinds, permissions and contents of all that is in a directory."""
    whole = sha256()
    for path in sorted(_walk(directory), key=os.fsencode):
        state = path.lstat()
        if stat.S_ISREG(state.st_mode):
            with path.open("rb") as stream:
                content = file_digest(stream, "sha256").hexdigest()
        else:
            content = os.readlink(path) if stat.S_ISLNK(state.st_mode) else ""  # noqa: PTH115 - as it is written
        entry = [os.fsencode(path.relative_to(directory)).hex(), state.st_mode, os.fsencode(content).hex()]
        whole.update(json.dumps(entry).encode())
    return whole.hexdigest()


def _walk(directory: Path) -> Iterable[Path]:
    for folder, folders, names in os.walk(directory):
        yield from (Path(folder, name) for name in (*folders, *names))


def _is_remote(instruction: Instruction) -> bool:
    """Whether an instruction adds what may be something else the next time."""
    if instruction.keyword != "ADD" or instruction.flag("--checksum") is not None:
        return False
    return any("://" in each or "$" in each or each.startswith("git@") for each in sources(instruction))


def _platform(request: BuildRequest) -> Platform:
    return request.platform or Platform("linux", architecture())
