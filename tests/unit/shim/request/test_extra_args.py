import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kaniko_shim.request.extra_args import ALLOWED, REFUSED, ExtraArg, parse_extra_args
from kaniko_shim.request.labels import Label, parse_labels

BANNED = (
    *("//kaniko", "///kaniko/x", "/x/../usr", "/./kaniko", "/x/../../etc/passwd", "/usr/", "//", "/.", "/..", "/x/.."),
    *("/x/./y", "/x//y", "/ki?ro", "/[k]aniko", "/k\\aniko"),
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        ("--reproducible", (ExtraArg("reproducible", "true"),)),
        ("--reproducible=false", (ExtraArg("reproducible", "false"),)),
        ("--compression-level=-1", (ExtraArg("compression-level", "-1"),)),
        ("--ignore-path=/x/", (ExtraArg("ignore-path", "/x/"),)),
        ("--ignore-path=/kaniko2", (ExtraArg("ignore-path", "/kaniko2"),)),
        (
            "--snapshot-mode=full  --ignore-path='/a b' --ignore-path=/c",
            (ExtraArg("snapshot-mode", "full"), ExtraArg("ignore-path", "/a b"), ExtraArg("ignore-path", "/c")),
        ),
    ],
)
def test_allowed_flags(text: str, expected: tuple[ExtraArg, ...]):
    assert parse_extra_args(text) == expected


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("reproducible", "write --flag=value"),
        ("-v=debug", "write --flag=value"),
        ("--", "write --flag=value"),
        ("--snapshot-mode", "write full, redo or time"),
        ("--snapshot-mode full", "write full, redo or time"),
        ("--snapshot-mode=fast", "write full, redo or time"),
        ("--reproducible=yes", "write true or false"),
        ("--push-retry=1000", "a number up to 20"),
        ("--reproducible --reproducible", "appears twice"),
        ("--ignore-path=/", "absolute path"),
        ("--ignore-path=/kaniko/x", "absolute path"),
        ("--ignore-path=/usr", "absolute path"),
        ("--ignore-path=/*", "absolute path"),
        ("--ignore-path=x", "absolute path"),
        *((f"--ignore-path={path}", "absolute path") for path in BANNED),
        ("--compression-level=23", "from -1 to 22"),
        ("--compression-level=-2", "from -1 to 22"),
        ("--push-retry=٣", "a number up to 20"),
        ("--ignore-path='/x", "quote is not closed"),
        ("--nonsense=1", "none of --annotation"),
        ("--destination=x", "set OUTPUT_IMAGE"),
    ],
)
def test_malformed_flags(text: str, problem: str):
    with pytest.raises(ValueError, match=problem):
        parse_extra_args(text)


@pytest.mark.parametrize("name", REFUSED)
def test_each_refused_flag_has_its_reason(name: str):
    assert name not in ALLOWED
    with pytest.raises(ValueError, match=f"^--{name} is not allowed: ") as caught:
        parse_extra_args(f"--{name}=x")
    assert REFUSED[name] in str(caught.value)


@given(st.text())
def test_any_text_is_read_or_refused(text: str):
    try:
        arguments = parse_extra_args(text)
    except ValueError:
        return
    assert all(argument.name in ALLOWED for argument in arguments)


def test_labels():
    assert parse_labels("a=1, b.c/d = x=y ,e=") == (Label("a", "1"), Label("b.c/d", " x=y"), Label("e", ""))
    assert parse_labels('{"a": "1, 2", "b": "grüße"}') == (Label("a", "1, 2"), Label("b", "grüße"))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a", "write name=value"),
        ("=b", "not a label name"),
        ("a=1,a=2", "appears twice"),
        ('{"a": 1}', "must be a string"),
        ('{"a": {}}', "must be a string"),
        ('{"a"', "JSON object"),
        ('{"a": "1", "a": "2"}', "appears twice"),
        ('{"a=b": "1"}', "not a label name"),
    ],
)
def test_malformed_labels(text: str, problem: str):
    with pytest.raises(ValueError, match=problem):
        parse_labels(text)


@given(
    st.dictionaries(
        st.text(min_size=1).filter(lambda name: not set(name) & set("=\0")), st.text().filter(lambda v: "\0" not in v)
    )
)
def test_any_labels_can_be_given(labels: dict[str, str]):
    assert parse_labels(json.dumps(labels)) == tuple(Label(*pair) for pair in labels.items())
