"""Base images that can't be pulled."""

from standalone.failing.case import MANIFEST, UNAUTHORIZED, X509, Failing


def _pull(situation: str, name: str, reason: str, code: int, message: str) -> Failing:
    image = f"{{answers}}/team/{name}:1"
    return Failing(situation, f"FROM {image}\n", reason, code, message, line=1, registry="{answers}")


def _mirror(situation: str, name: str, reason: str, code: int, message: str) -> Failing:
    env = {"REGISTRY_MIRRORS": "{answers}"}
    return Failing(situation, f"FROM team/{name}:1\n", reason, code, message, line=1, registry="{answers}", env=env)


PULLS = (
    Failing(
        "no base image",
        "FROM busybox AS a\nFROM {plain}/library/nosuch:1\n",
        "BaseImageNotFound",
        75,
        "The base image {plain}/library/nosuch:1 does not exist: "
        "GET http://{plain}/v2/library/nosuch/manifests/1: MANIFEST_UNKNOWN: manifest unknown.",
        line=2,
        registry="{plain}",
    ),
    Failing(
        "no base image",
        "FROM busybox\nCOPY --from=nosuch /x /x\n",
        "BaseImageNotFound",
        75,
        "The base image nosuch does not exist: "
        "GET http://{plain}/v2/library/nosuch/manifests/latest: MANIFEST_UNKNOWN: manifest unknown.",
        line=2,
        registry="{plain}",
    ),
    Failing(
        "base image refused",
        "FROM {private}/team/app:1\n",
        "BaseImageUnauthorized",
        76,
        "{private} denied access to {private}/team/app:1: "
        f"GET http://{{private}}/v2/team/app/manifests/1: {UNAUTHORIZED}.",
        line=1,
        registry="{private}",
        env={"INSECURE_REGISTRIES": "{plain},{private}"},
    ),
    Failing(
        "base image refused",
        "FROM {private}/team/app:1\n",
        "BaseImageUnauthorized",
        76,
        "{private} denied access to {private}/team/app:1: "
        f"GET http://{{private}}/v2/team/app/manifests/1: {UNAUTHORIZED}.",
        line=1,
        registry="{private}",
        env={"INSECURE_REGISTRIES": "{plain},{private}"},
        wrong_password=True,
    ),
    _pull(
        "base image refused",
        "forbidden",
        "BaseImageUnauthorized",
        76,
        f"{{answers}} denied access to {{answers}}/team/forbidden:1: {MANIFEST % 'forbidden'}"
        "DENIED: requested access to the resource is denied.",
    ),
    _pull("too many requests", "limited", "RateLimited", 81, "{answers} answered: too many requests."),
    _pull("too many requests", "limited-plainly", "RateLimited", 81, "{answers} answered: too many requests."),
    _pull(
        "registry unavailable",
        "broken",
        "RegistryUnavailable",
        80,
        "{answers} did not answer, or answered with a server error: "
        f"{MANIFEST % 'broken'}unexpected status code 503 Service Unavailable*.",
    ),
    _pull(
        "garbage",
        "garbage",
        "RegistryUnavailable",
        80,
        "The answer of {answers} is not an image: invalid character '<' looking for beginning of value.",
    ),
    Failing(
        "garbage",
        "FROM {corrupt}/library/busybox\n",
        "RegistryUnavailable",
        80,
        "The answer of * is not an image: *error verifying sha256 checksum*",
        line=1,
        registry="{corrupt}",
        env={"INSECURE_REGISTRIES": "{plain},{corrupt}"},
    ),
    _pull(
        "not for this platform",
        "foreign",
        "BaseImageNotFound",
        75,
        "{answers}/team/foreign:1 is not available for linux/amd64.",
    ),
    _mirror("too many requests", "limited", "RateLimited", 81, "{answers} answered: too many requests."),
    _mirror(
        "base image refused",
        "hidden",
        "BaseImageUnauthorized",
        76,
        f"{{answers}} denied access to team/hidden:1: {MANIFEST % 'hidden'}{UNAUTHORIZED}.",
    ),
    _mirror(
        "no base image",
        "nosuch",
        "BaseImageNotFound",
        75,
        f"The base image team/nosuch:1 does not exist: {MANIFEST % 'nosuch'}MANIFEST_UNKNOWN: manifest unknown.",
    ),
    Failing(
        "no base image",
        "FROM team/nosuch:1\n",
        "BaseImageNotFound",
        75,
        f"The base image team/nosuch:1 does not exist: {MANIFEST % 'nosuch'}MANIFEST_UNKNOWN: manifest unknown. "
        "index.docker.io was asked too: *index.docker.io*.",
        line=1,
        registry="{answers}",
        env={"REGISTRY_MIRRORS": "{answers}", "SKIP_DEFAULT_REGISTRY_FALLBACK": ""},
    ),
    Failing(
        "no base image",
        "FROM team/nosuch:1\n",
        "BaseImageNotFound",
        75,
        f"The base image team/nosuch:1 does not exist: {MANIFEST % 'nosuch'}MANIFEST_UNKNOWN: manifest unknown. "
        "other.test:9 was asked too: *connection refused.",
        line=1,
        registry="{answers}",
        env={"REGISTRY_MIRRORS": "other.test:9,{answers}"},
    ),
    Failing(
        "no base image",
        "FROM team/limited:1\n",
        "RateLimited",
        81,
        "The base image team/limited:1 does not exist: GET http://{plain}/v2/team/limited/manifests/1: "
        "MANIFEST_UNKNOWN: manifest unknown. {answers} was asked too: GET *: TOOMANYREQUESTS: You have reached *.",
        line=1,
        registry="{plain}",
        env={"REGISTRY_MIRRORS": "{answers},{plain}"},
    ),
    Failing(
        "registry unavailable",
        "FROM nosuch.invalid/team/app\n",
        "RegistryUnavailable",
        80,
        'nosuch.invalid did not answer, or answered with a server error: Get "https://nosuch.invalid/v2/": dial tcp: '
        "lookup nosuch.invalid*: no such host.",
        line=1,
        registry="nosuch.invalid",
    ),
    Failing(
        "certificate not trusted",
        "FROM {untrusted}/team/app\n",
        "RegistryTLS",
        79,
        f"The certificate of {{untrusted}} is not trusted: {X509 % 'untrusted'}certificate signed by unknown "
        "authority*",
        line=1,
        registry="{untrusted}",
    ),
    Failing(
        "certificate of another name",
        "FROM {other}/team/app\n",
        "RegistryTLS",
        79,
        f"The certificate of {{other}} is for another name: {X509 % 'other'}certificate is not valid for any "
        "names, but wanted to match other.test.",
        line=1,
        registry="{other}",
    ),
    Failing(
        "certificate expired",
        "FROM {expired}/team/app\n",
        "RegistryTLS",
        79,
        f"The certificate of {{expired}} has expired or is not yet valid: {X509 % 'expired'}certificate has expired "
        "or is not yet valid*",
        line=1,
        registry="{expired}",
        env={"REGISTRY_CA": "{expired_ca}"},
    ),
    Failing(
        "plain HTTP",
        "FROM {named}/library/busybox\n",
        "RegistryTLS",
        79,
        '{named} uses plain HTTP: Get "https://{named}/v2/": http: server gave HTTP response to HTTPS client.',
        line=1,
        registry="{named}",
    ),
)
