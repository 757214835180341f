import hashlib
from base64 import b64encode
from pathlib import Path

import pytest
from kaniko_shim.net.web import whole_number
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.outcome.result import SourceReport
from kaniko_shim.sources.http import fetch_http
from kaniko_shim.sources.kinds import HttpSource
from kaniko_shim.sources.source_request import SourceRequest
from kaniko_shim.sources.workspace import Workspace
from kaniko_shim.system.heartbeat import heartbeat
from kaniko_shim.system.processes.interruption import TooLateError
from unit.shim.archives.archives import COMPRESSIONS, files_of, tar_of, zip_of
from unit.shim.sources.servers import Answer, serve

FILES = {"Dockerfile": b"FROM scratch\n", "data": bytes(range(256)) * 5000}
ARCHIVE = COMPRESSIONS["gz"](tar_of(FILES))
SHA256 = hashlib.sha256(ARCHIVE).hexdigest()


METADATA = ["169.254.169.254", "2852039166", "[fe80::1]", "[fd00:ec2::254]", "user@100.100.100.200:80"]


class Fetching:
    def __init__(self, tmp_path: Path) -> None:
        self.said = list[str]()
        self.limits: dict[str, int] = {}
        self.slept = list[float]()
        self.workspace = Workspace(tmp_path / "context", tmp_path, {}, self.said.append)
        self.workspace.clear()

    def __call__(self, url: str, **request: str) -> SourceReport:
        asked = SourceRequest(HttpSource(url), **self.limits, **request)  # type: ignore[arg-type]
        return fetch_http(url, asked, self.workspace, self.slept.append)

    def fails(self, url: str, **request: str) -> tuple[Reason, str]:
        with pytest.raises(JobError) as caught:
            self(url, **request)
        return caught.value.failure.reason, caught.value.failure.message

    @property
    def files(self) -> dict[str, bytes]:
        return files_of(self.workspace.context)


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
    ("text", "number"),
    [("0", 0), ("12", 12), ("", None), ("²", None), ("-1", None), ("1, 1", None), ("9" * 5000, None)],
)
def test_numbers_of_headers(text: str, number: int | None):
    assert whole_number(text) == number


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
        (Answer(302, headers={"Location": "http://[x/a"}), Reason.SOURCE_INVALID, 1),
        (Answer(302, headers={"Location": "http://x:99999/a"}), Reason.SOURCE_INVALID, 1),
        (Answer(302, headers={"Location": "/again"}), Reason.SOURCE_INVALID, 11),
        (Answer(503, headers={"Retry-After": "²"}), Reason.SOURCE_UNAVAILABLE, 5),
        (Answer(503, headers={"Retry-After": "9" * 5000}), Reason.SOURCE_UNAVAILABLE, 5),
        *(
            (Answer(302, headers={"Location": f"http://{host}/latest/meta-data"}), Reason.SOURCE_INVALID, 1)
            for host in METADATA
        ),
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


@pytest.mark.shows("A5")
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
        fetching.workspace = Workspace(
            tmp_path / "context", tmp_path, {"http_proxy": proxy.url, "NO_PROXY": "b.invalid"}, print
        )
        fetching("http://a.invalid/x")
        assert [asked.path for asked in proxy.asked] == ["http://a.invalid/x"]
        reason, _ = fetching.fails("http://b.invalid/x")
        assert reason is Reason.SOURCE_UNAVAILABLE
        assert len(proxy.asked) == 1


def test_a_redirect_by_way_of_a_proxy_is_looked_at_too(tmp_path: Path):
    away = [Answer(302, headers={"Location": f"http://{host}/x"}) for host in ("name.invalid", METADATA[0])]
    with serve(*away) as proxy:
        fetching = Fetching(tmp_path)
        fetching.workspace = Workspace(tmp_path / "context", tmp_path, {"http_proxy": proxy.url}, print)
        reason, message = fetching.fails("http://a.invalid/x")
    assert reason is Reason.SOURCE_INVALID
    assert "redirects to 169.254.169.254, the address of a metadata server" in message
    assert [asked.path for asked in proxy.asked] == ["http://a.invalid/x", "http://name.invalid/x"]


TAG = {"ETag": '"one"'}
OTHER = COMPRESSIONS["gz"](tar_of({"other": b"file"}))


