"""The engine that runs the kaniko executor.

The executor builds in the root file system of its own container and differs from Docker in many ways; what is here
makes it build what Docker would, or refuses.
"""

import os
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from kaniko_shim.engines.engine import Built, shown
from kaniko_shim.engines.kaniko.adapt.context.ignore import explain_ignored
from kaniko_shim.engines.kaniko.adapt.effective import EffectiveDockerfile, make_effective
from kaniko_shim.engines.kaniko.executor import command as executor
from kaniko_shim.engines.kaniko.executor.abilities import Abilities
from kaniko_shim.engines.kaniko.executor.culprit import find_culprit, missing_path
from kaniko_shim.engines.kaniko.executor.follow import Follower
from kaniko_shim.engines.kaniko.executor.help import probe
from kaniko_shim.engines.kaniko.executor.named_owners import NamedOwners
from kaniko_shim.engines.kaniko.executor.progress import Progress
from kaniko_shim.engines.kaniko.executor.saved_files import SavedFiles
from kaniko_shim.engines.kaniko.mounts.preparing import Sources
from kaniko_shim.engines.kaniko.mounts.service import MountService
from kaniko_shim.oci.digests import DIGEST
from kaniko_shim.outcome.classify import classify
from kaniko_shim.outcome.errors import Failure, JobError, cancelled
from kaniko_shim.outcome.evidence import Evidence, Tried
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.outcome.result import BaseImage
from kaniko_shim.registry.allowed_images import is_allowed, not_allowed
from kaniko_shim.registry.base_images import UNKNOWN_BASES, BaseImages, places, resolve
from kaniko_shim.registry.crane import Crane
from kaniko_shim.registry.logins import Logins
from kaniko_shim.registry.plain_http import TlsGuard
from kaniko_shim.registry.references import parse_reference, registry_of
from kaniko_shim.request.build_request import BuildRequest
from kaniko_shim.sources.fetch import context_directory
from kaniko_shim.system.container.machine import architecture
from kaniko_shim.system.container.memory import oom_kills
from kaniko_shim.system.container.mounts import has_mount_below, read_mountinfo
from kaniko_shim.system.heartbeat import heartbeat
from kaniko_shim.system.imports import refuse_imports
from kaniko_shim.system.job import Job
from kaniko_shim.system.processes import process
from kaniko_shim.system.processes.invocation import Invocation
from kaniko_shim.system.processes.leftovers import LeftoverError

_TRIGGERS = (
    "A base image has triggers (ONBUILD). The cache may not notice renamed files that the triggers copy: set "
    "CACHE=false after a rename."
)
# A mount that kind adds to every container, and that can't be replaced.
_PRODUCT_UUID = Path("/product_uuid")
_VAR_RUN = "/var/run"
_VAR_RUN_LOST = (
    "Changes of /var/run are left out of the image, because something is mounted there, usually a service account's "
    "token. Use /run instead, or build without that mount."
)
_LONGEST_DIGEST = 200


@dataclass(frozen=True, slots=True)
class _Prepared:
    command: Invocation
    logins: Logins = field(repr=False)
    dockerfile: EffectiveDockerfile
    saved: SavedFiles
    is_old: bool
    base_images: tuple[BaseImage, ...] | None


def build(request: BuildRequest, job: Job, logins: Logins) -> Built:
    """Build the fetched context.

    Raises:
        JobError: the build was refused before the executor ran.
        CancelledError: it was cancelled before.
    """
    _refuse(request)
    prepared = _prepare(request, job, logins)
    outputs = (output.name for output in request.outputs)
    progress = Progress(outputs, prepared.dockerfile.steps, job.console.masker.mask)
    failure = _execute(request, job, prepared, progress)
    if request.cache and progress.triggers and prepared.is_old:
        job.warn(_TRIGGERS)
    if failure is None and prepared.base_images is None:
        job.warn(UNKNOWN_BASES.format(", ".join(prepared.dockerfile.images)))
    cache = progress.cache if request.cache else None
    digest = _read_digest(job.paths.digest_file)
    return Built(
        failure,
        prepared.dockerfile.checksum,
        digest,
        cache,
        is_pushed=request.push,
        base_images=prepared.base_images,
    )


