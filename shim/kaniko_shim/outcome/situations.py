"""THE table of situations: what the executor and crane say when they fail, and what that means.

Each row is proven by a build that fails that way (`tests/standalone/test_failures.py`).
"""

import re
from dataclasses import dataclass

from kaniko_shim.outcome.reasons import Reason


@dataclass(frozen=True, slots=True)
class Situation:
    """One way to fail.

    Attributes:
        name: what tests call it.
        pattern: what the program says; its named groups are words for the message.
        reason: the class of the failure.
        message: {error} is the program's own text, {registry} the registry concerned, {image} the image that was
            asked for, {step} the Dockerfile's instruction.
        hint: the next step; empty means the reason's own hint.
    """

    name: str
    pattern: re.Pattern[str]
    reason: Reason
    message: str
    hint: str = ""


def _row(name: str, pattern: str, reason: Reason, message: str, hint: str = "") -> Situation:
    return Situation(name, re.compile(pattern), reason, message, hint)


# The first that matches counts.
GENERAL = (
    _row("disk full", r"no space left on device", Reason.DISK_FULL, "There was no space left on the disk: {error}"),
    _row(
        "executor out of memory",
        r"fatal error: runtime: out of memory|cannot allocate memory",
        Reason.OUT_OF_MEMORY,
        "{error}",
    ),
    _row("crash", r"^panic: (?P<panic>[^\[\n]+)", Reason.INTERNAL, "The executor crashed: {panic}"),
    _row(
        "Dockerfile syntax",
        r"dockerfile parse error|parsing dockerfile|unknown instruction:|file with no instructions"
        r"|unterminated heredoc|no build stage in current context",
        Reason.DOCKERFILE_INVALID,
        "The Dockerfile can't be parsed: {error}",
    ),
    _row(
        "several sources, no directory",
        r"when specifying multiple sources",
        Reason.DOCKERFILE_INVALID,
        "A COPY or ADD of several sources needs a destination that ends in /",
        "End the destination of that COPY or ADD in /.",
    ),
    _row(
        "a variable's form",
        r"failed to process (?P<text>\".*\"): (?P<problem>[^\n]+)",
        Reason.DOCKERFILE_INVALID,
        "The Dockerfile's {text} can't be expanded: {problem}",
        "Correct the form, or give the variable a value by ARG, ENV or BUILD_ARG.",
    ),
    _row(
        "no signal",
        r"invalid signal: (?P<signal>\S+)",
        Reason.DOCKERFILE_INVALID,
        "STOPSIGNAL names no signal: {signal}",
        "Write a number or a name such as SIGTERM.",
    ),
    _row(
        "no image's name",
        r"could not parse reference: ?(?P<name>[^\n]*)",
        Reason.DOCKERFILE_INVALID,
        "FROM or COPY --from names {name!r}, which is no image",
        "Write [host[:port]/]path[:tag]; an ARG that FROM uses must stand before the first FROM.",
    ),
    _row(
        "no such target",
        r"(?P<target>\S+) is not a valid target build stage",
        Reason.TARGET_NOT_FOUND,
        "TARGET names no stage of the Dockerfile: {target}",
    ),
    _row(
        "no Dockerfile",
        r"please provide a valid path to a Dockerfile",
        Reason.DOCKERFILE_NOT_FOUND,
        "The executor did not find the Dockerfile",
    ),
    _row(
        "not in the context",
        r"lstat /kaniko/buildcontext/(?P<file>\S+): no such file",
        Reason.COPY_FAILED,
        "The context has no {missing}, which the Dockerfile copies",
    ),
    _row(
        "not in the other stage",
        r"lstat /kaniko/\S+: no such file",
        Reason.COPY_FAILED,
        "The stage or image that --from names has no /{missing}",
        "Check the path, and that the stage makes the file outside of a VOLUME or mount.",
    ),
    _row(
        "download refused",
        r"downloading remote source file: invalid response status (?P<status>4(?!08|25|29)\d\d)",
        Reason.COPY_FAILED,
        "The server answered {status} to ADD's download",
        "Check ADD's URL; the executor downloads without credentials.",
    ),
    _row(
        "download not trusted",
        r"downloading remote source file: .*x509: ",
        Reason.COPY_FAILED,
        "The certificate of ADD's server is not trusted: {error}",
        "Give its authority's certificate in REGISTRY_CA, or put the file into the context.",
    ),
    _row(
        "download unavailable",
        r"downloading remote source file: ",
        Reason.SOURCE_UNAVAILABLE,
        "What ADD downloads can't be had: {error}",
        "Try again; check that the builder can reach the server of ADD's URL.",
    ),
    _row(
        "damaged archive",
        r"unpacking local tar: (?P<problem>.*(?:EOF|archive/tar:|gzip:|flate:|bzip2|corrupt).*)",
        Reason.COPY_FAILED,
        "ADD can't unpack an archive of the context: {problem}",
        "Replace the archive, which is damaged or holds no tar; COPY takes a file as it is.",
    ),
    _row(
        "no room for the copy",
        r"resolving dest symlink: (?:failed to lstat: )?(?P<problem>.*)",
        Reason.COPY_FAILED,
        "COPY or ADD can't write to its destination: {problem}",
        "Check the destination: a part of its path is a file, or a link that leads nowhere.",
    ),
    _row(
        "other trouble with files",
        r"failed to get fileinfo for|failed to get relative files|copy failed|could not copy source"
        r"|no source files were specified|failed to get files used from context",
        Reason.COPY_FAILED,
        "A file to copy is not there: {error}",
    ),
    _row(
        "another processor",
        r"fork/exec (?P<file>.*): exec format error",
        Reason.RUN_COMMAND_FAILED,
        "{step} could not start {file}: it is made for another processor, or is a script without #!",
        "Use a base image for this machine's architecture; with PLATFORM, build on a machine of that platform.",
    ),
    _row(
        "no shell",
        r"fork/exec (?P<file>\S*/\w*sh): no such file or directory",
        Reason.RUN_COMMAND_FAILED,
        "{step} could not be started, since the image has no {file}",
        "Use a base image with a shell, name one with SHELL, or write RUN as a list: a program and its arguments.",
    ),
    _row(
        "no such program",
        r"(?:fork/exec|exec:) (?P<file>.*): (?:no such file or directory|executable file not found)",
        Reason.RUN_COMMAND_FAILED,
        "{step} could not be started, since the image has no {file}",
        "Check the path, and that the program's interpreter (its #! line, or its loader) is in the image too.",
    ),
    _row(
        "not executable",
        r"fork/exec (?P<file>.*): permission denied",
        Reason.RUN_COMMAND_FAILED,
        "{step} could not start {file}, which may not be executed",
        "Make it executable (chmod +x), or check USER.",
    ),
    _row(
        "cannot start",
        r"starting command: ",
        Reason.RUN_COMMAND_FAILED,
        "{step} could not be started: {error}",
        "Check WORKDIR, USER and SHELL before it.",
    ),
    _row(
        "no such user",
        r"(?:user|group) (?P<user>\S+) is not a [ug]id and does not exist on the system"
        r"|getting user group from chown: .*parsing \"(?P<group>[^\"]+)\"",
        Reason.RUN_COMMAND_FAILED,
        "The image has no user or group {user}{group}, which USER or --chown names",
        "Create the user in a RUN before it, or write a number.",
    ),
    _row(
        "too many requests",
        r"TOOMANYREQUESTS|status code 429|too many requests",
        Reason.RATE_LIMITED,
        "{registry} answered: too many requests",
    ),
    _row(
        "certificate of another name",
        r"x509: certificate is (?:valid for|not valid for any names)|x509: cannot validate certificate for",
        Reason.REGISTRY_TLS,
        "The certificate of {registry} is made for another name: {error}",
        "Use the name that the certificate is made for, or list {registry} in SKIP_TLS_VERIFY_REGISTRIES.",
    ),
    _row(
        "certificate expired",
        r"x509: certificate has expired or is not yet valid",
        Reason.REGISTRY_TLS,
        "The certificate of {registry} is out of date: {error}",
        "Renew the registry's certificate, or list {registry} in SKIP_TLS_VERIFY_REGISTRIES.",
    ),
    _row(
        "certificate not trusted",
        r"x509: |tls: failed to verify certificate|certificate signed by unknown authority",
        Reason.REGISTRY_TLS,
        "The certificate of {registry} is not trusted: {error}",
        "Give its authority's certificate in REGISTRY_CA, or list {registry} in SKIP_TLS_VERIFY_REGISTRIES.",
    ),
    _row(
        "plain HTTP",
        r"server gave HTTP response to HTTPS client",
        Reason.REGISTRY_TLS,
        "{registry} speaks plain HTTP: {error}",
        "List {registry} in INSECURE_REGISTRIES.",
    ),
    _row(
        "garbage",
        r"invalid character '.*' (?:looking for|after)|unexpected end of JSON input|unknown media type",
        Reason.REGISTRY_UNAVAILABLE,
        "{registry} answered with something that is no image: {error}",
        "Check that the registry's name leads to a registry, and that no proxy answers in its place.",
    ),
)

