"""`.dockerignore` against Docker's own library, which is built as a program: `tests/cluster/buildkit`."""

import base64
from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from imagebuild_dockerignore.errors import IgnoreFileError
from imagebuild_dockerignore.rules import parse_rules
from support.buildkit import Ask, asking


@pytest.fixture(scope="module")
def ask() -> Iterator[Ask]:
    with asking() as ask:
        yield ask


def encoded(text: str) -> str:
    return base64.b64encode(text.encode("utf-8", "surrogateescape")).decode()


def check(ask: Ask, content: str, paths: list[str]) -> None:
    answer = ask({"ignore": encoded(content), "paths": [encoded(path) for path in paths]})
    try:
        rules = parse_rules(content.encode("utf-8", "surrogateescape"), ".dockerignore")
    except IgnoreFileError:
        # The library looks at a pattern when it first needs it, and takes some malformed ones for something else.
        assert answer["error"] or "[" in content or "\\" in content
        return
    assert not answer["error"], "refused by Docker"
    assert [rules.ignoring(path) is not None for path in paths] == answer["ignored"]


PIECES = [
    *(
        "a",
        "b",
        "ab",
        "*",
        "**",
        "/",
        "/",
        "**/",
        "?",
        "!",
        "\n",
        "\n",
        "\n!",
        "\n!",
        "[ab]",
        "[^a]",
        "[a-c]",
        "[",
        "]",
    ),
    *(".", "..", " ", "\\", "\\*", "\\a", "#", "\r\n", "^", "-", "+", "(", "{", "$", "é", "\udcff", "\xa0", "\t", "*/"),
]
CONTENT = st.lists(st.sampled_from(PIECES), max_size=14).map("".join)
NAMES = st.sampled_from(["a", "b", "ab", "ba", "c", "aab", ".", "*", "[", "^a", "é", "a b", "a\n", "!a", "\udcff", "-"])
PATHS = st.lists(st.lists(NAMES, min_size=1, max_size=4).map("/".join), min_size=1, max_size=6)


@given(CONTENT, PATHS)
@example("**/a", ["a", "b/a", "b/c/a", "ba", "a/b"])
@example("**a", ["a", "ba", "b/a"])
@example("**", ["a", "a/b"])
@example("a/**\n!a/b", ["a", "a/b", "a/b/c", "a/c"])
@example("!a\na/b", ["a", "a/b"])
@example("a/b\n!a", ["a", "a/b", "a/b/c"])
@example("*\n!**/b\n**/a", ["a", "b", "a/b", "c/b"])
@example("**/*a**/b", ["a/b", "b/aab", "aab"])
@example("*^a\n^*b", ["a", "ba", "b"])
@example("/\n!/.\n!x\n.\n..", ["a"])
@example("/!a\n!!b", ["a", "!a", "b"])
@example("a/\n//b//c/../", ["a", "a/b", "b"])
@example("/\xa0/", ["."])
@example("[\udcff]", ["a"])
@example("**/a*", ["b/a\n", "b\nc/a", "a\n"])
@settings(max_examples=1500, deadline=None)
def test_any_file_means_what_it_means_to_docker(ask: Ask, content: str, paths: list[str]):
    check(ask, content, paths)


COMMON = [
    *("**/.git", "**/node_modules", "**/*.py[cod]", "*.md", "!README.md", "dist/", "/build", "**/__pycache__", ".env*"),
    *("docs/**", "!docs/keep/**", "**/*", "!src", "!src/**", "src/**/test_*", "# comment", "", "  tmp  ", "*/*/temp?"),
]
TREE = st.sampled_from(
    [
        *(".git/config", "sub/.git/x", "node_modules/a/b.js", "src/node_modules/c", "x.pyc", "src/a.pyo", "README.md"),
        *(
            "CHANGES.md",
            "src/README.md",
            "dist/a",
            "src/dist/a",
            "build",
            "src/build",
            "docs/a",
            "docs/keep/b",
            ".envrc",
        ),
        *("src/a/test_b.py", "src/test_c", "a/b/temp1", "a/temp1", "tmp", "src/tmp/x", "#", "# comment"),
    ]
)


@given(st.lists(st.sampled_from(COMMON), max_size=8).map("\n".join), st.lists(TREE, min_size=1, max_size=8))
@settings(max_examples=500, deadline=None)
def test_common_lines_mean_what_they_mean_to_docker(ask: Ask, content: str, paths: list[str]):
    check(ask, content, paths)
