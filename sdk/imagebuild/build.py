"""An ImageBuild as the API server returned it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from imagebuild_vocabulary.phases import Phase

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Image:
    """A pushed image.

    Attributes:
        reference: REGISTRY/REPOSITORY:TAG.
        digest: Digest of the manifest or index, such as sha256:….
        size_bytes: Compressed size of its layers; None if it is not known.
    """

    reference: str
    digest: str
    size_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """The step of the Dockerfile that runs.

    Attributes:
        step: Its number, from 1.
        steps: Number of steps.
        stage: Name or number of its stage; empty if it is not known.
        instruction: The instruction as written; empty if it is not known.
    """

    step: int
    steps: int
    stage: str = ""
    instruction: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a build failed.

    Attributes:
        reason: One word, such as RunCommandFailed; docs/reference/reasons.md lists all.
        message: What happened.
        hint: What to do next; empty if there is no general advice.
        dockerfile_line: Line of the Dockerfile, from 1.
        instruction: The instruction at that line.
        exit_code: Exit code of the container that failed.
        log_tail: End of the log.
        platform: Platform that failed, for a multi-platform image.
    """

    reason: str
    message: str
    hint: str = ""
    dockerfile_line: int | None = None
    instruction: str = ""
    exit_code: int | None = None
    log_tail: str = ""
    platform: str = ""


@dataclass(frozen=True, slots=True)
class Build:
    """An ImageBuild at one moment.

    Attributes:
        document: The resource as JSON; the properties read the most used fields of it.
    """

    document: Document

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.document["metadata"]["name"])

    @property
    def namespace(self) -> str:
        """Its namespace."""
        return str(self.document["metadata"]["namespace"])

    @property
    def uid(self) -> str:
        """Its uid: another ImageBuild of the same name has another."""
        return str(self.document["metadata"]["uid"])

    @property
    def created(self) -> datetime | None:
        """When it was created."""
        return _time(self.document["metadata"].get("creationTimestamp"))

    @property
    def spec(self) -> Document:
        """Its spec."""
        return self.document.get("spec") or {}

    @property
    def status(self) -> Document:
        """Its status; empty if the operator has not seen it yet."""
        return self.document.get("status") or {}

    @property
    def phase(self) -> Phase | None:
        """Its phase; None if the operator has not seen it yet."""
        phase = self.status.get("phase")
        return Phase(phase) if phase else None

    @property
    def reason(self) -> str:
        """Why it is in this phase, in one word; empty if there is nothing to say."""
        return self.status.get("reason") or ""

    @property
    def message(self) -> str:
        """What happens or happened, and what to do next."""
        return self.status.get("message") or ""

    @property
    def is_finished(self) -> bool:
        """Whether it has ended, in whatever way."""
        return self.phase is not None and self.phase.is_final

    @property
    def succeeded(self) -> bool:
        """Whether it has ended in phase Succeeded."""
        return self.phase is Phase.SUCCEEDED

    @property
    def digest(self) -> str:
        """Digest of the image; empty before a success, and after a build that pushes nothing."""
        return self.status.get("digest") or ""

    @property
    def images(self) -> tuple[Image, ...]:
        """The pushed images."""
        return tuple(
            Image(str(entry["reference"]), str(entry.get("digest") or ""), entry.get("sizeBytes"))
            for entry in self.status.get("images") or ()
        )

    @property
    def outputs(self) -> tuple[str, ...]:
        """References that the image is to be pushed to."""
        return tuple((self.spec.get("output") or {}).get("images") or ())

    @property
    def dockerfile(self) -> str:
        """Path of its Dockerfile in the build context; empty if the spec has the Dockerfile itself."""
        found = self.spec.get("dockerfile") or {}
        return "" if found.get("inline") else str(found.get("path") or "Dockerfile")

    @property
    def context_dir(self) -> str:
        """Directory of its source that is the build context; empty for the whole source."""
        return self.spec.get("contextDir") or ""

    @property
    def progress(self) -> Progress | None:
        """The step that runs; None outside of phase Building and in the first seconds of it."""
        found = self.status.get("progress")
        if not found or "step" not in found or "steps" not in found:
            return None
        return Progress(found["step"], found["steps"], str(found.get("stage") or ""), found.get("instruction") or "")

    @property
    def failure(self) -> Failure | None:
        """Why it failed; None if it has not."""
        found = self.status.get("failure")
        if self.phase is not Phase.FAILED:
            return None
        if not found:
            return Failure(self.reason, self.message)
        return Failure(
            reason=found.get("reason") or self.reason,
            message=found.get("message") or self.message,
            hint=found.get("hint") or "",
            dockerfile_line=found.get("dockerfileLine"),
            instruction=found.get("instruction") or "",
            exit_code=found.get("exitCode"),
            log_tail=found.get("logTail") or "",
            platform=found.get("platform") or "",
        )

    @property
    def warnings(self) -> tuple[str, ...]:
        """Warnings of a build that has ended."""
        return tuple(self.status.get("warnings") or ())

    @property
    def started(self) -> datetime | None:
        """When its first pod was created."""
        return _time(self.status.get("startTime"))

    @property
    def completed(self) -> datetime | None:
        """When it ended."""
        return _time(self.status.get("completionTime"))

    @property
    def duration(self) -> str:
        """Time from its start to its end, such as 1m12s; empty before its end."""
        return self.status.get("duration") or ""

    @property
    def engine(self) -> str:
        """What it is or was built with, Kaniko or BuildKit; empty before it has a pod."""
        return self.status.get("engine") or ""


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
