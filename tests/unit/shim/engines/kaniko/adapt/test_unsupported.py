import pytest
from kaniko_shim.dockerfile.parse import parse_dockerfile
from kaniko_shim.engines.kaniko.adapt.capabilities import Support
from kaniko_shim.engines.kaniko.adapt.unsupported import (
    refuse_unsupported,
    warn_of_checks,
    warnings_about,
)
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason

OLD, NEW = Support(is_old=True), Support()


@pytest.mark.parametrize(
    ("text", "support", "problem"),
    [
        ("RUN <<EOF\nx\nEOF", OLD, ""),
        ("RUN <<'EOF'\nx\nEOF", NEW, ""),
        ("COPY <<EOF /x\nx\nEOF", OLD, ""),
        ("COPY <<'EOF' /x\n$x\nEOF", OLD, ""),
        ("COPY <<a/b /x\nx\na/b", OLD, "becomes a file name here"),
        ("COPY <<a/b /x\nx\na/b", NEW, ""),
        ("ONBUILD RUN <<EOF\nx\nEOF", NEW, ""),
        ("ONBUILD RUN <<EOF\n#!/bin/x\nEOF", NEW, "a heredoc of this ONBUILD"),
        ("ONBUILD COPY <<EOF /x\nx\nEOF", NEW, "a heredoc of this ONBUILD"),
        ("RUN echo --mount=x", OLD, ""),
        ('RUN --"network"=none make', NEW, "--network=none"),
        ("RUN \\\n  --network=none make", NEW, "--network=none"),
        ("ONBUILD RUN --network=none make", OLD, "--network=none"),
        ("ONBUILD COPY --parents a /x", OLD, "--parents"),
        ("ONBUILD ADD --checksum=sha256:0 http://x /x", OLD, "does not verify ADD --checksum"),
        ("RUN --network=none make", NEW, "--network=none"),
        ("RUN --network=default make", OLD, ""),
        ("RUN --security=insecure make", OLD, "cannot give privileges"),
        ("RUN --device=gpu make", OLD, "cannot give privileges"),
        ("COPY --parents a /x", NEW, ""),
        ("COPY --from=s --parents a /x", NEW, "--parents"),
        ("COPY --link --exclude=a . /x", OLD, ""),
        ("COPY --from=s --exclude=a . /x", OLD, "--exclude"),
        ("COPY --link a /x", OLD, ""),
        ("ADD --checksum=sha256:0 http://x /x", NEW, "does not verify ADD --checksum"),
        ("ADD --unpack=false a.tar /x", OLD, "--unpack"),
        ("ADD git@host:a/b /x", OLD, "does not clone"),
        ("ADD https://host/a.git /x", OLD, "does not clone"),
        ('ADD ["https://host/a.git#main:sub", "/x"]', NEW, "does not clone"),
        ("ADD https://host/a.git.tar /x", OLD, ""),
        ("ADD --keep-git-dir=true https://host/a /x", OLD, "does not clone"),
    ],
)
def test_what_is_refused(text: str, support: Support, problem: str):
    instructions = parse_dockerfile(f"FROM x\n{text}\n".encode())
    if not problem:
        refuse_unsupported(instructions, support, "docker/Dockerfile")
        return
    with pytest.raises(JobError) as caught:
        refuse_unsupported(instructions, support, "docker/Dockerfile")
    failure = caught.value.failure
    assert (failure.reason, failure.line) == (Reason.DOCKERFILE_UNSUPPORTED, 2)
    assert failure.message.startswith("docker/Dockerfile line 2: ")
    assert problem in failure.message
    assert failure.hint


@pytest.mark.parametrize(
    ("text", "support", "problem"),
    [
        ("HEALTHCHECK --start-interval=1s CMD x", OLD, "--start-interval"),
        ("HEALTHCHECK --start-interval=1s CMD x", NEW, "--start-interval"),
    ],
)
def test_what_is_warned_of(text: str, support: Support, problem: str):
    instructions = parse_dockerfile(f"FROM x\n{text}\n".encode())
    refuse_unsupported(instructions, support, "Dockerfile")
    warnings = list(warnings_about(instructions, support, "Dockerfile"))
    assert len(warnings) == bool(problem)
    assert all(warning.startswith("Dockerfile line 2: ") and problem in warning for warning in warnings)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"# check=error=true\nFROM x\n", 1),
        (b"#!/bin/x\n# syntax=docker/dockerfile:1\n# check=skip=all; error=True\nFROM x\n", 3),
        (b"# check=skip=all\nFROM x\n", 0),
        (b"# check=error=false\nFROM x\n", 0),
        (b"# a comment\n# check=error=true\nFROM x\n", 0),
    ],
)
def test_build_checks_that_would_fail_the_build_are_warned_of(content: bytes, line: int):
    found = [each.partition(": ")[0] for each in warn_of_checks(content, "Dockerfile")]
    assert found == ([f"Dockerfile line {line}"] if line else [])