def _refuse(request: BuildRequest) -> None:
    """Refuse what this engine would leave out without a word."""
    for name, is_set in (("RUN_NETWORK", request.without_network), ("IMAGE_TIMESTAMP", request.timestamp is not None)):
        if is_set:
            raise JobError(
                Reason.INVALID_SPEC, f"{name}: kaniko can't do that.", hint="Use the engine BuildKit, or leave it out."
            )


def plan(request: BuildRequest, job: Job) -> str:
    """The executor's command for --dry-run; nothing is fetched."""
    name = request.dockerfile_path if not request.dockerfile_content else str(job.paths.inline_dockerfile)
    context = job.paths.context / request.source.sub_path.strip("/")
    return shown(_command(request, job, context, context / name, probe(job.paths)))


def _prepare(request: BuildRequest, job: Job, logins: Logins) -> _Prepared:
    paths = job.paths
    context = context_directory(paths.context, request.source)
    abilities = probe(paths)
    support = replace(abilities.support, architecture=architecture(), target=request.platform)
    bases = BaseImages(Crane(paths, job.environment, request.registries, logins), request.registries)
    with heartbeat(job.beat, request.heartbeat_seconds):
        dockerfile = make_effective(request, context, support, paths, bases)
    _require_allowed(request.allowed_base_images, dockerfile)
    if request.layout:
        Path(request.layout).mkdir(parents=True, exist_ok=True)
    paths.digest_file.unlink(missing_ok=True)
    with heartbeat(job.beat, request.heartbeat_seconds):
        guard = TlsGuard(request.registries, job.environment)
        _require_tls(guard, request, dockerfile)
        reached = replace(dockerfile.request, registries=guard.without_unreachable_mirrors())
        try:
            guard.require(filter(None, [registry_of(request.cache.repo if request.cache else "")]), crane=False)
        except JobError as error:
            job.warn(f"The build does without its layer cache: {error.failure.message}")
            reached = replace(reached, cache=None)
    for warning in dockerfile.warnings:
        job.warn(warning)
    if not _keeps_var_run() and any(_VAR_RUN in instruction.text for instruction in dockerfile.instructions):
        job.warn(_VAR_RUN_LOST)
    command = _command(reached, job, context, dockerfile.path, abilities)
    saved = SavedFiles(
        dockerfile.instructions,
        destinations=dockerfile.destinations,
        capable=dockerfile.capable,
        copies_modes=support.is_old,
    )
    named = dict[str, str]()
    for image in dockerfile.images:
        # The executor refuses what is no name.
        with suppress(ValueError):
            named[parse_reference(image).familiar] = image
    named.pop("docker.io/library/scratch:latest", None)
    with heartbeat(job.beat, request.heartbeat_seconds):
        found = resolve(bases, named, support.platform)
    return _Prepared(command, logins, dockerfile, saved, is_old=support.is_old, base_images=found)


def _require_allowed(allowed: tuple[str, ...], dockerfile: EffectiveDockerfile) -> None:
    """Refuse base images that a build here may not have."""
    for image in dockerfile.images if allowed else ():
        if image != "scratch" and not is_allowed(image, allowed):
            raise JobError.of(_at(dockerfile, image, not_allowed(image, allowed)))


def _require_tls(guard: TlsGuard, request: BuildRequest, dockerfile: EffectiveDockerfile) -> None:
    """Refuse registries that the executor would reach by plain HTTP, and name the line of an image."""
    if request.push:
        guard.require((output.registry for output in request.outputs), crane=False)
    for image in dockerfile.images:
        try:
            named = parse_reference(image)
        except ValueError:
            # The executor refuses it.
            continue
        asked = (each.registry for each in places(named, request.registries))
        try:
            guard.require((each for each in asked if each == named.registry), crane=False)
        except JobError as error:
            raise JobError.of(_at(dockerfile, image, error.failure)) from error


