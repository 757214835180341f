"""Images that can't be pushed."""

from standalone.failing.case import UNAUTHORIZED, X509, Failing


def _push(situation: str, name: str, reason: str, code: int, message: str) -> Failing:
    env = {"OUTPUT_IMAGE": f"{{answers}}/team/{name}:1"}
    dockerfile = "FROM busybox\nRUN touch /x\n"
    return Failing(situation, dockerfile, reason, code, message, registry="{answers}", env=env)


_UPLOAD = "POST http://{answers}/v2/team/%s/blobs/uploads/: "
_PUT = "PUT http://{answers}/v2/team/%s/manifests/1: "


_REFUSED = "denied the push: "
PUSHES = (
    Failing(
        "push refused",
        "FROM busybox\nRUN exit 9\n",
        "RegistryUnauthorized",
        77,
        f"{{private}} {_REFUSED}POST http://{{private}}/v2/team/app/blobs/uploads/: {UNAUTHORIZED}.",
        registry="{private}",
        env={"OUTPUT_IMAGE": "{private}/team/app:1", "INSECURE_REGISTRIES": "{plain},{private}"},
    ),
    Failing(
        "push refused",
        "FROM busybox\nRUN exit 9\n",
        "RegistryUnauthorized",
        77,
        f"{{private}} {_REFUSED}POST http://{{private}}/v2/team/app/blobs/uploads/: {UNAUTHORIZED}.",
        registry="{private}",
        env={"OUTPUT_IMAGE": "{private}/team/app:1", "INSECURE_REGISTRIES": "{plain},{private}"},
        wrong_password=True,
    ),
    _push(
        "push refused",
        "denied",
        "RegistryUnauthorized",
        77,
        f"{{answers}} {_REFUSED}{_UPLOAD % 'denied'}DENIED: permission_denied: write_package.",
    ),
    _push(
        "push refused",
        "bare-denied",
        "RegistryUnauthorized",
        77,
        f"{{answers}} {_REFUSED}{_UPLOAD % 'bare-denied'}unexpected status code 403 Forbidden.",
    ),
    _push(
        "no such repository",
        "unnamed",
        "PushRejected",
        78,
        f"{{answers}} has no such repository: {_UPLOAD % 'unnamed'}NAME_UNKNOWN: no repository has this name.",
    ),
    _push("too many requests", "busy", "RateLimited", 81, "{answers} answered: too many requests."),
    _push(
        "registry unavailable",
        "down",
        "RegistryUnavailable",
        80,
        f"{{answers}} did not answer, or answered with a server error: {_UPLOAD % 'down'}unexpected status code 502 "
        "Bad Gateway: bad gateway.",
    ),
    _push(
        "immutable tag",
        "immutable",
        "PushRejected",
        78,
        f"{{answers}} does not allow the tag to be overwritten: {_PUT % 'immutable'}"
        "TAG_INVALID: The image tag '1' cannot be overwritten because the repository is immutable.",
    ),
    _push(
        "quota",
        "full",
        "PushRejected",
        78,
        f"{{answers}} has no room for the image: {_PUT % 'full'}"
        "DENIED: adding 5 MiB of storage resource will exceed the configured upper limit of 1 GiB.",
    ),
    _push(
        "layer not visible",
        "unseen",
        "RegistryUnavailable",
        80,
        f"{{answers}} does not find a layer that it has: {_PUT % 'unseen'}MANIFEST_BLOB_UNKNOWN: blob unknown to "
        "registry.",
    ),
    _push(
        "push rejected",
        "strict",
        "PushRejected",
        78,
        f"{{answers}} rejected the image: {_PUT % 'strict'}MANIFEST_INVALID: manifest invalid.",
    ),
    Failing(
        "certificate not trusted",
        "FROM busybox\n",
        "RegistryTLS",
        79,
        f"The certificate of {{untrusted}} is not trusted: {X509 % 'untrusted'}certificate signed by unknown "
        "authority*",
        registry="{untrusted}",
        env={"OUTPUT_IMAGE": "{untrusted}/team/app:1"},
    ),
    Failing(
        "plain HTTP",
        "FROM busybox\n",
        "RegistryTLS",
        79,
        '{named} uses plain HTTP: Get "https://{named}/v2/": http: server gave HTTP response to HTTPS client.',
        registry="{named}",
        env={"OUTPUT_IMAGE": "{named}/team/app:1"},
    ),
    Failing(
        "push refused",
        "FROM busybox\nRUN exit 9\n",
        "RegistryUnauthorized",
        77,
        f"{{answers}} {_REFUSED}{_UPLOAD % 'denied'}DENIED: permission_denied: write_package.",
        registry="{answers}",
        env={"CACHE_REPO": "{answers}/team/denied", "NO_PUSH": "true"},
    ),
)
