"""`check`: ask the registry of every output whether the image can be pushed, before it is built."""

from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.outcome.result import Result
from kaniko_shim.registry.credentials import find_credentials
from kaniko_shim.registry.logins import Logins
from kaniko_shim.request.request import Request
from kaniko_shim.system.heartbeat import heartbeat
from kaniko_shim.system.job import Job

# May have passed by the time of the push, which has its own retries.
_PASSING = frozenset({Reason.REGISTRY_UNAVAILABLE, Reason.RATE_LIMITED, Reason.INTERNAL})


def check(request: Request, job: Job) -> Result:
    """Run the sub-command; a registry that does not answer causes only a warning.

    Raises:
        JobError: InvalidSpec; the Docker config can't be used. RegistryUnauthorized; a credential helper failed.
    """
    if not request.push:
        job.say("nothing to check: NO_PUSH is true")
        return Result(str(request.command), timings=job.phases.timings)
    # Loaded here: the other sub-commands do without.
    from kaniko_shim.registry.push_check import PushCheck  # noqa: PLC0415

    logins = Logins.of(find_credentials(request.docker_config, job.environment, job.paths), job)
    logins.require(output.registry for output in request.outputs)
    asker = PushCheck(request.registries, logins, job.environment)
    for output in request.outputs:
        job.phases.enter(f"checking whether {output.name} can be pushed")
        with heartbeat(job.beat, request.heartbeat_seconds):
            failure = asker.ask(output)
        if failure is None:
            job.say(f"{output.name} can be pushed")
        elif failure.reason in _PASSING:
            job.warn(f"Could not check whether {output.name} can be pushed: {failure.message}")
        else:
            failure = logins.explain(failure, output.registry)
            return Result(str(request.command), failure, timings=job.phases.timings)
    return Result(str(request.command), timings=job.phases.timings)
