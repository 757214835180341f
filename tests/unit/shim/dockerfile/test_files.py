from pathlib import Path

import pytest
from kaniko_shim.dockerfile.files import locate, read
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason


@pytest.mark.shows("A13")
@pytest.mark.parametrize(
    ("path", "outcome"),
    [
        ("Dockerfile", "context/Dockerfile"),
        ("./sub/../Dockerfile", "context/Dockerfile"),
        ("../shared/Dockerfile", "shared/Dockerfile"),
        ("link", "context/Dockerfile"),
        ("../../outside", Reason.INVALID_SPEC),
        ("/etc/passwd", Reason.INVALID_SPEC),
        ("away", Reason.INVALID_SPEC),
        ("nosuch", Reason.DOCKERFILE_NOT_FOUND),
        ("sub", Reason.DOCKERFILE_NOT_FOUND),
        ("loop", Reason.DOCKERFILE_NOT_FOUND),
        ("x" * 5000, Reason.DOCKERFILE_NOT_FOUND),
        ("a\0b", Reason.DOCKERFILE_NOT_FOUND),
    ],
)
def test_the_dockerfile_lies_in_the_tree(tmp_path: Path, path: str, outcome: str | Reason):
    root = tmp_path / "root"
    context = root / "context"
    (context / "sub").mkdir(parents=True)
    (root / "shared").mkdir()
    for file in (context / "Dockerfile", root / "shared" / "Dockerfile", tmp_path / "outside"):
        file.write_text("FROM x\n")
    (context / "link").symlink_to("Dockerfile")
    (context / "away").symlink_to("/etc/passwd")
    (context / "loop").symlink_to("loop")
    if not isinstance(outcome, Reason):
        assert locate(root, context, path) == root / outcome
        return
    with pytest.raises(JobError) as caught:
        locate(root, context, path)
    assert caught.value.failure.reason is outcome


@pytest.mark.shows("A14")
@pytest.mark.parametrize(
    ("content", "problem"), [(b"", "is empty"), (b" \n", "is empty"), (b"F\0", "NUL"), (b"x" * 5_000_000, "more than")]
)
def test_what_is_no_dockerfile(tmp_path: Path, content: bytes, problem: str):
    (tmp_path / "Dockerfile").write_bytes(content)
    with pytest.raises(JobError, match=problem) as caught:
        read(tmp_path / "Dockerfile", "Dockerfile")
    assert caught.value.failure.reason is Reason.DOCKERFILE_INVALID
