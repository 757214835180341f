"""Checks, before anything is fetched, that the container allows the job."""

from collections.abc import Iterator
from pathlib import Path

from kaniko_shim.outcome.errors import Failure, JobError
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.request.build_request import BuildRequest
from kaniko_shim.request.push_request import IndexRequest, PushRequest
from kaniko_shim.request.receive_request import ReceiveRequest
from kaniko_shim.request.request import Request
from kaniko_shim.request.warm_request import WarmRequest
from kaniko_shim.system.container.rights import Container, read_container
from kaniko_shim.system.job import Job
from kaniko_shim.system.paths import Paths

# Almost no image can be unpacked without these.
_NEEDED = ("CHOWN", "DAC_OVERRIDE", "FOWNER")
# What fails, or is lost without an error, in builds that need one of these.
_USED = {
    "FSETID": "set-group-ID bits of files are lost",
    "KILL": "a RUN after USER fails if it leaves a process running",
    "SETFCAP": "file capabilities are lost",
    "SETGID": "a RUN after USER fails",
    "SETUID": "a RUN after USER fails",
}


def check_container(request: Request, job: Job) -> None:
    """Refuse a job that the container does not allow, and warn of what may be missing.

    Raises:
        JobError: InvalidSpec; it names the option of docker and the field of the pod.
    """
    # Elsewhere than in the builder image, there is no executor that replaces the root file system.
    if job.paths.executor != Paths().executor:
        return
    container = read_container(tuple(_written(request, job.paths)))
    builds, has_executor = isinstance(request, BuildRequest), not job.paths.has_buildkit
    failure = refusal(container, builds=builds, replaces_root=has_executor)
    if failure:
        raise JobError.of(failure)
    if builds and has_executor:
        for warning in warnings(container):
            job.warn(warning)


def refusal(container: Container, *, builds: bool, replaces_root: bool = True) -> Failure | None:
    """Why the container does not allow the job; None if it does.

    Args:
        container: the container.
        builds: whether the job is a build, as opposed to a push.
        replaces_root: whether the engine unpacks images into the root file system of the container.
    """
    if builds and container.user:
        return _refuse(
            f"A build must run as root in its container; this one runs as user {container.user}.",
            f"Leave out --user {container.user} of docker run; in a pod, set securityContext.runAsUser: 0.",
        )
    replaces_root = builds and replaces_root
    if replaces_root and container.is_read_only:
        return _refuse(
            "The root file system of the container is read-only; a build unpacks images into it.",
            "Leave out --read-only of docker run; in a pod, set securityContext.readOnlyRootFilesystem: false.",
        )
    if replaces_root and (lacking := [name for name in _NEEDED if name in container.lacks]):
        return _refuse(
            f"The container lacks {_named(lacking)}; almost no image can be unpacked without.",
            _add(lacking),
        )
    for path in container.unwritable:
        return _refuse(
            f"The directory {path} can't be written.",
            f"Mount a volume there that user {container.user} can write, such as --tmpfs {path} of docker run or an "
            "emptyDir of a pod; leave out :ro or readOnly.",
        )
    return None


def warnings(container: Container) -> Iterator[str]:
    """What some builds will miss in the container."""
    for name, effect in _USED.items():
        if name in container.lacks:
            yield f"The container lacks {_named([name])}: {effect}. {_add([name])}"
    for point in container.in_the_way:
        top = "/" + point.split("/")[1]
        yield (
            f"Something is mounted at {point}: an image that has a link in place of {top} can't be unpacked properly. "
            "Mount volumes only below /kaniko."
        )


def _written(request: Request, paths: Paths) -> Iterator[Path]:
    if isinstance(request, BuildRequest):
        yield from (paths.scratch, paths.context)
        if paths.has_buildkit:
            yield paths.buildkit_state
        if request.layout:
            yield Path(request.layout)
    elif isinstance(request, PushRequest | IndexRequest):
        yield paths.scratch
    elif isinstance(request, ReceiveRequest):
        yield paths.upload
    elif isinstance(request, WarmRequest):
        yield from (paths.scratch, paths.base_images)


def _named(capabilities: list[str]) -> str:
    *first, last = capabilities
    names = f"{', '.join(first)} and {last}" if first else last
    return f"the capabilit{'ies' if first else 'y'} {names}"


def _add(capabilities: list[str]) -> str:
    options = " ".join(f"--cap-add {name}" for name in capabilities)
    return f"Add {options} to docker run; in a pod, add {', '.join(capabilities)} to securityContext.capabilities.add."


def _refuse(message: str, hint: str) -> Failure:
    return Failure(Reason.INVALID_SPEC, message, hint=hint)
