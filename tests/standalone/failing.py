"""Builds that fail, each in one way, and what must be said of them.

`{…}` stands for an address: plain (the registry, by its address), named (the same by a name), private (wants a
password), proxy (an HTTP proxy that wants one), answers (see answering.py), untrusted, other and expired (HTTPS with
bad certificates), corrupt (a registry whose blobs are damaged).
"""

import io
import random
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from standalone.container import UNLIMITED, Limits

MEGA = 1024 * 1024


@dataclass(frozen=True, eq=False)
class Failing:
    """A build that fails.

    Attributes:
        situation: the row of the shim's table that it proves.
        line: of the instruction that is to be named.
        mounts: where something else is mounted.
        wrong_password: whether there are credentials for {private}, which are wrong.
        shipped: what differs with the executor that ships.
    """

    situation: str
    dockerfile: str
    reason: str
    code: int
    message: str
    line: int = 0
    registry: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    mounts: tuple[str, ...] = ()
    limits: Limits = UNLIMITED
    wrong_password: bool = False
    shipped: Mapping[str, Any] = field(default_factory=dict)


def _run(
    command: str, code: int, situation: str = "RUN exits", message: str = "", shipped: Mapping[str, Any] | None = None
) -> Failing:
    ended = f"The RUN in line 2 ended with exit code {code}."
    if situation == "RUN killed":
        # The executor that ships starts tini first, which makes an exit code of the signal, as a shell does.
        shipped = {"message": ended}
    dockerfile = f"FROM busybox\nRUN {command}\n"
    return Failing(situation, dockerfile, "RunCommandFailed", code, message or ended, line=2, shipped=shipped or {})


def _pull(situation: str, name: str, reason: str, code: int, message: str) -> Failing:
    image = f"{{answers}}/team/{name}:1"
    return Failing(situation, f"FROM {image}\n", reason, code, message, line=1, registry="{answers}")


def _mirror(situation: str, name: str, reason: str, code: int, message: str) -> Failing:
    env = {"REGISTRY_MIRRORS": "{answers}"}
    return Failing(situation, f"FROM team/{name}:1\n", reason, code, message, line=1, registry="{answers}", env=env)


def _push(situation: str, name: str, reason: str, code: int, message: str) -> Failing:
    env = {"OUTPUT_IMAGE": f"{{answers}}/team/{name}:1"}
    dockerfile = "FROM busybox\nRUN touch /x\n"
    return Failing(situation, dockerfile, reason, code, message, registry="{answers}", env=env)


def _cut_archive() -> str:
    """A compressed tar that ends before its file does."""
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w:gz") as archive:
        entry = tarfile.TarInfo("file")
        entry.size = 100_000
        archive.addfile(entry, io.BytesIO(random.Random(0).randbytes(entry.size)))
    return whole.getvalue()[:2000].decode("latin-1")


_MANIFEST = "GET http://{answers}/v2/team/%s/manifests/1: "
_UPLOAD = "POST http://{answers}/v2/team/%s/blobs/uploads/: "
_PUT = "PUT http://{answers}/v2/team/%s/manifests/1: "
_NO_ROOM = "The disk is full"
_UNAUTHORIZED = "UNAUTHORIZED: authentication required"
_X509 = 'Get "https://{%s}/v2/": tls: failed to verify certificate: x509: '

