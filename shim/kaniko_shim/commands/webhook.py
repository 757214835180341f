"""`webhook`: receives webhooks for the watchers of the cluster, until a signal ends it."""

import threading

from kaniko_shim.outcome.result import Result
from kaniko_shim.request.webhook_request import WebhookRequest
from kaniko_shim.system.job import Job
from kaniko_shim.webhook.receiver import Receiver

PORT = 8080


def webhook(request: WebhookRequest, job: Job) -> Result:
    """Run the sub-command; only a signal ends it."""
    lock = threading.Lock()

    def say(text: str) -> None:
        with lock:
            job.say(text)

    receiver = Receiver(request.secret, say, ("", PORT))
    job.say(f"listening on port {PORT}")
    receiver.serve_forever()
    raise AssertionError("only an exception ends it")
