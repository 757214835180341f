"""The request of `webhook`."""

from dataclasses import dataclass, field

from kaniko_shim.request.request import Request, fields_of, read_request_without_images
from kaniko_shim.request.variables import watch_variables
from kaniko_shim.request.variables.variable_reader import VariableReader
from kaniko_shim.system.subcommand import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookRequest(Request):
    """Request of `webhook`, which pushes nothing.

    Attributes:
        secret: what those who send webhooks have.
    """

    secret: str = field(repr=False)


def read_webhook_request(reader: VariableReader) -> WebhookRequest:
    """Read the variables of `webhook`."""
    common = read_request_without_images(Command.WEBHOOK, reader)
    secret = reader.read(watch_variables.WEBHOOK_SECRET)
    if not secret:
        reader.problems.append("WEBHOOK_SECRET: set it to the secret that the Git server signs webhooks with")
    return WebhookRequest(**fields_of(common), secret=secret)
