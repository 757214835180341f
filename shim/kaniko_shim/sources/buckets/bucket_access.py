"""Credentials for buckets, from variables."""

import re
from base64 import b64decode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from kaniko_shim.system.json_text import load_json


@dataclass(frozen=True, slots=True)
class BucketAccess:
    """The server of a bucket, and the credentials for it.

    Attributes:
        endpoint: URL of an S3-compatible server, or empty for Amazon's.
        region: the bucket's region, or empty.
        key_id: the id of an S3 access key, or empty.
        secret_key: its secret.
        session_token: the token of temporary S3 credentials, or empty.
        google_key: a service account's JSON, or empty.
        azure_key: a storage account's key, base64, or empty.
        azure_sas: a shared access signature, `sv=…&sig=…`, or empty.
        ambient: variables that a platform sets for its own programs, such as AWS_ROLE_ARN.
    """

    endpoint: str = ""
    region: str = ""
    key_id: str = ""
    secret_key: str = field(default="", repr=False)
    session_token: str = field(default="", repr=False)
    google_key: str = field(default="", repr=False)
    azure_key: str = field(default="", repr=False)
    azure_sas: str = field(default="", repr=False)
    ambient: Mapping[str, str] = field(default_factory=dict, repr=False)

    def secrets(self) -> Iterator[str]:
        """Every value that must not be printed."""
        yield from (self.secret_key, self.session_token, self.azure_key, self.azure_sas)
        for pair in self.azure_sas.split("&"):
            if pair.startswith("sig="):
                yield from (pair[4:], unquote(pair[4:]))
        if self.google_key:
            yield from (self.google_key, load_json(self.google_key)["private_key"])
        yield from (value for name, value in self.ambient.items() if name in _SECRET)


_SECRET = frozenset({"AZURE_CLIENT_SECRET"})
_AMBIENT = re.compile(
    r"AWS_(?:ROLE_ARN|ROLE_SESSION_NAME|WEB_IDENTITY_TOKEN_FILE|CONTAINER_CREDENTIALS_(?:RELATIVE|FULL)_URI"
    r"|CONTAINER_AUTHORIZATION_TOKEN_FILE|ENDPOINT_URL_STS|EC2_METADATA_(?:SERVICE_ENDPOINT|DISABLED))"
    r"|AZURE_(?:CLIENT_ID|CLIENT_SECRET|TENANT_ID|FEDERATED_TOKEN_FILE|AUTHORITY_HOST)"
    r"|GOOGLE_APPLICATION_CREDENTIALS|GCE_METADATA_HOST|STORAGE_EMULATOR_HOST"
)

NO_BUCKETS = BucketAccess()
"""No credentials, and the endpoints of the clouds themselves."""


def ambient_of(environment: Mapping[str, str]) -> Mapping[str, str]:
    """The variables with which a platform passes credentials to its programs."""
    return {name: value for name, value in environment.items() if value and _AMBIENT.fullmatch(name)}


_REGION = re.compile(r"[A-Za-z0-9_-]*")


def parse_endpoint(text: str) -> str:
    """Read the URL of an S3-compatible server.

    Raises:
        ValueError: says what to write.
    """
    text = text.strip().rstrip("/")
    if not text:
        return ""
    try:
        url = urlsplit(text)
        _ = url.port
    except ValueError as error:
        raise ValueError("the URL's host or port is malformed") from error
    if url.scheme not in {"http", "https"} or not url.hostname:
        raise ValueError("write the server's URL, such as https://minio.example:9000")
    if "@" in url.netloc or url.query or url.fragment or url.path:
        raise ValueError("write only scheme, host and port; bucket and key belong in SOURCE_GET_URL")
    return text


def parse_region(text: str) -> str:
    """Read a region's name."""
    if not _REGION.fullmatch(text.strip()):
        raise ValueError("write a region such as eu-central-1")
    return text.strip()


def parse_google_key(text: str) -> str:
    """Read the JSON of a service account, plain or in base64.

    Raises:
        ValueError: it is none; quotes nothing.
    """
    text = text.strip()
    if not text:
        return ""
    try:
        text = text if text.startswith("{") else b64decode(text, validate=True).decode()
        document = load_json(text)
    except ValueError as error:
        raise ValueError("write the JSON of a service account's key, plain or in base64") from error
    if not isinstance(document, dict) or document.get("type") != "service_account" or not document.get("private_key"):
        raise ValueError("write the JSON of a service account's key, with type service_account and private_key")
    return text


def parse_azure_key(text: str) -> str:
    """Read a storage account's key.

    Raises:
        ValueError: it is none; quotes nothing.
    """
    text = text.strip()
    try:
        b64decode(text, validate=True)
    except ValueError as error:
        raise ValueError("write a key of the storage account, in base64 as Azure shows it") from error
    return text


def parse_azure_sas(text: str) -> str:
    """Read a shared access signature, with or without a ? before it.

    Raises:
        ValueError: it is none; quotes nothing.
    """
    text = text.strip().removeprefix("?")
    if (text and not re.search(r"(?:^|&)sig=[^&]", text)) or re.search(r"\s", text):
        raise ValueError("write a shared access signature, sv=…&sig=…")
    return text
