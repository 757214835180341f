"""The failure of an image that several registries were asked for: mirrors, and the one in the image's name."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from kaniko_shim.outcome.errors import Failure
from kaniko_shim.outcome.evidence import Evidence, Tried
from kaniko_shim.outcome.explain import by_words, quote
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.outcome.registry_answer import parse_answer

# Without the fallback to the registry of the name, the executor says only that no mirror has the image.
_NO_MIRROR = re.compile(r"not found on any configured mapped registries")
_ONLY_MIRRORS = "If only mirrors can be reached from here, set SKIP_DEFAULT_REGISTRY_FALLBACK=true."
_LONGEST_QUOTE = 250
_MOST_OTHERS = 3

# A registry that does not answer says nothing about the image; one that answers may still not be able to tell.
_PASSING = frozenset({Reason.REGISTRY_UNAVAILABLE, Reason.RATE_LIMITED})


@dataclass(frozen=True, slots=True)
class _Outcome:
    tried: Tried
    failure: Failure

    @property
    def answered(self) -> bool:
        """Whether the registry answered, as opposed to the network or nobody."""
        unanswered = self.failure.reason is Reason.REGISTRY_UNAVAILABLE and self.failure.situation != "garbage"
        return not unanswered or parse_answer(self.tried.error) is not None


def by_tries(evidence: Evidence) -> Failure | None:
    """The failure of the registry that answered last, with what the others said; None if there was only one."""
    if not (evidence.image and evidence.mirrors):
        return None
    own = None if _NO_MIRROR.search(evidence.error) else Tried(evidence.registry, evidence.error)
    outcomes = _outcomes(evidence, (*evidence.mirrors, own) if own else evidence.mirrors)
    if not outcomes or (own and outcomes[-1].tried is not own):
        return None
    answered = [outcome for outcome in outcomes if outcome.answered]
    last = (answered or outcomes)[-1]
    others = [outcome for outcome in outcomes if outcome is not last]
    said = (f"{each.tried.registry} was asked too: {quote(each.tried.error, _LONGEST_QUOTE)}." for each in others)
    message = " ".join((last.failure.message, *list(said)[-_MOST_OTHERS:]))
    failure = replace(last.failure, message=message)
    if failure.reason is not Reason.BASE_IMAGE_NOT_FOUND:
        return failure
    # One that was too busy may have the image.
    if passing := [each.failure for each in answered if each.failure.reason in _PASSING]:
        return replace(failure, reason=passing[-1].reason, situation=passing[-1].situation)
    return (
        replace(failure, hint=f"Check its name and tag. {_ONLY_MIRRORS}") if own and last.tried is not own else failure
    )


def _outcomes(evidence: Evidence, tries: Sequence[Tried]) -> list[_Outcome]:
    explained = (
        (tried, by_words(replace(evidence, error=tried.error, registry=tried.registry, mirrors=()))) for tried in tries
    )
    return [_Outcome(tried, failure) for tried, failure in explained if failure]