RUNS = (
    _run("exit 1", 1),
    _run("exit 2", 2),
    _run("/etc/passwd", 126),
    _run("nosuch-command", 127),
    _run("exit 137", 137),
    _run("echo no space left on device; exit 3", 3),
    _run("kill -9 $$", 137, "RUN killed", "The RUN in line 2 was stopped by a signal (killed)."),
    _run("kill -15 $$", 143, "RUN killed", "The RUN in line 2 was stopped by a signal (terminated)."),
    _run("kill -11 $$", 139, "RUN killed", "The RUN in line 2 was stopped by a signal (segmentation fault)."),
    _run(
        '["/etc/passwd"]',
        1,
        "not executable",
        "The RUN in line 2 could not start /etc/passwd: it is not executable.",
        {"code": 126},
    ),
    _run(
        '["/nosuch"]',
        1,
        "no such program",
        "The RUN in line 2 could not start: the image has no /nosuch.",
        {"code": 127},
    ),
    _run(
        '["nosuch"]',
        1,
        "no such program",
        'The RUN in line 2 could not start: the image has no "nosuch".',
        {"code": 127, "message": "The RUN in line 2 could not start: the image has no nosuch."},
    ),
    Failing(
        "no shell",
        "FROM scratch\nCOPY Dockerfile /x\nRUN true\n",
        "RunCommandFailed",
        1,
        "The RUN in line 3 could not start: the image has no /bin/sh.",
        line=3,
        shipped={"code": 127},
    ),
    Failing(
        "no shell",
        'FROM busybox\nSHELL ["/bin/zsh", "-c"]\n\nRUN true\n',
        "RunCommandFailed",
        1,
        "The RUN in line 4 could not start: the image has no /bin/zsh.",
        line=4,
        shipped={"code": 127},
    ),
    Failing(
        "another processor",
        'FROM busybox\nCOPY program /p\nRUN chmod 755 /p\nRUN ["/p"]\n',
        "RunCommandFailed",
        1,
        "The RUN in line 4 could not start /p: it is built for another architecture, or is a script without #!.",
        line=4,
        files={"program": "\x7fELF"},
        # Its tini gives a file that is no program to the image's shell, as execvp does.
        shipped={"code": 127, "message": "The RUN in line 4 ended with exit code 127."},
    ),
    Failing(
        "cannot start",
        "FROM busybox\nRUN touch /f\nWORKDIR /f\nRUN true\n",
        "RunCommandFailed",
        1,
        "The RUN in line 4 could not start: fork/exec /bin/sh: not a directory.",
        line=4,
        shipped={"message": "The RUN in line 4 could not start: not a directory."},
    ),
    Failing(
        "no such user",
        "FROM busybox\nUSER nosuch\nRUN true\n",
        "RunCommandFailed",
        1,
        "The image has no user or group nosuch, which USER or --chown names.",
        line=3,
    ),
    Failing(
        "no such user",
        "FROM busybox\nCOPY --chown=0:nosuch Dockerfile /x\n",
        "RunCommandFailed",
        1,
        "The image has no user or group nosuch, which USER or --chown names.",
        line=2,
    ),
)

