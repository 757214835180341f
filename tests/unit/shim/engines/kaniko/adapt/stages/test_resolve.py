import pytest
from kaniko_shim.engines.kaniko.adapt.capabilities import Support
from kaniko_shim.engines.kaniko.adapt.draft import Draft
from kaniko_shim.engines.kaniko.adapt.stages.resolve import Resolved, resolve_stages
from kaniko_shim.oci.platform import Platform
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason

ARM = Platform("linux", "arm64")


def resolve(text: str, target: str = "", platform: Platform | None = None, **arguments: str) -> Resolved:
    def find(image: str, wanted: Platform) -> str:
        return f"{image}@{wanted.name}"

    return resolve_stages(Draft.of(text.encode()), target, arguments, Support(target=platform), find, "Dockerfile")


def lines(text: str, target: str = "", platform: Platform | None = None, **arguments: str) -> list[str]:
    made = resolve(text, target, platform, **arguments).draft.written().text
    return [line for line in made.splitlines() if line]


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("", ["FROM x AS a", "RUN 1", "FROM z", "COPY --from=a a b"]),
        ("a", ["FROM x AS a", "RUN 1"]),
        ("0", ["FROM x AS a", "RUN 1"]),
        ("B", ["FROM y AS b", "RUN 2"]),
        ("1", ["FROM y AS b", "RUN 2"]),
    ],
)
def test_only_what_the_target_needs_is_built(target: str, expected: list[str]):
    text = "FROM x AS a\nRUN 1\nFROM y AS b\nRUN 2\nFROM z\nCOPY --from=a a b\n"
    assert lines(text, target) == expected
    assert resolve(text, target).target == ""


def test_an_unknown_target_is_left_to_the_executor():
    assert resolve("FROM x AS a\n", "b").target == "b"


def test_numbers_of_stages_follow_when_others_are_left_out():
    text = "FROM x\nFROM y\nRUN 1\nFROM z\nCOPY --chown=1 --from=1 a b\nRUN --mount=type=bind,from=1,target=/m c\n"
    assert lines(text)[-2:] == ["COPY --chown=1 --from=0 a b", "RUN --mount=type=bind,from=0,target=/m c"]


def test_a_stage_that_a_mount_needs_is_built():
    assert lines("FROM x AS a\nFROM y\nRUN --mount=from=a,target=/m c\n")[0] == "FROM x AS a"


def test_a_name_that_two_stages_have_means_the_last_one_above():
    text = "FROM x AS a\nFROM a AS a\nRUN 1\nFROM a\nCOPY --from=A b c\n"
    assert lines(text) == ["FROM x AS a.0", "FROM a.0 AS a", "RUN 1", "FROM a", "COPY --from=A b c"]


def test_variables_in_from_are_written_out():
    text = 'ARG V="1.2"\nARG N=${V%.*}\nFROM x:$V AS b1\nARG S=\nFROM "b${N}"\nFROM y:$OS\n'
    assert lines(text, "1")[2:] == ["FROM x:1.2 AS b1", "ARG S=", "FROM b1"]
    assert lines("ARG B=x\nFROM $B\n", B="y=z") == ["ARG B=x", "FROM y=z"]
    assert lines("ARG B=s\nFROM x AS s\nRUN 1\nFROM $B\n")[1:] == ["FROM x AS s", "RUN 1", "FROM s"]


def test_a_build_argument_that_no_arg_declares_is_not_known_to_from():
    with pytest.raises(JobError, match="base image of FROM is empty"):
        resolve("FROM $B\n", B="x")


def test_triggers_stand_where_they_run():
    text = "FROM x AS a\nONBUILD RUN 1\nONBUILD COPY --from=b c d\nFROM y AS b\nFROM a\nRUN 2\nONBUILD RUN 3\n"
    assert lines(text) == [
        "FROM x AS a",
        "FROM y AS b",
        "FROM a",
        "RUN 1",
        "COPY --from=b c d",
        "RUN 2",
        "ONBUILD RUN 3",
    ]
    made = resolve(text)
    assert [(each.text, each.line) for each in made.draft.instructions][2:5] == [
        ("FROM a", 5),
        ("RUN 1", 5),
        ("COPY --from=b c d", 5),
    ]


def test_the_heredoc_of_a_trigger_goes_with_it():
    text = "FROM x AS a\nONBUILD RUN <<E\n1\nE\nFROM a\nRUN 2\n"
    assert lines(text) == ["FROM x AS a", "FROM a", "RUN <<E", "1", "E", "RUN 2"]


