"""Which base images a build may have."""

import pytest
from kaniko_shim.registry.allowed_images import is_allowed, parse_allowed

DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("entry", "image", "allowed"),
    [
        ("docker.io", "python", True),
        ("docker.io/library", "python:3.11", True),
        ("docker.io/library", "team/python", False),
        ("docker.io/library/python", "python", True),
        ("docker.io/library/python", f"index.docker.io/library/python@{DIGEST}", True),
        ("docker.io/library/python", "python-evil", False),
        ("docker.io/library/python", "docker.io/library/python/evil", True),
        ("docker.io/library/python:3.11", f"python:3.11@{DIGEST}", True),
        ("docker.io/library/python:3.11", "python:3.11-evil", False),
        ("r.example.com", "r.example.com/a/b:1", True),
        ("r.example.com", "r.example.com:5000/app", False),
        ("r.example.com", "r.example.com.evil.test/app", False),
        ("r.example.com:5000/team/", "r.example.com:5000/team/a", True),
        ("r.example.com:5000/team/", "r.example.com:5000/teams/a", False),
        ("scratch", "python", False),
        # The executor may make something else of what is no name.
        ("docker.io/library", "localhost/app", False),
    ],
)
def test_an_entry_stands_for_what_is_below_it(entry: str, image: str, *, allowed: bool):
    assert is_allowed(image, parse_allowed(entry)) is allowed


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("python", "'python': begin with the registry, such as docker.io/library/python"),
        ("library/python", "'library/python': begin with the registry, such as docker.io/library/python"),
        ("r.example.com/*", r"'r.example.com/\*': write host\[:port\]\[/path\]"),
    ],
)
def test_what_is_no_entry_is_refused(text: str, message: str):
    with pytest.raises(ValueError, match=message):
        parse_allowed(text)
    assert parse_allowed(" docker.io/library/ , scratch,") == ("docker.io/library", "scratch")
