"""`build`, and a run without a sub-command: fetch the build context, run the engine, report."""

from dataclasses import replace
from pathlib import Path

from kaniko_shim.attest.record import Record, write_record
from kaniko_shim.commands.build_record import build_parameters, source_record
from kaniko_shim.commands.unchanged import Inputs, annotations, find_unchanged, read_inputs
from kaniko_shim.engines.engine import Built, Engine
from kaniko_shim.oci import layout
from kaniko_shim.oci.annotate import annotate, layers_of
from kaniko_shim.oci.media_types import BASE_DIGEST, BASE_NAME
from kaniko_shim.outcome.errors import JobError, failure_of
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.outcome.result import PushedImage, Result, SourceReport
from kaniko_shim.registry.base_images import BaseImages, find_base
from kaniko_shim.registry.cache_push import push_cache
from kaniko_shim.registry.crane import Crane
from kaniko_shim.registry.credentials import find_credentials
from kaniko_shim.registry.logins import Logins
from kaniko_shim.registry.push import Pusher
from kaniko_shim.registry.references import registry_of
from kaniko_shim.request.build_request import BuildRequest
from kaniko_shim.request.extra_args import ignores_immutable_tags
from kaniko_shim.request.variables.build_variables import COMMIT
from kaniko_shim.sources.fetch import fetch
from kaniko_shim.sources.kinds import OciSource
from kaniko_shim.sources.workspace import Workspace
from kaniko_shim.system.clock import now
from kaniko_shim.system.heartbeat import heartbeat
from kaniko_shim.system.job import Job
from kaniko_shim.system.processes.interruption import CancelledError, TooLateError
from kaniko_shim.system.subcommand import Command


def build(request: BuildRequest, job: Job) -> Result:
    """Run the sub-command; the result also describes failures.

    Raises:
        JobError: the job failed before the engine ran.
    """
    result = Result(str(request.command), timings=job.phases.timings)
    request = _with_layout(request, job)
    try:
        logins = _install_logins(request, job)
        source = _fetch(request, job, logins)
        result = Result(str(request.command), source=source, timings=job.phases.timings)
        request = _with_timestamp(request, source)
        started = now()
        inputs = _inputs(request, job)
        built = find_unchanged(request, job, logins, inputs) or _engine(job).build(request, job, logins)
    except (JobError, CancelledError) as error:
        return Result(str(request.command), failure_of(error), source=result.source, timings=job.phases.timings)
    failure = built.failure
    images: tuple[PushedImage, ...] = ()
    if failure is None and request.command is Command.BUILD:
        parameters = build_parameters(request, source.url)
        record = Record(parameters, source_record(source), built.checksum, started, now(), built.base_images or ())
        write_record(record, Path(request.layout))
    if failure is None:
        try:
            # Where a RUN was root in this container, it would be the RUN that says.
            if job.paths.has_buildkit and not built.is_unchanged:
                _annotate(request, job, logins, built, inputs)
            images = _deliver(request, job, logins, built)
        except (JobError, CancelledError) as error:
            failure = failure_of(error)
    return Result(
        str(request.command),
        failure,
        log_tail=job.tail.text,
        images=images,
        source=source,
        timings=job.phases.timings,
        cache=built.cache,
        base_images=built.base_images or (),
        is_unchanged=built.is_unchanged,
    )


def plan(request: BuildRequest, job: Job) -> str:
    """The engine's command for --dry-run; nothing is fetched."""
    return _engine(job).plan(_with_layout(request, job), job)


def _engine(job: Job) -> Engine:
    """The one that is in this image, whose modules alone are loaded."""
    if job.paths.has_buildkit:
        from kaniko_shim.engines.buildkit import build as buildkit  # noqa: PLC0415 - see above

        return buildkit
    from kaniko_shim.engines.kaniko import build as kaniko  # noqa: PLC0415 - see above

    return kaniko


def _with_layout(request: BuildRequest, job: Job) -> BuildRequest:
    """The request with a layout for an engine that pushes nothing itself."""
    if request.layout or not job.paths.has_buildkit:
        return request
    return replace(request, layout=str(job.paths.buildkit_state / "layout"), only_new_layers=request.push)


def _install_logins(request: BuildRequest, job: Job) -> Logins:
    """Install the credentials, and log in to the registries that the request names."""
    logins = Logins.of(find_credentials(request.docker_config, job.environment, job.paths), job)
    named = [output.registry for output in request.outputs] if request.push else []
    if request.cache:
        named.append(registry_of(request.cache.repo))
    if isinstance(request.source.source, OciSource):
        named.append(request.source.source.image.registry)
    registries = [registry for registry in dict.fromkeys(named) if registry]
    logins.install(registries)
    for registry in registries:
        logins.prepare(registry)
    return logins


