"""The environment of the executor and of crane: bare, but for the variables of credential helpers and proxies."""

import re
from collections.abc import Iterator, Mapping

from kaniko_shim.system.paths import Paths

# Variables of the credential helpers compiled into the executor and crane, and of proxies. Keys of storage accounts are
# only for the build context, which the shim fetches.
_PASSED_ON = re.compile(
    r"AWS_.*|ECS_CONTAINER_METADATA_.*|GOOGLE_APPLICATION_CREDENTIALS|GOOGLE_CLOUD_PROJECT|GCE_METADATA_.*"
    r"|AZURE_(?!STORAGE_).*|CI_REGISTRY.*|CI_JOB_TOKEN|SSL_CERT_(?:DIR|FILE)|(?i:(?:https?|no|all)_proxy)|FF_KANIKO_.*"
)

# Values that must not be printed, not even by a RUN step that reads the executor's environment.
_OF_PLATFORMS = re.compile(r"(?:AWS|ECS|GOOGLE|GCE|AZURE|CI|S3)_.*")
_SECRET = re.compile(
    r".*(?:SECRET|TOKEN|PASSWORD|PASSWD|CREDENTIAL|SIGNATURE|CONNECTION_STRING|_KEY|_SAS).*"
    r"(?<!_FILE)(?<!_PATH)(?<!_URI)(?<!_URL)(?<!_KEY_ID)(?<!_APPLICATION_CREDENTIALS)"
)
# The secret in a connection string; it is masked in addition to the whole string.
_CONNECTION_SECRET = re.compile(r"(?:AccountKey|SharedAccessSignature)=([^;]+)", re.IGNORECASE)

# National clouds of Azure: the server of their tokens, and their name for the credential helper.
_AZURE_CLOUDS = {
    "login.chinacloudapi.cn": "AZURECHINACLOUD",
    "login.partner.microsoftonline.cn": "AZURECHINACLOUD",
    "login.microsoftonline.us": "AZUREUSGOVERNMENTCLOUD",
}

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/kaniko"


def platform_secrets(environment: Mapping[str, str]) -> Iterator[str]:
    """The values of cloud platforms' variables that must not be printed, whether they are passed on or not."""
    for name, value in environment.items():
        if _OF_PLATFORMS.fullmatch(name) and _SECRET.fullmatch(name):
            yield value
            yield from _CONNECTION_SECRET.findall(value)


def tool_environment(environment: Mapping[str, str], paths: Paths) -> dict[str, str]:
    """The bare environment of the executor and of crane."""
    passed = {name: value for name, value in environment.items() if _PASSED_ON.fullmatch(name) and value}
    return passed | {
        "PATH": f"{_PATH}:{paths.credential_helpers}",
        "HOME": "/root",
        "TMPDIR": str(paths.scratch),
        "DOCKER_CONFIG": str(paths.credentials),
        # Also for the helpers that are compiled into the executor: by default, ~/.ecr and ~/.config of the image.
        "AWS_ECR_CACHE_DIR": str(paths.helper_state),
        "DOCKER_CREDENTIAL_GCR_CONFIG": str(paths.helper_state / "gcr.json"),
        **_azure_cloud(environment),
        # The executor refuses to run where it does not recognise a container.
        "container": "kube",
    }


def _azure_cloud(environment: Mapping[str, str]) -> dict[str, str]:
    """The cloud of an identity, for a helper that does not read the variable that Workload Identity sets."""
    host = environment.get("AZURE_AUTHORITY_HOST", "").removeprefix("https://").strip("/")
    name = _AZURE_CLOUDS.get(host, "")
    return {"AZURE_ENVIRONMENT": name} if name and not environment.get("AZURE_ENVIRONMENT") else {}
