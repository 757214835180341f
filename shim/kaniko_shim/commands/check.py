"""`check`: ask the registry of every output whether the image can be pushed, before it is built.

It also keeps the pod's resolver configuration for `push`. Kubernetes mounts one writable file into all containers of a
pod, so a RUN step could make `push` ask a DNS server of its own.
"""

import os
import shutil
from pathlib import Path

from kaniko_shim.outcome.errors import Failure
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.outcome.result import Result
from kaniko_shim.registry.credentials import find_credentials
from kaniko_shim.registry.logins import Logins
from kaniko_shim.request.request import Request
from kaniko_shim.system.heartbeat import heartbeat
from kaniko_shim.system.job import Job
from kaniko_shim.system.processes.interruption import TooLateError

SHARED = (Path("/etc/resolv.conf"), Path("/etc/hostname"))
"""Files that all containers of a pod share, which `push` gets as they were before the build, from the directory RUN."""

LONGEST_CHECK = 30.0
"""Seconds for one output; a registry that answers slowly must not delay the build."""

# May have passed by the time of the push, which has its own retries.
_PASSING = frozenset({Reason.REGISTRY_UNAVAILABLE, Reason.RATE_LIMITED, Reason.INTERNAL})


def check(request: Request, job: Job) -> Result:
    """Run the sub-command; a registry that does not answer causes only a warning.

    Raises:
        JobError: InvalidSpec; the Docker config can't be used. RegistryUnauthorized; a credential helper failed.
    """
    _keep_shared_files(job.paths.scratch)
    if not request.push:
        job.say("nothing to check: NO_PUSH is true")
        return Result(str(request.command), timings=job.phases.timings)
    # Loaded here: the other sub-commands do without.
    from kaniko_shim.registry.push_check import PushCheck  # noqa: PLC0415
    from kaniko_shim.registry.registry_api import RegistryApi  # noqa: PLC0415

    logins = Logins.of(find_credentials(request.docker_config, job.environment, job.paths), job)
    logins.require(output.registry for output in request.outputs)
    asker = PushCheck(RegistryApi(request.registries, logins, job.environment))
    for output in request.outputs:
        job.phases.enter(f"checking whether {output.name} can be pushed")
        try:
            with heartbeat(job.beat, request.heartbeat_seconds, LONGEST_CHECK):
                failure = asker.ask(output)
        except TooLateError:
            message = f"{output.registry} did not answer within {LONGEST_CHECK:.0f} s."
            failure = Failure(Reason.REGISTRY_UNAVAILABLE, message, registry=output.registry)
        if failure is None:
            job.say(f"{output.name} can be pushed")
        elif failure.reason in _PASSING:
            job.warn(f"Could not check whether {output.name} can be pushed: {failure.message}")
        else:
            failure = logins.explain(failure, output.registry)
            return Result(str(request.command), failure, timings=job.phases.timings)
    return Result(str(request.command), timings=job.phases.timings)


def _keep_shared_files(directory: Path) -> None:
    if not os.access(directory, os.W_OK):
        # Not in a build pod: there is no container after this one.
        return
    for path in SHARED:
        kept = directory / path.name
        kept.unlink(missing_ok=True)
        try:
            shutil.copyfile(path, kept)
        except FileNotFoundError:
            # A directory would be mounted in the place of a missing file.
            kept.touch()
        kept.chmod(0o444)
