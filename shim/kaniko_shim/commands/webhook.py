"""`webhook`: receives webhooks for the watchers of the cluster, until a signal ends it."""

from kaniko_shim.commands.serving import serve
from kaniko_shim.outcome.result import Result
from kaniko_shim.request.webhook_request import WebhookRequest
from kaniko_shim.system.job import Job
from kaniko_shim.webhook.receiver import Receiver

PORT = 8080


def webhook(request: WebhookRequest, job: Job) -> Result:
    """Run the sub-command; only a signal ends it."""
    return serve(job, PORT, lambda say: Receiver(request.secret, say, ("", PORT)))
