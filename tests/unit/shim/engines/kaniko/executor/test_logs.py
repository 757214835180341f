"""Logs of both executors, as they wrote them: builds that fail, and what is to be said of each.

`logs/old` is of chainguard-dev/kaniko v1.25.0, `logs/shipped` of osscontainertools/kaniko v1.28.3; times, ports and
host names are replaced.
"""

from dataclasses import dataclass
from pathlib import Path

import pytest
from kaniko_shim.dockerfile.parse import parse_dockerfile
from kaniko_shim.engines.kaniko.executor.culprit import find_culprit, missing_path
from kaniko_shim.engines.kaniko.executor.progress import Progress
from kaniko_shim.outcome.classify import classify
from kaniko_shim.outcome.errors import Failure
from kaniko_shim.outcome.evidence import Evidence
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.registry.references import registry_of
from kaniko_shim.system.processes.process import Ended
from unit.shim.engines.kaniko.executor import reading

LOGS = Path(__file__).parent / "logs"


@dataclass(frozen=True)
class Said:
    """A Dockerfile that failed, and what is said of it."""

    dockerfile: str
    reason: Reason
    message: str
    line: int = 0


SAID = {
    "missing-in-context": Said(
        "FROM busybox\nCOPY nothing /x\n",
        Reason.COPY_FAILED,
        "The build context has no nothing, which the Dockerfile copies.",
        2,
    ),
    "missing-in-stage": Said(
        "FROM busybox AS a\nRUN true\nFROM busybox\nCOPY --from=a /nothing /x\n",
        Reason.COPY_FAILED,
        "The stage or image in --from has no /nothing.",
        4,
    ),
    "run-exits": Said(
        "FROM busybox\nRUN echo printed && exit 42\n",
        Reason.RUN_COMMAND_FAILED,
        "The RUN in line 2 ended with exit code 42.",
        2,
    ),
    "unknown-at-mirror": Said(
        "FROM team/nosuch:1\n",
        Reason.BASE_IMAGE_NOT_FOUND,
        "The base image team/nosuch:1 does not exist: GET http://a.example:5000/v2/team/nosuch/manifests/1: "
        "MANIFEST_UNKNOWN: manifest unknown.",
        1,
    ),
    "unknown-at-mirror-then-unreachable": Said(
        "FROM team/nosuch:1\n",
        Reason.BASE_IMAGE_NOT_FOUND,
        "The base image team/nosuch:1 does not exist: GET http://a.example:5000/v2/team/nosuch/manifests/1: "
        'MANIFEST_UNKNOWN: manifest unknown. index.docker.io was asked too: Get "https://index.docker.io/v2/": dial '
        "tcp: lookup index.docker.io on 10.0.0.10:53: no such host.",
        1,
    ),
    "push-denied": Said(
        "FROM busybox\n",
        Reason.REGISTRY_UNAUTHORIZED,
        "a.example:5000 denied the push: POST http://a.example:5000/v2/team/denied/blobs/uploads/: DENIED: "
        "permission_denied: write_package.",
    ),
    "push-rejected": Said(
        "FROM busybox\nRUN touch /x\n",
        Reason.PUSH_REJECTED,
        "a.example:5000 rejected the image: PUT http://a.example:5000/v2/team/strict/manifests/1: MANIFEST_INVALID: "
        "manifest invalid.",
    ),
    "no-target": Said(
        "FROM busybox\n",
        Reason.TARGET_NOT_FOUND,
        "The Dockerfile has no stage nosuch, which TARGET names.",
    ),
    "no-signal": Said(
        "FROM busybox\nSTOPSIGNAL SIGNOSUCH\n",
        Reason.DOCKERFILE_INVALID,
        "STOPSIGNAL is not a signal: SIGNOSUCH.",
        2,
    ),
    "syntax": Said(
        "FROM busybox\nRUNN true\n",
        Reason.DOCKERFILE_INVALID,
        "The Dockerfile can't be parsed: dockerfile parse error on line 2: unknown instruction: RUNN (did you mean "
        "RUN?).",
        2,
    ),
}


def read(log: Path, said: Said) -> Failure:
    """The failure that a log shows."""
    progress = Progress()
    for line in log.read_text().splitlines():
        reading.read(progress, line)
    instructions = parse_dockerfile(said.dockerfile.encode())
    instruction, number = find_culprit(instructions, progress, progress.error, "")
    return classify(
        Evidence(
            Ended(1),
            progress.error,
            pushing=progress.pushing,
            instruction=instruction,
            line=number,
            image=progress.image,
            registry=registry_of(progress.image),
            mirrors=tuple(progress.mirrors),
            missing=missing_path(progress.error, ""),
        )
    )


@pytest.mark.parametrize("executor", ["old", "shipped"])
@pytest.mark.parametrize("name", SAID)
def test_the_log_of_a_failed_build_is_understood(name: str, executor: str):
    said = SAID[name]
    failure = read(LOGS / executor / f"{name}.txt", said)
    assert (failure.reason, failure.message, failure.line) == (said.reason, said.message, said.line)


def test_every_log_is_read():
    assert {path.relative_to(LOGS).with_suffix("").as_posix() for path in LOGS.glob("*/*")} == {
        f"{executor}/{name}" for executor in ("old", "shipped") for name in SAID
    }