DOCKERFILES = (
    Failing(
        "Dockerfile syntax",
        "FROM busybox\nRUNN true\n",
        "DockerfileInvalid",
        71,
        "The Dockerfile can't be parsed: "
        "dockerfile parse error on line 2: unknown instruction: RUNN (did you mean RUN?).",
        line=2,
    ),
    Failing("no FROM", "ARG A\n", "DockerfileInvalid", 71, "Dockerfile has no FROM."),
    Failing(
        "several sources, no directory",
        "FROM busybox\nCOPY Dockerfile Dockerfile /x\n",
        "DockerfileInvalid",
        71,
        "A COPY or ADD with several sources needs a destination that ends in /.",
    ),
    Failing(
        "a heredoc without an end",
        "FROM busybox\n\nRUN <<END\ntrue\n",
        "DockerfileInvalid",
        71,
        "Dockerfile line 3: the heredoc END is not closed.",
        line=3,
    ),
    Failing(
        "a variable's form",
        "FROM busybox\nENV A=${{B:?missing}}\n",
        "DockerfileInvalid",
        71,
        '"${{B:?missing}}" in the Dockerfile can\'t be expanded: B: missing.',
    ),
    Failing(
        "no signal",
        "FROM busybox\nSTOPSIGNAL SIGNOSUCH\n",
        "DockerfileInvalid",
        71,
        "STOPSIGNAL is not a signal: SIGNOSUCH.",
        line=2,
    ),
    Failing(
        "no image's name",
        "FROM Bad::Name\n",
        "DockerfileInvalid",
        71,
        "FROM or COPY --from names 'Bad::Name', which is not a valid image name.",
    ),
    Failing(
        "no such target",
        "FROM busybox\n",
        "TargetNotFound",
        74,
        "The Dockerfile has no stage nosuch, which TARGET names.",
        env={"TARGET": "nosuch"},
    ),
    Failing(
        "not in the context",
        "FROM busybox\nRUN true\nCOPY Dockerfile nothing /x/\n",
        "CopyFailed",
        73,
        "The build context has no nothing, which the Dockerfile copies.",
        line=3,
    ),
    Failing(
        "not in the context",
        "FROM busybox\nCOPY /a/nothing /x/\n",
        "CopyFailed",
        73,
        "The build context has no a/nothing, which the Dockerfile copies.",
        line=2,
        files={"sub/Dockerfile": "FROM busybox\nCOPY /a/nothing /x/\n"},
        env={"CONTEXT_SUB_PATH": "sub"},
    ),
    Failing(
        "not in the other stage",
        "FROM busybox AS a\nRUN true\nFROM busybox\nCOPY --from=a /nothing /x\n",
        "CopyFailed",
        73,
        "The stage or image in --from has no /nothing.",
        line=4,
    ),
    Failing(
        "damaged archive",
        "FROM busybox\nADD a.tar.gz /x/\n",
        "CopyFailed",
        73,
        "ADD can't unpack an archive of the build context: unexpected EOF.",
        line=2,
        files={"a.tar.gz": _cut_archive()},
    ),
    Failing(
        "no room for the copy",
        "FROM busybox\nCOPY Dockerfile /bin/busybox/\n",
        "CopyFailed",
        73,
        "COPY or ADD can't write to its destination: lstat /bin/busybox/Dockerfile: not a directory.",
        line=2,
    ),
    Failing(
        "download refused",
        "FROM busybox\nADD http://{answers}/v2/team/nosuch/manifests/1 /x\n",
        "CopyFailed",
        73,
        "The server of ADD's URL answered 404.",
        line=2,
    ),
    Failing(
        "download not trusted",
        "FROM busybox\nADD https://{untrusted}/x /x\n",
        "CopyFailed",
        73,
        'The certificate of the server of ADD\'s URL is not trusted: Get "https://{untrusted}/x": tls: failed to '
        "verify certificate: x509: certificate signed by unknown authority.",
        line=2,
    ),
    Failing(
        "download unavailable",
        "FROM busybox\nADD http://{answers}/v2/team/limited/manifests/1 /x\n",
        "SourceUnavailable",
        69,
        "ADD's URL could not be downloaded: invalid response status 429.",
        line=2,
    ),
    Failing(
        "download unavailable",
        "FROM busybox\nADD http://127.0.0.1:9/x /x\n",
        "SourceUnavailable",
        69,
        'ADD\'s URL could not be downloaded: Get "http://127.0.0.1:9/x": '
        "dial tcp 127.0.0.1:9: connect: connection refused.",
        line=2,
    ),
)

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
        f"GET http://{{private}}/v2/team/app/manifests/1: {_UNAUTHORIZED}.",
        line=1,
        registry="{private}",
    ),
    Failing(
        "base image refused",
        "FROM {private}/team/app:1\n",
        "BaseImageUnauthorized",
        76,
        "{private} denied access to {private}/team/app:1: "
        f"GET http://{{private}}/v2/team/app/manifests/1: {_UNAUTHORIZED}.",
        line=1,
        registry="{private}",
        wrong_password=True,
    ),
    _pull(
        "base image refused",
        "forbidden",
        "BaseImageUnauthorized",
        76,
        f"{{answers}} denied access to {{answers}}/team/forbidden:1: {_MANIFEST % 'forbidden'}"
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
        f"{_MANIFEST % 'broken'}unexpected status code 503 Service Unavailable*.",
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
        f"{{answers}} denied access to team/hidden:1: {_MANIFEST % 'hidden'}{_UNAUTHORIZED}.",
    ),
    _mirror(
        "no base image",
        "nosuch",
        "BaseImageNotFound",
        75,
        f"The base image team/nosuch:1 does not exist: {_MANIFEST % 'nosuch'}MANIFEST_UNKNOWN: manifest unknown.",
    ),
    Failing(
        "no base image",
        "FROM team/nosuch:1\n",
        "BaseImageNotFound",
        75,
        f"The base image team/nosuch:1 does not exist: {_MANIFEST % 'nosuch'}MANIFEST_UNKNOWN: manifest unknown. "
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
        f"The base image team/nosuch:1 does not exist: {_MANIFEST % 'nosuch'}MANIFEST_UNKNOWN: manifest unknown. "
        "127.0.0.1:9 was asked too: *connection refused.",
        line=1,
        registry="{answers}",
        env={"REGISTRY_MIRRORS": "127.0.0.1:9,{answers}"},
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
        f"The certificate of {{untrusted}} is not trusted: {_X509 % 'untrusted'}certificate signed by unknown "
        "authority*",
        line=1,
        registry="{untrusted}",
    ),
    Failing(
        "certificate of another name",
        "FROM {other}/team/app\n",
        "RegistryTLS",
        79,
        f"The certificate of {{other}} is for another name: {_X509 % 'other'}certificate is not valid for any "
        "names, but wanted to match other.test.",
        line=1,
        registry="{other}",
    ),
    Failing(
        "certificate expired",
        "FROM {expired}/team/app\n",
        "RegistryTLS",
        79,
        f"The certificate of {{expired}} has expired or is not yet valid: {_X509 % 'expired'}certificate has expired "
        "or is not yet valid*",
        line=1,
        registry="{expired}",
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

_REFUSED = "denied the push: "
PUSHES = (
    Failing(
        "push refused",
        "FROM busybox\nRUN exit 9\n",
        "RegistryUnauthorized",
        77,
        f"{{private}} {_REFUSED}POST http://{{private}}/v2/team/app/blobs/uploads/: {_UNAUTHORIZED}.",
        registry="{private}",
        env={"OUTPUT_IMAGE": "{private}/team/app:1"},
    ),
    Failing(
        "push refused",
        "FROM busybox\nRUN exit 9\n",
        "RegistryUnauthorized",
        77,
        f"{{private}} {_REFUSED}POST http://{{private}}/v2/team/app/blobs/uploads/: {_UNAUTHORIZED}.",
        registry="{private}",
        env={"OUTPUT_IMAGE": "{private}/team/app:1"},
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
        f"The certificate of {{untrusted}} is not trusted: {_X509 % 'untrusted'}certificate signed by unknown "
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

_NO_PASSWORD = {"HTTP_PROXY": "http://robot:wrong@{proxy}", "HTTPS_PROXY": "http://robot:wrong@{proxy}"}
PROXIES = (
    Failing(
        "proxy refuses",
        "FROM far.test/team/app\n",
        "BaseImageUnauthorized",
        76,
        'The HTTP proxy refused the user or password (407): Get "https://far.test/v2/": Proxy Authentication Required.',
        line=1,
        registry="far.test",
        env=_NO_PASSWORD,
    ),
    Failing(
        "proxy refuses",
        "FROM far.test/team/app\n",
        "BaseImageUnauthorized",
        76,
        'The HTTP proxy refused the user or password (407): Get "https://far.test/v2/": Proxy Authentication Required; '
        "GET http://far.test/v2/: unexpected status code 407 *.",
        line=1,
        registry="far.test",
        env={**_NO_PASSWORD, "INSECURE_REGISTRIES": "{plain},far.test"},
    ),
    Failing(
        "proxy refuses",
        "FROM busybox\n",
        "RegistryUnauthorized",
        77,
        'The HTTP proxy refused the user or password (407): Get "https://far.test/v2/": Proxy Authentication Required.',
        registry="far.test",
        env={**_NO_PASSWORD, "OUTPUT_IMAGE": "far.test/team/app:1"},
    ),
    Failing(
        "proxy refuses ADD",
        "FROM busybox\nADD http://far.test/x /x\n",
        "CopyFailed",
        73,
        "The HTTP proxy refused the user or password (407): invalid response status 407.",
        line=2,
        env=_NO_PASSWORD,
    ),
    Failing(
        "proxy refuses ADD",
        "FROM busybox\nADD https://far.test/x /x\n",
        "CopyFailed",
        73,
        'The HTTP proxy refused the user or password (407): Get "https://far.test/x": Proxy Authentication Required.',
        line=2,
        env=_NO_PASSWORD,
    ),
    Failing(
        "proxy does not connect",
        "FROM far.test/team/app\n",
        "RegistryUnavailable",
        80,
        "The HTTP proxy does not connect to far.test: Bad Gateway.",
        line=1,
        registry="far.test",
        env={"HTTPS_PROXY": "http://robot:right@{proxy}"},
    ),
    Failing(
        "proxy does not answer",
        "FROM far.test/team/app\n",
        "RegistryUnavailable",
        80,
        "The HTTP proxy did not answer: dial tcp 127.0.0.1:9: connect: connection refused.",
        line=1,
        registry="far.test",
        env={"HTTPS_PROXY": "http://127.0.0.1:9"},
    ),
)

MACHINES = (
    Failing(
        "disk full in a RUN",
        "FROM busybox\nRUN dd if=/dev/zero of=/big bs=1M count=100\n",
        "DiskFull",
        82,
        f"{_NO_ROOM}; a RUN step could not write.",
        line=2,
        limits=Limits(disk=24 * MEGA),
    ),
    Failing(
        "disk full",
        "FROM busybox\nRUN dd if=/dev/urandom of=/big bs=1M count=14\n",
        "DiskFull",
        82,
        f"{_NO_ROOM}: failed to take snapshot: write /kaniko/*: no space left on device.",
        line=2,
        limits=Limits(disk=24 * MEGA),
    ),
    Failing(
        "out of memory in a RUN",
        "FROM busybox\nRUN tail /dev/zero\n",
        "OutOfMemory",
        83,
        "A RUN step was killed because it ran out of memory.",
        line=2,
        limits=Limits(memory=150 * MEGA),
    ),
    Failing(
        "mount in the way",
        "FROM python:3.11\nRUN true\n",
        "Internal",
        84,
        "A mount is in the way of the image's files: failed to get filesystem from image: error removing *"
        "bin to make way for new symlink: unlinkat //bin/there: device or resource busy.",
        mounts=("/bin/there",),
        # It leaves what is mounted alone, so that /bin does not become the link that it is in the image.
        shipped={
            "situation": "no shell",
            "reason": "RunCommandFailed",
            "code": 127,
            "message": "The RUN in line 2 could not start: the image has no /bin/sh.",
            "line": 2,
        },
    ),
)

CASES = (*RUNS, *DOCKERFILES, *PULLS, *PUSHES, *PROXIES, *MACHINES)
