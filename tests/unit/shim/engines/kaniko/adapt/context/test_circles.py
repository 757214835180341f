from pathlib import Path

import pytest
from kaniko_shim.dockerfile.parse import parse_dockerfile
from kaniko_shim.engines.kaniko.adapt.context.circles import refuse_circles
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason


@pytest.fixture
def context(tmp_path: Path) -> Path:
    (tmp_path / "tree/sub").mkdir(parents=True)
    (tmp_path / "other").mkdir()
    (tmp_path / "tree/sub/one").symlink_to("two")
    (tmp_path / "tree/sub/two").symlink_to("../sub/one")
    (tmp_path / "other/nowhere").symlink_to("/nosuch")
    (tmp_path / "other/up").symlink_to("..")
    (tmp_path / "link").symlink_to("tree")
    return tmp_path


def refuse(context: Path, line: str) -> None:
    refuse_circles(parse_dockerfile(f"FROM x\n{line}\n".encode()), context, "Dockerfile")


@pytest.mark.parametrize("source", [".", "tree", "./tree/sub/", "tree/*", "t*", "link", "$A", "other /tree"])
def test_a_link_that_leads_to_itself_is_refused(context: Path, source: str):
    with pytest.raises(JobError) as caught:
        refuse(context, f"COPY {source} /x/")
    failure = caught.value.failure
    assert (failure.reason, failure.line) == (Reason.DOCKERFILE_UNSUPPORTED, 2)
    assert "Dockerfile line 2: 'tree/sub/one' in the build context is a link that leads to itself" in failure.message


@pytest.mark.parametrize(
    "line", ["COPY other /x", "COPY other/* /x/", "COPY --from=s . /x", "ADD https://h/x /x", "RUN x"]
)
def test_what_is_not_copied_is_not_refused(context: Path, line: str):
    refuse(context, line)
