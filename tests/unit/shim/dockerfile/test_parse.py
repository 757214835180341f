import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kaniko_shim.dockerfile.instruction import Heredoc, Instruction
from kaniko_shim.dockerfile.parse import directives, parse_dockerfile
from kaniko_shim.dockerfile.search import find_copy, find_line


def test_instructions_and_their_lines():
    text = (
        b"\xef\xbb\xbf# syntax=docker/dockerfile:1\r\n"
        b"FROM busybox AS one\r\n"
        b"\r\n"
        b"  # a comment\r\n"
        b"run  echo a && \\\r\n"
        b"    # inside\r\n"
        b"\r\n"
        b"    echo b\r\n"
        b"COPY --chown=1:1 --from=x a b\r\n"
        b"RUN last"
    )
    assert parse_dockerfile(text) == (
        Instruction("FROM", "FROM busybox AS one", 2),
        Instruction("RUN", "run echo a && echo b", 5),
        Instruction("COPY", "COPY --chown=1:1 --from=x a b", 9, (("--chown", "1:1"), ("--from", "x"))),
        Instruction("RUN", "RUN last", 10),
    )


def test_the_rest_and_the_last_line():
    text = b"RUN --network=host   echo  a \\\n  b\nCOPY <<A /x\n1\n\n2\nA\nCMD []\n"
    assert [(each.rest, each.line) for each in parse_dockerfile(text)] == [
        ("echo  a   b", 1),
        ("<<A /x", 3),
        ("[]", 8),
    ]


def test_directives_stand_at_the_head():
    text = b"\xef\xbb\xbf# Syntax = docker/dockerfile:1.7-labs \n#escape=`\nFROM x\n# check=skip\n"
    assert directives(text) == {"syntax": "docker/dockerfile:1.7-labs", "escape": "`"}
    assert directives(b"# other=1\n# syntax=x\n") == {}


def test_another_escape_character():
    text = b"# escape=`\nFROM x\nRUN dir C:\\\nRUN a `\n  b\n"
    assert [(each.text, each.line) for each in parse_dockerfile(text)] == [
        ("FROM x", 2),
        ("RUN dir C:\\", 3),
        ("RUN a b", 4),
    ]


def test_heredocs_hide_their_lines():
    text = b"RUN <<EOF\nFROM not\nEOF\nCOPY <<-'A' <<B /to/\n\tRUN no\n\tA\nB\nCMD echo \"<<X\"\n"
    assert parse_dockerfile(text) == (
        Instruction("RUN", "RUN <<EOF", 1, heredocs=(Heredoc("EOF", "FROM not\n"),)),
        Instruction(
            "COPY",
            "COPY <<-'A' <<B /to/",
            4,
            heredocs=(Heredoc("A", "\tRUN no\n", quoted=True, chomp=True), Heredoc("B", "")),
        ),
        Instruction("CMD", 'CMD echo "<<X"', 8),
    )


def test_an_instruction_is_found_by_its_text_and_its_turn():
    instructions = parse_dockerfile(b"FROM x\nRUN a\nRUN b\nRUN \\\n  a\n")
    assert [find_line(instructions, "RUN  a", turn) for turn in (1, 2, 3)] == [2, 4, 4]
    assert find_line(instructions, "RUN c") == 0


def test_a_copy_is_found_by_its_source():
    instructions = parse_dockerfile(b'FROM x\nRUN a/b\nCOPY ["./a/b", "/x"]\nADD c/ d /y\n')
    found = [find_copy(instructions, path) for path in ("a/b", "c", "d", "e")]
    assert [each.line if each else 0 for each in found] == [3, 4, 4, 0]


def test_a_copy_is_found_by_a_variable_that_can_have_been_its_source():
    instructions = parse_dockerfile(b"FROM x\nARG A\nCOPY a $A\nCOPY $A/ /\nADD ${A:-b}.txt bin/${A} /\n")
    found = [find_copy(instructions, path) for path in ("arm64", "bin/c", "a")]
    assert [each.line if each else 0 for each in found] == [4, 0, 3]
    assert find_copy(parse_dockerfile(b"FROM x\nCOPY lib-$A.so /\n"), "lib.so") is None


def test_many_variables_in_one_path_are_compared_at_once():
    copy = f"COPY {'$a' * 200}-x /\n"
    instructions = parse_dockerfile(f"FROM x\n{copy}".encode())
    assert find_copy(instructions, "b" * 4000) is None
    assert find_copy(instructions, "b" * 4000 + "-x") is not None


@given(st.lists(st.sampled_from("ab"), max_size=6), st.lists(st.sampled_from(["a", "b", "${V}"]), max_size=6))
def test_a_variable_stands_for_anything(path: list[str], word: list[str]):
    pattern = "".join(".*" if part == "${V}" else part for part in word)
    found = find_copy(parse_dockerfile(f"FROM x\nCOPY {''.join(word) or '${V}'} /to\n".encode()), "".join(path))
    assert bool(found) == (re.fullmatch(pattern or ".*", "".join(path)) is not None)


@pytest.mark.shows("A14")
@given(st.binary())
def test_any_bytes_can_be_read(content: bytes):
    for instruction in parse_dockerfile(content):
        assert 1 <= instruction.line <= content.decode("utf-8", "replace").count("\n") + len(content) + 1


@pytest.mark.parametrize(
    ("text", "content", "closed"),
    [
        ("RUN <<E\na\nE\n", "a\n", True),
        ("RUN <<E\nE", "", True),
        ("RUN <<E\na\nb", "a\nb\n", False),
        ("RUN <<E", "", False),
    ],
)
def test_a_heredoc_may_lack_its_end(text: str, content: str, *, closed: bool):
    (heredoc,) = parse_dockerfile(text.encode())[0].heredocs
    assert (heredoc.content, heredoc.closed) == (content, closed)
