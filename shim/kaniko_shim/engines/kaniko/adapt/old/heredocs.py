"""Heredocs of COPY and ADD, which become files next to the context for an executor without them."""

import re
from dataclasses import replace

from kaniko_shim.dockerfile.instruction import Heredoc
from kaniko_shim.engines.kaniko.adapt.copy.scope import Scope
from kaniko_shim.engines.kaniko.adapt.run.command import chomped, place_of_heredoc

_MODE = 0o644
_EXPANDED = re.compile(r"[$\\]")


def heredoc_file(heredoc: Heredoc, scope: Scope) -> tuple[str, str, int]:
    """The file of a heredoc: its path below the directory of heredocs, its content and its mode.

    Raises:
        ValueError: the content has a variable whose value is not known before the build.
    """
    content = chomped(heredoc)
    if not heredoc.quoted and _EXPANDED.search(content):
        document = scope.place.document(content)
        if document is None:
            raise ValueError(f"the heredoc {heredoc.word} has a variable whose value is not known before the build")
        content = document
    # The path depends on the content, so that a cached layer always has the same content.
    return place_of_heredoc(replace(heredoc, content=content), heredoc.word), content, _MODE
