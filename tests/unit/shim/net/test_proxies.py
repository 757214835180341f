from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined] # missing in typeshed

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kaniko_shim.net.proxies import proxy_for

PROXY = "http://proxy.example:3128"


def is_excluded(url: str, no_proxy: str) -> bool:
    chosen = proxy_for(url, {"HTTP_PROXY": PROXY, "HTTPS_PROXY": PROXY, "NO_PROXY": no_proxy})
    assert chosen in {"", PROXY}
    return not chosen


@pytest.mark.parametrize(
    ("host", "no_proxy", "expected"),
    [
        ("10.1.2.3", "10.0.0.0/8", True),
        ("10.1.2.3:8080", "example.com, 10.0.0.0/8", True),
        ("11.1.2.3", "10.0.0.0/8", False),
        ("10.1.2.3", "10.1.2.3", True),
        ("10.1.2.3:80", "10.1.2.3:80", True),
        ("10.1.2.3", "10.1.2.6/29", True),
        ("[fd00::1]", "fd00::/8", True),
        ("[fd00::1]:8080", "FD00::/8", True),
        ("[fd00::1]", "fd00::1", True),
        ("[fd00:0::1]", "[fd00::1]", True),
        ("[fe80::1]", "fd00::/8", False),
        ("git.example.com", "example.com", True),
        ("git.example.com", ".example.com", True),
        ("git.example.com", "10.0.0.0/8,*", False),
        ("git.example.com", "*", True),
        ("10.example.com", "10.0.0.0/8", False),
        ("10.1.2.3", "10.0.0.0/99,not/a/network", False),
    ],
)
def test_hosts_that_no_proxy_excludes(host: str, no_proxy: str, expected: object):
    assert is_excluded(f"http://{host}/x", no_proxy) is expected
    assert is_excluded(f"https://user:pass@{host}/x", no_proxy) is expected


NAMES = st.sampled_from(["example.com", "git.example.com", "other.example", "10.1.2.3", "10.1.2.4"])
ENTRIES = st.lists(NAMES | st.sampled_from([".example.com", "example.com:80", "10.1.2.3:80", "", "com"]), max_size=4)


@given(NAMES, st.sampled_from(["", ":80", ":8080"]), ENTRIES)
def test_names_are_matched_as_the_standard_library_does(name: str, port: str, entries: list[str]):
    expected = proxy_bypass_environment(name + port, {"no": ",".join(entries)})
    assert is_excluded(f"http://{name}{port}/x", ",".join(entries)) is bool(expected)
