from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kaniko_shim.dockerfile.files import write_files
from kaniko_shim.dockerfile.parse import parse_dockerfile
from kaniko_shim.dockerfile.stages import split_stages
from kaniko_shim.engines.kaniko.adapt.adapt import BuildInputs, adapt
from kaniko_shim.engines.kaniko.adapt.capabilities import Support
from kaniko_shim.engines.kaniko.adapt.context.files import ContextFiles
from kaniko_shim.engines.kaniko.adapt.copy.rewrite import CopyInputs, rewrite_copies
from kaniko_shim.engines.kaniko.adapt.draft import Draft, inserted, replaced
from kaniko_shim.engines.kaniko.adapt.run.rewrite import rewrite_runs
from support.copies import copy_scopes

OLD, NEW = Support(is_old=True), Support(architecture="arm64")
PLACE = BuildInputs("/kaniko/buildcontext")


def adapted(text: str, support: Support = OLD, inputs: BuildInputs = PLACE) -> str:
    return adapt(Draft.of(text.encode()), support, inputs).draft.written().text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('RUN <<EOF\na "b"\n\\n\nEOF\n', 'RUN ["/bin/sh", "-c", "a \\"b\\"\\n\\\\n\\n"]\n'),
        ("RUN --network=host <<-'E'\n\t\ta\n\tb\n\tE\n", 'RUN --network=host ["/bin/sh", "-c", "a\\nb\\n"]\n'),
        ("RUN cat <<A > /x\n$y\nA\n", 'RUN ["/bin/sh", "-c", "cat \\u003c\\u003cA > /x\\n$y\\nA"]\n'),
        ('SHELL ["/s", "-x"]\nRUN <<E\na\nE\n', 'SHELL ["/s", "-x"]\nRUN ["/s", "-x", "a\\n"]\n'),
        ("RUN <<E\r\na\r\nE\r\n", 'RUN ["/bin/sh", "-c", "a\\r\\n"]\n'),
        ("COPY --from=x --chown=1 a b\n", "COPY --from=x --chown=1 a b\n"),
        ("EXPOSE 1 5-7/udp\n", "EXPOSE 1/tcp 5/udp 6/udp 7/udp\n"),
    ],
)
def test_what_an_old_executor_gets(text: str, expected: str):
    assert adapted(f"FROM b\n{text}") == f"FROM b\n{expected}"


@pytest.mark.parametrize(
    "text",
    [
        "FROM b\nCOPY <<'E' /x\na\nE\nCOPY --from=x a b\n",
    ],
)
def test_the_maintained_line_needs_less(text: str):
    assert adapted(text, NEW) == text


@pytest.mark.parametrize("word", ["E", "'E'", '"E"', "-E"])
def test_heredocs_of_run_are_rewritten_for_every_executor(word: str):
    assert adapted(f"FROM b\nRUN <<{word}\na\nE\n", NEW) == 'FROM b\nRUN ["/bin/sh", "-c", "a\\n"]\n'


def test_a_heredoc_of_onbuild_has_the_last_shell_of_the_image():
    text = 'FROM b\nONBUILD RUN --network=host <<E\na\nE\nSHELL ["/s"]\n'
    assert adapted(text, NEW).splitlines()[1] == 'ONBUILD RUN --network=host ["/s", "a\\n"]'


def test_the_shell_of_the_base_stage_counts():
    text = 'FROM x AS a\nSHELL ["/s"]\nFROM A\nRUN <<E\nb\nE\nSHELL ["/t"]\nFROM y\nRUN <<E\nc\nE\n'
    assert adapted(text).splitlines()[3] == 'RUN ["/s", "b\\n"]'
    assert adapted(text).splitlines()[6] == 'RUN ["/bin/sh", "-c", "c\\n"]'


def test_the_shell_comes_down_a_long_chain_of_stages():
    chain = "".join(f"FROM s{n - 1} AS s{n}\n" for n in range(1, 3000))
    text = f'FROM x AS s0\nSHELL ["/s"]\n{chain}RUN <<E\nb\nE\n'
    assert adapted(text).rstrip("\n").splitlines()[-1] == 'RUN ["/s", "b\\n"]'


