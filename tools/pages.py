"""The pages that people read, as Markdown: their fenced blocks, links and anchors.

CONTRIBUTING.md explains to writers how blocks are marked.
"""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[1]
#: Where pages are; blocks are checked in all of them.
PATTERNS = (
    "*.md",
    "charts/*/*.md",
    "docs/**/*.md",
    "examples/**/*.md",
)
#: For a person's shell; each needs a mark.
SHELL = ("bash", "console", "sh", "shell")
YAML = ("yaml", "yml")

MANIFEST = re.compile(r"^apiVersion: ", re.MULTILINE)
#: API groups whose manifests the functional tests send to an API server.
KNOWN = re.compile(
    r"^apiVersion: (?:imagebuild\.dev/\S+|(?:apps|batch|policy)/v1|v1|[a-z.]+\.k8s\.io/v1)\s*$", re.MULTILINE
)

COMMENT = re.compile(r"<!--\s*(.*?)\s*-->", re.DOTALL)
TITLE = re.compile(r'\btitle="([^"]+)"')
PARSER = MarkdownIt("commonmark").enable("table")


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        page: path of the file, relative to the repository.
        line: of its fence, from 1.
        language: first word of the info string.
        title: name of the file that the block shows, or "".
        mark: text of the comment before it, or "".
        text: the content.
    """

    page: str
    line: int
    language: str
    title: str
    mark: str
    text: str

    @property
    def place(self) -> str:
        """Page and line, for messages."""
        return f"{self.page}:{self.line}"

    def commands(self) -> str:
        """The script in a block for a shell: all of it, or in a console what follows the prompt.

        A command goes on after a backslash at the end of a line, and up to the end of a here document.
        """
        if self.language != "console":
            return self.text
        script: list[str] = []
        more, end = False, ""
        for line in self.text.splitlines():
            if end:
                end = "" if line == end else end
            elif not more:
                if not line.startswith("$ "):
                    continue
                line = line.removeprefix("$ ")  # noqa: PLW2901 - the prompt is not part of it
            script.append(line)
            more = not end and line.endswith("\\")
            if not end and (here := re.search(r"<<-?\s*['\"]?(\w+)", line)):
                end = here[1]
        return "\n".join(script) + "\n"


def all_known(text: str) -> bool:
    """Whether the manifests in a YAML text all have kinds of ours or of Kubernetes itself."""
    return len(MANIFEST.findall(text)) == len(KNOWN.findall(text))


def pages() -> list[str]:
    """Paths of all pages, relative to the repository."""
    return sorted({str(path.relative_to(ROOT)) for pattern in PATTERNS for path in ROOT.glob(pattern)})


def blocks(page: str) -> Iterator[Block]:
    """The fenced blocks of a page, in order."""
    before = ""
    for token in _tokens(page):
        if token.type == "fence":
            language, _, rest = token.info.strip().partition(" ")
            title = TITLE.search(rest)
            line = token.map[0] + 1 if token.map else 0
            yield Block(page, line, language, title[1] if title else "", before, token.content)
        comment = COMMENT.fullmatch(token.content.strip()) if token.type == "html_block" else None
        before = " ".join(comment[1].split()) if comment else ""


def links(page: str) -> Iterator[str]:
    """The targets of a page's links."""
    for token in _tokens(page):
        for inner in token.children or ():
            if inner.type == "link_open":
                yield str(inner.attrs["href"])
            elif inner.type == "image":
                yield str(inner.attrs["src"])


def anchors(page: str) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    found: set[str] = set()
    tokens = _tokens(page)
    for heading, inline in itertools.pairwise(tokens):
        if heading.type == "heading_open":
            text = "".join(inner.content for inner in inline.children or ())
            name = anchor(text)
            number = 0
            while (unique := f"{name}-{number}" if number else name) in found:
                number += 1
            found.add(unique)
    return found


def anchor(heading: str) -> str:
    """The anchor of a heading: letters and digits, in lower case, each space a dash."""
    kept = re.sub(r"[^\w\- ]", "", heading.lower())
    return kept.replace(" ", "-")


def _tokens(page: str) -> list[Token]:
    return PARSER.parse((ROOT / page).read_text(encoding="utf-8"))
