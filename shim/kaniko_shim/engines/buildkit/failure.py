"""Explains how a build with BuildKit has failed. Pure."""

import re
from collections.abc import Collection
from dataclasses import dataclass, replace

from imagebuild_vocabulary.remedies import Remedy

from kaniko_shim.outcome.errors import Failure
from kaniko_shim.outcome.explain import quote
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.outcome.situations.machine_situations import EXHAUSTED
from kaniko_shim.outcome.situations.registry_situations import REGISTRY, UNREACHABLE
from kaniko_shim.outcome.situations.situation import Situation, row
from kaniko_shim.registry.allowed_images import NAME_ANOTHER, NOT_ALLOWED

# `Dockerfile:5` above the lines that BuildKit shows of it.
_LINE = re.compile(r"^\S.*:(\d{1,7})$", re.MULTILINE)
_ERROR = re.compile(r"^(?:error|ERROR): (?:failed to solve: )?(.*)", re.MULTILINE | re.DOTALL)
_EXIT = re.compile(r"did not complete successfully: exit code: (\d{1,3})")
# What runc, or the init of BuildKit's container, prints in place of the command.
_NOT_STARTED = re.compile(r"^runc run failed: |^exec \S+: exec format error$")
_IMAGE = re.compile(r"(?:load metadata for|FROM|resolve(?: source metadata for)?(?: image config for)?) (\S+?/\S+)")
_KILLED = 137
_BASE_IMAGES = frozenset({Reason.BASE_IMAGE_NOT_FOUND, Reason.BASE_IMAGE_UNAUTHORIZED})
_AT_REGISTRY = _BASE_IMAGES | {Reason.RATE_LIMITED, Reason.REGISTRY_TLS, Reason.REGISTRY_UNAVAILABLE}

