"""The parser against BuildKit's own, which is built as a program: `tests/cluster/buildkit`."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, reject, settings
from hypothesis import strategies as st
from kaniko_shim.dockerfile.assignments import argument_words, names_and_values
from kaniko_shim.dockerfile.instruction import Instruction
from kaniko_shim.dockerfile.parse import directives, parse_dockerfile
from kaniko_shim.dockerfile.shell_words import expand
from kaniko_shim.dockerfile.stages import split_stages
from kaniko_shim.dockerfile.words import json_words, plain_words
from kaniko_shim.engines.kaniko.adapt.capabilities import Support
from kaniko_shim.engines.kaniko.adapt.copy.rewrite import CopyInputs, rewrite_copies
from kaniko_shim.engines.kaniko.adapt.draft import Draft
from kaniko_shim.outcome.errors import JobError
from support.buildkit import Ask, asking
from support.copies import copy_scopes

CASES = Path(__file__).parents[3] / "cases"
DOCKERFILES = sorted(path for path in CASES.rglob("*Dockerfile*") if path.is_file() and "dockerignore" not in path.name)

# What has words: the others have one text, or names and values.
WORDS = frozenset({"FROM", "COPY", "ADD", "VOLUME", "EXPOSE"})


@pytest.fixture(scope="module")
def ask() -> Iterator[Ask]:
    """Ask BuildKit's parser."""
    with asking() as ask:
        yield ask


def theirs(ask: Ask, content: bytes) -> dict[str, Any]:
    return ask({"dockerfile": base64.b64encode(content).decode()})


def decoded(text: str | None) -> bytes:
    return base64.b64decode(text or "")


def as_bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def replaced(text: str) -> bytes:
    """BuildKit goes from rune to rune here, and takes what is no UTF-8 for U+FFFD."""
    return "".join("\ufffd" if "\udc80" <= c <= "\udcff" else c for c in text).encode()


def compare(ours: Instruction, reference: dict[str, Any], escape: str) -> None:
    keyword = decoded(reference["keyword"]).decode("utf-8", "replace")
    if ours.keyword.isascii():
        assert ours.keyword == keyword
    # BuildKit takes a flag byte by byte, and each for a character.
    pairs = (decoded(flag).decode().partition("=") for flag in reference["flags"] or ())
    assert ours.flags == tuple((name, value) for name, _, value in pairs)
    assert [(as_bytes(h.word), as_bytes(h.content), not h.quoted, h.chomp) for h in ours.heredocs] == [
        (decoded(h["name"]), decoded(h["content"]), h["expand"], h["chomp"]) for h in reference["heredocs"] or ()
    ]
    assert all(heredoc.closed for heredoc in ours.heredocs)
    words = [decoded(word) for word in reference["words"] or ()]
    in_json = json_words(ours.rest)
    if reference["json"] and keyword != "HEALTHCHECK":
        assert in_json is not None
        assert [word.encode() for word in in_json] == words
    elif keyword in WORDS:
        assert in_json is None or keyword in {"FROM", "EXPOSE"}
        assert [as_bytes(word) for word in plain_words(ours.rest)] == words
    elif keyword == "ARG":
        assert [replaced(word) for word in argument_words(ours.rest, escape)] == words
    elif keyword in {"ENV", "LABEL"} and b"" in words[::3]:
        # BuildKit refuses it later, by the name of the instruction.
        with pytest.raises(ValueError, match="without a name"):
            names_and_values(ours.rest, escape)
    elif keyword in {"ENV", "LABEL"}:
        assigned = names_and_values(ours.rest, escape)
        assert [replaced(word) for pair in assigned for word in pair] == [w for n, w in enumerate(words) if n % 3 != 2]
    elif keyword in {"RUN", "CMD", "USER", "WORKDIR"}:
        assert [as_bytes(ours.rest)] * bool(ours.rest) == words


def check(ask: Ask, content: bytes) -> bool:
    """Compare; whether BuildKit takes the file."""
    reference = theirs(ask, content)
    instructions = parse_dockerfile(content)
    if reference["error"]:
        return False
    assert [each.line for each in instructions] == [each["first"] for each in reference["instructions"]]
    assert ("`" if directives(content).get("escape") == "`" else "\\") == reference["escape"]
    for ours, their in zip(instructions, reference["instructions"], strict=True):
        compare(ours, their, reference["escape"])
        assert bool(ours.trigger) == bool(their["trigger"])
        # A trigger of a trigger is never valid.
        if ours.trigger:
            compare(ours.trigger, their["trigger"], reference["escape"])
    if reference["stages"]:
        # Its answer is JSON, in which bytes that are no UTF-8 have become U+FFFD.
        assert [
            (
                as_bytes(each.name).decode(errors="replace"),
                as_bytes(each.base).decode(errors="replace"),
                each.start.line,
            )
            for each in split_stages(instructions).stages
        ] == [(each["name"], each["base"], each["first"]) for each in reference["stages"]]
    return True


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: str(path.relative_to(CASES)))
def test_each_case_is_read_as_buildkit_reads_it(ask: Ask, path: Path):
    check(ask, path.read_bytes())


def test_the_cases_are_dockerfiles(ask: Ask):
    assert sum(check(ask, path.read_bytes()) for path in DOCKERFILES) > 100


