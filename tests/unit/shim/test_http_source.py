import hashlib
from base64 import b64encode
from pathlib import Path

import pytest
from kaniko_shim.errors import JobError
from kaniko_shim.reasons import Reason
from kaniko_shim.result import SourceReport
from kaniko_shim.source_request import SourceRequest
from kaniko_shim.sources.http import fetch_http
from kaniko_shim.sources.kinds import HttpSource
from kaniko_shim.sources.place import Place
from unit.shim.archives import COMPRESSIONS, files_of, tar_of, zip_of
from unit.shim.servers import Answer, serve

FILES = {"Dockerfile": b"FROM scratch\n", "data": bytes(range(256)) * 5000}
ARCHIVE = COMPRESSIONS["gz"](tar_of(FILES))
SHA256 = hashlib.sha256(ARCHIVE).hexdigest()


class Fetching:
    def __init__(self, tmp_path: Path) -> None:
        self.said = list[str]()
        self.slept = list[float]()
        self.place = Place(tmp_path / "context", tmp_path, {}, self.said.append)
        self.place.clear()

    def __call__(self, url: str, **request: str) -> SourceReport:
        return fetch_http(url, SourceRequest(HttpSource(url), **request), self.place, self.slept.append)  # type: ignore[arg-type]

    def fails(self, url: str, **request: str) -> tuple[Reason, str]:
        with pytest.raises(JobError) as caught:
            self(url, **request)
        return caught.value.failure.reason, caught.value.failure.message

    @property
    def files(self) -> dict[str, bytes]:
        return files_of(self.place.into)


@pytest.fixture
def fetching(tmp_path: Path) -> Fetching:
    return Fetching(tmp_path)


@pytest.mark.parametrize("archive", [ARCHIVE, zip_of(FILES)])
def test_an_archive_is_fetched_and_measured(fetching: Fetching, archive: bytes):
    with serve(Answer(body=archive)) as server:
        report = fetching(server.url + "/x?X-Amz-Signature=s3cret", sha256=hashlib.sha256(archive).hexdigest())
    assert report == SourceReport(
        server.url + "/x?X-Amz-Signature=***", sha256=hashlib.sha256(archive).hexdigest(), size=len(archive)
    )
    assert fetching.files == FILES


@pytest.mark.parametrize(
    "first", [Answer(500), Answer(429, headers={"Retry-After": "7"}), Answer(body=ARCHIVE, cut=900)]
)
def test_what_may_pass_is_tried_again(fetching: Fetching, first: Answer):
    with serve(first, first, Answer(body=ARCHIVE)) as server:
        fetching(server.url + "/x?token=s3cret")
    assert fetching.files == FILES
    assert len(server.asked) == 3
    assert fetching.slept == ([7, 7] if first.status == 429 else [1, 2])
    assert len(fetching.said) == 2
    assert "s3cret" not in "".join(fetching.said)


@pytest.mark.parametrize(
    ("answer", "reason", "requests"),
    [
        (Answer(401), Reason.SOURCE_UNAUTHORIZED, 1),
        (Answer(403), Reason.SOURCE_UNAUTHORIZED, 1),
        (Answer(404), Reason.SOURCE_NOT_FOUND, 1),
        (Answer(410), Reason.SOURCE_NOT_FOUND, 1),
        (Answer(400), Reason.SOURCE_INVALID, 1),
        (Answer(503), Reason.SOURCE_UNAVAILABLE, 5),
        (Answer(body=b"<html>log in</html>"), Reason.SOURCE_INVALID, 1),
        (Answer(302, headers={"Location": "file:///etc/passwd"}), Reason.SOURCE_INVALID, 1),
        (Answer(302, headers={"Location": "/again"}), Reason.SOURCE_INVALID, 11),
    ],
)
def test_what_can_not_pass_is_told(fetching: Fetching, answer: Answer, reason: Reason, requests: int):
    with serve(answer) as server:
        found, message = fetching.fails(server.url.replace("http://", "http://me:s3cret@") + "/x?sig=s3cret")
    assert (found, len(server.asked)) == (reason, requests)
    assert "s3cret" not in message


def test_a_server_that_is_not_there(fetching: Fetching):
    with serve() as server:
        pass
    reason, message = fetching.fails(server.url + "/x")
    assert reason is Reason.SOURCE_UNAVAILABLE
    assert "refused" in message
    assert fetching.slept == [1, 2, 4, 8]


def test_the_checksum_is_compared_even_if_the_archive_is_damaged(fetching: Fetching):
    for body in (ARCHIVE, b"something else"):
        with serve(Answer(body=body)) as server:
            reason, message = fetching.fails(server.url, sha256="0" * 64)
        assert reason is Reason.SOURCE_CHECKSUM_MISMATCH
        assert hashlib.sha256(body).hexdigest() in message


BASIC = "Basic " + b64encode(b"me:s3cret").decode()


def test_credentials_go_to_their_host_only(fetching: Fetching):
    with serve(Answer(body=ARCHIVE)) as other:
        away = Answer(302, headers={"Location": other.url + "/there"})
        with serve(Answer(302, headers={"Location": "/b"}), away) as server:
            fetching(server.url + "/a", username="me", password="s3cret")
    assert [(asked.path, asked.authorization) for asked in server.asked] == [("/a", BASIC), ("/b", BASIC)]
    assert [(asked.path, asked.authorization) for asked in other.asked] == [("/there", "")]


def test_credentials_in_the_url_are_used_and_not_shown(fetching: Fetching):
    with serve(Answer(body=ARCHIVE)) as server:
        report = fetching(server.url.replace("http://", "http://me:s3cret@") + "/x")
    assert server.asked[0].authorization == BASIC
    assert report.url == server.url.replace("http://", "http://***@") + "/x"


def test_a_proxy_is_used_and_bypassed(tmp_path: Path):
    with serve(Answer(body=ARCHIVE)) as proxy:
        fetching = Fetching(tmp_path)
        fetching.place = Place(
            tmp_path / "context", tmp_path, {"http_proxy": proxy.url, "NO_PROXY": "b.invalid"}, print
        )
        fetching("http://a.invalid/x")
        assert [asked.path for asked in proxy.asked] == ["http://a.invalid/x"]
        reason, _ = fetching.fails("http://b.invalid/x")
        assert reason is Reason.SOURCE_UNAVAILABLE
        assert len(proxy.asked) == 1
