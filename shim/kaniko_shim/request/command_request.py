"""Reads the request of a sub-command from environment variables, or reports every problem at once."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial

from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.request.build_request import BuildRequest, read_build_request
from kaniko_shim.request.push_request import IndexRequest, PushRequest, read_index_request, read_push_request
from kaniko_shim.request.receive_request import read_receive_request
from kaniko_shim.request.request import Request, read_request
from kaniko_shim.request.scan_request import read_scan_request
from kaniko_shim.request.sign_request import SignRequest, read_sign_request
from kaniko_shim.request.variables.job_variables import RESULT_FILE
from kaniko_shim.request.variables.variable_reader import VariableReader
from kaniko_shim.request.warm_request import read_warm_request
from kaniko_shim.request.watch_request import WatchRequest, read_watch_request
from kaniko_shim.request.webhook_request import WebhookRequest, read_webhook_request
from kaniko_shim.sources.kinds import secrets_in_url
from kaniko_shim.sources.source_request import SourceRequest
from kaniko_shim.system.subcommand import Command

_READERS: Mapping[Command, Callable[[VariableReader], Request]] = {
    Command.ALL: partial(read_build_request, Command.ALL),
    Command.BUILD: partial(read_build_request, Command.BUILD),
    Command.PUSH: read_push_request,
    Command.CHECK: partial(read_request, Command.CHECK),
    Command.INDEX: read_index_request,
    Command.RECEIVE: read_receive_request,
    Command.WARM: read_warm_request,
    Command.WATCH: read_watch_request,
    Command.SIGN: read_sign_request,
    Command.WEBHOOK: read_webhook_request,
    Command.SCAN: read_scan_request,
}


def parse_request(command: Command, environment: Mapping[str, str]) -> Request:
    """Read the request of a sub-command.

    Raises:
        JobError: InvalidSpec, with all problems.
    """
    reader = VariableReader(environment)
    request = _READERS[command](reader)
    reader.read(RESULT_FILE)
    if reader.problems:
        count = len(reader.problems)
        head = "One variable is invalid" if count == 1 else f"{count} variables are invalid"
        raise JobError(Reason.INVALID_SPEC, f"{head}: " + "; ".join(reader.problems) + ".")
    return request


def secrets_of(request: Request) -> Iterator[str]:
    """Every value of a request that must not be printed."""
    if request.docker_config:
        yield from request.docker_config.secrets()
    if isinstance(request, PushRequest | IndexRequest):
        yield from request.attestations.secrets
    if isinstance(request, SignRequest):
        yield from request.secrets
    if isinstance(request, WebhookRequest):
        yield request.secret
    if isinstance(request, WatchRequest):
        for item in request.items:
            yield from item.docker_config.secrets() if item.docker_config else ()
            yield from _secrets_of_source(item.source) if item.source else ()
    if isinstance(request, BuildRequest):
        yield from _secrets_of_source(request.source)
        yield from (argument.value for argument in request.secret_build_args)
        for secret in request.build_secrets:
            yield from secret.texts


def _secrets_of_source(source: SourceRequest) -> Iterator[str]:
    yield source.password
    yield from filter(None, source.buckets.secrets())
    if source.ssh.private_key:
        yield source.ssh.private_key
        yield source.ssh.password
    yield from secrets_in_url(source.source)
