"""The examples of the docs: tests use the manifests that readers copy."""

import re
from pathlib import Path
from typing import Any

import yaml

DOCS = Path(__file__).parents[2] / "docs"
Json = dict[str, Any]


def blocks(page: str, language: str) -> list[str]:
    """The fenced blocks of one language, in their order.

    Args:
        page: Path below docs/, such as `how-to/policies.md`.
        language: The word after the fence, such as `yaml`.
    """
    text = (DOCS / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}(?: [^\n]*)?\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def manifests(page: str, *kinds: str) -> list[Json]:
    """The Kubernetes objects in the yaml blocks of a page, in their order; of these kinds only, if any are named."""
    documents = (document for block in blocks(page, "yaml") for document in yaml.safe_load_all(block))
    objects = [document for document in documents if isinstance(document, dict) and "kind" in document]
    return [each for each in objects if not kinds or each["kind"] in kinds]


def block_with(page: str, language: str, text: str) -> str:
    """The one block of a language that contains a text."""
    (found,) = (block for block in blocks(page, language) if text in block)
    return found