PIECES = st.sampled_from(
    [
        *("FROM x", "from y AS Z", "RUN", "run ", "COPY ", "ADD", "ONBUILD ", "ENV", "ARG", "CMD", "LABEL a=b", "#"),
        *(
            "\n",
            "\n",
            "\n",
            "\r\n",
            "\\\n",
            "\\\\\n",
            "\\ \t\n",
            "\\\\\\\n",
            "`\n",
            "``\n",
            " ",
            "\t",
            "\v",
            "\f",
            "\r",
            "# c",
        ),
        *("--", "--mount=", "--from=", "--network=none ", "type=ssh", '"type=ssh"', "'", '"', "\\", "`", "=", ","),
        *("<<EOF", "<<-EOF", "<<'EOF'", '<<"EOF"', "<<E\\OF", "<< EOF", "3<<EOF", "<<EOF<", "<<$A", "<<", "<", "--a "),
        *("\nEOF\n", "\n\tEOF\n", "EOF", "\nEOF\r\n", "[", "]", '["a", "b"]', '["<<EOF"]', "[1]", "${a:-b}", "${a"),
        *("$a", "}", "x", "é", "# escape=`\n", "# syntax=x\n", "\xa0", "\x85", "\u2003", "\ufeff", "\udc80", "\udca0"),
        *("\x1f", "à", "# c"),
    ]
)
FILES = st.lists(PIECES, max_size=16).map("".join)


@given(text=FILES)
@example("RUN a \\\\\nRUN --network=none b\n")
@example("LABEL a=b =")
@example("RUN a \\\\\\\nRUN b\n")
@example("\\\nFROM x\n")
@example("FROM x \\\n\n# c\n\n AS y\n")
@example('RUN --mount="type=ssh" --x=\\ y <<"E F" <<-E\\G\n1\nE F\n\t2\n\tEG\n')
@example("ONBUILD RUN --mount=type=ssh <<EOF\n1\nEOF\n")
@example('RUN ["a", "<<EOF"]\nRUN echo "<<EOF"\nRUN echo \'<<EOF\nCOPY a<<EOF /\n')
@example("# escape=`\nRUN a `\n --x=`\n b <<EOF\nEOF\n")
@example("RUN --a=à b\n")
@settings(max_examples=400, deadline=None)
def test_any_file_is_read_as_buildkit_reads_it(ask: Ask, text: str):
    check(ask, text.encode("utf-8", "surrogateescape"))


LINES = st.lists(
    st.sampled_from(
        [
            *(
                "FROM x AS a",
                "FROM a",
                "FROM --platform=$BUILDPLATFORM y",
                "ARG A=1 B",
                'ENV a="b c" d=e',
                'LABEL a\\ b=\'c "\' "d e"=f',
                "ENV a  b c=d",
                "ARG a=\"b c\" 'd' e=${a%.*}",
                "WORKDIR /x \\",
            ),
            *("RUN --network=none make", 'RUN --mount="type=ssh" \\', "RUN a && \\", "    b", "# comment", "", "  "),
            *("RUN c \\\\", "COPY --from=a --chown=1:1 b /c", "COPY <<A <<-'B' /d/", "A", "\tB", 'VOLUME ["/v"]'),
            *('CMD ["a", "b"]', "ONBUILD COPY --link <<A /", "HEALTHCHECK --interval=1s CMD x", "EXPOSE 1-2 3"),
            *("ADD --checksum=x https://h/x /y", 'ENV a="b c" d=e'),
        ]
    ),
    max_size=12,
)


@given(LINES, st.sampled_from(["\n", "\r\n"]))
@settings(max_examples=300, deadline=None)
def test_any_lines_are_read_as_buildkit_reads_them(ask: Ask, lines: list[str], end: str):
    check(ask, end.join(lines).encode())


WORD_PIECES = [*"ab \\'\"$", "$a", "${a}", "${b:-x}", "${c-", "${b:+y}", "${e:-z}", "${e-z}", "}", "${a?m}", "$$", "é"]
WORD_PIECES += ["${p#*.}", "${p##*.}", "${p%.*}", "${p%%.*}", "${p%?}", "${p/./-}", "${p//./\\*}", "${p//", "*", "?/"]
WORD = st.lists(st.sampled_from(WORD_PIECES), max_size=8).map("".join)


@given(WORD)
@settings(max_examples=300, deadline=None)
def test_any_word_has_the_value_that_buildkit_gives_it(ask: Ask, word: str):
    values = {"a": "1", "b": "2 3", "e": "", "p": "a.b.cc"}
    answer = ask({"word": word, "environment": [f"{name}={value}" for name, value in values.items()]})
    try:
        ours: str | None = expand(word, values)
    except ValueError:
        ours = None
    assert ours == (None if answer["error"] else decoded(answer["word"]).decode())


SOURCE = st.lists(st.sampled_from(["..", "a", ".", "/", "*", "$A", '"', "b c"]), min_size=1, max_size=6).map("/".join)


@given(
    st.lists(SOURCE, min_size=1, max_size=3),
    st.sampled_from(["COPY", "ADD --chown=1", "COPY --from=s", "ONBUILD COPY"]),
)
@settings(max_examples=200, deadline=None)
def test_what_is_rewritten_is_the_same_instruction(ask: Ask, sources: list[str], head: str):
    content = f"FROM x AS s\nRUN z\nFROM y\n{head} {' '.join(sources)} /d/\n".encode()
    draft = Draft.of(content)
    try:
        copies = rewrite_copies(copy_scopes(draft), Support(), CopyInputs("../h"))
    except JobError:
        reject()
    made = draft.then(copies.edits).written()
    before, after = (theirs(ask, text)["instructions"][-1] for text in (content, made.text.encode()))
    before, after = (each["trigger"] or each for each in (before, after))
    assert before["flags"] == after["flags"]
    assert len(before["words"]) == len(after["words"])
