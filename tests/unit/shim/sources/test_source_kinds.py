from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kaniko_shim.registry.references import ImageReference
from kaniko_shim.sources.kinds import (
    BucketSource,
    Cloud,
    DataSource,
    DirectorySource,
    FileSource,
    GitSource,
    HttpSource,
    OciSource,
    Source,
    parse_source,
    secrets_in_url,
)

AZURE = "account1.blob.core.windows.net"
DIGEST = "sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("dir:///tmp/source", DirectorySource("/tmp/source")),
        ("dir:///tmp/a%20b", DirectorySource("/tmp/a b")),
        ("file:///tmp/context.tar.gz", FileSource("/tmp/context.tar.gz")),
        ("HTTP://h.example/x.tgz?sig=1#frag", HttpSource("HTTP://h.example/x.tgz?sig=1")),
        ("https://u:p@h.example/x", HttpSource("https://u:p@h.example/x")),
        ("https://h.example/a/b.git", GitSource("https://h.example/a/b.git")),
        ("https://h.example/a/b.git#v1:sub/dir", GitSource("https://h.example/a/b.git", "v1", "sub/dir")),
        ("git+https://h.example/a/b#feature/x", GitSource("https://h.example/a/b", "feature/x")),
        ("git+http://h.example:8080/a#:./sub/", GitSource("http://h.example:8080/a", "", "sub")),
        ("git://h.example/a.git", GitSource("git://h.example/a.git")),
        ("git+ssh://git@h.example/a.git#v1", GitSource("ssh://git@h.example/a.git", "v1")),
        ("ssh://git@h.example:2222/~me/a", GitSource("ssh://git@h.example:2222/~me/a")),
        ("git@h.example:a/b.git#main:sub", GitSource("git@h.example:a/b.git", "main", "sub")),
        ("oci://r.example:5000/a/b:1", OciSource(ImageReference("r.example:5000", "a/b", "1"))),
        (f"oci://r.example/app@{DIGEST}", OciSource(ImageReference("r.example", "app", "", DIGEST))),
        ("s3://bucket/a%20b/c.tgz", BucketSource(Cloud.S3, "bucket", "a b/c.tgz")),
        ("S3://my.bucket/c.tgz", BucketSource(Cloud.S3, "my.bucket", "c.tgz")),
        ("gs://my_bucket/c.tgz", BucketSource(Cloud.GOOGLE, "my_bucket", "c.tgz")),
        (f"https://{AZURE}/c/d/b.tgz", BucketSource(Cloud.AZURE, "c", "d/b.tgz", AZURE)),
        (f"https://{AZURE}/c/b.tgz?sv=1&sig=x", HttpSource(f"https://{AZURE}/c/b.tgz?sv=1&sig=x")),
        ("data:application/gzip;base64,aGk=", DataSource(b"hi")),
        ("data:;base64,aGk", DataSource(b"hi")),
        ("data:,a%20b", DataSource(b"a b")),
    ],
)
def test_sources(text: str, expected: Source):
    assert parse_source(f" {text}\n") == expected


def test_only_a_full_commit_is_one():
    assert GitSource("x", "a" * 40).commit == "a" * 40
    assert GitSource("x", "a" * 39).commit == ""


@pytest.mark.shows("A9")
@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("/tmp/source", "write a URL"),
        ("dir://tmp/source", "three slashes"),
        ("dir:///a?b", "as %3F and %23"),
        ("file:///a%00b", "NUL"),
        ("http:///x", "no host"),
        ("http://h:port/x", "malformed"),
        ("https://h.example/a b", "a space in the URL as %20"),
        ("ftp://h.example/x", "ftp:// is not supported; use dir://"),
        ("s3://bucket", "name of one archive"),
        ("s3://bucket/", "name of one archive"),
        ("s3://bucket/prefix/", "name of one archive"),
        ("s3://bucket/a/../b", "without empty, . or .. parts"),
        ("s3://bucket/a//b", "without empty, . or .. parts"),
        ("s3://bucket/a?x", "%3F"),
        ("s3://AK:hunter2@bucket/a", "has no user"),
        ("s3:///key", "write s3://bucket/key"),
        ("s3://minio:9000/bucket/key", "SOURCE_S3_ENDPOINT"),
        ("gs://b/", "write gs://bucket/object"),
        ("gs://bucket/a/", "name of one archive"),
        ("https://account.blob.core.windows.net/container", "name of one archive"),
        ("https://account.blob.core.windows.net/container/b?sv=1", "whole signature"),
        ("ssh://h.example/", "no repository"),
        ("ssh://-oProxyCommand=x/a", "user@host"),
        ("ssh://-l@h.example/a", "user@host"),
        ("git@h.example:-x", "begin with -"),
        ("git@h.example:a/b.git#--upload-pack=x", "branch"),
        ("ext::sh -c id", "a space in the URL as %20"),
        ("ext::id", "not a kind of source"),
        ("git+https://h.example/a#--upload-pack=x", "branch"),
        ("git+https://h.example/a#a..b", "branch"),
        ("git+https://h.example/a#:../../etc", "inside the repository"),
        ("git+https://h.example/a?x=1", "no \\?"),
        ("git+https://h.example/", "no repository"),
        ("oci://r.example/UPPER", "lower-case"),
        ("oci://", "no name"),
        ("data:nothing", "comma"),
        ("data:;base64,!!", "not base64"),
    ],
)
def test_wrong_sources(text: str, problem: str):
    with pytest.raises(ValueError, match=problem):
        parse_source(text)


@pytest.mark.shows("A12")
def test_a_wrong_url_is_never_quoted():
    for text in ("https://user:hunter2@h:x/", "s3://hunter2", "git+https://hunter2@h.example/a?hunter2"):
        with pytest.raises(ValueError, match=r"write|use|host") as caught:
            parse_source(text)
        assert "hunter2" not in str(caught.value)


@given(st.text() | st.text().map(lambda x: "https://h/" + x) | st.text().map(lambda x: "git://h/" + x))
def test_any_text_is_a_source_or_a_value_error(text: str):
    try:
        parse_source(text)
    except ValueError:
        return


@given(st.binary())
def test_data_comes_back_as_it_went_in(payload: bytes):
    assert parse_source(f"data:application/x-tar;base64,{b64encode(payload).decode()}") == DataSource(payload)


@pytest.mark.parametrize(
    ("text", "secrets"),
    [
        ("https://user:pa%20ss@h.example/x?a=1", {"pa%20ss", "pa ss"}),
        ("https://t0ken@h.example/x.git", {"t0ken"}),
        ("https://h.example/x?short=1&key=0123456789abcdef%3D", {"0123456789abcdef%3D", "0123456789abcdef="}),
        ("ssh://deploy:s3cret@h.example/x", {"s3cret"}),
        ("deploy@h.example:x", set()),
        ("dir:///x", set()),
    ],
)
def test_secrets_of_a_url(text: str, secrets: set[str]):
    assert set(secrets_in_url(parse_source(text))) == secrets