def test_a_base_for_another_platform_is_named_by_its_digest():
    text = "FROM --platform=$BUILDPLATFORM x AS a\nFROM a AS c\nFROM --platform=$TARGETPLATFORM y\nCOPY --from=c a b\n"
    assert lines(text, platform=ARM) == ["FROM x@linux/amd64 AS a", "FROM a AS c", "FROM y", "COPY --from=c a b"]
    assert lines(text) == ["FROM x AS a", "FROM a AS c", "FROM y", "COPY --from=c a b"]


@pytest.mark.parametrize(
    "platform", ["amd64", "Linux/X86_64", "${BUILDPLATFORM:-linux/arm64}", "linux", "$TARGETPLATFORM"]
)
def test_the_platform_of_the_image_needs_no_digest(platform: str):
    assert lines(f"FROM --platform={platform} x\n") == ["FROM x"]


@pytest.mark.parametrize(
    ("text", "reason", "problem"),
    [
        ("FROM --platform=linux/arm64 x\n", Reason.DOCKERFILE_UNSUPPORTED, "the image would be for linux/arm64"),
        ("FROM --platform=$NONE x\n", Reason.DOCKERFILE_INVALID, "is empty"),
        ("FROM --platform=a/b/c/d x\n", Reason.DOCKERFILE_INVALID, "not a platform"),
        ("FROM --platform=${x x\n", Reason.DOCKERFILE_INVALID, "--platform: "),
        ("FROM x\nCOPY --from=0 a b\n", Reason.DOCKERFILE_INVALID, "line 2: from=0 is not the number"),
        ("FROM x\nCOPY --from=7 a b\n", Reason.DOCKERFILE_INVALID, "from=7 is not the number"),
        ("FROM x\nCOPY --from=-1 a b\nFROM y\n", None, ""),
        ("FROM x AS a\nCOPY --from=a b c\n", Reason.DOCKERFILE_INVALID, "this stage itself"),
        ("FROM x AS a\nRUN 1\nFROM y AS c\nCOPY --from=d a b\nFROM c AS d\n", Reason.DOCKERFILE_INVALID, "below"),
    ],
)
def test_what_docker_refuses(text: str, reason: Reason | None, problem: str):
    if reason is None:
        resolve(text)
        return
    with pytest.raises(JobError, match=problem) as caught:
        resolve(text)
    assert caught.value.failure.reason is reason


def test_leniency_is_said():
    assert "lower case" in resolve("FROM x AS a\nFROM A\n").warnings[0]
    assert resolve("FROM x AS A\nFROM a\n").warnings == ()
    assert "TARGET=0" in resolve("FROM x\n", "0").warnings[0]


def test_the_variables_that_docker_sets():
    made = resolve("ARG TARGETOS=other\nFROM x AS S\n", platform=Platform("linux", "arm", "v7"), BUILDOS="given")
    assert made.automatic["TARGETSTAGE"] == "s"
    assert (made.values["TARGETPLATFORM"], made.values["TARGETVARIANT"]) == ("linux/arm/v7", "v7")
    assert (made.values["TARGETOS"], made.values["BUILDOS"], made.values["BUILDARCH"]) == ("other", "given", "amd64")


@pytest.mark.parametrize(
    ("text", "platform", "warned"),
    [
        ("FROM single\n", ARM, [1]),
        ("FROM single\n", None, []),
        ("FROM single\n", Platform("linux", "amd64"), []),
        ("FROM unknown\n", ARM, []),
        ("FROM single AS a\nFROM single AS b\nCOPY --from=a x y\n", ARM, [1]),
        ("FROM single AS a\nFROM a\n", ARM, [1]),
        ("FROM single AS unneeded\nFROM scratch\n", ARM, []),
        ("FROM --platform=$BUILDPLATFORM single AS a\nFROM scratch\nCOPY --from=a x y\n", ARM, []),
        ("FROM --platform=linux/arm64 single AS a\nFROM scratch\nCOPY --from=a x y\n", None, [1]),
    ],
)
def test_a_base_for_another_platform_is_warned_of(text: str, platform: Platform | None, warned: list[int]):
    def own(image: str, _: Platform) -> Platform | None:
        return Platform("linux", "amd64") if image == "single" else None

    support = Support(target=platform)
    resolved = resolve_stages(Draft.of(text.encode()), "", {}, support, lambda image, _: image, "Dockerfile", own)
    expected = "single is only for linux/amd64, but the stage is for linux/arm64. Its programs do not run there; "
    assert list(resolved.warnings) == [
        f"Dockerfile line {line}: {expected}use a base image for linux/arm64." for line in warned
    ]
