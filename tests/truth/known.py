"""The list of what is not cured yet, known.yaml: it has to be true, and it has to become empty."""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import yaml
from truth.verdict import Outcome, Verdict

PATH = Path(__file__).with_name("known.yaml")


@dataclass(frozen=True)
class Known:
    """An entry.

    Attributes:
        reason: why it is so.
        executors: those that it holds for, of `buildkit`, `old` and `shipped`.
        outcome: what comes of the Dockerfile.
        differs: patterns of the silent differences, each `PLACE: KIND`.
    """

    reason: str
    executors: tuple[str, ...] = ("buildkit", "old", "shipped")
    outcome: Outcome = Outcome.DIFFERENT
    differs: tuple[str, ...] = ()


def known(path: Path = PATH) -> dict[str, list[Known]]:
    """All entries, by `cases/NAME` or `shapes/NAME`."""
    found = {}
    for name, entries in (yaml.safe_load(path.read_text()) or {}).items():
        found[str(name)] = [
            Known(
                entry["reason"],
                tuple(entry.get("executors", ("buildkit", "old", "shipped"))),
                Outcome(entry.get("outcome", Outcome.DIFFERENT)),
                tuple(entry.get("differs", ())),
            )
            for entry in entries
        ]
    return found


def problem(verdict: Verdict, entry: Known | None) -> str:
    """What is wrong with a verdict, for people; empty if nothing is."""
    text = "\n".join(verdict.lines())
    if entry is None:
        return "" if verdict.outcome.good else f"Docker would have built something else, and nothing says so:\n{text}"
    if verdict.outcome.good:
        return f"This is cured: remove its entry from {PATH.name}.\n{text}"
    if verdict.outcome != entry.outcome:
        return f"{PATH.name} says that the outcome is: {entry.outcome}\n{text}"
    found = [f"{each.place}: {each.kind}" for each in verdict.silent]
    new = [each for each in found if not any(fnmatchcase(each, pattern) for pattern in entry.differs)]
    return f"{PATH.name} does not list: {', '.join(new)}\n{text}" if new else ""