def test_files_of_heredocs(tmp_path: Path):
    text = b"FROM b\nRUN <<P\n#!/bin/x\nP\nCOPY --chmod=1 <<A b <<-'C' /d/\n1\nA\n\t2\nC\n"
    stages = split_stages(parse_dockerfile(text))
    copies = rewrite_copies(copy_scopes(Draft.of(text)), OLD, CopyInputs("../../h"))
    runs = rewrite_runs(stages, f"{tmp_path}/h")
    (run,) = (edit.text for edit in runs.edits)
    (copy,) = (edit.text for edit in copies.edits)
    write_files({**copies.files, **runs.files}, tmp_path / "h")
    script = Path(run.removeprefix('RUN ["').removesuffix('"]'))
    assert (script.read_text(), script.stat().st_mode & 0o777) == ("#!/bin/x\n", 0o755)
    keyword, flag, first, second, third, destination = copy.split()
    assert (keyword, flag, second, destination) == ("COPY", "--chmod=1", "b", "/d/")
    found = [(tmp_path / "context" / "sub" / path).resolve() for path in (first, third)]
    assert [(path.name, path.read_text(), path.stat().st_mode & 0o777) for path in found] == [
        ("A", "1\n", 0o644),
        ("C", "2\n", 0o644),
    ]


def test_instructions_stand_at_the_lines_of_the_users_file(tmp_path: Path):
    (tmp_path / "d").mkdir()
    (tmp_path / "d/file").touch()
    text = b"FROM x\nCOPY d /\nRUN <<E\na\nE\nCOPY d /\nRUN b\n"
    made = adapt(Draft.of(text), OLD, BuildInputs(str(tmp_path), ContextFiles(tmp_path)))
    assert [(each.keyword, each.line) for each in made.draft.instructions] == [
        ("FROM", 1),
        ("ARG", 2),
        ("COPY", 2),
        ("RUN", 3),
        ("ARG", 6),
        ("COPY", 6),
        ("RUN", 7),
    ]
    assert made.draft.written().translate("parse error on line 7: x") == "parse error on line 7: x"


def test_instructions_are_put_in_replaced_and_left_out():
    draft = Draft.of(b"FROM a\nRUN b \\\n c\nCMD d \xff\nUSER e\n")
    _, run, command, user = draft.instructions
    made = draft.then(
        [replaced(run, "RUN B\nRUN C"), inserted(run, "ARG new"), inserted(command, "ARG n"), replaced(user, "")]
    )
    assert [each.line for each in made.instructions] == [1, 2, 2, 2, 4, 4]
    written = made.written()
    assert written.content == b"FROM a\nARG new\nRUN B\nRUN C\nARG n\nCMD d \xff\n"
    assert [written.translate(f"line {line}") for line in (0, 1, 4, 5, 99)] == [
        *("line 0", "line 1", "line 2", "line 4", "line 4"),
    ]


def test_an_edit_of_another_drafts_instruction_is_not_lost_silently():
    draft, other = Draft.of(b"FROM a\nRUN b\n"), Draft.of(b"FROM a\nRUN b\n")
    with pytest.raises(RuntimeError, match="not in the draft"):
        draft.then([replaced(other.instructions[1], "RUN c")])


@pytest.mark.parametrize("part", ["a", "# ", "\\\\", "a b", "\u20ac"])
def test_a_line_is_never_longer_than_the_executor_reads(part: str):
    lines = "".join(f"  {part * 9_000} \\\n" for _ in range(5))
    draft = Draft.of(f"FROM x\nRUN :; \\\n{lines}  z\n".encode())
    written = draft.written()
    assert max(map(len, written.content.split(b"\n"))) < 65_535
    assert parse_dockerfile(written.content)[1].rest == draft.instructions[1].rest


@given(
    st.lists(
        st.sampled_from(
            ["FROM x", "RUN <<A", "A", "COPY <<-'B' c /d", "\tB", "EXPOSE 1-2", "COPY --from=0 a b", "\\", "# c"]
        )
    )
)
def test_what_is_made_has_no_more_heredocs(lines: list[str]):
    text = "\n".join(["FROM x", *lines])
    made = parse_dockerfile(adapted(text).encode("utf-8", "surrogateescape"))
    assert all(not each.heredocs for each in made)
