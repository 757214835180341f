"""The environment of the executor and of crane: bare, but for the variables of credential helpers and proxies."""

import re
from collections.abc import Iterator, Mapping

from kaniko_shim.system.paths import Paths

# What the credential helpers compiled into the executor and crane read, and the proxies.
_PASSED_ON = re.compile(
    r"AWS_.*|ECS_CONTAINER_METADATA_.*|GOOGLE_APPLICATION_CREDENTIALS|GOOGLE_CLOUD_PROJECT|GCE_METADATA_.*|AZURE_.*"
    r"|CI_REGISTRY.*|CI_JOB_TOKEN|SSL_CERT_(?:DIR|FILE)|(?i:(?:https?|no|all)_proxy)|FF_KANIKO_.*"
)

# Of those, what a RUN step that reads the executor's environment must not bring into the log.
_SECRET = re.compile(r".*(?:SECRET|TOKEN|PASSWORD).*(?<!_FILE)(?<!_URI)(?<!_URL)")

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/kaniko"


def secrets_passed_on(environment: Mapping[str, str]) -> Iterator[str]:
    """The values in the environment of the executor and of crane that must not be printed."""
    for name, value in environment.items():
        if _PASSED_ON.fullmatch(name) and _SECRET.fullmatch(name):
            yield value


def tool_environment(environment: Mapping[str, str], paths: Paths) -> dict[str, str]:
    """The bare environment of the executor and of crane."""
    passed = {name: value for name, value in environment.items() if _PASSED_ON.fullmatch(name) and value}
    return passed | {
        "PATH": _PATH,
        "HOME": "/root",
        "TMPDIR": str(paths.scratch),
        "DOCKER_CONFIG": str(paths.credentials),
        # The executor refuses to run where it does not recognise a container.
        "container": "kube",
    }
