import pytest
from kaniko_shim.dockerfile.arguments import values_for_from
from kaniko_shim.dockerfile.stages import split_stages
from kaniko_shim.engines.kaniko.adapt.config.arguments import rewrite_arguments
from kaniko_shim.engines.kaniko.adapt.draft import Draft

AUTOMATIC = {"TARGETARCH": "arm64", "TARGETVARIANT": "", "TARGETSTAGE": "default"}


def arguments(text: str, **given: str) -> str:
    draft = Draft.of(text.encode())
    stages = split_stages(draft.instructions)
    values = values_for_from(stages.arguments, given, AUTOMATIC)
    return draft.then(rewrite_arguments(stages, values, AUTOMATIC, given)).written().text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("FROM x\nARG TARGETARCH TARGETVARIANT other\n", "FROM x\nARG TARGETARCH=arm64 TARGETVARIANT= other\n"),
        ("FROM x\nARG TARGETARCH=mine\n", "FROM x\nARG TARGETARCH=mine\n"),
        ("ARG TARGETARCH=mine\nFROM x\nARG TARGETARCH\n", "ARG TARGETARCH=mine\nFROM x\nARG TARGETARCH=mine\n"),
        ("ARG A=$TARGETARCH\nFROM x\nARG A\n", "ARG A=arm64\nFROM x\nARG A\n"),
        ("ARG A=\"x\"'$y'\nFROM x\n", 'ARG A="x\\$y"\nFROM x\n'),
        ("FROM x\nARG A='$y' B=\"c d\"\n", "FROM x\nARG A='$y' B=\"c d\"\n"),
        ("FROM x\nARG ${x}=1\n", "FROM x\nARG \\${x}=1\n"),
    ],
)
def test_what_an_executor_gets(text: str, expected: str):
    assert arguments(text) == expected


def test_a_given_value_is_never_written_down():
    text = "ARG A='1'\nFROM x\nARG TARGETARCH\nARG A\n"
    assert arguments(text, A="secret", TARGETARCH="secret") == text