def _with_timestamp(request: BuildRequest, source: SourceReport) -> BuildRequest:
    """The request with the time of the commit, if that is asked for."""
    if request.timestamp != COMMIT:
        return request
    if source.committed is None:
        raise JobError(
            Reason.INVALID_SPEC,
            "IMAGE_TIMESTAMP is commit, but the build context is no Git repository.",
            hint="Set IMAGE_TIMESTAMP to seconds since 1970, such as 0.",
        )
    return replace(request, timestamp=source.committed)


def _fetch(request: BuildRequest, job: Job, logins: Logins) -> SourceReport:
    job.phases.enter("fetching the build context")
    crane = None
    if isinstance(request.source.source, OciSource):
        crane = Crane(job.paths, job.source_environment, request.registries, logins)
    workspace = Workspace(job.paths.context, job.paths.scratch, job.source_environment, job.say, crane, job.warn)
    limit = request.source.seconds
    try:
        with job.phases.fetching(), heartbeat(job.beat, request.heartbeat_seconds, limit):
            return fetch(request.source, workspace)
    except TooLateError as error:
        raise JobError(
            Reason.SOURCE_UNAVAILABLE,
            f"Fetching the build context took longer than {limit} s (SOURCE_TIMEOUT).",
            hint="Retry; if the server is slow, raise SOURCE_TIMEOUT.",
        ) from error


def _inputs(request: BuildRequest, job: Job) -> Inputs | None:
    if not request.skip_if_unchanged:
        return None
    if not job.paths.has_buildkit:
        job.warn("SKIP_IF_UNCHANGED does nothing: with kaniko, a RUN could write what an image says it was made from.")
        return None
    job.phases.enter("looking for the image of the same inputs")
    with heartbeat(job.beat, request.heartbeat_seconds):
        return read_inputs(request, job)


def _annotate(request: BuildRequest, job: Job, logins: Logins, built: Built, inputs: Inputs | None) -> None:
    """Have the image say what it is based on, in the annotations that OCI has for it, and what it was made from."""
    layout_path = Path(request.layout)
    found = dict(annotations(inputs, built))
    bases = BaseImages(Crane(job.paths, job.environment, request.registries, logins), request.registries)
    try:
        base = find_base(bases, built.base_images or (), layers_of(layout_path))
    except JobError as error:
        job.warn(f"The image has no annotations for its base image: {error.failure.message}")
        base = None
    if base is not None:
        found |= {BASE_NAME: base.reference.partition("@")[0], BASE_DIGEST: base.digest}
    if found:
        annotate(layout_path, found)


def _deliver(request: BuildRequest, job: Job, logins: Logins, built: Built) -> tuple[PushedImage, ...]:
    """Push the layout, or compare what the engine has pushed with what it reports."""
    if request.layout:
        layout.open_to_all(Path(request.layout))
    if not request.push:
        return ()
    crane = Crane(job.paths, job.environment, request.registries, logins)
    if built.is_pushed:
        return _verify(request, job, crane, built.digest)
    job.phases.enter("checking the image")
    image = layout.check_layout(Path(request.layout), may_lack_layers=True)
    pusher = Pusher(
        job,
        crane,
        request.heartbeat_seconds,
        Path(request.layout),
        image.digest,
        ignore_immutable=ignores_immutable_tags(request.extra_args),
        absent=image.absent,
    )
    with job.phases.pushing():
        images = tuple(pusher.push(output) for output in request.outputs)
        push_cache(pusher, request.cache)
    return images


def _verify(request: BuildRequest, job: Job, crane: Crane, digest: str) -> tuple[PushedImage, ...]:
    """Compare the digest that the engine reports with the one in the registry.

    A RUN step can write any digest into the executor's file, so the file alone proves nothing.
    """
    job.phases.enter("checking the digest at the registry")
    images = tuple(crane.inspect(output) for output in request.outputs)
    for image in images:
        if image.digest == digest:
            continue
        if not ignores_immutable_tags(request.extra_args):
            raise JobError(
                Reason.INTERNAL,
                f"The registry has {image.digest} as {image.reference}, but {digest or 'something else'} was built.",
                hint="Someone else pushed the same tag meanwhile, or a RUN step changed the builder. Build again.",
            )
        job.warn(f"{image.reference} is immutable and stays {image.digest}; {digest or 'the image'} was not pushed.")
    return images
