import pytest
from hypothesis import given
from hypothesis import strategies as st
from kaniko_shim.sources.git.remotes import Remote, parse_remote, resolve


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://u:p%40@h.example/a.git", Remote("https", "h.example", 443, "/a.git", "u", "p@")),
        ("git+http://h.example:8080/a", Remote("http", "h.example", 8080, "/a")),
        ("git://h.example/a", Remote("git", "h.example", 9418, "/a")),
        ("ssh://git@h.example:2222/a%20b", Remote("ssh", "h.example", 2222, "/a b", "git")),
        ("ssh://git@h.example/~me/a", Remote("ssh", "h.example", 22, "~me/a", "git")),
        ("ssh://[::1]/a", Remote("ssh", "::1", 22, "/a")),
        ("git@h.example:team/a.git", Remote("ssh", "h.example", 22, "team/a.git", "git")),
    ],
)
def test_remotes(text: str, expected: Remote):
    assert parse_remote(text) == expected


@pytest.mark.shows("A9")
@pytest.mark.parametrize(
    "text",
    [
        "file:///etc",
        "/etc/passwd",
        "ext::sh -c id",
        "ext::id",
        "--upload-pack=id",
        "-u@h.example:a",
        "ssh://-oProxyCommand=id/a",
        "ssh://u@-oProxyCommand=id/a",
        "git@-oProxyCommand=id:a",
        "git@h.example:--x",
        "https://h.example/a\nb",
        "ftp://h.example/a",
        "",
    ],
)
def test_refused(text: str):
    with pytest.raises(ValueError, match=r"\w"):
        parse_remote(text)


@pytest.mark.parametrize(
    ("base", "text", "expected"),
    [
        ("https://h.example/team/app.git", "../lib.git", "https://h.example/team/lib.git"),
        ("https://h.example/team/app.git/", "../../other/lib", "https://h.example/other/lib"),
        ("https://h.example/team/app", "./lib", "https://h.example/team/app/lib"),
        ("git@h.example:team/app.git", "../lib.git", "git@h.example:team/lib.git"),
        ("git@h.example:team/app.git", "https://o.example/x.git", "https://o.example/x.git"),
    ],
)
def test_urls_of_submodules(base: str, text: str, expected: str):
    assert resolve(parse_remote(base), text) == parse_remote(expected)


@pytest.mark.parametrize("text", ["../../../etc", "../..", "../../-x", "file:///etc", "ext::id", "-x"])
def test_urls_of_submodules_that_are_refused(text: str):
    with pytest.raises(ValueError, match=r"\w"):
        resolve(parse_remote("git@h.example:team/app.git"), text)


@pytest.mark.shows("A10")
@given(st.text(), st.sampled_from(["https://u:p@h.example/a/b", "ssh://h.example/a/b", "u@h.example:a/b"]))
def test_a_relative_url_never_leaves_its_origin(text: str, base: str):
    parent = parse_remote(base)
    try:
        child = resolve(parent, "../" + text)
    except ValueError:
        return
    assert child.origin == parent.origin
    assert ".." not in child.path.split("/")