_TABLE: tuple[Situation, ...] = (
    *EXHAUSTED,
    replace(
        row(
            "base image not allowed",
            r"source \"docker-image://(?P<image>[^\"]+)\" denied by policy",
            Reason.INVALID_SPEC,
            NOT_ALLOWED,
            NAME_ANOTHER,
        ),
        remedy=Remedy.BASE_IMAGE,
    ),
    row(
        "Dockerfile syntax",
        r"dockerfile parse error|unterminated heredoc|no build stage in current context|file with no instructions"
        r"|unknown flag: |unsupported mount type|^Syntax error|requires (?:at least|exactly)|unexpected key "
        r"|invalid mount type|failed to process \"",
        Reason.DOCKERFILE_INVALID,
        "The Dockerfile can't be parsed: {error}",
    ),
    row(
        "no such target",
        r"target stage \"(?P<target>[^\"]*)\" could not be found",
        Reason.TARGET_NOT_FOUND,
        "The Dockerfile has no stage {target}, which TARGET names",
    ),
    row(
        "no image's name",
        r"failed to parse stage name \"?(?P<name>[^\"]*)\"?: (?P<problem>.*)|base name \(.*\) should not be blank",
        Reason.DOCKERFILE_INVALID,
        "FROM names {name}, which is not a valid image name",
        "Write [host[:port]/]path[:tag]. Declare an ARG that FROM uses before the first FROM.",
    ),
    replace(
        row(
            "no such secret",
            r"secret (?P<secret>\S+): not found",
            Reason.INVALID_SPEC,
            "There is no build secret {secret}, which a RUN --mount=type=secret requires",
            "Give it as BUILD_SECRET_{secret}, or leave out required=true.",
        ),
        remedy=Remedy.BUILD_SECRET,
    ),
    row(
        "not in the context",
        r"failed to calculate checksum of ref \S+: \"?/?(?P<missing>[^\"]*)\"?: not found",
        Reason.COPY_FAILED,
        "The build context, or the stage or image in --from, has no {missing}",
    ),
    row(
        "checksum of ADD",
        r"digest mismatch",
        Reason.COPY_FAILED,
        "What ADD has downloaded is not what --checksum says: {error}",
        "Update the checksum if the file was changed on purpose.",
    ),
    row(
        "download refused",
        r"invalid response status (?P<status>4(?!08|25|29)\d\d)",
        Reason.COPY_FAILED,
        "The server of ADD's URL answered {status}",
        "Check the URL; it is downloaded without credentials.",
    ),
    row(
        "download unavailable",
        r"invalid response status (?P<status>\d\d\d)",
        Reason.SOURCE_UNAVAILABLE,
        "The server of ADD's URL answered {status}",
        "Retry.",
    ),
    row(
        "no such user",
        r"unable to find (?:user|group) (?P<user>[^:\s]+): no matching entries|invalid user index|no users found",
        Reason.RUN_COMMAND_FAILED,
        "The image has no user or group {user}, which USER or --chown names",
        "Create it in a RUN before this instruction, or write a number.",
    ),
    row(
        "another processor",
        r"exec (?P<file>\S+): exec format error",
        Reason.RUN_COMMAND_FAILED,
        "{step} could not start {file}: it is built for another architecture, or is a script without #!",
        "Use a base image for this machine's architecture; with PLATFORM, build on a machine of that platform.",
    ),
    row(
        "no such program",
        r"exec: \"(?P<file>[^\"]*)\": (?:stat \S+: )?(?:no such file or directory|executable file not found)",
        Reason.RUN_COMMAND_FAILED,
        "{step} could not start: the image has no {file}",
        "Use a base image with it; RUN in shell form needs a shell, or SHELL.",
    ),
    row(
        "not executable",
        r"exec: \"(?P<file>[^\"]*)\": permission denied",
        Reason.RUN_COMMAND_FAILED,
        "{step} could not start {file}: it is not executable",
        "Make it executable (chmod +x), or check USER.",
    ),
    row(
        "no architecture",
        r"invalid image config for export",
        Reason.DOCKERFILE_UNSUPPORTED,
        "The base image does not say for which architecture it is, and BuildKit exports no such image",
        "Use another base image, or the engine Kaniko.",
    ),
    row(
        "ids beyond those of the pod",
        r"lchown .*: invalid argument|potentially insufficient UIDs or GIDs",
        Reason.DOCKERFILE_UNSUPPORTED,
        "A file has an owner above 65535, which the user namespace of the pod does not have: {error}",
        "Use smaller ids, have the kubelet give more (userNamespaces.idsPerPod), or use the engine Kaniko.",
    ),
    row(
        "no repository",
        r"git stderr:\s(?P<problem>[^\n]*)",
        Reason.COPY_FAILED,
        "ADD can't clone its Git repository: {problem}",
        "Check its URL; it is cloned without credentials.",
    ),
    *REGISTRY,
    row(
        "too many requests",
        r"429 Too Many Requests|toomanyrequests",
        Reason.RATE_LIMITED,
        "{registry} answered: too many requests",
    ),
    row(
        "not for this platform",
        r"no match for platform in manifest",
        Reason.BASE_IMAGE_NOT_FOUND,
        "{image} is not available for the platform of the build",
        "Use a base image for that platform, or build on a node of the image's platform.",
    ),
    row(
        "base image refused",
        r"401 Unauthorized|403 Forbidden|authorization failed|pull access denied|no basic auth credentials|denied: ",
        Reason.BASE_IMAGE_UNAUTHORIZED,
        "{registry} denied access to {image}: {error}",
    ),
    row(
        "no base image",
        r"(?:^|: )\S+: not found$",
        Reason.BASE_IMAGE_NOT_FOUND,
        "The base image {image} does not exist: {error}",
    ),
    row(
        "registry unavailable",
        r"unexpected status .*5\d\d",
        Reason.REGISTRY_UNAVAILABLE,
        "{registry} did not answer, or answered with a server error: {error}",
    ),
    *UNREACHABLE,
    row(
        "RUN not started",
        r"runc run failed: (?P<problem>.*)",
        Reason.RUN_COMMAND_FAILED,
        "{step} could not start: {problem}",
        "Check WORKDIR, USER and SHELL before it.",
    ),
    row(
        "other trouble with files",
        r"failed to compute cache key|failed to copy|cannot copy|^(?:mkdir|lstat|open|symlink|link) /",
        Reason.COPY_FAILED,
        "A file can't be copied: {error}",
    ),
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a build that failed.

    Attributes:
        text: what buildctl has written itself.
        vertex: the name of the vertex that failed; empty if none did.
        error: what is said of that vertex.
        printed: the last line that it has printed.
        disk_full: whether the disk was full when a step printed that no space is left.
        out_of_memory: whether the kernel killed a process meanwhile because memory ran out; None if unknown.
        allowed: the base images that the build may have; empty for all.
    """

    text: str
    vertex: str = ""
    error: str = ""
    printed: str = ""
    disk_full: bool = False
    out_of_memory: bool | None = False
    allowed: Collection[str] = ()

    @property
    def line(self) -> int:
        """The line of the Dockerfile that BuildKit shows; 0 if it shows none."""
        found = _LINE.search(self.text)
        return int(found[1]) if found else 0

    @property
    def words(self) -> str:
        """What buildctl says of the failure."""
        found = _ERROR.search(self.text)
        return found[1].strip() if found else self.error or self.text.strip().rpartition("\n")[2]


def explain(evidence: Evidence, instruction: str) -> Failure:
    """The failure that the evidence shows.

    Args:
        evidence: what is known.
        instruction: the one at the evidence's line, as the user wrote it; empty if unknown.
    """
    line = evidence.line
    step = f"The RUN in line {line}" if line else "A RUN step"
    if evidence.disk_full:
        return Failure(
            Reason.DISK_FULL, "The disk is full; a RUN step could not write.", instruction=instruction, line=line
        )
    if found := _EXIT.search(evidence.words):
        code = int(found[1])
        if _NOT_STARTED.search(evidence.printed):
            return replace(_of_words(evidence, evidence.printed, step, instruction), exit_code=code or 1)
        if evidence.out_of_memory and code == _KILLED:
            message = "A RUN step was killed because it ran out of memory."
            return Failure(Reason.OUT_OF_MEMORY, message, instruction=instruction, line=line)
        message = f"{step} ended with exit code {code}."
        return Failure(Reason.RUN_COMMAND_FAILED, message, exit_code=code or 1, instruction=instruction, line=line)
    return _of_words(evidence, evidence.words, step, instruction)


def _of_words(evidence: Evidence, words: str, step: str, instruction: str) -> Failure:
    for each in _TABLE:
        if each.matches(words, None):
            return _by(each, evidence, words, step, instruction)
    if evidence.out_of_memory:
        return Failure(Reason.OUT_OF_MEMORY, "BuildKit was killed because it ran out of memory.")
    message = f"BuildKit failed: {quote(words) or 'it gave no reason'}."
    return Failure(Reason.INTERNAL, message, instruction=instruction, line=evidence.line)


def _by(each: Situation, evidence: Evidence, words: str, step: str, instruction: str) -> Failure:
    image = _image(evidence)
    host, slash, _ = image.partition("/")
    registry = host if slash and (host == "localhost" or "." in host or ":" in host) else ""
    found = each.pattern.search(words) if each.pattern else None
    groups = {name: (value or "").strip() for name, value in found.groupdict().items()} if found else {}
    known = {
        "error": quote(words),
        "image": image or "the image",
        "registry": registry or "The registry",
        "step": step,
        "allowed": ", ".join(evidence.allowed),
    }
    return Failure(
        each.reason,
        each.message.format(**(known | groups)).rstrip(".: ") + ".",
        hint=each.hint.format(**(known | groups)),
        remedy=each.remedy,
        instruction=instruction,
        line=evidence.line,
        registry=registry if each.reason in _AT_REGISTRY else "",
        situation=each.name,
    )


def _image(evidence: Evidence) -> str:
    for text in (evidence.vertex, evidence.words):
        if found := _IMAGE.search(text):
            return found[1].rstrip(":,")
    return ""
