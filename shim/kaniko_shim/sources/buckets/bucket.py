"""Fetches an archive from a bucket: signs a URL, and downloads it like any other.

So retries, resumed downloads, limits, proxies and CAs are those of every web server. obstore knows
how each cloud signs, and where the platforms keep the credentials of a pod or a machine. Here it reads no
variable of the environment: everything it needs is passed to it.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from obstore import sign
from obstore.exceptions import BaseError
from obstore.store import AzureStore, GCSStore, S3Store

from kaniko_shim.log.masking import mask_url
from kaniko_shim.net.proxies import proxy_for
from kaniko_shim.net.web import Target, TransientError, get
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.outcome.result import SourceReport
from kaniko_shim.sources.buckets.azure_signature import sign_blob
from kaniko_shim.sources.buckets.bucket_access import BucketAccess, parse_google_key
from kaniko_shim.sources.download import download
from kaniko_shim.sources.kinds import BucketSource, Cloud
from kaniko_shim.sources.source_request import SourceRequest
from kaniko_shim.sources.workspace import Workspace
from kaniko_shim.system.json_text import load_json

_VALID = timedelta(hours=1)
_RETRIES: Any = {"max_retries": 2, "retry_timeout": timedelta(seconds=10)}
_TIMEOUT = "5s"
_LONGEST_TOKEN = 64 * 1024

_DEFAULT_REGION = "us-east-1"
_GOOGLE = "https://storage.googleapis.com"

_S3_AMBIENT = {
    "AWS_ROLE_ARN": "role_arn",
    "AWS_ROLE_SESSION_NAME": "role_session_name",
    "AWS_WEB_IDENTITY_TOKEN_FILE": "web_identity_token_file",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "container_credentials_relative_uri",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI": "container_credentials_full_uri",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "container_authorization_token_file",
    "AWS_ENDPOINT_URL_STS": "endpoint_url_sts",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT": "metadata_endpoint",
}
_S3_IDENTITIES = (
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)
_AZURE_AMBIENT = {
    "AZURE_CLIENT_ID": "client_id",
    "AZURE_CLIENT_SECRET": "client_secret",
    "AZURE_TENANT_ID": "tenant_id",
    "AZURE_FEDERATED_TOKEN_FILE": "federated_token_file",
    "AZURE_AUTHORITY_HOST": "authority_host",
}

_HINTS = {
    Cloud.S3: "Set SOURCE_ACCESS_KEY_ID and SOURCE_SECRET_ACCESS_KEY to a key with s3:GetObject. Some servers "
    "answer the same for an object that does not exist.",
    Cloud.GOOGLE: "Set SOURCE_GOOGLE_KEY to the key of a service account with storage.objects.get.",
    Cloud.AZURE: "Set SOURCE_AZURE_KEY or SOURCE_AZURE_SAS. Azure answers the same for a container that "
    "does not exist.",
}


def fetch_bucket(
    source: BucketSource, request: SourceRequest, workspace: Workspace, sleep: Callable[[float], None] = time.sleep
) -> SourceReport:
    """Fetch and unpack an archive.

    The credentials are those in the variables, or those that the platform gave to the pod. Without either, the object
    is requested without credentials, and if that is refused, with those of the machine's metadata server.

    Raises:
        JobError: a Source… reason, or DiskFull.
    """
    bucket = Bucket(source, request.buckets, workspace.environment)
    try:
        return download(bucket.target, source.shown, request, workspace, sleep)
    except JobError as error:
        if error.failure.reason is not Reason.SOURCE_UNAUTHORIZED or not bucket.anonymous or not bucket.use_machine():
            raise
        workspace.say(f"{source.shown} is not public; asking the metadata server for credentials")
        workspace.clear()
        try:
            return download(bucket.target, source.shown, request, workspace, sleep)
        except _NoMachineError as missing:
            workspace.say(f"the metadata server gave no credentials: {missing}")
            raise error from missing


class _NoMachineError(Exception):
    """The metadata server gave no credentials."""


class Bucket:
    """Makes URLs for one object.

    Attributes:
        anonymous: whether there are no credentials.
    """

    def __init__(self, source: BucketSource, access: BucketAccess, environment: Mapping[str, str]) -> None:
        self._source = source
        self._access = access
        self._environment = environment
        self._machine = False
        self._store: S3Store | GCSStore | AzureStore | None = None
        self._google_key = access.google_key or _google_file(access) if source.cloud is Cloud.GOOGLE else ""
        self.anonymous = not any(
            {
                Cloud.S3: (access.key_id, *(access.ambient.get(name) for name in _S3_IDENTITIES)),
                Cloud.GOOGLE: (self._google_key,),
                Cloud.AZURE: (access.azure_key, access.azure_sas, access.ambient.get("AZURE_CLIENT_ID")),
            }[source.cloud]
        )

    @property
    def _account(self) -> str:
        return self._source.host.partition(".")[0]

    def use_machine(self) -> bool:
        """Use the metadata server's credentials from now on; False if the bucket's server must not get them."""
        if self._source.cloud is Cloud.S3 and (
            self._access.endpoint or self._access.ambient.get("AWS_EC2_METADATA_DISABLED", "").lower() == "true"
        ):
            return False
        self._machine = True
        return True

    def target(self) -> Target:
        """The object's URL, signed."""
        source = self._source
        headers: Mapping[str, str] = {}
        if source.cloud is Cloud.AZURE and self._access.azure_sas:
            url = f"{self._plain()}?{self._access.azure_sas}"
        elif source.cloud is Cloud.AZURE and self._access.azure_key:
            now = datetime.now(UTC)
            signature = sign_blob(self._account, source.bucket, source.key, self._access.azure_key, now, _VALID)
            url = f"{self._plain()}?{signature}"
        elif self.anonymous and not self._machine:
            url = self._plain()
        elif self._machine and source.cloud is Cloud.GOOGLE:
            url, headers = self._plain(), {"Authorization": f"Bearer {self._google_token()}"}
        else:
            url = self._signed()
        return Target(url, headers, _HINTS[source.cloud])

    def _plain(self) -> str:
        source = self._source
        if source.cloud is Cloud.S3:
            host = self._access.endpoint or f"https://s3.{self._access.region or _DEFAULT_REGION}.amazonaws.com"
        elif source.cloud is Cloud.GOOGLE:
            host = self._access.ambient.get("STORAGE_EMULATOR_HOST", _GOOGLE).rstrip("/")
            host = host if "://" in host else f"http://{host}"
        else:
            host = f"https://{source.host}"
        return f"{host}/{quote(source.bucket)}/{quote(source.key, safe='/')}"

    def _signed(self) -> str:
        try:
            # Kept for later calls: it caches the platform's credentials.
            self._store = self._store or self._make_store()
            return sign(self._store, "GET", self._source.key, _VALID)
        except (BaseError, ValueError) as error:
            problem = _plain(error)
            if self._machine:
                raise _NoMachineError(problem) from error
            raise JobError(
                Reason.SOURCE_UNAUTHORIZED,
                f"The credentials for {self._source.shown} can't be used: {problem}.",
                hint=_HINTS[self._source.cloud],
            ) from error

    def _make_store(self) -> S3Store | GCSStore | AzureStore:
        source, access = self._source, self._access
        options = self._options()
        if source.cloud is Cloud.GOOGLE:
            return GCSStore(source.bucket, service_account_key=self._google_key, client_options=options)
        if source.cloud is Cloud.AZURE:
            return AzureStore(
                source.bucket,
                account_name=self._account,
                endpoint=f"https://{source.host}",
                client_options=options,
                retry_config=_RETRIES,
                **_named(access, _AZURE_AMBIENT),  # type: ignore[arg-type] # names of the library's options
            )
        keys = {"access_key_id": access.key_id, "secret_access_key": access.secret_key}
        if access.session_token:
            keys["session_token"] = access.session_token
        config = {"endpoint": access.endpoint} if access.endpoint else {}
        return S3Store(
            source.bucket,
            region=access.region or _DEFAULT_REGION,
            client_options=options,
            retry_config=_RETRIES,
            **(config | (keys if access.key_id else _named(access, _S3_AMBIENT))),  # type: ignore[arg-type] # the same
        )

    def _options(self) -> Any:  # noqa: ANN401 - a dict of the library's own type
        # The platforms' servers speak plain HTTP, and are reached without a proxy.
        options: dict[str, object] = {"allow_http": True, "timeout": _TIMEOUT, "connect_timeout": _TIMEOUT}
        far = {"AWS_WEB_IDENTITY_TOKEN_FILE", "AZURE_TENANT_ID"} & self._access.ambient.keys()
        if far and (proxy := proxy_for("https://sts.amazonaws.com", self._environment)):
            options["proxy_url"] = proxy
        return options

    def _google_token(self) -> str:

        host = self._access.ambient.get("GCE_METADATA_HOST", "metadata.google.internal")
        url = f"http://{host}/computeMetadata/v1/instance/service-accounts/default/token"
        # Never through a proxy, which would ask its own metadata server.
        target = Target(url, {"Metadata-Flavor": "Google"})
        with ExitStack() as connections:
            try:
                answer = get(target, "the metadata server", {}, {}, connections).read(_LONGEST_TOKEN)
                return str(load_json(answer)["access_token"])
            except (TransientError, JobError, ValueError, KeyError, TypeError) as error:
                raise _NoMachineError(str(error)) from error


def _plain(error: Exception) -> str:
    """The library's message, without its debugging information."""
    return mask_url(" ".join(str(error).partition("Debug source:")[0].split()))[:300].rstrip(".")


def _named(access: BucketAccess, names: Mapping[str, str]) -> dict[str, str]:
    """The platform's variables under the library's names."""
    return {own: access.ambient[name] for name, own in names.items() if name in access.ambient}


def _google_file(access: BucketAccess) -> str:
    name = access.ambient.get("GOOGLE_APPLICATION_CREDENTIALS", "")
    if not name:
        return ""
    try:
        return parse_google_key(Path(name).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise JobError(
            Reason.INVALID_SPEC, f"GOOGLE_APPLICATION_CREDENTIALS names {name}, which can't be used: {error}."
        ) from error
