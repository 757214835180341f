import pytest
from kaniko_shim.dockerfile.frontend import refuse_syntax
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason


@pytest.mark.parametrize(
    ("syntax", "refused"),
    [
        ("docker/dockerfile:1", False),
        ("docker.io/docker/dockerfile:1.7-labs", False),
        ("docker/dockerfile-upstream:master", False),
        ("docker/dockerfile@sha256:0", False),
        ("", False),
        ("example.org/frontend:1", True),
    ],
)
def test_another_language_is_refused(syntax: str, *, refused: bool):
    for line, head in ((1, ""), (2, "#!/usr/bin/env docker build\n"), (2, "# escape=`\n")):
        content = f"{head}# syntax={syntax}\nFROM x\n".encode()
        if not refused:
            refuse_syntax(content, "Dockerfile")
            continue
        with pytest.raises(JobError, match="ignores # syntax=") as caught:
            refuse_syntax(content, "Dockerfile")
        assert (caught.value.failure.reason, caught.value.failure.line) == (Reason.DOCKERFILE_UNSUPPORTED, line)
