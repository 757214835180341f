from pathlib import Path

import pytest
from kaniko_shim.dockerfile.context.links import refuse_links_out
from kaniko_shim.dockerfile.syntax.parse import parse_dockerfile
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason


@pytest.fixture
def context(tmp_path: Path) -> Path:
    """The directory `app` of what was fetched."""
    context = tmp_path / "fetched/app"
    (context / "real").mkdir(parents=True)
    (context / "real/file").touch()
    (tmp_path / "fetched/shared").mkdir()
    links = {
        "inside": "real",
        "absolute": str(context / "real"),
        "shared": "../shared",
        "out": "/kaniko/.docker",
        "up": "../../..",
        "real/again": "../out",
        "inside-out": "real/again",
        "archive.tar": "/kaniko/archive.tar",
        "circle": "circle",
    }
    for name, target in links.items():
        (context / name).symlink_to(target)
    return context


def refuse(context: Path, line: str) -> None:
    instructions = parse_dockerfile(f"FROM scratch\n{line}\n".encode())
    refuse_links_out(instructions, context, "Dockerfile")


@pytest.mark.shows("A13")
@pytest.mark.parametrize(
    ("line", "link", "target"),
    [
        ("COPY out/config.json /x", "out", "/kaniko/.docker"),
        ("COPY real /out/./config.json /x/", "out", "/kaniko/.docker"),
        ('COPY ["up/etc/passwd", "/x"]', "up", "../../.."),
        ("COPY ../../up/etc/passwd /x", "up", "../../.."),
        ("COPY up/$NAME /x", "up", "../../.."),
        ("COPY real/again/config.json /x", "real/again", "../out"),
        ("COPY inside-out/config.json /x", "inside-out", "real/again"),
        ("COPY inside/again/config.json /x", "inside/again", "../out"),
        ("ADD archive.tar /x", "archive.tar", "/kaniko/archive.tar"),
        ("COPY shared/file /x", "shared", "../shared"),
    ],
)
def test_what_lies_behind_a_link_out_is_not_copied(context: Path, line: str, link: str, target: str):
    with pytest.raises(JobError) as caught:
        refuse(context, line)
    failure = caught.value.failure
    assert (failure.reason, failure.line, failure.instruction) == (Reason.SOURCE_INVALID, 2, line)
    assert f"Dockerfile line 2: {link!r} is a link to {target!r}, outside the build context" in failure.message


@pytest.mark.parametrize(
    "line",
    [
        "COPY . /x",
        "COPY out up inside /x/",
        "COPY inside/file absolute/file /x/",
        "COPY ou*/config.json /x",
        "COPY $DIRECTORY/config.json /x",
        "COPY circle/x missing/x /x/",
        "COPY --from=scratch out/config.json /x",
        "ADD https://h.example/out/x /x",
        "RUN cp out/config.json /x",
    ],
)
def test_links_themselves_and_those_inside_are_copied(context: Path, line: str):
    refuse(context, line)
