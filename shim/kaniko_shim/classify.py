"""From exit code and last words to a reason: one table for the executor and for crane."""

import re
from dataclasses import dataclass

from kaniko_shim.errors import Failure
from kaniko_shim.process import Ended
from kaniko_shim.reasons import Reason

_SIGKILL = 9
_KILLED_CHILD = 137
_LONGEST_QUOTE = 700

_RUN_EXIT = re.compile(r"waiting for process to exit: exit status (\d+)\s*$")
_RUN_SIGNAL = re.compile(r"waiting for process to exit: signal: ([a-z ]+)")
_REGISTRY = re.compile(r"https?://([A-Za-z0-9.:\[\]-]+)/v2/")
_QUOTED_IMAGE = re.compile(r'(?:push permission for "|to destination |pushing to )([A-Za-z0-9.-]+(?::\d+)?)/')
_DIALLED = re.compile(r"(?:lookup|dial tcp) ([A-Za-z0-9.-]+)(?::\d+)?")
# What says only that something failed, which the reason says better.
_NOISE = re.compile(
    r"^(?:(?:Error|error building image|error building stage|error pushing image|failed to execute command"
    r"|failed to get files used from context|failed to optimize instructions|parsing dockerfile"
    r"|error checking push permissions -- make sure you entered the correct tag name, and that you are "
    r"authenticated correctly, and try again|checking push permission for \"[^\"]*\""
    r"|unable to complete operation after \d+ attempts, last error): )+"
    r"|; \[?map\[.*$"
)
_MISSING_FILE = re.compile(r"lstat /kaniko/buildcontext/(\S+): no such file")
_LINE = re.compile(r"(?:parse error on line |dockerfile parse error line |line )(\d+)")


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known about a program that failed.

    Attributes:
        ended: how it ended.
        error: its last words.
        log: the last lines of its whole output.
        pushing: whether it was pushing, as opposed to fetching base images.
        out_of_memory: whether the kernel killed a process for want of memory meanwhile.
        instruction: the Dockerfile's instruction that it was at, with its line.
        line: 0 if unknown.
        cache_repo: the repository of the cache, if there is one.
    """

    ended: Ended
    error: str
    log: str = ""
    pushing: bool = False
    out_of_memory: bool = False
    instruction: str = ""
    line: int = 0
    cache_repo: str = ""


@dataclass(frozen=True, slots=True)
class _Rule:
    pattern: re.Pattern[str]
    reason: Reason
    message: str
    hint: str = ""


def _rule(pattern: str, reason: Reason, message: str, hint: str = "") -> _Rule:
    return _Rule(re.compile(pattern), reason, message, hint)


# The first that matches counts. {error} is the program's own text.
_GENERAL = (
    _rule(r"no space left on device", Reason.DISK_FULL, "There was no space left on the disk: {error}"),
    _rule(r"fatal error: runtime: out of memory|cannot allocate memory", Reason.OUT_OF_MEMORY, "{error}"),
    _rule(
        r"dockerfile parse error|parsing dockerfile|unknown instruction:|file with no instructions"
        r"|unterminated heredoc|no build stage in current context",
        Reason.DOCKERFILE_INVALID,
        "The Dockerfile can't be parsed: {error}",
    ),
    _rule(r"is not a valid target build stage|target stage", Reason.TARGET_NOT_FOUND, "TARGET names no stage: {error}"),
    _rule(
        r"please provide a valid path to a Dockerfile",
        Reason.DOCKERFILE_NOT_FOUND,
        "The executor did not find the Dockerfile",
    ),
    _rule(
        r"lstat /kaniko/buildcontext/\S+: no such file",
        Reason.COPY_FAILED,
        "The context has no {missing}, which the Dockerfile copies",
    ),
    _rule(
        r"failed to get fileinfo for|failed to get relative files|copy failed|could not copy source"
        r"|no source files were specified|downloading remote source file|failed to get files used from context",
        Reason.COPY_FAILED,
        "A file to copy is not there: {error}",
    ),
    _rule(
        r"fork/exec .*: exec format error",
        Reason.RUN_COMMAND_FAILED,
        "A command could not be started, since it is made for another processor: {error}",
        "Use a base image for this machine's architecture.",
    ),
    _rule(
        r"starting command: .*no such file or directory",
        Reason.RUN_COMMAND_FAILED,
        "A command could not be started: {error}",
        "The image needs a shell (/bin/sh) for RUN, or the program that SHELL or RUN names.",
    ),
    _rule(r"starting command: ", Reason.RUN_COMMAND_FAILED, "A command could not be started: {error}"),
    _rule(
        r"is not a uid and does not exist on the system|unable to find user|looking up user",
        Reason.RUN_COMMAND_FAILED,
        "USER names a user that the image does not have: {error}",
        "Create the user in a RUN before it, or write a number.",
    ),
    _rule(
        r"TOOMANYREQUESTS|status code 429|too many requests",
        Reason.RATE_LIMITED,
        "{registry} answered: too many requests",
    ),
    _rule(
        r"x509: |tls: failed to verify certificate|certificate signed by unknown authority",
        Reason.REGISTRY_TLS,
        "The certificate of {registry} is not trusted: {error}",
        "List {registry} in SKIP_TLS_VERIFY_REGISTRIES, or add its authority to /kaniko/ssl/certs.",
    ),
    _rule(
        r"server gave HTTP response to HTTPS client",
        Reason.REGISTRY_TLS,
        "{registry} speaks plain HTTP: {error}",
        "List {registry} in INSECURE_REGISTRIES.",
    ),
    _rule(
        r"Client sent an HTTP request to an HTTPS server",
        Reason.REGISTRY_TLS,
        "{registry} speaks HTTPS, but is listed in INSECURE_REGISTRIES: {error}",
        "Take {registry} out of INSECURE_REGISTRIES; if its certificate is not trusted, list it in "
        "SKIP_TLS_VERIFY_REGISTRIES.",
    ),
)

_PUSH = (
    _rule(
        r"UNAUTHORIZED|DENIED|status code 40[13]|unauthorized|authentication required|no basic auth",
        Reason.REGISTRY_UNAUTHORIZED,
        "{registry} refused the push; the credentials are missing or do not suffice: {error}",
    ),
    _rule(
        r"MANIFEST_INVALID|BLOB_UNKNOWN|TAG_INVALID|NAME_INVALID|NAME_UNKNOWN|cannot be overwritten|immutable"
        r"|UNSUPPORTED|SIZE_INVALID|status code 4\d\d|QUOTA|quota",
        Reason.PUSH_REJECTED,
        "{registry} rejected the push: {error}",
    ),
)

_PULL = (
    _rule(
        r"MANIFEST_UNKNOWN|NAME_UNKNOWN|status code 404|not found on any configured mapped registries"
        r"|no child with platform|NAME_INVALID",
        Reason.BASE_IMAGE_NOT_FOUND,
        "A base image does not exist: {error}",
    ),
    _rule(
        r"UNAUTHORIZED|DENIED|status code 40[13]|authentication required",
        Reason.BASE_IMAGE_UNAUTHORIZED,
        "{registry} refused to hand out a base image: {error}",
    ),
    _rule(r"could not parse reference", Reason.DOCKERFILE_INVALID, "FROM names no image: {error}"),
)

_NETWORK = (
    _rule(
        r"no such host|connection refused|i/o timeout|connection reset by peer|stream error|network is unreachable"
        r"|no route to host|TLS handshake timeout|unexpected EOF|: EOF$|status code 5\d\d|server misbehaving"
        r"|context deadline exceeded|Client\.Timeout|UNAVAILABLE|broken pipe",
        Reason.REGISTRY_UNAVAILABLE,
        "{registry} can't be reached: {error}",
    ),
)

_REST = (
    _rule(
        r"operation not permitted|device or resource busy",
        Reason.INTERNAL,
        "The builder may not do what the executor needs: {error}",
        "The builder must run as root with the capabilities CHOWN, DAC_OVERRIDE, FOWNER, SETFCAP, SETGID and SETUID.",
    ),
)


def classify(evidence: Evidence) -> Failure:
    """The failure that the evidence shows."""
    return _by_ending(evidence) or _by_words(evidence) or _unknown(evidence)


def _by_ending(evidence: Evidence) -> Failure | None:
    ended = evidence.ended
    if ended.signal == _SIGKILL or (ended.signal and evidence.out_of_memory):
        return Failure(Reason.OUT_OF_MEMORY, "The executor was killed, most likely for want of memory.")
    if match := _RUN_EXIT.search(evidence.error):
        code = int(match[1])
        if "no space left on device" in evidence.log.lower():
            return _at(evidence, Reason.DISK_FULL, "There was no space left on the disk for a RUN step.")
        if evidence.out_of_memory and code == _KILLED_CHILD:
            return _at(evidence, Reason.OUT_OF_MEMORY, "A RUN step was killed for want of memory.")
        message = f"{_step(evidence)} ended with exit code {code}."
        return _at(evidence, Reason.RUN_COMMAND_FAILED, message, exit_code=code or 1)
    if match := _RUN_SIGNAL.search(evidence.error):
        if evidence.out_of_memory:
            return _at(evidence, Reason.OUT_OF_MEMORY, "A RUN step was killed for want of memory.")
        message = f"{_step(evidence)} was ended by a signal ({match[1].strip()})."
        return _at(evidence, Reason.RUN_COMMAND_FAILED, message, exit_code=_KILLED_CHILD)
    return None


def _by_words(evidence: Evidence) -> Failure | None:
    pushing = evidence.pushing or evidence.error.startswith(("error pushing image", "error checking push permissions"))
    rules = (*_GENERAL, *(_PUSH if pushing else _PULL), *_NETWORK, *_REST)
    rule = next((rule for rule in rules if rule.pattern.search(evidence.error)), None)
    if rule is None:
        return None
    registry = _registry(evidence.error)
    words = {
        "error": _quote(evidence.error),
        "registry": registry or "The registry",
        "missing": missing_file(evidence.error),
    }
    hint = rule.hint.format(**words)
    if rule.reason is Reason.REGISTRY_UNAUTHORIZED and not evidence.pushing and _is_cache(evidence):
        hint = "Add credentials for CACHE_REPO to DOCKER_CONFIG_JSON, or set CACHE_READ_ONLY=true."
    failure = Failure(rule.reason, rule.message.format(**words).rstrip(". ") + ".", hint=hint)
    at_step = rule.reason in {Reason.RUN_COMMAND_FAILED, Reason.COPY_FAILED, Reason.DISK_FULL}
    line = evidence.line if at_step else 0
    if rule.reason is Reason.DOCKERFILE_INVALID and (match := _LINE.search(evidence.error)):
        line = int(match[1])
    concerns_registry = rule.reason in {
        Reason.RATE_LIMITED,
        Reason.REGISTRY_TLS,
        Reason.REGISTRY_UNAUTHORIZED,
        Reason.REGISTRY_UNAVAILABLE,
        Reason.PUSH_REJECTED,
        Reason.BASE_IMAGE_NOT_FOUND,
        Reason.BASE_IMAGE_UNAUTHORIZED,
    }
    return Failure(
        failure.reason,
        failure.message,
        hint=failure.hint,
        instruction=evidence.instruction if at_step else "",
        line=line,
        registry=registry if concerns_registry else "",
    )


def missing_file(error: str) -> str:
    """The file of the context that an error says is missing, or empty."""
    match = _MISSING_FILE.search(error)
    return match[1] if match else ""


def _unknown(evidence: Evidence) -> Failure:
    ended = evidence.ended
    how = f"by signal {ended.signal}" if ended.signal else f"with exit code {ended.code}"
    quote = _quote(evidence.error)
    return _at(evidence, Reason.INTERNAL, f"The executor ended {how}" + (f": {quote}." if quote else "."))


def _at(evidence: Evidence, reason: Reason, message: str, exit_code: int | None = None) -> Failure:
    return Failure(reason, message, exit_code=exit_code, instruction=evidence.instruction, line=evidence.line)


def _step(evidence: Evidence) -> str:
    return f"The RUN in line {evidence.line}" if evidence.line else "A RUN step"


def _is_cache(evidence: Evidence) -> bool:
    return bool(evidence.cache_repo) and evidence.cache_repo in evidence.error


def _registry(error: str) -> str:
    for pattern in (_REGISTRY, _QUOTED_IMAGE, _DIALLED):
        if match := pattern.search(error):
            return match[1]
    return ""


def _quote(error: str) -> str:
    text = _NOISE.sub("", " ".join(error.split())).rstrip(".")
    return text if len(text) <= _LONGEST_QUOTE else text[: _LONGEST_QUOTE - 1] + "…"
