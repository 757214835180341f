"""What a watcher says of remotes, read from the end of its log.

It runs no command of a Dockerfile, so what it says is as good as what a build would find a moment later.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from imagebuild_vocabulary.log_lines import message_of
from imagebuild_vocabulary.sources import COMMIT

from imagebuild_operator.api.redact import UNSHOWN, redact
from imagebuild_operator.observe.flux import Artifact

_LINE: Final = "watch: "
_TREE: Final = re.compile(r"[0-9a-f]{64}")
_SHORT: Final = re.compile(r"[0-9a-f]{16}")
MAX_PROBLEM: Final = 500


@dataclass(frozen=True, slots=True)
class Seen:
    """What a watcher has seen for one TrackedImage.

    Attributes:
        commit: The commit of the source; None if it is not known.
        tree: The hash of what counts in it; empty if all does.
        images: The first digits of the digests that each base image has now, one for each platform.
        at: When it has looked; None before the first time.
        problem: Why it could not look at something; empty if it could.
        artifact: What Flux has made of the source, where that is watched instead.
    """

    commit: str | None = None
    images: Mapping[str, frozenset[str]] = field(default_factory=dict)
    at: datetime | None = None
    problem: str = ""
    tree: str = ""
    artifact: Artifact | None = None

    def with_source(self, source: "Seen") -> "Seen":
        """The same, with the source from elsewhere."""
        return replace(source, images=self.images, at=self.at or source.at, problem=source.problem or self.problem)

    def is_news(self, before: "Seen") -> bool:
        """Whether there may be something to do that there was not before."""
        now, then = ((each.commit, each.tree, each.images, each.problem, each.artifact) for each in (self, before))
        return now != then

    def has_moved(self, reference: str, digest: str) -> bool:
        """Whether a base image is another than the one that a build has used; False if that is not known."""
        now = self.images.get(reference)
        return digest.partition(":")[2][:16] not in now if now else False


#: Nothing has been seen yet.
UNSEEN: Final = Seen()


def parse_watched(log: str) -> dict[str, Seen]:
    """What a log says last, by the name of the TrackedImage."""
    return {name: seen for line in log.splitlines() for name, seen in _parse_line(line)}


def _parse_line(line: str) -> Iterator[tuple[str, Seen]]:
    # The kubelet writes the time before each line.
    text = message_of(line.partition(" ")[2]) or ""
    if not text.startswith(_LINE):
        return
    try:
        document = json.loads(text.removeprefix(_LINE))
        at = datetime.fromisoformat(document["at"]) if document.get("at") else None
        name = str(document["name"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return
    commit = document.get("commit")
    problem = redact(" ".join(UNSHOWN.sub(" ", str(document.get("problem") or "")).split()))[:MAX_PROBLEM]
    known = commit if isinstance(commit, str) and COMMIT.fullmatch(commit) else None
    tree = str(document.get("tree") or "")
    counted = tree if _TREE.fullmatch(tree) else ""
    yield name, Seen(known, dict(_images(document.get("images"))), at, problem, counted)


def _images(value: object) -> Iterator[tuple[str, frozenset[str]]]:
    items: Mapping[str, Any] = value if isinstance(value, dict) else {}
    for name, digests in items.items():
        if isinstance(digests, list):
            yield name, frozenset(each for each in digests if isinstance(each, str) and _SHORT.fullmatch(each))
