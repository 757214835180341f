"""A build with BuildKit, from the fetched context to an OCI layout."""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from kaniko_shim.dockerfile import files
from kaniko_shim.dockerfile.frontend import refuse_syntax
from kaniko_shim.dockerfile.instruction import Instruction
from kaniko_shim.dockerfile.mount_secrets import refuse_missing_secrets, ssh_keys, unused_secrets
from kaniko_shim.dockerfile.parse import parse_dockerfile
from kaniko_shim.dockerfile.refusal import refusal
from kaniko_shim.dockerfile.stages import Stage, split_stages
from kaniko_shim.engines.buildkit import command, daemon
from kaniko_shim.engines.buildkit.context import lost_modes
from kaniko_shim.engines.buildkit.failure import Evidence, explain
from kaniko_shim.engines.buildkit.follow import Follower
from kaniko_shim.engines.buildkit.intake import CACHE, IMAGE, Intake, listening
from kaniko_shim.engines.engine import Built, shown
from kaniko_shim.oci.digests import DIGEST
from kaniko_shim.oci.platform import Platform
from kaniko_shim.outcome.errors import Failure, cancelled
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.registry.base_images import UNKNOWN_BASES, BaseImages, resolve
from kaniko_shim.registry.cache_push import CACHE_LAYOUT
from kaniko_shim.registry.crane import Crane
from kaniko_shim.registry.logins import Logins
from kaniko_shim.registry.present_blobs import PresentBlobs
from kaniko_shim.registry.references import ImageReference, parse_reference
from kaniko_shim.registry.registry_api import RegistryApi
from kaniko_shim.request.build_request import BuildRequest
from kaniko_shim.sources.fetch import context_directory
from kaniko_shim.system.container.machine import architecture
from kaniko_shim.system.container.memory import oom_kills
from kaniko_shim.system.job import Job
from kaniko_shim.system.processes import process
from kaniko_shim.system.tool_environment import tool_environment

_SECRETS = "secrets"
_DIGEST = "containerimage.digest"
_CACHE_MANIFEST = "cache.manifest"
_POLICY = "source-policy.json"


@dataclass(frozen=True, slots=True)
class _Dockerfile:
    path: Path
    checksum: str
    instructions: tuple[Instruction, ...]
    stages: tuple[Stage, ...]
    ssh_keys: frozenset[str]

    def at(self, line: int) -> str:
        """The instruction in a line; empty if there is none."""
        begun = [each for each in self.instructions if each.line <= line]
        return begun[-1].text if begun and line else ""


def build(request: BuildRequest, job: Job, logins: Logins) -> Built:
    """Build the fetched context into the layout of the request.

    Raises:
        JobError: the build was refused before it began, or BuildKit can't run here.
        CancelledError: it was cancelled before.
    """
    command.refuse(request)
    context = context_directory(job.paths.context, request.source)
    dockerfile = _read_dockerfile(request, job, context)
    if warning := lost_modes(context):
        job.warn(warning)
    follower = Follower(job, dockerfile.stages)
    job.phases.enter("starting BuildKit")
    begin = job.phases.now()
    metadata = job.paths.scratch / "metadata.json"
    metadata.unlink(missing_ok=True)
    try:
        with _intake(request, job, logins) as intake, daemon.running(request, job):
            secrets = _write_secrets(request, job)
            policy = job.paths.scratch / _POLICY
            if request.allowed_base_images:
                policy.write_text(command.source_policy(request.allowed_base_images), encoding="utf-8")
            places = command.Places(
                context, dockerfile.path, intake.address, metadata, secrets, dockerfile.ssh_keys, policy
            )
            failure = _run(request, job, places, follower, dockerfile, intake)
            digests = {} if failure else _digests(metadata)
            if failure is None and not intake.finish(IMAGE, digests.get(IMAGE, "")):
                failure = Failure(Reason.INTERNAL, "BuildKit has not reported the image that it has built.")
            intake.finish(CACHE, digests.get(CACHE, ""), command.cache_tag(request))
    finally:
        shutil.rmtree(job.paths.scratch / _SECRETS, ignore_errors=True)
    job.phases.timings.build = job.phases.milliseconds(begin)
    bases = BaseImages(Crane(job.paths, job.environment, request.registries, logins), request.registries)
    pulled = {} if failure else {name: f"{name}@{digest}" for name, digest in follower.bases.items()}
    base_images = resolve(bases, pulled, request.platform or Platform("linux", architecture()))
    if base_images is None:
        job.warn(UNKNOWN_BASES.format(", ".join(pulled)))
    return Built(
        logins.explain(failure) if failure else None,
        dockerfile.checksum,
        digests.get(IMAGE, ""),
        follower.cache if request.cache else None,
        base_images=base_images,
    )


def plan(request: BuildRequest, job: Job) -> str:
    """The command for --dry-run; nothing is fetched."""
    command.refuse(request)
    context = job.paths.context / request.source.sub_path.strip("/")
    name = job.paths.inline_dockerfile if request.dockerfile_content else context / request.dockerfile_path
    secrets = {secret.id: job.paths.scratch / _SECRETS / secret.id for secret in request.build_secrets}
    places = command.Places(context, name, "127.0.0.1:PORT/NAME", job.paths.scratch / "metadata.json", secrets)
    places = replace(places, policy=job.paths.scratch / _POLICY)
    return shown(command.invocation(request, places, job.paths, job.environment))


