"""The URLs that are signed for the clouds, checked as each cloud says that it checks them."""

import hashlib
import hmac
import json
from base64 import b64decode, b64encode
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from kaniko_shim.sources.buckets.bucket import Bucket
from kaniko_shim.sources.buckets.bucket_access import BucketAccess
from kaniko_shim.sources.kinds import BucketSource, Cloud
from unit.shim.sources.servers import Answer, serve

KEY = "path/my context~1.tgz"


def aim(source: BucketSource, access: BucketAccess) -> str:
    return Bucket(source, access, {}).target().url


def string_to_sign(url: str, prefix: str, algorithm: str) -> str:
    """What the fourth version of signatures is made of, for Amazon and for Google."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    pairs = sorted((quote(name, safe="~"), quote(value, safe="~")) for name, value in query.items())
    unsigned = "&".join(f"{name}={value}" for name, value in pairs if name != f"{prefix}-Signature")
    request = f"GET\n{parts.path}\n{unsigned}\nhost:{parts.netloc}\n\nhost\nUNSIGNED-PAYLOAD"
    scope = query[f"{prefix}-Credential"].partition("/")[2]
    digest = hashlib.sha256(request.encode()).hexdigest()
    assert query[f"{prefix}-Algorithm"] == algorithm
    return "\n".join([algorithm, query[f"{prefix}-Date"], scope, digest])


@pytest.mark.parametrize("endpoint", ["", "https://minio.example:9000"])
def test_amazon(endpoint: str):
    access = BucketAccess(endpoint, "eu-west-1", "AKID", "s3cret", "t0ken/+=")
    url = aim(BucketSource(Cloud.S3, "my.bucket", KEY), access)
    assert url.startswith((endpoint or "https://s3.eu-west-1.amazonaws.com") + "/my.bucket/path/my%20context~1.tgz?")
    query = dict(parse_qsl(urlsplit(url).query))
    assert query["X-Amz-Security-Token"] == "t0ken/+="
    signed = string_to_sign(url, "X-Amz", "AWS4-HMAC-SHA256")
    key = b"AWS4s3cret"
    for part in signed.split("\n")[2].split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    assert hmac.digest(key, signed.encode(), "sha256").hex() == query["X-Amz-Signature"]
    assert signed.split("\n")[2].endswith("/eu-west-1/s3/aws4_request")


def test_google():
    private = rsa.generate_private_key(65537, 2048)
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    account = {"type": "service_account", "client_email": "a@b", "private_key_id": "1", "private_key": pem.decode()}
    url = aim(BucketSource(Cloud.GOOGLE, "bucket", KEY), BucketAccess(google_key=json.dumps(account)))
    assert url.startswith("https://storage.googleapis.com/bucket/path/my%20context~1.tgz?")
    signature = bytes.fromhex(dict(parse_qsl(urlsplit(url).query))["X-Goog-Signature"])
    signed = string_to_sign(url, "X-Goog", "GOOG4-RSA-SHA256").encode()
    private.public_key().verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
    with pytest.raises(InvalidSignature):
        private.public_key().verify(signature, signed + b"x", padding.PKCS1v15(), hashes.SHA256())


AZURE = BucketSource(Cloud.AZURE, "container", KEY, "account.blob.core.windows.net")


def test_azure_with_the_key_of_an_account():
    secret = b"s3cret of the account"
    url = aim(AZURE, BucketAccess(azure_key=b64encode(secret).decode()))
    assert url.startswith("https://account.blob.core.windows.net/container/path/my%20context~1.tgz?")
    query = dict(parse_qsl(urlsplit(url).query))
    fields = [query["sp"], query["st"], query["se"], f"/blob/account/container/{KEY}", "", "", query.get("spr", "")]
    fields += [query["sv"], query["sr"], "", "", "", "", "", "", ""]
    expected = hmac.digest(secret, "\n".join(fields).encode(), "sha256")
    assert b64decode(query["sig"]) == expected
    assert (query["sp"], query["sr"]) == ("r", "b")


def test_azure_with_a_signature_that_was_given():
    url = aim(AZURE, BucketAccess(azure_sas="sv=1&sig=s3cret%3D"))
    assert unquote(url) == f"https://account.blob.core.windows.net/container/{KEY}?sv=1&sig=s3cret="


def test_the_role_of_a_machine():
    given = {"AccessKeyId": "ROLE", "SecretAccessKey": "s3cret", "Token": "t", "Expiration": "2099-01-01T00:00:00Z"}
    answers = [Answer(body=b"session"), Answer(body=b"builder"), Answer(body=json.dumps(given).encode())]
    with serve(*answers) as machine:
        access = BucketAccess(ambient={"AWS_EC2_METADATA_SERVICE_ENDPOINT": machine.url})
        bucket = Bucket(BucketSource(Cloud.S3, "bucket", KEY), access, {"https_proxy": "http://127.0.0.1:1"})
        plain = bucket.target().url
        assert bucket.anonymous
        assert bucket.use_machine()
        signed = bucket.target().url
    assert plain == "https://s3.us-east-1.amazonaws.com/bucket/path/my%20context~1.tgz"
    assert signed.startswith(plain + "?")
    assert dict(parse_qsl(urlsplit(signed).query))["X-Amz-Credential"].startswith("ROLE/")


@pytest.mark.shows("A7")
@pytest.mark.parametrize("more", [{"endpoint": "http://minio"}, {"ambient": {"AWS_EC2_METADATA_DISABLED": "true"}}])
def test_the_role_of_a_machine_is_not_for_others(more: dict[str, str]):
    bucket = Bucket(BucketSource(Cloud.S3, "bucket", KEY), BucketAccess(**more), {})  # type: ignore[arg-type]
    assert not bucket.use_machine()
