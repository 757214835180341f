"""`receive`: wait until one complete upload of the build context has arrived."""

import select
import time
from contextlib import suppress

from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.outcome.result import Result, SourceReport
from kaniko_shim.request.receive_request import ReceiveRequest
from kaniko_shim.sources.upload.folder import Terms, UploadFolder
from kaniko_shim.system.clock import later
from kaniko_shim.system.heartbeat import heartbeat
from kaniko_shim.system.job import Job
from kaniko_shim.system.processes.interruption import TooLateError

_PROGRAM = "/kaniko/.Shim/bin/kaniko-shim"

# The end of this process ends all others of its container. A sender has this long to print its result, and the
# container runtime to pass it on.
_LONGEST_GOODBYE = 10.0
_LINGER = 0.5


def receive(request: ReceiveRequest, job: Job) -> Result:
    """Run the sub-command.

    Raises:
        JobError: UploadTimeout.
    """
    folder = UploadFolder(job.paths.upload)
    job.phases.enter("waiting for the upload of the build context")
    end = time.monotonic() + request.deadline_seconds
    with job.phases.fetching(), heartbeat(job.beat, request.heartbeat_seconds):
        bell = folder.open(Terms(later(request.deadline_seconds), request.max_bytes, request.sha256))
        what = f"archive with SHA-256 {request.sha256}: " if request.sha256 else "build context: tar -cz -C DIR . | "
        end_of_command = " <ARCHIVE" if request.sha256 else ""
        job.say(
            f"waiting {request.deadline_seconds} s for the {what}kubectl exec -i POD "
            f"-c upload -- {_PROGRAM} send{end_of_command}"
        )
        while not folder.is_complete and (left := end - time.monotonic()) > 0:
            select.select([bell], [], [], left)
    if not folder.is_complete:
        refusal = folder.refusal
        folder.close()
        raise JobError(
            Reason.UPLOAD_TIMEOUT,
            f"No complete upload arrived within {request.deadline_seconds} s."
            + (f" The last one was refused: {refusal}" if refusal else ""),
        )
    with suppress(TooLateError), heartbeat(job.beat, _LONGEST_GOODBYE, _LONGEST_GOODBYE), folder.claimed(wait=True):
        pass
    sha256 = folder.sha256
    folder.close()
    time.sleep(_LINGER)
    size = folder.archive.stat().st_size
    job.say(f"received {size} bytes, SHA-256 {sha256}")
    return Result(str(request.command), source=SourceReport(sha256=sha256, size=size), timings=job.phases.timings)
