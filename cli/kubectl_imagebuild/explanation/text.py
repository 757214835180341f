"""An explanation as text: comments, then the pods as YAML. Pure."""

import textwrap
from typing import Any, Final

from kubectl_imagebuild.explanation.facts import Findings
from kubectl_imagebuild.yaml_text import to_yaml

_WIDTH: Final = 100
_UID_NOTE: Final = "The uid, and with it the end of the name of each pod, is decided when the ImageBuild is created."


def text(found: Findings, *, is_new: bool) -> str:
    """Comments on what happens, and the pods as YAML documents.

    Args:
        found: The explanation.
        is_new: Whether the ImageBuild does not exist yet.
    """
    explained, metadata = found.explanation, found.build["metadata"]
    reason = f" ({explained.reason})" if explained.reason else ""
    verb = "has" if explained.is_recorded else "gets"
    phase = f"{verb} phase {explained.phase}{reason}." if explained.phase else "waits for an operator."
    lines = [f"ImageBuild {metadata['namespace']}/{metadata['name']} {phase}", explained.message]
    lines += [f"It supersedes build {name}." for name in explained.supersedes]
    lines += found.notes
    if explained.pods:
        lines += [_UID_NOTE] if is_new else []
        lines.append(_on_pods(len(explained.pods), explained.is_recorded))
    comments = "".join(_comment(line) for line in lines if line)
    return comments + "".join(f"---\n{to_yaml(pod)}" for pod in explained.pods)


def document(found: Findings) -> dict[str, Any]:
    """The same for programs."""
    explained = found.explanation
    return {
        "phase": explained.phase,
        "reason": explained.reason,
        "message": explained.message,
        "supersedes": list(explained.supersedes),
        "notes": list(found.notes),
        "pods": list(explained.pods),
    }


def objects(found: Findings) -> str:
    """The names of the pods, one per line."""
    return "".join(f"pod/{pod['metadata']['name']}\n" for pod in found.explanation.pods)


def _on_pods(count: int, is_recorded: bool) -> str:  # noqa: FBT001 - one caller
    pods = "pod" if count == 1 else f"{count} pods"
    tense = "creates or created" if is_recorded else "creates"
    return f"The {pods} that the operator {tense} for the first attempt:"


def _comment(line: str) -> str:
    return "".join(f"# {each}\n" for each in textwrap.wrap(line, _WIDTH, break_on_hyphens=False))