PUSH = (
    _row(
        "immutable tag",
        r"cannot be overwritten|[Ii]mmutable",
        Reason.PUSH_REJECTED,
        "{registry} does not let the tag be overwritten: {error}",
        "Push another tag, or let the repository's tags be overwritten.",
    ),
    _row(
        "quota",
        r"QUOTA|[Qq]uota|exceed the configured upper limit",
        Reason.PUSH_REJECTED,
        "{registry} has no room for the image: {error}",
        "Delete old images there, or raise the quota.",
    ),
    _row(
        "push refused",
        r"UNAUTHORIZED|DENIED|status code 40[13]|unauthorized|authentication required|no basic auth",
        Reason.REGISTRY_UNAUTHORIZED,
        "{registry} refused the push; the credentials are missing or do not suffice: {error}",
    ),
    _row(
        "no such repository",
        r"NAME_UNKNOWN|status code 404",
        Reason.PUSH_REJECTED,
        "{registry} does not have the repository: {error}",
        "Check the name; some registries want the repository or project to be created first.",
    ),
    _row(
        "push rejected",
        r"MANIFEST_INVALID|BLOB_UNKNOWN|TAG_INVALID|NAME_INVALID|UNSUPPORTED|SIZE_INVALID|status code 4\d\d",
        Reason.PUSH_REJECTED,
        "{registry} rejected the push: {error}",
    ),
)

