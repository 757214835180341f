"""What a `.dockerignore` says; the comparison with Docker's own library is in `test_as_docker.py`."""

import sys

import pytest
from imagebuild_dockerignore.errors import IgnoreFileError
from imagebuild_dockerignore.glob import compile_glob
from imagebuild_dockerignore.rules import parse_rules


@pytest.mark.parametrize(
    ("text", "path", "ignored"),
    [
        ("*.log", "a.log", True),
        ("*.log", "d/a.log", False),
        ("**/*.log", "a.log", True),
        ("**/*.log", "d/e/a.log", True),
        ("d", "d/e/f", True),
        ("d/e", "d/e/f", True),
        ("d/e", "d/f", False),
        ("/d/", "d/f", True),
        ("./d/../e", "e", True),
        ("*\n!a", "a", False),
        ("*\n!a", "b", True),
        ("!a\n*", "a", True),
        ("d/**", "d/e/f", True),
        ("d/**/f", "d/f", True),
        ("d/**/f", "d/e/g/f", True),
        ("a?c", "abc", True),
        ("a?c", "a/c", False),
        ("[a-c]x", "bx", True),
        ("[^a]x", "ax", False),
        ("\\*", "*", True),
        ("\\*", "a", False),
        ("# a", "# a", False),
        (" a ", "a", True),
        ("\ufeffa", "a", True),
        ("a.b", "acb", False),
    ],
)
def test_what_is_ignored(text: str, path: str, *, ignored: bool):
    assert (parse_rules(text.encode(), ".dockerignore").ignoring(path) is not None) == ignored


@pytest.mark.shows("A39")
@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a\n\n# c\nb[", ".dockerignore line 4: the pattern 'b[' is malformed: it has a [ without a ]."),
        ("!", ".dockerignore line 1: the pattern '!' is malformed: nothing follows the !."),
        ("a*\\", "it ends with a backslash."),
        ("[b-a]", "the range b-a is empty."),
        ("[*]", "* inside of brackets means something else to Docker than it seems."),
        ("a*" * 60_000, "line 1 is longer than 65536 characters."),
    ],
)
def test_a_malformed_line_is_named(text: str, problem: str):
    with pytest.raises(IgnoreFileError) as caught:
        parse_rules(text.encode(), ".dockerignore")
    assert problem in str(caught.value)
    assert len(str(caught.value)) < 300


def test_the_line_that_ignores_a_path_is_known():
    rules = parse_rules(b"# c\n*\n!a\na/b\n", ".dockerignore")
    found = {path: rules.ignoring(path) for path in ("x", "a", "a/b/c", "a/c")}
    assert {path: rule and (rule.line, rule.text) for path, rule in found.items()} == {
        "x": (2, "*"),
        "a": None,
        "a/b/c": (4, "a/b"),
        "a/c": None,
    }


def steps(pattern: str, path: str) -> int:
    """How many calls a comparison takes."""
    glob = compile_glob(pattern)
    calls = 0

    def count(_frame: object, _event: str, _argument: object) -> None:
        nonlocal calls
        calls += 1

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        assert not glob.matches(path)
    finally:
        sys.setprofile(before)
    return calls


@pytest.mark.shows("A39")
@pytest.mark.parametrize("pattern", ["*a*a*a*a*a*a*a*a*b", "**/*a*/**/*a*/**/*a*/**/b", "**a**a**a**a**b"])
@pytest.mark.parametrize("path", ["a", "a/", "ca"])
def test_work_grows_with_the_length_of_a_path(pattern: str, path: str):
    assert steps(pattern, path * 2000 + "c") < 4 * steps(pattern, path * 1000 + "c")
