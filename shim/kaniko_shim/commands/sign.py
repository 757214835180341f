"""`sign`: the cluster's signer, until a signal ends it."""

from kaniko_shim.attest.keys import Key
from kaniko_shim.commands.serving import serve
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.outcome.result import Result
from kaniko_shim.request.sign_request import Kms, SignRequest
from kaniko_shim.signer.cluster import Cluster
from kaniko_shim.signer.kms import KmsKey
from kaniko_shim.signer.service import Signer, SignerServer
from kaniko_shim.system.job import Job

PORT = 8443


def sign(request: SignRequest, job: Job) -> Result:
    """Run the sub-command; only a signal ends it.

    Raises:
        JobError: InvalidSpec; it does not run in a cluster. SigningFailed; the KMS does not sign.
    """
    try:
        cluster = Cluster.of(job.environment)
    except ValueError as error:
        raise JobError(Reason.INVALID_SPEC, str(error)) from error
    return serve(job, PORT, lambda say: SignerServer(Signer(_key(request, job), cluster, say), ("", PORT)))


def _key(request: SignRequest, job: Job) -> Key:
    if not isinstance(request.key, Kms):
        return request.key
    return KmsKey.of(request.key.uri, request.key.public, job.paths.cosign, job.paths.scratch, job.environment)
