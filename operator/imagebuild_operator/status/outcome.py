"""The outcome of a build: its phase, with the reason and the words for people."""

from dataclasses import dataclass, field

from imagebuild_vocabulary.phases import Phase

from imagebuild_operator.api.reasons import Reason
from imagebuild_operator.observe.progress import Progress
from imagebuild_operator.observe.report import Result
from imagebuild_operator.status.platforms import Platforms


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a build stands.

    Attributes:
        phase: The phase it is in.
        reason: Why it waits or has failed; None while all is well.
        message: One or two sentences for people; the last one says what to do.
        hint: What to do, by itself.
        exit_code: Of the container that failed.
        result: What the containers reported of themselves.
        position: Its place among the builds that wait.
        progress: The step that it is at; None where that is not known, or has not been asked for.
        platforms: How its platforms stand, where there are several and one of them may have changed.
    """

    phase: Phase
    message: str
    reason: Reason | None = None
    hint: str | None = None
    exit_code: int | None = None
    result: Result = field(default_factory=Result)
    position: int | None = None
    progress: Progress | None = None
    platforms: Platforms = ()

    @property
    def cause(self) -> str:
        """The message without what to do."""
        return self.message.removesuffix(self.hint or "").rstrip()