PULL = (
    _row(
        "not for this platform",
        r"no child with platform (?P<platform>\S+)",
        Reason.BASE_IMAGE_NOT_FOUND,
        "{image} is not made for {platform}",
        "Use a base image for that platform, or let the build run on a node of the image's.",
    ),
    _row(
        "no base image",
        r"MANIFEST_UNKNOWN|NAME_UNKNOWN|status code 404|not found on any configured mapped registries|NAME_INVALID",
        Reason.BASE_IMAGE_NOT_FOUND,
        "The base image {image} does not exist: {error}",
    ),
    _row(
        "base image refused",
        r"UNAUTHORIZED|DENIED|status code 40[13]|authentication required",
        Reason.BASE_IMAGE_UNAUTHORIZED,
        "{registry} refused to hand out {image}: {error}",
    ),
)

REST = (
    _row(
        "registry unavailable",
        r"no such host|connection refused|i/o timeout|connection reset by peer|stream error|network is unreachable"
        r"|no route to host|TLS handshake timeout|unexpected EOF|: EOF$|status code 5\d\d|server misbehaving"
        r"|context deadline exceeded|Client\.Timeout|UNAVAILABLE|broken pipe|: UNKNOWN: ",
        Reason.REGISTRY_UNAVAILABLE,
        "{registry} can't be reached or is out of order: {error}",
    ),
    _row(
        "mount in the way",
        r"device or resource busy",
        Reason.INTERNAL,
        "Something is mounted where the image has something else: {error}",
        "Mount volumes below /kaniko only, or leave the place out with EXTRA_ARGS=--ignore-path=PATH.",
    ),
    _row(
        "snapshot took too long",
        r"Timed out snapshotting FS in (?P<limit>\S+)",
        Reason.INTERNAL,
        "The executor gave up to look for changed files after {limit}",
        "Have fewer files in the image, or give the builder a faster disk.",
    ),
    _row(
        "not permitted",
        r"operation not permitted",
        Reason.INTERNAL,
        "The builder may not do what the executor needs: {error}",
        "Run the builder as root with the capabilities CHOWN, DAC_OVERRIDE, FOWNER, FSETID, SETFCAP, SETGID, SETUID.",
    ),
)
