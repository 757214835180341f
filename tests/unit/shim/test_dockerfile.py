from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kaniko_shim.dockerfile import (
    Instruction,
    Support,
    find_copy,
    find_line,
    locate,
    parse_dockerfile,
    read,
    refuse_ignored,
)
from kaniko_shim.errors import JobError
from kaniko_shim.reasons import Reason

OLD, NEW = Support(), Support(heredocs=True, mounts=True)


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
        Instruction("RUN", "RUN <<EOF", 1, heredocs=(False,)),
        Instruction("COPY", "COPY <<-'A' <<B /to/", 4, heredocs=(True, False)),
        Instruction("CMD", 'CMD echo "<<X"', 8),
    )


@pytest.mark.parametrize(
    ("text", "support", "problem"),
    [
        ("RUN <<EOF\nx\nEOF", OLD, "line 2: this executor does not run heredocs"),
        ("RUN <<EOF\nx\nEOF", NEW, ""),
        ("RUN <<'EOF'\nx\nEOF", NEW, "quoted word"),
        ("COPY <<EOF /x\nx\nEOF", OLD, "does not know heredocs (COPY <<EOF)"),
        ("COPY <<'EOF' /x\nx\nEOF", NEW, ""),
        ("RUN --mount=type=cache,target=/x make", OLD, "ignores RUN --mount"),
        ("RUN --network=none --mount=type=secret,id=x make", OLD, "ignores RUN --mount"),
        ("RUN --mount=type=cache,target=/x make", NEW, ""),
        ("RUN echo --mount=x", OLD, ""),
        ("RUN cat <<<word", OLD, ""),
        ("RUN echo 'a <<EOF b' \"c <<EOF\"", OLD, ""),
        ('RUN python3 - <<-"EOF" > /x\nx\nEOF', NEW, "quoted word"),
        ("ONBUILD RUN <<EOF\nx\nEOF", OLD, "does not run heredocs"),
        ("RUN test 1 << 2", OLD, ""),
        ("RUN echo $((1<<4))", OLD, ""),
        ("ADD --checksum=sha256:0 http://x /x", NEW, "does not verify ADD --checksum"),
    ],
)
def test_what_the_executor_would_ignore(text: str, support: Support, problem: str):
    instructions = parse_dockerfile(f"FROM x\n{text}\n".encode())
    if not problem:
        refuse_ignored(instructions, support, "docker/Dockerfile")
        return
    with pytest.raises(JobError) as caught:
        refuse_ignored(instructions, support, "docker/Dockerfile")
    failure = caught.value.failure
    assert (failure.reason, failure.line) == (Reason.DOCKERFILE_UNSUPPORTED, 2)
    assert failure.message.startswith("docker/Dockerfile line 2: ")
    assert problem in failure.message
    assert failure.hint


def test_an_instruction_is_found_by_its_text_and_its_turn():
    instructions = parse_dockerfile(b"FROM x\nRUN a\nRUN b\nRUN \\\n  a\n")
    assert [find_line(instructions, "RUN  a", turn) for turn in (1, 2, 3)] == [2, 4, 4]
    assert find_line(instructions, "RUN c") == 0


def test_a_copy_is_found_by_its_source():
    instructions = parse_dockerfile(b'FROM x\nRUN a/b\nCOPY ["./a/b", "/x"]\nADD c/ d /y\n')
    found = [find_copy(instructions, path) for path in ("a/b", "c", "d", "e")]
    assert [each.line if each else 0 for each in found] == [3, 4, 4, 0]


@given(st.binary())
def test_any_bytes_can_be_read(content: bytes):
    for instruction in parse_dockerfile(content):
        assert 1 <= instruction.line <= content.decode("utf-8", "replace").count("\n") + len(content) + 1


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


@pytest.mark.parametrize(
    ("content", "problem"), [(b"", "is empty"), (b" \n", "is empty"), (b"F\0", "NUL"), (b"x" * 5_000_000, "more than")]
)
def test_what_is_no_dockerfile(tmp_path: Path, content: bytes, problem: str):
    (tmp_path / "Dockerfile").write_bytes(content)
    with pytest.raises(JobError, match=problem) as caught:
        read(tmp_path / "Dockerfile", "Dockerfile")
    assert caught.value.failure.reason is Reason.DOCKERFILE_INVALID