def _at(dockerfile: EffectiveDockerfile, image: str, failure: Failure) -> Failure:
    """A failure with the instruction that names an image, if one does."""
    at = next((each for each in dockerfile.instructions if image in each.text), None)
    return replace(failure, instruction=at.text, line=at.line) if at else failure


def _command(request: BuildRequest, job: Job, context: Path, dockerfile: Path, abilities: Abilities) -> Invocation:
    return executor.invocation(
        request,
        context=context,
        dockerfile=dockerfile,
        abilities=abilities,
        environment=job.environment,
        paths=job.paths,
        ignored=(str(_PRODUCT_UUID),) if _PRODUCT_UUID.exists() else (),
        keeps_var_run=_keeps_var_run(),
    )


def _keeps_var_run() -> bool:
    """Whether the executor can put /var/run into the image: it cannot replace a directory with a mount in it."""
    return not has_mount_below(_VAR_RUN, read_mountinfo())


def _execute(request: BuildRequest, job: Job, prepared: _Prepared, progress: Progress) -> Failure | None:
    job.phases.enter("starting the executor")
    begin = job.phases.now()
    kills = oom_kills()
    follower = Follower(job, progress, prepared.saved, NamedOwners(prepared.dockerfile.named_owners))
    follower.begin()
    with _mount_service(request, job, prepared, progress) as service:
        refuse_imports()
        try:
            ended = process.run(
                prepared.command,
                on_line=follower.read,
                on_silence=follower.silence,
                silence=request.heartbeat_seconds,
                masker=job.console.masker,
                on_start=service.started,
                ends_steps=True,
            )
        except JobError as refusal:
            return refusal.failure
        except LeftoverError as left:
            return Failure(Reason.INTERNAL, f"{left}.", hint="Build again, and look for the RUN that starts them.")
    end = job.phases.now()
    if follower.push_begin is not None:
        job.phases.timings.push = round((end - follower.push_begin) * 1000)
    job.phases.timings.build = round(((follower.push_begin or end) - begin) * 1000)
    if ended.stopped_by:
        return cancelled(ended.stopped_by)
    if ended.code == 0:
        return None
    error = job.console.masker.mask(progress.error or job.tail.text.rpartition("\n")[2])
    error = prepared.dockerfile.translate(error)
    sub_path = request.source.sub_path
    instruction, line = find_culprit(prepared.dockerfile.instructions, progress, error, sub_path)
    evidence = Evidence(
        ended,
        error,
        log=job.tail.text,
        pushing=progress.pushing,
        disk_full=follower.disk_full,
        out_of_memory=None if kills is None else (oom_kills() or 0) > kills,
        instruction=prepared.dockerfile.own(instruction, line),
        line=line,
        image=progress.image,
        registry=registry_of(progress.image),
        mirrors=tuple(Tried(each.registry, job.console.masker.mask(each.error)) for each in progress.mirrors),
        missing=missing_path(error, sub_path),
        cache_repo=request.cache.repo if request.cache else "",
        names=tuple(output.name for output in request.outputs),
    )
    failure = explain_ignored(classify(evidence), evidence.missing, prepared.dockerfile.ignores)
    return prepared.logins.explain(failure)


def _mount_service(request: BuildRequest, job: Job, prepared: _Prepared, progress: Progress) -> MountService:
    secrets = {secret.id: secret.value for secret in request.build_secrets}
    sources = Sources(context_directory(job.paths.context, request.source), job.paths.run_caches, secrets)
    runs = prepared.dockerfile.mounted
    return MountService(runs, sources, job.paths.mounts, job.paths.program_files, lambda: progress.instruction)


def _read_digest(path: Path) -> str:
    """The digest that the executor wrote; empty if the file holds none, or a RUN step put something in its place."""
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as stream:
            text = stream.read(_LONGEST_DIGEST).decode("utf-8", "replace").strip()
    except OSError:
        return ""
    return text if DIGEST.fullmatch(text) else ""
