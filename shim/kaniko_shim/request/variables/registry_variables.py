"""Variables of registries: credentials, CA bundles and mirrors."""

from kaniko_shim.net.ca_bundle import parse_ca_bundle
from kaniko_shim.registry.docker_config import parse_docker_config
from kaniko_shim.request.registry_lists import parse_maps, parse_mirrors, parse_registries
from kaniko_shim.request.scalars import parse_switch
from kaniko_shim.request.variables.variable import Variable
from kaniko_shim.system.subcommand import PULL_COMMANDS, REGISTRY_COMMANDS

DOCKER_CONFIG_JSON = Variable(
    "DOCKER_CONFIG_JSON",
    "Registry credentials: a Docker `config.json`, as JSON or base64-encoded. DOCKER_CONFIG_JSON_1, "
    "DOCKER_CONFIG_JSON_2, … hold more; if several name the same registry, the first wins. If none is set, "
    "`config.json` in the directory DOCKER_CONFIG (in the image: `/kaniko/.docker`) is used if it exists.",
    parse_docker_config,
    commands=REGISTRY_COMMANDS,
    secret=True,
)
REGISTRY_CA = Variable(
    "REGISTRY_CA",
    "CA bundle (PEM) that registries are verified with, in addition to the public CAs. Downloads by ADD trust it too, "
    "and an `oci://` context. REGISTRY_CA_1, REGISTRY_CA_2, … hold more.",
    parse_ca_bundle,
    commands=REGISTRY_COMMANDS,
    shown=False,
)
INSECURE_REGISTRIES = Variable(
    "INSECURE_REGISTRIES",
    "Registries that are reached over plain HTTP: a list of `host[:port]`, separated by `;` or `,`.",
    parse_registries,
    commands=REGISTRY_COMMANDS,
)
SKIP_TLS_VERIFY_REGISTRIES = Variable(
    "SKIP_TLS_VERIFY_REGISTRIES",
    "Registries whose TLS certificate is not verified: a list of `host[:port]`, separated by `;` or `,`.",
    parse_registries,
    commands=REGISTRY_COMMANDS,
)
REGISTRY_MIRRORS = Variable(
    "REGISTRY_MIRRORS",
    "Mirrors of Docker Hub, tried in order: a comma-separated list of `host[:port][/path]`.",
    parse_mirrors,
    commands=PULL_COMMANDS,
)
REGISTRY_MAP = Variable(
    "REGISTRY_MAP",
    "Mirrors of other registries: a comma-separated list of `host=mirror/path`. A host may appear several times; its "
    "mirrors are tried in order.",
    parse_maps,
    commands=PULL_COMMANDS,
)
SKIP_DEFAULT_REGISTRY_FALLBACK = Variable(
    "SKIP_DEFAULT_REGISTRY_FALLBACK",
    "If `true`, an image that no mirror or map has is an error; its own registry is not asked.",
    parse_switch,
    default="false",
    commands=PULL_COMMANDS,
)

REGISTRY_TABLE: tuple[Variable[object], ...] = (
    DOCKER_CONFIG_JSON,
    REGISTRY_CA,
    INSECURE_REGISTRIES,
    SKIP_TLS_VERIFY_REGISTRIES,
    REGISTRY_MIRRORS,
    REGISTRY_MAP,
    SKIP_DEFAULT_REGISTRY_FALLBACK,
)