def _read_dockerfile(request: BuildRequest, job: Job, context: Path) -> _Dockerfile:
    if request.dockerfile_content:
        name, path = "DOCKERFILE_CONTENT", job.paths.inline_dockerfile
        # A directory of its own, since the daemon may read all that is next to it.
        path = path.parent / "dockerfile" / path.name
        path.parent.mkdir(exist_ok=True)
        path.write_text(request.dockerfile_content, encoding="utf-8")
    else:
        name = request.dockerfile_path
        path = files.locate(job.paths.context, context, name)
    content = files.read(path, name)
    refuse_syntax(content, name)
    instructions = parse_dockerfile(content)
    stages = split_stages(instructions).built(request.target)
    runs = [each for stage in stages for each in stage.instructions if each.keyword == "RUN"]
    for instruction in runs:
        if instruction.flag("--security") not in {None, "sandbox"} or instruction.flag("--device") is not None:
            problem = "a build has no privileges or devices that it could give to a RUN"
            raise refusal(Reason.DOCKERFILE_UNSUPPORTED, name, instruction, problem, "Remove --security and --device.")
    secrets = {secret.id for secret in request.build_secrets}
    keys = frozenset[str]()
    # What is malformed is BuildKit's to refuse.
    with suppress(ValueError):
        refuse_missing_secrets(runs, secrets, name)
        keys = ssh_keys(runs)
        for warning in unused_secrets(runs, secrets):
            job.warn(warning)
    return _Dockerfile(path, sha256(path.read_bytes()).hexdigest(), instructions, stages, keys)


def _write_secrets(request: BuildRequest, job: Job) -> Mapping[str, Path]:
    folder = job.paths.scratch / _SECRETS
    written = {secret.id: folder / secret.id for secret in request.build_secrets}
    if written:
        folder.mkdir(mode=0o700, exist_ok=True)
    for secret in request.build_secrets:
        written[secret.id].touch(mode=0o600)
        written[secret.id].write_bytes(secret.value)
    return written


@contextmanager
def _intake(request: BuildRequest, job: Job, logins: Logins) -> Iterator[Intake]:
    """What takes in the image and the cache, without the blobs that are where they go to."""
    layout = Path(request.layout)
    api = RegistryApi(request.registries, logins, job.environment)
    crane = Crane(job.paths, job.environment, request.registries, logins)
    places = dict[str, tuple[ImageReference, ...]]()
    if request.only_new_layers:
        places[IMAGE] = tuple(dict.fromkeys(replace(each, tag="") for each in request.outputs))
    if request.cache:
        places[CACHE] = (parse_reference(request.cache.repo),)
    with ExitStack() as connections:
        present = {kind: PresentBlobs(api, crane, each, connections) for kind, each in places.items()}
        yield connections.enter_context(listening({IMAGE: layout, CACHE: layout / CACHE_LAYOUT}, present))


def _run(
    request: BuildRequest,
    job: Job,
    places: command.Places,
    follower: Follower,
    dockerfile: _Dockerfile,
    intake: Intake,
) -> Failure | None:
    kills = oom_kills()
    # buildctl looks for its own settings in HOME.
    environment = tool_environment(job.environment, job.paths) | {"HOME": str(job.paths.scratch)}
    ended = process.run(
        command.invocation(request, places, job.paths, environment),
        on_line=follower.read,
        on_silence=follower.silence,
        silence=request.heartbeat_seconds,
        masker=job.console.masker,
    )
    follower.end()
    if ended.stopped_by:
        return cancelled(ended.stopped_by)
    if ended.code == 0:
        return None
    mask = job.console.masker.mask
    text = mask("\n".join(follower.text))
    for line in text.splitlines():
        job.relay(line, "buildctl")
    if ended.code is None and not text:
        return Failure(Reason.INTERNAL, f"buildctl was killed by signal {ended.signal}: {daemon.last_words(job)}.")
    evidence = Evidence(
        text,
        vertex=follower.failed.name if follower.failed else "",
        error=mask(follower.failed.error) if follower.failed else "",
        printed=mask(follower.printed),
        disk_full=follower.disk_full or intake.disk_full,
        out_of_memory=None if kills is None else (oom_kills() or 0) > kills,
        allowed=request.allowed_base_images,
    )
    return explain(evidence, dockerfile.at(evidence.line))


def _digests(path: Path) -> Mapping[str, str]:
    """What the daemon has built, by kind."""
    try:
        document = json.loads(path.read_bytes())
        cache = document.get(_CACHE_MANIFEST)
        # A descriptor, as text.
        found = {IMAGE: document.get(_DIGEST), CACHE: json.loads(cache)["digest"] if cache else None}
    except (OSError, ValueError, AttributeError, TypeError, KeyError):
        return {}
    return {kind: digest for kind, digest in found.items() if isinstance(digest, str) and DIGEST.fullmatch(digest)}
