"""`sign`: the cluster's signer, until a signal ends it."""

from kaniko_shim.commands.serving import serve
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.outcome.result import Result
from kaniko_shim.request.sign_request import SignRequest
from kaniko_shim.signer.cluster import Cluster
from kaniko_shim.signer.service import Signer, SignerServer
from kaniko_shim.system.job import Job

PORT = 8443


def sign(request: SignRequest, job: Job) -> Result:
    """Run the sub-command; only a signal ends it.

    Raises:
        JobError: InvalidSpec; it does not run in a cluster.
    """
    try:
        cluster = Cluster.of(job.environment)
    except ValueError as error:
        raise JobError(Reason.INVALID_SPEC, str(error)) from error
    return serve(job, PORT, lambda say: SignerServer(Signer(request.key, cluster, say), ("", PORT)))
