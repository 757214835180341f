"""What is said about a Dockerfile that both BuildKit and we have built."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from truth.differences import Difference
from truth.warned import false, foretold, unexplained

_REFUSALS = frozenset({"DockerfileUnsupported", "DockerfileInvalid"})
"""Reasons that a Dockerfile is refused for, before anything is built. The result has to name the line."""


class Outcome(StrEnum):
    """How the two builds compare."""

    SAME = "same"
    WARNED = "warned of"
    REFUSED = "refused"
    BOTH_FAIL = "both fail"
    DIFFERENT = "different"
    FALSE_WARNING = "false warning"
    ONLY_OURS_FAILS = "only ours fails"
    ONLY_BUILDKIT_FAILS = "only BuildKit fails"

    @property
    def good(self) -> bool:
        """Whether a user gets Docker's image, or is told why not."""
        return self in _GOOD


_GOOD = frozenset({Outcome.SAME, Outcome.WARNED, Outcome.REFUSED, Outcome.BOTH_FAIL})


@dataclass(frozen=True)
class Verdict:
    """A comparison.

    Attributes:
        name: of the Dockerfile.
        outcome: how it went.
        differences: of the two images; empty unless there are two.
        silent: those of them that no warning names.
        warnings: of our result.
        detail: why a build failed.
    """

    name: str
    outcome: Outcome
    differences: tuple[Difference, ...] = ()
    silent: tuple[Difference, ...] = ()
    warnings: tuple[str, ...] = ()
    detail: str = ""

    def lines(self) -> list[str]:
        """The verdict, for people."""
        found = [f"{self.name}: {self.outcome}"]
        found += [f"  {'' if each in self.silent else '(warned of) '}{each}" for each in self.differences]
        found += [f"  warning: {each}" for each in self.warnings]
        found += [f"  {line}" for line in self.detail.splitlines()]
        return found


def of_images(name: str, differences: Sequence[Difference], warnings: Sequence[str]) -> Verdict:
    """Both builds succeeded."""
    silent = tuple(unexplained(differences, warnings))
    wrong = "\n".join(f"false: {each}" for each in false(differences, warnings))
    outcome = Outcome.WARNED if differences else Outcome.SAME
    if silent or wrong:
        outcome = Outcome.DIFFERENT if silent else Outcome.FALSE_WARNING
    return Verdict(name, outcome, tuple(differences), silent, tuple(warnings), wrong)


def of_our_failure(name: str, result: dict[str, Any], log: str, buildkit: str) -> Verdict:
    """Our build failed.

    Args:
        name: of the Dockerfile.
        result: what the builder said of its failure.
        log: what it wrote.
        buildkit: BuildKit's error; empty where it succeeded.
    """
    reason = str(result.get("reason") or "no result")
    parts = (reason, result.get("message"), result.get("hint"))
    ours = "ours: " + " | ".join(str(part) for part in parts if part)
    if not result:
        ours += "\n" + "\n".join(log.splitlines()[-15:])
    warnings = tuple(result.get("warnings", ()))
    if buildkit:
        return Verdict(name, Outcome.BOTH_FAIL, warnings=warnings, detail=f"{ours}\nBuildKit: {buildkit}")
    refused = reason in _REFUSALS and result.get("dockerfileLine")
    outcome = Outcome.REFUSED if refused else Outcome.ONLY_OURS_FAILS
    return Verdict(name, outcome, warnings=warnings, detail=ours)


def of_leniency(name: str, warnings: Sequence[str], buildkit: str) -> Verdict:
    """Only BuildKit's build failed."""
    outcome = Outcome.WARNED if foretold(buildkit, warnings) else Outcome.ONLY_BUILDKIT_FAILS
    return Verdict(name, outcome, warnings=tuple(warnings), detail=f"BuildKit: {buildkit}")


def error_of(log: str) -> str:
    """BuildKit's error, which is the last line of its log."""
    lines = [line for line in log.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("error:")]
    return (errors or lines or ["?"])[-1]