@pytest.mark.parametrize("headers", [TAG, {"Last-Modified": "Tue, 01 Jan 2019 00:00:00 GMT"}])
@pytest.mark.parametrize("archive", [ARCHIVE, zip_of(FILES), tar_of(FILES)])
def test_a_broken_download_is_continued(fetching: Fetching, archive: bytes, headers: dict[str, str]):
    (condition,) = headers.values()
    cut, whole = (Answer(body=archive, headers=headers, ranges=True, cut=cut) for cut in (700, None))
    with serve(cut, cut, Answer(503), whole) as server:
        report = fetching(server.url, sha256=hashlib.sha256(archive).hexdigest())
    assert report.size == len(archive)
    assert fetching.files == FILES
    ranges = [(asked.range, asked.condition) for asked in server.asked]
    rest = [("bytes=700-", condition), ("bytes=1400-", condition), ("bytes=1400-", condition)]
    assert ranges == [("", ""), *rest]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"ETag": 'W/"weak"'},
        {"Last-Modified": "nonsense"},
        {"Last-Modified": "Tue, 01 Jan 2019 00:00:00 GMT", "Accept-Ranges": "none"},
    ],
)
def test_without_a_sure_sign_of_sameness_a_download_begins_anew(fetching: Fetching, headers: dict[str, str]):
    cut, whole = (Answer(body=ARCHIVE, headers=headers, ranges=True, cut=cut) for cut in (700, None))
    with serve(cut, whole) as server:
        fetching(server.url)
    assert [asked.range for asked in server.asked] == ["", ""]
    assert fetching.files == FILES
    assert "starting from the beginning" in fetching.said[0]


@pytest.mark.parametrize(
    "second",
    [
        # What a server does that has something else by now, as it should.
        Answer(body=OTHER, headers={"ETag": '"two"'}, ranges=True),
        Answer(body=OTHER),
        Answer(412),
        Answer(416),
        # A server that ignores If-Range.
        Answer(206, OTHER[700:], {"Content-Range": f"bytes 700-{len(OTHER) - 1}/{len(OTHER)}"}),
        Answer(206, ARCHIVE[700:], {"Content-Range": f"bytes 700-{len(ARCHIVE) - 1}/{len(ARCHIVE)}", "ETag": '"two"'}),
        # Servers that answer something else than was asked.
        Answer(206, ARCHIVE[600:], {"Content-Range": f"bytes 600-{len(ARCHIVE) - 1}/{len(ARCHIVE)}"} | TAG),
        Answer(206, ARCHIVE[700:], TAG),
        Answer(206, ARCHIVE[700:], {"Content-Range": "nonsense"} | TAG),
    ],
)
def test_two_archives_are_never_mixed(fetching: Fetching, second: Answer):
    first = Answer(body=ARCHIVE, headers=TAG, ranges=True, cut=700)
    with serve(first, second, Answer(body=OTHER, headers={"ETag": '"two"'}, ranges=True)) as server:
        report = fetching(server.url)
    assert (report.sha256, fetching.files) == (hashlib.sha256(OTHER).hexdigest(), {"other": b"file"})
    assert [asked.range for asked in server.asked] == ["", "bytes=700-", ""]


def test_attempts_count_from_what_last_arrived(fetching: Fetching):
    body = tar_of({"zeros": bytes(8 * 1024 * 1024)})
    with serve(Answer(body=body, headers=TAG, ranges=True, cut=1024 * 1024)) as server:
        fetching(server.url)
    assert len(server.asked) == 9
    assert set(fetching.slept) == {1}


def test_a_download_that_does_not_get_on_is_given_up(fetching: Fetching):
    with serve(Answer(body=ARCHIVE, headers=TAG, ranges=True, cut=10)) as server:
        reason, message = fetching.fails(server.url)
    assert (reason, len(server.asked)) == (Reason.SOURCE_UNAVAILABLE, 5)
    assert "in 5 attempts: the connection ended early" in message


@pytest.mark.shows("A3")
def test_an_endless_body_is_cut_off(fetching: Fetching):
    fetching.limits = {"max_bytes": 100_000}
    bomb = COMPRESSIONS["gz"](tar_of({"zeros": bytes(50_000_000)}))
    # Without a length, and so without an end that could be foreseen.
    endless = Answer(body=tar_of({"zeros": bytes(50_000_000)}), endless=True)
    for answer in (endless, Answer(body=bomb), Answer(body=zip_of({"zeros": bytes(50_000_000)}))):
        with serve(answer) as server:
            reason, message = fetching.fails(server.url)
        assert (reason, len(server.asked)) == (Reason.SOURCE_TOO_LARGE, 1)
        assert "100000 bytes" in message


def test_too_many_entries_are_refused(fetching: Fetching):
    fetching.limits = {"max_entries": 100}
    with serve(Answer(body=tar_of({str(number): b"" for number in range(101)}))) as server:
        reason, message = fetching.fails(server.url)
    assert reason is Reason.SOURCE_TOO_LARGE
    assert "more than 100 files and directories" in message


@pytest.mark.shows("A3")
def test_a_trickle_ends_with_the_time(fetching: Fetching):
    beats = list[None]()
    with serve(Answer(body=ARCHIVE, drip=0.02)) as server, pytest.raises(TooLateError):  # noqa: SIM117
        with heartbeat(lambda: beats.append(None), 0.1, 0.35):
            fetching(server.url)
    assert beats
    assert len(server.asked) == 1
