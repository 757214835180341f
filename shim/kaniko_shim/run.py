"""A whole run: from arguments and variables to the result and the exit code."""

import errno
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from kaniko_shim.cli import CommandLine, parse_command_line, usage
from kaniko_shim.commands.preflight import check_container
from kaniko_shim.commands.secret_files import with_secret_files
from kaniko_shim.log.console import Console
from kaniko_shim.log.format import LogFormat
from kaniko_shim.log.masking import Masker
from kaniko_shim.log.phases import Phases
from kaniko_shim.log.tail import LogTail
from kaniko_shim.log.warnings import Warnings
from kaniko_shim.net.ca_bundle import trust
from kaniko_shim.outcome.errors import Failure, JobError, cancelled, failure_of
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.outcome.report import Reports
from kaniko_shim.outcome.result import Result
from kaniko_shim.registry.credentials import find_credentials, remove_credentials
from kaniko_shim.request.build_request import BuildRequest
from kaniko_shim.request.command_request import parse_request, secrets_of
from kaniko_shim.request.push_request import IndexRequest, PushRequest
from kaniko_shim.request.receive_request import ReceiveRequest
from kaniko_shim.request.request import Request
from kaniko_shim.request.scan_request import ScanRequest
from kaniko_shim.request.sign_request import SignRequest
from kaniko_shim.request.variables.job_variables import LOG_FORMAT, RESULT_FILE, TRACEPARENT
from kaniko_shim.request.variables.misspelling import misspelt
from kaniko_shim.request.variables.variable_reader import VariableReader
from kaniko_shim.request.warm_request import WarmRequest
from kaniko_shim.request.watch_request import WatchRequest
from kaniko_shim.request.webhook_request import WebhookRequest
from kaniko_shim.sources.kinds import OciSource
from kaniko_shim.system.container.memory import oom_kills
from kaniko_shim.system.job import Job
from kaniko_shim.system.paths import Paths
from kaniko_shim.system.private_directory import make_private
from kaniko_shim.system.processes.children import harden
from kaniko_shim.system.processes.interruption import CancelledError
from kaniko_shim.system.processes.signals import ignore_stops, raise_on_stop, stop_received
from kaniko_shim.system.tool_environment import platform_secrets
from kaniko_shim.system.versions import versions


def run(arguments: Sequence[str], environment: Mapping[str, str], paths: Paths | None = None) -> int:
    """Run the shim.

    Args:
        arguments: the command line without the program's name.
        environment: the environment variables.
        paths: the builder's directories, if not the usual ones.

    Returns:
        The exit code.
    """
    paths = paths or Paths()
    if arguments[:1] == ["send"]:
        from kaniko_shim.commands.send import send  # noqa: PLC0415 - another process than that of the job

        return send(arguments[1:], paths)
    console = Console(Masker())
    try:
        line = parse_command_line(arguments)
    except JobError as error:
        console.say(error.failure.message)
        return error.failure.code
    if line.help:
        console.relay(usage())
        return 0
    if line.version:
        console.relay("\n".join(f"{name} {version}" for name, version in versions(paths).items()))
        return 0
    return _run(line, {**environment, **line.variables}, paths, console)


def _run(line: CommandLine, environment: Mapping[str, str], paths: Paths, console: Console) -> int:
    phases = Phases()
    job = Job(environment, paths, console, LogTail(), phases, Warnings())
    # A problem with it is reported with those of the others.
    result_file = "" if line.dry_run else VariableReader(environment).read(RESULT_FILE)
    reports = Reports(paths.termination_log, result_file)
    if environment.get(LOG_FORMAT.name, "").strip().lower() == LogFormat.JSON:
        console.structure(lambda: phases.current)
    result: Result | None = None
    try:
        raise_on_stop()
        result = _attempt(line, job)
        ignore_stops()
    except CancelledError as error:
        ignore_stops()
        # A job that had ended before the signal keeps its result.
        result = result or Result(str(line.command), failure_of(error), log_tail=job.tail.text, timings=phases.timings)
    if line.dry_run and result.failure is None:
        return 0
    if result.failure and (number := stop_received()):
        # A library may have turned the interruption into an error of its own.
        result = replace(result, failure=cancelled(number))
    remove_credentials(paths)
    phases.timings.total = phases.milliseconds()
    result = replace(result, warnings=job.warnings.texts, oom_kills=oom_kills() if result.failure else None)
    reports.write(result, console)
    return result.exit_code


