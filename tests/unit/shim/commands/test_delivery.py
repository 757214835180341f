import signal
from pathlib import Path

from kaniko_shim.attest.artifact import Subject
from kaniko_shim.attest.attestation import Predicates
from kaniko_shim.commands.delivery import Delivery, deliver
from kaniko_shim.log.console import Console
from kaniko_shim.log.masking import Masker
from kaniko_shim.log.phases import Phases
from kaniko_shim.log.tail import LogTail
from kaniko_shim.log.warnings import Warnings
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.request.command_request import parse_request
from kaniko_shim.request.push_request import PushRequest
from kaniko_shim.system.job import Job
from kaniko_shim.system.paths import Paths
from kaniko_shim.system.subcommand import Command


def test_a_heartbeat_is_written_while_attestations_are_made(tmp_path: Path):
    written = tmp_path / "log"
    with written.open("wb") as log:
        paths = Paths(scratch=tmp_path, docker_config=tmp_path / "none")
        job = Job({}, paths, Console(Masker(), log.fileno()), LogTail(), Phases(), Warnings())
        environment = {"OUTPUT_IMAGE": "r.example/app:1", "HEARTBEAT_SECONDS": "1"}
        request = parse_request(Command.PUSH, environment)
        assert isinstance(request, PushRequest)

        def gather() -> tuple[Subject, Predicates]:
            for _ in range(1000):
                if "still looking for packages" in written.read_text():
                    raise JobError(Reason.INTERNAL, "gathered")
                signal.sigtimedwait([], 0.05)
            raise JobError(Reason.INTERNAL, "no heartbeat in 50 s")

        def make(_: object) -> Delivery:
            job.phases.enter("looking for packages")
            return Delivery(tmp_path, "sha256:" + "ab" * 32, 1, request.outputs, "", gather)

        result = deliver(request, job, make)
    assert result.failure is not None
    assert result.failure.message == "gathered"
