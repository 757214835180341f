"""Archives in buckets: an S3 server, and what the platforms' own servers say about who we are."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.outcome.result import SourceReport
from kaniko_shim.sources.buckets.bucket import fetch_bucket
from kaniko_shim.sources.buckets.bucket_access import BucketAccess
from kaniko_shim.sources.kinds import BucketSource, Cloud
from kaniko_shim.sources.source_request import SourceRequest
from kaniko_shim.sources.workspace import Workspace
from support.https import Https
from support.s3 import S3, serve_s3
from unit.shim.archives.archives import COMPRESSIONS, files_of, tar_of
from unit.shim.sources.servers import Answer, serve

FILES = {"Dockerfile": b"FROM scratch\n", "data": bytes(range(256)) * 500}
ARCHIVE = COMPRESSIONS["gz"](tar_of(FILES))
KEYS = BucketAccess(region="eu-west-1", key_id="AKID", secret_key="s3cret")


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    with serve_s3(tmp_path_factory.mktemp("s3")) as server:
        server.make_bucket("bucket")
        server.put("bucket", "path/my%20context+1.tgz", ARCHIVE)
        yield server


class Fetching:
    def __init__(self, tmp_path: Path, environment: dict[str, str]) -> None:
        self.said = list[str]()
        self.workspace = Workspace(tmp_path / "context", tmp_path, environment, self.said.append)
        self.workspace.clear()

    def __call__(self, source: BucketSource, access: BucketAccess, **request: str) -> SourceReport:
        asked = SourceRequest(source, buckets=access, **request)  # type: ignore[arg-type]
        return fetch_bucket(source, asked, self.workspace, lambda _: None)

    def fails(self, source: BucketSource, access: BucketAccess) -> tuple[Reason, str]:
        with pytest.raises(JobError) as caught:
            self(source, access)
        assert "s3cret" not in str(caught.value) + "".join(self.said)
        return caught.value.failure.reason, f"{caught.value.failure.message} {caught.value.failure.advice}"


@pytest.fixture
def fetching(tmp_path: Path) -> Fetching:
    return Fetching(tmp_path, {})


@pytest.fixture
def trusting(s3: S3, tmp_path: Path) -> Fetching:
    """With the authority of the S3 server."""
    return Fetching(tmp_path, {"SSL_CERT_FILE": str(s3.authority)})


CONTEXT = BucketSource(Cloud.S3, "bucket", "path/my context+1.tgz")


def test_an_archive_in_a_bucket_is_fetched(s3: S3, trusting: Fetching):
    report = trusting(CONTEXT, replace(KEYS, endpoint=s3.url))
    assert (report.url, report.size) == ("s3://bucket/path/my context+1.tgz", len(ARCHIVE))
    assert files_of(trusting.workspace.context) == FILES


@pytest.mark.parametrize(
    ("source", "reason", "message"),
    [
        (replace(CONTEXT, key="none"), Reason.SOURCE_NOT_FOUND, "(NoSuchKey) for s3://bucket/none."),
        (BucketSource(Cloud.S3, "none", "x"), Reason.SOURCE_NOT_FOUND, "(NoSuchBucket) for s3://none/x."),
    ],
)
def test_what_is_not_there_is_told(s3: S3, trusting: Fetching, source: BucketSource, reason: Reason, message: str):
    found, told = trusting.fails(source, replace(KEYS, endpoint=s3.url))
    assert found is reason
    assert message in told


def test_a_closed_bucket_of_another_server_wants_a_key(s3: S3, trusting: Fetching):
    reason, told = trusting.fails(CONTEXT, BucketAccess(s3.url))
    assert reason is Reason.SOURCE_UNAUTHORIZED
    assert "Set SOURCE_ACCESS_KEY_ID and SOURCE_SECRET_ACCESS_KEY" in told
    # The machine's own credentials are for Amazon only.
    assert trusting.said == []


ROLE = """<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>ROLE</AccessKeyId><SecretAccessKey>s3cret</SecretAccessKey>
<SessionToken>s3cret token</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>
</AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"""


def test_a_role_by_web_identity_is_taken_on(
    s3: S3, trusting: Fetching, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    https = Https.make(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(https.authority))
    (tmp_path / "token").write_text("web-token")
    role = "arn:aws:iam::123456789012:role/builder"
    with serve(Answer(body=ROLE.encode()), https=https) as sts:
        ambient = {
            "AWS_ROLE_ARN": role,
            "AWS_WEB_IDENTITY_TOKEN_FILE": str(tmp_path / "token"),
            "AWS_ENDPOINT_URL_STS": sts.url,
        }
        trusting(CONTEXT, BucketAccess(s3.url, ambient=ambient))
    assert files_of(trusting.workspace.context) == FILES
    (asked,) = sts.asked
    query = parse_qs(urlsplit(asked.path).query)
    assert (query["RoleArn"], query["WebIdentityToken"]) == ([role], ["web-token"])


def test_the_credentials_of_a_pod_are_used(fetching: Fetching, tmp_path: Path):
    (tmp_path / "token").write_text("pods token")
    given = {
        "AccessKeyId": "POD",
        "SecretAccessKey": "s3cret",
        "Token": "s3cret token",
        "Expiration": "2099-01-01T00:00:00Z",
    }
    with serve(Answer(body=json.dumps(given).encode())) as platform, serve(Answer(body=ARCHIVE)) as server:
        ambient = {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": platform.url + "/v1/credentials",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(tmp_path / "token"),
        }
        fetching(CONTEXT, BucketAccess(server.url, ambient=ambient))
    assert [(each.path, each.authorization) for each in platform.asked] == [("/v1/credentials", "pods token")]
    (asked,) = server.asked
    query = parse_qs(urlsplit(asked.path).query)
    assert query["X-Amz-Credential"][0].startswith("POD/")
    assert query["X-Amz-Security-Token"] == ["s3cret token"]


def test_a_pod_without_valid_credentials_is_told(fetching: Fetching, tmp_path: Path):
    ambient = {"AWS_ROLE_ARN": "x", "AWS_WEB_IDENTITY_TOKEN_FILE": str(tmp_path / "none")}
    reason, told = fetching.fails(CONTEXT, BucketAccess("http://127.0.0.1:1", ambient=ambient))
    assert reason is Reason.SOURCE_UNAUTHORIZED
    assert "The credentials for s3://bucket/path/my context+1.tgz can't be used" in told


def test_the_region_that_the_bucket_is_in_is_told(fetching: Fetching):
    elsewhere = Answer(301, b"<Error><Code>PermanentRedirect</Code></Error>", {"x-amz-bucket-region": "eu-west-3"})
    with serve(elsewhere) as server:
        reason, told = fetching.fails(CONTEXT, replace(KEYS, endpoint=server.url))
    assert reason is Reason.SOURCE_INVALID
    assert "(PermanentRedirect)" in told
    assert "Set SOURCE_S3_REGION=eu-west-3." in told


def test_a_signature_is_made_anew_for_each_attempt(fetching: Fetching):
    with serve(Answer(503), Answer(400, b"<Error><Code>ExpiredToken</Code></Error>")) as server:
        reason, told = fetching.fails(CONTEXT, replace(KEYS, endpoint=server.url))
    assert reason is Reason.SOURCE_UNAUTHORIZED
    assert "(ExpiredToken)" in told
    assert all("X-Amz-Signature=" in asked.path for asked in server.asked)


GOOGLE = BucketSource(Cloud.GOOGLE, "bucket", "path/context.tgz")


def test_an_open_object_of_google_needs_nothing(fetching: Fetching):
    with serve(Answer(body=ARCHIVE)) as server:
        fetching(GOOGLE, BucketAccess(ambient={"STORAGE_EMULATOR_HOST": server.url.removeprefix("http://")}))
    assert [(asked.path, asked.authorization) for asked in server.asked] == [("/bucket/path/context.tgz", "")]
    assert files_of(fetching.workspace.context) == FILES


def test_the_metadata_server_of_google_is_asked_if_need_be(fetching: Fetching):
    token = json.dumps({"access_token": "s3cret", "expires_in": 3600, "token_type": "Bearer"}).encode()
    with serve(Answer(body=token)) as machine, serve(Answer(403), Answer(body=ARCHIVE)) as server:
        ambient = {"STORAGE_EMULATOR_HOST": server.url, "GCE_METADATA_HOST": machine.url.removeprefix("http://")}
        fetching(GOOGLE, BucketAccess(ambient=ambient))
    assert [asked.authorization for asked in server.asked] == ["", "Bearer s3cret"]
    assert fetching.said == ["gs://bucket/path/context.tgz is not public; asking the metadata server for credentials"]


def test_a_refusal_stays_one_without_a_metadata_server(fetching: Fetching):
    with serve(Answer(403)) as server:
        ambient = {"STORAGE_EMULATOR_HOST": server.url, "GCE_METADATA_HOST": "127.0.0.1:1"}
        reason, told = fetching.fails(GOOGLE, BucketAccess(ambient=ambient))
    assert reason is Reason.SOURCE_UNAUTHORIZED
    assert "Set SOURCE_GOOGLE_KEY" in told
    assert "the metadata server gave no credentials" in fetching.said[-1]
