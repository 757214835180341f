from collections.abc import Mapping

import pytest
from kaniko_shim.dockerfile.arguments import values_for_from
from kaniko_shim.dockerfile.stages import split_stages
from kaniko_shim.engines.kaniko.adapt.config.rewrite import InvalidInstructionError, RewrittenConfig, rewrite_config
from kaniko_shim.engines.kaniko.adapt.draft import Draft, Written

BASES: Mapping[str, Mapping[str, str]] = {"base": {"HOME": "/h/", "PORT": "7"}}


def rewritten(text: str, escape: str = "\\", **given: str) -> tuple[Written, RewrittenConfig]:
    draft = Draft.of(text.encode())
    stages = split_stages(draft.instructions)
    config = rewrite_config(stages, values_for_from(stages.arguments, given), given, BASES.get, escape)
    return draft.then(config.edits).written(), config


def lines(text: str, **given: str) -> list[str]:
    return [line for line in rewritten(f"FROM base\n{text}\n", **given)[0].text.splitlines()[1:] if line]


def labels(text: str, escape: str = "\\", **given: str) -> Mapping[str, str]:
    return rewritten(text, escape, **given)[1].labels


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("EXPOSE 80 443/tcp 53/udp", "EXPOSE 80 443/tcp 53/udp"),
        ("EXPOSE 53/UDP", "EXPOSE 53/udp"),
        ("EXPOSE 8000-8002 9-9/udp", "EXPOSE 8000/tcp 8001/tcp 8002/tcp 9/udp"),
        ("EXPOSE 8080:80 127.0.0.1:1:2/tcp 080", "EXPOSE 80/tcp 2/tcp"),
        ('ENV A="80 81"\nEXPOSE $A "82"', 'ENV A="80 81"\nEXPOSE 80/tcp 81/tcp 82/tcp'),
        ("ARG P=5\nEXPOSE ${P}/udp ${Q:-6}", "ARG P=5\nEXPOSE 5/udp 6/tcp"),
        ("EXPOSE $PORT", "EXPOSE 7/tcp"),
        ("USER app", "USER app"),
        ("USER ${UID:-1000}:${GID:-1}", "USER 1000:1"),
        ('USER "app"', "USER app"),
        ("WORKDIR $HOME/", "WORKDIR $HOME/"),
    ],
)
def test_what_an_executor_gets(text: str, expected: str):
    assert lines(text) == expected.split("\n")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("EXPOSE 9/sctp", "only tcp and udp"),
        ("EXPOSE 70000", "not a port"),
        ("EXPOSE x", "not a port"),
        ("EXPOSE 5-", "not a port"),
        ("EXPOSE 5-4", "ends before it begins"),
    ],
)
def test_a_wrong_port_is_refused(text: str, problem: str):
    with pytest.raises(InvalidInstructionError, match=problem):
        lines(text)


def test_many_ports_take_several_lines():
    assert [len(line.split()) for line in lines("EXPOSE 1-2500")] == [1001, 1001, 501]


def test_what_is_not_known_stays():
    text = "FROM other\nEXPOSE $A\nUSER $A\nWORKDIR $A/\nLABEL a=$A\n"
    assert rewritten(text)[0].text == text


def test_an_entrypoint_ends_the_cmd_of_the_base_stage():
    base = "FROM x AS a\nCMD a\n"
    assert rewritten(f"{base}FROM a\nENTRYPOINT b\n")[0].text == f"{base}FROM a\nENTRYPOINT b\nCMD []\n"
    for text in (
        "FROM x\nENTRYPOINT b\n",
        f"{base}FROM a\nCMD c\nENTRYPOINT b\n",
        f"{base}FROM a\nENTRYPOINT b\nCMD c\n",
    ):
        assert rewritten(text)[0].text == text


def test_labels_are_those_of_the_stages_that_the_image_is_based_on():
    text = "FROM x AS a\nLABEL a=1 b=1\nFROM y AS c\nLABEL c=1\nFROM a\nLABEL b=2\nCOPY --from=c a b\n"
    assert labels(text) == {"a": "1", "b": "2"}
    assert "LABEL" not in rewritten(text)[0].text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('LABEL a=\'{"a": "b"}\'', {"a": '{"a": "b"}'}),
        ('LABEL a="{\\"a\\": \\"$B\\"}"', {"a": '{"a": "2"}'}),
        (r"LABEL a=\$B", {"a": "$B"}),
        ("LABEL a b c", {"a": "b c"}),
        ('LABEL "a b"=c\\ d e=', {"a b": "c d", "e": ""}),
        ("LABEL a=1 a=2", {"a": "2"}),
        ("LABEL $B=$C", {"2": "from-argument"}),
        ("LABEL a=${B%2}x", {"a": "x"}),
    ],
)
def test_labels_are_expanded_once(text: str, expected: dict[str, str]):
    assert labels(f"FROM x\nARG C=no\nENV B=1\nENV B=2\n{text}\nENV B=3\n", C="from-argument") == expected


def test_variables_have_the_values_that_they_have_at_the_instruction():
    text = (
        "ARG G=g\nFROM base AS a\nARG G\nENV A=1 B=$A\nENV B=$A$G PATH=/x:$PATH\nARG A=2\nLABEL a=$A b=$B p=$PATH\n"
        "FROM a\nENV A=$A$A\nLABEL c=$A$G d=$PORT\nFROM scratch\nLABEL e=$A\n"
    )
    dockerfile = "\n".join(text.splitlines()[:-2])
    path = "/x:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    assert labels(dockerfile) == {"a": "2", "b": "1g", "p": path, "c": "22g", "d": "7"}
    assert labels(text) == {"e": ""}


def test_the_escape_directive_counts():
    assert rewritten("# escape=`\nFROM x\nWORKDIR /a\\`$b\n", "`")[0].text == "# escape=`\nFROM x\nWORKDIR /a\\\\\\$b\n"
    assert labels('# escape=`\nFROM x\nLABEL a=`$b c="d`"" e=\\\n', "`") == {"a": "$b", "c": 'd"', "e": "\\"}


def test_directories_above_a_workdir_belong_to_the_user():
    text = "FROM base AS a\nWORKDIR /r/s\nUSER 5\nWORKDIR /a//b/c/\nWORKDIR d/e\nWORKDIR f\nFROM a\nWORKDIR /g/h\n"
    draft = Draft.of(text.encode())
    stages = split_stages(draft.instructions)
    config = rewrite_config(stages, {}, {}, BASES.get, "\\", is_old=True)
    assert [line.removeprefix("WORKDIR ") for line in draft.then(config.edits).written().text.split("\n")] == [
        *("FROM base AS a", "/r/s", "USER 5", "/a", "/a/b", "/a//b/c/", "d", "e", "f", "FROM a", "/g", "/g/h", ""),
    ]
