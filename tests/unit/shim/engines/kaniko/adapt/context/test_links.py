from pathlib import Path

import pytest
from kaniko_shim.dockerfile.parse import parse_dockerfile
from kaniko_shim.dockerfile.stages import split_stages
from kaniko_shim.engines.kaniko.adapt.config.variables import walk
from kaniko_shim.engines.kaniko.adapt.context.links import CopiedSource, refuse_links_out
from kaniko_shim.engines.kaniko.adapt.copy.words import COPYING, words_of
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
        "a$b": "/kaniko/.Shim",
        "a'b": "/kaniko/.Shim",
        "real/deep": "/kaniko",
    }
    for name, target in links.items():
        (context / name).symlink_to(target)
    return context


def refuse(context: Path, line: str) -> None:
    stages = split_stages(parse_dockerfile(f"FROM base\n{line}\n".encode()))
    places = walk(stages, {}, {}, lambda _: None if "$UNKNOWN" in line else {"KNOWN": "out"}, "\\")
    sources = (
        CopiedSource(place.instruction, place.expanded(word))
        for place in places
        if place.instruction.keyword in COPYING and place.instruction.flag("--from") is None
        for word in words_of(place.instruction).sources
    )
    refuse_links_out(sources, context, "Dockerfile")


@pytest.mark.shows("A13")
@pytest.mark.parametrize(
    ("line", "link", "target"),
    [
        ("COPY out/config.json /x", "out", "/kaniko/.docker"),
        ("COPY real /out/./config.json /x/", "out", "/kaniko/.docker"),
        ('COPY ["up/etc/passwd", "/x"]', "up", "../../.."),
        ("COPY ../../up/etc/passwd /x", "up", "../../.."),
        ("COPY up/${NAME:-x} /x", "up", "../../.."),
        ("COPY $KNOWN/config.json /x", "out", "/kaniko/.docker"),
        (r'COPY ["a\\$b/x", "/x"]', "a$b", "/kaniko/.Shim"),
        (r"COPY a\$b/x /x", "a$b", "/kaniko/.Shim"),
        ("COPY 'a$b/x' /x", "a$b", "/kaniko/.Shim"),
        ('COPY "a\'b/x" /x', "a'b", "/kaniko/.Shim"),
        ("COPY r'ea'l/d\"ee\"p/.run /x", "real/deep", "/kaniko"),
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
        "COPY nothing$UNSET/config.json /x",
        "COPY $DIRECTORY/config.json /x",
        "COPY circle/x missing/x /x/",
        "COPY --from=scratch out/config.json /x",
        "ADD https://h.example/out/x /x",
        "RUN cp out/config.json /x",
    ],
)
def test_links_themselves_and_those_inside_are_copied(context: Path, line: str):
    refuse(context, line)


def test_a_variable_that_only_the_base_image_knows_leads_over_no_link_to_the_builder(context: Path):
    with pytest.raises(JobError, match="is a link to"):
        refuse(context, "COPY x/$UNKNOWN/config.json /x")
    for link in ("out", "up", "a$b", "a'b", "real/deep", "archive.tar"):
        (context / link).unlink()
    refuse(context, "COPY x/$UNKNOWN/config.json /x")