def _attempt(line: CommandLine, job: Job) -> Result:
    try:
        return _perform(line, job)
    except Exception as error:  # noqa: BLE001 - whatever happens is reported
        failure = _failure_of(error)
        if failure.reason is Reason.INTERNAL:
            for text in _traceback(error):
                job.console.relay(text)
        return Result(str(line.command), failure, log_tail=job.tail.text, timings=job.phases.timings)


def _perform(line: CommandLine, job: Job) -> Result:
    request = parse_request(line.command, job.environment)
    if isinstance(request, BuildRequest):
        mounted = with_secret_files(request.build_secrets, job.paths.build_secrets)
        request = replace(request, build_secrets=mounted)
    config = find_credentials(request.docker_config, job.environment, job.paths)
    secrets = (*secrets_of(request), *platform_secrets(job.environment), *(config.secrets() if config else ()))
    job.console.masker = Masker(secrets)
    if trace_id := TRACEPARENT.parse(job.environment.get(TRACEPARENT.name, "")):
        job.say(f"This job is part of the trace {trace_id}.")
    for name, known in misspelt(job.environment):
        job.warn(f"The variable {name} is not read. Did you mean {known}?")
    if line.dry_run:
        job.console.relay(_plan(request, job))
        return Result(str(line.command))
    check_container(request, job)
    make_private(job.paths.scratch)
    return _work(request, _trusting(request, job))


def _trusting(request: Request, job: Job) -> Job:
    """The job with the CA bundles of the request: those of registries do not count for a context that is in none."""
    registries = request.registries.ca_bundle
    source = ""
    if isinstance(request, BuildRequest):
        source = request.source.ca_bundle + (registries if isinstance(request.source.source, OciSource) else "")
    return replace(
        job,
        environment=trust(registries, job.environment, job.paths.scratch / "registry-ca"),
        source_environment=trust(source, job.environment, job.paths.scratch / "source-ca"),
    )


def _work(request: Request, job: Job) -> Result:
    # The executor deletes and restores the root file system, except this directory.
    os.chdir(job.paths.scratch)
    # Imported here, since a container runs only one sub-command, and `build` imports as much as all that they share.
    if isinstance(request, BuildRequest):
        from kaniko_shim.commands.build import build  # noqa: PLC0415

        harden()
        return build(request, job)
    if isinstance(request, PushRequest):
        from kaniko_shim.commands.push import push  # noqa: PLC0415

        return push(request, job)
    if isinstance(request, IndexRequest):
        from kaniko_shim.commands.index import index  # noqa: PLC0415

        return index(request, job)
    if isinstance(request, ReceiveRequest):
        from kaniko_shim.commands.receive import receive  # noqa: PLC0415

        return receive(request, job)
    if isinstance(request, WarmRequest):
        from kaniko_shim.commands.warm import warm  # noqa: PLC0415

        return warm(request, job)
    if isinstance(request, WatchRequest):
        from kaniko_shim.commands.watch import watch  # noqa: PLC0415

        return watch(request, job)
    if isinstance(request, SignRequest):
        from kaniko_shim.commands.sign import sign  # noqa: PLC0415

        return sign(request, job)
    if isinstance(request, WebhookRequest):
        from kaniko_shim.commands.webhook import webhook  # noqa: PLC0415

        return webhook(request, job)
    if isinstance(request, ScanRequest):
        from kaniko_shim.commands.scan import scan  # noqa: PLC0415

        return scan(request, job)
    from kaniko_shim.commands.check import check  # noqa: PLC0415

    return check(request, job)


def _plan(request: Request, job: Job) -> str:
    if isinstance(request, BuildRequest):
        from kaniko_shim.commands.build import plan  # noqa: PLC0415

        return plan(request, job)
    what = "--index <the index>" if isinstance(request, IndexRequest) else request.layout
    return "\n".join(f"crane push {what} {output.name}" for output in request.outputs)


def _failure_of(error: Exception) -> Failure:
    if isinstance(error, JobError):
        return error.failure
    if isinstance(error, MemoryError):
        return Failure(Reason.OUT_OF_MEMORY, "The builder ran out of memory.")
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return Failure(Reason.DISK_FULL, "The builder's disk is full.")
    return Failure(Reason.INTERNAL, f"{type(error).__name__}: {error}")


def _traceback(error: BaseException) -> Iterator[str]:
    """The traceback of an error.

    The standard library would import modules and read source files, which a RUN step may have changed.
    """
    at = error.__traceback__
    while at:
        yield f"  {at.tb_frame.f_code.co_filename}:{at.tb_lineno} in {at.tb_frame.f_code.co_name}"
        at = at.tb_next
    yield f"{type(error).__name__}: {error}"
    if error.__cause__:
        yield "because of"
        yield from _traceback(error.__cause__)
