import pytest
from dulwich.client import HTTPUnauthorized
from dulwich.errors import GitProtocolError
from hypothesis import given
from hypothesis import strategies as st
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.sources.git.failures import final_failure
from kaniko_shim.sources.git.remotes import parse_remote

HTTPS, SSH = "https://git.example/{}.git", "git@git.example:{}.git"
NOT_TRUSTED = (
    "HTTPSConnectionPool(host='git.example', port=443): Max retries exceeded with url: /{}.git/info/refs "
    "(Caused by SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] verify failed')))"
)
ANSWERS = [
    (HTTPS, "unexpected http resp 503 for https://git.example/{}.git/info/refs?service=git-upload-pack", None),
    (HTTPS, "unexpected http resp 403 for https://git.example/{}.git/info/refs", Reason.SOURCE_UNAUTHORIZED),
    (HTTPS, "unexpected http resp 404 for https://git.example/{}.git/info/refs", Reason.SOURCE_NOT_FOUND),
    (HTTPS, NOT_TRUSTED, Reason.SOURCE_UNAVAILABLE),
    (HTTPS, "error reading from https://git.example/{}.git: connection reset by peer", None),
    (SSH, "fatal: '{}.git' does not appear to be a git repository", Reason.SOURCE_NOT_FOUND),
    (SSH, "fatal: '/{}.git' is locked for maintenance", None),
    (SSH, "ERROR: Repository not found.", Reason.SOURCE_NOT_FOUND),
    (SSH, "ERROR: Permission to {}.git denied to deploy key", Reason.SOURCE_UNAUTHORIZED),
    (SSH, "remote: '{}' is being moved; try later", None),
    ("git://git.example/{}.git", "access denied or repository not exported: /{}.git", Reason.SOURCE_UNAUTHORIZED),
    ("git://git.example/{}.git", "The remote server unexpectedly closed the connection.", None),
]
NAMES = st.lists(
    st.sampled_from(
        [
            "app",
            "unauthorized",
            "unauthorised-api",
            "access",
            "denied",
            "no",
            "such",
            "404",
            "403",
            "deploy",
            "key",
            "group/403",
        ]
    ),
    min_size=1,
    max_size=4,
)


@pytest.mark.parametrize(("url", "text", "expected"), ANSWERS)
@given(words=NAMES, joined=st.sampled_from(["/", "-", "_", "."]))
def test_a_failure_does_not_depend_on_names(
    url: str, text: str, expected: Reason | None, words: list[str], joined: str
):
    name = joined.join(words)
    failure = final_failure(GitProtocolError(text.replace("{}", name)), parse_remote(url.format(name)))
    assert (failure.failure.reason if failure else None) is expected


def test_a_log_in_that_is_asked_for():
    failure = final_failure(HTTPUnauthorized("Basic", "https://git.example/app"), parse_remote(HTTPS.format("app")))
    assert failure is not None
    assert failure.failure.reason is Reason.SOURCE_UNAUTHORIZED
