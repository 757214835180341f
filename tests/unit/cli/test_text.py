"""Builds as text, frames of a terminal, and exit codes."""

from datetime import UTC, datetime, timedelta

import pytest
from imagebuild import Build, ImageBuildError, WaitTimeoutError
from kubectl_imagebuild.dockerfile import inline_dockerfile
from kubectl_imagebuild.outcome import Exit, exit_of_build, exit_of_error
from kubectl_imagebuild.text import dockerfile_lines, ending, part_of, short, size, state_line, table

NOW = datetime(2026, 11, 25, 10, 5, tzinfo=UTC)
DIGEST = "sha256:" + "a" * 64


def build(name: str = "app", **status_fields: object) -> Build:
    metadata = {"name": name, "namespace": "team", "uid": "1", "creationTimestamp": "2026-11-25T10:00:00Z"}
    spec = {"output": {"images": ["registry.example.com/app:1"]}}
    return Build({"metadata": metadata, "spec": spec, "status": status_fields})


FAILED = build(
    phase="Failed",
    reason="RunCommandFailed",
    message="RUN make failed.",
    duration="12s",
    attempts=[{"podName": "a", "reason": "NodeLost", "message": "The node is gone."}],
    timings={"buildMilliseconds": 11500},
    failure={
        "reason": "RunCommandFailed",
        "message": "RUN make failed.",
        "hint": "See the log.",
        "dockerfileLine": 3,
        "instruction": "RUN make",
        "logTail": "make: error\n",
    },
)


def test_the_table():
    running = build("longer-name", phase="Building", progress={"step": 2, "steps": 4})
    assert table([FAILED, running], NOW, all_namespaces=True).splitlines() == [
        (
            "NAMESPACE   NAME          PHASE      PROGRESS   REASON             "
            "IMAGE                        DURATION   AGE"
        ),
        (
            "team        app           Failed                RunCommandFailed   "
            "registry.example.com/app:1   12s        5m"
        ),
        (
            "team        longer-name   Building   2/4                           "
            "registry.example.com/app:1              5m"
        ),
    ]
    assert table([running], NOW, all_namespaces=False).startswith("NAME          PHASE")


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0s"), (119, "119s"), (120, "2m"), (3600, "1h"), (86400, "1d"), (-5, "0s")]
)
def test_a_time_that_has_passed(seconds: int, text: str):
    assert short(NOW, NOW - timedelta(seconds=seconds)) == text


def test_the_ends():
    images = [{"reference": "registry.example.com/app:1", "digest": DIGEST}]
    succeeded = build(phase="Succeeded", duration="9s", images=images)
    assert ending(succeeded, with_log=False) == (
        f"ImageBuild app succeeded in 9s.\nregistry.example.com/app:1@{DIGEST}\n"
    )
    assert ending(build(phase="Cancelled"), with_log=False) == "ImageBuild app was cancelled.\n"
    assert ending(FAILED, with_log=False) == (
        "ImageBuild app failed in 12s (RunCommandFailed).\n"
        "RUN make failed.\nDockerfile:3: RUN make\nHint: See the log.\n"
    )


def test_the_states():
    assert state_line(build()) == "ImageBuild app waits for an operator."
    assert state_line(build(phase="Queued", reason="Limit", message="Waiting:\nlimit.")) == (
        "Queued (Limit): Waiting: limit."
    )


DOCKERFILE = "FROM a\n# the program\nRUN make \\\n  install\nCMD x\nUSER y\nLABEL z\n"


def test_the_lines_of_the_dockerfile_around_the_one_that_failed():
    assert dockerfile_lines(DOCKERFILE, 3) == [
        "Dockerfile:3",
        "  1 |     FROM a",
        "  2 |     # the program",
        "  3 | >>> RUN make \\",
        "  4 | >>>   install",
        "  5 |     CMD x",
        "  6 |     USER y",
    ]
    assert dockerfile_lines(DOCKERFILE, 8) == dockerfile_lines("", 1) == dockerfile_lines(DOCKERFILE, None) == []
    shown = ending(FAILED, with_log=False, dockerfile=DOCKERFILE)
    assert "RUN make failed.\nDockerfile:3\n  1 |     FROM a\n" in shown
    assert "Dockerfile:3: RUN make" not in shown


def test_the_dockerfile_in_a_spec():
    def of(**spec: object) -> str:
        return inline_dockerfile(Build({"metadata": {"name": "a"}, "spec": spec}))

    files = {"Dockerfile": "one", "app/Other": "two"}
    assert of(source={"inline": {"files": files}}) == "one"
    assert of(source={"inline": {"files": files}}, contextDir="app", dockerfile={"path": "Other"}) == "two"
    assert of(source={"git": {"url": "x"}}, dockerfile={"inline": "three"}) == "three"
    assert not of(source={"git": {"url": "x"}})


def test_exit_codes():
    phases = ("Succeeded", "Failed", "Cancelled")
    assert [exit_of_build(build(phase=phase)) for phase in phases] == [Exit.OK, Exit.FAILED, Exit.CANCELLED]
    assert exit_of_error(WaitTimeoutError("m")) == Exit.TIMEOUT
    assert exit_of_error(ImageBuildError("m")) == Exit.ERROR


def test_sizes_and_parts():
    assert [size(number) for number in (0, 999, 1000, 1_500_000, 2_000_000_000)] == [
        "0 B",
        "999 B",
        "1.0 kB",
        "1.5 MB",
        "2.0 GB",
    ]
    assert part_of(0, 40, 0.1) == "0 B of 40 B (0 %)"
    assert part_of(10_000_000, 40_000_000, 2) == "10.0 MB of 40.0 MB (25 %), 5.0 MB/s, 6 s left"
    assert part_of(40_000, 40_000, 2) == "40.0 kB in 2.0 s"
    assert part_of(0, 0, 0.1) == "0 B in 0.1 s"
