import pytest
from imagebuild_operator.pod.source import git_url


@pytest.mark.parametrize(
    ("url", "revision", "expected"),
    [
        ("https://example.com/app", None, "git+https://example.com/app"),
        ("https://example.com/app.git", "v1", "git+https://example.com/app.git#v1"),
        ("http://example.com/app", "a/b", "git+http://example.com/app#a/b"),
        ("git://example.com/app", "v1", "git://example.com/app#v1"),
    ],
)
def test_git_addresses_are_marked_as_such(url: str, revision: str | None, expected: str):
    assert git_url(url, revision) == expected
